//! Rows of the keyword tables, and finding one.

use std::collections::{HashMap, HashSet};

use super::args::Args;
use crate::lexer::Word;

/// Kinds of sections, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections(u8);

impl Sections {
    /// `global`.
    pub const GLOBAL: Self = Self(1);
    /// `defaults`.
    pub const DEFAULTS: Self = Self(2);
    /// `frontend`.
    pub const FRONTEND: Self = Self(4);
    /// `listen`.
    pub const LISTEN: Self = Self(8);
    /// `backend`.
    pub const BACKEND: Self = Self(16);

    /// `defaults` and all that take connections.
    pub(crate) const FRONT: Self = Self(2 | 4 | 8);
    /// `defaults` and all that have servers.
    pub(crate) const BACK: Self = Self(2 | 8 | 16);
    /// `defaults` and all proxies.
    pub(crate) const ALL: Self = Self(2 | 4 | 8 | 16);
    /// All that take connections, without `defaults`.
    pub(crate) const FRONT_ONLY: Self = Self(4 | 8);
    /// All that have servers, without `defaults`.
    pub(crate) const BACK_ONLY: Self = Self(8 | 16);

    /// Whether all of the others are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Names of the kinds in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::GLOBAL, "global"),
            (Self::DEFAULTS, "defaults"),
            (Self::FRONTEND, "frontend"),
            (Self::LISTEN, "listen"),
            (Self::BACKEND, "backend"),
        ]
        .into_iter()
        .filter(move |(kind, _)| self.contains(*kind))
        .map(|(_, name)| name)
    }
}

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what HAProxy's manual says.
    Supported,
    /// It is read and has no effect; the text says why that harms nobody.
    Accepted(&'static str),
}

/// What a row says to people, for help and completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeywordInfo {
    /// The keyword; several words where one alone means nothing.
    pub name: &'static str,
    /// Where it may stand; empty for words of a `bind` or `server` line.
    pub sections: Sections,
    /// Arguments, in the notation of HAProxy's manual.
    pub arguments: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What becomes of it.
    pub status: Status,
}

/// A row: what it says to people, and what is done with it.
pub(crate) struct Keyword<T: 'static> {
    pub(crate) info: KeywordInfo,
    /// Whether `no` and `default` may stand before it.
    pub(crate) modifiers: bool,
    /// Whether it may be given once only.
    pub(crate) once: bool,
    /// Whether it is an error, rather than a warning, in the other kind of proxy.
    pub(crate) strict: bool,
    pub(crate) handler: fn(&mut T, &mut Args<'_>),
}

impl<T> Keyword<T> {
    /// A keyword of a section.
    pub(crate) const fn new(
        name: &'static str,
        sections: Sections,
        arguments: &'static str,
        about: &'static str,
        handler: fn(&mut T, &mut Args<'_>),
    ) -> Self {
        Self {
            info: KeywordInfo {
                name,
                sections,
                arguments,
                about,
                status: Status::Supported,
            },
            modifiers: false,
            once: false,
            strict: false,
            handler,
        }
    }

    /// A word of a `bind` or `server` line.
    pub(crate) const fn word(
        name: &'static str,
        arguments: &'static str,
        about: &'static str,
        handler: fn(&mut T, &mut Args<'_>),
    ) -> Self {
        Self::new(name, Sections(0), arguments, about, handler)
    }

    /// Read and ignored, because of this.
    pub(crate) const fn accepted(mut self, why: &'static str) -> Self {
        self.info.status = Status::Accepted(why);
        self
    }

    /// May stand after `no` and `default`.
    pub(crate) const fn modifiers(mut self) -> Self {
        self.modifiers = true;
        self
    }

    /// May be given once.
    pub(crate) const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// An error in the other kind of proxy.
    pub(crate) const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

/// All rows of one kind, by name.
pub(crate) struct Table<T: 'static> {
    rows: HashMap<&'static str, &'static Keyword<T>>,
    /// First words of names of several words.
    groups: HashSet<&'static str>,
    /// Names in the order written, so that of equally near words the first is suggested.
    names: Vec<&'static str>,
}

/// What the words of a line are.
pub(crate) enum Found<T: 'static> {
    /// A row, whose name takes this many words.
    Row(&'static Keyword<T>, usize),
    /// The first word starts keywords, and the second is of none.
    Group,
    Unknown,
}

impl<T> Table<T> {
    pub(crate) fn new(areas: &[&'static [Keyword<T>]]) -> Self {
        let rows = areas.iter().copied().flatten();
        Self {
            groups: rows
                .clone()
                .filter_map(|row| Some(row.info.name.split_once(' ')?.0))
                .collect(),
            names: rows.clone().map(|row| row.info.name).collect(),
            rows: rows.map(|row| (row.info.name, row)).collect(),
        }
    }

    /// Finds the row with the longest name that the words start with.
    pub(crate) fn find(&self, words: &[Word]) -> Found<T> {
        let Some(first) = words.first() else {
            return Found::Unknown;
        };
        let first = first.text();
        let group = self.groups.contains(first.as_ref());
        if group && let Some(second) = words.get(1) {
            let name = format!("{first} {}", second.text());
            if let Some(row) = self.rows.get(name.as_str()) {
                return Found::Row(row, 2);
            }
        }
        match self.rows.get(first.as_ref()) {
            Some(row) => Found::Row(row, 1),
            None if group => Found::Group,
            None => Found::Unknown,
        }
    }

    /// The row of one word.
    pub(crate) fn word(&self, word: &Word) -> Option<&'static Keyword<T>> {
        self.rows.get(word.text().as_ref()).copied()
    }

    /// Second words of the keywords that start with this one.
    pub(crate) fn group<'a>(&'a self, first: &'a str) -> impl Iterator<Item = &'static str> + 'a {
        self.names
            .iter()
            .filter_map(move |name| name.strip_prefix(first)?.strip_prefix(' '))
    }

    /// Whether a keyword starts with this word.
    pub(crate) fn knows(&self, first: &str) -> bool {
        self.rows.contains_key(first) || self.groups.contains(first)
    }

    /// First words of all keywords.
    pub(crate) fn first_words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.names
            .iter()
            .map(|name| name.split_once(' ').map_or(*name, |(first, _)| first))
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = KeywordInfo> + '_ {
        self.names
            .iter()
            .filter_map(|name| self.rows.get(name).map(|row| row.info))
    }
}
