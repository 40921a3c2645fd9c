//! Opening connections to servers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};

use super::source::{self, Lack};
use crate::io::{Port, Reactor, Socket, TRIES};
use crate::state::{LiveServer, Target};

/// Why no connection was made.
#[derive(Debug)]
pub(crate) enum ConnectFailure {
    /// In time, but not as wished: refused, unreachable.
    Refused,
    /// `timeout connect` passed.
    TimedOut,
    /// This machine lacks something: descriptors, ports, memory.
    Resource(Lack),
}

impl ConnectFailure {
    /// Who ended it, as the log says. What this machine lacks is the server's failure to it, as to HAProxy.
    pub(crate) fn who(&self) -> u8 {
        match self {
            Self::TimedOut => b's',
            Self::Refused | Self::Resource(_) => b'S',
        }
    }
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

impl From<Lack> for ConnectFailure {
    fn from(lack: Lack) -> Self {
        Self::Resource(lack)
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

/// Begins a connection; `shown` is the client's address that the server is to see in place of ours. The
/// first bytes may be sent at once: the kernel tells when they cannot be.
pub(crate) fn connect(
    server: &LiveServer,
    client_port: impl FnOnce() -> Option<u16>,
    shown: Option<SocketAddr>,
    first: First,
    reactor: &Rc<Reactor>,
) -> Result<Socket, ConnectFailure> {
    let (fd, port, outcome) = match &server.target {
        Target::Inet(ip, port) => {
            let port = port.or_else(client_port).unwrap_or(0);
            begin(server, SocketAddr::new(*ip, port), shown, first)?
        }
        Target::Unix(path) => {
            let fd = socket(AddressFamily::UNIX)?;
            let address = net::SocketAddrUnix::new(path.as_path());
            let address = address.map_err(|e| Lack::Other(e.into()))?;
            let outcome = net::connect(&fd, &address);
            (fd, None, outcome)
        }
    };
    let mut socket = match outcome {
        Ok(()) => {
            let socket = Socket::new(fd, reactor);
            socket.expect_quiet();
            socket
        }
        Err(Errno::INPROGRESS) => Socket::connecting(fd, reactor),
        Err(error) => {
            let lack = Lack::of_connect(error.into());
            return Err(lack.map_or(ConnectFailure::Refused, ConnectFailure::Resource));
        }
    };
    socket.hold(port);
    socket.leads_to(server.state.uid);
    Ok(socket)
}

type Begun = (OwnedFd, Option<Port>, rustix::io::Result<()>);

/// Begins it from the next port of the server's range that will do, if it has one.
fn begin(
    server: &LiveServer,
    to: SocketAddr,
    shown: Option<SocketAddr>,
    first: First,
) -> Result<Begun, Lack> {
    let family = match to.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let mut tries = TRIES;
    loop {
        let fd = socket(family)?;
        // Whole messages are written at once: waiting for more would only add latency.
        let _ = net::sockopt::set_tcp_nodelay(&fd, true);
        if first == First::Us {
            // The acknowledgement that ends the handshake travels with the first bytes.
            let _ = net::sockopt::set_tcp_quickack(&fd, false);
        }
        let port = match &server.source {
            Some(source) => {
                let ports = server.ports.as_ref();
                source::bind(&fd, source, ports, shown, to.ip(), &mut tries)?
            }
            None => None,
        };
        match net::connect(&fd, &to) {
            // A connection from this port to there is open, or was until just now.
            Err(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) if port.is_some() && tries > 0 => drop(fd),
            outcome => return Ok((fd, port, outcome)),
        }
    }
}

fn socket(family: AddressFamily) -> Result<OwnedFd, Lack> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    net::socket_with(family, SocketType::STREAM, flags, None).map_err(|e| Lack::Other(e.into()))
}
