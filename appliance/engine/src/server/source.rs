//! Where a connection to a server comes from (HAProxy manual, section 4.2, `source`).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;

use lanai_model::layer7::{Shown, Source, SourcePorts};
use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::io::{Port, Ports, TRIES};
use crate::service::syslog::{EMERG, ERR, LogSender};
use crate::state::LiveBackend;

/// The client's address that a server is to see. Without one that can be seen from there it is the
/// source's own.
pub(crate) fn of_client(
    source: &Source,
    to: IpAddr,
    peer: Option<SocketAddr>,
    field: impl FnOnce(&str, i32) -> Option<IpAddr>,
) -> Option<SocketAddr> {
    let shown = match source.shown.as_ref()? {
        Shown::Address(_) => return None,
        Shown::Client => peer?,
        Shown::ClientIp => SocketAddr::new(peer?.ip(), 0),
        Shown::Header { name, occurrence } => SocketAddr::new(field(name, *occurrence)?, 0),
    };
    let shown = SocketAddr::new(shown.ip().to_canonical(), shown.port());
    (shown.is_ipv4() == to.is_ipv4()).then_some(shown)
}

/// What this machine lacks for a connection.
#[derive(Debug)]
pub(crate) enum Lack {
    /// All ports of the server's range are taken.
    Range,
    /// It cannot use the address that connections are to come from, or the port.
    Source(io::Error),
    /// It cannot use the client's address, or another that is not its own.
    Shown(io::Error),
    /// No connection to this destination can be made from there.
    Way(io::Error),
    /// Descriptors, memory.
    Other(io::Error),
}

impl Lack {
    /// What became of a call that connects: whether this is why it failed.
    pub(crate) fn of_connect(error: io::Error) -> Result<Self, io::Error> {
        match Errno::from_io_error(&error) {
            Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE | Errno::AGAIN) => Ok(Self::Way(error)),
            _ => Err(error),
        }
    }

    /// HAProxy's line in the log about a backend.
    pub(crate) fn tell(&self, backend: &LiveBackend, log: &LogSender) {
        let name = &backend.conf.name;
        let (level, message) = match self {
            Self::Range | Self::Source(_) => (
                EMERG,
                format!("Cannot bind to source address before connect() for backend {name}."),
            ),
            Self::Shown(_) => (
                EMERG,
                format!(
                    "Cannot bind to tproxy source address before connect() for backend {name}."
                ),
            ),
            Self::Way(error) => {
                let what = match Errno::from_io_error(error) {
                    Some(Errno::ADDRINUSE) => "local address already in use",
                    _ => "no free ports",
                };
                (ERR, format!("Connect() failed for backend {name}: {what}."))
            }
            Self::Other(error) => {
                tracing::warn!(backend = &**name, %error, "cannot connect: this machine lacks something");
                return;
            }
        };
        log.send(&backend.log, level, message.into_bytes());
    }
}

/// As HAProxy's checks say it.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range => f.write_str("Source port range exhausted"),
            Self::Source(error) | Self::Shown(error) => {
                write!(f, "Can't bind to source address ({})", plain(error))
            }
            Self::Way(error) => {
                let what = match Errno::from_io_error(error) {
                    Some(Errno::ADDRINUSE) => "Local source address already in use",
                    _ => "Out of local source ports on the system",
                };
                write!(f, "{what} ({})", plain(error))
            }
            Self::Other(error) => f.write_str(&plain(error)),
        }
    }
}

/// The system's words without Rust's addition of the number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Binds a socket that is about to connect to `to`; `client` is what [`of_client`] found. Returns the
/// port of `ports` that it has now, if it has one.
pub(crate) fn bind(
    socket: &impl AsFd,
    source: &Source,
    ports: Option<&Arc<Ports>>,
    client: Option<SocketAddr>,
    to: IpAddr,
    tries: &mut u32,
) -> Result<Option<Port>, Lack> {
    let fixed = match source.shown {
        Some(Shown::Address(address)) => Some(address),
        _ => None,
    };
    let same_family = |address: &SocketAddr| address.is_ipv4() == to.is_ipv4();
    let Some(foreign) = client.or(fixed).filter(same_family) else {
        return bind_own(socket, source, ports, to, tries);
    };
    let socket = SockRef::from(socket);
    // For both families, as of listening sockets.
    let bound = bind_device(&socket, source)
        .and_then(|()| socket.set_ip_transparent_v4(true))
        .and_then(|()| bind_to(&socket, foreign));
    bound.map_err(Lack::Shown)?;
    Ok(None)
}

