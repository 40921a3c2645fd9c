//! `lanai check` at the command line: which files it reads, in which order, and what it says to programs.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use lanai_tests::{Finished, lanai, project_root, run};
use serde_json::Value;

const HAPROXY: &str = "/usr/sbin/haproxy";

/// Reads standard input as JSON, and checks it against a schema. Prints what is wrong.
const WITNESS: &str = "
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
value = json.load(open(sys.argv[2]))
jsonschema.Draft202012Validator(schema).validate(value)
";

/// A directory of texts that each say their name when they are read.
#[track_caller]
fn sayers(names: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!(".notice \"said by <{name}>\"\n")).unwrap();
    }
    root
}

#[track_caller]
fn ran(directory: &Path, argv: &[&str]) -> Finished {
    let words = [&["env", "-C", directory.to_str().unwrap()], argv].concat();
    run(&words, Duration::from_secs(20))
}

/// The names in the order in which they were said.
fn order(ended: &Finished) -> Vec<String> {
    let parts = ended.stderr.split("said by <").skip(1);
    parts
        .map(|part| part.split('>').next().unwrap().to_owned())
        .collect()
}

fn order_of_json(ended: &Finished) -> Vec<String> {
    let value: Value = serde_json::from_str(&ended.stdout).unwrap();
    let said = value["diagnostics"].as_array().unwrap().iter();
    let said = said.map(|found| found["message"].as_str().unwrap().to_owned());
    said.filter_map(|text| {
        let (_, name) = text.split_once("said by <")?;
        Some(name.split('>').next()?.to_owned())
    })
    .collect()
}

/// The same words behind `haproxy -c`, `lanai proxy -c` and `lanai check` read the same files in the same
/// order.
#[track_caller]
fn same_order(directory: &Path, words: &[&str], count: usize) {
    let theirs = order(&ran(directory, &[&[HAPROXY, "-c"], words].concat()));
    assert_eq!(theirs.len(), count, "{words:?}: {theirs:?}");
    let engine = ran(directory, &[&[lanai(), "proxy", "-c"], words].concat());
    assert_eq!(order(&engine), theirs, "{words:?}: {engine:#?}");
    let check = ran(directory, &[&[lanai(), "check", "--json"], words].concat());
    assert_eq!(order_of_json(&check), theirs, "{words:?}: {check:#?}");
}

#[test]
fn directories_are_read_as_by_haproxy() {
    let names = [
        "d/9-a.cfg",
        "d/10-b.cfg",
        "d/B.cfg",
        "d/a.cfg",
        "d/_x.cfg",
        "d/-minus.cfg",
        "d/\u{e9}.cfg",
        "d/e.cfg",
        "d/with space.cfg",
        "d/a.b.cfg",
        "d/z.CFG",
        "d/.hidden.cfg",
        "d/.cfg",
        "d/README",
        "d/a.cfg~",
        "d/sub.cfg/inside.cfg",
        "elsewhere",
    ];
    let root = sayers(&names);
    symlink("../elsewhere", root.path().join("d/link.cfg")).unwrap();
    same_order(root.path(), &["-f", "d"], 11);
    same_order(root.path(), &["-f", "d/"], 11);
    // A link that leads nowhere is a file that is missing.
    symlink("nowhere", root.path().join("d/broken.cfg")).unwrap();
    for (tool, code) in [
        (&[HAPROXY, "-c"][..], 1),
        (&[lanai(), "proxy", "-c"], 1),
        (&[lanai(), "check"], 2),
    ] {
        let ended = ran(root.path(), &[tool, &["-f", "d"]].concat());
        assert_eq!(ended.code, code, "{ended:#?}");
        assert!(
            ended.stderr.contains("Cannot open configuration file"),
            "{ended:#?}"
        );
    }
}

#[test]
fn several_files_are_read_in_the_order_of_the_command_line() {
    let root = sayers(&["b.cfg", "a", "d/2.cfg", "d/1.cfg", "-f", "e/only.txt"]);
    for (words, count) in [
        (&["-f", "b.cfg", "-f", "a"][..], 2),
        (&["-f", "a", "-f", "d", "-f", "b.cfg"], 4),
        (&["-f", "a", "--", "b.cfg", "d"], 4),
        (&["--", "b.cfg", "a"], 2),
        (&["-f", "b.cfg", "--", "-f", "a"], 3),
        (&["-f", "a", "-f", "a"], 2),
    ] {
        same_order(root.path(), words, count);
    }
    // Alone, and between the others.
    let mixed = ran(
        root.path(),
        &[lanai(), "check", "--json", "b.cfg", "-f", "a", "d"],
    );
    assert_eq!(order_of_json(&mixed), ["b.cfg", "a", "d/1.cfg", "d/2.cfg"]);
}

