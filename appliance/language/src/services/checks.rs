//! Blocks and lines of the Services tab against one another.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use lanai_diagnostics::{Diagnostic, Severity, Span};

use super::network::{NetworkDraft, RouteDraft};
use crate::codes;
use crate::outcome::Sink;

/// Runs all checks.
pub(super) fn check(networks: &[NetworkDraft], sink: &mut Sink) {
    for check in CHECKS {
        check(networks, sink);
    }
}

type Check = fn(&[NetworkDraft], &mut Sink);

const CHECKS: &[Check] = &[
    duplicate_interfaces,
    duplicate_addresses,
    route_conflicts,
    unreachable_gateways,
];

fn duplicate_interfaces(networks: &[NetworkDraft], sink: &mut Sink) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for network in networks {
        if let Some(before) = seen.insert(&network.interface, network.span) {
            let message = format!("interface '{}' has two blocks", network.interface);
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, network.span, message);
            let fault = fault.with_label(before, "the other one");
            sink.push(fault.with_help("put all lines of an interface into one block"));
        }
    }
}

fn duplicate_addresses(networks: &[NetworkDraft], sink: &mut Sink) {
    let mut seen: HashMap<IpAddr, (Span, &str)> = HashMap::new();
    for network in networks {
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
fn route_conflicts(networks: &[NetworkDraft], sink: &mut Sink) {
    let mut seen: HashMap<(IpNet, u32), Span> = HashMap::new();
    for draft in networks.iter().flat_map(|network| &network.routes) {
        let route = &draft.route;
        let metric = effective_metric(draft);
        let Some(before) = seen.insert((route.destination, metric), draft.span) else {
            continue;
        };
        let what = match route.destination.prefix_len() {
            0 => "two default routes have".to_owned(),
            _ => format!("two routes to {} have", route.destination),
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
fn unreachable_gateways(networks: &[NetworkDraft], sink: &mut Sink) {
    for network in networks {
        for draft in &network.routes {
            let Some(gateway) = draft.route.via.gateway() else {
                continue;
            };
            let own = network.addresses.iter().map(|(address, _)| address.net);
            if let Some(own) = own.clone().find(|net| net.addr() == gateway) {
                let message = format!("gateway {gateway} is this box's own address ({own})");
                let code = codes::GATEWAY_UNREACHABLE;
                sink.alert(code, draft.gateway, message);
                continue;
            }
            let link_local = match gateway {
                IpAddr::V6(gateway) => gateway.is_unicast_link_local(),
                IpAddr::V4(_) => false,
            };
            if link_local || own.clone().any(|net| net.contains(&gateway)) {
                continue;
            }
            let message = format!(
                "gateway {gateway} is on none of the networks of interface '{}'",
                network.interface
            );
            // A block without addresses of this family may get them from elsewhere, for example from
            // keepalived; one that has them would not have left out the gateway's.
            let severity = match own.clone().any(|net| same_family(net.addr(), gateway)) {
                true => Severity::Alert,
                false => Severity::Warning,
            };
            let code = codes::GATEWAY_UNREACHABLE;
            let mut fault = Diagnostic::new(code, severity, draft.gateway, message);
            let elsewhere = networks.iter().find(|other| {
                let mut nets = other.addresses.iter();
                nets.any(|(address, _)| address.net.contains(&gateway))
            });
            let help = match elsewhere {
                Some(other) => format!(
                    "it is on one of '{}': move the route there",
                    other.interface
                ),
                None => "add an 'ip address' of its network to this block".to_owned(),
            };
            fault.help = Some(help);
            sink.push(fault);
        }
    }
}

fn same_family(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}
