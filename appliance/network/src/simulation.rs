//! A kernel made of data: what a step does to an [`Observed`].
//!
//! For tests, ours and those of `control`, whose fake host keeps an `Observed` and applies steps to
//! it. It follows Linux in what the planner relies on: uniqueness, what a removal takes with it, and
//! that setting forwarding for all sets it for each. It is stricter than Linux in one thing: it
//! refuses to remove or replace what is not ours.

mod links;

pub(crate) use links::first_mtu;

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::nft::Table;
use crate::observed::{
    Nftables, Observed, ObservedAddress, ObservedLink, ObservedRoute, ObservedRule,
};
use crate::rule::PolicyRule;
use crate::state::{Family, InterfaceAddress, InterfaceName, Route, RouteKind};
use crate::step::{Step, moved};
use crate::sysctl::{Held, Scope, Sysctl};
use crate::system::{Part, Setting};
use crate::{ADDRESS_PROTOCOL, ROUTE_PROTOCOL, RULE_PROTOCOL};

/// Why the kernel would refuse a step; the words are for a test's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Applies one step, or refuses it and changes nothing.
pub fn apply(observed: &mut Observed, step: &Step) -> Result<(), Refusal> {
    let done = match step {
        Step::SetSysctl { sysctl, from, to } => set_sysctl(observed, sysctl, from, to),
        Step::AddLink { interface, kind } => links::add(observed, interface, kind),
        Step::RemoveLink { interface, .. } => links::remove(observed, interface),
        Step::SetMaster { interface, to, .. } => links::join(observed, interface, to.as_ref()),
        Step::SetPrimary { interface, to, .. } => links::lead(observed, interface, to.as_ref()),
        Step::SetMtu { interface, to, .. } => links::set_mtu(observed, interface, *to),
        Step::SetMode { interface, to, .. } => links::set_mode(observed, interface, *to),
        Step::SetLink { interface, up } => links::set_up(observed, interface, *up),
        Step::AddAddress(address) => add_address(observed, address),
        Step::RemoveAddress(address) => remove_address(observed, address),
        Step::OrderAddresses {
            interface,
            from,
            to,
        } => order_addresses(observed, interface, moved(from, to)),
        Step::AddRoute(route) => add_route(observed, route),
        Step::RemoveRoute(route) => remove_route(observed, route).map(drop),
        Step::ReplaceRoute { from, to } => replace_route(observed, from, to),
        Step::AddRule(rule) => add_rule(observed, rule),
        Step::RemoveRule(rule) => remove_rule(observed, rule),
        Step::ReplaceTable { to, .. } => replace_table(observed, to.as_ref()),
        Step::SetSystem { part, to, .. } => set_system(observed, *part, to.as_ref()),
    };
    done.map_err(|why| Refusal(format!("cannot {step}: {why}")))?;
    refresh(observed);
    Ok(())
}

/// Brings the kernel's own routes, one for the network of each address of an interface that is up,
/// in line with the addresses. [`apply`] does so; a made-up `Observed` needs it once.
pub fn refresh(observed: &mut Observed) {
    observed.routes.retain(|r| r.protocol != PROTOCOL_KERNEL);
    for other in &observed.addresses {
        let mut links = observed.links.iter();
        let up = links.any(|link| link.up && link.name == other.address.interface);
        if up
            && let Some(route) = other.address.connected_route()
            && !observed.routes.iter().any(|r| r.route == route)
        {
            observed.routes.push(ObservedRoute {
                protocol: PROTOCOL_KERNEL,
                ..plain(route)
            });
        }
    }
}

type Done = Result<(), &'static str>;

fn set_sysctl(observed: &mut Observed, sysctl: &Sysctl, from: &str, to: &str) -> Done {
    let mut settings = observed.sysctls.iter_mut();
    let setting = settings
        .find(|other| other.sysctl == *sysctl)
        .ok_or("no such setting")?;
    let changed = setting.value != to;
    to.clone_into(&mut setting.value);
    // As the ledger has it: what was before us, until it is so again.
    setting.held = match setting.held.take() {
        Some(held) if held.before == to => None,
        Some(held) => Some(held),
        None => Some(Held {
            before: from.to_owned(),
        }),
    };
    if let Sysctl::Forwarding {
        family,
        scope: Scope::All,
    } = sysctl
        && changed
    {
        for other in &mut observed.sysctls {
            if matches!(&other.sysctl, Sysctl::Forwarding { family: f, .. } if f == family) {
                to.clone_into(&mut other.value);
            }
        }
    }
    Ok(())
}

fn add_address(observed: &mut Observed, address: &InterfaceAddress) -> Done {
    observed
        .link(&address.interface)
        .ok_or("no such interface")?;
    let mut same_interface = observed.addresses_of(&address.interface);
    let exists = same_interface.any(|other| {
        let net = other.address.net;
        net == address.net || (net.addr().is_ipv6() && net.addr() == address.net.addr())
    });
    if exists {
        return Err("it exists");
    }
    drop(same_interface);
    observed.addresses.push(ObservedAddress {
        address: address.clone(),
        protocol: Some(ADDRESS_PROTOCOL),
        tentative: false,
        duplicate: false,
    });
    Ok(())
}

