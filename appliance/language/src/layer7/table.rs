//! The rows of one kind of line, joined with the functions that read them.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::args::Args;
use super::grammar::Grammar;
use super::keyword::{Keyword, Sections, Status};
use crate::lexer::Word;

/// Reads the line of a keyword into what is being built.
pub(super) type Read<T> = fn(&mut T, &mut Args<'_>);

/// Readers by the keyword's name.
pub(super) type Readers<T> = &'static [(&'static str, Read<T>)];

/// A keyword, and how its line is read.
pub(super) struct Row<T: 'static> {
    pub(super) keyword: &'static Keyword,
    /// Reads its line where there is no reader: it has no effect, or is refused.
    grammar: Grammar,
    reader: Option<Read<T>>,
}

impl<T> Row<T> {
    /// Reads the arguments of a line's own keyword.
    pub(super) fn read_line<'a>(&'a self, draft: &mut T, args: &mut Args<'a>) {
        args.grammar = Some(&self.grammar);
        let mistakes = args.sink.alerts();
        match self.reader {
            Some(read) => read(draft, args),
            None if args.modifier.is_some() => args.end_of_line(),
            None => self.grammar.check_line(args),
        }
        // A line with a mistake is to be mended first.
        if args.sink.alerts() == mistakes {
            refuse(self.keyword, args);
        }
    }

    /// Reads the arguments of a word inside a line, up to what may be the next word.
    pub(super) fn read_word(&self, draft: &mut T, args: &mut Args<'_>) {
        match self.reader {
            Some(read) => read(draft, args),
            None => self.grammar.check_word(args),
        }
        refuse(self.keyword, args);
    }
}

/// Words whose arguments follow in parentheses.
const WITH_PARENTHESES: &[&str] = &[
    "rdp-cookie",
    "set-proxy-v2-tlv-fmt",
    "set-var",
    "set-var-fmt",
    "unset-var",
];

/// Reports a keyword that cannot be run, once its line has been read for mistakes.
fn refuse(keyword: &Keyword, args: &mut Args<'_>) {
    if let Status::Refused { why, instead } = keyword.status {
        args.not_run(args.head, &format!("'{}'", keyword.name), why, instead);
    }
}

/// All rows of one kind, by name.
pub(super) struct Table<T: 'static> {
    rows: HashMap<&'static str, Row<T>, RandomState>,
    /// First words of names of several words.
    groups: HashSet<&'static str, RandomState>,
    /// Names in the order written, so that of equally near words the first is suggested.
    names: Vec<&'static str>,
}

/// What the words of a line are.
pub(super) enum Found<'a, T: 'static> {
    /// A row, whose name takes this many words.
    Row(&'a Row<T>, usize),
    /// The first word starts keywords, and the second is of none.
    Group,
    Unknown,
}

impl<T> Table<T> {
    pub(super) fn new(areas: &'static [&'static [Keyword]], readers: &[Readers<T>]) -> Self {
        Self::of(Sections::NONE, areas, readers)
    }

    /// The rows that may stand in these sections.
    pub(super) fn of(
        sections: Sections,
        areas: &'static [&'static [Keyword]],
        readers: &[Readers<T>],
    ) -> Self {
        let readers: HashMap<_, _> = readers.iter().copied().flatten().copied().collect();
        let words = areas.iter().copied().flatten();
        let words = words.filter(|word| word.sections.contains(sections));
        Self {
            groups: words
                .clone()
                .filter_map(|word| Some(word.name.split_once(' ')?.0))
                .collect(),
            names: words.clone().map(|word| word.name).collect(),
            rows: words
                .map(|keyword| {
                    let row = Row {
                        keyword,
                        grammar: Grammar::new(keyword.arguments),
                        reader: readers.get(keyword.name).copied(),
                    };
                    (keyword.name, row)
                })
                .collect(),
        }
    }

    /// Finds the row with the longest name that the words start with.
    pub(super) fn find(&self, words: &[Word]) -> Found<'_, T> {
        let Some(first) = words.first() else {
            return Found::Unknown;
        };
        let first = first.text();
        let group = self.groups.contains(first.as_ref());
        if group && let Some(second) = words.get(1) {
            let name = format!("{first} {}", second.text());
            if let Some(row) = self.named(&name) {
                return Found::Row(row, 2);
            }
        }
        match self.named(&first) {
            Some(row) => Found::Row(row, 1),
            None if group => Found::Group,
            None => Found::Unknown,
        }
    }

    /// The row of one word.
    pub(super) fn word(&self, word: &Word) -> Option<&Row<T>> {
        self.named(&word.text())
    }

    /// The row of a name, also of one that has its own arguments in parentheses behind it.
    fn named(&self, name: &str) -> Option<&Row<T>> {
        self.rows.get(name).or_else(|| {
            let (name, _) = name.strip_suffix(')')?.split_once('(')?;
            let (_, last) = name.rsplit_once(' ').unwrap_or(("", name));
            let row = self.rows.get(name)?;
            WITH_PARENTHESES.contains(&last).then_some(row)
        })
    }

    /// Second words of the keywords that start with this one.
    pub(super) fn group<'a>(&'a self, first: &'a str) -> impl Iterator<Item = &'static str> + 'a {
        self.names
            .iter()
            .filter_map(move |name| name.strip_prefix(first)?.strip_prefix(' '))
    }

    /// Whether a keyword starts with this word.
    pub(super) fn knows(&self, first: &str) -> bool {
        self.rows.contains_key(first) || self.groups.contains(first)
    }

    /// First words of all keywords.
    pub(super) fn first_words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows_in_order().map(|row| row.keyword.first())
    }

    /// Rows in the order written.
    pub(super) fn rows_in_order(&self) -> impl Iterator<Item = &Row<T>> + '_ {
        self.names.iter().filter_map(|name| self.rows.get(name))
    }

    /// Names of rows that work and have no reader.
    #[cfg(test)]
    pub(super) fn unread(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows_in_order()
            .filter(|row| {
                matches!(row.keyword.status, Status::Works | Status::Partly(_))
                    && row.reader.is_none()
            })
            .map(|row| row.keyword.name)
    }

    /// Names of readers that have no row.
    #[cfg(test)]
    pub(super) fn strays(&self, readers: Readers<T>) -> impl Iterator<Item = &'static str> + '_ {
        let names = readers.iter().map(|(name, _)| *name);
        names.filter(|name| !self.rows.contains_key(name))
    }
}
