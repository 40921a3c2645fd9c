//! The Services tab: what the box itself is and owns.
//!
//! A block that is not written is `None` or empty, and then that part of the box is left as it is.
//! What each line means, and which lines are the ALOHA appliance's own words: `docs/services.md`.

mod daemons;
mod link;
mod network;
mod policy;

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::Origin;

pub use daemons::{
    Facility, Haproxy, NtpServer, Ntpd, Port, RemoteLog, Rtc, Snmpd, SshKey, Sshd, Standby,
    Syslogd, System, Transport, Vrrp, Wui,
};
pub use link::{Bond, BondMode, Bridge, Duplex, HashPolicy, LacpRate, Link, LinkKind, Member};
pub use network::{
    Address, Mark, Network, Route, Rule, TABLE_MAIN, TABLE_TRANSPARENT, Via, VrrpInstance,
};
pub use policy::{
    Allow, Firewall, Flow, FlowMatch, FlowPolicy, Flows, PortRange, Protocol, Sysctl, SysctlKey,
    Sysctls,
};

/// Everything the Services tab asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// `service network NAME` blocks, in the order written; names are unique.
    pub networks: Vec<Network>,
    /// `service system`: name, names of others, clock.
    pub system: Option<System>,
    /// `service ntpd`: where the time comes from.
    pub ntpd: Option<Ntpd>,
    /// `service syslogd`: where the box's own log goes.
    pub syslogd: Option<Syslogd>,
    /// `service sshd`: the shell over the network.
    pub sshd: Option<Sshd>,
    /// `service snmpd`: monitoring.
    pub snmpd: Option<Snmpd>,
    /// `service vrrp`: what the interfaces' `vrrp` lines have in common.
    pub vrrp: Option<Vrrp>,
    /// `service haproxy`: the proxy engine.
    pub haproxy: Option<Haproxy>,
    /// `service wui`: the web UI.
    pub wui: Option<Wui>,
    /// `service firewall`: what the box itself lets in.
    pub firewall: Option<Firewall>,
    /// `service flows`: what may pass through the box from one zone into another.
    pub flows: Option<Flows>,
    /// `service sysctl`: kernel settings an administrator wants.
    pub sysctls: Option<Sysctls>,
}

impl Services {
    /// The `service network` blocks that are asked for: those without `no autostart`.
    pub fn active_networks(&self) -> impl Iterator<Item = &Network> + Clone {
        self.networks.iter().filter(|network| network.autostart)
    }

    /// Whether the box has this address at times only: as the master of a virtual router, or because a
    /// `standby` line says so.
    pub fn comes_and_goes(&self, address: SocketAddr) -> bool {
        let ip = address.ip();
        let mut routers = self.active_networks().flat_map(|network| &network.vrrp);
        let mut standby = self.haproxy.iter().flat_map(|block| &block.standby);
        routers.any(|router| router.addresses.iter().any(|one| one.net.addr() == ip))
            || standby.any(|one| {
                one.address == ip && one.port.is_none_or(|port| port.get() == address.port())
            })
    }

    /// Where `service wui` has the web UI listen, if it does.
    pub fn wui_listen(&self) -> Option<SocketAddr> {
        let wui = self.wui.as_ref().filter(|wui| wui.common.autostart)?;
        wui.listen.as_ref().map(|(address, _)| *address)
    }
}

/// What every service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// Whether it is started; `no autostart` says it is not.
    pub autostart: bool,
    /// The `service` line.
    pub origin: Origin,
}

/// Networks that may use something, with the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedNetwork {
    /// The network, host bits zero.
    pub net: IpNet,
    /// The line.
    pub origin: Origin,
}

/// A word with the line it stands on: an interface, a service, a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The word.
    pub name: Arc<str>,
    /// The line.
    pub origin: Origin,
}
