// What is held against arbitrary bytes. `fuzz_targets/` hands it libFuzzer's inputs, the test
// `corpus` of lanai-language those that are kept in `corpus/`.

use lanai_diagnostics::{FileId, Severity, SourceMap};
use lanai_language::edit::{Edit, LinePlace, Place, Text, quote};
use lanai_language::tree::{self, Dialect};
use lanai_language::{Environment, Facts, condition, format, layer7, lexer, services};

/// A target by its name, which is its file's and its corpus' too.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const TARGETS: [Target; 7] = [
    ("condition_text", condition_text),
    ("edit_text", edit_text),
    ("expression", expression),
    ("layer7_text", layer7_text),
    ("log_format", log_format),
    ("services_text", services_text),
    ("tree_and_words", tree_and_words),
];

/// The tree gives back what it was made of, words are read or refused, and the usual shape is one.
pub(crate) fn tree_and_words(data: &[u8]) {
    for dialect in [Dialect::Layer7, Dialect::Services] {
        let tree = tree::parse_as(data, dialect);
        assert_eq!(tree.to_bytes(), data);
        let once = format::format(data, dialect);
        assert_eq!(format::format(&once, dialect), once);
    }
    let environment = environment();
    let variables = lexer::Variables {
        environment: &environment,
        file: "fuzz.cfg",
        line: 1,
        section: "global",
    };
    for variables in [None, Some(variables)] {
        if let Ok(words) = lexer::words(data, FileId::default(), 0, variables) {
            assert!(words.len() <= lexer::MAX_WORDS);
        }
    }
    if let Ok(written) = quote(data) {
        let words = lexer::words(&written, FileId::default(), 0, None).expect("a word");
        assert_eq!(words.len(), 1);
        assert_eq!(words[0].value.as_slice(), data);
    }
}

/// There is a configuration exactly if nothing is an alert.
pub(crate) fn layer7_text(data: &[u8]) {
    let mut sources = SourceMap::new();
    let id = sources.add("fuzz.cfg", data);
    let outcome = layer7::read(&sources, &[id], &environment(), &Facts::default());
    let refused = outcome
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Alert);
    assert_eq!(outcome.value.is_none(), refused);
}

/// As for Layer 7.
pub(crate) fn services_text(data: &[u8]) {
    let mut sources = SourceMap::new();
    let id = sources.add("fuzz.cfg", data);
    let outcome = services::read(&sources, &[id]);
    let refused = outcome
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Alert);
    assert_eq!(outcome.value.is_none(), refused);
}

/// The condition of a `.if`.
pub(crate) fn condition_text(data: &[u8]) {
    let _ = condition::evaluate(
        &String::from_utf8_lossy(data),
        &environment(),
        &Facts::default(),
    );
}

/// A word where sample expressions stand: criteria, fetches and converters.
pub(crate) fn expression(data: &[u8]) {
    let Ok(word) = quote(data) else {
        return;
    };
    lines(&[
        &[b"acl a ", &word, b" -m str x"],
        &[b"http-request set-var(txn.x) ", &word],
        &[b"stick on ", &word],
    ]);
}

/// A word where log formats stand.
pub(crate) fn log_format(data: &[u8]) {
    let Ok(word) = quote(data) else {
        return;
    };
    lines(&[
        &[b"log-format ", &word],
        &[b"http-request set-header x ", &word],
        &[b"use_backend ", &word],
    ]);
}

fn lines(lines: &[&[&[u8]]]) {
    let mut text = b"listen fuzz\n mode http\n".to_vec();
    for line in lines {
        text.push(b' ');
        line.iter().for_each(|part| text.extend_from_slice(part));
        text.push(b'\n');
    }
    layer7_text(&text);
}

/// Edits that are made give what their patch says, those that are not leave the text alone.
pub(crate) fn edit_text(data: &[u8]) {
    let count = usize::from(data.first().copied().unwrap_or(0) % 8);
    let steps = data.get(1..=count * 4).unwrap_or_default();
    let text = data.get(1 + steps.len()..).unwrap_or_default();
    let dialect = match data.first().is_some_and(|first| *first >= 128) {
        true => Dialect::Services,
        false => Dialect::Layer7,
    };
    let mut edited = Text::new(text, dialect);
    for step in steps.chunks_exact(4) {
        let before = edited.bytes();
        match edited.apply(&edit(step, text)) {
            Ok(patch) => assert_eq!(edited.bytes(), patch.applied(&before)),
            Err(_) => assert_eq!(edited.bytes(), before),
        }
    }
}

fn edit(step: &[u8], text: &[u8]) -> Edit {
    let [kind, line, other, choice] = [0, 1, 2, 3].map(|at| step.get(at).copied().unwrap_or(0));
    let (line, target) = (u32::from(line), u32::from(other));
    let known = [
        "server", "backend", "service", "weight", "bind", "ip", "route", "a b", "",
    ];
    let word = |at: u8| match known.get(usize::from(at % 16)) {
        Some(word) => word.as_bytes().to_vec(),
        None => text
            .get(usize::from(at)..usize::from(at) + 3)
            .unwrap_or(b"x")
            .to_vec(),
    };
    let words = vec![word(choice), word(choice / 2), word(choice / 3)];
    let place = [Place::Before(target), Place::After(target), Place::End][usize::from(choice % 3)];
    let line_place = [
        LinePlace::Before(target),
        LinePlace::After(target),
        LinePlace::EndOf(target),
    ][usize::from(choice % 3)];
    let option = ["weight", "check", "metric", "ssl"][usize::from(choice % 4)].to_owned();
    match kind % 10 {
        0 => Edit::AddSection {
            head: words.clone(),
            lines: vec![words],
            place,
        },
        1 => Edit::RemoveSection { line },
        2 => Edit::MoveSection { line, place },
        3 => Edit::AddLine {
            words,
            place: line_place,
        },
        4 => Edit::ChangeLine { line, words },
        5 => Edit::RemoveLine { line },
        6 => Edit::MoveLine {
            line,
            place: line_place,
        },
        7 => Edit::SetWord {
            line,
            word: usize::from(other),
            value: word(choice),
        },
        8 => Edit::SetOption {
            line,
            option,
            arguments: words,
        },
        _ => Edit::RemoveOption { line, option },
    }
}

fn environment() -> Environment {
    [
        ("HOME", "/root"),
        ("WORDS", "one two  three"),
        ("EMPTY", ""),
    ]
    .into_iter()
    .collect()
}
