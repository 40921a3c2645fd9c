use std::ops::Range;

/// A line that cannot be cut into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexError {
    /// What is wrong.
    pub kind: LexErrorKind,
    /// Bytes of the line it is about.
    pub at: Range<usize>,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexErrorKind {
    /// `\x` without two hexadecimal digits.
    BadHex,
    /// A variable's `[` that is not `[*]`.
    BadExpansion,
    /// A variable name that does not start with a letter, `_` or a known `.NAME`.
    BadVariable,
    /// Variables make the line longer than [`MAX_LINE_VALUE`](super::MAX_LINE_VALUE).
    TooLong,
    /// More than [`MAX_WORDS`](super::MAX_WORDS) words.
    TooManyWords,
    /// `${` without `}`.
    UnmatchedBrace,
    /// A quote that is not closed on its line.
    UnmatchedQuote,
    /// A carriage return that does not end the line.
    StrayCarriageReturn,
    /// A NUL character.
    StrayNul,
}

/// Told what a word is made of, in order. Ranges are bytes of the line.
pub(crate) trait Listener {
    /// Bytes that stand for themselves.
    fn literal(&mut self, at: Range<usize>);
    /// An escape sequence and the byte it stands for.
    fn escape(&mut self, at: Range<usize>, value: u8);
    /// A quoted part starts.
    fn quote(&mut self);
    /// A variable.
    fn variable(&mut self, variable: Variable) -> Result<(), LexErrorKind>;
}

/// A variable inside double quotes. Ranges are bytes of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// All of it, from the `$` on.
    pub(crate) at: Range<usize>,
    /// Its name.
    pub(crate) name: Range<usize>,
    /// What stands after `-`: used when there is no such variable.
    pub(crate) default: Option<Range<usize>>,
    /// Whether its value is split into words (`[*]`).
    pub(crate) split: bool,
}

/// Wants to know nothing but where the word ends.
pub(crate) struct Silent;

impl Listener for Silent {
    fn literal(&mut self, _at: Range<usize>) {}
    fn escape(&mut self, _at: Range<usize>, _value: u8) {}
    fn quote(&mut self) {}
    fn variable(&mut self, _variable: Variable) -> Result<(), LexErrorKind> {
        Ok(())
    }
}

/// Separates words where neither quoted nor escaped. (HAProxy takes the C library's `isspace`; of
/// that, carriage returns and line feeds cannot be inside a line.)
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0b' | b'\x0c')
}

/// Scans the word that starts at `start` and returns where it ends.
///
/// `variables` says whether `$` means anything; it does not in the Services language.
pub(crate) fn scan_word(
    line: &[u8],
    start: usize,
    variables: bool,
    listener: &mut impl Listener,
) -> Result<usize, LexError> {
    let byte = |at: usize| line.get(at).copied();
    if let Some(end) = plain_word(line, start) {
        listener.literal(start..end);
        return Ok(end);
    }
    let mut at = start;
    let mut literal = start;
    let mut quoted: Option<(u8, usize)> = None;
    while let Some(here) = byte(at) {
        let quote = quoted.map(|(quote, _)| quote);
        let length = match here {
            0 => return Err(error(LexErrorKind::StrayNul, at..at + 1)),
            b'\r' => return Err(error(LexErrorKind::StrayCarriageReturn, at..at + 1)),
            b'#' if quote.is_none() => break,
            _ if quote.is_none() && is_blank(here) => break,
            b'"' | b'\'' if quote.is_none_or(|open| open == here) => {
                flush(listener, literal..at);
                if quote.is_some() {
                    quoted = None;
                } else {
                    quoted = Some((here, at));
                    listener.quote();
                }
                1
            }
            b'\\' if quote != Some(b'\'') => {
                let Some((length, value)) = escape(line, at, quote == Some(b'"'))? else {
                    at += 1;
                    continue;
                };
                flush(listener, literal..at);
                listener.escape(at..at + length, value);
                length
            }
            b'$' if variables && quote == Some(b'"') => {
                flush(listener, literal..at);
                let variable = variable(line, at)?;
                let end = variable.at.end;
                let whole = variable.at.clone();
                listener
                    .variable(variable)
                    .map_err(|kind| error(kind, whole))?;
                end - at
            }
            _ => {
                at += 1;
                continue;
            }
        };
        at += length;
        literal = at;
    }
    if let Some((_, open)) = quoted {
        return Err(error(LexErrorKind::UnmatchedQuote, open..open + 1));
    }
    flush(listener, literal..at);
    Ok(at)
}

