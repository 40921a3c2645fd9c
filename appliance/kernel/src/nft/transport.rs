//! The socket: one question and its answers, or one transaction and its fate.

use std::io;

use libc::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};
use nix::sys::socket::{setsockopt, sockopt};
use rtnetlink::sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket, protocols};

use super::attributes::aligned;
use super::decode::Answer;
use super::encode::Message;
use crate::socket::{Failure, PATIENCE, sentence};

pub(super) struct Transport {
    socket: TokioSocket,
    sequence: u32,
}

impl Transport {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = TokioSocket::new(protocols::NETLINK_NETFILTER)?;
        let inner = socket.socket_mut();
        inner.bind_auto()?;
        inner.connect(&SocketAddr::new(0, 0))?;
        // The sentence in a refusal is a comfort only.
        let _ = inner.set_ext_ack(true);
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks one thing, and gives all of the answer.
    pub(super) async fn ask(&mut self, question: &Message) -> Result<Vec<Answer>, Failure> {
        let mut bytes = Vec::new();
        self.sequence = self.sequence.wrapping_add(1);
        question.write(self.sequence, &mut bytes);
        self.send(&bytes).await?;
        let mut answers = Vec::new();
        let mut interrupted = false;
        loop {
            let datagram = self.receive().await?;
            for message in Messages(&datagram) {
                if message.sequence != self.sequence {
                    continue;
                }
                interrupted |= i32::from(message.flags) & NLM_F_DUMP_INTR != 0;
                match message.end() {
                    None => answers.extend(message.answer()),
                    Some(Err(failure)) => return Err(failure),
                    Some(Ok(())) if interrupted => return Err(Failure::Unsteady),
                    Some(Ok(())) => return Ok(answers),
                }
            }
        }
    }

    /// Sends a transaction. It took effect, or nothing of it did.
    pub(super) async fn commit(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        for message in messages {
            self.sequence = self.sequence.wrapping_add(1);
            message.write(self.sequence, &mut bytes);
        }
        // The one that asked for a word: the last before the end of the transaction.
        let last = self.sequence.wrapping_sub(1);
        self.make_room(bytes.len());
        self.send(&bytes).await?;
        loop {
            let datagram = self.receive().await?;
            for message in Messages(&datagram) {
                match message.end() {
                    // Words come in the order of the messages: what fails first is told first.
                    Some(Err(failure)) => return Err(failure),
                    Some(Ok(())) if message.sequence == last => return Ok(()),
                    _ => {}
                }
            }
        }
    }

    /// A transaction must be one datagram, however long. If this fails, sending tells.
    fn make_room(&self, bytes: usize) {
        let room = bytes.saturating_add(4096);
        let _ = setsockopt(self.socket.socket_ref(), sockopt::SndBufForce, &room);
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = tokio::time::timeout(PATIENCE, self.socket.send(bytes)).await;
        sent.map_err(|_| Failure::Silent)??;
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let received = tokio::time::timeout(PATIENCE, self.socket.recv_from_full()).await;
        match received {
            Err(_) => Err(Failure::Silent),
            Ok(Ok((datagram, _))) => Ok(datagram),
            // The answers did not fit into the socket's queue.
            Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => Err(Failure::Unsteady),
            Ok(Err(error)) => Err(error.into()),
        }
    }
}

/// The messages of a datagram.
struct Messages<'a>(&'a [u8]);

struct Received<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
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
        };
        self.0 = bytes.get(aligned(length)..).unwrap_or_default();
        Some(message)
    }
}

impl Received<'_> {
    /// Whether this is the last word on a question, and which.
    fn end(&self) -> Option<Result<(), Failure>> {
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

    fn answer(&self) -> Option<Answer> {
        let [_subsystem, kind] = self.kind.to_be_bytes();
        Some(Answer {
            kind,
            attributes: self.body.get(NFGENMSG..)?.to_vec(),
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// `struct nlmsghdr`.
const HEADER: usize = 16;

/// `struct nfgenmsg`.
const NFGENMSG: usize = 4;
