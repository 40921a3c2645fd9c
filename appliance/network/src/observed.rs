//! What the kernel has, taken by `kernel::observe` and shown on the Status page.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::link::{LinkKind, LinkMode};
use crate::nft;
use crate::rule::PolicyRule;
use crate::state::{InterfaceAddress, InterfaceName, NextHop, Route};
use crate::sysctl::{Held, Sysctl};
use crate::system::ObservedSystem;
use crate::{ADDRESS_PROTOCOL, LINK_GROUP, ROUTE_PROTOCOL, RULE_PROTOCOL};

/// The network of the box at one moment. Everything in it is a fact; nothing says what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// Interfaces, by index.
    pub links: Vec<ObservedLink>,
    /// Addresses of all interfaces.
    pub addresses: Vec<ObservedAddress>,
    /// Routes of all tables, in the kernel's order, without those of table `local` (255) that the
    /// kernel itself keeps for every address.
    pub routes: Vec<ObservedRoute>,
    /// Policy rules, in the kernel's order.
    pub rules: Vec<ObservedRule>,
    /// What there is of nftables.
    pub nftables: Nftables,
    /// The settings we care about; one that this kernel lacks is absent.
    pub sysctls: Vec<ObservedSysctl>,
    /// What the box is beside its network; `None` where that is not Lanai's.
    pub system: Option<ObservedSystem>,
}

/// What there is of nftables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nftables {
    /// This kernel has none, so no rule can be set.
    Missing,
    /// Our table is not there.
    #[default]
    NoTable,
    /// Our table.
    Table(nft::Table),
}

impl Nftables {
    /// Our table, if it is there.
    pub fn table(&self) -> Option<&nft::Table> {
        match self {
            Self::Table(table) => Some(table),
            Self::Missing | Self::NoTable => None,
        }
    }
}

impl Observed {
    /// The interface of this name.
    pub fn link(&self, name: &str) -> Option<&ObservedLink> {
        self.links.iter().find(|link| &*link.name == name)
    }

    /// Value of a setting, `None` if this kernel lacks it.
    pub fn sysctl(&self, sysctl: &Sysctl) -> Option<&str> {
        let found = self.setting(sysctl);
        found.map(|other| other.value.as_str())
    }

    /// A setting with what is known of it, `None` if this kernel lacks it.
    pub fn setting(&self, sysctl: &Sysctl) -> Option<&ObservedSysctl> {
        self.sysctls.iter().find(|other| other.sysctl == *sysctl)
    }

    /// The addresses of one interface.
    pub fn addresses_of(&self, interface: &str) -> impl Iterator<Item = &ObservedAddress> {
        let interface = interface.to_owned();
        self.addresses
            .iter()
            .filter(move |other| *other.address.interface == *interface)
    }
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedLink {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: InterfaceName,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// A cable with somebody at the other end (`IFF_LOWER_UP`).
    pub carrier: bool,
    /// What it is.
    #[serde(default)]
    pub kind: LinkKind,
    /// Its group (`IFLA_GROUP`), 0 unless somebody said otherwise.
    #[serde(default)]
    pub group: u32,
    /// Largest packet in bytes.
    #[serde(default)]
    pub mtu: u32,
    /// The bond or bridge that it is part of.
    #[serde(default)]
    pub master: Option<InterfaceName>,
    /// Of a bond, the link that is used while it works.
    #[serde(default)]
    pub primary: Option<InterfaceName>,
    /// How fast it is, if its driver tells.
    #[serde(default)]
    pub mode: Option<LinkMode>,
    /// Whether it is a loopback interface.
    pub loopback: bool,
}

impl ObservedLink {
    /// Whether we made it.
    pub fn is_ours(&self) -> bool {
        self.group == LINK_GROUP && self.kind.is_made()
    }
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAddress {
    /// Interface, address and prefix length.
    pub address: InterfaceAddress,
    /// Who set it (`IFA_PROTO`); `None` if nobody said, or before Linux 5.18.
    pub protocol: Option<u8>,
    /// IPv6: duplicate address detection has not ended, so nobody can bind to it yet.
    #[serde(default)]
    pub tentative: bool,
    /// IPv6: somebody else on the link has it.
    #[serde(default)]
    pub duplicate: bool,
}

impl ObservedAddress {
    /// Whether we put it there.
    pub fn is_ours(&self) -> bool {
        self.protocol == Some(ADDRESS_PROTOCOL)
    }
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedRoute {
    /// The route; of one with several ways on, the first.
    pub route: Route,
    /// Who set it (`rtm_protocol`).
    pub protocol: u8,
    /// The further ways on. We never make such a route; if one of ours got more, somebody else
    /// added them, and it is treated as theirs.
    #[serde(default)]
    pub further: Vec<NextHop>,
    /// Whether it is only for packets of some type of service or from some source. It excludes no
    /// route without such a condition, even one of the same destination and metric.
    #[serde(default)]
    pub selective: bool,
    /// Preferred source address of packets that are sent by it.
    #[serde(default)]
    pub source: Option<IpAddr>,
}

impl ObservedRoute {
    /// Whether we put it there, as it is.
    pub fn is_ours(&self) -> bool {
        self.protocol == ROUTE_PROTOCOL && self.further.is_empty()
    }
}

/// A kernel setting and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedSysctl {
    /// Which.
    pub sysctl: Sysctl,
    /// Its text: words with one space between them.
    pub value: String,
    /// It is as it is because we made it so.
    #[serde(default)]
    pub held: Option<Held>,
}

/// A policy rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedRule {
    /// The rule, as far as we know its parts.
    pub rule: PolicyRule,
    /// Who set it (`FRA_PROTOCOL`).
    pub protocol: u8,
    /// Whether there is more to it than that: ports, a user, `not`.
    #[serde(default)]
    pub further: bool,
}

impl ObservedRule {
    /// Whether we put it there, as it is.
    pub fn is_ours(&self) -> bool {
        self.protocol == RULE_PROTOCOL && !self.further
    }
}