fn remove_address(observed: &mut Observed, address: &InterfaceAddress) -> Done {
    let mut addresses = observed.addresses.iter();
    let place = addresses
        .position(|other| other.address == *address)
        .ok_or("no such address")?;
    let same_network = |other: &ObservedAddress| {
        other.address.interface == address.interface
            && other.address.net.prefix_len() == address.net.prefix_len()
            && other.address.net.trunc() == address.net.trunc()
    };
    let first = observed.addresses.iter().position(same_network) == Some(place);
    let ours = observed
        .addresses
        .get(place)
        .is_some_and(ObservedAddress::is_ours);
    if !ours {
        return Err("it is not ours");
    }
    if address.net.addr().is_ipv6() {
        observed.addresses.remove(place);
        return Ok(());
    }
    let promote = [Scope::All, Scope::Interface(address.interface.clone())]
        .into_iter()
        .filter_map(|scope| observed.sysctl(&Sysctl::PromoteSecondaries(scope)))
        .any(|value| value != "0");
    observed.addresses.remove(place);
    if first && !promote {
        observed.addresses.retain(|other| !same_network(other));
    }
    let last = observed
        .addresses_of(&address.interface)
        .all(|other| other.address.net.addr().is_ipv6());
    if last {
        observed.routes.retain(|other| {
            other.route.interface.as_ref() != Some(&address.interface)
                || Family::of(other.route.destination) == Family::V6
        });
    }
    Ok(())
}

fn order_addresses(observed: &mut Observed, interface: &InterfaceName, moved: &[IpNet]) -> Done {
    for net in moved {
        let address = InterfaceAddress {
            interface: interface.clone(),
            net: *net,
        };
        remove_address(observed, &address)?;
        add_address(observed, &address)?;
    }
    Ok(())
}

fn add_route(observed: &mut Observed, route: &Route) -> Done {
    can_route(observed, route)?;
    let mut routes = observed.routes.iter();
    if routes.any(|other| !other.selective && other.route.key() == route.key()) {
        return Err("one with its destination and metric exists");
    }
    observed.routes.push(plain(route.clone()));
    Ok(())
}

fn remove_route(observed: &mut Observed, route: &Route) -> Result<usize, &'static str> {
    let mut routes = observed.routes.iter();
    let place = routes
        .position(|other| other.is_ours() && other.route == *route)
        .ok_or("no such route of ours")?;
    observed.routes.remove(place);
    Ok(place)
}

fn replace_route(observed: &mut Observed, from: &Route, to: &Route) -> Done {
    can_route(observed, to)?;
    let routes = observed.routes.iter();
    let mut same_key = routes.filter(|other| !other.selective && other.route.key() == to.key());
    if !same_key.all(ObservedRoute::is_ours) {
        return Err("one that is not ours would be replaced");
    }
    let place = remove_route(observed, from)?;
    observed.routes.insert(place, plain(to.clone()));
    Ok(())
}

fn add_rule(observed: &mut Observed, rule: &PolicyRule) -> Done {
    let mut rules = observed.rules.iter();
    if rules.any(|other| !other.further && other.rule == *rule) {
        return Err("it exists");
    }
    observed.rules.push(ObservedRule {
        rule: rule.clone(),
        protocol: RULE_PROTOCOL,
        further: false,
    });
    // Stable: of one priority, the first that was added is the first that is asked.
    observed.rules.sort_by_key(|other| other.rule.priority);
    Ok(())
}

fn remove_rule(observed: &mut Observed, rule: &PolicyRule) -> Done {
    let mut rules = observed.rules.iter();
    let place = rules
        .position(|other| other.is_ours() && other.rule == *rule)
        .ok_or("no such rule of ours")?;
    observed.rules.remove(place);
    Ok(())
}

fn replace_table(observed: &mut Observed, to: Option<&Table>) -> Done {
    observed.nftables = match (&observed.nftables, to) {
        (Nftables::Missing, _) => return Err("there is no nftables"),
        (_, None) => Nftables::NoTable,
        (_, Some(table)) => Nftables::Table(table.clone()),
    };
    Ok(())
}

fn set_system(observed: &mut Observed, part: Part, to: Option<&Setting>) -> Done {
    let system = observed.system.as_mut().ok_or("it is not ours")?;
    system.settings.retain(|setting| setting.part() != part);
    system.settings.extend(to.cloned());
    system.altered.retain(|other| *other != part);
    Ok(())
}

fn can_route(observed: &Observed, route: &Route) -> Done {
    if route.kind == RouteKind::Blackhole {
        return Ok(());
    }
    let interface = route.interface.as_deref().unwrap_or_default();
    let link: &ObservedLink = observed.link(interface).ok_or("no such interface")?;
    if !link.up {
        return Err("the interface is down");
    }
    let Some(gateway) = route.gateway else {
        return Ok(());
    };
    let link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let mut on_link = observed.routes.iter().map(|other| &other.route);
    let reachable = on_link.any(|other| {
        other.gateway.is_none()
            && other.interface == route.interface
            && other.destination.contains(&gateway)
    });
    if link_local || reachable {
        Ok(())
    } else {
        Err("the gateway is unreachable")
    }
}

fn plain(route: Route) -> ObservedRoute {
    ObservedRoute {
        route,
        protocol: ROUTE_PROTOCOL,
        further: Vec::new(),
        selective: false,
        source: None,
    }
}

/// `RTPROT_KERNEL`, `linux/rtnetlink.h`.
const PROTOCOL_KERNEL: u8 = 2;
