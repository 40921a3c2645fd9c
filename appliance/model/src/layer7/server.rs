//! `server` lines (HAProxy manual, section 5.2).

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::source::Source;
use crate::Origin;

/// One `server` line, with `default-server` applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Name, unique in its backend.
    pub name: Arc<str>,
    /// Where it is.
    pub address: ServerAddress,
    /// `check` and its settings; `None` is no check.
    pub check: Option<Check>,
    /// `weight`, 0 to 256; default 1.
    pub weight: u16,
    /// `maxconn`: concurrent connections to it; `None` is unlimited.
    pub maxconn: Option<u32>,
    /// `source`, its own or its backend's; `None` leaves it to the kernel.
    pub source: Option<Arc<Source>>,
    /// The line.
    pub origin: Origin,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// An IP address. Port `None` is the port the client came to.
    Ip(IpAddr, Option<u16>),
    /// A host name, resolved when a change is prepared.
    Name(Arc<str>, Option<u16>),
    /// A UNIX stream socket's path.
    Unix(PathBuf),
}

/// Health check settings (HAProxy manual, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// `inter`, default 2 s.
    pub inter: Duration,
    /// `fastinter`: between checks while the state is changing; default `inter`.
    pub fastinter: Option<Duration>,
    /// `downinter`: between checks of a server that is down; default `inter`.
    pub downinter: Option<Duration>,
    /// `rise`, default 2.
    pub rise: u32,
    /// `fall`, default 3.
    pub fall: u32,
    /// `port`: check this port instead of the server's.
    pub port: Option<u16>,
}