/// Whether a byte outside quotes stands for itself and ends nothing.
const fn is_plain(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r' | b'\0' | b'#' | b'"' | b'\'' | b'\\'
    )
}

/// Where the word that starts at `start` ends, if all its bytes stand for themselves. Most words are
/// such, and need no look at each byte by what came before it.
pub(crate) fn plain_word(line: &[u8], start: usize) -> Option<usize> {
    let rest = line.get(start..)?;
    let length = rest.iter().take_while(|byte| is_plain(**byte)).count();
    let ends = rest
        .get(length)
        .is_none_or(|byte| is_blank(*byte) || *byte == b'#');
    (ends && length > 0).then_some(start + length)
}

fn flush(listener: &mut impl Listener, at: Range<usize>) {
    if !at.is_empty() {
        listener.literal(at);
    }
}

/// Length and value of the escape sequence at `at`; `None` when the backslash stands for itself.
fn escape(line: &[u8], at: usize, in_double_quotes: bool) -> Result<Option<(usize, u8)>, LexError> {
    let value = match line.get(at + 1) {
        Some(byte @ (b' ' | b'\\' | b'#' | b'\'' | b'"')) => *byte,
        Some(b'$') if in_double_quotes => b'$',
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'x') => {
            let digit = |at| {
                line.get(at)
                    .and_then(|digit| char::from(*digit).to_digit(16))
                    .and_then(|digit| u8::try_from(digit).ok())
            };
            let (Some(high), Some(low)) = (digit(at + 2), digit(at + 3)) else {
                let end = line.len().min(at + 4);
                return Err(error(LexErrorKind::BadHex, at..end));
            };
            return Ok(Some((4, high << 4 | low)));
        }
        _ => return Ok(None),
    };
    Ok(Some((2, value)))
}

/// The variable whose `$` is at `start`.
fn variable(line: &[u8], start: usize) -> Result<Variable, LexError> {
    let byte = |at: usize| line.get(at).copied();
    let mut at = start + 1;
    let brace = byte(at) == Some(b'{');
    if brace {
        at += 1;
    }
    let unmatched = || error(LexErrorKind::UnmatchedBrace, start + 1..start + 2);
    let name = at;
    match byte(at) {
        Some(first) if first.is_ascii_alphabetic() || matches!(first, b'_' | b'.') => at += 1,
        _ => {
            return Err(error(
                LexErrorKind::BadVariable,
                at..(at + 1).min(line.len()),
            ));
        }
    }
    while byte(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        at += 1;
    }
    let name = name..at;
    let mut split = false;
    let mut default = None;
    if brace {
        if byte(at) == Some(b'[') {
            if line.get(at..at + 3) != Some(b"[*]") {
                return Err(error(LexErrorKind::BadExpansion, at..at + 1));
            }
            split = true;
            at += 3;
        }
        if byte(at) == Some(b'-') {
            let from = at + 1;
            while byte(at).is_some_and(|byte| byte != b'}') {
                at += 1;
            }
            default = Some(from..at);
        }
        if byte(at) != Some(b'}') {
            return Err(unmatched());
        }
        at += 1;
    }
    Ok(Variable {
        at: start..at,
        name,
        default,
        split,
    })
}

fn error(kind: LexErrorKind, at: Range<usize>) -> LexError {
    LexError { kind, at }
}
