//! Edits of one option of a line, such as `weight` of a server.
//!
//! Which words are options, and how many words each takes, is asked of the keyword tables: the value
//! of one may be the name of another.

use std::ops::Range;

use super::quote::{joined, quote};
use super::{EditError, Patch, Replacement, Text, Written};
use crate::layer7::{self, Kind};
use crate::tree::{Dialect, Line};

/// The options that a line can have.
struct Options {
    /// Words before the first.
    skip: usize,
    known: Known,
}

enum Known {
    /// Rows of the Layer 7 tables.
    Rows(Kind),
    /// Names that take one word each.
    Names(&'static [&'static str]),
}

impl Text {
    pub(super) fn set_option(
        &self,
        line: u32,
        option: &str,
        arguments: &[Vec<u8>],
    ) -> Result<Patch, EditError> {
        let line = self.line(line)?;
        let words = self.words(line)?;
        let options = self.options(line, &words)?;
        let text = joined(arguments)?;
        // Of several the last counts.
        let Some(found) = options.find(&words, option).pop() else {
            let Some(last) = words.last() else {
                return Err(EditError::NoWords(line.number));
            };
            if words.len() + 1 + arguments.len() > crate::lexer::MAX_WORDS {
                return Err(EditError::TooManyWords);
            }
            let mut added = self.gap(last);
            added.extend_from_slice(&quote(option.as_bytes())?);
            if !arguments.is_empty() {
                added.push(b' ');
                added.extend_from_slice(&text);
            }
            return Ok(Patch::one(last.range.end..last.range.end, added));
        };
        if words.len() - found.len() + 1 + arguments.len() > crate::lexer::MAX_WORDS {
            return Err(EditError::TooManyWords);
        }
        let found = words.get(found).unwrap_or_default();
        let Some((name, old)) = found.split_first() else {
            return Err(EditError::NoWords(line.number));
        };
        if old.iter().map(|word| &word.value).eq(arguments) {
            return Ok(Patch::default());
        }
        Ok(match (old.first(), old.last(), arguments.is_empty()) {
            (Some(first), Some(last), false) => Patch::one(first.range.start..last.range.end, text),
            (_, last, true) => {
                let end = last.map_or(name.range.end, |last| last.range.end);
                Patch::one(name.range.end..end, [])
            }
            (_, _, false) => {
                let mut added = b" ".to_vec();
                added.extend_from_slice(&text);
                Patch::one(name.range.end..name.range.end, added)
            }
        })
    }

    pub(super) fn remove_option(&self, line: u32, option: &str) -> Result<Patch, EditError> {
        let line = self.line(line)?;
        let words = self.words(line)?;
        let options = self.options(line, &words)?;
        let mut parts = Vec::new();
        for found in options.find(&words, option) {
            // With the white space before it; what follows the option stays as it is.
            let before = found.start.checked_sub(1).and_then(|at| words.get(at));
            let last = found.end.checked_sub(1).and_then(|at| words.get(at));
            if let (Some(before), Some(last)) = (before, last) {
                // As much as a word behind it would need, where one that ends with a backslash does.
                let gap = self.gap(before);
                let text = if gap == b" " { Vec::new() } else { gap };
                parts.push(Replacement {
                    range: before.range.end..last.range.end,
                    text,
                });
            }
        }
        Ok(Patch::of(parts))
    }

    fn options(&self, line: &Line, words: &[Written]) -> Result<Options, EditError> {
        let word = |at: usize| words.get(at).map_or(&b""[..], |word| &word.value);
        let (skip, known) = match (self.dialect, word(0), word(1)) {
            (Dialect::Layer7, b"server", _) => (3, Known::Rows(Kind::Server)),
            (Dialect::Layer7, b"default-server", _) => (1, Known::Rows(Kind::Server)),
            (Dialect::Layer7, b"server-template", _) => (4, Known::Rows(Kind::Server)),
            (Dialect::Layer7, b"bind", _) => (2, Known::Rows(Kind::Bind)),
            (Dialect::Services, b"ip", b"route") => (4, Known::Names(&["metric", "table"])),
            (Dialect::Services, b"ip", b"rule") => (
                2,
                Known::Names(&["from", "to", "iif", "fwmark", "table", "priority"]),
            ),
            (_, b"", _) => return Err(EditError::NoWords(line.number)),
            (_, keyword, _) => {
                return Err(EditError::UnknownOptions(crate::value::shown(keyword)));
            }
        };
        Ok(Options { skip, known })
    }
}

/// How many words follow an option's name.
#[derive(Clone, Copy)]
enum Arity {
    /// Always as many.
    Fixed(usize),
    /// All up to the next option.
    Open,
}

impl Arity {
    /// Of arguments in the tables' notation (`layer7/grammar.rs`).
    fn of(notation: &str) -> Self {
        let (mut depth, mut words, mut inside) = (0_usize, 0, false);
        for character in notation.chars() {
            match character {
                '[' | '{' | '|' if depth == 0 => return Self::Open,
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                ' ' if depth == 0 => inside = false,
                _ => {}
            }
            if character != ' ' && !inside {
                inside = true;
                words += 1;
            }
        }
        Self::Fixed(words)
    }
}

impl Options {
    /// Every place where the option is, as numbers of words.
    fn find(&self, words: &[Written], option: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = self.skip;
        while let Some(word) = words.get(at) {
            let wanted = word.value == option.as_bytes();
            let length = match self.arity(&word.value) {
                Some(Arity::Fixed(count)) => 1 + count,
                Some(Arity::Open) => 1 + self.to_next(words, at + 1),
                // A word that is none: where it is the one asked for, it takes what follows.
                None if wanted => 1 + self.to_next(words, at + 1),
                None => 1,
            };
            let end = (at + length).min(words.len());
            if wanted {
                found.push(at..end);
            }
            at = end;
        }
        found
    }

    /// Words from here to the next option.
    fn to_next(&self, words: &[Written], from: usize) -> usize {
        let rest = words.get(from..).unwrap_or_default().iter();
        rest.take_while(|word| self.arity(&word.value).is_none())
            .count()
    }

    fn arity(&self, word: &[u8]) -> Option<Arity> {
        let word = str::from_utf8(word).ok()?;
        match self.known {
            Known::Names(names) => names.contains(&word).then_some(Arity::Fixed(1)),
            Known::Rows(kind) => {
                let rows = layer7::find(word).iter();
                let row = rows.copied().find(|row| row.kind == kind)?;
                Some(Arity::of(row.arguments))
            }
        }
    }
}
