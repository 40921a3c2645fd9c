//! Response heads.

use super::head::{
    BadHead, Fields, Known, Meaning, Parsed, Span, fields, leading_empty_lines, meaning,
};
use super::request::Method;
use super::scan::{Line, line};
use super::write::{Place, Writer};
use super::{Framing, Persistence, Version};

/// A response head. Its text stays in the buffer it was read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) framing: Framing,
    reason: Span,
    /// The status line, if it stands in the head as it goes out.
    plain: Option<Span>,
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
        let line = match line(head, start) {
            Some(line) => status_line(head, start, line).map(|status| (status, line.next)),
            None if plausible(head.get(start..).unwrap_or_default()) => return Parsed::Partial,
            None => None,
        };
        let Some((line, next)) = line else {
            return Parsed::Bad(BadHead::Syntax);
        };
        let StatusLine {
            version,
            status,
            reason,
            plain,
        } = line;
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
                            plain,
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

    /// Appends the head as it goes to the client to `out`, which is empty, unless it goes on as it came.
    /// `head` is all of it.
    pub(crate) fn write(
        &self,
        head: &[u8],
        fields: &Fields,
        how: &ResponseOut,
        out: &mut Vec<u8>,
    ) -> Place {
        let mut writer = Writer::new(head, out);
        match self.plain {
            Some(line) => writer.part(line),
            None => {
                writer.text(self.version.as_bytes());
                let digits = [100, 10, 1].map(|divisor| b'0' + (self.status / divisor % 10) as u8);
                let [a, b, c] = digits;
                writer.text(&[b' ', a, b, c, b' ']);
                writer.part(self.reason);
                writer.text(b"\r\n");
            }
        }
        // RFC 9110, section 8.6: neither 1xx nor 204 has a length; chunks have none either.
        let bodyless = self.status < 200 || self.status == 204;
        let chunked = self.meaning.transfer_encodings > 0;
        let dropped: &[Known] = match (bodyless, chunked) {
            (true, true) => &[Known::ContentLength, Known::TransferEncoding],
            (false, false) => &[],
            _ => &[Known::ContentLength],
        };
        writer.fields(fields, dropped);
        match how.persistence {
            Persistence::Default => {}
            said => said.write(writer.out()),
        }
        writer.end()
    }

    /// What HAProxy's `%B` counts for this head: its internal form, not the bytes on the wire.
    pub(crate) fn logged_size(&self) -> u64 {
        let line = 20 + 8 + 3 + self.reason.len() as u64;
        line + self.meaning.size(self.meaning.transfer_encodings > 0) + 1
    }
}

struct StatusLine {
    version: Version,
    status: u16,
    reason: Span,
    plain: Option<Span>,
}

fn status_line(head: &[u8], start: usize, whole: Line) -> Option<StatusLine> {
    let line = head.get(start..whole.end)?;
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
    let reason_len = match reason {
        [] => 0,
        [b' ', reason @ ..] => reason.len(),
        _ => return None,
    };
    if gap == 0 || status < 100 || !whole.clean {
        return None;
    }
    let as_written = line.starts_with(version.as_bytes())
        && gap == 1
        && !reason.is_empty()
        && whole.next == whole.end + 2;
    Some(StatusLine {
        version,
        status,
        reason: Span::new(whole.end - reason_len, whole.end),
        plain: as_written.then(|| Span::new(start, whole.next)),
    })
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
