//! Which server a request goes to, and the queue before servers that are full.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use crate::state::{LiveBackend, LiveServer, Turns, Waiting};
use crate::worker::Worker;

/// A server that a request may use. Dropping it makes room for the next request.
pub(crate) struct Assigned<'a> {
    backend: &'a Arc<LiveBackend>,
    index: usize,
    /// Times the server's sessions had been ended by command when it began.
    shutdowns: u32,
    /// Requests that waited in the queue when this one joined it.
    pub(crate) queue_position: u32,
}

/// Why there is no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoServer {
    /// None may get traffic.
    Down,
    /// All were full until `timeout queue` passed.
    QueueTimeout(u32),
}

impl<'a> Assigned<'a> {
    fn new(backend: &'a Arc<LiveBackend>, index: usize, queue_position: u32) -> Self {
        let server = backend.servers.get(index);
        Self {
            backend,
            index,
            shutdowns: server.map_or(0, |s| s.state.shutdowns.load(Ordering::Relaxed)),
            queue_position,
        }
    }

    pub(crate) fn server(&self) -> &LiveServer {
        self.backend
            .servers
            .get(self.index)
            .expect("the index came from these servers")
    }

    /// Whether an operator has ended the server's sessions since.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.server().state.shutdowns.load(Ordering::Relaxed) != self.shutdowns
    }

    /// Sessions of the server beside this one.
    pub(crate) fn others(&self) -> u32 {
        self.server().state.activity.current().saturating_sub(1)
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

impl Drop for Assigned<'_> {
    fn drop(&mut self) {
        self.server().state.activity.leave();
        server_freed(self.backend);
    }
}

/// Waits for a server: at once when one has room, else in the queue.
///
/// # Errors
/// When none is up, or `timeout queue` passes.
pub(crate) async fn assign<'a>(
    backend: &'a Arc<LiveBackend>,
    worker: &Worker,
) -> Result<Assigned<'a>, NoServer> {
    if let Some(only) = only_choice(backend) {
        only.state.activity.enter(worker.id);
        return Ok(Assigned::new(backend, 0, 0));
    }
    let (receiver, position) = {
        let mut turns = backend.state.turns();
        if let Some(index) = take(backend, &mut turns, worker.id) {
            return Ok(Assigned::new(backend, index, 0));
        }
        if !backend.servers.iter().any(LiveServer::may_serve) {
            return Err(NoServer::Down);
        }
        let (sender, receiver) = oneshot::channel();
        let position = u32::try_from(turns.queue.len()).unwrap_or(u32::MAX);
        turns.queue.push_back(Waiting {
            sender,
            bell: worker.reactor.bell().clone(),
        });
        let length = position + 1;
        backend.state.queued.store(length, Ordering::SeqCst);
        backend
            .state
            .queued_max
            .fetch_max(length, Ordering::Relaxed);
        (receiver, position)
    };
    // A server may have become free between the look at it and the entry into the queue.
    server_freed(backend);
    let limit = backend.conf.queue_timeout().unwrap_or(Duration::MAX);
    let mut ticket = Ticket {
        backend,
        receiver: Some(receiver),
    };
    let late = pin!(worker.reactor.sleep(limit));
    let outcome = match ticket.receiver.as_mut() {
        Some(receiver) => select(receiver, late).await,
        None => return Err(NoServer::Down),
    };
    match outcome {
        Either::Left((Ok(index), _)) => {
            ticket.receiver = None;
            if let Some(server) = backend.servers.get(index) {
                server.state.activity.of(worker.id).total.add(1);
            }
            Ok(Assigned::new(backend, index, position + 1))
        }
        Either::Left((Err(_), _)) => Err(NoServer::Down),
        Either::Right(_) => Err(NoServer::QueueTimeout(position + 1)),
    }
}

/// A place in the queue. A request that gives up, for whatever reason, must not keep a server that
/// was given to it at the same moment.
struct Ticket<'a> {
    backend: &'a Arc<LiveBackend>,
    receiver: Option<oneshot::Receiver<usize>>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let Some(mut receiver) = self.receiver.take() else {
            return;
        };
        receiver.close();
        if let Ok(index) = receiver.try_recv() {
            drop(Assigned::new(self.backend, index, 0));
        }
        let mut turns = self.backend.state.turns();
        turns.queue.retain(|waiting| !waiting.sender.is_closed());
        note_length(self.backend, &turns);
    }
}

/// Gives servers that have room to those who wait.
pub(crate) fn server_freed(backend: &Arc<LiveBackend>) {
    if backend.state.queued.load(Ordering::SeqCst) == 0 {
        return;
    }
    let mut turns = backend.state.turns();
    while !turns.queue.is_empty() {
        let Some(index) = take_uncounted(backend, &mut turns) else {
            break;
        };
        let given = loop {
            match turns.queue.pop_front() {
                None => break false,
                // One that has given up does not take it.
                Some(Waiting { sender, bell }) => {
                    if sender.send(index).is_ok() {
                        bell.ring();
                        break true;
                    }
                }
            }
        };
        if !given && let Some(server) = backend.servers.get(index) {
            server.state.activity.leave();
        }
    }
    note_length(backend, &turns);
}

/// Makes the schedule follow the servers' weights and states.
pub(crate) fn refresh(backend: &Arc<LiveBackend>) {
    let weights = backend.servers.iter().map(|s| s.state.weight()).enumerate();
    backend.state.turns().schedule.set(weights);
    server_freed(backend);
}

impl LiveServer {
    /// Up, not taken out by command, and with a weight.
    pub(crate) fn may_serve(&self) -> bool {
        self.state.serves.load(Ordering::Relaxed)
    }

    fn has_room(&self) -> bool {
        self.may_serve() && self.state.activity.current() < self.state.limit.load(Ordering::Relaxed)
    }
}

/// The server, when there is nothing to choose and no limit to keep: that needs no lock, which all
/// workers would share.
fn only_choice(backend: &LiveBackend) -> Option<&LiveServer> {
    let [only] = backend.servers.as_slice() else {
        return None;
    };
    let unlimited = only.state.limit().is_none();
    let nobody_waits = backend.state.queued.load(Ordering::SeqCst) == 0;
    (unlimited && nobody_waits && only.may_serve()).then_some(only)
}

fn take(backend: &Arc<LiveBackend>, turns: &mut Turns, worker: usize) -> Option<usize> {
    // Who waits was here first.
    if turns
        .queue
        .iter()
        .any(|waiting| !waiting.sender.is_closed())
    {
        return None;
    }
    let index = next(backend, turns)?;
    backend.servers.get(index)?.state.activity.enter(worker);
    Some(index)
}

fn take_uncounted(backend: &Arc<LiveBackend>, turns: &mut Turns) -> Option<usize> {
    let index = next(backend, turns)?;
    backend.servers.get(index)?.state.activity.enter_uncounted();
    Some(index)
}

fn next(backend: &Arc<LiveBackend>, turns: &mut Turns) -> Option<usize> {
    if let [only] = backend.servers.as_slice() {
        return only.has_room().then_some(0);
    }
    turns
        .schedule
        .next(|index| backend.servers.get(index).is_some_and(LiveServer::has_room))
}

fn note_length(backend: &Arc<LiveBackend>, turns: &Turns) {
    let length = u32::try_from(turns.queue.len()).unwrap_or(u32::MAX);
    backend.state.queued.store(length, Ordering::SeqCst);
}
