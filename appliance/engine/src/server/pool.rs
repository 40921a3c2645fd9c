//! Idle server connections of a worker.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use slab::Slab;

use crate::io::{Parked, Reactor, Socket};
use crate::state::ServerState;

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

/// Idle connections, the latest first. They are parked: no task, no buffer.
#[derive(Default)]
pub(crate) struct ServerPools {
    idle: RefCell<Slab<Idle>>,
    /// Keys into `idle`, by [`ServerState::uid`].
    stacks: RefCell<Vec<Vec<usize>>>,
}

struct Idle {
    connection: ServerConnection,
    server: Arc<ServerState>,
}

impl ServerPools {
    /// Takes the connection that was used last; with `proven`, one that was reused before.
    pub(crate) fn take(&self, server: &ServerState, proven: bool) -> Option<ServerConnection> {
        let mut stacks = self.stacks.borrow_mut();
        let stack = stacks.get_mut(server.uid)?;
        let mut idle = self.idle.borrow_mut();
        loop {
            let position = if proven {
                stack
                    .iter()
                    .rposition(|&key| idle.get(key).is_some_and(|i| i.connection.proven))?
            } else {
                stack.len().checked_sub(1)?
            };
            let key = stack.remove(position);
            let mut connection = idle.remove(key).connection;
            server.idle.fetch_sub(1, Ordering::Relaxed);
            // One that leads to where the server was before is closed.
            if connection.place == server.place.load(Ordering::Relaxed) {
                connection.socket.unpark();
                connection.proven = true;
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for later requests. One that the server has closed or written to is
    /// dropped.
    pub(crate) fn put(
        &self,
        reactor: &Reactor,
        server: &Arc<ServerState>,
        connection: ServerConnection,
    ) {
        let mut stacks = self.stacks.borrow_mut();
        if stacks.len() <= server.uid {
            stacks.resize_with(server.uid + 1, Vec::new);
        }
        let Some(stack) = stacks.get_mut(server.uid) else {
            return;
        };
        if stack.len() >= KEEP || connection.place != server.place.load(Ordering::Relaxed) {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let entry = idle.vacant_entry();
        let key = entry.key();
        let deadline = reactor.after(Some(IDLE));
        if connection.socket.park(Parked::Server(key), deadline) {
            let connection = ServerConnection {
                reused: true,
                ..connection
            };
            entry.insert(Idle {
                connection,
                server: server.clone(),
            });
            stack.push(key);
            server.idle.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops an idle connection.
    pub(crate) fn discard(&self, key: usize) {
        let Some(idle) = self.idle.borrow_mut().try_remove(key) else {
            return;
        };
        idle.server.idle.fetch_sub(1, Ordering::Relaxed);
        if let Some(stack) = self.stacks.borrow_mut().get_mut(idle.server.uid) {
            stack.retain(|&k| k != key);
        }
    }
}
