//! Reading the notation.

use std::ops::RangeInclusive;

use super::value::Type;

/// What may follow a keyword.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grammar(pub(crate) Vec<Item>);

/// A part of a grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// One word.
    Word(Piece),
    /// One of several.
    OneOf(Vec<Vec<Item>>),
    /// All of these, or nothing; of several, one.
    Maybe(Vec<Vec<Item>>),
    /// As often as one likes.
    Many(Vec<Vec<Item>>),
}

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This word.
    Literal(&'static str),
    /// A value, perhaps with more of the word around it.
    Value {
        before: &'static str,
        label: &'static str,
        kind: Type,
        /// Bounds of a number, size or time (in milliseconds).
        range: Option<RangeInclusive<i64>>,
        after: &'static str,
    },
}

impl Grammar {
    /// Reads the notation. What is not in it is left out; a test reads the notation of every row
    /// and finds nothing left out.
    pub(crate) fn new(notation: &'static str) -> Self {
        Self::read(notation).unwrap_or_default()
    }

    /// Reads the notation; `None` where it makes no sense.
    pub(crate) fn read(notation: &'static str) -> Option<Self> {
        let mut reader = Reader { rest: notation };
        let items = reader.sequence()?;
        reader.rest.is_empty().then_some(Self(items))
    }
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn sequence(&mut self) -> Option<Vec<Item>> {
        let mut items = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let item = match self.rest.chars().next() {
                None | Some(']' | '}' | '|') => return Some(items),
                Some('[') => {
                    let inner = self.group(']')?;
                    match self.take("...") {
                        true => Item::Many(inner),
                        false => Item::Maybe(inner),
                    }
                }
                Some('{') => {
                    let inner = self.group('}')?;
                    if self.take("...") {
                        items.push(Item::OneOf(inner.clone()));
                        Item::Many(inner)
                    } else {
                        Item::OneOf(inner)
                    }
                }
                Some(_) => {
                    let piece = self.piece()?;
                    if self.take("...") {
                        items.push(Item::Word(piece.clone()));
                        Item::Many(vec![vec![Item::Word(piece)]])
                    } else {
                        Item::Word(piece)
                    }
                }
            };
            items.push(item);
        }
    }

    fn group(&mut self, close: char) -> Option<Vec<Vec<Item>>> {
        self.rest = self.rest.get(1..)?;
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.sequence()?);
            if self.take("|") {
                continue;
            }
            self.rest = self.rest.strip_prefix(close)?;
            // A part that can be nothing would be taken for ever.
            let empty = alternatives.iter().any(Vec::is_empty);
            return (!empty).then_some(alternatives);
        }
    }

    fn piece(&mut self) -> Option<Piece> {
        let before = self.literal();
        let Some(inside) = self.rest.strip_prefix('<') else {
            return (!before.is_empty()).then_some(Piece::Literal(before));
        };
        let (inside, after) = inside.split_once('>')?;
        self.rest = after;
        let after = match before.is_empty() {
            true => "",
            false => self.literal(),
        };
        let (inside, range) = match inside.split_once(' ') {
            Some((inside, range)) => {
                let (least, most) = range.split_once("..")?;
                (inside, Some(least.parse().ok()?..=most.parse().ok()?))
            }
            None => (inside, None),
        };
        let (label, kind) = inside.split_once(':').unwrap_or((inside, inside));
        Some(Piece::Value {
            before,
            label,
            kind: Type::of(kind)?,
            range,
            after,
        })
    }

    /// Characters that mean nothing else; three dots do.
    fn literal(&mut self) -> &'static str {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '[' | ']' | '{' | '}' | '|'))
            .unwrap_or(self.rest.len());
        let end = self.rest.find("...").map_or(end, |dots| dots.min(end));
        let (literal, rest) = self.rest.split_at(end);
        self.rest = rest;
        literal
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
