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
            Status::Partly(why) | Status::Ignored(why) => assert!(why.len() > 10, "{name}: why?"),
            Status::Refused { why, instead } => {
                assert!(why.len() > 10 && instead.len() > 10, "{name}: why?");
            }
        }
    }
}

/// Names of the manual of HAProxy 3.2.0: of the headings of its keyword chapters, and of the lists
/// and matrices that stand before them.
const MANUAL: &[(&str, Kind, Sections)] = &[
    (
        include_str!("../../../tests/manual-3.2/global.txt"),
        Kind::Line,
        Sections::GLOBAL,
    ),
    (
        include_str!("../../../tests/manual-3.2/proxy.txt"),
        Kind::Line,
        Sections::NONE,
    ),
    (
        include_str!("../../../tests/manual-3.2/bind.txt"),
        Kind::Bind,
        Sections::FRONTEND,
    ),
    (
        include_str!("../../../tests/manual-3.2/server.txt"),
        Kind::Server,
        Sections::BACKEND,
    ),
    (
        include_str!("../../../tests/manual-3.2/load.txt"),
        Kind::Load,
        Sections::CRT_STORE,
    ),
];

#[test]
fn every_keyword_of_the_manual_has_a_row() {
    let mut missing = Vec::new();
    let mut count = 0;
    let has = |name: &str, kind, sections| {
        find(name)
            .iter()
            .any(|row| row.kind == kind && row.sections.contains(sections))
    };
    for (names, kind, sections) in MANUAL {
        for name in names.lines() {
            count += 1;
            if !has(name, *kind, *sections) {
                missing.push(name.to_owned());
            }
        }
    }
    for line in include_str!("../../../tests/manual-3.2/sections.txt").lines() {
        count += 1;
        let (section, name) = line.split_once(" /").expect("a section and a keyword");
        let place = Sections::of(section).expect("a section");
        let found = match name.trim() {
            "" => has(section, Kind::Section, place),
            name => has(name, Kind::Line, place),
        };
        if !found {
            missing.push(line.to_owned());
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count > 700, "{count}");
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

#[test]
fn predicates_and_directives_are_those_that_are_read() {
    let rows: HashSet<_> = keywords()
        .filter(|row| row.kind == Kind::Predicate)
        .map(|row| row.name)
        .collect();
    let known: HashSet<_> = crate::condition::predicates().collect();
    assert_eq!(rows, known);
}
