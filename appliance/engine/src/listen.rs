//! Listening sockets: made once when a change is prepared, then shared by the workers.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use lanai_model::layer7::{Bind, ListenAddress};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::state::FrontendState;
use crate::tls::TlsConfig;

/// What makes two listening sockets the same: one that a change does not touch is not reopened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListenKey {
    pub(crate) address: ListenAddress,
    pub(crate) interface: Option<Arc<str>>,
}

impl ListenKey {
    pub(crate) fn of(bind: &Bind) -> Self {
        Self {
            address: bind.address.clone(),
            interface: bind.interface.clone(),
        }
    }

    /// The name under which the socket is handed from one engine to the next. A descriptor that was
    /// inherited has none: its number means nothing to another process.
    pub(crate) fn name(&self) -> Option<String> {
        let address = match &self.address {
            ListenAddress::Inet(address) => address.to_string(),
            ListenAddress::Unix(path) => path.to_str()?.to_owned(),
            ListenAddress::Fd(_) => return None,
        };
        Some(match &self.interface {
            Some(interface) => format!("{address} interface {interface}"),
            None => address,
        })
    }
}

/// A listening socket and what its connections are for.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) key: ListenKey,
    pub(crate) socket: Arc<OwnedFd>,
    pub(crate) frontend: Arc<FrontendState>,
    pub(crate) tls: Option<TlsConfig>,
    /// Connections that may wait to be accepted.
    pub(crate) backlog: i32,
    /// Whether it takes connections to an address that the box does not have.
    pub(crate) transparent: bool,
    /// `name` of the bind line, else its number.
    pub(crate) label: Arc<str>,
}

/// Opens the listening socket of a bind line.
///
/// `shared_port` must be true when another socket has the same address and another interface, or none, or
/// one of them has every address of the box ([`shared_addresses`]): the kernel then asks for SO_REUSEPORT on both ([`share_port`]). It is not set otherwise, so that a
/// second process on the same address is an error and not a silent division of the traffic.
///
/// # Errors
/// In words, for the line.
pub(crate) fn open(bind: &Bind, backlog: i32, shared_port: bool) -> Result<OwnedFd, String> {
    match &bind.address {
        ListenAddress::Inet(address) => open_inet(bind, *address, backlog, shared_port),
        ListenAddress::Fd(number) => inherit(*number),
        ListenAddress::Unix(path) => open_unix(path, backlog)
            .map_err(|e| format!("cannot bind UNIX socket '{}': {e}", path.display())),
    }
}

/// The addresses that several of these sockets have: each for another interface or one for all, or one
/// for every address of the box and others for some of them.
pub(crate) fn shared_addresses(keys: impl Iterator<Item = ListenKey>) -> HashSet<ListenAddress> {
    let keys: HashSet<ListenKey> = keys.collect();
    let mut ports: HashMap<u16, Vec<SocketAddr>> = HashMap::new();
    for key in &keys {
        if let ListenAddress::Inet(address) = key.address {
            ports.entry(address.port()).or_default().push(address);
        }
    }
    let shared = |all: &[SocketAddr], one: &SocketAddr| {
        let wildcard = all.iter().any(|address| address.ip().is_unspecified());
        let same = all.iter().filter(|address| *address == one).count();
        all.len() > 1 && (wildcard || same > 1)
    };
    ports
        .values()
        .flat_map(|all| all.iter().filter(|one| shared(all, one)))
        .map(|address| ListenAddress::Inet(*address))
        .collect()
}

/// Has a socket share its port with those that are to join it, or not any more once they have.
///
/// It must not stay so: among sockets with SO_REUSEPORT the kernel takes the first that fits, which is
/// the one that was bound last in IPv4 and first in IPv6. Without it, it takes the one that fits
/// best: with the interface that the connection came in by.
pub(crate) fn share_port(socket: &OwnedFd, share: bool) -> io::Result<()> {
    socket2::SockRef::from(socket).set_reuse_port(share)
}

/// Has a socket that is open already be transparent, or not any more.
pub(crate) fn set_transparent(socket: &OwnedFd, transparent: bool) -> io::Result<()> {
    let socket = socket2::SockRef::from(socket);
    if socket.ip_transparent_v4()? != transparent {
        // Linux keeps one flag for both families, which IPV6_TRANSPARENT sets as well.
        socket.set_ip_transparent_v4(transparent)?;
    }
    Ok(())
}

