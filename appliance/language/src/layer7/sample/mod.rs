//! Sample expressions: the tables of fetches and converters, and reading an expression.

mod argument;
mod check;
mod conversion;
mod converters;
mod expression;
mod fetches;
mod fields;
pub(crate) mod types;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

pub(crate) use argument::mask4;
pub(crate) use check::{binary, pattern_file, variable};
pub(crate) use expression::{Parsed, Stop, calls, first, more, name_at, parse};
pub(crate) use fetches::Fetch;
use lanai_model::layer7::PatternFile;

use types::{Argument, Type};

/// A row of the converters' table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Converter {
    pub(crate) name: &'static str,
    /// Its arguments in the manual's notation.
    pub(crate) signature: &'static str,
    /// How many arguments it must have.
    pub(crate) required: usize,
    /// Types of all it can have.
    pub(crate) arguments: &'static [Argument],
    pub(crate) takes: Type,
    pub(crate) gives: Type,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

/// All converters, by name.
pub(crate) fn all_converters() -> impl Iterator<Item = &'static Converter> {
    converters::CONVERTERS.iter()
}

/// All fetches, section by section of the manual.
pub(crate) fn all_fetches() -> impl Iterator<Item = &'static Fetch> {
    fetches::all()
}

/// The fetch of this name.
pub(crate) fn fetch(name: &str) -> Option<&'static Fetch> {
    static BY_NAME: LazyLock<HashMap<&str, &Fetch>> =
        LazyLock::new(|| all_fetches().map(|fetch| (fetch.name, fetch)).collect());
    BY_NAME.get(name).copied()
}

/// The converter of this name.
pub(crate) fn converter(name: &str) -> Option<&'static Converter> {
    static BY_NAME: LazyLock<HashMap<&str, &Converter>> =
        LazyLock::new(|| all_converters().map(|row| (row.name, row)).collect());
    BY_NAME.get(name).copied()
}

/// What is wrong with an expression, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// In HAProxy's words.
    pub(crate) message: String,
    pub(crate) at: Range<usize>,
    /// A known word that was likely meant.
    pub(crate) near: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, at: Range<usize>) -> Self {
        Self {
            message: message.into(),
            at,
            near: None,
        }
    }

    /// Puts its message into a longer one.
    pub(crate) fn within(self, wrap: impl FnOnce(&str) -> String) -> Self {
        Self {
            message: wrap(&self.message),
            ..self
        }
    }
}

/// A name in an expression that the rest of the configuration must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) wants: Wants,
    /// The name's place in the text.
    pub(crate) at: Range<usize>,
    /// `arg 1 of sample fetch keyword 'nbsrv'`: for messages.
    pub(crate) whose: String,
}

/// What a name must be the name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A frontend; `None` is the proxy itself, which must be one.
    Frontend(Option<String>),
    /// A backend; `None` is the proxy itself, which must be one.
    Backend(Option<String>),
    /// A stick table; `None` is the proxy's own.
    Table(Option<String>),
    /// A server of a backend.
    Server(Option<String>, String),
    /// A user list.
    Userlist(String),
    /// ACLs of the proxy, or predefined.
    Acl(String),
    /// A file of patterns or of a map, which is read before anything is run.
    Patterns(PatternFile),
}

/// Whether this byte may be in a name of a fetch or converter.
pub(crate) fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.+:".contains(byte)
}

#[cfg(test)]
mod tests;
