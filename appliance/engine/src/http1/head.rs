//! The grammar that request and response heads share: lines and fields (RFC 9112, section 5).

use super::Framing;
use super::scan::{Line, line, lower_token, token};

/// Fields a head may have: HAProxy's `tune.http.maxhdr` of 101 counts the start line.
pub(crate) const MAX_FIELDS: usize = 100;

/// The outcome of reading a head that may not be whole yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<T> {
    /// The end is not there yet.
    Partial,
    /// A head, and its length in bytes.
    Whole(T, usize),
    /// It will never be one.
    Bad(BadHead),
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHead {
    /// It breaks the grammar, has more than [`MAX_FIELDS`] fields, or its framing is ambiguous.
    Syntax,
    /// A transfer coding other than `chunked` was applied.
    TransferCoding,
}

/// A part of the head, as offsets, so that the head may move with its buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // Buffers are far smaller than 4 GB.
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) fn of(self, head: &[u8]) -> &[u8] {
        head.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn is(self, start: usize, end: usize) -> bool {
        (self.start as usize, self.end as usize) == (start, end)
    }

    /// Takes in what stands right behind it.
    pub(super) fn extend(&mut self, more: Self) -> bool {
        let adjoins = self.end == more.start;
        if adjoins {
            self.end = more.end;
        }
        adjoins
    }

    /// From its start to `bytes` behind the end of `last`.
    pub(super) fn through(self, last: Self, bytes: u32) -> Self {
        Self {
            start: self.start,
            end: last.end + bytes,
        }
    }

    /// Whether `other` follows after one space.
    pub(super) fn space_before(self, other: Self, head: &[u8]) -> bool {
        self.end + 1 == other.start && head.get(self.end as usize) == Some(&b' ')
    }
}

/// Fields whose meaning concerns the connection or the framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Connection,
    ContentLength,
    Host,
    Te,
    TransferEncoding,
    Upgrade,
    Other,
    /// Not to be forwarded: a repetition of one that is.
    Repeated,
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: Span,
    pub(crate) value: Span,
    pub(crate) known: Known,
    /// Its line stands in the head as it goes out.
    pub(super) plain: bool,
}

impl Field {
    /// The whole of a plain one's line.
    pub(super) fn line(&self) -> Span {
        self.name.through(self.value, 2)
    }

    fn size(&self) -> usize {
        self.name.len() + self.value.len()
    }
}

/// The field lines of a head, in order. Kept by a connection from message to message, so that it
/// allocates once.
pub(crate) type Fields = Vec<Field>;

/// What the fields say about framing and persistence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meaning {
    pub(super) content_length: Option<u64>,
    pub(super) transfer_encodings: u32,
    /// The only transfer coding is `chunked`.
    pub(super) chunked: bool,
    /// The last coding is `chunked`, after others.
    pub(super) coded_then_chunked: bool,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) connection_upgrade: bool,
    pub(super) upgrade: bool,
    pub(super) hosts: u32,
    /// Bytes of names and values, without what ends here.
    size: usize,
    /// Those of `Content-Length` in it.
    length_size: usize,
}

impl Meaning {
    /// The framing of a message that has a body, if the fields say one.
    pub(super) fn framing(&self) -> Result<Option<Framing>, BadHead> {
        if self.transfer_encodings > 0 {
            return match (
                self.transfer_encodings,
                self.chunked,
                self.coded_then_chunked,
            ) {
                (1, true, _) => Ok(Some(Framing::Chunked)),
                (1, false, true) => Err(BadHead::TransferCoding),
                _ => Err(BadHead::Syntax),
            };
        }
        Ok(self.content_length.map(Framing::Length))
    }

    /// Bytes of names and values: what HAProxy's `%B` counts of a head's fields. Those that end here are
    /// not counted.
    pub(super) fn size(&self, chunked: bool) -> u64 {
        let ended = if chunked { self.length_size } else { 0 };
        (self.size - ended) as u64
    }

