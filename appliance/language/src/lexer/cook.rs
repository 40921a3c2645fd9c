use std::ops::Range;

use lanai_diagnostics::{FileId, Span};

use super::scan::{LexError, LexErrorKind, Listener, Variable, is_blank, plain_word, scan_word};
use super::word::{Part, Value, Word};
use super::{MAX_LINE_VALUE, MAX_WORDS};
use crate::Environment;

/// What variables of a line may ask about.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// Variables by name.
    pub environment: &'a Environment,
    /// `.FILE`: name of the file.
    pub file: &'a str,
    /// `.LINE`: number of the line.
    pub line: u32,
    /// `.SECTION`: name of the section, or its kind when it has none.
    pub section: &'a str,
}

/// The words of a line with their values.
///
/// `line` is the line without its end, and starts at byte `offset` of the file. Without `variables`
/// a `$` is a character like any other.
///
/// # Errors
/// The first place where the line cannot be cut into words.
pub fn words(
    line: &[u8],
    file: FileId,
    offset: usize,
    variables: Option<Variables<'_>>,
) -> Result<Vec<Word>, LexError> {
    let mut words = Vec::with_capacity(8);
    let mut total = 0;
    let mut at = 0;
    loop {
        while line.get(at).copied().is_some_and(is_blank) {
            at += 1;
        }
        if matches!(line.get(at), None | Some(b'#')) {
            return Ok(words);
        }
        if let Some(end) = plain_word(line, at) {
            words.push(Word {
                value: Value::from_slice(line.get(at..end).unwrap_or_default()),
                span: Span::new(file, offset + at, offset + end),
                parts: None,
            });
            if words.len() > MAX_WORDS {
                return Err(too_many(at..end));
            }
            at = end;
            continue;
        }
        let mut cook = Cook {
            line,
            file,
            offset,
            variables,
            room: MAX_LINE_VALUE.saturating_sub(total),
            used: 0,
            start: at,
            value: Value::new(),
            parts: Vec::new(),
            quoted: false,
            elided: false,
            done: Vec::new(),
        };
        let end = scan_word(line, at, variables.is_some(), &mut cook)?;
        total += cook.used;
        cook.finish(end, &mut words);
        if words.len() > MAX_WORDS {
            return Err(too_many(at..end));
        }
        at = end;
    }
}

fn too_many(at: Range<usize>) -> LexError {
    LexError {
        kind: LexErrorKind::TooManyWords,
        at,
    }
}

/// Builds the value of a word; several words where a variable is split.
struct Cook<'a> {
    line: &'a [u8],
    file: FileId,
    offset: usize,
    variables: Option<Variables<'a>>,
    /// Bytes the line may still grow by.
    room: usize,
    used: usize,
    /// First byte of the word in the line.
    start: usize,
    value: Value,
    parts: Vec<Part>,
    quoted: bool,
    /// A variable that was to be split had no value: alone in its quotes, it makes no word at all.
    elided: bool,
    done: Vec<Word>,
}

impl Cook<'_> {
    fn part(&mut self, at: Range<usize>, verbatim: bool) {
        self.parts.push(Part {
            value: self.value.len(),
            written: self.offset + at.start..self.offset + at.end,
            verbatim,
        });
    }

    fn cut(&mut self, end: usize) {
        let start = self.start;
        let value = std::mem::take(&mut self.value);
        let parts = std::mem::take(&mut self.parts);
        let as_written =
            !self.quoted && matches!(parts.as_slice(), [part] if part.verbatim && part.value == 0);
        self.done.push(Word {
            value,
            span: Span::new(self.file, self.offset + start, self.offset + end),
            parts: (!as_written && !parts.is_empty()).then(|| parts.into_boxed_slice()),
        });
    }

    fn finish(mut self, end: usize, words: &mut Vec<Word>) {
        let nothing = self.value.is_empty() && self.elided;
        if !nothing {
            self.cut(end);
        }
        words.append(&mut self.done);
    }

    fn value_of(&self, variable: &Variable) -> Result<Option<Vec<u8>>, LexErrorKind> {
        let Some(variables) = self.variables else {
            return Ok(None);
        };
        let name = self.line.get(variable.name.clone()).unwrap_or_default();
        let value = match name {
            b".FILE" => Some(variables.file.as_bytes().to_vec()),
            b".LINE" => Some(variables.line.to_string().into_bytes()),
            b".SECTION" => Some(variables.section.as_bytes().to_vec()),
            [b'.', ..] => return Err(LexErrorKind::BadVariable),
            name => str::from_utf8(name)
                .ok()
                .and_then(|name| variables.environment.get(name))
                .map(<[u8]>::to_vec),
        };
        Ok(value.or_else(|| {
            let default = variable.default.clone()?;
            Some(self.line.get(default)?.to_vec())
        }))
    }
}

impl Listener for Cook<'_> {
    fn literal(&mut self, at: Range<usize>) {
        self.part(at.clone(), true);
        self.value
            .extend_from_slice(self.line.get(at).unwrap_or_default());
    }

    fn escape(&mut self, at: Range<usize>, value: u8) {
        self.part(at, false);
        self.value.push(value);
    }

    fn quote(&mut self) {
        self.quoted = true;
    }

    fn variable(&mut self, variable: Variable) -> Result<(), LexErrorKind> {
        let value = self.value_of(&variable)?.unwrap_or_default();
        self.used += value.len();
        if self.used > self.room {
            return Err(LexErrorKind::TooLong);
        }
        self.quoted = true;
        if !variable.split {
            self.part(variable.at, false);
            self.value.extend_from_slice(&value);
            return Ok(());
        }
        self.elided |= value.is_empty();
        let space = |byte: &u8| is_blank(*byte) || matches!(byte, b'\r' | b'\n');
        let mut rest = value.as_slice();
        while !rest.is_empty() {
            let end = rest.iter().position(space).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            self.part(variable.at.clone(), false);
            self.value.extend_from_slice(word);
            let gap = after.iter().take_while(|byte| space(byte)).count();
            if gap > 0 {
                self.elided = true;
                if !self.value.is_empty() {
                    self.cut(variable.at.end);
                }
                if self.done.len() > MAX_WORDS {
                    return Err(LexErrorKind::TooManyWords);
                }
            }
            rest = after.get(gap..).unwrap_or_default();
        }
        Ok(())
    }
}
