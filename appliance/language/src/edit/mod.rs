//! Edits of a text by someone who clicks: sections, lines, options of a line.
//!
//! An edit names what it is about by the numbers of lines, which is what the model's
//! [`Origin`](lanai_model::Origin)s hold, and becomes a [`Patch`]: which bytes go and which come. All
//! other bytes stay as they are, comments, white space and mistakes included. Both languages are
//! edited alike; nothing here knows what a keyword means, except how many words an option has.
//!
//! Invariants: a patch changes the lines that the edit names and no others (a text whose last line
//! has no end gets one when something follows it); what is written reads back as the words that were
//! asked for; an edit that cannot be made leaves everything as it was.

mod lines;
mod options;
mod patch;
mod quote;
mod sections;

use std::ops::Range;

use lanai_diagnostics::{FileId, Span};

use crate::lexer::{self, Word};
use crate::tree::{self, Dialect, Line, Token, TokenKind, Tree};

pub use patch::{Patch, Replacement};
pub use quote::quote;

/// One edit. Lines are counted from 1, as in the text before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Adds a section: its first line's words, and those of the lines below.
    AddSection {
        /// Words of the line that starts it.
        head: Vec<Vec<u8>>,
        /// Words of its lines.
        lines: Vec<Vec<Vec<u8>>>,
        /// Where it goes.
        place: Place,
    },
    /// Removes the section that starts at this line, with the comment directly above it.
    RemoveSection {
        /// The line that starts it.
        line: u32,
    },
    /// Moves the section that starts at this line, with the comment directly above it.
    MoveSection {
        /// The line that starts it.
        line: u32,
        /// Where it goes; not into itself.
        place: Place,
    },
    /// Adds a line to a section.
    AddLine {
        /// The line's words.
        words: Vec<Vec<u8>>,
        /// Where it goes.
        place: LinePlace,
    },
    /// Gives a line other words; indentation and comment stay.
    ChangeLine {
        /// The line.
        line: u32,
        /// All its words.
        words: Vec<Vec<u8>>,
    },
    /// Removes a line that starts no section.
    RemoveLine {
        /// The line.
        line: u32,
    },
    /// Moves a line that starts no section.
    MoveLine {
        /// The line.
        line: u32,
        /// Where it goes.
        place: LinePlace,
    },
    /// Changes one word of a line, or adds one after the last.
    SetWord {
        /// The line.
        line: u32,
        /// Which of the words as they are written, counted from 0.
        word: usize,
        /// Its value.
        value: Vec<u8>,
    },
    /// Gives an option of a line these arguments, or adds it at the end.
    SetOption {
        /// The line.
        line: u32,
        /// The option's name, such as `weight`.
        option: String,
        /// What follows it; empty for `check` and its like.
        arguments: Vec<Vec<u8>>,
    },
    /// Removes an option and its arguments from a line. That it is not there is no mistake.
    RemoveOption {
        /// The line.
        line: u32,
        /// The option's name.
        option: String,
    },
}

/// Where a section goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Above the section that starts at this line.
    Before(u32),
    /// Below the section that starts at this line.
    After(u32),
    /// At the end of the text.
    End,
}

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinePlace {
    /// Above this line, which starts no section.
    Before(u32),
    /// Below this line.
    After(u32),
    /// At the end of the section that starts at this line: below its last line that says something.
    EndOf(u32),
}

/// Why an edit cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The text has no such line.
    NoSuchLine(u32),
    /// This line starts no section.
    NoSection(u32),
    /// This line starts a section: it goes only with the section.
    StartsSection(u32),
    /// This line says nothing, so that it has no words to change.
    NoWords(u32),
    /// The line has fewer words than that.
    NoSuchWord {
        /// The line.
        line: u32,
        /// The word asked for.
        word: usize,
    },
    /// This line cannot be cut into words; correct it by hand.
    Unreadable(u32),
    /// A conditional block starts or ends inside what is to be moved or removed, at this line.
    Conditional(u32),
    /// A section cannot go into itself.
    IntoItself(u32),
    /// The line is to have no words, or its first is empty.
    NoKeyword,
    /// These words would not mean what was asked for there: the first starts a section and should
    /// not, or should and does not, or starts a conditional block.
    Keyword(String),
    /// A NUL byte cannot be written.
    Nul,
    /// A line has more words than can be read.
    TooManyWords,
    /// The options of a line with this keyword are not known.
    UnknownOptions(String),
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchLine(line) => write!(f, "there is no line {line}"),
            Self::NoSection(line) => write!(f, "line {line} starts no section"),
            Self::StartsSection(line) => {
                write!(
                    f,
                    "line {line} starts a section: change the section instead"
                )
            }
            Self::NoWords(line) => write!(f, "line {line} has no words to change"),
            Self::NoSuchWord { line, word } => {
                write!(
                    f,
                    "line {line} has no word number {}",
                    word.saturating_add(1)
                )
            }
            Self::Unreadable(line) => {
                write!(
                    f,
                    "line {line} cannot be read: correct it in the text first"
                )
            }
            Self::Conditional(line) => write!(
                f,
                "line {line} is of a conditional block that is only partly inside: edit the text instead"
            ),
            Self::IntoItself(line) => {
                write!(f, "the section at line {line} cannot go into itself")
            }
            Self::NoKeyword => f.write_str("a line needs a keyword"),
            Self::Keyword(word) => write!(f, "a line there cannot start with '{word}'"),
            Self::Nul => f.write_str("a NUL character cannot be written"),
            Self::TooManyWords => {
                write!(f, "a line has {} words at most", lexer::MAX_WORDS)
            }
            Self::UnknownOptions(keyword) => {
                write!(
                    f,
                    "lines of '{keyword}' have no options that can be changed one by one"
                )
            }
        }
    }
}

