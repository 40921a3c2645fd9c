//! The lines that count, by section, as lints see them.

use std::collections::HashMap;

use lanai_diagnostics::Span;

use crate::lexer::Word;
use crate::line::Statement;

/// All sections of a configuration, whatever their kind.
#[derive(Debug, Default)]
pub(crate) struct Book {
    sections: Vec<Section>,
    /// `defaults` sections by name, the last of each.
    named: HashMap<Vec<u8>, usize>,
    /// The last `defaults`.
    defaults: Option<usize>,
}

/// A section and its lines.
#[derive(Debug)]
pub(crate) struct Section {
    /// The word that starts it.
    pub(crate) kind: &'static str,
    /// Its name, or the word that starts it where it has none.
    pub(crate) name: Word,
    /// The `defaults` it inherits from.
    from: Option<usize>,
    /// The lines after the one that starts it.
    pub(crate) lines: Vec<Statement>,
}

impl Section {
    /// Whether it takes connections.
    pub(crate) fn is_front(&self) -> bool {
        matches!(self.kind, "frontend" | "listen")
    }

    /// Whether it has servers.
    pub(crate) fn is_back(&self) -> bool {
        matches!(self.kind, "backend" | "listen")
    }

    /// Whether rules are written in it.
    pub(crate) fn has_rules(&self) -> bool {
        matches!(self.kind, "frontend" | "listen" | "backend" | "defaults")
    }

    /// Its lines that start with this word.
    pub(crate) fn starting<'a>(
        &'a self,
        keyword: &'a str,
    ) -> impl Iterator<Item = &'a Statement> + 'a {
        self.lines
            .iter()
            .filter(move |line| line.starts(&[keyword]))
    }

    /// How a message calls it: `backend 'app'`.
    pub(crate) fn called(&self) -> String {
        format!("{} '{}'", self.kind, self.name.text())
    }
}

impl Book {
    /// Writes a line down.
    pub(crate) fn add(&mut self, mut statement: Statement) {
        let Some(kind) = statement.section else {
            if let Some(section) = self.sections.last_mut() {
                section.lines.push(statement);
            }
            return;
        };
        let from = self.inherits(kind, &statement);
        let named = statement.words.get(1).is_some_and(|word| !word.is("from"));
        let name = statement.words.swap_remove(usize::from(named));
        if kind == "defaults" {
            self.defaults = Some(self.sections.len());
            if named {
                self.named.insert(name.value.to_vec(), self.sections.len());
            }
        }
        self.sections.push(Section {
            kind,
            name,
            from,
            lines: Vec::new(),
        });
    }

    /// Lines of another file do not belong to the last section of this one. A line before the first
    /// section of a file is refused, so that none is misplaced here.
    fn inherits(&self, kind: &str, statement: &Statement) -> Option<usize> {
        let mut pairs = statement.words.iter().zip(statement.words.iter().skip(1));
        match pairs.find(|(word, _)| word.is("from")) {
            Some((_, name)) => self.named.get(name.value.as_slice()).copied(),
            None if matches!(kind, "frontend" | "backend" | "listen") => self.defaults,
            None => None,
        }
    }

    /// All sections, in order.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// `frontend`, `backend` and `listen` sections.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = &Section> {
        self.sections
            .iter()
            .filter(|section| section.is_front() || section.is_back())
    }

    /// Sections of one kind.
    pub(crate) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Section> + 'a {
        self.sections.iter().filter(move |s| s.kind == kind)
    }

    /// A section, then the `defaults` it inherits from, nearest first. Sections inherit from earlier
    /// ones only, so this ends.
    pub(crate) fn inherited<'a>(
        &'a self,
        section: &'a Section,
    ) -> impl Iterator<Item = &'a Section> + 'a {
        let next = |section: &&'a Section| section.from.and_then(|at| self.sections.get(at));
        std::iter::successors(Some(section), next)
    }

    /// Whether a section or a `defaults` it inherits from has a line that starts with these words.
    pub(crate) fn has(&self, section: &Section, words: &[&str]) -> bool {
        let mut lines = self.inherited(section).flat_map(|section| &section.lines);
        lines.any(|line| line.starts(words))
    }
}

impl Statement {
    /// Whether its first words are these.
    #[inline]
    pub(crate) fn starts(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len() && self.words.iter().zip(words).all(|(w, text)| w.is(text))
    }

    /// Whether one of its words is this.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        self.words.iter().any(|other| other.is(word))
    }

    /// The word at this place.
    pub(crate) fn word(&self, at: usize) -> Option<&Word> {
        self.words.get(at)
    }

    /// The word after the first one that is this.
    pub(crate) fn after(&self, keyword: &str) -> Option<&Word> {
        let at = self.words.iter().position(|word| word.is(keyword))?;
        self.word(at + 1)
    }

    /// Words from this place on.
    pub(crate) fn from(&self, at: usize) -> &[Word] {
        self.words.get(at..).unwrap_or_default()
    }

    /// The words after `if` or `unless`, with which of the two it is, and the place of that word.
    pub(crate) fn condition(&self) -> Option<(&Word, &[Word])> {
        let at = self
            .words
            .iter()
            .skip(1)
            .position(|w| w.is("if") || w.is("unless"))?
            + 1;
        Some((self.words.get(at)?, self.from(at + 1)))
    }

    /// Whether it always applies: no condition, or one that is always true.
    pub(crate) fn is_unconditional(&self) -> bool {
        match self.condition() {
            None => true,
            Some((word, [only])) => match word.is("if") {
                true => only.is("TRUE"),
                false => only.is("FALSE"),
            },
            Some(_) => false,
        }
    }

    /// From the word at this place to the last.
    pub(crate) fn span_from(&self, at: usize) -> Span {
        match (self.words.get(at), self.words.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => self.span(),
        }
    }
}
