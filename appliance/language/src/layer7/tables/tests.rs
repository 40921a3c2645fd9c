use std::collections::HashSet;

use super::*;
use crate::layer7::grammar::Grammar;
use crate::layer7::keyword::{Kind, Sections, Status};
use crate::layer7::{bind, dispatch, server};

#[test]
fn every_row_is_whole() {
    let mut seen = HashSet::new();
    for row in keywords() {
        let name = row.name;
        assert!(seen.insert((row.kind, row.sections, name)), "{name} twice");
        assert!(!name.is_empty() && name.trim() == name, "{name:?}");
        assert!(
            row.about.ends_with('.') && row.about.len() > 10 && !row.about.contains('\n'),
            "{name}: one sentence, not {:?}",
            row.about
        );
        assert!(
            row.since.split_once('.').is_some_and(|(major, minor)| {
                major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok()
            }),
            "{name}: since {:?}",
            row.since
        );
        assert!(
            row.sections != Sections::NONE || matches!(row.kind, Kind::Predicate | Kind::Directive),
            "{name}: where?"
        );
        match row.status {
            Status::Works => {}
            Status::Ignored(why) => assert!(why.len() > 10, "{name}: why?"),
            Status::Refused { why, instead } => {
                assert!(why.len() > 10 && instead.len() > 10, "{name}: why?");
            }
        }
    }
}

#[test]
fn every_grammar_is_read_whole() {
    // Arguments in parentheses have a notation of their own.
    let lines = keywords().filter(|row| {
        matches!(
            row.kind,
            Kind::Line | Kind::Bind | Kind::Server | Kind::Section
        )
    });
    for row in lines {
        let found = Grammar::read(row.arguments);
        assert!(found.is_some(), "{}: {:?}", row.name, row.arguments);
    }
}

#[test]
fn what_works_has_a_reader_and_every_reader_a_row() {
    assert_eq!(dispatch::mismatches(), [""; 0]);
    let bind = bind::TABLE.unread().chain(bind::TABLE.strays(bind::WORDS));
    assert_eq!(bind.count(), 0);
    let server = server::TABLE
        .unread()
        .chain(server::TABLE.strays(server::WORDS));
    assert_eq!(server.count(), 0);
}

#[test]
fn a_word_is_found_in_every_role() {
    let kinds: Vec<_> = find("maxconn")
        .iter()
        .map(|row| (row.kind, row.sections))
        .collect();
    assert!(kinds.contains(&(Kind::Line, Sections::GLOBAL)), "{kinds:?}");
    assert!(kinds.contains(&(Kind::Line, Sections::FRONT)), "{kinds:?}");
    assert!(
        kinds.iter().any(|(kind, _)| *kind == Kind::Bind),
        "{kinds:?}"
    );
    assert!(
        kinds.iter().any(|(kind, _)| *kind == Kind::Server),
        "{kinds:?}"
    );
    assert!(find("maxcon").is_empty());
}
