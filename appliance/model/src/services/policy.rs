//! Blocks about what the kernel lets through and how it is set.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Common;
use crate::Origin;

/// `service firewall`: what may reach the box itself. Switched off by `no autostart`. What a
/// configured bind, the web UI, sshd and VRRP need is let in without a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// Autostart and origin.
    pub common: Common,
    /// `allow` lines: what is let in beyond that.
    pub allow: Vec<Allow>,
}

/// One `allow` of `service firewall`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// What is let in.
    pub protocol: Protocol,
    /// Destination ports; TCP and UDP only. `None` for all.
    pub ports: Option<PortRange>,
    /// Who may send, host bits zero; `None` for everybody.
    pub from: Option<IpNet>,
    /// Interface it must come in by.
    pub interface: Option<Arc<str>>,
    /// The line.
    pub origin: Origin,
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
    /// ICMP of IPv4 (1) and of IPv6 (58).
    Icmp,
    /// Another one by its number.
    Number(u8),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
            Self::Icmp => f.write_str("icmp"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// Ports from one to another, both included, in order.
pub type PortRange = RangeInclusive<u16>;

/// `service flows`: what may pass through the box. Without a flow that permits it, nothing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flows {
    /// Autostart and origin.
    pub common: Common,
    /// In the order they are asked; the first that matches decides. Names are unique.
    pub flows: Vec<Flow>,
}

/// One `flow` and its `match` lines. Answers to what a flow permits are permitted too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// 1 to 27 of `A-Z a-z 0-9 _ -`.
    pub name: Arc<str>,
    /// What becomes of packets that match.
    pub policy: FlowPolicy,
    /// One of these must match; at least one.
    pub matches: Vec<FlowMatch>,
    /// The `flow` line.
    pub origin: Origin,
}

/// What becomes of the packets of a [`Flow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowPolicy {
    /// They pass.
    Permit,
    /// They are dropped.
    Deny,
}

/// One `match` line: all that is written must fit; at least one thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowMatch {
    /// Interface the packet comes in by.
    pub interface: Option<Arc<str>>,
    /// Protocol; there whenever ports or an ICMP type are.
    pub protocol: Option<Protocol>,
    /// Source, host bits zero.
    pub source: Option<IpNet>,
    /// Destination, host bits zero, of the source's family.
    pub destination: Option<IpNet>,
    /// TCP and UDP only.
    pub source_ports: Option<PortRange>,
    /// TCP and UDP only.
    pub destination_ports: Option<PortRange>,
    /// ICMP only.
    pub icmp_type: Option<u8>,
    /// The line.
    pub origin: Origin,
}

/// `service sysctl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctls {
    /// Autostart and origin.
    pub common: Common,
    /// `KEY = VALUE` lines; keys are unique.
    pub settings: Vec<Sysctl>,
}

/// A kernel setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// Which.
    pub key: SysctlKey,
    /// Words with one space between them; printable ASCII.
    pub value: Arc<str>,
    /// The line.
    pub origin: Origin,
}

/// Name of a kernel setting. Its parts are plain names: not empty, no `/`, not `.` or `..`; an
/// interface's name with dots is one part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct SysctlKey(Arc<[Arc<str>]>);

