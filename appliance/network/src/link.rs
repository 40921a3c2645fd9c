//! Interfaces that the box makes: VLANs, bonds, bridges, dummies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::state::InterfaceName;

/// What an interface is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// One that is found and never made: a card, or what only others make (`veth`, `wireguard`).
    #[default]
    Found,
    /// Frames of the parent with this tag (IEEE 802.1Q).
    Vlan {
        /// The interface below.
        parent: InterfaceName,
        /// 1 to 4094.
        id: u16,
    },
    /// Several links as one.
    Bond(Bond),
    /// Several links as one switch.
    Bridge {
        /// Whether it speaks the spanning tree protocol.
        stp: bool,
    },
    /// Addresses of the box itself.
    Dummy,
}

/// Settings of a bond, in the kernel's numbers (`linux/if_link.h`, `IFLA_BOND_*`). What is `None` is
/// as the kernel has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bond {
    /// How the links share the traffic, 0 to 6.
    pub mode: u8,
    /// How often links are looked at, in milliseconds.
    pub miimon: Option<u32>,
    /// How long a link must be up before it is used, in milliseconds.
    pub updelay: Option<u32>,
    /// How long a link must be down before it is left, in milliseconds.
    pub downdelay: Option<u32>,
    /// How often LACP frames are asked for.
    pub lacp_rate: Option<u8>,
    /// What decides the link of a packet.
    pub xmit_hash_policy: Option<u8>,
}

/// How fast a link is, and who says so (`ethtool(8)`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMode {
    /// Both ends agree on speed and duplex.
    pub autonegotiation: bool,
    /// Megabits per second, if known.
    pub speed: Option<u32>,
    /// Whether it sends and receives at the same time, if known.
    pub full_duplex: Option<bool>,
    /// Whether the driver offers more than what is.
    #[serde(default)]
    pub settable: bool,
}

impl LinkMode {
    /// Whether a link of this mode is as `wanted`: what both ends agree on is theirs.
    pub fn is(&self, wanted: &Self) -> bool {
        fn good<T: PartialEq>(here: Option<T>, wanted: Option<T>) -> bool {
            wanted.is_none() || here == wanted
        }
        self.autonegotiation == wanted.autonegotiation
            && (self.autonegotiation
                || (good(self.speed, wanted.speed) && good(self.full_duplex, wanted.full_duplex)))
    }
}

/// As `ethtool -s` takes it.
impl fmt::Display for LinkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.autonegotiation {
            return f.write_str("autoneg on");
        }
        f.write_str("autoneg off")?;
        if let Some(speed) = self.speed {
            write!(f, " speed {speed}")?;
        }
        match self.full_duplex {
            Some(full) => write!(f, " duplex {}", if full { "full" } else { "half" }),
            None => Ok(()),
        }
    }
}

impl LinkKind {
    /// Whether an interface of this kind is what is `wanted`.
    pub fn is(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Bond(here), Self::Bond(wanted)) => here.is(wanted),
            (here, wanted) => here == wanted,
        }
    }

    /// Whether the box makes it.
    pub fn is_made(&self) -> bool {
        *self != Self::Found
    }
}

impl Bond {
    fn is(&self, wanted: &Self) -> bool {
        fn good<T: PartialEq>(here: &Option<T>, wanted: &Option<T>) -> bool {
            wanted.is_none() || here == wanted
        }
        self.mode == wanted.mode
            && good(&self.miimon, &wanted.miimon)
            && good(&self.updelay, &wanted.updelay)
            && good(&self.downdelay, &wanted.downdelay)
            && good(&self.lacp_rate, &wanted.lacp_rate)
            && good(&self.xmit_hash_policy, &wanted.xmit_hash_policy)
    }
}

/// As `ip link add` takes it.
impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => f.write_str("interface"),
            Self::Vlan { parent, id } => write!(f, "vlan id {id} of {parent}"),
            Self::Bond(bond) => {
                write!(f, "bond mode {}", bond.mode)?;
                let numbers = [
                    ("miimon", bond.miimon),
                    ("updelay", bond.updelay),
                    ("downdelay", bond.downdelay),
                    ("lacp_rate", bond.lacp_rate.map(u32::from)),
                    ("xmit_hash_policy", bond.xmit_hash_policy.map(u32::from)),
                ];
                for (name, number) in numbers {
                    if let Some(number) = number {
                        write!(f, " {name} {number}")?;
                    }
                }
                Ok(())
            }
            Self::Bridge { stp } => write!(f, "bridge stp {}", if *stp { "on" } else { "off" }),
            Self::Dummy => f.write_str("dummy"),
        }
    }
}
