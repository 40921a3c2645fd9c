//! `lanai import`: what it says of foreign configurations, and what is there afterwards.
//!
//! `tests/config/import/NAME.expect` holds the exit code and the report that a person sees;
//! `UPDATE_EXPECT=1` rewrites them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lanai_tests::{Appliance, Lab, lanai, run};
use serde_json::Value;

use crate::foreign::{Files, Machine, files, folder};

/// Every folder of `tests/config/import`.
#[track_caller]
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let names = paths.filter(|path| path.is_dir());
    let mut names: Vec<_> = names
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 6, "{names:?}");
    names
}

#[test]
fn the_report_says_what_works_what_is_ignored_and_what_is_refused() {
    let mut wrong = Vec::new();
    for name in names() {
        let machine = Machine::new(&name);
        let ended = machine.import(&[]);
        let said = format!("exit {}\n{}", ended.code, machine.anywhere(&ended.text()));
        let expect = folder().join(format!("{name}.expect"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&expect, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&expect).unwrap_or_default();
        if expected != said {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{said}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE_EXPECT=1 rewrites the expectations)",
        wrong.join("\n")
    );
}

#[test]
fn what_is_written_is_the_original_but_for_paths() {
    for name in names() {
        let machine = Machine::new(&name);
        let before = files(machine.root());
        let report = report(&machine, &[]);
        assert_eq!(report["whole"], true, "{name}: {report:#}");
        let after = files(machine.root());
        let foreign: Files = after
            .iter()
            .filter(|(path, _)| !path.starts_with("lanai"))
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        assert!(
            before == foreign,
            "{name}: the foreign files are as they were"
        );
        only_paths_differ(&machine, &original(&machine), &name);
        every_copy_is_one(&machine, &report);
        checks_as_reported(&machine, &report, &name);
    }
}

/// The foreign texts, one behind the other as HAProxy reads them.
#[track_caller]
fn original(machine: &Machine) -> Vec<u8> {
    let mut text = Vec::new();
    for argument in machine
        .arguments()
        .iter()
        .filter(|word| !word.starts_with('-'))
    {
        // What HAProxy takes of a directory: `ls` in the C locale, without hidden files.
        let script = "cd \"$1\" 2>/dev/null && LC_ALL=C ls -1 | grep '[.]cfg$' | sed \"s|^|$1/|\" || echo \"$1\"";
        let listed = run(
            &["sh", "-c", script, "sh", argument],
            Duration::from_secs(5),
        )
        .ok();
        for path in listed.lines() {
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.extend(std::fs::read(path).unwrap());
        }
    }
    text
}

/// Byte for byte: the runs between what may hold a path are the same, and where a path differs the file
/// it names now has the bytes of the one that it named.
#[track_caller]
fn only_paths_differ(machine: &Machine, original: &[u8], name: &str) {
    let target = machine.target();
    let imported = std::fs::read(target.join("haproxy.cfg")).unwrap();
    let lines = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.split('\n').map(str::to_owned).collect()
    };
    let (old, new) = (lines(original), lines(&imported));
    assert_eq!(old.len(), new.len(), "{name}: as many lines");
    let mut bases: Vec<PathBuf> = vec![machine.root().to_owned(), "/".into()];
    for (old, new) in old.iter().zip(&new) {
        if old == new {
            continue;
        }
        let shown = format!("{name}:\n{old}\n{new}");
        let (pieces, others) = (cut(old), cut(new));
        let mut rest = others.iter().copied();
        for piece in pieces {
            let found = rest.next().unwrap_or_else(|| panic!("{shown}"));
            if piece == found {
                continue;
            }
            if ["crt-base", "ca-base"].contains(&old.split_whitespace().next().unwrap()) {
                assert_eq!(found, "ssl", "{shown}");
                bases.push(PathBuf::from(piece));
                continue;
            }
            let mut there = bases.iter().map(|base| base.join(piece));
            let was = there.find(|path| path.exists());
            let was = was.unwrap_or_else(|| panic!("{piece:?} is no path: {shown}"));
            if was.is_dir() {
                let certificates: Vec<_> = files(&was)
                    .into_iter()
                    .filter(|(path, _)| {
                        let name = path.to_str().unwrap();
                        !name.starts_with('.') && !name.ends_with(".ocsp")
                    })
                    .collect();
                let mut next = Some(found);
                for (at, (_, bytes)) in certificates.iter().enumerate() {
                    let copy = next.take().or_else(|| {
                        // ` "crt" "` between two of them.
                        rest.find(|piece| *piece == "crt");
                        rest.find(|piece| !piece.trim_matches([' ', '"']).is_empty())
                    });
                    let copy = copy.unwrap_or_else(|| panic!("{at}: {shown}"));
                    assert!(&copied(&target, copy, &shown) == bytes, "{copy}: {shown}");
                }
            } else {
                let copy = copied(&target, found, &shown);
                let was = std::fs::read(&was).unwrap();
                match old.contains("crt-list") {
                    true => is_the_list(machine, &copy, &was),
                    false => assert!(copy == was, "{found}: {shown}"),
                }
            }
        }
        assert_eq!(rest.next(), None, "{shown}");
    }
}

