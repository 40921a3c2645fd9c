//! What the configuration asks of the network.

mod filter;
mod input;
mod links;
mod routing;
mod settings;
pub(crate) mod transparent;

use std::net::{IpAddr, SocketAddr};

use lanai_model::Origin;
use lanai_model::layer7::{self, ListenAddress};
use lanai_model::services::{Network, Services};

use crate::link::{LinkKind, LinkMode};
use crate::nft::{self, Base, Chain, Table};
use crate::ports::{PortSet, Ports};
use crate::rule::PolicyRule;
use crate::state::{Family, InterfaceAddress, InterfaceName, Route};
use crate::sysctl::{Sysctl, Tuning};
use crate::system::{self, WantedSetting};
use filter::Forwarding;
use transparent::Transparent;

/// The network that a configuration asks for. Parts of the box that it does not name are nobody's
/// business here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Interfaces that are to be up.
    pub links: Vec<WantedLink>,
    /// Addresses that are to be there.
    pub addresses: Vec<WantedAddress>,
    /// Routes that are to be there.
    pub routes: Vec<WantedRoute>,
    /// Policy rules that are to be there.
    pub rules: Vec<WantedRule>,
    /// Chains of our nftables table. Without any there is to be no table.
    pub chains: Vec<WantedChain>,
    /// Kernel settings that are to be in force.
    pub sysctls: Vec<WantedSysctl>,
    /// What the box is to be beside its network.
    pub system: Vec<WantedSetting>,
    /// Interfaces whose address comes by DHCP, with the line. On the image `lanai dhcp` sees to them;
    /// no plan does.
    pub leased: Vec<(InterfaceName, Origin)>,
    /// Addresses of listeners that start without them, with the `bind` line.
    pub standby: Vec<(IpAddr, Origin)>,
    /// Source ports of servers that the kernel may pick for others all the same, with the `server` line.
    pub shared_ports: Vec<(Ports, Origin)>,
}

impl Desired {
    /// Settings that lines ask for, and that nobody looks at unasked.
    pub fn asked(&self) -> Vec<Sysctl> {
        let asked = self.sysctls.iter().filter_map(|wanted| match &wanted.need {
            Need::Asked(sysctl @ Sysctl::Asked(_), _) => Some(sysctl.clone()),
            _ => None,
        });
        asked.collect()
    }

    /// Our nftables table, if there is to be one.
    pub fn table(&self) -> Option<Table> {
        let chains = self.chains.iter().map(WantedChain::chain);
        (!self.chains.is_empty()).then(|| Table {
            chains: chains.collect(),
        })
    }
}

/// A policy rule that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRule {
    /// The rule.
    pub rule: PolicyRule,
    /// Why, as a clause for people.
    pub why: String,
    /// The line.
    pub origin: Origin,
}

/// A chain that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedChain {
    /// Its name.
    pub name: String,
    /// Where the kernel enters it.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<WantedFilter>,
    /// The line that leads to it.
    pub origin: Origin,
}

impl WantedChain {
    /// The chain itself.
    pub fn chain(&self) -> Chain {
        Chain {
            name: self.name.clone(),
            base: self.base.clone(),
            rules: self.rules.iter().map(|line| line.rule.clone()).collect(),
        }
    }
}

/// A packet filter rule that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedFilter {
    /// The rule.
    pub rule: nft::Rule,
    /// The line that asks for it.
    pub origin: Origin,
}

/// An interface that is to be there, and up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLink {
    /// Its name.
    pub name: InterfaceName,
    /// What it is; made if it is not there.
    pub kind: LinkKind,
    /// The bond or bridge that it is part of.
    pub master: Option<InterfaceName>,
    /// Of a bond, the link that is used while it works; `None` leaves it as it is.
    pub primary: Option<InterfaceName>,
    /// Largest packet in bytes; `None` leaves it as it is.
    pub mtu: Option<u32>,
    /// Autonegotiation, or speed and duplex without it; `None` leaves it as it is.
    pub mode: Option<LinkMode>,
    /// The `service network` line, or the line that makes it part of another one.
    pub origin: Origin,
}

/// An address that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAddress {
    /// Interface, address and prefix length.
    pub address: InterfaceAddress,
    /// The line.
    pub origin: Origin,
}

