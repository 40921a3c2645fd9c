//! Idle server connections.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;

use crate::io::{Parked, Shelved, Socket, Token};
use crate::state::ServerState;
use crate::worker::Worker;

/// Idle connections that a worker keeps for one server at most.
const KEEP: usize = 512;
/// How long an idle connection is kept. Servers close them too, and each side that closes first
/// spares the other a failed request.
const IDLE: Duration = Duration::from_secs(30);

/// A connection to a server.
pub(crate) struct ServerConnection {
    pub(crate) socket: Socket,
    /// Where it leads. It goes with the connection to the shelf and back: counting references to it
    /// for each request is something that all workers would do in one place.
    pub(crate) server: Arc<ServerState>,
    /// It has served a request already: it is known to work, and may have been closed meanwhile.
    pub(crate) reused: bool,
    /// It has been reused at least once: what `http-reuse aggressive` trusts.
    pub(crate) proven: bool,
    /// The client's address that the server sees in it: it serves nobody else.
    pub(crate) shown: Option<SocketAddr>,
    /// The number of the server's address that it was made to.
    pub(crate) place: u32,
}

/// The idle connections to one server, a shelf for each worker. A worker takes from its own; when that
/// is empty, from another one's.
#[derive(Debug)]
pub(crate) struct Shelves(Box<[Shelf]>);

/// On a cache line of its own: all but always, only its worker touches it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shelf {
    contents: Mutex<Contents>,
    /// How many are idle, to be read without the lock.
    count: AtomicU32,
}

#[derive(Debug, Default)]
struct Contents {
    /// The latest last.
    idle: Vec<Idle>,
    /// Keys in [`ServerPools`] of connections that other workers took. They are forgotten when the
    /// worker comes by, so there are no more than it put here before.
    taken: Vec<usize>,
}

/// A parked connection: no task, no buffer.
#[derive(Debug)]
struct Idle {
    socket: Shelved,
    /// In its worker's [`ServerPools`].
    key: usize,
    proven: bool,
    place: u32,
}

/// The idle connections that a worker's reactor watches.
#[derive(Default)]
pub(crate) struct ServerPools {
    watched: RefCell<Slab<Watched>>,
}

struct Watched {
    server: Arc<ServerState>,
    token: Token,
}

impl Shelves {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| Shelf::default()).collect())
    }

    /// How many connections are idle.
    pub(crate) fn idle(&self) -> u32 {
        self.0.iter().map(Shelf::count).sum()
    }

    fn of(&self, worker: usize) -> &Shelf {
        self.0
            .get(worker)
            .expect("a worker's number is below the number of workers")
    }

    /// The others' shelves, from the next one on.
    fn beside(&self, worker: usize) -> impl Iterator<Item = &Shelf> {
        let (before, after) = self.0.split_at(worker.min(self.0.len()));
        after.iter().skip(1).chain(before)
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Every change is complete before the lock is given back.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// To be called before the lock is given back.
    fn recount(&self, contents: &Contents) {
        let count = u32::try_from(contents.idle.len()).unwrap_or(u32::MAX);
        self.count.store(count, Ordering::Relaxed);
    }
}

impl Contents {
    /// The one that was used last; with `proven`, that was reused before.
    fn pop(&mut self, proven: bool) -> Option<Idle> {
        let position = self.idle.iter().rposition(|idle| idle.proven || !proven)?;
        Some(self.idle.remove(position))
    }
}

impl Idle {
    /// Leads to where the server is now.
    fn is_current(&self, server: &ServerState) -> bool {
        self.place == server.place.load(Ordering::Relaxed)
    }
}

impl ServerPools {
    /// Takes an idle connection that this worker watches. On the way it closes those that lead to
    /// where the server was before.
    pub(crate) fn take(
        &self,
        worker: &Worker,
        server: &ServerState,
        proven: bool,
    ) -> Option<ServerConnection> {
        let shelf = server.shelves.of(worker.id);
        let mut contents = shelf.lock();
        self.forget_taken(worker, &mut contents);
        let mut watched = self.watched.borrow_mut();
        while let Some(idle) = contents.pop(proven) {
            shelf.recount(&contents);
            let watched = watched.try_remove(idle.key);
            if idle.is_current(server)
                && let Some(watched) = watched
            {
                let place = idle.place;
                return Some(ServerConnection {
                    socket: idle.socket.take_back(&worker.reactor),
                    server: watched.server,
                    reused: true,
                    proven: true,
                    shown: None,
                    place,
                });
            }
            worker.reactor.remove(idle.socket.token());
        }
        None
    }

    /// Takes an idle connection that another worker watches.
    pub(crate) fn take_over(
        &self,
        worker: &Worker,
        server: &Arc<ServerState>,
        proven: bool,
    ) -> Option<ServerConnection> {
        for shelf in server.shelves.beside(worker.id) {
            while shelf.count() > 0 {
                let mut contents = shelf.lock();
                let Some(idle) = contents.pop(proven) else {
                    break;
                };
                shelf.recount(&contents);
                contents.taken.push(idle.key);
                // Under the lock: its worker must not take an event for one of another connection.
                idle.socket.unwatch();
                drop(contents);
                let place = idle.place;
                if idle.is_current(server)
                    && let Some(socket) = idle.socket.take_over(&worker.reactor)
                {
                    socket.leads_to(server.uid);
                    return Some(ServerConnection {
                        socket,
                        server: server.clone(),
                        reused: true,
                        proven: true,
                        shown: None,
                        place,
                    });
                }
            }
        }
        None
    }

    /// Keeps a connection for later requests. One that the server has closed or written to is
    /// dropped.
    pub(crate) fn put(&self, worker: &Worker, connection: ServerConnection) {
        let server = connection.server;
        let shelf = server.shelves.of(worker.id);
        let mut contents = shelf.lock();
        self.forget_taken(worker, &mut contents);
        let place = connection.place;
        if contents.idle.len() >= KEEP || place != server.place.load(Ordering::Relaxed) {
            return;
        }
        let mut watched = self.watched.borrow_mut();
        let entry = watched.vacant_entry();
        let key = entry.key();
        let deadline = worker.reactor.after(Some(IDLE));
        if let Some(socket) = connection.socket.shelve(Parked::Server(key), deadline) {
            let token = socket.token();
            contents.idle.push(Idle {
                socket,
                key,
                proven: connection.proven,
                place,
            });
            shelf.recount(&contents);
            drop(contents);
            entry.insert(Watched { server, token });
        }
    }

    /// Drops an idle connection, and forgets it if another worker took it.
    pub(crate) fn discard(&self, worker: &Worker, key: usize) {
        let Some(watched) = self.watched.borrow_mut().try_remove(key) else {
            return;
        };
        let server = &watched.server;
        let shelf = server.shelves.of(worker.id);
        let mut contents = shelf.lock();
        match contents.idle.iter().position(|idle| idle.key == key) {
            Some(position) => {
                contents.idle.remove(position);
                shelf.recount(&contents);
            }
            None => contents.taken.retain(|&taken| taken != key),
        }
        drop(contents);
        worker.reactor.remove(watched.token);
    }

    fn forget_taken(&self, worker: &Worker, shelf: &mut Contents) {
        for key in shelf.taken.drain(..) {
            if let Some(watched) = self.watched.borrow_mut().try_remove(key) {
                worker.reactor.remove(watched.token);
            }
        }
    }
}
