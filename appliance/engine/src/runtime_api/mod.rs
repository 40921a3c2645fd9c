//! The runtime API (`stats socket`): HAProxy's text protocol, so that tools made for HAProxy read our
//! counters (management guide, section 9.3).
//!
//! A connection is served by a task of its own on the service thread; nothing here is on the road of
//! a request. An answer is built whole, from one [`Status`], and then written.

mod changes;
mod columns;
mod commands;
mod connection;
mod fields;
mod info;
mod rows;
mod servers;
mod stat;
mod table;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lanai_model::layer7::AccessLevel;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_local;

use crate::overrides::Operator;
use crate::status::Status;

pub(crate) use commands::{replay, replay_one};

/// Connections of one socket at the same time; more wait in the kernel's queue.
pub(crate) const CONNECTIONS: usize = 64;
/// How long to wait before trying again when the system has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the answers come from.
pub(crate) trait Source {
    /// States and counters, now.
    fn status(&self) -> Status;
    /// The version to tell.
    fn version(&self) -> &'static str;
    /// The process.
    fn pid(&self) -> u32;
    /// Who changes things.
    fn operator(&self) -> &Operator;
    /// Forgets the highest values seen, or with `all` sets every counter to zero.
    fn clear_counters(&self, all: bool);
}

/// Serves one listening `stats socket`, UNIX or TCP, until dropped; its connections are answered to
/// their end.
///
/// Needs a runtime that can `spawn_local`. `level` is what clients may do, `timeout` how long they
/// may be idle, `places` how many there may be at the same time. A socket that cannot be used is told
/// to the log; there is nobody else to tell.
pub(crate) async fn serve(
    listener: OwnedFd,
    source: Rc<dyn Source>,
    level: AccessLevel,
    timeout: Duration,
    places: Arc<Semaphore>,
) {
    let listener = match Listener::new(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the runtime API cannot use its socket");
            return;
        }
    };
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            // It is never closed.
            return;
        };
        let source = Rc::clone(&source);
        match listener.accept().await {
            Ok(Client::Unix(stream)) => {
                let connection = connection::run(stream, source, level, timeout);
                spawn_local(at(place, connection));
            }
            Ok(Client::Tcp(stream)) => {
                let connection = connection::run(stream, source, level, timeout);
                spawn_local(at(place, connection));
            }
            Err(error) => {
                tracing::warn!(%error, "the runtime API cannot take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A connection that gives its place back at its end.
async fn at(place: OwnedSemaphorePermit, connection: impl Future<Output = ()>) {
    connection.await;
    drop(place);
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

enum Client {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Listener {
    fn new(listener: OwnedFd) -> io::Result<Self> {
        let socket = socket2::Socket::from(listener);
        socket.set_nonblocking(true)?;
        if socket.domain()? == socket2::Domain::UNIX {
            UnixListener::from_std(OwnedFd::from(socket).into()).map(Self::Unix)
        } else {
            TcpListener::from_std(socket.into()).map(Self::Tcp)
        }
    }

    async fn accept(&self) -> io::Result<Client> {
        match self {
            Self::Unix(listener) => Ok(Client::Unix(listener.accept().await?.0)),
            Self::Tcp(listener) => Ok(Client::Tcp(listener.accept().await?.0)),
        }
    }
}