    /// Both kinds of framing came at once: chunks win, and the connection must not be used further
    /// (RFC 9112, section 6.1).
    pub(super) fn is_ambiguous(&self) -> bool {
        self.transfer_encodings > 0 && self.content_length.is_some()
    }
}

/// Length of the empty lines before a start line (RFC 9112, section 2.2).
pub(super) fn leading_empty_lines(head: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match (head.get(at), head.get(at + 1)) {
            (Some(b'\n'), _) => at += 1,
            (Some(b'\r'), Some(b'\n')) => at += 2,
            _ => return at,
        }
    }
}

/// Reads the field lines from `at` up to and including the empty line. What is normalised in place:
/// names become lower case, and the line ends inside a folded line become spaces.
///
/// Returns the length of the head; `Partial` when its end is not there.
pub(super) fn fields(head: &mut [u8], mut at: usize, out: &mut Fields) -> Parsed<()> {
    out.clear();
    loop {
        match head.get(at..) {
            Some([b'\n', ..]) => return Parsed::Whole((), at + 1),
            Some([b'\r', b'\n', ..]) => return Parsed::Whole((), at + 2),
            _ => {}
        }
        let colon = at + lower_token(head.get_mut(at..).unwrap_or_default());
        let Some(mut line) = line(head, colon) else {
            return Parsed::Partial;
        };
        if let Some(b' ' | b'\t') = head.get(line.next) {
            match unfold(head, line) {
                Some(whole) => line = whole,
                None => return Parsed::Partial,
            }
        }
        if head.get(line.next).is_none() {
            // Whether the next line continues this one is not known yet.
            return Parsed::Partial;
        }
        if out.len() == MAX_FIELDS {
            return Parsed::Bad(BadHead::Syntax);
        }
        match field(head, at, colon, line) {
            Some(field) => out.push(field),
            None => return Parsed::Bad(BadHead::Syntax),
        }
        at = line.next;
    }
}

/// Joins a line with those that start with white space and so continue it (RFC 9112, section 5.2).
fn unfold(head: &mut [u8], mut whole: Line) -> Option<Line> {
    while let Some(b' ' | b'\t') = head.get(whole.next) {
        let more = line(head, whole.next)?;
        if let Some(fold) = head.get_mut(whole.end..whole.next) {
            fold.fill(b' ');
        }
        whole = Line {
            clean: whole.clean && more.clean,
            ..more
        };
    }
    Some(whole)
}

/// The field of a line whose name ends at `colon`.
fn field(head: &[u8], at: usize, colon: usize, line: Line) -> Option<Field> {
    if colon == at || head.get(colon) != Some(&b':') || !line.clean {
        return None;
    }
    let is_space = |at: usize| matches!(head.get(at), Some(b' ' | b'\t'));
    let (mut start, mut end) = (colon + 1, line.end);
    while start < end && is_space(start) {
        start += 1;
    }
    while end > start && is_space(end - 1) {
        end -= 1;
    }
    let (name, value) = (Span::new(at, colon), Span::new(start, end));
    let spaced = start == colon + 2 && head.get(colon + 1) == Some(&b' ');
    Some(Field {
        name,
        value,
        known: known(name.of(head)),
        plain: spaced && line.next == end + 2 && line.end == end,
    })
}

/// A line by itself that is to be a field: a trailer's.
pub(super) fn lone_field(text: &[u8]) -> Option<Field> {
    let (end, clean) = (
        text.len(),
        !text.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)),
    );
    let next = end;
    field(text, 0, token(text), Line { end, next, clean })
}

