//! Request heads.

use super::head::{
    BadHead, Fields, Known, Meaning, Parsed, Span, fields, leading_empty_lines, meaning,
};
use super::scan::{Line, line, token};
use super::write::Writer;
use super::{Framing, Persistence, Version};

/// The methods that change how a message is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Connect,
    Get,
    Head,
    Options,
    Post,
    Put,
    Delete,
    Trace,
    Other,
}

impl Method {
    fn parse(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }

    /// Whether sending it twice does no more than once (RFC 9110, section 9.2.2).
    pub(crate) fn is_idempotent(self) -> bool {
        matches!(
            self,
            Self::Get | Self::Head | Self::Options | Self::Put | Self::Delete | Self::Trace
        )
    }
}

/// A request head. Its text stays in the buffer it was read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) framing: Framing,
    method_name: Span,
    target: Span,
    version_text: Span,
    /// The start line stands in the head as it goes out.
    plain: bool,
    meaning: Meaning,
}

/// How a request head goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestOut<'a> {
    /// Name (in lower case) and value of the field that names the client.
    pub(crate) forwarded_for: Option<(&'a [u8], &'a [u8])>,
    pub(crate) persistence: Persistence,
}

impl Request {
    /// Reads a head from the front of `head`. Its fields are put into `out`.
    pub(crate) fn parse(head: &mut [u8], out: &mut Fields) -> Parsed<Self> {
        let start = leading_empty_lines(head);
        let line = match line(head, start) {
            Some(line) => StartLine::parse(head, start, line).map(|start| (start, line.next)),
            None if plausible(head.get(start..).unwrap_or_default()) => return Parsed::Partial,
            None => None,
        };
        let Some((line, next)) = line else {
            return Parsed::Bad(BadHead::Syntax);
        };
        if matches!(head.get(next), Some(b' ' | b'\t')) {
            return Parsed::Bad(BadHead::Syntax);
        }
        match fields(head, next, out) {
            Parsed::Partial => Parsed::Partial,
            Parsed::Bad(why) => Parsed::Bad(why),
            Parsed::Whole((), len) => match line.with_fields(head, out) {
                Ok(request) => Parsed::Whole(request, len),
                Err(why) => Parsed::Bad(why),
            },
        }
    }

    /// The client wants, or must have, its connection closed after this exchange.
    pub(crate) fn wants_close(&self) -> bool {
        let by_version = match self.version {
            Version::Http10 => !self.meaning.keep_alive || self.framing == Framing::Chunked,
            Version::Http11 => self.meaning.close,
        };
        by_version || self.meaning.is_ambiguous()
    }

    /// The client asks to speak another protocol (RFC 9110, section 7.8).
    pub(crate) fn wants_upgrade(&self) -> bool {
        self.meaning.connection_upgrade && self.meaning.upgrade
    }

