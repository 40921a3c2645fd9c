//! What interfaces are made of.

use std::collections::HashMap;
use std::time::Duration;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::{BondMode, LinkKind};

use super::Site;
use crate::codes;
use crate::outcome::Sink;
use crate::services::link::LinkDraft;
use crate::services::network::NetworkDraft;
use crate::services::table::Block;

/// Lines of a bond are of a bond, and speed is set where nobody negotiates it.
pub(super) fn settings_fit_the_kind(site: &Site<'_>, sink: &mut Sink) {
    for block in site.networks {
        let link = &block.body.link;
        let mut misfit = |span: Span, message: &str, help: &str| {
            sink.push(Diagnostic::alert(codes::LINK_MISFIT, span, message).with_help(help));
        };
        if let (Some(span), false) = (link.bond_line, matches!(link.kind, LinkKind::Bond(_))) {
            misfit(
                span,
                "only a bond has this line",
                "add 'type bonding' to this block",
            );
        }
        if let (Some(span), false) = (link.bridge_line, matches!(link.kind, LinkKind::Bridge(_))) {
            misfit(
                span,
                "only a bridge has this line",
                "add 'type bridge' to this block",
            );
        }
        let hardware = link.kind == LinkKind::Hardware;
        let made = "the links below it negotiate: put the line into their blocks";
        if let (Some(span), false) = (block.place_of("auto"), hardware) {
            misfit(span, "only a network card negotiates", made);
        }
        let forced = [
            link.speed.map(|(_, span)| span),
            link.duplex.map(|(_, span)| span),
        ];
        for span in forced.into_iter().flatten() {
            match (hardware, link.auto) {
                (false, _) => misfit(span, "only a network card has a speed and duplex", made),
                (true, Some(false)) => {}
                (true, _) => misfit(
                    span,
                    "speed and duplex are set only where autonegotiation is off",
                    "add 'auto off' to this block, or remove the line",
                ),
            }
        }
        if let (LinkKind::Loopback, Some(_)) = (&link.kind, &block.body.autoconfig) {
            let span = block.place_of("ip autoconfig").unwrap_or(block.span);
            misfit(
                span,
                "no DHCP server is asked over 'lo'",
                "give it addresses with 'ip address'",
            );
        }
    }
}

/// Settings of a bond that its mode has no use for, and times that do not fit each other.
pub(super) fn bond_settings(site: &Site<'_>, sink: &mut Sink) {
    for block in site.networks {
        let link = &block.body.link;
        if !matches!(link.kind, LinkKind::Bond(_)) {
            continue;
        }
        let mode = link.bond.mode;
        let mut misfit = |span: Span, message: String, help: &str| {
            sink.push(Diagnostic::alert(codes::LINK_MISFIT, span, message).with_help(help));
        };
        let name = mode_name(mode);
        if let Some(span) = link.primary.filter(|_| !mode.has_primary()) {
            let help = "choose active-backup, balance-tlb or balance-alb, or remove the line";
            misfit(
                span,
                format!("mode {name} uses all links alike: none is primary"),
                help,
            );
        }
        if let Some(span) = link.lacp_rate.filter(|_| mode != BondMode::Lacp) {
            let help = "choose 'bonding mode 802.3ad', or remove the line";
            misfit(span, format!("mode {name} sends no LACP frames"), help);
        }
        if let Some(span) = link.hash.filter(|_| !mode.hashes()) {
            let help = "choose balance-xor, 802.3ad or balance-tlb, or remove the line";
            misfit(
                span,
                format!("mode {name} chooses links without a hash"),
                help,
            );
        }
        let miimon = link.bond.miimon.unwrap_or_default();
        for (delay, time, span) in &link.delays {
            let good = *time == Duration::ZERO
                || time.as_millis().checked_rem(miimon.as_millis()) == Some(0);
            if !good {
                let message = format!("{delay} is not a multiple of miimon");
                misfit(
                    *span,
                    message,
                    "set 'bonding miimon 100', and delays in hundreds",
                );
            }
        }
        if link.bond.members.is_empty() {
            misfit(
                block.span,
                format!("bond '{}' has no links", block.body.interface),
                "name them, such as: slave eth1 eth2",
            );
        } else if let (Some(primary), Some(span)) = (&link.bond.primary, link.primary)
            && !link
                .bond
                .members
                .iter()
                .any(|member| member.interface == *primary)
        {
            let message = format!("'{primary}' is no link of this bond");
            misfit(span, message, "name one of those after 'slave'");
        }
    }
}

fn mode_name(mode: BondMode) -> &'static str {
    let mut names = BondMode::NAMES.iter();
    names
        .find(|(_, known)| *known == mode)
        .map_or("", |(name, _)| name)
}

/// A member belongs to one bond or bridge, and what it receives belongs to that.
pub(super) fn members(site: &Site<'_>, sink: &mut Sink) {
    let mut owners: HashMap<&str, (&str, Span)> = HashMap::new();
    for block in site.networks {
        let NetworkDraft {
            interface, link, ..
        } = &block.body;
        for (member, span) in &link.members {
            if let Some((owner, before)) = owners.insert(member, (interface, *span)) {
                let message = match owner == interface.as_ref() {
                    true => format!("'{member}' is named twice"),
                    false => format!("'{member}' is a link of '{owner}' too"),
                };
                let fault = Diagnostic::alert(codes::MEMBER_CONFLICT, *span, message);
                sink.push(fault.with_label(before, "the other one"));
                continue;
            }
            if member.as_ref() == "lo" {
                let message = "'lo' cannot be a link of anything";
                sink.alert(codes::MEMBER_CONFLICT, *span, message);
                continue;
            }
            if let Some(member) = site.block(member) {
                member_fits(block, member, *span, sink);
            }
        }
    }
}

