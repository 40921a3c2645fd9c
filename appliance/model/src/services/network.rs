//! `service network NAME`: one network interface.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::link::Link;
use crate::Origin;

/// The routing table that is asked when no rule says otherwise (`RT_TABLE_MAIN`, `linux/rtnetlink.h`).
pub const TABLE_MAIN: u32 = 254;

/// The routing table of transparent mode, and so nobody else's.
pub const TABLE_TRANSPARENT: u32 = 100;

/// One `service network NAME` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Interface name as the kernel knows it (1 to 15 bytes, no `/`, no white space).
    pub interface: Arc<str>,
    /// `no autostart`: the block is kept, and nothing of it is asked for.
    pub autostart: bool,
    /// What kind of interface it is, and how its link is set.
    pub link: Link,
    /// `ip autoconfig`: address, routes and name servers come from DHCP.
    pub autoconfig: Option<Origin>,
    /// `ip address A/len` lines. The address is the host's, the prefix its network.
    pub addresses: Vec<Address>,
    /// `ip route ...` lines.
    pub routes: Vec<Route>,
    /// `ip rule ...` lines, in the order written.
    pub rules: Vec<Rule>,
    /// `vrrp ...` lines: virtual routers, identifiers unique within the interface.
    pub vrrp: Vec<VrrpInstance>,
    /// The `service network` line.
    pub origin: Origin,
}

impl Network {
    /// A block without lines.
    pub fn new(interface: impl Into<Arc<str>>, origin: Origin) -> Self {
        Self {
            interface: interface.into(),
            autostart: true,
            link: Link::default(),
            autoconfig: None,
            addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            vrrp: Vec::new(),
            origin,
        }
    }
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
    /// Where packets go.
    pub via: Via,
    /// Route priority. `None` is the kernel's default: 0 for IPv4, 1024 for IPv6.
    pub metric: Option<u32>,
    /// Routing table; [`TABLE_MAIN`] unless written. Never 0, 255 (the kernel's own) or
    /// [`TABLE_TRANSPARENT`].
    pub table: u32,
    /// The line.
    pub origin: Origin,
}

/// Where the packets of a [`Route`] go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// To this router, of the destination's family.
    Gateway(IpAddr),
    /// To neighbours on the block's interface (`dev`).
    Link,
    /// Nowhere (`blackhole`).
    Blackhole,
}

impl Via {
    /// The router.
    pub fn gateway(self) -> Option<IpAddr> {
        match self {
            Self::Gateway(gateway) => Some(gateway),
            Self::Link | Self::Blackhole => None,
        }
    }
}

/// One `ip rule` line: packets that match all of its selectors use a routing table. At least one
/// selector is there. Without an address it is for IPv4 and IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Source, host bits zero.
    pub from: Option<IpNet>,
    /// Destination, host bits zero, of the family of `from`.
    pub to: Option<IpNet>,
    /// Interface the packet came in by.
    pub iif: Option<Arc<str>>,
    /// Mark of the packet.
    pub fwmark: Option<Mark>,
    /// The table that is asked, with the same bounds as a [`Route`]'s.
    pub table: u32,
    /// Lower is earlier, unique within the text. `None`: in the order written.
    pub priority: Option<u32>,
    /// The line.
    pub origin: Origin,
}

impl Rule {
    /// Priorities that may be written. They are a part of our own range (the design's third law:
    /// only what is ours is removed), behind a few that the appliance keeps for itself.
    pub const PRIORITIES: std::ops::RangeInclusive<u32> = 7700..=8599;

    /// Whether it is for packets of this family.
    pub fn is_for(&self, v4: bool) -> bool {
        let mut nets = self.from.iter().chain(&self.to);
        nets.all(|net| matches!(net, IpNet::V4(_)) == v4)
    }
}

/// A packet's mark, compared under a mask. The lowest bit is transparent mode's and never in `mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The mark, zero outside the mask.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}/{:#x}", self.value, self.mask)
    }
}

/// A virtual router of an interface (RFC 9568), from its `vrrp ...` lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrrpInstance {
    /// Virtual router identifier.
    pub id: NonZeroU8,
    /// 1 to 254, the highest is master; 100 unless written.
    pub priority: u8,
    /// Time between advertisements; whole hundredths of a second up to 40.95 s, 1 s unless written.
    pub interval: Duration,
    /// Whether a higher priority takes over from a lower one that is master.
    pub preempt: bool,
    /// Seconds between gratuitous ARPs of the master; `None`: only when it takes over.
    pub garp: Option<Duration>,
    /// Addresses that the master has; at least one, all of one family.
    pub addresses: Vec<Address>,
    /// The `vrrp id` line.
    pub origin: Origin,
}
