//! Every file of `tests/config` is a test: its text beside what a person is told about it.
//!
//! `NAME.expect` holds the rich rendering of all diagnostics. `UPDATE_EXPECT=1` rewrites them all;
//! read the difference before committing it. A new case is a new `.cfg` file.
//!
//! The Layer 7 texts are also given to the real `haproxy -c`, which must agree on whether they are
//! a configuration (where it need not, [`EXCEPTIONS`] says why), and every line it complains about
//! must be one we complain about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lanai_diagnostics::render::{Style, rich};
use lanai_diagnostics::{Severity, SourceMap};
use lanai_language::{Environment, Facts, layer7, services};

#[test]
fn layer7_texts_are_taken() {
    run("ok", &|sources, id| {
        let outcome = layer7::read(sources, &[id], &environment(), &Facts::default());
        (outcome.value.is_some(), outcome.diagnostics)
    });
}

#[test]
fn layer7_texts_are_refused() {
    run("err", &|sources, id| {
        let outcome = layer7::read(sources, &[id], &environment(), &Facts::default());
        (outcome.value.is_some(), outcome.diagnostics)
    });
}

#[test]
fn services_texts_are_taken() {
    run("services-ok", &|sources, id| {
        let outcome = services::read(sources, &[id]);
        (outcome.value.is_some(), outcome.diagnostics)
    });
}

#[test]
fn services_texts_are_refused() {
    run("services-err", &|sources, id| {
        let outcome = services::read(sources, &[id]);
        (outcome.value.is_some(), outcome.diagnostics)
    });
}

#[test]
fn ten_mistakes_are_ten_alerts_with_their_places() {
    let path = folder("err").join("ten-mistakes.cfg");
    let text = fs::read(&path).expect("a fixture");
    let mut sources = SourceMap::new();
    let id = sources.add("haproxy.cfg", text);
    let outcome = layer7::read(&sources, &[id], &environment(), &Facts::default());
    assert!(outcome.value.is_none());
    let places: Vec<_> = outcome
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Alert)
        .map(|found| {
            let at = sources.position(found.span.file, found.span.start);
            (
                &*sources.name(found.span.file) == "haproxy.cfg",
                at.line,
                at.column,
            )
        })
        .collect();
    assert_eq!(places.len(), 10, "{places:?}");
    assert!(
        places
            .iter()
            .all(|(file, line, column)| *file && *line > 1 && *column > 1)
    );
}

/// Texts on which HAProxy 2.6 and we differ, and why that is meant.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "err/carriage-return",
        "HAProxy ends the line at any carriage return and silently drops what follows",
    ),
    ("err/later", "HAProxy has these keywords, and we do not yet"),
    (
        "err/rules",
        "HAProxy has rules, and we read them and do not run them yet",
    ),
    (
        "err/stricter",
        "HAProxy 2.6 takes a word that is no number for 0, resolves names while it checks, cuts off \
         a long device name, and still has TLS 1.0",
    ),
    (
        "err/transparent",
        "HAProxy takes `transparent` on every address, and its manual says never to write that",
    ),
    (
        "ok/bench-tls",
        "HAProxy opens certificates while it checks; here the check names them, and who reads files \
         looks for them",
    ),
    (
        "ok/default-modifier",
        "HAProxy 2.6 leaves the last word in place when it takes 'default' off a line",
    ),
];

