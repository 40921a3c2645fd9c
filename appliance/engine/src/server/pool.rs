//! Idle server connections.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
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
    /// It has served a request already: it is known to work, and may have been closed meanwhile.
    pub(crate) reused: bool,
    /// It has been reused at least once: what `http-reuse aggressive` trusts.
    pub(crate) proven: bool,
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
struct Shelf(Mutex<Contents>);

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

    fn of(&self, worker: usize) -> MutexGuard<'_, Contents> {
        self.0
            .get(worker)
            .expect("a worker's number is below the number of workers")
            .lock()
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    /// The one that was used last; with `proven`, that was reused before.
    fn pop(&mut self, server: &ServerState, proven: bool) -> Option<Idle> {
        let position = self.idle.iter().rposition(|idle| idle.proven || !proven)?;
        server.idle.fetch_sub(1, Ordering::Relaxed);
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
        let mut shelf = server.shelves.of(worker.id);
        self.forget_taken(worker, &mut shelf);
        let mut watched = self.watched.borrow_mut();
        while let Some(idle) = shelf.pop(server, proven) {
            watched.try_remove(idle.key);
            if idle.is_current(server) {
                let place = idle.place;
                return Some(ServerConnection {
                    socket: idle.socket.take_back(&worker.reactor),
                    reused: true,
                    proven: true,
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
        server: &ServerState,
        proven: bool,
    ) -> Option<ServerConnection> {
        if server.idle.load(Ordering::Relaxed) == 0 {
            return None;
        }
        for shelf in server.shelves.beside(worker.id) {
            loop {
                let mut contents = shelf.lock();
                let Some(idle) = contents.pop(server, proven) else {
                    break;
                };
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
                        reused: true,
                        proven: true,
                        place,
                    });
                }
            }
        }
        None
    }

    /// Keeps a connection for later requests. One that the server has closed or written to is
    /// dropped.
    pub(crate) fn put(
        &self,
        worker: &Worker,
        server: &Arc<ServerState>,
        connection: ServerConnection,
    ) {
        let mut shelf = server.shelves.of(worker.id);
        self.forget_taken(worker, &mut shelf);
        let place = connection.place;
        if shelf.idle.len() >= KEEP || place != server.place.load(Ordering::Relaxed) {
            return;
        }
        let mut watched = self.watched.borrow_mut();
        let entry = watched.vacant_entry();
        let key = entry.key();
        let deadline = worker.reactor.after(Some(IDLE));
        if let Some(socket) = connection.socket.shelve(Parked::Server(key), deadline) {
            entry.insert(Watched {
                server: server.clone(),
                token: socket.token(),
            });
            shelf.idle.push(Idle {
                socket,
                key,
                proven: connection.proven,
                place,
            });
            server.idle.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops an idle connection, and forgets it if another worker took it.
    pub(crate) fn discard(&self, worker: &Worker, key: usize) {
        let Some(watched) = self.watched.borrow_mut().try_remove(key) else {
            return;
        };
        let server = &watched.server;
        let mut shelf = server.shelves.of(worker.id);
        match shelf.idle.iter().position(|idle| idle.key == key) {
            Some(position) => {
                server.idle.fetch_sub(1, Ordering::Relaxed);
                shelf.idle.remove(position);
            }
            None => shelf.taken.retain(|&taken| taken != key),
        }
        drop(shelf);
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
