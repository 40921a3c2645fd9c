//! The socket: one question and its answers, or one transaction and its fate.

use std::io;

use netlink_sys::protocols::NETLINK_NETFILTER;

use super::decode::Answer;
use super::encode::Message;
use crate::netlink::{Failure, Line, Messages, Received};

pub(super) struct Transport {
    line: Line,
}

impl Transport {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open() -> io::Result<Self> {
        let line = Line::open(NETLINK_NETFILTER)?;
        Ok(Self { line })
    }

    /// Asks one thing, and gives all of the answer.
    pub(super) async fn ask(&mut self, question: &Message) -> Result<Vec<Answer>, Failure> {
        let mut bytes = Vec::new();
        let sequence = self.line.next();
        question.write(sequence, &mut bytes);
        self.line.send(&bytes).await?;
        let mut answers = Vec::new();
        let read = self
            .line
            .answers(sequence, |received| answers.extend(answer(received)));
        read.await?;
        Ok(answers)
    }

    /// Sends a transaction. It took effect, or nothing of it did.
    pub(super) async fn commit(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let mut end = 0;
        for message in messages {
            end = self.line.next();
            message.write(end, &mut bytes);
        }
        // The one that asked for a word: the last before the end of the transaction.
        let last = end.wrapping_sub(1);
        self.line.make_room(bytes.len());
        self.line.send(&bytes).await?;
        loop {
            let datagram = self.line.receive().await?;
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
}

fn answer(received: &Received<'_>) -> Option<Answer> {
    let [_subsystem, kind] = received.kind.to_be_bytes();
    Some(Answer {
        kind,
        attributes: received.body.get(NFGENMSG..)?.to_vec(),
    })
}

/// `struct nfgenmsg`.
const NFGENMSG: usize = 4;