#[test]
fn real_haproxy_agrees() {
    if std::env::var_os("LANAI_NO_ORACLE").is_some() {
        return;
    }
    let version = Command::new(HAPROXY).arg("-v").output();
    let version = version.unwrap_or_else(|error| {
        panic!(
            "{HAPROXY} does not run ({error}): install Debian's package haproxy, or set \
             LANAI_NO_ORACLE=1 to leave this comparison out"
        )
    });
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(
        version.starts_with("HAProxy version 2.6."),
        "not the oracle of these texts: {version}"
    );

    let exceptions: BTreeMap<_, _> = EXCEPTIONS.iter().copied().collect();
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for (kind, ours) in [("ok", true), ("err", false)] {
        for path in fixtures(kind) {
            let name = format!("{kind}/{}", stem(&path));
            let theirs = haproxy(&path);
            match exceptions.get(name.as_str()) {
                Some(_) if theirs.takes == ours => {
                    wrong.push(format!("{name}: no exception any more"))
                }
                None if theirs.takes != ours => {
                    wrong.push(format!("{name}: haproxy takes it: {}", theirs.takes));
                }
                _ => {}
            }
            let lines = lines_told(&path);
            let missed: Vec<_> = theirs.lines.difference(&lines).collect();
            if !missed.is_empty() && !exceptions.contains_key(name.as_str()) {
                wrong.push(format!("{name}: haproxy reports lines {missed:?} too"));
            }
            seen.push(name);
        }
    }
    for name in exceptions.keys() {
        if !seen.iter().any(|seen| seen == name) {
            wrong.push(format!("{name}: an exception without a text"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const HAPROXY: &str = "/usr/sbin/haproxy";

/// What `haproxy -c` makes of a text.
struct Verdict {
    /// Whether it finds no error. Exit code 2 means no error, and nothing to listen on.
    takes: bool,
    /// Lines that an alert or a warning is about.
    lines: BTreeSet<u32>,
}

fn haproxy(path: &Path) -> Verdict {
    let mut command = Command::new(HAPROXY);
    command.arg("-c").arg("-f").arg(path);
    for (name, value) in environment().iter() {
        command.env(name, String::from_utf8_lossy(value).into_owned());
    }
    let output = command
        .current_dir(folder(""))
        .stdin(Stdio::null())
        .output()
        .expect("haproxy runs");
    let code = output.status.code();
    assert!(
        matches!(code, Some(0..=2)),
        "haproxy -c {}: {}",
        path.display(),
        output.status
    );
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let line_of = |message: &str| {
        let (_, after) = message.split_once(".cfg:")?;
        let (number, _) = after.split_once(']')?;
        number.parse().ok()
    };
    Verdict {
        takes: code != Some(1),
        lines: messages
            .lines()
            .filter(|line| line.starts_with("[ALERT]") || line.starts_with("[WARNING]"))
            .filter_map(line_of)
            .collect(),
    }
}

/// Lines that an alert or a warning of ours is about.
fn lines_told(path: &Path) -> BTreeSet<u32> {
    let mut sources = SourceMap::new();
    let id = sources.add("x.cfg", fs::read(path).expect("a fixture can be read"));
    let outcome = layer7::read(&sources, &[id], &environment(), &Facts::default());
    outcome
        .diagnostics
        .iter()
        .filter(|found| found.severity <= Severity::Warning)
        .map(|found| sources.position(id, found.span.start).line)
        .collect()
}

/// What the texts' variables are.
fn environment() -> Environment {
    [
        ("LANAI_TEST_PORT", "18080"),
        ("LANAI_TEST_WORDS", "10.0.0.1:80 check"),
    ]
    .into_iter()
    .collect()
}

type Read<'a> =
    &'a dyn Fn(&SourceMap, lanai_diagnostics::FileId) -> (bool, Vec<lanai_diagnostics::Diagnostic>);

fn run(kind: &str, read: Read<'_>) {
    let taken = kind.ends_with("ok");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let paths = fixtures(kind);
    assert!(!paths.is_empty(), "no texts in {}", folder(kind).display());
    for orphan in files(kind, "expect") {
        let text = orphan.with_extension("cfg");
        assert!(text.exists(), "{}: its text is gone", orphan.display());
    }
    for path in paths {
        let mut sources = SourceMap::new();
        let bytes = fs::read(&path).expect("a fixture can be read");
        let id = sources.add(format!("{}.cfg", stem(&path)), bytes);
        let (value, diagnostics) = read(&sources, id);
        let shown: Vec<_> = diagnostics
            .iter()
            .map(|found| rich(found, &sources, Style::Plain))
            .collect();
        let shown = shown.join("\n");
        if value != taken {
            wrong.push(format!("{}: taken: {value}\n{shown}", path.display()));
        }
        let expected = path.with_extension("expect");
        if update {
            fs::write(&expected, &shown).expect("the expectation can be written");
        }
        let expected_text = fs::read_to_string(&expected).unwrap_or_default();
        if expected_text != shown {
            wrong.push(format!(
                "{}: expected\n{expected_text}\nfound\n{shown}",
                expected.display()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE_EXPECT=1 rewrites the expectations)",
        wrong.join("\n\n")
    );
}

fn fixtures(kind: &str) -> Vec<PathBuf> {
    files(kind, "cfg")
}

fn files(kind: &str, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder(kind))
        .expect("tests/config is part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    paths
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/config")
        .join(kind)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