fn member_fits(
    owner: &Block<NetworkDraft>,
    member: &Block<NetworkDraft>,
    place: Span,
    sink: &mut Sink,
) {
    let body = &member.body;
    let name = &owner.body.interface;
    let is_bond = matches!(owner.body.link.kind, LinkKind::Bond(_));
    let what = match (&body.link.kind, is_bond) {
        (LinkKind::Bond(_), true) => Some("a bond in a bond"),
        (LinkKind::Bridge(_), true) => Some("a bridge in a bond"),
        (LinkKind::Bridge(_), false) => Some("a bridge in a bridge"),
        _ => None,
    };
    if let Some(what) = what {
        let message = format!("the kernel takes no link of this kind: {what}");
        let fault = Diagnostic::alert(codes::MEMBER_CONFLICT, place, message);
        sink.push(fault.with_label(member.span, "its block"));
        return;
    }
    let lines = [
        body.addresses.first().map(|(_, span)| *span),
        body.routes.first().map(|draft| draft.span),
        body.rules.first().map(|draft| draft.span),
        member.place_of("ip autoconfig"),
        body.vrrp.first().map(|draft| draft.span),
    ];
    if let Some(line) = lines.into_iter().flatten().min_by_key(|span| span.start) {
        let message = format!(
            "'{}' is a link of '{name}': what comes in by it is never its own",
            body.interface
        );
        let fault = Diagnostic::alert(codes::MEMBER_CONFLICT, line, message);
        let fault = fault.with_label(place, "made a link here");
        sink.push(fault.with_help(format!("move the line to 'service network {name}'")));
    }
}

/// A VLAN needs the interface below it, and sends no larger packets than that does.
pub(super) fn vlans(site: &Site<'_>, sink: &mut Sink) {
    let owners = owners(site);
    for block in site.networks {
        let LinkKind::Vlan { parent, .. } = &block.body.link.kind else {
            continue;
        };
        site.must_have_block(
            parent,
            block.span,
            "nothing brings it up for this VLAN",
            sink,
        );
        if let Some((owner, place)) = owners.get(parent.as_ref()) {
            let message = format!("'{parent}' is a link of '{owner}': it has no VLAN of its own");
            let fault = Diagnostic::alert(codes::MEMBER_CONFLICT, block.span, message);
            let fault = fault.with_label(*place, "made a link here");
            sink.push(fault.with_help(format!("make it a VLAN of '{owner}'")));
        }
        let below = site.block(parent).map(|block| &block.body.link);
        if let (Some((mtu, span)), Some(limit)) = (block.body.link.mtu, below.and_then(mtu_of))
            && mtu > limit.0
        {
            let message = format!("a VLAN's packets of {mtu} bytes do not fit '{parent}' below it");
            let fault = Diagnostic::alert(codes::LINK_MISFIT, span, message);
            let fault = match limit.1 {
                Some(place) => fault.with_label(place, format!("{} bytes at most", limit.0)),
                None => fault,
            };
            sink.push(fault.with_help(format!("set the MTU of '{parent}' to {mtu} or more")));
        }
    }
}

/// The largest packet of an interface; 1500 bytes where nothing is written, as on Ethernet.
fn mtu_of(link: &LinkDraft) -> Option<(u32, Option<Span>)> {
    match (&link.mtu, &link.kind) {
        (Some((mtu, span)), _) => Some((*mtu, Some(*span))),
        (None, LinkKind::Hardware) => Some((1500, None)),
        // Those that are made follow what they are made of.
        (None, _) => None,
    }
}

/// Interfaces that are links of another one, with the place that says so.
fn owners<'a>(site: &Site<'a>) -> HashMap<&'a str, (&'a str, Span)> {
    let mut owners = HashMap::new();
    for block in site.networks {
        let draft = &block.body;
        for (member, span) in &draft.link.members {
            owners.insert(member.as_ref(), (draft.interface.as_ref(), *span));
        }
    }
    owners
}

/// An interface is not made of itself, over however many steps.
pub(super) fn rings(site: &Site<'_>, sink: &mut Sink) {
    // 1: on the way down, 2: done.
    let mut state: HashMap<&str, u8> = HashMap::new();
    for block in site.networks {
        // Depth first without recursion: a text may stack very many interfaces.
        let mut stack: Vec<(&str, Vec<(&str, Span)>)> = Vec::new();
        let enter = |name: &str| {
            site.block(name)
                .map(|block| below(block))
                .unwrap_or_default()
        };
        let name = block.body.interface.as_ref();
        if state.contains_key(name) {
            continue;
        }
        state.insert(name, 1);
        stack.push((name, enter(name)));
        while let Some((name, rest)) = stack.last_mut() {
            let Some((next, span)) = rest.pop() else {
                state.insert(name, 2);
                stack.pop();
                continue;
            };
            match state.get(next) {
                Some(1) => {
                    let message = format!("'{next}' would be made of itself");
                    sink.alert(codes::MEMBER_CONFLICT, span, message);
                }
                Some(_) => {}
                None => {
                    state.insert(next, 1);
                    let inner = enter(next);
                    stack.push((next, inner));
                }
            }
        }
    }
}

/// What an interface is made of.
fn below(block: &Block<NetworkDraft>) -> Vec<(&str, Span)> {
    let link = &block.body.link;
    let members = link
        .members
        .iter()
        .map(|(name, span)| (name.as_ref(), *span));
    let parent = match &link.kind {
        LinkKind::Vlan { parent, .. } => Some((parent.as_ref(), block.span)),
        _ => None,
    };
    members.chain(parent).collect()
}