/// As [`bind`], to an address of the box itself: a health check comes from there in any case.
pub(crate) fn bind_own(
    socket: &impl AsFd,
    source: &Source,
    ports: Option<&Arc<Ports>>,
    to: IpAddr,
    tries: &mut u32,
) -> Result<Option<Port>, Lack> {
    let socket = SockRef::from(socket);
    bind_device(&socket, source).map_err(Lack::Source)?;
    let own = source.address.filter(|ip| ip.is_ipv4() == to.is_ipv4());
    let Some(ports) = ports.filter(|ports| ports.address == own) else {
        let port = match source.ports {
            Some(SourcePorts::One(port)) => port.get(),
            _ => 0,
        };
        let bound = own.map_or(Ok(()), |ip| bind_to(&socket, SocketAddr::new(ip, port)));
        bound.map_err(Lack::Source)?;
        return Ok(None);
    };
    let own = own.unwrap_or(match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    });
    loop {
        let port = ports.take(TRIES.saturating_sub(*tries));
        let port = port.ok_or(Lack::Range)?;
        *tries = tries.saturating_sub(1);
        match bind_to(&socket, SocketAddr::new(own, port.number())) {
            Ok(()) => return Ok(Some(port)),
            // The next one may do.
            Err(_) if *tries > 0 => {}
            Err(error) => return Err(Lack::Source(error)),
        }
    }
}

fn bind_device(socket: &SockRef<'_>, source: &Source) -> io::Result<()> {
    match &source.interface {
        Some(interface) => socket.bind_device(Some(interface.as_bytes())),
        None => Ok(()),
    }
}

fn bind_to(socket: &SockRef<'_>, address: SocketAddr) -> io::Result<()> {
    // A port in TIME_WAIT is as good as another if the kernel lets a connection reuse it.
    socket.set_reuse_address(true)?;
    if address.port() == 0 {
        // The port is picked when the destination is known: one each for a destination, and not one
        // for all of them. Kernels before 4.2 pick it now.
        let _ = setsockopt(&**socket, IpBindAddressNoPort, &true);
    }
    socket.bind(&address.into())
}

/// Whether connections can be made to come from there, by this process and on this kernel: what would
/// fail at each of them fails when a configuration is prepared.
pub(crate) fn probe(source: &Source) -> Result<(), String> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))
        .map_err(|error| format!("cannot make a socket: {error}"))?;
    if source.shown.is_some() {
        let set = socket.set_ip_transparent_v4(true);
        set.map_err(|error| {
            format!(
                "'usesrc' cannot set IP_TRANSPARENT: {error}; this needs CAP_NET_RAW or CAP_NET_ADMIN"
            )
        })?;
    }
    if let Some(interface) = &source.interface {
        let set = socket.bind_device(Some(interface.as_bytes()));
        set.map_err(|error| {
            format!(
                "'source' cannot use interface '{interface}': {error}; is there such an interface \
                 (see: ip link)?"
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use lanai_model::Origin;

    use super::*;

    fn source(shown: Shown) -> Source {
        Source {
            address: None,
            ports: None,
            shown: Some(shown),
            interface: None,
            origin: Origin {
                file: "haproxy.cfg".into(),
                line: 1,
            },
        }
    }

    fn of(shown: Shown, to: &str, peer: Option<&str>) -> Option<String> {
        let peer = peer.map(|peer| peer.parse().unwrap());
        let field = |name: &str, occurrence| {
            (name == "x-real-ip" && occurrence == -1).then(|| "192.0.2.9".parse().unwrap())
        };
        let found = of_client(&source(shown), to.parse().unwrap(), peer, field);
        found.map(|address| address.to_string())
    }

    #[test]
    fn a_server_sees_the_client_where_it_can() {
        let (four, six) = (Some("192.0.2.1:5000"), Some("[2001:db8::1]:5000"));
        let cases = [
            (Shown::Client, "10.0.0.1", four, Some("192.0.2.1:5000")),
            (Shown::ClientIp, "10.0.0.1", four, Some("192.0.2.1:0")),
            (Shown::ClientIp, "fd00::1", six, Some("[2001:db8::1]:0")),
            // A client of IPv4 at a listener for both.
            (
                Shown::ClientIp,
                "10.0.0.1",
                Some("[::ffff:192.0.2.1]:5"),
                Some("192.0.2.1:0"),
            ),
            // A server of the other family, and a client without an address.
            (Shown::Client, "fd00::1", four, None),
            (Shown::Client, "10.0.0.1", None, None),
        ];
        for (shown, to, peer, wanted) in cases {
            let found = of(shown.clone(), to, peer);
            assert_eq!(found.as_deref(), wanted, "{shown:?} {to} {peer:?}");
        }
        let header = |name: &str| Shown::Header {
            name: name.into(),
            occurrence: -1,
        };
        assert_eq!(
            of(header("x-real-ip"), "10.0.0.1", four).as_deref(),
            Some("192.0.2.9:0")
        );
        assert_eq!(of(header("x-other"), "10.0.0.1", four), None);
    }
}
