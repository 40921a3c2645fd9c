//! The vocabulary that wanted state, observed state and steps share.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::TABLE_MAIN;

/// Name of an interface, as the kernel knows it: 1 to 15 bytes, no `/`, no white space.
///
/// `kernel` refuses a name that would leave its directory below `/proc/sys`.
pub type InterfaceName = Arc<str>;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of a prefix.
    pub fn of(net: IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::V4,
            IpNet::V6(_) => Self::V6,
        }
    }
}

/// An address on an interface; that pair and the prefix length are its identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InterfaceAddress {
    /// The interface that carries it.
    pub interface: InterfaceName,
    /// Host address with the prefix length of its network.
    pub net: IpNet,
}

impl InterfaceAddress {
    /// The route that the kernel keeps for the network of the address while the interface is up;
    /// `None` for an IPv4 address without a network (`/32`).
    pub fn connected_route(&self) -> Option<Route> {
        let metric = match self.net {
            IpNet::V4(net) if net.prefix_len() == 32 => return None,
            IpNet::V4(_) => 0,
            IpNet::V6(_) => IPV6_CONNECTED_METRIC,
        };
        Some(Route {
            table: TABLE_MAIN,
            destination: self.net.trunc(),
            metric,
            kind: RouteKind::Unicast,
            gateway: None,
            interface: Some(self.interface.clone()),
        })
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.net, self.interface)
    }
}

/// What the kernel does with a packet that a route matches (`rtm_type`, `linux/rtnetlink.h`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// Sends it on: to the gateway, or to a neighbour on the interface.
    #[default]
    Unicast,
    /// Takes it as its own.
    Local,
    /// Takes it and sends it as broadcast.
    Broadcast,
    /// Takes it as anycast.
    Anycast,
    /// Multicast.
    Multicast,
    /// Drops it silently.
    Blackhole,
    /// Drops it and answers "unreachable".
    Unreachable,
    /// Drops it and answers "prohibited".
    Prohibit,
    /// Goes on with the next rule.
    Throw,
    /// A kind that only newer kernels know.
    Other(u8),
}

/// One way on, of a route that has several.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NextHop {
    /// The router; `None` is on the link itself.
    pub gateway: Option<IpAddr>,
    /// The interface.
    pub interface: Option<InterfaceName>,
}

/// A route. Table, destination and metric are its identity: the kernel keeps one of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// Routing table, [`TABLE_MAIN`] unless asked otherwise.
    pub table: u32,
    /// Destination, host bits zero; `0.0.0.0/0` or `::/0` is the default route.
    pub destination: IpNet,
    /// Priority as the kernel stores it, lowest first (see [`effective_metric`]).
    pub metric: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Next hop; `None` is on the link.
    pub gateway: Option<IpAddr>,
    /// Interface; `None` for kinds that send nothing.
    pub interface: Option<InterfaceName>,
}

impl Route {
    /// What must be unique among the routes of the box.
    pub fn key(&self) -> (u32, IpNet, u32) {
        (self.table, self.destination, self.metric)
    }

    /// Whether it is a default route.
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RouteKind::Unicast => {}
            RouteKind::Local => f.write_str("local ")?,
            RouteKind::Broadcast => f.write_str("broadcast ")?,
            RouteKind::Anycast => f.write_str("anycast ")?,
            RouteKind::Multicast => f.write_str("multicast ")?,
            RouteKind::Blackhole => f.write_str("blackhole ")?,
            RouteKind::Unreachable => f.write_str("unreachable ")?,
            RouteKind::Prohibit => f.write_str("prohibit ")?,
            RouteKind::Throw => f.write_str("throw ")?,
            RouteKind::Other(kind) => write!(f, "type {kind} ")?,
        }
        match (self.is_default(), self.destination) {
            (true, IpNet::V4(_)) => f.write_str("default")?,
            (true, IpNet::V6(_)) => f.write_str("default (IPv6)")?,
            (false, net) => write!(f, "{net}")?,
        }
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(interface) = &self.interface {
            write!(f, " dev {interface}")?;
        }
        if self.metric != effective_metric(self.destination, None) {
            write!(f, " metric {}", self.metric)?;
        }
        if self.table != TABLE_MAIN {
            write!(f, " table {}", self.table)?;
        }
        Ok(())
    }
}

/// The metric the kernel stores for a route that was written with `metric`.
///
/// IPv4 has 0 where none is written. IPv6 has 1024, and takes an explicit 0 as "none" too. Two
/// routes whose effective metrics are equal exclude each other.
pub fn effective_metric(destination: IpNet, metric: Option<u32>) -> u32 {
    match (destination, metric) {
        (IpNet::V4(_), None) => 0,
        (IpNet::V6(_), None | Some(0)) => IPV6_DEFAULT_METRIC,
        (_, Some(metric)) => metric,
    }
}

/// `IP6_RT_PRIO_USER`, `linux/ipv6_route.h`.
const IPV6_DEFAULT_METRIC: u32 = 1024;

/// `IP6_RT_PRIO_ADDRCONF`, `linux/ipv6_route.h`.
const IPV6_CONNECTED_METRIC: u32 = 256;
