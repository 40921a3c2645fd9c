//! What a configuration needs of the kernel and of the processes besides settings and tables.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What this box's kernel and processes can do, as `kernel::probe` found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `uname -r`.
    pub release: String,
    /// Of each feature whether this kernel has it.
    pub features: BTreeMap<Feature, Presence>,
    /// Whether a socket of the parent may be made transparent, by IPv4 and by IPv6.
    pub transparent: [Tried; 2],
    /// Capabilities of the parent, as the bits of `CapEff` (proc(5)).
    pub parent: Capabilities,
    /// The same of the engine; `None` if it does not run.
    pub engine: Option<Capabilities>,
    /// How many files the engine may have open.
    pub descriptors: Option<u64>,
}

/// A part of the kernel that may be left out when it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// nftables.
    Tables,
    /// Tables for IPv4 and IPv6 together.
    InetTables,
    /// `socket` in a rule.
    SocketMatch,
    /// `ct` in a rule.
    ConnectionTracking,
    /// `fib` in a rule.
    FibMatch,
    /// More than one routing table, and rules that choose.
    PolicyRouting,
    /// The same for IPv6.
    PolicyRouting6,
    /// IPv6.
    Ipv6,
    /// Tagged VLANs.
    Vlan,
    /// Several links as one.
    Bonding,
    /// Several links as one switch.
    Bridge,
    /// Interfaces without hardware.
    Dummy,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Tables,
        Self::InetTables,
        Self::SocketMatch,
        Self::ConnectionTracking,
        Self::FibMatch,
        Self::PolicyRouting,
        Self::PolicyRouting6,
        Self::Ipv6,
        Self::Vlan,
        Self::Bonding,
        Self::Bridge,
        Self::Dummy,
    ];

    /// Its option in the kernel's configuration.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Tables => "CONFIG_NF_TABLES",
            Self::InetTables => "CONFIG_NF_TABLES_INET",
            Self::SocketMatch => "CONFIG_NFT_SOCKET",
            Self::ConnectionTracking => "CONFIG_NFT_CT",
            Self::FibMatch => "CONFIG_NFT_FIB_INET",
            Self::PolicyRouting => "CONFIG_IP_MULTIPLE_TABLES",
            Self::PolicyRouting6 => "CONFIG_IPV6_MULTIPLE_TABLES",
            Self::Ipv6 => "CONFIG_IPV6",
            Self::Vlan => "CONFIG_VLAN_8021Q",
            Self::Bonding => "CONFIG_BONDING",
            Self::Bridge => "CONFIG_BRIDGE",
            Self::Dummy => "CONFIG_DUMMY",
        }
    }

    /// Its module, where it may be one.
    pub const fn module(self) -> Option<&'static str> {
        match self {
            Self::Tables => Some("nf_tables"),
            Self::SocketMatch => Some("nft_socket"),
            Self::ConnectionTracking => Some("nft_ct"),
            Self::FibMatch => Some("nft_fib_inet"),
            Self::Ipv6 => Some("ipv6"),
            Self::Vlan => Some("8021q"),
            Self::Bonding => Some("bonding"),
            Self::Bridge => Some("bridge"),
            Self::Dummy => Some("dummy"),
            // Parts of others that are not switched by themselves.
            Self::InetTables | Self::PolicyRouting | Self::PolicyRouting6 => None,
        }
    }
}

/// Whether a feature is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Part of the kernel, or a module that is loaded.
    Here,
    /// A module that the kernel loads when it is asked for.
    Loadable,
    /// This kernel was built without it, or its module is not installed.
    Missing,
    /// Neither the kernel's configuration nor its modules can be read here.
    Unknown,
}

/// What came of trying something that needs a right and a kernel that can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// It works.
    Works,
    /// It was not tried.
    #[default]
    Untried,
    /// It does not, for this reason.
    Fails(String),
}

/// Capabilities as a set of bits (`linux/capability.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities(pub u64);

/// A capability by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability(u8, &'static str);

impl Capability {
    /// Ports below 1024.
    pub const NET_BIND_SERVICE: Self = Self(10, "CAP_NET_BIND_SERVICE");
    /// Interfaces, addresses, routes, rules, settings.
    pub const NET_ADMIN: Self = Self(12, "CAP_NET_ADMIN");
    /// Transparent sockets, sockets of one interface.
    pub const NET_RAW: Self = Self(13, "CAP_NET_RAW");
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }
}

impl Capabilities {
    /// Whether it is in the set.
    pub fn has(self, capability: Capability) -> bool {
        self.0 >> capability.0 & 1 == 1
    }
}
