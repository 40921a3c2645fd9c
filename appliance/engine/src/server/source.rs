//! Where a connection to a server comes from (HAProxy manual, section 4.2, `source`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use lanai_model::layer7::{Shown, Source};
use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

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

/// Binds a socket that is about to connect to `to`; `client` is what [`of_client`] found.
pub(crate) fn bind(
    socket: &impl AsFd,
    source: &Source,
    client: Option<SocketAddr>,
    to: IpAddr,
) -> io::Result<()> {
    let fixed = match source.shown {
        Some(Shown::Address(address)) => Some(address),
        _ => None,
    };
    let same_family = |address: &SocketAddr| address.is_ipv4() == to.is_ipv4();
    let foreign = client.or(fixed).filter(same_family);
    if foreign.is_some() {
        // For both families, as of listening sockets.
        SockRef::from(socket).set_ip_transparent_v4(true)?;
    }
    bind_to(socket, source, foreign, to)
}

/// As [`bind`], for a health check: it comes from the box itself.
pub(crate) fn bind_check(socket: &impl AsFd, source: &Source, to: IpAddr) -> io::Result<()> {
    bind_to(socket, source, None, to)
}

fn bind_to(
    socket: &impl AsFd,
    source: &Source,
    foreign: Option<SocketAddr>,
    to: IpAddr,
) -> io::Result<()> {
    let plain = SockRef::from(socket);
    if let Some(interface) = &source.interface {
        plain.bind_device(Some(interface.as_bytes()))?;
    }
    let own = source.address.filter(|ip| ip.is_ipv4() == to.is_ipv4());
    let own = own.map(|ip| SocketAddr::new(ip, source.port.unwrap_or(0)));
    let Some(address) = foreign.or(own) else {
        return Ok(());
    };
    plain.set_reuse_address(true)?;
    if address.port() == 0 {
        // The port is picked when the destination is known: one each for a destination, and not one
        // for all of them. Kernels before 4.2 pick it now.
        let _ = setsockopt(socket, IpBindAddressNoPort, &true);
    }
    plain.bind(&address.into())
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
            port: None,
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