/// The address the kernel knows.
pub(crate) fn bound_address(socket: &OwnedFd) -> Option<SocketAddr> {
    socket2::SockRef::from(socket)
        .local_addr()
        .ok()?
        .as_socket()
}

fn open_inet(
    bind: &Bind,
    address: SocketAddr,
    backlog: i32,
    shared_port: bool,
) -> Result<OwnedFd, String> {
    let step = |what: &str, e: io::Error| {
        let hint = match e.raw_os_error() {
            Some(errno::EADDRINUSE) => "; another process listens there (see: ss -ltnp)",
            Some(errno::EADDRNOTAVAIL) => {
                "; no interface has this address (see: ip address); if it comes later, a line \
                 'standby ADDRESS' of 'service haproxy' in the Services tab lets this start without it"
            }
            Some(errno::EACCES) => "; ports below 1024 need CAP_NET_BIND_SERVICE",
            Some(errno::ENODEV) => "; there is no such interface (see: ip link)",
            Some(errno::EPERM) => "; this needs CAP_NET_RAW",
            _ => "",
        };
        format!("cannot {what} [{address}]: {e}{hint}")
    };
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )
    .map_err(|e| step("make a socket for", e))?;
    socket
        .set_reuse_address(true)
        .map_err(|e| step("set SO_REUSEADDR on", e))?;
    if shared_port {
        socket
            .set_reuse_port(true)
            .map_err(|e| step("set SO_REUSEPORT on", e))?;
    }
    if let Some(interface) = &bind.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(|e| step(&format!("bind to interface '{interface}' for"), e))?;
    }
    if bind.transparent {
        // For both families, as in `set_transparent`.
        socket
            .set_ip_transparent_v4(true)
            .map_err(|e| step("set IP_TRANSPARENT on", e))?;
    }
    if bind.freebind {
        let set = match address {
            SocketAddr::V4(_) => socket.set_freebind_v4(true),
            SocketAddr::V6(_) => socket.set_freebind_v6(true),
        };
        set.map_err(|e| step("set IP_FREEBIND on", e))?;
    }
    // Accepted sockets inherit it: one system call less for each connection.
    socket
        .set_tcp_nodelay(true)
        .map_err(|e| step("set TCP_NODELAY on", e))?;
    socket
        .bind(&address.into())
        .map_err(|e| step("bind socket", e))?;
    socket.listen(backlog).map_err(|e| step("listen on", e))?;
    Ok(socket.into())
}

/// Uses a socket that was opened by whoever started us. The original stays open, so that a later
/// configuration may name it again.
fn inherit(number: i32) -> Result<OwnedFd, String> {
    let wrong = |e: io::Error| format!("fd@{number} is no listening socket of ours: {e}");
    if number < 0 {
        return Err(wrong(io::ErrorKind::InvalidInput.into()));
    }
    // SAFETY: the number is not negative, and it is only used to duplicate the descriptor here: if it
    // is not open, that fails with EBADF. A descriptor named by `fd@` is the administrator's to give,
    // and nothing else in the process closes it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let fd = borrowed.try_clone_to_owned().map_err(wrong)?;
    let socket = socket2::SockRef::from(&fd);
    if !socket.is_listener().map_err(wrong)? {
        return Err(format!("fd@{number} does not listen"));
    }
    socket.set_nonblocking(true).map_err(wrong)?;
    // A UNIX socket has none.
    let _ = socket.set_tcp_nodelay(true);
    Ok(fd)
}

/// Listens on a path, in place of a socket that nobody listens on any more.
pub(crate) fn open_unix(path: &Path, backlog: i32) -> io::Result<OwnedFd> {
    let address = SockAddr::unix(path)?;
    let make = || Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None);
    let socket = make()?;
    if let Err(error) = socket.bind(&address) {
        let is_stale = error.kind() == io::ErrorKind::AddrInUse
            && make()?
                .connect(&address)
                .is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
        if !is_stale {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// Error numbers of Linux, for hints (errno(3)).
mod errno {
    use rustix::io::Errno;

    pub(super) const EADDRINUSE: i32 = Errno::ADDRINUSE.raw_os_error();
    pub(super) const EADDRNOTAVAIL: i32 = Errno::ADDRNOTAVAIL.raw_os_error();
    pub(super) const EACCES: i32 = Errno::ACCESS.raw_os_error();
    pub(super) const ENODEV: i32 = Errno::NODEV.raw_os_error();
    pub(super) const EPERM: i32 = Errno::PERM.raw_os_error();
}
