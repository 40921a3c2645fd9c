//! A text cut into sections, lines and words, without losing a byte.
//!
//! Cutting never fails: whatever cannot be a word is kept as [`TokenKind::Junk`] and reported when
//! the line is read. Printing a tree gives the same bytes back, so that an edit of one line leaves
//! all others, comments and white space as they were written.

use std::ops::Range;

use lanai_diagnostics::FileId;

use crate::lexer::{self, Silent, is_blank, scan_word};

/// Which words start a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// HAProxy's language.
    #[default]
    Layer7,
    /// The Services tab's language, in which `service` does, and `$` means nothing.
    Services,
}

/// Section keywords of HAProxy 3.2. Known all, so that lines of a section that is not supported are
/// not taken for lines of the one before.
pub const SECTIONS: &[&str] = &[
    "acme",
    "backend",
    "cache",
    "crt-store",
    "defaults",
    "fcgi-app",
    "frontend",
    "global",
    "healthcheck",
    "http-errors",
    "listen",
    "log-forward",
    "log-profile",
    "mailers",
    "peers",
    "program",
    "resolvers",
    "ring",
    "traces",
    "userlist",
];

/// The section keyword that a word is.
pub(crate) fn section_keyword(word: &[u8]) -> Option<&'static str> {
    let mut known = SECTIONS.iter().copied();
    known.find(|section| section.as_bytes() == word)
}

/// A text and how it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    source: Vec<u8>,
    tokens: Vec<Token>,
    lines: Vec<Line>,
    sections: Vec<Section>,
}

/// A run of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Bytes of the text.
    pub range: Range<usize>,
}

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// White space between words.
    Blank,
    /// `#` and all that follows.
    Comment,
    /// From the word that cannot be read to the end of the line.
    Junk,
    /// The line end: `\n`, `\r\n`, or a `\r` at the very end of the text.
    LineEnd,
    /// A word as written, quotes included.
    Word,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number, counted from 1.
    pub number: u32,
    /// Bytes of the text, without the line end.
    pub range: Range<usize>,
    /// Whether a line end follows; the last line may have none.
    pub ended: bool,
    tokens: Range<usize>,
}

/// A line that starts a section and those that follow it. Lines before the first section keyword
/// are a section without keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The word that starts it, as written.
    pub keyword: Option<Range<usize>>,
    lines: Range<usize>,
}

impl Tree {
    /// The text again, put together from the tokens.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.source.len());
        for section in &self.sections {
            for line in self.lines(section) {
                for token in self.tokens(line) {
                    out.extend_from_slice(self.bytes(token.range.clone()));
                }
            }
        }
        out
    }

    /// The sections, in order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// All lines, in order.
    pub fn all_lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lines of a section of this tree, the one that starts it first.
    pub fn lines(&self, section: &Section) -> &[Line] {
        self.lines.get(section.lines.clone()).unwrap_or_default()
    }

    /// The section that a line of this tree is in.
    pub fn section_of(&self, line: &Line) -> Option<&Section> {
        let at = usize::try_from(line.number).ok()?.checked_sub(1)?;
        let after = self
            .sections
            .partition_point(|section| section.lines.start <= at);
        self.sections.get(after.checked_sub(1)?)
    }

    /// What a line of this tree is made of, white space, comment and line end included.
    pub fn tokens(&self, line: &Line) -> &[Token] {
        self.tokens.get(line.tokens.clone()).unwrap_or_default()
    }

    /// Bytes of the text.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.source.get(range).unwrap_or_default()
    }
}

/// Cuts a Layer 7 text.
pub fn parse(bytes: &[u8]) -> Tree {
    parse_as(bytes, Dialect::Layer7)
}

/// Cuts a text.
pub fn parse_as(bytes: &[u8], dialect: Dialect) -> Tree {
    let mut tree = Tree {
        source: bytes.to_vec(),
        tokens: Vec::new(),
        lines: Vec::new(),
        sections: vec![Section {
            keyword: None,
            lines: 0..0,
        }],
    };
    for line in raw_lines(bytes) {
        let text = bytes.get(line.range.clone()).unwrap_or_default();
        let first = tree.tokens.len();
        let keyword = cut(text, line.range.start, dialect, &mut tree.tokens);
        if line.range.end < line.whole {
            tree.tokens.push(Token {
                kind: TokenKind::LineEnd,
                range: line.range.end..line.whole,
            });
        }
        if let Some(keyword) = keyword
            && starts_section(bytes.get(keyword.clone()).unwrap_or_default(), dialect)
        {
            tree.sections.push(Section {
                keyword: Some(keyword),
                lines: tree.lines.len()..tree.lines.len(),
            });
        }
        tree.lines.push(Line {
            number: line.number,
            range: line.range,
            ended: line.ended,
            tokens: first..tree.tokens.len(),
        });
        if let Some(section) = tree.sections.last_mut() {
            section.lines.end = tree.lines.len();
        }
    }
    tree
}

/// A line that is not cut into words yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLine {
    /// Number, counted from 1.
    pub(crate) number: u32,
    /// Bytes of the text, without the line end.
    pub(crate) range: Range<usize>,
    /// Whether a line end follows; the last line may have none.
    pub(crate) ended: bool,
    /// Where the next line starts.
    whole: usize,
}

/// The lines of a text, in order.
pub(crate) fn raw_lines(bytes: &[u8]) -> impl Iterator<Item = RawLine> + '_ {
    let (mut start, mut number) = (0, 0_u32);
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let feed = memchr::memchr(b'\n', rest);
        let length = feed.unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        number = number.saturating_add(1);
        let line = RawLine {
            number,
            range: start..start + text.len(),
            ended: feed.is_some(),
            whole: start + length + usize::from(feed.is_some()),
        };
        start = line.whole;
        Some(line)
    })
}

/// Cuts a line into tokens and returns its first word.
fn cut(
    line: &[u8],
    offset: usize,
    dialect: Dialect,
    tokens: &mut Vec<Token>,
) -> Option<Range<usize>> {
    let variables = dialect == Dialect::Layer7;
    let mut first = None;
    let mut at = 0;
    while let Some(byte) = line.get(at).copied() {
        let rest = line.get(at..).unwrap_or_default();
        let (kind, end) = if byte == b'#' {
            (TokenKind::Comment, line.len())
        } else if is_blank(byte) {
            let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
            (TokenKind::Blank, at + blanks)
        } else {
            match scan_word(line, at, variables, &mut Silent) {
                Ok(end) => (TokenKind::Word, end),
                Err(_) => (TokenKind::Junk, line.len()),
            }
        };
        // The scanner stops at blanks and comments only, which are handled above, so it moves on;
        // should it not, the rest is junk rather than a line that never ends.
        let (kind, end) = if end > at {
            (kind, end)
        } else {
            (TokenKind::Junk, line.len())
        };
        let range = offset + at..offset + end;
        if first.is_none() && kind == TokenKind::Word {
            first = Some(range.clone());
        }
        tokens.push(Token { kind, range });
        at = end;
    }
    first
}

fn starts_section(word: &[u8], dialect: Dialect) -> bool {
    // In quotes it is the same word.
    let plain;
    let word = match word.iter().any(|byte| b"\"'\\".contains(byte)) {
        true => {
            plain = lexer::words(word, FileId::default(), 0, None).unwrap_or_default();
            plain.first().map_or(word, |word| &word.value)
        }
        false => word,
    };
    match dialect {
        Dialect::Layer7 => section_keyword(word).is_some(),
        Dialect::Services => word == b"service",
    }
}

#[cfg(test)]
mod tests;
