//! HTTP/1 messages as a pure state machine: bytes in, events and bytes out (RFC 9112).
//!
//! What is accepted is what HAProxy accepts where that is safe: bare LF line ends, folded lines,
//! bytes above 127 in values. What goes out is always normalised: lower-case names, `name: value`,
//! CRLF, one framing field, chunks of our own. So no peer ever sees framing that another peer wrote,
//! which is what request smuggling lives on.
//!
//! Invariant: no sockets, no clock; nothing here panics or allocates without a bound on any input.

mod body;
mod head;
mod request;
mod response;
mod scan;
mod write;

#[cfg(test)]
use body::BodyError;
pub(crate) use body::{Body, write_chunk_size};
pub(crate) use head::{BadHead, Fields, Parsed};
pub(crate) use request::{Method, Request, RequestOut};
pub(crate) use response::{Response, ResponseOut};
pub(crate) use write::Place;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// The connection's end.
    UntilClose,
}

/// The versions that are told apart: everything above 1.0 is spoken to as 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Http10,
    Http11,
}

impl Version {
    pub(crate) fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Http10 => b"HTTP/1.0",
            Self::Http11 => b"HTTP/1.1",
        }
    }
}

/// The persistence that a message ends up with on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Say nothing: the version's default is meant.
    Default,
    /// `connection: close`.
    Close,
    /// `connection: keep-alive`.
    KeepAlive,
}

impl Persistence {
    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Default => {}
            Self::Close => out.extend_from_slice(b"connection: close\r\n"),
            Self::KeepAlive => out.extend_from_slice(b"connection: keep-alive\r\n"),
        }
    }
}

#[cfg(test)]
mod tests;
