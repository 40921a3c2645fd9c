//! One client connection in HTTP mode: requests one after another.

use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;

use lanai_traffic::record::Termination;

use super::exchange::{After, Exchange};
use super::receive::{Incoming, Refusal, receive};
use super::{Client, IdleClient, Scratch, access};
use crate::io::{Buffer, Parked, SMALL, Share};
use crate::respond;
use crate::worker::Worker;

/// How long a client may take to end its side after a last response, so that it gets to read it.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes thrown away while waiting for that.
const LINGER_BYTES: usize = 1 << 20;

pub(super) async fn serve(worker: Rc<Worker>, mut client: Box<Client>) {
    let mut scratch = worker.scratch.borrow_mut().pop().unwrap_or_default();
    let mut buffer = None;
    let mut share = Share::default();
    loop {
        share.spend(&worker.reactor).await;
        let current = client.refresh(&worker);
        let Incoming::Request {
            request,
            len,
            buffer: head,
            started_ms,
        } = (match receive(&worker, &client, buffer.take(), &mut scratch.fields).await {
            Incoming::Idle => {
                park(&worker, client);
                break;
            }
            Incoming::Gone => break,
            Incoming::Refused(refusal) => {
                refuse(&worker, &client, refusal, &mut scratch).await;
                break;
            }
            incoming @ Incoming::Request { .. } => incoming,
        })
        else {
            break;
        };
        client.requests = client.requests.saturating_add(1);
        let after = {
            let mut exchange = Exchange::new(
                &worker,
                &mut client,
                &mut scratch,
                request,
                (head, len),
                started_ms,
            );
            exchange.run().await
        };
        match after {
            After::Next(None) if current && !client.stream.is_readable() => {
                park(&worker, client);
                break;
            }
            After::Next(rest) if current => buffer = rest,
            After::Next(_) | After::Close => {
                client.stream.notify_close();
                break;
            }
            After::Cut => break,
            After::Linger => {
                linger(&worker, &client).await;
                break;
            }
        }
    }
    scratch.clear();
    worker.scratch.borrow_mut().push(scratch);
}

/// Leaves an idle connection to the reactor alone.
fn park(worker: &Rc<Worker>, client: Box<Client>) {
    let timeout = client
        .live
        .frontends
        .get(client.frontend)
        .and_then(|frontend| frontend.conf.keep_alive_timeout());
    let deadline = worker.reactor.after(timeout);
    let mut idle = worker.idle_clients.borrow_mut();
    let entry = idle.vacant_entry();
    let key = entry.key();
    let parked = client.stream.park(Parked::Client(key), deadline);
    let entry = entry.insert(IdleClient(client));
    let _ = entry;
    if !parked && let Some(client) = idle.try_remove(key) {
        drop(idle);
        worker.serve(client.into());
    }
}

/// Answers bytes that never became a request, and closes.
async fn refuse(worker: &Rc<Worker>, client: &Client, refusal: Refusal, scratch: &mut Scratch) {
    let Some(frontend) = client.live.frontends.get(client.frontend) else {
        return;
    };
    let sums = frontend.state.activity.of(worker.id);
    sums.requests.add(1);
    sums.request_errors.add(1);
    sums.response(refusal.status);
    scratch.out.clear();
    respond::refusal(refusal.status, &mut scratch.out);
    let deadline = || worker.reactor.after(Some(LINGER));
    // A client that does not take the answer gets none.
    let sent = client
        .stream
        .send(&mut [IoSlice::new(&scratch.out)], deadline)
        .await;
    if !(frontend.conf.dontlognull && refusal.empty) {
        let termination = Termination {
            who: refusal.who,
            when: b'R',
        };
        access::refused(worker, client, frontend, refusal.status, termination);
    }
    if sent.is_ok() {
        linger(worker, client).await;
    }
}

/// Ends our side, and waits a little for the client to end its: closing while bytes of it are unread
/// would reset the connection and lose the response.
async fn linger(worker: &Rc<Worker>, client: &Client) {
    client.stream.close_write();
    let deadline = worker.reactor.after(Some(LINGER));
    let mut left = LINGER_BYTES;
    while left > 0 {
        match client.stream.recv(&worker.buffers, SMALL, deadline).await {
            Ok(bytes) if !bytes.is_empty() => left = left.saturating_sub(bytes.len()),
            _ => return,
        }
    }
}

impl Scratch {
    /// Keeps the memory, unless one large message made it grow.
    fn clear(&mut self) {
        const KEEP: usize = 32 * 1024;
        self.fields.clear();
        self.response_fields.clear();
        for bytes in [&mut self.out, &mut self.request_line] {
            bytes.clear();
            if bytes.capacity() > KEEP {
                bytes.shrink_to(KEEP);
            }
        }
    }
}

/// What is left of a buffer once its message was taken out.
pub(super) fn rest(buffer: Buffer) -> Option<Buffer> {
    (!buffer.is_empty()).then_some(buffer)
}