#[test]
fn json_is_what_its_schema_says() {
    let root = tempfile::tempdir().unwrap();
    let good = "defaults\n    mode http\n    timeout client 5s\n    timeout connect 5s\n    timeout server 5s\n\
                frontend f\n    bind 127.0.0.1:18080\n    default_backend b\nbackend b\n    server s 127.0.0.1:18081\n";
    let warned = good.replace("    timeout client 5s\n", "");
    let refused = good.replace(
        "timeout client 5s",
        "timeout clint 5s\n    mode htp \"\u{1}\u{7f}\u{fffd}\"",
    );
    let bytes = [good.as_bytes(), b"    option \xff\xfe \"\n"].concat();
    let cases: [(&str, &[u8], i32, &str); 4] = [
        ("good", good.as_bytes(), 0, ""),
        ("warned", warned.as_bytes(), 0, "warning"),
        ("refused", refused.as_bytes(), 1, "alert"),
        ("bytes", &bytes, 1, "alert"),
    ];
    for (name, text, code, worst) in cases {
        let path = root.path().join(format!("{name}.cfg"));
        std::fs::write(&path, text).unwrap();
        let ended = ran(
            root.path(),
            &[lanai(), "check", "--json", "-f", path.to_str().unwrap()],
        );
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (code, ""),
            "{name}: {ended:#?}"
        );
        let printed = root.path().join(format!("{name}.json"));
        std::fs::write(&printed, &ended.stdout).unwrap();
        let schema = project_root().join("docs/check.schema.json");
        let (schema, printed) = (schema.to_str().unwrap(), printed.to_str().unwrap());
        ran(root.path(), &["python3", "-m", "json.tool", printed]).ok();
        ran(root.path(), &["python3", "-c", WITNESS, schema, printed]).ok();

        let value: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(value["refused"], code == 1, "{value:#}");
        let all = value["diagnostics"].as_array().unwrap();
        assert_eq!(all.is_empty(), worst.is_empty(), "{name}: {value:#}");
        assert!(
            worst.is_empty() || all.iter().any(|one| one["severity"] == worst),
            "{value:#}"
        );
        assert!(
            all.iter().all(|one| one["file"] == path.to_str().unwrap()),
            "{value:#}"
        );
        // A fix is of bytes of the file, and mends what it is for.
        for fix in all
            .iter()
            .map(|one| &one["fix"])
            .filter(|fix| !fix.is_null())
        {
            let at = |end: &str| usize::try_from(fix[end].as_u64().unwrap()).unwrap();
            let mut mended = text.to_vec();
            mended.splice(
                at("start")..at("end"),
                fix["replacement"].as_str().unwrap().bytes(),
            );
            std::fs::write(&path, &mended).unwrap();
            let again = ran(
                root.path(),
                &[lanai(), "check", "--json", "-f", path.to_str().unwrap()],
            );
            let again: Value = serde_json::from_str(&again.stdout).unwrap();
            let lines = |value: &Value| -> Vec<(String, u64)> {
                let all = value["diagnostics"].as_array().unwrap().iter();
                all.map(|one| (one["message"].to_string(), one["line"].as_u64().unwrap()))
                    .collect()
            };
            let (before, left) = (lines(&value), lines(&again));
            assert!(
                before.iter().any(|one| !left.contains(one)),
                "{fix} left {again:#}"
            );
        }
        // For people it is the same verdict.
        std::fs::write(&path, text).unwrap();
        let plain = ran(root.path(), &[lanai(), "check", path.to_str().unwrap()]);
        assert_eq!(plain.code, code, "{plain:#?}");
    }
}

#[test]
fn what_cannot_be_checked_ends_with_2() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("empty")).unwrap();
    for (words, said) in [
        (
            &["-f", "none.cfg"][..],
            "none.cfg : No such file or directory",
        ),
        (&["none.cfg"], "none.cfg : No such file or directory"),
        (
            &["--config", "empty"],
            "neither services.cfg nor haproxy.cfg",
        ),
        (
            &["--config", "empty", "-f", "none.cfg"],
            "cannot be used with",
        ),
        (&["-f"], "a value is required"),
        (&["--nosuch"], "unexpected argument"),
    ] {
        for form in [&[][..], &["--json"]] {
            let ended = ran(root.path(), &[&[lanai(), "check"], form, words].concat());
            assert_eq!(ended.code, 2, "{words:?}: {ended:#?}");
            assert_eq!(ended.stdout, "", "{words:?}");
            assert!(ended.stderr.contains(said), "{words:?}: {ended:#?}");
        }
    }
}
