//! `bind` lines (HAProxy manual, section 5.1).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::Origin;

/// An address a listener takes connections on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenAddress {
    /// `ADDR:PORT`; `*` is `0.0.0.0`.
    Inet(SocketAddr),
    /// `fd@N`: a listening socket inherited under this number.
    Fd(i32),
    /// A UNIX stream socket's path.
    Unix(PathBuf),
}

/// One `bind` line and one address of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    /// Where it listens.
    pub address: ListenAddress,
    /// `name`, for statistics.
    pub name: Option<Arc<str>>,
    /// `interface`: SO_BINDTODEVICE, so that only packets that come in by it are taken, and replies
    /// leave by it.
    pub interface: Option<Arc<str>>,
    /// `transparent`: IP_TRANSPARENT, so that connections to addresses that the box does not have are
    /// taken too. Never on every address.
    pub transparent: bool,
    /// IP_FREEBIND: the listener starts though the box does not have the address, which may come later.
    /// Of the Services text ([`crate::layer7::Config::stand_by`]); HAProxy has no word for it.
    pub freebind: bool,
    /// `backlog`.
    pub backlog: Option<u32>,
    /// `maxconn`.
    pub maxconn: Option<u32>,
    /// `ssl` and its settings.
    pub ssl: Option<BindSsl>,
    /// The line.
    pub origin: Origin,
}

/// `ssl crt FILE ...` of a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindSsl {
    /// `crt` files as written (`crt-base` applied), each with certificate chain and private key in
    /// PEM; at least one. The first serves clients without a matching SNI.
    pub crt: Vec<PathBuf>,
    /// Options of this bind; `ssl-default-bind-options` are already merged in.
    pub options: SslBindOptions,
}

/// `ssl-default-bind-options` and the same words on a `bind` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SslBindOptions {
    /// `no-tls-tickets`.
    pub no_tls_tickets: bool,
    /// `ssl-min-ver`; default TLS 1.2.
    pub min_version: Option<TlsVersion>,
    /// `ssl-max-ver`; default TLS 1.3.
    pub max_version: Option<TlsVersion>,
}

/// A TLS version the engine can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}
