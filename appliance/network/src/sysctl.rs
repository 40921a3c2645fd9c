//! Kernel settings: those that we may read or set.

use std::fmt;

use lanai_model::services::SysctlKey;
use serde::{Deserialize, Serialize};

use crate::state::{Family, InterfaceName};

/// Where below `net.ipvN.conf` a setting is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// `all`.
    All,
    /// `default`: what a new interface starts with.
    Default,
    /// One interface.
    Interface(InterfaceName),
}

impl Scope {
    fn component(&self) -> &str {
        match self {
            Self::All => "all",
            Self::Default => "default",
            Self::Interface(name) => name,
        }
    }
}

/// A kernel setting below `/proc/sys` that we may read or set.
///
/// A closed list on purpose, but for `Asked`, which is bounded too: whoever sends steps to the parent can
/// set these and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sysctl {
    /// Whether packets for others are sent on. Setting `All` makes the kernel set `Default` and
    /// every interface of the family to the same.
    Forwarding {
        /// Family.
        family: Family,
        /// Where.
        scope: Scope,
    },
    /// `net.ipv4.conf.X.promote_secondaries`: whether the other addresses of a network survive the
    /// removal of the first. In force on an interface if `All` or the interface has it.
    PromoteSecondaries(Scope),
    /// `net.ipv4.conf.X.rp_filter`: 0 off, 1 strict, 2 loose (RFC 3704). In force on an interface is
    /// the larger of `All` and the interface's own.
    ReversePathFilter(Scope),
    /// `net.ipv4.conf.X.arp_ignore`: 1 answers only for an address that the interface itself has. In
    /// force on an interface is the larger of `All` and the interface's own.
    ArpIgnore(Scope),
    /// `net.ipv4.conf.X.arp_announce`: 2 asks with the interface's own best address, never with that
    /// of another one. In force as `ArpIgnore`.
    ArpAnnounce(Scope),
    /// `net.ipvN.ip_nonlocal_bind`: whether a socket may be bound to an address that the box does
    /// not have.
    NonlocalBind(Family),
    /// One that concerns the box as a whole.
    Tuning(Tuning),
    /// One that a line of `service sysctl` is about, and none of the above ([`Sysctl::asked`]). Whoever
    /// sets it makes sure that it is one that may be set ([`SysctlKey::may_be_set`]).
    Asked(SysctlKey),
}

/// Settings for many connections. All are of the network namespace, and none is of a single
/// interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tuning {
    /// `net.ipv4.ip_local_port_range`: the ports that the kernel picks source ports from.
    LocalPorts,
    /// `net.ipv4.ip_local_reserved_ports`: those of them that it leaves alone.
    ReservedPorts,
    /// `net.ipv4.tcp_tw_reuse`: whether a connection in TIME_WAIT gives its port to a new outgoing
    /// one to the same place, where timestamps (RFC 7323) tell the two apart: 0 no, 1 yes, 2 on
    /// the loopback only.
    TimeWaitReuse,
    /// `net.ipv4.tcp_max_tw_buckets`: connections in TIME_WAIT that are remembered.
    TimeWaitBuckets,
    /// `net.core.somaxconn`: the longest accept queue of a listener.
    AcceptQueue,
    /// `net.ipv4.tcp_max_syn_backlog`: half-open connections of a listener.
    SynQueue,
}

impl Tuning {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LocalPorts,
        Self::ReservedPorts,
        Self::TimeWaitReuse,
        Self::TimeWaitBuckets,
        Self::AcceptQueue,
        Self::SynQueue,
    ];

    fn path(self) -> [&'static str; 3] {
        match self {
            Self::LocalPorts => ["net", "ipv4", "ip_local_port_range"],
            Self::ReservedPorts => ["net", "ipv4", "ip_local_reserved_ports"],
            Self::TimeWaitReuse => ["net", "ipv4", "tcp_tw_reuse"],
            Self::TimeWaitBuckets => ["net", "ipv4", "tcp_max_tw_buckets"],
            Self::AcceptQueue => ["net", "core", "somaxconn"],
            Self::SynQueue => ["net", "ipv4", "tcp_max_syn_backlog"],
        }
    }
}

impl Sysctl {
    /// The setting of this name.
    pub fn asked(key: &SysctlKey) -> Self {
        let parts: Vec<&str> = key.parts().collect();
        let known = Self::all(key.interface().cloned().into_iter());
        let known = known.into_iter().find(|sysctl| sysctl.path() == parts);
        known.unwrap_or_else(|| Self::Asked(key.clone()))
    }

