//! The lowest storey: one netlink socket of whichever protocol, which asks one thing at a time.
//!
//! Done here instead of with `netlink-proto`, which `rtnetlink` is built on: that one drops a message
//! that could not be sent and tells nobody, so that whoever asked waits for an answer that cannot come.

use std::io;
use std::time::Duration;

use libc::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};
use nix::sys::socket::{setsockopt, sockopt};

/// Why there is no answer, or a bad one.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The kernel answered with an error code, and sometimes with a sentence; or the question could
    /// not even be sent. Nothing was done.
    Refused {
        /// `errno`.
        errno: i32,
        /// The kernel's own words (`NLMSGERR_ATTR_MSG`).
        said: Option<String>,
    },
    /// The list changed while it was read, in every attempt.
    Unsteady,
    /// The question was sent, and no answer was heard: what was asked for may have been done or not.
    Silent {
        /// `errno` of receiving, 0 if nothing came in time.
        errno: i32,
    },
}

/// A question could not be put: no socket, or not sent.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Refused {
            errno: error.raw_os_error().unwrap_or(libc::EIO),
            said: None,
        }
    }
}

/// The socket.
pub(crate) struct Line {
    socket: TokioSocket,
    sequence: u32,
}

impl Line {
    /// Opens a socket in the namespace of the calling thread. Must be called inside of a tokio
    /// runtime with I/O and time.
    pub(crate) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = TokioSocket::new(protocol)?;
        let inner = socket.socket_mut();
        inner.bind_auto()?;
        inner.connect(&SocketAddr::new(0, 0))?;
        // The sentence in a refusal is a comfort only; kernels before 4.12 have none.
        let _ = inner.set_ext_ack(true);
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// The number of the next message, by which its answers are known.
    pub(crate) fn next(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Sends one datagram. If this fails the kernel knows nothing of it.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = tokio::time::timeout(PATIENCE, self.socket.send(bytes)).await;
        let sent = sent.unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::ENOBUFS)));
        sent.map(drop).map_err(Failure::from)
    }

    /// The next datagram.
    pub(crate) async fn receive(&self) -> Result<Vec<u8>, Failure> {
        let received = tokio::time::timeout(PATIENCE, self.socket.recv_from_full()).await;
        match received {
            Err(_) => Err(Failure::Silent { errno: 0 }),
            Ok(Ok((datagram, _))) => Ok(datagram),
            Ok(Err(error)) => Err(Failure::Silent {
                errno: error.raw_os_error().unwrap_or(libc::EIO),
            }),
        }
    }

    /// Reads the answers to a question up to their end.
    pub(crate) async fn answers(
        &self,
        sequence: u32,
        mut each: impl FnMut(&Received<'_>),
    ) -> Result<(), Failure> {
        let mut reading = Reading {
            sequence,
            interrupted: false,
        };
        loop {
            let end = match self.receive().await {
                Ok(datagram) => reading.take(&datagram, &mut each),
                // Some did not fit into the socket's queue (`netlink(7)`); the others still come.
                Err(Failure::Silent {
                    errno: libc::ENOBUFS,
                }) => {
                    reading.interrupted = true;
                    None
                }
                Err(failure) => Some(Err(failure)),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Makes room for a datagram of this size. If this fails, sending tells.
    pub(crate) fn make_room(&self, bytes: usize) {
        let room = bytes.saturating_add(4096);
        let _ = setsockopt(self.socket.socket_ref(), sockopt::SndBufForce, &room);
    }
}

/// The answers to one question, as they come. What follows an interruption is still read, so that it is
/// not taken for the answer to the next question.
struct Reading {
    sequence: u32,
    interrupted: bool,
}

impl Reading {
    /// Takes a datagram, and gives the last word if it is in there.
    fn take(
        &mut self,
        datagram: &[u8],
        each: &mut impl FnMut(&Received<'_>),
    ) -> Option<Result<(), Failure>> {
        let ours = Messages(datagram).filter(|message| message.sequence == self.sequence);
        for message in ours {
            self.interrupted |= i32::from(message.flags) & NLM_F_DUMP_INTR != 0;
            match message.end() {
                None => each(&message),
                Some(Ok(())) if self.interrupted => return Some(Err(Failure::Unsteady)),
                Some(end) => return Some(end),
            }
        }
        None
    }
}

/// The messages of a datagram.
pub(crate) struct Messages<'a>(pub(crate) &'a [u8]);

/// A message that was received.
pub(crate) struct Received<'a> {
    /// `nlmsg_type`.
    pub(crate) kind: u16,
    flags: u16,
    /// The number of the question.
    pub(crate) sequence: u32,
    /// What follows the header.
    pub(crate) body: &'a [u8],
    /// All of it, header included.
    pub(crate) whole: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = Received<'a>;

    fn next(&mut self) -> Option<Received<'a>> {
        let bytes = self.0;
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let message = Received {
            kind: u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?),
            flags: u16::from_ne_bytes(bytes.get(6..8)?.try_into().ok()?),
            sequence: u32_at(bytes, 8)?,
            body: bytes.get(HEADER..length)?,
            whole: bytes.get(..length)?,
        };
        self.0 = bytes.get(aligned(length)..).unwrap_or_default();
        Some(message)
    }
}

impl Received<'_> {
    /// Whether this is the last word on a question, and which.
    pub(crate) fn end(&self) -> Option<Result<(), Failure>> {
        let kind = i32::from(self.kind);
        if kind != NLMSG_ERROR && kind != NLMSG_DONE {
            return None;
        }
        let code = u32_at(self.body, 0).map_or(0, u32::cast_signed);
        if code == 0 {
            return Some(Ok(()));
        }
        let echo = self.body.get(4..).unwrap_or_default();
        Some(Err(Failure::Refused {
            errno: code.saturating_abs(),
            said: (kind == NLMSG_ERROR).then(|| sentence(echo)).flatten(),
        }))
    }
}

/// Finds the kernel's sentence in a refusal: the refused request, then attributes (`linux/netlink.h`,
/// `enum nlmsgerr_attrs`).
fn sentence(echo: &[u8]) -> Option<String> {
    let length = u32_at(echo, 0)?;
    let mut rest = echo.get(aligned(usize::try_from(length).ok()?)..)?;
    loop {
        let length = u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?);
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(4..usize::from(length))?;
        if kind & ATTRIBUTE_KIND == NLMSGERR_ATTR_MSG {
            let text = value.split(|byte| *byte == 0).next()?;
            return Some(
                String::from_utf8_lossy(text)
                    .trim_end_matches('.')
                    .to_owned(),
            );
        }
        rest = rest.get(aligned(usize::from(length))..)?;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// Netlink aligns to four bytes.
pub(crate) fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// The kernel answers within milliseconds, save when a driver holds the lock of all interfaces.
const PATIENCE: Duration = Duration::from_secs(30);

/// `struct nlmsghdr`.
const HEADER: usize = 16;

const NLMSGERR_ATTR_MSG: u16 = 1;

/// The kind of an attribute without its flags (`NLA_TYPE_MASK`).
const ATTRIBUTE_KIND: u16 = 0x3fff;

#[cfg(test)]
mod tests;
