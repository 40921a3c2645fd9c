//! Receiving a request head.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::Client;
use crate::http1::{BadHead, Fields, Parsed, Request};
use crate::io::{Buffer, SMALL};
use crate::state::LiveFrontend;
use crate::worker::Worker;

/// What a client's connection brought.
pub(super) enum Incoming {
    /// A request: its head is the first `len` bytes of the buffer.
    Request {
        request: Request,
        len: usize,
        buffer: Buffer,
        started_ms: u64,
    },
    /// Nothing yet, after an earlier request.
    Idle,
    /// The connection's end, in order or not, with nothing to answer.
    Gone,
    /// Something that cannot become a request.
    Refused(Refusal),
}

/// Why there is no request, and what the client is told.
pub(super) struct Refusal {
    pub(super) status: u16,
    /// First letter of the termination state.
    pub(super) who: u8,
    /// Not a byte had come.
    pub(super) empty: bool,
}

pub(super) async fn receive(
    worker: &Rc<Worker>,
    client: &Client,
    rest: Option<Buffer>,
    fields: &mut Fields,
) -> Incoming {
    let Some(frontend) = client.live.frontends.get(client.frontend) else {
        return Incoming::Gone;
    };
    let timeout = frontend.conf.request_timeout();
    let first = client.requests == 0;
    let mut buffer = match rest {
        Some(buffer) => buffer,
        None => match first_bytes(worker, client, timeout).await {
            Ok(Some(buffer)) => buffer,
            Ok(None) => return Incoming::Idle,
            Err(error) if client.stream.is_handshaking() => {
                return no_handshake(worker, client, frontend, Some(&error));
            }
            Err(error) => return no_bytes(first, &error),
        },
    };
    if buffer.is_empty() && client.stream.is_handshaking() {
        return no_handshake(worker, client, frontend, None);
    }
    if buffer.is_empty() {
        return if first {
            refused(400, b'C', true)
        } else {
            Incoming::Gone
        };
    }
    let started_ms = if first {
        client.accepted_ms.max(worker.now_ms())
    } else {
        worker.now_ms()
    };
    let deadline = worker.reactor.after(timeout);
    // Looked at anew only when a line has ended: a client that sends byte by byte costs no more than
    // one that does not.
    let mut parse = true;
    loop {
        if parse {
            match Request::parse(buffer.data_mut(), fields) {
                Parsed::Whole(_, len) if len > worker.shared.max_head => {
                    return refused(431, b'P', false);
                }
                Parsed::Whole(request, len) => {
                    return Incoming::Request {
                        request,
                        len,
                        buffer,
                        started_ms,
                    };
                }
                Parsed::Bad(BadHead::TransferCoding) => return refused(422, b'P', false),
                Parsed::Bad(BadHead::Syntax) => return refused(400, b'P', false),
                Parsed::Partial => {}
            }
        }
        if buffer.len() >= worker.shared.max_head || buffer.is_full() {
            return refused(431, b'P', false);
        }
        let before = buffer.len();
        match client
            .stream
            .recv_into(&worker.buffers, &mut buffer, deadline)
            .await
        {
            Ok(0) => return refused(400, b'C', false),
            Ok(_) => {
                let new = buffer.data().get(before..).unwrap_or_default();
                parse = before < 16 || new.contains(&b'\n');
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return refused(408, b'c', false);
            }
            Err(_) => return Incoming::Gone,
        }
    }
}

/// The first bytes of a request; `None` when the connection may be parked until they come.
async fn first_bytes(
    worker: &Rc<Worker>,
    client: &Client,
    timeout: Option<Duration>,
) -> io::Result<Option<Buffer>> {
    if client.requests > 0 {
        let mut buffer = worker.buffers.take(SMALL);
        return Ok(client
            .stream
            .try_recv_into(&worker.buffers, &mut buffer)?
            .map(|_| buffer));
    }
    let deadline = worker.reactor.after(timeout);
    client
        .stream
        .recv(&worker.buffers, SMALL, deadline)
        .await
        .map(Some)
}

/// A TLS handshake that did not come to its end: there is nobody to answer to.
fn no_handshake(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    error: Option<&io::Error>,
) -> Incoming {
    let why = match error {
        None => "Connection closed during SSL handshake",
        Some(e) if e.kind() == io::ErrorKind::TimedOut => "Timeout during SSL handshake",
        Some(_) => "SSL handshake failure",
    };
    super::access::handshake_failed(worker, client, frontend, why);
    Incoming::Gone
}

fn no_bytes(first: bool, error: &io::Error) -> Incoming {
    if first && error.kind() == io::ErrorKind::TimedOut {
        refused(408, b'c', true)
    } else {
        Incoming::Gone
    }
}

fn refused(status: u16, who: u8, empty: bool) -> Incoming {
    Incoming::Refused(Refusal { status, who, empty })
}