    /// Path components below `/proc/sys`. Each is one directory or file name, whatever it contains.
    pub fn path(&self) -> Vec<&str> {
        let of_scope = |family: Family, scope| vec!["net", family.directory(), "conf", scope];
        let (mut path, name) = match self {
            Self::Forwarding {
                family: Family::V4,
                scope: Scope::All,
            } => (vec!["net", "ipv4"], "ip_forward"),
            Self::Forwarding { family, scope } => {
                (of_scope(*family, scope.component()), "forwarding")
            }
            Self::PromoteSecondaries(scope) => (
                of_scope(Family::V4, scope.component()),
                "promote_secondaries",
            ),
            Self::ReversePathFilter(scope) => {
                (of_scope(Family::V4, scope.component()), "rp_filter")
            }
            Self::ArpIgnore(scope) => (of_scope(Family::V4, scope.component()), "arp_ignore"),
            Self::ArpAnnounce(scope) => (of_scope(Family::V4, scope.component()), "arp_announce"),
            Self::NonlocalBind(family) => (vec!["net", family.directory()], "ip_nonlocal_bind"),
            Self::Tuning(tuning) => return tuning.path().to_vec(),
            Self::Asked(key) => return key.parts().collect(),
        };
        path.push(name);
        path
    }

    /// The interface that it is of, if it is of one.
    pub fn interface(&self) -> Option<&InterfaceName> {
        if let Self::Asked(key) = self {
            return key.interface();
        }
        match self.scope()? {
            Scope::Interface(name) => Some(name),
            Scope::All | Scope::Default => None,
        }
    }

    /// The same setting of an interface, if this is what new interfaces start with.
    pub(crate) fn started_with(&self, interface: &InterfaceName) -> Option<Self> {
        if let Self::Asked(key) = self {
            return key.started_with(interface).map(Self::Asked);
        }
        if *self.scope()? != Scope::Default {
            return None;
        }
        let scope = Scope::Interface(interface.clone());
        Some(match self {
            Self::Forwarding { family, .. } => Self::Forwarding {
                family: *family,
                scope,
            },
            Self::PromoteSecondaries(_) => Self::PromoteSecondaries(scope),
            Self::ReversePathFilter(_) => Self::ReversePathFilter(scope),
            Self::ArpIgnore(_) => Self::ArpIgnore(scope),
            Self::ArpAnnounce(_) => Self::ArpAnnounce(scope),
            Self::NonlocalBind(_) | Self::Tuning(_) | Self::Asked(_) => return None,
        })
    }

    /// What a new interface starts with in place of this setting of an interface, of those that lines
    /// ask for.
    pub fn start(&self) -> Option<Self> {
        match self {
            Self::Asked(key) => key.start().map(Self::Asked),
            _ => None,
        }
    }

    fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Forwarding { scope, .. }
            | Self::PromoteSecondaries(scope)
            | Self::ReversePathFilter(scope)
            | Self::ArpIgnore(scope)
            | Self::ArpAnnounce(scope) => Some(scope),
            Self::NonlocalBind(_) | Self::Tuning(_) | Self::Asked(_) => None,
        }
    }

    /// All that are to be known of a box with these interfaces.
    pub fn all(interfaces: impl Iterator<Item = InterfaceName>) -> Vec<Self> {
        let mut all: Vec<Self> = Tuning::ALL.map(Self::Tuning).into();
        all.extend([Family::V4, Family::V6].map(Self::NonlocalBind));
        let scopes = [Scope::All, Scope::Default].into_iter();
        for scope in scopes.chain(interfaces.map(Scope::Interface)) {
            all.extend([Family::V4, Family::V6].map(|family| Self::Forwarding {
                family,
                scope: scope.clone(),
            }));
            all.push(Self::PromoteSecondaries(scope.clone()));
            all.push(Self::ArpIgnore(scope.clone()));
            all.push(Self::ArpAnnounce(scope.clone()));
            all.push(Self::ReversePathFilter(scope));
        }
        all
    }
}

impl Family {
    fn directory(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}

/// As `sysctl(8)` takes it: dots between components, and a dot inside of one written as `/`.
impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.path().iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&component.replace('.', "/"))?;
        }
        Ok(())
    }
}

/// A setting that we have changed, and what it was before us.
///
/// A setting bears no mark of who made it so. `kernel` keeps a ledger of those it changed, for as
/// long as the kernel keeps the settings themselves: until the next boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its value before we first changed it.
    pub before: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str) -> Sysctl {
        Sysctl::asked(&SysctlKey::new(name.split('.')).unwrap())
    }

    #[test]
    fn a_setting_is_known_by_one_name_only() {
        let own = Sysctl::ReversePathFilter(Scope::Interface("eth0".into()));
        assert_eq!(asked("net.ipv4.conf.eth0.rp_filter"), own);
        assert_eq!(
            asked("net.ipv4.ip_local_port_range"),
            Sysctl::Tuning(Tuning::LocalPorts)
        );
        let other = asked("net.ipv4.conf.default.accept_local");
        assert!(matches!(other, Sysctl::Asked(_)));
        let of_eth0 = other.started_with(&"eth0".into()).unwrap();
        assert_eq!(of_eth0.interface().map(AsRef::as_ref), Some("eth0"));
    }
}
