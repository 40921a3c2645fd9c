//! Questions about links, addresses, routes and policy rules (`rtnetlink(7)`).

use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;

use crate::netlink::{Failure, Line};

/// A connection to that part of the kernel.
pub(crate) struct Socket {
    line: Line,
}

impl Socket {
    /// Opens a connection in the namespace of the calling thread. Must be called inside of a tokio
    /// runtime with I/O and time.
    pub(crate) fn open() -> io::Result<Self> {
        let line = Line::open(NETLINK_ROUTE)?;
        Ok(Self { line })
    }

    /// Asks for a list. One that changed while the kernel wrote it is asked for again.
    pub(crate) async fn dump(
        &mut self,
        question: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Failure> {
        for _ in 0..DUMP_ATTEMPTS {
            match self.ask(question.clone(), NLM_F_DUMP).await {
                Err(Failure::Unsteady) => {}
                answered => return answered,
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

    async fn ask(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<Vec<RouteNetlinkMessage>, Failure> {
        let mut request = NetlinkMessage::from(message);
        let sequence = self.line.next();
        request.header.flags = NLM_F_REQUEST | flags;
        request.header.sequence_number = sequence;
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.line.send(&bytes).await?;
        let mut items = Vec::new();
        let answers = self.line.answers(sequence, |received| {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(received.whole);
            // What cannot be read is something that only newer kernels say.
            if let Ok(NetlinkPayload::InnerMessage(item)) = message.map(|message| message.payload) {
                items.push(item);
            }
        });
        answers.await?;
        Ok(items)
    }
}

/// An attempt is lost to any change in the namespace while the kernel writes the list, some
/// milliseconds for a long one; even beside somebody who changes things all the time one succeeds.
const DUMP_ATTEMPTS: u32 = 100;
