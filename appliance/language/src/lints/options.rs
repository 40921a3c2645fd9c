//! The words of `bind` and `server` lines, each with its value.

use crate::layer7::{Kind, find};
use crate::lexer::Word;

/// An option of a line and its values.
pub(super) struct Setting<'a> {
    pub(super) word: &'a Word,
    pub(super) values: &'a [Word],
}

impl Setting<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.word.is(name)
    }
}

/// Cuts the words after a line's addresses into options. What is not known takes no value.
pub(super) fn settings(words: &[Word], kind: Kind) -> Vec<Setting<'_>> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let count = values(word, after, kind).min(after.len());
        let (values, next) = after.split_at(count);
        found.push(Setting { word, values });
        rest = next;
    }
    found
}

/// The option of this name that counts: the last.
pub(super) fn last<'a, 'b>(settings: &'b [Setting<'a>], name: &str) -> Option<&'b Setting<'a>> {
    settings.iter().rev().find(|setting| setting.is(name))
}

/// Options with one value that lints look at, whether or not the tables have a row for them.
const ASKED_FOR: &[&str] = &[
    "ciphers",
    "cookie",
    "resolvers",
    "ssl-max-ver",
    "ssl-min-ver",
    "verify",
];

fn values(word: &Word, after: &[Word], kind: Kind) -> usize {
    // An address, then `usesrc` and `interface` with a value each, in any order.
    if word.is("source") && kind == Kind::Server {
        let mut count = 1;
        while after
            .get(count)
            .is_some_and(|word| word.is("usesrc") || word.is("interface"))
        {
            count += 2;
        }
        return count;
    }
    if ASKED_FOR.iter().any(|name| word.is(name)) {
        return 1;
    }
    let name = word.text();
    let takes = find(&name)
        .iter()
        .any(|row| row.kind == kind && !row.arguments.is_empty());
    usize::from(takes)
}