/// A list of certificates is the same but for its paths, and each new one has the bytes of the one that it
/// was.
#[track_caller]
fn is_the_list(machine: &Machine, copy: &[u8], was: &[u8]) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (copy, was) = (text(copy), text(was));
    assert_eq!(copy.lines().count(), was.lines().count(), "{copy}");
    let words = |text: &str| -> Vec<String> {
        let ends = |c: char| c.is_whitespace() || "[]".contains(c);
        text.split_inclusive(ends).map(str::to_owned).collect()
    };
    let (copies, all) = (words(&copy), words(&was));
    assert_eq!(copies.len(), all.len(), "{copy}");
    let mut paths = 0;
    for (new, old) in copies.iter().zip(&all).filter(|(new, old)| new != old) {
        let bare = |word: &str| word.trim_end_matches([' ', '\n', ']']).to_owned();
        let (new, old) = (bare(new), bare(old));
        let bases = ["", "authorities"].map(|base| machine.root().join(base).join(&old));
        let old = bases.iter().find(|path| path.is_file());
        let old = old.unwrap_or_else(|| panic!("{new} for nothing: {copy}"));
        let new = copied(&machine.target(), &new, &copy);
        assert!(new == std::fs::read(old).unwrap(), "{copy}");
        paths += 1;
    }
    assert!(paths > 0, "{copy}");
}

/// What a path of the imported text names: relative to `ssl`, where a base is, or to the whole.
#[track_caller]
fn copied(target: &Path, path: &str, shown: &str) -> Vec<u8> {
    let places = [target.join(path), target.join("ssl").join(path)];
    let found = places.iter().find(|path| path.is_file());
    let found = found.unwrap_or_else(|| panic!("no copy {path:?}: {shown}"));
    std::fs::read(found).unwrap()
}

/// Pieces of a line: what ends a path, and what may be one.
fn cut(line: &str) -> Vec<&str> {
    let ends = |c: char| "\t\r\"'(),".contains(c);
    let mut pieces = Vec::new();
    // A space may be in a path that is in quotes.
    let (mut start, mut quoted) = (0, false);
    for (at, c) in line.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if ends(c) || c == ' ' && !quoted {
            if at > start {
                pieces.push(&line[start..at]);
            }
            pieces.push(&line[at..=at]);
            start = at + 1;
        }
    }
    if start < line.len() {
        pieces.push(&line[start..]);
    }
    pieces
}

#[track_caller]
fn every_copy_is_one(machine: &Machine, report: &Value) {
    let mut wanted = Files::new();
    for file in report["files"].as_array().unwrap() {
        let bytes = std::fs::read(file["from"].as_str().unwrap()).unwrap();
        let to = file["to"].as_str().unwrap();
        // Of a list of certificates, paths are changed; `is_the_list` looks at it.
        let bytes = match to.ends_with("list.txt") {
            true => std::fs::read(machine.target().join(to)).unwrap(),
            false => bytes,
        };
        wanted.insert(to.into(), bytes);
    }
    let mut found = files(&machine.target());
    assert!(found.remove(Path::new("haproxy.cfg")).is_some());
    assert!(
        found == wanted,
        "{:?} and {:?}",
        found.keys(),
        wanted.keys()
    );
}