    /// Appends the start line for the log: as it was sent, with single spaces.
    pub(crate) fn write_line(&self, head: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.method_name.of(head));
        out.push(b' ');
        out.extend_from_slice(self.target.of(head));
        out.push(b' ');
        out.extend_from_slice(self.version_text.of(head));
    }

    /// What HAProxy counts as received for this head: its internal form, not the bytes on the wire.
    pub(crate) fn counted_size(&self) -> u64 {
        let line = 20 + 8 + self.method_name.len() + self.target.len();
        line as u64 + self.meaning.size(self.framing == Framing::Chunked) + 1
    }

    /// Whether the head has a field of this name.
    pub(crate) fn has_field(&self, head: &[u8], fields: &Fields, name: &[u8]) -> bool {
        fields
            .iter()
            .any(|f| f.name.of(head).eq_ignore_ascii_case(name))
    }

    /// Appends the head as it goes to the server.
    pub(crate) fn write(
        &self,
        head: &[u8],
        fields: &Fields,
        how: &RequestOut<'_>,
        out: &mut Vec<u8>,
    ) {
        let mut writer = Writer::new(head, out);
        if self.plain {
            writer.part(self.method_name.through(self.version_text, 2));
        } else {
            writer.part(self.method_name);
            writer.text(b" ");
            writer.part(self.target);
            writer.text(b" ");
            writer.text(self.version.as_bytes());
            writer.text(b"\r\n");
        }
        let chunked = self.framing == Framing::Chunked;
        writer.fields(
            fields,
            if chunked {
                &[Known::ContentLength]
            } else {
                &[]
            },
        );
        let out = writer.out();
        if let Some((name, value)) = how.forwarded_for {
            for part in [name, b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        how.persistence.write(out);
        out.extend_from_slice(b"\r\n");
    }
}

struct StartLine {
    method: Span,
    target: Span,
    version: Version,
    version_text: Span,
    plain: bool,
}

impl StartLine {
    fn parse(head: &[u8], start: usize, whole: Line) -> Option<Self> {
        let line = head.get(start..whole.end)?;
        let run = |mut at: usize, is: fn(u8) -> bool| {
            while line.get(at).is_some_and(|&b| is(b)) {
                at += 1;
            }
            at
        };
        let is_gap = |b| matches!(b, b' ' | b'\t');
        let method_len = token(line);
        let target_at = run(method_len, is_gap);
        let target_end = run(target_at, is_target);
        let version_at = run(target_end, is_gap);
        if method_len == 0
            || target_at == method_len
            || target_end == target_at
            || version_at == target_end
        {
            return None;
        }
        let version = match line.get(version_at..)? {
            b"HTTP/1.0" => Version::Http10,
            [
                b'H',
                b'T',
                b'T',
                b'P',
                b'/',
                major @ b'1'..=b'9',
                b'.',
                minor @ b'0'..=b'9',
            ] if (*major, *minor) > (b'1', b'0') => Version::Http11,
            _ => return None,
        };
        let method = Span::new(start, start + method_len);
        let target = Span::new(start + target_at, start + target_end);
        let version_text = Span::new(start + version_at, whole.end);
        let spaced = method.space_before(target, head) && target.space_before(version_text, head);
        Some(Self {
            method,
            target,
            version,
            version_text,
            plain: spaced
                && version_text.of(head) == version.as_bytes()
                && whole.next == whole.end + 2,
        })
    }

    fn with_fields(self, head: &[u8], fields: &mut Fields) -> Result<Request, BadHead> {
        let meaning = meaning(head, fields)?;
        let method = Method::parse(self.method.of(head));
        let target = self.target.of(head);
        let framing = meaning.framing()?.unwrap_or(Framing::None);
        match target.first() {
            Some(b'/' | b'*') => {}
            _ if method == Method::Connect => {}
            _ => authority_agrees(target, head, fields)?,
        }
        Ok(Request {
            method,
            version: self.version,
            framing,
            method_name: self.method,
            target: self.target,
            version_text: self.version_text,
            plain: self.plain,
            meaning,
        })
    }
}

/// An absolute target must have a scheme, and its authority is the `Host` (RFC 9112, section 3.2.2).
fn authority_agrees(target: &[u8], head: &[u8], fields: &Fields) -> Result<(), BadHead> {
    let scheme = target
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
        .count();
    let rest = target
        .get(scheme..)
        .and_then(|r| r.strip_prefix(b"://"))
        .ok_or(BadHead::Syntax)?;
    let end = rest
        .iter()
        .position(|b| b"/?#".contains(b))
        .unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = fields
        .iter()
        .find(|f| f.known == Known::Host)
        .map(|f| f.value.of(head));
    let default_port: &[u8] = if target
        .get(..scheme)
        .is_some_and(|s| s.eq_ignore_ascii_case(b"https"))
    {
        b":443"
    } else {
        b":80"
    };
    let bare = |a: &[u8]| {
        a.strip_suffix(default_port)
            .unwrap_or(a)
            .to_ascii_lowercase()
    };
    let agrees = scheme > 0 && host.is_none_or(|h| bare(h) == bare(authority));
    if agrees { Ok(()) } else { Err(BadHead::Syntax) }
}

/// Whether what came so far can still become a start line: so garbage is refused at once.
fn plausible(bytes: &[u8]) -> bool {
    let method = token(bytes);
    match bytes.get(method) {
        None => true,
        Some(b' ' | b'\t') if method > 0 => bytes
            .iter()
            .skip(method)
            .all(|&b| is_target(b) || matches!(b, b' ' | b'\t' | b'\r')),
        // An empty line that is not whole yet.
        Some(b'\r') => bytes.len() == method + 1 && method == 0,
        Some(_) => false,
    }
}

/// Bytes of a request target: visible ASCII without what no URI has.
fn is_target(b: u8) -> bool {
    matches!(b, 0x21..=0x7e) && b != b'#'
}
