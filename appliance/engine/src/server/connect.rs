//! Opening connections to servers.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use crate::io::{Reactor, Socket};
use crate::server::source;
use crate::state::{LiveServer, Target};

/// Why no connection was made.
#[derive(Debug)]
pub(crate) enum ConnectFailure {
    /// In time, but not as wished: refused, unreachable.
    Refused,
    /// `timeout connect` passed.
    TimedOut,
    /// This machine lacks something: descriptors, ports, memory.
    Resource(io::Error),
}

impl From<io::Error> for ConnectFailure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() {
            Self::TimedOut
        } else {
            Self::Refused
        }
    }
}

/// Who sends first on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// We do, at once.
    Us,
    /// Whoever has something to say.
    Either,
}

/// Begins a connection; `shown` is the client's address that the server is to see in place of ours. The first bytes may be sent at once: the kernel tells when they cannot be.
pub(crate) fn connect(
    server: &LiveServer,
    client_port: impl FnOnce() -> Option<u16>,
    shown: Option<SocketAddr>,
    first: First,
    reactor: &Rc<Reactor>,
) -> Result<Socket, ConnectFailure> {
    let target = &server.target;
    let family = match target {
        Target::Inet(ip, _) if ip.is_ipv4() => AddressFamily::INET,
        Target::Inet(..) => AddressFamily::INET6,
        Target::Unix(_) => AddressFamily::UNIX,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = net::socket_with(family, SocketType::STREAM, flags, None)
        .map_err(|e| ConnectFailure::Resource(e.into()))?;
    let outcome = match target {
        Target::Inet(ip, port) => {
            // Whole messages are written at once: waiting for more would only add latency.
            let _ = net::sockopt::set_tcp_nodelay(&fd, true);
            if first == First::Us {
                // The acknowledgement that ends the handshake travels with the first bytes.
                let _ = net::sockopt::set_tcp_quickack(&fd, false);
            }
            if let Some(source) = &server.source {
                let bound = source::bind(&fd, source, shown, *ip);
                bound.map_err(ConnectFailure::Resource)?;
            }
            let port = port.or_else(client_port).unwrap_or(0);
            net::connect(&fd, &SocketAddr::new(*ip, port))
        }
        Target::Unix(path) => {
            let address = net::SocketAddrUnix::new(path.as_path())
                .map_err(|e| ConnectFailure::Resource(e.into()))?;
            net::connect(&fd, &address)
        }
    };
    let socket = match outcome {
        Ok(()) => {
            let socket = Socket::new(fd, reactor);
            socket.expect_quiet();
            socket
        }
        Err(Errno::INPROGRESS) => Socket::connecting(fd, reactor),
        Err(error @ (Errno::ADDRNOTAVAIL | Errno::ADDRINUSE | Errno::AGAIN)) => {
            return Err(ConnectFailure::Resource(error.into()));
        }
        Err(_) => return Err(ConnectFailure::Refused),
    };
    socket.leads_to(server.state.uid);
    Ok(socket)
}
