//! Edits of whole sections.

use std::ops::Range;

use super::quote::joined;
use super::{EditError, Patch, Place, Replacement, Text};
use crate::tree::{Line, Section, TokenKind};

impl Text {
    pub(super) fn add_section(
        &self,
        head: &[Vec<u8>],
        lines: &[Vec<Vec<u8>>],
        place: Place,
    ) -> Result<Patch, EditError> {
        self.is_section(head)?;
        let end = self.line_end();
        let mut text = joined(head)?;
        for words in lines {
            self.fits_in_section(words)?;
            text.extend_from_slice(end);
            text.extend_from_slice(b"    ");
            text.extend_from_slice(&joined(words)?);
        }
        let (at, apart) = self.place_of_section(place)?;
        Ok(self.put(at, apart, &text))
    }

    pub(super) fn remove_section(&self, line: u32) -> Result<Patch, EditError> {
        let section = self.section_at(line)?;
        let lines = self.lines_that_go(section)?;
        // The empty lines that kept it apart from the next go with it.
        let after = self.lines_from(lines.end);
        let empty = after.iter().take_while(|line| self.is_empty_line(line));
        let last = empty.last().map_or(lines.end, |line| self.end_of(line));
        Ok(Patch::one(lines.start..last, []))
    }

    pub(super) fn move_section(&self, line: u32, place: Place) -> Result<Patch, EditError> {
        let section = self.section_at(line)?;
        let goes = self.lines_that_go(section)?;
        if matches!(place, Place::Before(other) | Place::After(other) if other == line) {
            return Err(EditError::IntoItself(line));
        }
        let (at, apart) = self.place_of_section(place)?;
        let removed = self.remove_section(line)?;
        let here = |part: &Replacement| (part.range.start..=part.range.end).contains(&at);
        if removed.replacements().iter().any(here) {
            return Ok(Patch::default());
        }
        let text = self.tree.bytes(goes).to_vec();
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut parts = self.put(at, apart, text).replacements().to_vec();
        parts.extend_from_slice(removed.replacements());
        Ok(Patch::of(parts))
    }

    /// The section that a line starts.
    pub(super) fn section_at(&self, line: u32) -> Result<&Section, EditError> {
        let section = self.tree.section_of(self.line(line)?);
        let starts = |section: &&Section| {
            let first = self.tree.lines(section).first();
            section.keyword.is_some() && first.is_some_and(|first| first.number == line)
        };
        section.filter(starts).ok_or(EditError::NoSection(line))
    }

    /// The bytes of a section: from the comment directly above it to its last line that says
    /// something. What follows, comments and empty lines, is of whatever comes next.
    fn lines_that_go(&self, section: &Section) -> Result<Range<usize>, EditError> {
        let lines = self.tree.lines(section);
        let last = lines.iter().rposition(|line| self.says_something(line));
        let lines = lines.get(..=last.unwrap_or_default()).unwrap_or_default();
        let mut depth = 0_i64;
        for line in lines {
            match self.directive(line).as_deref() {
                Some(b".if") => depth += 1,
                Some(b".endif") => depth -= 1,
                Some(b".elif" | b".else") if depth == 0 => depth = -1,
                _ => {}
            }
            if depth < 0 {
                return Err(EditError::Conditional(line.number));
            }
        }
        if depth > 0 {
            let last = lines.last().map_or(0, |line| line.number);
            return Err(EditError::Conditional(last));
        }
        let range = self.range_of(lines);
        let start = lines
            .first()
            .map_or(range.start, |head| self.start_with_comment(head));
        Ok(start..range.end)
    }

    /// Where the comment directly above a section starts; the section's own start without one. It
    /// is the section's if it is not indented further, and an empty line or nothing is above it.
    fn start_with_comment(&self, head: &Line) -> usize {
        let all = self.tree.all_lines();
        let head_at = all.partition_point(|line| line.number < head.number);
        let above = all.get(..head_at).unwrap_or_default();
        let indented = |line: &Line| {
            let first = self.tree.tokens(line).first();
            first.is_some_and(|token| token.kind == TokenKind::Blank)
        };
        let comments = above.iter().rev();
        let count = comments
            .take_while(|line| self.is_comment(line) && indented(line) == indented(head))
            .count();
        let (rest, comment) = above.split_at(above.len() - count);
        let apart = rest.last().is_none_or(|line| self.is_empty_line(line));
        match comment.first() {
            Some(first) if apart => first.range.start,
            _ => head.range.start,
        }
    }

    pub(super) fn is_empty_line(&self, line: &Line) -> bool {
        let mut tokens = self.tree.tokens(line).iter();
        tokens.all(|token| matches!(token.kind, TokenKind::Blank | TokenKind::LineEnd))
    }

    /// Lines that start at or after a byte.
    fn lines_from(&self, at: usize) -> &[Line] {
        let all = self.tree.all_lines();
        let first = all.partition_point(|line| line.range.start < at);
        all.get(first..).unwrap_or_default()
    }

    /// Where a section goes, and whether an empty line is wanted above it and below it.
    fn place_of_section(&self, place: Place) -> Result<(usize, (bool, bool)), EditError> {
        match place {
            Place::Before(line) => {
                let section = self.section_at(line)?;
                let head = self.tree.lines(section).first();
                let at = head.map_or(0, |head| self.start_with_comment(head));
                Ok((at, (false, true)))
            }
            Place::After(line) => {
                let section = self.section_at(line)?;
                let lines = self.tree.lines(section);
                let last = lines.iter().rfind(|line| self.says_something(line));
                Ok((last.map_or(0, |last| self.end_of(last)), (true, false)))
            }
            Place::End => Ok((self.length(), (self.length() > 0, false))),
        }
    }

    /// Puts a section in, with empty lines around it where there are none.
    fn put(&self, at: usize, (above, below): (bool, bool), section: &[u8]) -> Patch {
        let end = self.line_end();
        let before = self
            .tree
            .all_lines()
            .iter()
            .rfind(|line| line.range.start < at);
        let above = above && before.is_some_and(|line| !self.is_empty_line(line));
        let mut text = Vec::new();
        if above {
            text.extend_from_slice(end);
        }
        text.extend_from_slice(section);
        if below {
            text.extend_from_slice(end);
        }
        self.insertion(at, &text)
    }
}
