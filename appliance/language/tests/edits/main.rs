//! What an edit asks for is what the text then means: no more, no less, no other.
//!
//! A configuration is made twice. As a list of sections and words, which an edit changes as plainly as a
//! list is changed; and as a text written by many hands, with comments, quotes and conditional blocks,
//! which [`Text`] edits. Both must then mean the same, whole models compared, but for the lines that
//! things are on.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: an expectation that is not met must end the test"
)]

mod changes;
mod configuration;
mod steps;

use lanai_diagnostics::SourceMap;
use lanai_language::edit::Text;
use lanai_language::tree::{Dialect, TokenKind};
use lanai_language::{Environment, Facts, layer7};
use lanai_model::layer7::Config;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use configuration::{Section, configuration, plain, written};
use steps::step;

/// What a text means, and the codes of all that is said of it.
fn meaning(text: &[u8]) -> (Option<Config>, Vec<&'static str>) {
    let mut sources = SourceMap::new();
    let id = sources.add("haproxy.cfg", text);
    let (config, said) =
        layer7::understand(&sources, &[id], &Environment::new(), &Facts::default());
    (config, said.iter().map(|found| found.code.0).collect())
}

/// Everything a model holds, but for the lines that things are on.
fn erased(config: &Config) -> String {
    let whole = format!("{config:#?}");
    let mut lines = Vec::new();
    let mut rest = whole.lines();
    while let Some(line) = rest.next() {
        lines.push(line);
        if line.ends_with("Origin {") {
            // Its file stays.
            lines.extend(rest.next());
            let number = rest.next();
            assert!(
                number.is_some_and(|line| line.trim_start().starts_with("line: ")),
                "an origin has other fields: {number:?}"
            );
        }
    }
    lines.join("\n")
}

/// Whether two models are the same, as far as lines do not matter: else where they begin to differ.
fn same(found: &Config, wanted: &Config) -> Result<(), String> {
    let (found, wanted) = (erased(found), erased(wanted));
    if found == wanted {
        return Ok(());
    }
    let (found, wanted): (Vec<_>, Vec<_>) = (found.lines().collect(), wanted.lines().collect());
    let pairs = found.iter().zip(&wanted);
    let at = pairs.take_while(|(one, other)| one == other).count();
    let around = |lines: &[&str]| lines[at.saturating_sub(12)..lines.len().min(at + 8)].join("\n");
    Err(format!(
        "the model is\n{}\nand should be\n{}",
        around(&found),
        around(&wanted)
    ))
}

/// The numbers of the lines that say something, in their order: heads of sections and what is in them.
fn numbers(text: &Text) -> Vec<u32> {
    let tree = text.tree();
    let lines = tree.all_lines().iter().filter(|line| {
        let mut tokens = tree.tokens(line).iter();
        let first = tokens.find(|token| token.kind == TokenKind::Word);
        first.is_some_and(|first| {
            let word = tree.bytes(first.range.clone());
            !word.starts_with(b".") && word != configuration::UNREAD.as_bytes()
        })
    });
    lines.map(|line| line.number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_means_what_was_asked_for(
        sections in configuration(),
        hands in prop::collection::vec(any::<u8>(), 1..60),
        steps in prop::collection::vec(step(), 1..5),
    ) {
        let mut asked: Vec<Section> = sections;
        let mut text = Text::new(&written(&asked, &hands), Dialect::Layer7);
        for (number, step) in steps.iter().enumerate() {
            let Some(edit) = step.ask(number, &mut asked, &numbers(&text)) else { continue };
            let before = text.bytes();
            let done = text.apply(&edit);
            prop_assert!(done.is_ok(), "{:?} of\n{}\n{:?}", edit, String::from_utf8_lossy(&before), done);
            let wanted = plain(&asked);
            let ((found, said), (model, told)) = (meaning(&text.bytes()), meaning(&wanted));
            let shown = || format!(
                "{edit:?} of\n{}\ngave\n{}\nasked for was\n{}",
                String::from_utf8_lossy(&before),
                String::from_utf8_lossy(&text.bytes()),
                String::from_utf8_lossy(&wanted)
            );
            prop_assert_eq!(said, told, "{}", shown());
            prop_assert_eq!(found.is_some(), model.is_some(), "{}", shown());
            if let Some((found, model)) = found.zip(model) {
                let same = same(&found, &model);
                prop_assert!(same.is_ok(), "{:?}\n{}", same, shown());
            }
        }
    }
}

/// What the test above compares would be little if most of it were refused.
#[test]
fn most_configurations_of_these_tests_are_right() {
    let mut runner = TestRunner::deterministic();
    let count = 200;
    let right = (0..count).filter(|_| {
        let sections = configuration().new_tree(&mut runner).unwrap().current();
        meaning(&plain(&sections)).0.is_some()
    });
    let right = right.count();
    println!("{right} of {count} configurations are right");
    assert!(right * 2 > count, "only {right} of {count}");
}
