//! Blocks and lines of the Services tab against one another.

mod addresses;
mod links;
mod nets;
mod others;

use std::collections::HashMap;

use lanai_diagnostics::{Diagnostic, Span};

use super::Drafts;
use super::network::NetworkDraft;
use super::table::Block;
use crate::codes;
use crate::outcome::Sink;
use crate::suggest::{did_you_mean, nearest};

/// Runs all checks.
pub(super) fn check(drafts: &Drafts, sink: &mut Sink) {
    let site = Site::new(drafts);
    for check in CHECKS {
        check(&site, sink);
    }
}

type Check = fn(&Site<'_>, &mut Sink);

const CHECKS: &[Check] = &[
    duplicate_interfaces,
    addresses::duplicate_addresses,
    addresses::route_conflicts,
    addresses::unreachable_gateways,
    addresses::rule_conflicts,
    addresses::tables_and_rules,
    links::settings_fit_the_kind,
    links::bond_settings,
    links::members,
    links::vlans,
    links::rings,
    others::virtual_routers,
    others::vrrp_groups,
    others::listens,
    others::keys,
    others::flows_match,
    others::interfaces_named,
];

/// All that was read, and the blocks by the names of their interfaces.
struct Site<'a> {
    drafts: &'a Drafts,
    networks: &'a [Block<NetworkDraft>],
    /// Of two blocks of one interface the first.
    by_name: HashMap<&'a str, &'a Block<NetworkDraft>>,
}

impl<'a> Site<'a> {
    fn new(drafts: &'a Drafts) -> Self {
        let mut by_name = HashMap::new();
        for block in &drafts.networks {
            by_name
                .entry(block.body.interface.as_ref())
                .or_insert(block);
        }
        Self {
            drafts,
            networks: &drafts.networks,
            by_name,
        }
    }

    fn block(&self, interface: &str) -> Option<&'a Block<NetworkDraft>> {
        self.by_name.get(interface).copied()
    }

    /// Warns about an interface without a block of its own.
    fn must_have_block(&self, interface: &str, span: Span, why: &str, sink: &mut Sink) {
        if self.block(interface).is_some() || interface == "lo" || sink.deaf() {
            return;
        }
        let message = format!("interface '{interface}' has no block: {why}");
        let warning = Diagnostic::warning(codes::INTERFACE_WITHOUT_BLOCK, span, message);
        let known = self
            .networks
            .iter()
            .map(|block| block.body.interface.as_ref());
        let warning = match nearest(interface, known) {
            Some(near) => warning.with_fix(span, near, did_you_mean(near)),
            None => warning,
        };
        sink.push(warning.with_help(format!("add a block 'service network {interface}'")));
    }
}

fn duplicate_interfaces(site: &Site<'_>, sink: &mut Sink) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for block in site.networks {
        let interface = &block.body.interface;
        if let Some(before) = seen.insert(interface, block.span) {
            let message = format!("interface '{interface}' has two blocks");
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, block.span, message);
            let fault = fault.with_label(before, "the other one");
            sink.push(fault.with_help("put all lines of an interface into one block"));
        }
    }
}
