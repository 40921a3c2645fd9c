//! Lines that are read and do nothing here, for whoever wants to know what becomes of a configuration.
//! A check is silent about them: most configurations have some, and they harm nobody.

use lanai_diagnostics::FileId;

use super::keyword::{Keyword, Kind, Sections, Status};
use super::tables::find;
use crate::lexer;
use crate::tree::{self, TokenKind};

/// A line that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// The line.
    pub line: u32,
    /// Its keyword.
    pub keyword: &'static str,
    /// Why that harms nobody.
    pub why: &'static str,
}

/// The lines of a text that have no effect, by its keyword tables: those of the keywords that are
/// accepted and ignored.
pub fn without_effect(text: &[u8]) -> Vec<Idle> {
    let tree = tree::parse(text);
    let mut found = Vec::new();
    for section in tree.sections() {
        let mut kind = Sections::NONE;
        for (at, line) in tree.lines(section).iter().enumerate() {
            let mut words = tree.tokens(line).iter();
            let first = words.find(|token| token.kind == TokenKind::Word);
            let Some(first) = first else {
                continue;
            };
            let bytes = tree.bytes(first.range.start..line.range.end);
            let words = lexer::words(bytes, FileId::default(), 0, None).unwrap_or_default();
            let words: Vec<_> = words.iter().map(lexer::Word::text).collect();
            let row = match at {
                0 if section.keyword.is_some() => {
                    let word = words.first().map_or("", |word| word);
                    kind = Sections::of(word).unwrap_or(Sections::NONE);
                    row(&words, |row| row.kind == Kind::Section)
                }
                _ => row(&words, |row| {
                    row.kind == Kind::Line && row.sections.contains(kind)
                }),
            };
            if let Some(keyword) = row
                && let Status::Ignored(why) = keyword.status
            {
                found.push(Idle {
                    line: line.number,
                    keyword: keyword.name,
                    why,
                });
            }
        }
    }
    found
}

/// The row with the longest name that the words start with.
fn row(words: &[impl AsRef<str>], fits: impl Fn(&Keyword) -> bool) -> Option<&'static Keyword> {
    let words = match words.split_first() {
        Some((first, rest)) if ["no", "default"].contains(&first.as_ref()) => rest,
        _ => words,
    };
    let name = |length: usize| -> Option<String> {
        let words = words.get(..length)?.iter();
        Some(words.map(AsRef::as_ref).collect::<Vec<_>>().join(" "))
    };
    let names = (1..=LONGEST_NAME).rev().filter_map(name);
    let mut rows = names.flat_map(|name| find(&name).iter().copied());
    rows.find(|row| fits(row))
}

/// Words of the longest keyword, such as `tcp-request content`.
const LONGEST_NAME: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_nothing_are_known_with_the_reason() {
        let text = b"global\n  daemon\n  maxconn 10\n  'user' x # quoted\ndefaults\n  mode http\n\
            .if 1\n  option nolinger\n.endif\nuserlist u\n  user a password b\n  \"open\n\
            backend b\n  user x\n  fullconn 10\n";
        let found = without_effect(text);
        let lines: Vec<_> = found.iter().map(|idle| (idle.line, idle.keyword)).collect();
        assert_eq!(
            lines,
            [
                (2, "daemon"),
                (4, "user"),
                (10, "userlist"),
                (11, "user"),
                (15, "fullconn")
            ]
        );
        assert!(found.iter().all(|idle| idle.why.len() > 10), "{found:?}");
    }
}