/// `lanai check` of what was written says what the report said.
#[track_caller]
fn checks_as_reported(machine: &Machine, report: &Value, name: &str) {
    let target = machine.target();
    let argv = [
        lanai(),
        "check",
        "--json",
        "--config",
        target.to_str().unwrap(),
    ];
    let checked = run(&argv, Duration::from_secs(20));
    let value: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(value, report["check"], "{name}");
    assert_eq!(
        checked.code == 1,
        report["check"]["refused"] == true,
        "{name}"
    );
    let alerts = report["check"]["diagnostics"].as_array().unwrap();
    let alerts = alerts.iter().filter(|found| found["severity"] == "alert");
    let mut lines: Vec<_> = alerts
        .map(|found| found["line"].as_u64().unwrap())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(
        report["lines"]["refused"].as_u64().unwrap(),
        u64::try_from(lines.len()).unwrap(),
        "{name}: lines with an alert are the refused ones: {lines:?}"
    );
}

#[track_caller]
fn report(machine: &Machine, more: &[&str]) -> Value {
    let ended = machine.import(&[&["--json"], more].concat());
    assert!([0, 1].contains(&ended.code), "{ended:#?}");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"))
}

#[test]
fn without_one_of_its_files_nothing_is_written() {
    let mut tried = 0;
    for name in names() {
        let whole = Machine::new(&name);
        let copied = report(&whole, &[]);
        for file in copied["files"].as_array().unwrap() {
            let machine = Machine::new(&name);
            let path = whole.anywhere(file["from"].as_str().unwrap());
            let path = path.replace("ROOT", machine.root().to_str().unwrap());
            std::fs::remove_file(&path).unwrap();
            let ended = machine.import(&[]);
            if !Path::new(&path)
                .parent()
                .unwrap()
                .ends_with("etc/haproxy/certs")
            {
                assert_eq!(ended.code, 1, "{name} without {path}: {ended:#?}");
                let named = ended
                    .text()
                    .contains(&format!("{path} cannot be read: No such file"));
                assert!(named, "{name} without {path}: {ended:#?}");
                assert!(!machine.target().exists(), "{name} without {path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 8, "{tried}");
}

#[test]
fn nothing_that_is_there_is_lost() {
    let machine = Machine::new("plain-http");
    let target = machine.target();
    std::fs::create_dir_all(target.join("maps")).unwrap();
    for (name, text) in [
        ("haproxy.cfg", "# mine\n"),
        (
            "services.cfg",
            "service network eth0\n    ip address 10.0.0.2/24\n",
        ),
        ("maps/hosts.map", "mine other\n"),
        ("maps/mine.map", "a b\n"),
    ] {
        std::fs::write(target.join(name), text).unwrap();
    }
    let before = files(&target);
    let ended = machine.import(&[]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(
        ended.stderr.contains("has a haproxy.cfg already"),
        "{ended:#?}"
    );
    assert!(before == files(&target), "a refused import changes nothing");

    // Without a file that it names, `--replace` replaces nothing either.
    let office = machine.root().join("etc/haproxy/office.acl");
    let list = std::fs::read(&office).unwrap();
    std::fs::remove_file(&office).unwrap();
    let ended = machine.import(&["--replace"]);
    assert_eq!(ended.code, 1, "{ended:#?}");
    assert!(before == files(&target), "a refused import changes nothing");
    std::fs::write(&office, list).unwrap();

    let report = report(&machine, &["--replace"]);
    let after = files(&target);
    for kept in ["services.cfg", "maps/hosts.map", "maps/mine.map"] {
        assert_eq!(
            after.get(Path::new(kept)),
            before.get(Path::new(kept)),
            "{kept}"
        );
    }
    let hosts = report["files"].as_array().unwrap();
    let hosts = hosts
        .iter()
        .find(|file| file["from"].as_str().unwrap().ends_with("hosts.map"));
    assert_eq!(hosts.unwrap()["to"], "maps/hosts-2.map", "{report:#}");
    only_paths_differ(&machine, &original(&machine), "plain-http");
}

/// Debian's own, as the package installs it.
#[test]
fn debians_default_configuration() {
    let debian = Path::new("/etc/haproxy/haproxy.cfg");
    assert!(
        debian.exists(),
        "install Debian's package haproxy, as scripts/test does"
    );
    let target = tempfile::tempdir().unwrap();
    let into = target.path().join("lanai");
    let argv = [
        lanai(),
        "import",
        debian.to_str().unwrap(),
        "--into",
        into.to_str().unwrap(),
        "--json",
    ];
    let ended = run(&argv, Duration::from_secs(20));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["whole"], true, "{report:#}");
    assert!(into.join("haproxy.cfg").exists(), "{report:#}");
    let mut pages = 0;
    for file in report["files"].as_array().unwrap() {
        let (from, to) = (file["from"].as_str().unwrap(), file["to"].as_str().unwrap());
        assert!(from.starts_with("/etc/haproxy/errors/"), "{file}");
        let copy = std::fs::read(into.join(to)).unwrap();
        assert!(copy == std::fs::read(from).unwrap(), "{file}");
        pages += 1;
    }
    assert_eq!(pages, 7, "its error pages");
    let mut wanted = std::fs::read_to_string(debian).unwrap();
    for (from, to) in [
        ("ca-base /etc/ssl/certs", "ca-base ssl"),
        ("crt-base /etc/ssl/private", "crt-base ssl"),
        (" /etc/haproxy/errors/", " errors/"),
    ] {
        wanted = wanted.replace(from, to);
    }
    assert_eq!(
        std::fs::read_to_string(into.join("haproxy.cfg")).unwrap(),
        wanted
    );
    // What has no effect is said, each with its reason.
    let ignored = report["ignored"].as_array().unwrap();
    let idle: Vec<_> = ignored
        .iter()
        .map(|one| one["word"].as_str().unwrap())
        .collect();
    assert_eq!(
        idle,
        ["chroot", "user", "group", "daemon", "ca-base"],
        "{report:#}"
    );
    // Every line that is refused says what to do instead; no other is.
    for found in report["check"]["diagnostics"].as_array().unwrap() {
        if found["severity"] == "alert" {
            let line = usize::try_from(found["line"].as_u64().unwrap()).unwrap();
            let text = wanted.lines().nth(line - 1).unwrap();
            let known = ["errorfile", "ssl-default-bind-cipher"];
            assert!(known.iter().any(|word| text.contains(word)), "{found:#}");
            assert!(found["help"].is_string(), "{found:#}");
        }
    }
}

/// Into the running appliance: a revision, or nothing.
#[test]
fn a_running_appliance_takes_it_whole_or_not_at_all() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let (before, kernel) = (appliance.files(), appliance.kernel_state());
    let revisions = || appliance.lanai(&["revisions", "--json"]).ok();
    let history = revisions();
    let import = |machine: &Machine| {
        let arguments = machine.arguments();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        appliance.lanai(&[&["import"], &words[..]].concat())
    };

    // Mistakes of its own, and a file that is not there.
    let mistaken = Machine::new("mistaken");
    let gone = Machine::new("plain-http");
    std::fs::remove_file(gone.root().join("etc/haproxy/hosts.map")).unwrap();
    for machine in [&mistaken, &gone] {
        let ended = import(machine);
        assert_eq!(ended.code, 1, "{ended:#?}");
        assert!(ended.text().contains("nothing was"), "{ended:#?}");
        assert_eq!(appliance.files(), before, "{ended:#?}");
        assert_eq!(appliance.kernel_state(), kernel, "{ended:#?}");
        assert_eq!(revisions(), history, "{ended:#?}");
    }

    let machine = Machine::new("plain-tcp");
    let ended = import(&machine);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(ended.stdout.contains("is live"), "{ended:#?}");
    let original = std::fs::read_to_string(machine.root().join("haproxy.cfg")).unwrap();
    assert_eq!(appliance.read("haproxy.cfg"), original);
    lab.listening("appliance", 13306);
    let services = |files: &[(String, Vec<u8>)]| {
        let mut files = files.iter();
        files.find(|(name, _)| name == "services.cfg").cloned()
    };
    assert_eq!(services(&appliance.files()), services(&before));
    assert!(
        revisions().contains("imported from"),
        "the history says where it is from"
    );
    appliance.lanai(&["rollback"]).ok();
    assert_eq!(
        appliance.files(),
        before,
        "and the way back is the usual one"
    );
}
