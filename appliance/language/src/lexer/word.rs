use std::borrow::Cow;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use lanai_diagnostics::Span;
use smallvec::SmallVec;

/// A word with its value, and the way back to the bytes it was written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Quotes removed, escapes and variables replaced. Any bytes.
    pub value: Value,
    /// Where it is written, quotes included.
    pub span: Span,
    /// How parts of the value were written, ascending; none when the value is written as it is.
    pub(super) parts: Option<Box<[Part]>>,
}

/// A word's value. Few are longer than what needs no memory of its own.
pub type Value = SmallVec<[u8; 16]>;

/// A part of a value and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// First byte of the value.
    pub(super) value: usize,
    /// Bytes of the file. As long as the part when it stands for itself.
    pub(super) written: Range<usize>,
    /// Whether it stands for itself byte by byte.
    pub(super) verbatim: bool,
}

impl Word {
    /// The value as text; bytes that are no UTF-8 are replaced, so that no keyword equals them.
    pub fn text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.value) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(&self.value),
        }
    }

    /// Whether the value is this keyword.
    #[inline]
    pub fn is(&self, keyword: &str) -> bool {
        self.value.as_slice() == keyword.as_bytes()
    }

    /// The value as a file's path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.value))
    }

    /// Where a part of the value was written.
    pub fn span_of(&self, part: Range<usize>) -> Span {
        let (start, end) = (self.start_of(part.start), self.end_of(part.end));
        Span {
            file: self.span.file,
            start: clip(start),
            end: clip(end.max(start)),
        }
    }

    fn start_of(&self, at: usize) -> usize {
        let Some(parts) = &self.parts else {
            return (index(self.span.start) + at).min(index(self.span.end));
        };
        let before = parts.partition_point(|part| part.value <= at);
        match before.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(part) if part.verbatim => {
                (part.written.start + at - part.value).min(part.written.end)
            }
            Some(part) => part.written.start,
            None => index(self.span.start),
        }
    }

    fn end_of(&self, at: usize) -> usize {
        let Some(parts) = &self.parts else {
            return (index(self.span.start) + at).min(index(self.span.end));
        };
        let before = parts.partition_point(|part| part.value < at);
        match before.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(part) if part.verbatim => {
                (part.written.start + at - part.value).min(part.written.end)
            }
            Some(part) => part.written.end,
            None => index(self.span.start),
        }
    }
}

fn clip(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