/// A route that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRoute {
    /// The route.
    pub route: Route,
    /// The line.
    pub origin: Origin,
}

/// A demand on kernel settings. Which of them is set to what follows from what is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Packets of one zone are sent on into another where a filter allows it, or never: not over any
    /// interface of the box.
    Forwarding {
        /// Family.
        family: Family,
        /// Whether they are.
        on: bool,
    },
    /// A packet is not dropped because its sender's best route is another interface (RFC 3704,
    /// strict mode); loose mode or none will do.
    NoStrictReversePath(InterfaceName),
    /// Removing an address leaves the others of its network in place.
    PromoteSecondaries(InterfaceName),
    /// The interface answers ARP for its own addresses only (`arp_ignore`).
    OwnArpAnswers(InterfaceName),
    /// The interface asks by ARP with its own addresses only (`arp_announce`).
    OwnArpQuestions(InterfaceName),
    /// A socket may be bound to an address that the box does not have.
    NonlocalBind(Family),
    /// A setting has this value.
    Exactly(Tuning, u64),
    /// A setting has this value or a larger one.
    AtLeast(Tuning, u64),
    /// The kernel picks source ports from these, or from more.
    LocalPorts(Ports),
    /// The kernel does not pick these as source ports.
    ReservedPorts(PortSet),
    /// A line of `service sysctl` gives a setting this value: it counts before everything else that
    /// is wanted of the setting.
    Asked(Sysctl, String),
}

/// A demand on kernel settings with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSysctl {
    /// The demand.
    pub need: Need,
    /// Why, as a clause for people.
    pub why: String,
    /// The line that leads to it.
    pub origin: Option<Origin>,
}

/// Derives the network that `services` and `config` ask for.
///
/// Without any `service network` block the box's network is not ours to run, and nothing is wanted of
/// it but what lines of `service sysctl` and `service firewall` say: forwarding, too, stays as it is on a
/// machine where only the proxy is used.
pub fn desired(services: &Services, config: &layer7::Config) -> Desired {
    desired_with_ui(services, config, None)
}

/// As [`desired`], for a box whose web UI listens here unless `services` say where. Only the firewall
/// asks for it.
pub fn desired_with_ui(
    services: &Services,
    config: &layer7::Config,
    ui: Option<SocketAddr>,
) -> Desired {
    let mut desired = Desired {
        sysctls: settings::asked(services),
        system: system::wanted(services),
        standby: standby(config),
        ..Desired::default()
    };
    let input = input::chain(services, config, ui);
    if services.active_networks().next().is_none() {
        desired.chains.extend(input);
        return desired;
    }
    desired.links = links::links(services);
    let leased = services.active_networks().filter_map(|network| {
        let origin = network.autoconfig.clone()?;
        Some((network.interface.clone(), origin))
    });
    desired.leased = leased.collect();
    let networks = services.active_networks();
    desired.addresses = networks.flat_map(addresses).collect();
    let transparent = Transparent::of(config);
    let forwarding = Forwarding::of(services, &transparent);
    desired.routes = routing::routes(services, &transparent);
    desired.rules = routing::rules(services, &transparent);
    desired.chains = filter::chains(services, &transparent, &forwarding);
    desired.chains.extend(input);
    let derived = settings::sysctls(services, config, &transparent, &forwarding);
    desired.sysctls.extend(derived);
    desired.shared_ports = settings::reserved(config).left_out;
    desired
}

fn standby(config: &layer7::Config) -> Vec<(IpAddr, Origin)> {
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    let standby = binds.filter_map(|bind| match bind.address {
        ListenAddress::Inet(address) if bind.freebind => Some((address.ip(), bind.origin.clone())),
        _ => None,
    });
    standby.collect()
}

fn addresses(network: &Network) -> impl Iterator<Item = WantedAddress> {
    network.addresses.iter().map(|address| WantedAddress {
        address: InterfaceAddress {
            interface: network.interface.clone(),
            net: address.net,
        },
        origin: address.origin.clone(),
    })
}

/// The chain that guards the box itself.
pub(crate) const INPUT: &str = "input";

#[cfg(test)]
mod tests;