/// Learns what the fields mean together. Repeated `Content-Length` and `Host` fields that agree are
/// marked, those that do not are refused.
pub(super) fn meaning(head: &[u8], fields: &mut Fields) -> Result<Meaning, BadHead> {
    let mut meaning = Meaning::default();
    let mut host = Span::default();
    for field in fields.iter_mut() {
        if field.known == Known::Other {
            meaning.size += field.size();
            continue;
        }
        let value = field.value.of(head);
        match field.known {
            Known::ContentLength => {
                let length = content_length(value).ok_or(BadHead::Syntax)?;
                match meaning.content_length.replace(length) {
                    Some(before) if before != length => return Err(BadHead::Syntax),
                    Some(_) => field.known = Known::Repeated,
                    None => {}
                }
                // `3, 3` is one value, sent once.
                if let Some(comma) = value.iter().position(|&b| b == b',') {
                    field.plain = false;
                    field.value.end = field.value.start + comma as u32;
                    let trimmed = field.value.of(head).trim_ascii_end().len() as u32;
                    field.value.end = field.value.start + trimmed;
                }
                if field.known == Known::ContentLength {
                    meaning.length_size = field.size();
                }
            }
            Known::TransferEncoding => {
                meaning.transfer_encodings += 1;
                let mut codings = tokens(value);
                let last = codings.next_back();
                let chunked = last.is_some_and(|c| c.eq_ignore_ascii_case(b"chunked"));
                let others: Vec<_> = codings.take(8).collect();
                meaning.chunked = chunked && others.is_empty();
                let twice = others.iter().any(|c| c.eq_ignore_ascii_case(b"chunked"));
                meaning.coded_then_chunked = chunked && !others.is_empty() && !twice;
            }
            Known::Connection => {
                for token in tokens(value) {
                    meaning.close |= token.eq_ignore_ascii_case(b"close");
                    meaning.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                    meaning.connection_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
                }
            }
            Known::Upgrade => meaning.upgrade = true,
            Known::Host => {
                meaning.hosts += 1;
                if meaning.hosts == 1 {
                    host = field.value;
                } else if host.of(head) == value {
                    field.known = Known::Repeated;
                } else {
                    return Err(BadHead::Syntax);
                }
            }
            Known::Te | Known::Other | Known::Repeated => {}
        }
        meaning.size += match field.known {
            Known::Repeated => 0,
            Known::Connection => connection_size(value),
            _ => field.size(),
        };
    }
    Ok(meaning)
}

/// The elements of a comma-separated list (RFC 9110, section 5.6.1).
pub(super) fn tokens(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value
        .split(|&b| b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|t| !t.is_empty())
}

fn connection_size(value: &[u8]) -> usize {
    match forwarded_tokens(value).map(|t| t.len() + 2).sum::<usize>() {
        0 => 0,
        kept => "connection".len() + kept - 2,
    }
}

/// The tokens of a `Connection` field that concern more than this hop.
pub(super) fn forwarded_tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let hop =
        |t: &&[u8]| !t.eq_ignore_ascii_case(b"close") && !t.eq_ignore_ascii_case(b"keep-alive");
    tokens(value).filter(hop)
}

/// A name in lower case, or a trailer's, in which none of these may stand in any case.
fn known(name: &[u8]) -> Known {
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    match name.len() {
        2 if is(b"te") => Known::Te,
        4 if is(b"host") => Known::Host,
        7 if is(b"upgrade") => Known::Upgrade,
        10 if is(b"connection") => Known::Connection,
        14 if is(b"content-length") => Known::ContentLength,
        17 if is(b"transfer-encoding") => Known::TransferEncoding,
        _ => Known::Other,
    }
}

/// A length, or a list of equal ones (RFC 9110, section 8.6).
fn content_length(value: &[u8]) -> Option<u64> {
    // So many digits cannot overflow.
    if (1..=19).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) {
        return Some(value.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')));
    }
    let mut length = None;
    for item in value.split(|&b| b == b',') {
        let digits = item.trim_ascii();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let n = digits.iter().try_fold(0_u64, |n, d| {
            n.checked_mul(10)?.checked_add(u64::from(d - b'0'))
        })?;
        if length.replace(n).is_some_and(|before| before != n) {
            return None;
        }
    }
    length
}
