//! `source` lines (HAProxy manual, section 4.2).

use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::Origin;

/// Where connections to a server come from. The line it stands on does not make it another one.
#[derive(Clone, Debug)]
pub struct Source {
    /// An address of this box; `None` leaves it to the kernel. Health checks come from it in any case.
    pub address: Option<IpAddr>,
    /// The ports that connections come from: one, or of a `server` line several, each of which one
    /// connection has at a time. `None` leaves it to the kernel.
    pub ports: Option<SourcePorts>,
    /// `usesrc`: an address that this box need not have, in place of `address`.
    pub shown: Option<Shown>,
    /// `interface`: the only one that is used.
    pub interface: Option<Arc<str>>,
    /// The line.
    pub origin: Origin,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        let parts = |one: &Self| {
            (
                one.address,
                one.ports.clone(),
                one.shown.clone(),
                one.interface.clone(),
            )
        };
        parts(self) == parts(other)
    }
}

impl Eq for Source {}

/// `:PORT` or `:LOW-HIGH` of a `source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePorts {
    /// One for all connections: there is one at a time.
    One(NonZero<u16>),
    /// These are handed out, in turn. None is 0, and there are two at least.
    Range(RangeInclusive<u16>),
}

/// Whose address the server sees (`usesrc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// This one. Port 0 is any.
    Address(SocketAddr),
    /// `client`: the client's, with its port.
    Client,
    /// `clientip`: the client's, from any port.
    ClientIp,
    /// `hdr_ip(NAME,OCCURRENCE)`: the one in this field of the request, from any port.
    Header {
        /// The field's name.
        name: Arc<str>,
        /// From 1 for the first of its values, from -1 for the last.
        occurrence: i32,
    },
}