impl SysctlKey {
    /// A key of these parts; `None` if one of them is no plain name, or there are fewer than two.
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let plain = |part: &&str| {
            !part.is_empty()
                && !matches!(*part, "." | "..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'/')
        };
        let parts: Vec<&str> = parts.into_iter().collect();
        let good = parts.len() >= 2 && parts.iter().all(plain);
        good.then(|| Self(parts.into_iter().map(Arc::from).collect()))
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Its file below `/proc/sys`.
    pub fn path(&self) -> String {
        self.0.join("/")
    }

    /// The interface that it is of, if it is of one.
    pub fn interface(&self) -> Option<&Arc<str>> {
        match &*self.0 {
            [net, _, kind, interface, _]
                if &**net == "net" && matches!(&**kind, "conf" | "neigh") =>
            {
                (!matches!(&**interface, "all" | "default")).then_some(interface)
            }
            _ => None,
        }
    }

    /// The same setting of an interface, if this is what new interfaces start with.
    #[must_use]
    pub fn started_with(&self, interface: &Arc<str>) -> Option<Self> {
        match &*self.0 {
            [net, family, kind, default, leaf]
                if &**net == "net"
                    && matches!(&**kind, "conf" | "neigh")
                    && &**default == "default" =>
            {
                let parts = [net, family, kind, interface, leaf];
                Some(Self(parts.into_iter().cloned().collect()))
            }
            _ => None,
        }
    }

    /// What a new interface starts with in place of this setting of an interface.
    pub fn start(&self) -> Option<Self> {
        self.interface()?;
        match &*self.0 {
            [net, family, kind, _, leaf] => {
                let default = Arc::from("default");
                let parts = [net, family, kind, &default, leaf];
                Some(Self(parts.into_iter().cloned().collect()))
            }
            _ => None,
        }
    }

    /// Whether it is one that an administrator may set at all: a setting of the network, or one of
    /// the few others that cannot turn text into a program.
    pub fn may_be_set(&self) -> bool {
        let name = self.0.join(".");
        Self::OF_NETWORK.iter().any(|open| name.starts_with(open))
            || Self::OTHERS.contains(&name.as_str())
    }

    /// Whether it is of the whole machine, and of no network namespace (`ip-sysctl.rst` and
    /// `net.rst` of Linux).
    pub fn is_of_machine(&self) -> bool {
        let name = self.0.join(".");
        let own = ["net.core.somaxconn", "net.core.txrehash"];
        let shared = [
            "net.ipv4.tcp_mem",
            "net.ipv4.udp_mem",
            "net.ipv4.tcp_max_orphans",
        ];
        !name.starts_with("net.")
            || (name.starts_with("net.core.") && !own.contains(&name.as_str()))
            || shared.contains(&name.as_str())
    }

    /// Where every setting may be set.
    pub const OF_NETWORK: [&'static str; 5] = [
        "net.ipv4.",
        "net.ipv6.",
        "net.core.",
        "net.netfilter.",
        "net.unix.",
    ];

    /// What may be set elsewhere.
    pub const OTHERS: [&'static str; 9] = [
        "fs.file-max",
        "fs.nr_open",
        "vm.swappiness",
        "vm.overcommit_memory",
        "vm.min_free_kbytes",
        "kernel.panic",
        "kernel.panic_on_oops",
        "kernel.pid_max",
        "kernel.threads-max",
    ];
}

impl TryFrom<Vec<String>> for SysctlKey {
    type Error = &'static str;

    fn try_from(parts: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(parts.iter().map(String::as_str)).ok_or("no name of a kernel setting")
    }
}

impl From<SysctlKey> for Vec<String> {
    fn from(key: SysctlKey) -> Self {
        key.parts().map(str::to_owned).collect()
    }
}

impl fmt::Display for SysctlKey {
    /// As `sysctl` shows it: dots between the parts, and slashes for the dots in a part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            f.write_str(&part.replace('.', "/"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_paths() {
        let key = SysctlKey::new(["net", "ipv4", "conf", "eth0.100", "rp_filter"]).expect("a key");
        assert_eq!(key.path(), "net/ipv4/conf/eth0.100/rp_filter");
        assert_eq!(key.to_string(), "net.ipv4.conf.eth0/100.rp_filter");
        for bad in [
            &["net"][..],
            &["net", ""],
            &["net", ".."],
            &["net", "a/b"],
            &["net", "a b"],
        ] {
            assert_eq!(SysctlKey::new(bad.iter().copied()), None, "{bad:?}");
        }
    }

    #[test]
    fn what_makes_programs_of_text_may_not_be_set() {
        let key = |name: &str| SysctlKey::new(name.split('.')).expect("a key");
        for name in ["net.ipv4.tcp_sack", "net.core.rmem_max", "vm.swappiness"] {
            assert!(key(name).may_be_set(), "{name}");
        }
        for name in [
            "kernel.core_pattern",
            "kernel.modprobe",
            "fs.suid_dumpable",
            "netx.ipv4.a",
        ] {
            assert!(!key(name).may_be_set(), "{name}");
        }
    }

    #[test]
    fn an_interface_is_known_by_its_place() {
        let key = |name: &str| SysctlKey::new(name.split('.')).expect("a key");
        let of = |name: &str| key(name).interface().map(ToString::to_string);
        assert_eq!(
            of("net.ipv4.conf.eth0.accept_local").as_deref(),
            Some("eth0")
        );
        assert_eq!(of("net.ipv4.conf.all.accept_local"), None);
        assert_eq!(of("net.ipv4.tcp_sack"), None);
        let start = key("net.ipv6.conf.default.hop_limit").started_with(&"eth0".into());
        assert_eq!(start, Some(key("net.ipv6.conf.eth0.hop_limit")));
    }
}
