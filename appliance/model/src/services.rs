//! The Services tab: what the box itself is and owns.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::Origin;

/// Everything the Services tab asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// `service network NAME` blocks, in the order written; names are unique.
    pub networks: Vec<Network>,
}

/// One `service network NAME` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Interface name as the kernel knows it (1 to 15 bytes, no `/`, no white space).
    pub interface: Arc<str>,
    /// `ip address A/len` lines. The address is the host's, the prefix its network.
    pub addresses: Vec<Address>,
    /// `ip route ...` lines.
    pub routes: Vec<Route>,
    /// The `service network` line.
    pub origin: Origin,
}

/// One `ip address` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host address with prefix length.
    pub net: IpNet,
    /// The line.
    pub origin: Origin,
}

/// One `ip route` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Destination, host bits zero; `0.0.0.0/0` or `::/0` for `default`.
    pub destination: IpNet,
    /// Next hop, of the destination's family.
    pub gateway: IpAddr,
    /// Route priority. `None` is the kernel's default: 0 for IPv4, 1024 for IPv6.
    pub metric: Option<u32>,
    /// The line.
    pub origin: Origin,
}
