//! The grammar that request and response heads share: lines and fields (RFC 9112, section 5).

use super::Framing;

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

    /// Both kinds of framing came at once: chunks win, and the connection must not be used further
    /// (RFC 9112, section 6.1).
    pub(super) fn is_ambiguous(&self) -> bool {
        self.transfer_encodings > 0 && self.content_length.is_some()
    }
}

/// Where the next line ends: (end of its text, start of the next line). `None`: not there yet.
pub(super) fn line_end(head: &[u8], from: usize) -> Option<(usize, usize)> {
    let newline = from + memchr::memchr(b'\n', head.get(from..)?)?;
    let text = if newline > from && head.get(newline - 1) == Some(&b'\r') {
        newline - 1
    } else {
        newline
    };
    Some((text, newline + 1))
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

/// Reads the field lines from `at` up to and including the empty line. Folded lines are unfolded in
/// place: the line end becomes spaces.
///
/// Returns the length of the head; `Partial` when its end is not there.
pub(super) fn fields(head: &mut [u8], mut at: usize, out: &mut Fields) -> Parsed<()> {
    out.clear();
    loop {
        let Some((mut end, mut next)) = line_end(head, at) else {
            return Parsed::Partial;
        };
        if end == at {
            return Parsed::Whole((), next);
        }
        // A line that starts with white space continues the one before; more than one may follow.
        while let Some(b' ' | b'\t') = head.get(next) {
            if let Some(fold) = head.get_mut(end..next) {
                fold.fill(b' ');
            }
            match line_end(head, next) {
                Some(more) => (end, next) = more,
                None => return Parsed::Partial,
            }
        }
        if head.get(next).is_none() {
            // Whether the next line continues this one is not known yet.
            return Parsed::Partial;
        }
        if out.len() == MAX_FIELDS {
            return Parsed::Bad(BadHead::Syntax);
        }
        match field(head, at, end) {
            Some(field) => out.push(field),
            None => return Parsed::Bad(BadHead::Syntax),
        }
        at = next;
    }
}

/// Learns what the fields mean together. Repeated `Content-Length` and `Host` fields that agree are
/// marked, those that do not are refused.
pub(super) fn meaning(head: &[u8], fields: &mut Fields) -> Result<Meaning, BadHead> {
    let mut meaning = Meaning::default();
    let mut host = Span::default();
    for field in fields.iter_mut() {
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
                    field.value.end = field.value.start + comma as u32;
                    let trimmed = field.value.of(head).trim_ascii_end().len() as u32;
                    field.value.end = field.value.start + trimmed;
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

/// Appends the fields that go on as they are, in HAProxy's form.
///
/// `Connection` loses the tokens that concern this hop only, `TE` all but `trailers`.
pub(super) fn write_fields(head: &[u8], fields: &Fields, keep_length: bool, out: &mut Vec<u8>) {
    for field in fields {
        let (name, value) = (field.name.of(head), field.value.of(head));
        match field.known {
            Known::Connection => {
                let mut first = true;
                for token in forwarded_tokens(value) {
                    out.extend_from_slice(if first { b"connection: " } else { b", " });
                    out.extend_from_slice(token);
                    first = false;
                }
                if !first {
                    out.extend_from_slice(b"\r\n");
                }
            }
            Known::Te => {
                if tokens(value).any(|t| t.eq_ignore_ascii_case(b"trailers")) {
                    out.extend_from_slice(b"te: trailers\r\n");
                }
            }
            Known::ContentLength if !keep_length => {}
            Known::Repeated => {}
            _ => write_field(name, value, out),
        }
    }
}

/// Appends one field with its name in lower case.
pub(super) fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name);
    if let Some(written) = out.get_mut(start..) {
        written.make_ascii_lowercase();
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Bytes of names and values: what HAProxy's `%B` counts of a head's fields. Those that end here are
/// not counted.
pub(super) fn fields_size(head: &[u8], fields: &Fields, chunked: bool) -> u64 {
    let size = |field: &Field| match field.known {
        Known::Repeated => 0,
        Known::ContentLength if chunked => 0,
        Known::Connection => {
            let kept: usize = forwarded_tokens(field.value.of(head))
                .map(|t| t.len() + 2)
                .sum();
            if kept == 0 {
                0
            } else {
                "connection".len() + kept - 2
            }
        }
        _ => field.name.of(head).len() + field.value.of(head).len(),
    };
    fields.iter().map(size).sum::<usize>() as u64
}

/// The tokens of a `Connection` field that concern more than this hop.
fn forwarded_tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let hop =
        |t: &&[u8]| !t.eq_ignore_ascii_case(b"close") && !t.eq_ignore_ascii_case(b"keep-alive");
    tokens(value).filter(hop)
}

/// Whether `b` may be in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(b: u8) -> bool {
    TOKEN.get(usize::from(b)).is_some_and(|&token| token)
}

/// [`is_token`] for every byte: it is asked for each one of a head's names.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] =
        b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    while let [byte, more @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
        {
            table[*byte as usize] = true;
        }
        rest = more;
    }
    table
};

/// Splits `head[at..end]` at its colon.
pub(super) fn field(head: &[u8], at: usize, end: usize) -> Option<Field> {
    let line = head.get(at..end)?;
    let colon = line.iter().position(|&b| !is_token(b))?;
    if colon == 0 || line.get(colon) != Some(&b':') {
        return None;
    }
    let value = line.get(colon + 1..)?;
    // A lone CR or a NUL would be read differently by another parser.
    if memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
        return None;
    }
    let is_space = |b: &u8| *b == b' ' || *b == b'\t';
    let skip = value.iter().take_while(|b| is_space(b)).count();
    let drop = value.iter().rev().take_while(|b| is_space(b)).count();
    let start = at + colon + 1 + skip;
    let name = line.get(..colon)?;
    Some(Field {
        name: Span::new(at, at + colon),
        value: Span::new(start, (end - drop).max(start)),
        known: known(name),
    })
}

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
