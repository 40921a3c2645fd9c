//! Arguments against their grammar.

use lanai_diagnostics::Diagnostic;

use super::notation::{Grammar, Item, Piece};
use super::value::Type;
use crate::codes;
use crate::layer7::args::Args;
use crate::lexer::Word;
use crate::suggest::{did_you_mean, nearest};
use crate::value::shown;

impl Grammar {
    /// Checks all arguments of a line; whatever is left over is a mistake.
    pub(crate) fn check_line(&self, args: &mut Args<'_>) {
        if sequence(&self.0, args)
            && let Some(word) = args.take()
        {
            self.left_over(word, args);
        }
        args.rest();
    }

    /// Checks the arguments of a word inside a line: what follows them may be the next word.
    pub(crate) fn check_word(&self, args: &mut Args<'_>) {
        sequence(&self.0, args);
    }

    fn left_over(&self, word: &Word, args: &mut Args<'_>) {
        let message = format!(
            "'{}' cannot handle unexpected argument '{}'.",
            args.name,
            shown(&word.value)
        );
        let fault = Diagnostic::alert(codes::UNEXPECTED_ARGUMENT, word.span, message);
        let mut known = Vec::new();
        literals(&self.0, &mut known);
        args.sink
            .push(match nearest(&word.text(), known.iter().copied()) {
                Some(near) => fault.with_fix(word.span, near, did_you_mean(near)),
                None => match self.0.is_empty() {
                    true => fault.with_help("it takes no arguments"),
                    false => fault,
                },
            });
    }
}

/// Takes what a sequence wants; false where something was wrong, so that the rest is not read.
fn sequence(items: &[Item], args: &mut Args<'_>) -> bool {
    items.iter().all(|item| one(item, args))
}

fn one(item: &Item, args: &mut Args<'_>) -> bool {
    match item {
        Item::Word(piece) => piece.take(args),
        Item::OneOf(alternatives) => match choose(alternatives, args.peek()) {
            Some(chosen) => sequence(chosen, args),
            None => {
                none_of(alternatives, args);
                false
            }
        },
        Item::Maybe(alternatives) => match choose(alternatives, args.peek()) {
            Some(chosen) => sequence(chosen, args),
            None => true,
        },
        Item::Many(alternatives) => {
            while let Some(chosen) = choose(alternatives, args.peek()) {
                if !sequence(chosen, args) {
                    return false;
                }
            }
            true
        }
    }
}

/// The alternative that the next word starts.
fn choose<'g>(alternatives: &'g [Vec<Item>], next: Option<&Word>) -> Option<&'g [Item]> {
    let text = next?.text();
    let starts = |exact: bool| {
        let found = alternatives
            .iter()
            .find(|items| items.first().is_some_and(|item| item.starts(&text, exact)));
        found.map(Vec::as_slice)
    };
    // A word of the grammar's own is never taken for a value.
    starts(true).or_else(|| starts(false))
}

impl Item {
    fn starts(&self, text: &str, exact: bool) -> bool {
        match self {
            Self::Word(piece) => piece.starts(text, exact),
            Self::OneOf(alternatives) | Self::Maybe(alternatives) | Self::Many(alternatives) => {
                alternatives
                    .iter()
                    .any(|items| items.first().is_some_and(|item| item.starts(text, exact)))
            }
        }
    }
}

impl Piece {
    fn starts(&self, text: &str, exact: bool) -> bool {
        match self {
            Self::Literal(literal) => exact && *literal == text,
            Self::Value {
                before,
                kind,
                after,
                ..
            } => {
                if before.is_empty() {
                    !exact && kind.may_be(text)
                } else {
                    exact && inside(text, before, after).is_some()
                }
            }
        }
    }

    fn take(&self, args: &mut Args<'_>) -> bool {
        match self {
            Self::Literal(literal) => {
                if args.take_if(literal).is_some() {
                    return true;
                }
                match args.peek() {
                    Some(word) => wrong_word(&[literal], word, args),
                    None => missing(&format!("'{literal}'"), args),
                }
                false
            }
            Self::Value {
                before,
                label,
                kind,
                range,
                after,
            } => {
                let Some(word) = args.take() else {
                    match Type::of(label) {
                        Some(_) => missing(kind.shown(), args),
                        None => missing(&format!("<{label}>, {}", kind.shown()), args),
                    }
                    return false;
                };
                let text = word.text();
                let Some(value) = inside(&text, before, after) else {
                    let wanted = format!("{before}<{label}>{after}");
                    wrong_word(&[&wanted], word, args);
                    return false;
                };
                kind.check(word, value, range.as_ref(), args);
                if kind.takes_all() {
                    args.rest();
                }
                true
            }
        }
    }
}

/// The part of a word that is its value.
fn inside<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

fn none_of(alternatives: &[Vec<Item>], args: &mut Args<'_>) {
    let mut words = Vec::new();
    for items in alternatives {
        if let Some(item) = items.first() {
            first_words(item, &mut words);
        }
    }
    match args.peek() {
        Some(word) => {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            wrong_word(&words, word, args);
        }
        None => {
            let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
            missing(&words.join(", "), args);
        }
    }
}

fn first_words(item: &Item, words: &mut Vec<String>) {
    match item {
        Item::Word(Piece::Literal(literal)) => words.push((*literal).to_owned()),
        Item::Word(Piece::Value {
            before,
            label,
            after,
            ..
        }) => words.push(format!("{before}<{label}>{after}")),
        Item::OneOf(alternatives) | Item::Maybe(alternatives) | Item::Many(alternatives) => {
            for items in alternatives {
                if let Some(item) = items.first() {
                    first_words(item, words);
                }
            }
        }
    }
}

/// All words of a grammar, for suggestions.
fn literals(items: &[Item], words: &mut Vec<&'static str>) {
    for item in items {
        match item {
            Item::Word(Piece::Literal(literal)) => words.push(literal),
            Item::Word(Piece::Value { .. }) => {}
            Item::OneOf(alternatives) | Item::Maybe(alternatives) | Item::Many(alternatives) => {
                for items in alternatives {
                    literals(items, words);
                }
            }
        }
    }
}

fn missing(what: &str, args: &mut Args<'_>) {
    let message = format!("'{}' expects {what}.", args.name);
    args.alert(codes::MISSING_ARGUMENT, args.end(), message);
}

fn wrong_word(words: &[&str], word: &Word, args: &mut Args<'_>) {
    let listed: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let message = args.told(format!(
        "'{}' only supports {} (got '{}')",
        args.name,
        listed.join(", "),
        shown(&word.value)
    ));
    let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
    args.sink
        .push(crate::value::suggest(fault, word, words.iter().copied()));
}
