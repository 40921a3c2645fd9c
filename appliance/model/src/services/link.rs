//! What an interface is made of.

use std::sync::Arc;
use std::time::Duration;

use crate::Origin;

/// Kind and link settings of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// What kind of interface it is.
    pub kind: LinkKind,
    /// Largest packet in bytes; `None` leaves the driver's.
    pub mtu: Option<u32>,
    /// `auto on|off`: autonegotiation of the link; `None` leaves the driver's.
    pub autonegotiation: Option<bool>,
    /// Speed in Mbit/s, with autonegotiation off.
    pub speed: Option<u32>,
    /// With autonegotiation off.
    pub duplex: Option<Duplex>,
}

/// What kind of interface a block is about. Interfaces of hardware are found; all others are made,
/// unless they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// A network card, or whatever else has this name already.
    #[default]
    Hardware,
    /// `lo`.
    Loopback,
    /// `PARENT.ID`: frames of the parent with this tag (IEEE 802.1Q).
    Vlan {
        /// The interface below.
        parent: Arc<str>,
        /// 1 to 4094.
        id: u16,
    },
    /// `type bonding`: several links as one.
    Bond(Bond),
    /// `type bridge`: several links as one switch.
    Bridge(Bridge),
    /// `type dummy`: addresses of the box itself.
    Dummy,
}

/// A member of a bond or bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub interface: Arc<str>,
    /// The line.
    pub origin: Origin,
}

/// `bonding ...` and `slave ...` lines (`Documentation/networking/bonding.rst` of Linux). `None`
/// leaves the kernel's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// How links share the traffic.
    pub mode: BondMode,
    /// The link that is used while it works, one of the members; modes with one active link only.
    pub primary: Option<Arc<str>>,
    /// How often links are looked at.
    pub miimon: Option<Duration>,
    /// How long a link must be up before it is used, a multiple of `miimon`.
    pub updelay: Option<Duration>,
    /// How long a link must be down before it is left, a multiple of `miimon`.
    pub downdelay: Option<Duration>,
    /// How often LACP frames are asked for; 802.3ad only.
    pub lacp_rate: Option<LacpRate>,
    /// What decides the link of a packet; balance-xor, 802.3ad and balance-tlb only.
    pub xmit_hash_policy: Option<HashPolicy>,
    /// Its links; at least one.
    pub members: Vec<Member>,
}

/// How the links of a bond share the traffic. The numbers are the kernel's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BondMode {
    /// One packet each in turn (0).
    #[default]
    BalanceRr = 0,
    /// One link works, the others wait (1).
    ActiveBackup = 1,
    /// By hash (2).
    BalanceXor = 2,
    /// On all links (3).
    Broadcast = 3,
    /// LACP (4).
    Lacp = 4,
    /// By load, outgoing (5).
    BalanceTlb = 5,
    /// By load, both ways (6).
    BalanceAlb = 6,
}

impl BondMode {
    /// All, with the kernel's names.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("balance-rr", Self::BalanceRr),
        ("active-backup", Self::ActiveBackup),
        ("balance-xor", Self::BalanceXor),
        ("broadcast", Self::Broadcast),
        ("802.3ad", Self::Lacp),
        ("balance-tlb", Self::BalanceTlb),
        ("balance-alb", Self::BalanceAlb),
    ];

    /// Whether one link is preferred in this mode, so that `primary` means something.
    pub fn has_primary(self) -> bool {
        matches!(
            self,
            Self::ActiveBackup | Self::BalanceTlb | Self::BalanceAlb
        )
    }

    /// Whether a hash decides the link of a packet.
    pub fn hashes(self) -> bool {
        matches!(self, Self::BalanceXor | Self::Lacp | Self::BalanceTlb)
    }
}

/// How often a bond asks its partner for LACP frames. The numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LacpRate {
    /// Every 30 seconds (0).
    Slow = 0,
    /// Every second (1).
    Fast = 1,
}

/// What decides the link of a packet in a bond. The numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashPolicy {
    /// Hardware addresses (0).
    Layer2 = 0,
    /// IP addresses and ports (1).
    Layer34 = 1,
    /// Hardware and IP addresses (2).
    Layer23 = 2,
    /// As `layer2+3`, of what a tunnel carries (3).
    Encap23 = 3,
    /// As `layer3+4`, of what a tunnel carries (4).
    Encap34 = 4,
    /// VLAN and source hardware address (5).
    VlanSourceMac = 5,
}

/// `bridge ...` lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// Spanning tree protocol; off unless written.
    pub stp: bool,
    /// Its links; may be none.
    pub ports: Vec<Member>,
}

/// Which ways a link sends at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplex {
    /// One.
    Half,
    /// Both.
    Full,
}
