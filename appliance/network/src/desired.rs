//! What the configuration asks of the network.

use ipnet::IpNet;
use lanai_model::Origin;
use lanai_model::layer7::{self, ListenAddress};
use lanai_model::services::{self, Network, Services, Via};

use crate::TABLE_MAIN;
use crate::state::{Family, InterfaceAddress, InterfaceName, Route, RouteKind, effective_metric};

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
    /// Kernel settings that are to be in force.
    pub sysctls: Vec<WantedSysctl>,
}

/// An interface that is to be up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLink {
    /// Its name.
    pub name: InterfaceName,
    /// The `service network` line.
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
    /// No packet of one zone is sent on into another: not over any interface of the box.
    NoForwarding(Family),
    /// A packet is not dropped because its sender's best route is another interface (RFC 3704,
    /// strict mode); loose mode or none will do.
    NoStrictReversePath(InterfaceName),
    /// Removing an address leaves the others of its network in place.
    PromoteSecondaries(InterfaceName),
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
/// Without any `service network` block the box's network is not ours to run, and nothing is wanted:
/// forwarding, too, stays as it is on a machine where only the proxy is used.
pub fn desired(services: &Services, config: &layer7::Config) -> Desired {
    let mut desired = Desired::default();
    for network in services.active_networks() {
        desired.links.push(WantedLink {
            name: network.interface.clone(),
            origin: network.origin.clone(),
        });
        desired.addresses.extend(addresses(network));
        desired.routes.extend(routes(network));
    }
    desired.sysctls = sysctls(services, &bound(config));
    desired
}

/// A bind that names an interface.
struct Bound<'a> {
    interface: &'a str,
    address: &'a ListenAddress,
    origin: &'a Origin,
}

fn bound(config: &layer7::Config) -> Vec<Bound<'_>> {
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    let bound = binds.filter_map(|bind| {
        Some(Bound {
            interface: bind.interface.as_deref()?,
            address: &bind.address,
            origin: &bind.origin,
        })
    });
    bound.collect()
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

/// Routes by a router, in the main table.
fn routes(network: &Network) -> impl Iterator<Item = WantedRoute> {
    let applied = |route: &&services::Route| route.table == TABLE_MAIN;
    network.routes.iter().filter(applied).filter_map(|route| {
        Some(WantedRoute {
            route: Route {
                table: TABLE_MAIN,
                destination: route.destination.trunc(),
                metric: effective_metric(route.destination, route.metric),
                kind: RouteKind::Unicast,
                gateway: Some(route.via.gateway()?),
                interface: Some(network.interface.clone()),
            },
            origin: route.origin.clone(),
        })
    })
}

fn sysctls(services: &Services, binds: &[Bound<'_>]) -> Vec<WantedSysctl> {
    let mut wanted = Vec::new();
    if services.active_networks().next().is_none() {
        return wanted;
    }
    for family in [Family::V4, Family::V6] {
        wanted.push(WantedSysctl {
            need: Need::NoForwarding(family),
            why: "no host may use this box as a gateway into another network".to_owned(),
            origin: None,
        });
    }
    for network in services.active_networks() {
        if let Some((why, origin)) = asymmetric(network, services, binds) {
            wanted.push(WantedSysctl {
                need: Need::NoStrictReversePath(network.interface.clone()),
                why,
                origin: Some(origin),
            });
        }
        // Else changing the first address of a network would take the others along, and with them
        // those that keepalived put there.
        if let Some(address) = network.addresses.iter().find(|a| is_v4(a.net)) {
            wanted.push(WantedSysctl {
                need: Need::PromoteSecondaries(network.interface.clone()),
                why: "the other addresses of a network must outlive the removal of its first"
                    .to_owned(),
                origin: Some(address.origin.clone()),
            });
        }
    }
    wanted
}

/// Why packets may rightly come in by this interface although the best way back to their sender is
/// another one; `None` if nothing says so. IPv6 has no reverse path filter of this kind.
fn asymmetric(
    network: &Network,
    services: &Services,
    binds: &[Bound<'_>],
) -> Option<(String, Origin)> {
    let gateways = services
        .active_networks()
        .filter(|n| default_v4(n).is_some());
    if let Some(route) = default_v4(network)
        && gateways.count() > 1
    {
        let why = "one of several interfaces with a default gateway: clients of each come in by \
                   it, the kernel's best way back is only one of them";
        return Some((why.to_owned(), route.origin.clone()));
    }
    let mut binds = binds.iter();
    let bind =
        binds.find(|bind| *bind.interface == *network.interface && takes_v4(bind.address))?;
    let why = format!(
        "a bind answers by {} whatever the best way back is",
        network.interface
    );
    Some((why, bind.origin.clone()))
}

fn default_v4(network: &Network) -> Option<&services::Route> {
    let mut routes = network.routes.iter();
    routes.find(|route| {
        is_v4(route.destination)
            && route.destination.prefix_len() == 0
            && route.table == TABLE_MAIN
            && route.via != Via::Blackhole
    })
}

fn is_v4(net: IpNet) -> bool {
    Family::of(net) == Family::V4
}

/// Whether IPv4 packets can reach a listener; `[::]` takes both unless told otherwise.
fn takes_v4(address: &ListenAddress) -> bool {
    match address {
        ListenAddress::Inet(address) => address.is_ipv4() || address.ip().is_unspecified(),
        ListenAddress::Fd(_) => true,
        ListenAddress::Unix(_) => false,
    }
}

#[cfg(test)]
mod tests;