impl std::error::Error for EditError {}

/// A word and where it is written.
#[derive(Clone, Debug)]
struct Written {
    range: Range<usize>,
    /// Its value, as far as no variable is in it.
    value: Vec<u8>,
}

/// A text that is edited.
#[derive(Clone, Debug)]
pub struct Text {
    dialect: Dialect,
    tree: Tree,
}

impl Text {
    /// A text of this language.
    pub fn new(bytes: &[u8], dialect: Dialect) -> Self {
        Self {
            dialect,
            tree: tree::parse_as(bytes, dialect),
        }
    }

    /// The text.
    pub fn bytes(&self) -> Vec<u8> {
        self.tree.to_bytes()
    }

    /// How it is cut.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The line that starts the first section of this kind and name; an empty name is that of a
    /// section without one.
    pub fn section(&self, kind: &str, name: &str) -> Option<u32> {
        let mut lines = self.tree.sections().iter().filter_map(|section| {
            section.keyword.as_ref()?;
            self.tree.lines(section).first()
        });
        let found = lines.find(|line| {
            let words = self.words(line).unwrap_or_default();
            let name_of = words.get(1).map(|word| word.value.as_slice());
            words
                .first()
                .is_some_and(|word| word.value == kind.as_bytes())
                && name_of.unwrap_or_default() == name.as_bytes()
        });
        found.map(|line| line.number)
    }

    /// What an edit would change.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn patch(&self, edit: &Edit) -> Result<Patch, EditError> {
        match edit {
            Edit::AddSection { head, lines, place } => self.add_section(head, lines, *place),
            Edit::RemoveSection { line } => self.remove_section(*line),
            Edit::MoveSection { line, place } => self.move_section(*line, *place),
            Edit::AddLine { words, place } => self.add_line(words, *place),
            Edit::ChangeLine { line, words } => self.change_line(*line, words),
            Edit::RemoveLine { line } => self.remove_line(*line),
            Edit::MoveLine { line, place } => self.move_line(*line, *place),
            Edit::SetWord { line, word, value } => self.set_word(*line, *word, value),
            Edit::SetOption {
                line,
                option,
                arguments,
            } => self.set_option(*line, option, arguments),
            Edit::RemoveOption { line, option } => self.remove_option(*line, option),
        }
    }

    /// Makes an edit.
    ///
    /// # Errors
    /// If it cannot be made; then nothing is changed.
    pub fn apply(&mut self, edit: &Edit) -> Result<Patch, EditError> {
        let patch = self.patch(edit)?;
        self.tree = tree::parse_as(&patch.applied(&self.bytes()), self.dialect);
        Ok(patch)
    }

    fn line(&self, number: u32) -> Result<&Line, EditError> {
        let at = usize::try_from(number)
            .ok()
            .and_then(|at| at.checked_sub(1));
        at.and_then(|at| self.tree.all_lines().get(at))
            .ok_or(EditError::NoSuchLine(number))
    }

    /// The words of a line as they are written.
    fn words(&self, line: &Line) -> Result<Vec<Written>, EditError> {
        let tokens = self.tree.tokens(line);
        if tokens.iter().any(|token| token.kind == TokenKind::Junk) {
            return Err(EditError::Unreadable(line.number));
        }
        let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
        Ok(words.map(|token| self.written(token)).collect())
    }

    fn written(&self, token: &Token) -> Written {
        let bytes = self.tree.bytes(token.range.clone());
        let words = lexer::words(bytes, FileId::default(), 0, None).unwrap_or_default();
        let value = match <[Word; 1]>::try_from(words) {
            Ok([word]) if word.span == Span::new(FileId::default(), 0, bytes.len()) => {
                word.value.into_vec()
            }
            // With a variable in it, whose value nobody asks here.
            _ => bytes.to_vec(),
        };
        Written {
            range: token.range.clone(),
            value,
        }
    }

    /// The first word of a line.
    fn first_word(&self, line: &Line) -> Option<Written> {
        let mut tokens = self.tree.tokens(line).iter();
        let first = tokens.find(|token| token.kind == TokenKind::Word)?;
        Some(self.written(first))
    }

    fn says_something(&self, line: &Line) -> bool {
        let mut tokens = self.tree.tokens(line).iter();
        tokens.any(|token| matches!(token.kind, TokenKind::Word | TokenKind::Junk))
    }

    fn is_comment(&self, line: &Line) -> bool {
        let mut tokens = self.tree.tokens(line).iter();
        !self.says_something(line) && tokens.any(|token| token.kind == TokenKind::Comment)
    }

    /// How this text ends its lines: as the first of them does.
    fn line_end(&self) -> &'static [u8] {
        let first = self.tree.all_lines().first();
        let end = first.and_then(|line| self.tree.tokens(line).last());
        match end {
            Some(token) if self.tree.bytes(token.range.clone()) == b"\r\n" => b"\r\n",
            _ => b"\n",
        }
    }

    /// The bytes of lines, from the first to the last with its line end.
    fn range_of(&self, lines: &[Line]) -> Range<usize> {
        match (lines.first(), lines.last()) {
            (Some(first), Some(last)) => first.range.start..self.end_of(last),
            _ => 0..0,
        }
    }

    /// Where a line ends, its line end included.
    fn end_of(&self, line: &Line) -> usize {
        let last = self.tree.tokens(line).last();
        last.map_or(line.range.end, |token| token.range.end)
    }

    fn length(&self) -> usize {
        let last = self.tree.all_lines().last();
        last.map_or(0, |line| self.end_of(line))
    }
}

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
