use std::sync::Arc;

/// A text of a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A run of bytes of one text. Empty (`start == end`) it is a place between two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte, counted from 0.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// A span of byte offsets. Offsets past 4 GiB are clipped to that.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self {
            file,
            start: clip(start),
            end: clip(end),
        }
    }

    /// From the start of this one to the end of the other, which is in the same text.
    #[must_use]
    pub fn to(self, other: Span) -> Self {
        Self {
            file: self.file,
            start: self.start,
            end: other.end.max(self.start),
        }
    }
}

/// Where a byte is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1. A byte that is no UTF-8 counts as one character.
    pub column: u32,
}

/// The texts that spans point into, in memory.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

impl SourceMap {
    /// No texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name people know it by, for example `haproxy.cfg`.
    pub fn add(&mut self, name: impl Into<Arc<str>>, bytes: impl Into<Arc<[u8]>>) -> FileId {
        let bytes = bytes.into();
        let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| clip(at).saturating_add(1)))
            .collect();
        let id = FileId(clip(self.files.len()));
        self.files.push(File {
            name: name.into(),
            bytes,
            line_starts,
        });
        id
    }

    /// Every text, in the order added.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..clip(self.files.len())).map(FileId)
    }

    /// The first text of this name.
    pub fn find(&self, name: &str) -> Option<FileId> {
        self.ids()
            .zip(&self.files)
            .find(|(_, file)| &*file.name == name)
            .map(|(id, _)| id)
    }

    /// Name of a text; empty when there is no such text.
    pub fn name(&self, id: FileId) -> Arc<str> {
        self.file(id).map_or_else(|| "".into(), |f| f.name.clone())
    }

    /// A text; empty when there is no such text.
    pub fn bytes(&self, id: FileId) -> &[u8] {
        self.file(id).map_or(&[], |file| &file.bytes)
    }

    /// The bytes of a span, as far as they exist.
    pub fn slice(&self, span: Span) -> &[u8] {
        let bytes = self.bytes(span.file);
        let start = index(span.start).min(bytes.len());
        let end = index(span.end).clamp(start, bytes.len());
        bytes.get(start..end).unwrap_or_default()
    }

    /// Line and column of a byte offset. An offset past the end is the end.
    pub fn position(&self, id: FileId, offset: u32) -> Position {
        let Some(file) = self.file(id) else {
            return Position { line: 1, column: 1 };
        };
        let offset = offset.min(clip(file.bytes.len()));
        let line = file.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|at| file.line_starts.get(at));
        let before = Span {
            file: id,
            start: start.copied().unwrap_or(0),
            end: offset,
        };
        Position {
            line: clip(line),
            column: clip(characters(self.slice(before))).saturating_add(1),
        }
    }

    /// The span of a line, counted from 1, without its line end; `None` past the last line.
    pub fn line_span(&self, id: FileId, line: u32) -> Option<Span> {
        let file = self.file(id)?;
        let at = index(line).checked_sub(1)?;
        let start = index(*file.line_starts.get(at)?);
        let end = file
            .line_starts
            .get(at + 1)
            .map_or(file.bytes.len(), |next| index(*next).saturating_sub(1));
        let text = file.bytes.get(start..end)?;
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Some(Span::new(id, start, start + text.len()))
    }

    /// A line, counted from 1, without its line end; empty past the last line.
    pub fn line_text(&self, id: FileId, line: u32) -> &[u8] {
        self.line_span(id, line)
            .map_or(&[], |span| self.slice(span))
    }

    fn file(&self, id: FileId) -> Option<&File> {
        self.files.get(index(id.0))
    }
}

#[derive(Clone, Debug)]
struct File {
    name: Arc<str>,
    bytes: Arc<[u8]>,
    /// Offset of each line's first byte, ascending; the first is 0.
    line_starts: Vec<u32>,
}

/// Characters of a text in which every broken UTF-8 sequence counts as one.
fn characters(bytes: &[u8]) -> usize {
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + usize::from(!chunk.invalid().is_empty()))
        .sum()
}

fn clip(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &[u8]) -> (SourceMap, FileId) {
        let mut sources = SourceMap::new();
        let id = sources.add("a.cfg", text);
        (sources, id)
    }

    #[test]
    fn positions_count_characters_from_one() {
        let (sources, id) = map("é b\r\n\tc\n".as_bytes());
        let at = |offset| {
            let position = sources.position(id, offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 2), "é is two bytes and one column");
        assert_eq!(at(6), (2, 1));
        assert_eq!(at(7), (2, 2));
        assert_eq!(at(9), (3, 1), "after the last line end");
        assert_eq!(at(99), (3, 1), "past the end");
    }

    #[test]
    fn broken_utf8_counts_as_characters() {
        let (sources, id) = map(b"\xff\xfea");
        assert_eq!(sources.position(id, 2).column, 3);
    }

    #[test]
    fn lines_come_without_their_ends() {
        let (sources, id) = map(b"one\r\n\ntwo");
        assert_eq!(sources.line_text(id, 1), b"one");
        assert_eq!(sources.line_text(id, 2), b"");
        assert_eq!(sources.line_text(id, 3), b"two");
        assert_eq!(sources.line_text(id, 4), b"");
        assert_eq!(sources.line_text(id, 0), b"");
        assert_eq!(sources.line_text(FileId(7), 1), b"");
    }

    #[test]
    fn spans_that_do_not_fit_are_clipped() {
        let (sources, id) = map(b"abc");
        assert_eq!(sources.slice(Span::new(id, 1, 99)), b"bc");
        assert_eq!(sources.slice(Span::new(id, 50, 20)), b"");
        assert_eq!(sources.slice(Span::new(FileId(3), 0, 1)), b"");
    }

    #[test]
    fn texts_are_found_by_name() {
        let (mut sources, id) = map(b"");
        let other = sources.add("b.cfg", *b"x");
        assert_eq!(sources.find("a.cfg"), Some(id));
        assert_eq!(sources.find("b.cfg"), Some(other));
        assert_eq!(sources.find("c.cfg"), None);
        assert_eq!(&*sources.name(other), "b.cfg");
    }
}
