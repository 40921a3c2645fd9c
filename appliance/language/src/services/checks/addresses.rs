//! Addresses, routes and rules.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use lanai_diagnostics::{Diagnostic, Severity, Span};
use lanai_model::services::{TABLE_MAIN, Via};

use super::Site;
use super::nets::Nets;
use crate::codes;
use crate::outcome::Sink;
use crate::services::network::NetworkDraft;
use crate::services::route::RouteDraft;

pub(super) fn duplicate_addresses(site: &Site<'_>, sink: &mut Sink) {
    let mut seen: HashMap<IpAddr, (Span, &str)> = HashMap::new();
    for network in site.networks.iter().map(|block| &block.body) {
        for (address, span) in &network.addresses {
            let ip = address.net.addr();
            let Some((before, interface)) = seen.insert(ip, (*span, &network.interface)) else {
                continue;
            };
            let message = match interface == network.interface.as_ref() {
                true => format!("address {ip} is given twice"),
                false => format!("address {ip} is given to interface '{interface}' too"),
            };
            let fault = Diagnostic::alert(codes::DUPLICATE_ADDRESS, *span, message);
            sink.push(fault.with_label(before, "first given here"));
        }
    }
}

/// In one table the kernel tells routes apart by destination and metric only, whatever their gateway
/// and interface: a second one is refused, and which of the two stands would depend on their order.
pub(super) fn route_conflicts(site: &Site<'_>, sink: &mut Sink) {
    let mut seen: HashMap<(u32, IpNet, u32), Span> = HashMap::new();
    let blocks = site.networks.iter();
    for draft in blocks.flat_map(|block| &block.body.routes) {
        let route = &draft.route;
        let metric = effective_metric(draft);
        let key = (route.table, route.destination, metric);
        let Some(before) = seen.insert(key, draft.span) else {
            continue;
        };
        let table = match route.table {
            TABLE_MAIN => String::new(),
            table => format!(" of table {table}"),
        };
        let what = match route.destination.prefix_len() {
            0 => format!("two default routes{table} have"),
            _ => format!("two routes{table} to {} have", route.destination),
        };
        let absent = match route.metric {
            None => " (its value where none is written)",
            Some(_) => "",
        };
        let message = format!("{what} metric {metric}{absent}: the kernel takes only one of them");
        let fault = Diagnostic::alert(codes::ROUTE_CONFLICT, draft.span, message);
        let fault = fault.with_label(before, "the other one");
        sink.push(fault.with_help("give each its own metric: the lowest is used first"));
    }
}

/// A route without metric gets 0 for IPv4 and 1024 for IPv6 from the kernel, and for IPv6 a metric
/// of 0 means the same as none.
fn effective_metric(draft: &RouteDraft) -> u32 {
    match (draft.route.destination, draft.route.metric) {
        (IpNet::V4(_), metric) => metric.unwrap_or(0),
        (IpNet::V6(_), None | Some(0)) => 1024,
        (IpNet::V6(_), Some(metric)) => metric,
    }
}

/// The kernel refuses a gateway that none of the interface's networks holds. IPv6 has a network of
/// its own on every interface, fe80::/10.
pub(super) fn unreachable_gateways(site: &Site<'_>, sink: &mut Sink) {
    let mut all = Nets::default();
    for block in site.networks {
        all.add(&block.body);
    }
    for block in site.networks {
        let network = &block.body;
        let mut own = Nets::default();
        own.add(network);
        for draft in network
            .routes
            .iter()
            .filter(|draft| draft.route.via == Via::Link)
        {
            own.add_reachable(draft.route.destination, &network.interface);
        }
        for draft in &network.routes {
            if let Some(fault) = unreachable(draft, network, &own, &all) {
                sink.push(fault);
            }
        }
    }
}

fn unreachable(
    draft: &RouteDraft,
    network: &NetworkDraft,
    own: &Nets<'_>,
    all: &Nets<'_>,
) -> Option<Diagnostic> {
    let gateway = draft.route.via.gateway()?;
    let code = codes::GATEWAY_UNREACHABLE;
    if let Some(net) = own.own(gateway) {
        let message = format!("gateway {gateway} is this box's own address ({net})");
        return Some(Diagnostic::alert(code, draft.via, message));
    }
    let link_local = match gateway {
        IpAddr::V6(gateway) => gateway.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    };
    if link_local || own.holds(gateway).is_some() {
        return None;
    }
    let message = format!(
        "gateway {gateway} is on none of the networks of interface '{}'",
        network.interface
    );
    // A block without addresses of this family may get them from elsewhere, for example from
    // keepalived or DHCP; one that has them would not have left out the gateway's.
    let severity = match own.has_family_of(gateway) && network.autoconfig.is_none() {
        true => Severity::Alert,
        false => Severity::Warning,
    };
    let fault = Diagnostic::new(code, severity, draft.via, message);
    Some(match all.holds(gateway) {
        Some(other) => fault.with_help(format!("it is on one of '{other}': move the route there")),
        None => fault.with_help("add an 'ip address' of its network to this block"),
    })
}

/// Of two rules with one priority either could be first.
pub(super) fn rule_conflicts(site: &Site<'_>, sink: &mut Sink) {
    let mut seen: HashMap<u32, Span> = HashMap::new();
    let blocks = site.networks.iter();
    for draft in blocks.flat_map(|block| &block.body.rules) {
        let (Some(priority), Some(span)) = (draft.rule.priority, draft.priority) else {
            continue;
        };
        if let Some(before) = seen.insert(priority, span) {
            let message = format!("two rules have priority {priority}");
            let fault = Diagnostic::alert(codes::RULE_CONFLICT, span, message);
            let fault = fault.with_label(before, "the other one");
            sink.push(fault.with_help(
                "give each its own: the lowest is asked first; without priorities rules are asked \
                 in the order written",
            ));
        }
    }
}

/// A rule whose table is empty, and a table that no rule leads to, have no effect.
pub(super) fn tables_and_rules(site: &Site<'_>, sink: &mut Sink) {
    let routes = || site.networks.iter().flat_map(|block| &block.body.routes);
    let rules = || site.networks.iter().flat_map(|block| &block.body.rules);
    let filled: HashSet<u32> = routes().map(|draft| draft.route.table).collect();
    let asked: HashSet<u32> = rules().map(|draft| draft.rule.table).collect();
    for draft in rules() {
        let table = draft.rule.table;
        // 253 is the table 'default', which is there for others to fill.
        if !filled.contains(&table) && table != TABLE_MAIN && table != 253 {
            let message = format!("table {table} has no routes: the rule has no effect");
            let code = codes::SERVICE_WITHOUT_EFFECT;
            let warning = Diagnostic::warning(code, draft.table, message);
            let example = format!("add one, such as: ip route default 192.0.2.1 table {table}");
            sink.push(warning.with_help(example));
        }
        if let (Some(iif), Some(span)) = (&draft.rule.iif, draft.iif) {
            site.must_have_block(iif, span, "the rule may never match", sink);
        }
    }
    let mut told = HashSet::new();
    for draft in routes() {
        let table = draft.route.table;
        if table == TABLE_MAIN || table == 253 || asked.contains(&table) || !told.insert(table) {
            continue;
        }
        let message = format!("no rule leads to table {table}: its routes have no effect");
        let warning = Diagnostic::warning(codes::SERVICE_WITHOUT_EFFECT, draft.span, message);
        let example = format!("add one, such as: ip rule from 192.0.2.0/24 table {table}");
        sink.push(warning.with_help(example));
    }
}
