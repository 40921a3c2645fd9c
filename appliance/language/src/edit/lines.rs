//! Edits of lines and of single words.

use super::quote::{joined, quote};
use super::{EditError, LinePlace, Patch, Replacement, Text, Written};
use crate::tree::{Dialect, Line, Section, TokenKind, section_keyword};

impl Text {
    pub(super) fn add_line(&self, words: &[Vec<u8>], place: LinePlace) -> Result<Patch, EditError> {
        self.fits_in_section(words)?;
        let (at, sibling) = self.place_of_line(place)?;
        let mut line = self.indentation(sibling);
        line.extend_from_slice(&joined(words)?);
        Ok(self.insertion(at, &line))
    }

    pub(super) fn change_line(&self, line: u32, words: &[Vec<u8>]) -> Result<Patch, EditError> {
        let line = self.line(line)?;
        match self.starts_section(line) {
            true => self.is_section(words)?,
            false => self.fits_in_section(words)?,
        }
        let text = joined(words)?;
        let tokens = self.tree.tokens(line);
        let mut said = tokens
            .iter()
            .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Junk));
        let Some(first) = said.next() else {
            return Err(EditError::NoWords(line.number));
        };
        let end = said
            .next_back()
            .map_or(first.range.end, |last| last.range.end);
        Ok(Patch::one(first.range.start..end, text))
    }

    pub(super) fn remove_line(&self, line: u32) -> Result<Patch, EditError> {
        let line = self.movable(line)?;
        Ok(Patch::one(self.range_of(std::slice::from_ref(line)), []))
    }

    pub(super) fn move_line(&self, line: u32, place: LinePlace) -> Result<Patch, EditError> {
        let line = self.movable(line)?;
        let (at, _) = self.place_of_line(place)?;
        let range = self.range_of(std::slice::from_ref(line));
        if (range.start..=range.end).contains(&at) {
            return Ok(Patch::default());
        }
        let text = self.tree.bytes(line.range.clone()).to_vec();
        let mut patch = self.insertion(at, &text).replacements().to_vec();
        patch.push(Replacement {
            range,
            text: Vec::new(),
        });
        Ok(Patch::of(patch))
    }

    pub(super) fn set_word(
        &self,
        line: u32,
        word: usize,
        value: &[u8],
    ) -> Result<Patch, EditError> {
        let line = self.line(line)?;
        let written = self.words(line)?;
        let mut words: Vec<Vec<u8>> = written.iter().map(|word| word.value.clone()).collect();
        let (range, text) = match (written.get(word), written.last()) {
            (Some(word), _) => (word.range.clone(), quote(value)?),
            (None, Some(last)) if word == written.len() => {
                let mut text = self.gap(last);
                text.extend_from_slice(&quote(value)?);
                (last.range.end..last.range.end, text)
            }
            (None, Some(_)) => {
                return Err(EditError::NoSuchWord {
                    line: line.number,
                    word,
                });
            }
            (None, None) => return Err(EditError::NoWords(line.number)),
        };
        match words.get_mut(word) {
            Some(place) => *place = value.to_vec(),
            None => words.push(value.to_vec()),
        }
        if words.len() > crate::lexer::MAX_WORDS {
            return Err(EditError::TooManyWords);
        }
        match self.starts_section(line) {
            true => self.is_section(&words)?,
            false => self.fits_in_section(&words)?,
        }
        Ok(Patch::one(range, text))
    }

    /// White space for a word behind this one. A space would become a part of a word that ends with a
    /// backslash.
    pub(super) fn gap(&self, word: &Written) -> Vec<u8> {
        match self.tree.bytes(word.range.clone()).ends_with(b"\\") {
            true => b"\t".to_vec(),
            false => b" ".to_vec(),
        }
    }

    /// A line that is not the start of a section, nor of a conditional block.
    fn movable(&self, line: u32) -> Result<&Line, EditError> {
        let line = self.line(line)?;
        if self.starts_section(line) {
            return Err(EditError::StartsSection(line.number));
        }
        if self.directive(line).is_some() {
            return Err(EditError::Conditional(line.number));
        }
        Ok(line)
    }

    /// Where a line goes, and a line whose indentation it gets.
    fn place_of_line(&self, place: LinePlace) -> Result<(usize, Option<&Line>), EditError> {
        match place {
            LinePlace::Before(line) => {
                let line = self.line(line)?;
                if self.starts_section(line) {
                    return Err(EditError::StartsSection(line.number));
                }
                Ok((line.range.start, self.sibling(line)))
            }
            LinePlace::After(line) => {
                let line = self.line(line)?;
                Ok((self.end_of(line), self.sibling(line)))
            }
            LinePlace::EndOf(head) => {
                let section = self.section_at(head)?;
                let last = self.last_that_counts(section);
                let last = last.ok_or(EditError::NoSection(head))?;
                Ok((self.end_of(last), self.sibling(last)))
            }
        }
    }

    /// This line if it can lend its indentation, else a line of its section that can.
    fn sibling<'a>(&'a self, line: &'a Line) -> Option<&'a Line> {
        let lends = |line: &&Line| {
            self.says_something(line)
                && !self.starts_section(line)
                && self.directive(line).is_none()
        };
        if lends(&line) {
            return Some(line);
        }
        let section = self.tree.section_of(line)?;
        self.tree.lines(section).iter().rfind(lends)
    }

    /// The white space a new line starts with.
    fn indentation(&self, sibling: Option<&Line>) -> Vec<u8> {
        let Some(sibling) = sibling else {
            return b"    ".to_vec();
        };
        match self.tree.tokens(sibling).first() {
            Some(token) if token.kind == TokenKind::Blank => {
                self.tree.bytes(token.range.clone()).to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Puts whole lines in, without their last line end, at the start of a line or the end of the text.
    pub(super) fn insertion(&self, at: usize, lines: &[u8]) -> Patch {
        let end = self.line_end();
        let last = self.tree.all_lines().last();
        let unfinished = last.filter(|line| at == self.length() && !line.ended);
        let mut text = Vec::with_capacity(lines.len() + 4);
        if let Some(line) = unfinished {
            // A carriage return that ends the text is half of a line end.
            let half = line.range.end < self.end_of(line);
            text.extend_from_slice(if half { b"\n" } else { end });
        }
        text.extend_from_slice(lines);
        text.extend_from_slice(end);
        Patch::one(at..at, text)
    }

    /// The last line of a section that says something outside conditional blocks.
    pub(super) fn last_that_counts(&self, section: &Section) -> Option<&Line> {
        let mut depth = 0_i64;
        let mut last = None;
        for line in self.tree.lines(section) {
            match self.directive(line).as_deref() {
                Some(b".if") => depth += 1,
                Some(b".endif") => depth -= 1,
                _ => {}
            }
            if depth <= 0 && self.says_something(line) {
                // A block that the section ends has begun outside it, and so do further lines.
                if depth < 0 {
                    break;
                }
                last = Some(line);
            }
        }
        last
    }

    /// The first word of a line, if it is a directive of a conditional block.
    pub(super) fn directive(&self, line: &Line) -> Option<Vec<u8>> {
        if self.dialect != Dialect::Layer7 {
            return None;
        }
        let first = self.first_word(line)?.value;
        first.starts_with(b".").then_some(first)
    }

    pub(super) fn starts_section(&self, line: &Line) -> bool {
        self.section_at(line.number).is_ok()
    }

    /// Whether these words can be a line of a section.
    pub(super) fn fits_in_section(&self, words: &[Vec<u8>]) -> Result<(), EditError> {
        let keyword = self.keyword(words)?;
        match self.is_section_keyword(keyword) || keyword.starts_with(b".") && self.has_directives()
        {
            true => Err(refused(keyword)),
            false => Ok(()),
        }
    }

    /// Whether these words start a section.
    pub(super) fn is_section(&self, words: &[Vec<u8>]) -> Result<(), EditError> {
        let keyword = self.keyword(words)?;
        match self.is_section_keyword(keyword) {
            true => Ok(()),
            false => Err(refused(keyword)),
        }
    }

    fn keyword<'w>(&self, words: &'w [Vec<u8>]) -> Result<&'w [u8], EditError> {
        let keyword = words.first().filter(|word| !word.is_empty());
        keyword.map(Vec::as_slice).ok_or(EditError::NoKeyword)
    }

    fn has_directives(&self) -> bool {
        self.dialect == Dialect::Layer7
    }

    fn is_section_keyword(&self, word: &[u8]) -> bool {
        match self.dialect {
            Dialect::Layer7 => section_keyword(word).is_some(),
            Dialect::Services => word == b"service",
        }
    }
}

fn refused(keyword: &[u8]) -> EditError {
    EditError::Keyword(crate::value::shown(keyword))
}
