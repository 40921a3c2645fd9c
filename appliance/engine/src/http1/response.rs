//! Response heads.

use super::head::{
    BadHead, Fields, Meaning, Parsed, Span, fields, fields_size, leading_empty_lines, line_end,
    meaning, write_fields,
};
use super::request::Method;
use super::{Framing, Persistence, Version};

/// A response head. Its text stays in the buffer it was read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) framing: Framing,
    reason: Span,
    meaning: Meaning,
}

/// How a response head goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseOut {
    pub(crate) persistence: Persistence,
}

impl Response {
    /// Reads the head of a response to a request with `method` from the front of `head`.
    pub(crate) fn parse(head: &mut [u8], method: Method, out: &mut Fields) -> Parsed<Self> {
        let start = leading_empty_lines(head);
        let line = match line_end(head, start) {
            Some((end, next)) => status_line(head, start, end).map(|line| (line, next)),
            None if plausible(head.get(start..).unwrap_or_default()) => return Parsed::Partial,
            None => None,
        };
        let Some(((version, status, reason), next)) = line else {
            return Parsed::Bad(BadHead::Syntax);
        };
        match fields(head, next, out) {
            Parsed::Partial => Parsed::Partial,
            Parsed::Bad(why) => Parsed::Bad(why),
            Parsed::Whole((), len) => {
                match meaning(head, out).and_then(|m| Ok((m, framing(&m, status, method)?))) {
                    Ok((meaning, framing)) => Parsed::Whole(
                        Self {
                            status,
                            version,
                            framing,
                            reason,
                            meaning,
                        },
                        len,
                    ),
                    Err(why) => Parsed::Bad(why),
                }
            }
        }
    }

    /// The server keeps its connection open after this response.
    pub(crate) fn keeps_alive(&self) -> bool {
        let by_version = match self.version {
            Version::Http10 => self.meaning.keep_alive,
            Version::Http11 => !self.meaning.close,
        };
        by_version && self.framing != Framing::UntilClose && !self.meaning.is_ambiguous()
    }

    /// 1xx but 101: another response follows.
    pub(crate) fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    /// Appends the head as it goes to the client.
    pub(crate) fn write(&self, head: &[u8], fields: &Fields, how: &ResponseOut, out: &mut Vec<u8>) {
        out.extend_from_slice(self.version.as_bytes());
        out.push(b' ');
        for divisor in [100, 10, 1] {
            out.push(b'0' + u8::try_from(self.status / divisor % 10).expect("one digit"));
        }
        out.push(b' ');
        out.extend_from_slice(self.reason.of(head));
        out.extend_from_slice(b"\r\n");
        // RFC 9110, section 8.6: neither 1xx nor 204 has a length; chunks have none either.
        let bodyless = self.status < 200 || self.status == 204;
        let chunked = self.meaning.transfer_encodings > 0;
        if bodyless && chunked {
            let kept = fields
                .iter()
                .filter(|f| f.known != super::head::Known::TransferEncoding);
            write_fields(head, &kept.copied().collect(), false, out);
        } else {
            write_fields(head, fields, !bodyless && !chunked, out);
        }
        how.persistence.write(out);
        out.extend_from_slice(b"\r\n");
    }

    /// What HAProxy's `%B` counts for this head: its internal form, not the bytes on the wire.
    pub(crate) fn logged_size(&self, head: &[u8], fields: &Fields) -> u64 {
        let line = 20 + 8 + 3 + self.reason.of(head).len() as u64;
        line + fields_size(head, fields, self.meaning.transfer_encodings > 0) + 1
    }
}

fn status_line(head: &[u8], start: usize, end: usize) -> Option<(Version, u16, Span)> {
    let line = head.get(start..end)?;
    let rest = line.strip_prefix(b"HTTP/")?;
    let version = match rest {
        [b'1', b'.', b'0', ..] => Version::Http10,
        [b'1'..=b'9', b'.', b'0'..=b'9', ..] => Version::Http11,
        _ => return None,
    };
    let rest = rest.get(3..)?;
    let gap = rest.iter().take_while(|&&b| b == b' ').count();
    let (code, reason) = rest.get(gap..)?.split_at_checked(3)?;
    let status = code.iter().try_fold(0_u16, |n, d| {
        d.is_ascii_digit().then(|| n * 10 + u16::from(d - b'0'))
    })?;
    let reason = match reason {
        [] => reason,
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    if gap == 0 || status < 100 || reason.iter().any(|&b| b == 0 || b == b'\r') {
        return None;
    }
    Some((version, status, Span::new(end - reason.len(), end)))
}

fn framing(meaning: &Meaning, status: u16, method: Method) -> Result<Framing, BadHead> {
    let said = meaning.framing()?;
    if method == Method::Head || status < 200 || status == 204 || status == 304 {
        return Ok(Framing::None);
    }
    if method == Method::Connect && (200..300).contains(&status) {
        return Ok(Framing::None);
    }
    Ok(said.unwrap_or(Framing::UntilClose))
}

fn plausible(bytes: &[u8]) -> bool {
    let wanted = b"HTTP/";
    let n = bytes.len().min(wanted.len());
    bytes.get(..n) == wanted.get(..n) || (bytes == b"\r")
}
