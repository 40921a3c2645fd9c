//! What holds for every text and every edit. That an edited text means what was asked for is a test of its own,
//! `tests/edits`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::Environment;

/// Texts that are nearly configurations, and some that are not.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = select(
        &[
            "backend a",
            "backend b # two",
            "frontend f",
            "global",
            "  server s1 10.0.0.1:80 weight 5 check",
            "\tserver s2 10.0.0.2:80 # second",
            "    bind :80",
            "  mode http",
            "# comment",
            "  # indented",
            "",
            "   ",
            ".if defined(X)",
            ".else",
            ".endif",
            "  log-format \"%ci \\\"%r\\\"\"",
            "  broken \"quote",
            "service network eth0",
            "  ip route default 10.0.0.1 metric 4",
            "\u{1}\u{7f}é",
        ][..],
    );
    let end = select(&["\n", "\n", "\n", "\r\n"][..]);
    let lines = vec((line, end), 0..8);
    (lines, any::<bool>()).prop_map(|(lines, finished)| {
        let mut text: Vec<u8> = Vec::new();
        for (line, end) in lines {
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(end.as_bytes());
        }
        if !finished {
            text.pop();
        }
        text
    })
}

fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-z0-9.:]{1,8}".prop_map(String::into_bytes),
        vec(1..=255_u8, 0..6),
        select(&["server", "backend", ".if", "service", "weight", "mode"][..])
            .prop_map(|word| word.as_bytes().to_vec()),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let words = || vec(word(), 0..5);
    let line = || 0..9_u32;
    let place = || {
        (0..3_u8, 0..9_u32).prop_map(|(kind, line)| match kind {
            0 => Place::Before(line),
            1 => Place::After(line),
            _ => Place::End,
        })
    };
    let line_place = || {
        (0..3_u8, 0..9_u32).prop_map(|(kind, line)| match kind {
            0 => LinePlace::Before(line),
            1 => LinePlace::After(line),
            _ => LinePlace::EndOf(line),
        })
    };
    let option = || select(&["weight", "check", "metric", "inter"][..]).prop_map(str::to_owned);
    prop_oneof![
        (words(), vec(words(), 0..3), place()).prop_map(|(head, lines, place)| Edit::AddSection {
            head,
            lines,
            place
        }),
        line().prop_map(|line| Edit::RemoveSection { line }),
        (line(), place()).prop_map(|(line, place)| Edit::MoveSection { line, place }),
        (words(), line_place()).prop_map(|(words, place)| Edit::AddLine { words, place }),
        (line(), words()).prop_map(|(line, words)| Edit::ChangeLine { line, words }),
        line().prop_map(|line| Edit::RemoveLine { line }),
        (line(), line_place()).prop_map(|(line, place)| Edit::MoveLine { line, place }),
        (line(), 0..6_usize, word()).prop_map(|(line, word, value)| Edit::SetWord {
            line,
            word,
            value
        }),
        (line(), option(), words()).prop_map(|(line, option, arguments)| Edit::SetOption {
            line,
            option,
            arguments
        }),
        (line(), option()).prop_map(|(line, option)| Edit::RemoveOption { line, option }),
    ]
}

/// The lines that an edit names, by their numbers in the text before it.
fn named(edit: &Edit, text: &Text) -> Vec<u32> {
    match edit {
        Edit::AddSection { .. } | Edit::AddLine { .. } => Vec::new(),
        Edit::ChangeLine { line, .. }
        | Edit::RemoveLine { line }
        | Edit::MoveLine { line, .. }
        | Edit::SetWord { line, .. }
        | Edit::SetOption { line, .. }
        | Edit::RemoveOption { line, .. } => vec![*line],
        Edit::RemoveSection { line } | Edit::MoveSection { line, .. } => {
            let section = text.section_at(*line).expect("the edit was made");
            // And the comment above it.
            let last = text
                .tree
                .lines(section)
                .last()
                .map_or(*line, |last| last.number);
            let above = text
                .tree
                .all_lines()
                .iter()
                .take_while(|other| other.number < *line);
            let comment = above.filter(|other| text.is_comment(other));
            comment
                .map(|other| other.number)
                .chain(*line..=last)
                .collect()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn an_edit_touches_only_the_lines_it_names(text in text(), edit in edit(), services in any::<bool>()) {
        let dialect = if services { Dialect::Services } else { Dialect::Layer7 };
        let before = Text::new(&text, dialect);
        prop_assert_eq!(before.bytes(), text.clone());
        let mut after = before.clone();
        let Ok(patch) = after.apply(&edit) else {
            prop_assert_eq!(after.bytes(), text);
            return Ok(());
        };
        prop_assert_eq!(after.bytes(), patch.applied(&text));
        // Every byte that goes is of a line that is named.
        let named = named(&edit, &before);
        for part in patch.replacements() {
            let gone = before.tree.all_lines().iter().filter(|line| {
                line.range.start < part.range.end && part.range.start < before.end_of(line)
            });
            for line in gone {
                prop_assert!(named.contains(&line.number), "{:?} changed line {}", edit, line.number);
            }
        }
        // Every line that is not named is still there, in the same order.
        let mut rest = after.tree.all_lines().iter();
        let said = |text: &Text, line: &Line| text.tree.bytes(line.range.clone()).to_vec();
        for line in before.tree.all_lines() {
            if named.contains(&line.number) || before.is_empty_line(line) {
                continue;
            }
            let bytes = said(&before, line);
            prop_assert!(rest.any(|other| said(&after, other) == bytes), "{:?} lost line {}", edit, line.number);
        }
    }

    #[test]
    fn what_is_written_reads_back(value in vec(1..=255_u8, 0..12)) {
        let written = quote(&value).expect("no NUL");
        for variables in [false, true] {
            let environment = Environment::new();
            let variables = variables.then_some(lexer::Variables {
                environment: &environment,
                file: "",
                line: 1,
                section: "",
            });
            let words = lexer::words(&written, FileId::default(), 0, variables);
            let words: Vec<_> = words.expect("words").into_iter().map(|word| word.value.into_vec()).collect();
            prop_assert_eq!(words, [value.clone()]);
        }
    }

    #[test]
    fn words_asked_for_are_the_line(text in text(), line in 1..14_u32, words in vec(word(), 1..5)) {
        let mut edited = Text::new(&text, Dialect::Layer7);
        if edited.apply(&Edit::ChangeLine { line, words: words.clone() }).is_ok() {
            let line = edited.line(line).expect("the line");
            let bytes = edited.tree.bytes(line.range.clone());
            let found = lexer::words(bytes, FileId::default(), 0, None).expect("words");
            let found: Vec<_> = found.into_iter().map(|word| word.value.into_vec()).collect();
            prop_assert_eq!(found, words);
        }
    }

    #[test]
    fn a_sequence_of_edits_never_fails_badly(text in vec(any::<u8>(), 0..200), edits in vec(edit(), 0..8)) {
        let mut edited = Text::new(&text, Dialect::Layer7);
        for edit in edits {
            let before = edited.bytes();
            if edited.apply(&edit).is_err() {
                prop_assert_eq!(edited.bytes(), before);
            }
        }
    }
}
