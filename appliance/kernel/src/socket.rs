//! The lower storey: a netlink connection that asks one thing at a time.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use rtnetlink::sys::AsyncSocket;
use tokio::task::JoinHandle;

/// A connection and the task that moves its bytes; the task ends with the value.
pub(crate) struct Socket {
    handle: rtnetlink::Handle,
    task: JoinHandle<()>,
}

/// Why there is no answer, or a bad one.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The kernel answered with an error code, and sometimes with a sentence.
    Refused {
        /// `errno`.
        errno: i32,
        /// The kernel's own words (`NLMSGERR_ATTR_MSG`).
        said: Option<String>,
    },
    /// The list changed while it was read, in every attempt.
    Unsteady,
    /// The connection ended, or the kernel did not answer in time.
    Silent,
}

impl Socket {
    /// Opens a connection in the namespace of the calling thread. Must be called inside of a tokio
    /// runtime with I/O and time.
    pub(crate) fn open() -> io::Result<Self> {
        let (mut connection, handle, _events) = rtnetlink::new_connection()?;
        // Ends and acknowledgements are passed on, so that a lost connection is not taken for one.
        connection.set_forward_done(true);
        connection.set_forward_ack(true);
        // The sentence in a refusal is a comfort only; kernels before 4.12 have none.
        let _ = connection.socket_mut().socket_mut().set_ext_ack(true);
        let task = tokio::spawn(connection);
        Ok(Self { handle, task })
    }

    /// Asks for a list. One that changed while the kernel wrote it is asked for again.
    pub(crate) async fn dump(
        &mut self,
        question: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Failure> {
        for _ in 0..DUMP_ATTEMPTS {
            match self.ask(question.clone(), NLM_F_DUMP).await? {
                Answer::Complete(items) => return Ok(items),
                Answer::Interrupted => {}
            }
        }
        Err(Failure::Unsteady)
    }

    /// Asks for a change and waits until it is made or refused.
    pub(crate) async fn change(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), Failure> {
        self.ask(message, NLM_F_ACK | flags).await.map(drop)
    }

    async fn ask(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<Answer, Failure> {
        let mut request = NetlinkMessage::from(message);
        request.header.flags = NLM_F_REQUEST | flags;
        let answers = self.handle.request(request).map_err(|_| Failure::Silent)?;
        let answer = collect(answers);
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or(Err(Failure::Silent))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Answer {
    Complete(Vec<RouteNetlinkMessage>),
    Interrupted,
}

/// Reads answers up to their end. What follows an interruption is still read, so that it is not
/// taken for the answer to the next question.
async fn collect(
    mut answers: impl StreamExt<Item = NetlinkMessage<RouteNetlinkMessage>> + Unpin,
) -> Result<Answer, Failure> {
    let mut items = Vec::new();
    let mut interrupted = false;
    while let Some(message) = answers.next().await {
        let (header, payload) = message.into_parts();
        interrupted |= header.flags & NLM_F_DUMP_INTR != 0;
        match payload {
            NetlinkPayload::InnerMessage(item) => items.push(item),
            NetlinkPayload::Error(error) if error.code.is_some() => return Err(refused(&error)),
            NetlinkPayload::Done(done) if done.code != 0 => {
                return Err(Failure::Refused {
                    errno: done.code.abs(),
                    said: None,
                });
            }
            NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => {
                return Ok(if interrupted {
                    Answer::Interrupted
                } else {
                    Answer::Complete(items)
                });
            }
            // Messages were lost on the way.
            NetlinkPayload::Overrun(_) => interrupted = true,
            _ => {}
        }
    }
    Err(Failure::Silent)
}

fn refused(error: &ErrorMessage) -> Failure {
    Failure::Refused {
        errno: error.raw_code().saturating_abs(),
        said: sentence(&error.header),
    }
}

/// Finds the kernel's sentence in a refusal: the refused request, then attributes (`linux/netlink.h`,
/// `enum nlmsgerr_attrs`).
pub(crate) fn sentence(echo: &[u8]) -> Option<String> {
    let length = u32::from_ne_bytes(echo.get(..4)?.try_into().ok()?);
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

/// Netlink aligns to four bytes.
fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// An attempt is lost to any change in the namespace while the kernel writes the list, some
/// milliseconds for a long one; even beside somebody who changes things all the time one succeeds.
const DUMP_ATTEMPTS: u32 = 100;

/// The kernel answers within milliseconds, save when a driver holds the lock of all interfaces.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const NLMSGERR_ATTR_MSG: u16 = 1;

/// The kind of an attribute without its flags (`NLA_TYPE_MASK`).
const ATTRIBUTE_KIND: u16 = 0x3fff;

#[cfg(test)]
mod tests;
