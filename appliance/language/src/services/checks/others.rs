//! Virtual routers, ways in, and interfaces that other blocks name.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use lanai_diagnostics::{Diagnostic, Span};

use super::Site;
use super::nets::Nets;
use crate::codes;
use crate::outcome::Sink;

/// Identifiers are unique on an interface, and addresses in the box.
pub(super) fn virtual_routers(site: &Site<'_>, sink: &mut Sink) {
    let mut addresses: HashMap<IpAddr, Span> = HashMap::new();
    for network in site.networks.iter().map(|block| &block.body) {
        let mut ids = HashMap::new();
        let mut own = Nets::default();
        own.add(network);
        for router in &network.vrrp {
            let v4 = router
                .addresses
                .first()
                .map(|(a, _)| a.net.addr().is_ipv4());
            if let Some(before) = ids.insert((router.id, v4), router.span) {
                let message = format!("virtual router {} is there twice", router.id);
                let fault = Diagnostic::alert(codes::VRRP_MISFIT, router.span, message);
                sink.push(fault.with_label(before, "the other one"));
            }
            if router.addresses.is_empty() {
                let message = format!("virtual router {} has no address", router.id);
                let fault = Diagnostic::alert(codes::VRRP_MISFIT, router.span, message);
                sink.push(fault.with_help("add one below it: vrrp address 10.0.0.100/24"));
            }
            for (address, span) in &router.addresses {
                let ip = address.net.addr();
                if let Some(before) = addresses.insert(ip, *span) {
                    let message = format!("address {ip} is given to two virtual routers");
                    let fault = Diagnostic::alert(codes::DUPLICATE_ADDRESS, *span, message);
                    sink.push(fault.with_label(before, "first given here"));
                }
                if own.holds(ip).is_none() && network.autoconfig.is_none() {
                    let message =
                        format!("address {ip} is on no network of '{}'", network.interface);
                    let warning = Diagnostic::warning(codes::VRRP_MISFIT, *span, message);
                    sink.push(
                        warning.with_help("neighbours of this interface will not ask for it"),
                    );
                }
            }
        }
    }
}

/// An interface in a group has virtual routers, and is in one group.
pub(super) fn vrrp_groups(site: &Site<'_>, sink: &mut Sink) {
    let Some(block) = &site.drafts.vrrp else {
        return;
    };
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for (named, span) in block.body.groups.iter().flatten() {
        let name = named.name.as_ref();
        if let Some(before) = seen.insert(name, *span) {
            let message = format!("'{name}' is in two groups");
            let fault = Diagnostic::alert(codes::VRRP_MISFIT, *span, message);
            sink.push(fault.with_label(before, "the other one"));
        }
        let Some(network) = site.block(name) else {
            site.must_have_block(name, *span, "it has no virtual router", sink);
            continue;
        };
        if network.body.vrrp.is_empty() {
            let message = format!("'{name}' has no virtual router");
            let warning = Diagnostic::warning(codes::VRRP_MISFIT, *span, message);
            let warning = warning.with_label(network.span, "its block");
            sink.push(warning.with_help("add 'vrrp id' and 'vrrp address' lines to its block"));
        }
    }
    let tracked = block.body.track_svc.iter().chain(&block.body.track_mgt);
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for (named, span) in tracked {
        if let Some(before) = seen.insert(&named.name, *span) {
            let message = format!("'{}' is tracked twice", named.name);
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, *span, message);
            sink.push(fault.with_label(before, "the other one"));
        }
    }
}

/// What listens on an address of the box listens on one that the box has.
pub(super) fn listens(site: &Site<'_>, sink: &mut Sink) {
    let drafts = site.drafts;
    let wui = drafts
        .wui
        .iter()
        .filter_map(|block| block.body.listen.as_ref());
    let sshd = drafts.sshd.iter().flat_map(|block| &block.body.listen);
    let snmpd = drafts.snmpd.iter().filter_map(|block| block.body.listen);
    let listens: Vec<(IpAddr, Span)> = wui
        .chain(sshd)
        .map(|(address, _, span)| (address.ip(), *span))
        .chain(snmpd)
        .collect();
    let dynamic = site
        .networks
        .iter()
        .any(|block| block.body.autoconfig.is_some());
    if listens.is_empty() || dynamic || site.networks.is_empty() {
        return;
    }
    let own = site.networks.iter().flat_map(|block| {
        let virtual_ones = block.body.vrrp.iter().flat_map(|router| &router.addresses);
        block.body.addresses.iter().chain(virtual_ones)
    });
    let own: HashSet<IpAddr> = own.map(|(address, _)| address.net.addr()).collect();
    for (address, span) in listens {
        if !address.is_unspecified() && !address.is_loopback() && !own.contains(&address) {
            let message = format!("{address} is no address of this box");
            let warning = Diagnostic::warning(codes::SERVICE_WITHOUT_EFFECT, span, message);
            sink.push(
                warning
                    .with_help("give it to an interface with 'ip address', or listen on another"),
            );
        }
    }
}

/// Without a key nobody can log in.
pub(super) fn keys(site: &Site<'_>, sink: &mut Sink) {
    if let Some(block) = &site.drafts.sshd
        && block.body.keys.is_empty()
        && block.common.autostart
    {
        let message = "no key is given: nobody can log in";
        let warning = Diagnostic::warning(codes::SERVICE_WITHOUT_EFFECT, block.span, message);
        sink.push(warning.with_help("add the line of a .pub file: key ssh-ed25519 AAAA... name"));
    }
}

/// A flow says which packets are its own.
pub(super) fn flows_match(site: &Site<'_>, sink: &mut Sink) {
    let flows = site.drafts.flows.iter().flat_map(|block| &block.body.flows);
    for (flow, span) in flows.filter(|(flow, _)| flow.matches.is_empty()) {
        let message = format!(
            "flow '{}' has no 'match' line: it is of no packet",
            flow.name
        );
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, *span, message);
        sink.push(fault.with_help("add one below it: match src 10.0.0.0/24 dst 10.0.1.0/24"));
    }
}

/// Interfaces that the firewall and the flows name.
pub(super) fn interfaces_named(site: &Site<'_>, sink: &mut Sink) {
    let firewall = site
        .drafts
        .firewall
        .iter()
        .flat_map(|block| &block.body.interfaces);
    let flows = site
        .drafts
        .flows
        .iter()
        .flat_map(|block| &block.body.interfaces);
    for (interface, span) in firewall.chain(flows) {
        site.must_have_block(interface, *span, "nothing comes in by it", sink);
    }
}
