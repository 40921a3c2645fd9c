//! How lines are cut into words, measured: every line of `lexical.cfg` has a `.notice` say its word,
//! and the real `haproxy -c` must say the same word, or the same about the line.

#![allow(
    clippy::panic,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use lanai_diagnostics::SourceMap;
use lanai_language::{Environment, Facts, layer7};

const HAPROXY: &str = "/usr/sbin/haproxy";
const FILE: &str = "lexical.cfg";
const VARIABLES: [(&str, &str); 2] = [
    ("LANAI_TEST_PORT", "18080"),
    ("LANAI_TEST_WORDS", "10.0.0.1:80 check"),
];

#[test]
fn words_are_what_they_are_to_haproxy() {
    if std::env::var_os("LANAI_NO_ORACLE").is_some() {
        return;
    }
    let (ours, theirs) = (ours(), theirs());
    let lines = include_str!("lexical.cfg").lines().count();
    assert_eq!(
        theirs.len(),
        lines,
        "haproxy says something about each line"
    );
    let mut wrong = Vec::new();
    for (line, theirs) in &theirs {
        let ours = ours.get(line).map_or("nothing", String::as_str);
        // Ours may say more: which word is one too many, and what to do.
        if !ours.starts_with(theirs.as_str()) {
            wrong.push(format!("line {line}: haproxy {theirs:?}, we {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn ours() -> BTreeMap<u32, String> {
    let mut sources = SourceMap::new();
    let id = sources.add(FILE, include_bytes!("lexical.cfg").to_vec());
    let environment: Environment = VARIABLES.into_iter().collect();
    let outcome = layer7::read(&sources, &[id], &environment, &Facts::default());
    let said = outcome.diagnostics.iter().map(|found| {
        let line = sources.position(id, found.span.start).line;
        (line, found.message.replace("\\t", "\t"))
    });
    said.collect()
}

fn theirs() -> BTreeMap<u32, String> {
    let output = Command::new(HAPROXY)
        .args(["-c", "-f", FILE])
        .envs(VARIABLES)
        .env_remove("LANAI_TEST_UNSET")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{HAPROXY} does not run ({error}): install Debian's package haproxy, or set \
                 LANAI_NO_ORACLE=1 to leave this comparison out"
            )
        });
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = messages.lines().filter_map(|message| {
        let (_, rest) = message.split_once("[lexical.cfg:")?;
        let (line, message) = rest.split_once("]: ")?;
        let message = message.trim_end_matches(':');
        // What follows is about how HAProxy goes on, or advice.
        let end = [", truncating", ". Use quotes"]
            .iter()
            .find_map(|end| message.find(end));
        let message = message.get(..end.unwrap_or(message.len()))?;
        Some((line.parse().ok()?, message.to_owned()))
    });
    said.collect()
}
