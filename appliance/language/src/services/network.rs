//! `service network NAME`: one network interface.

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::{Address, Common, LinkKind, Network, Rule};

use super::line::Line;
use super::link::{self, LinkDraft};
use super::route::{self, RouteDraft, RuleDraft};
use super::table::{Block, Row, unexpected};
use super::vrrp::{self, VrrpDraft};
use crate::codes;
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::{is_interface_name, shown};

/// What a block says, with the places of it.
pub(super) struct NetworkDraft {
    pub(super) interface: Arc<str>,
    pub(super) autoconfig: Option<lanai_model::Origin>,
    pub(super) addresses: Vec<(Address, Span)>,
    pub(super) routes: Vec<RouteDraft>,
    pub(super) rules: Vec<RuleDraft>,
    pub(super) link: LinkDraft,
    pub(super) vrrp: Vec<VrrpDraft>,
}

/// Lines of a network block.
pub(super) const ROWS: &[Row<NetworkDraft>] = &[
    Row::aloha(
        "ip address",
        "<address>/<prefix length or mask>",
        "Gives the interface an address, the first of a network being the one the box sends from.",
        address,
    )
    .many(),
    Row::aloha(
        "ip autoconfig",
        "",
        "Takes address, default route and name servers from DHCP.",
        autoconfig,
    )
    .on_image(),
    Row::aloha(
        "ip route",
        "{default|<network>/<prefix length>} {<gateway>|dev|blackhole} [metric <number>] [table <number>]",
        "Sends packets for a network to a router, to neighbours on the interface, or nowhere.",
        route::route,
    )
    .many(),
    Row::aloha(
        "ip rule",
        "[from <network>] [to <network>] [iif <interface>] [fwmark <mark>[/<mask>]] table <number> [priority <number>]",
        "Lets packets that match all of this use a routing table of their own.",
        route::rule,
    )
    .many(),
    Row::aloha(
        "auto",
        "{on|off}",
        "Switches autonegotiation of the link on or off; without the line the driver decides.",
        link::auto,
    ),
    Row::aloha(
        "speed",
        "<megabits per second>",
        "Sets the speed of a link whose autonegotiation is off.",
        link::speed,
    ),
    Row::own(
        "duplex",
        "{half|full}",
        "Sets which ways a link sends at a time, where its autonegotiation is off.",
        link::duplex,
    ),
    Row::own(
        "mtu",
        "<bytes>",
        "Sets the largest packet of the interface.",
        link::mtu,
    ),
    Row::aloha(
        "type",
        "{bonding|bridge|dummy}",
        "Makes an interface that is no network card: several links as one, a switch, or none at all.",
        link::kind,
    ),
    Row::aloha(
        "bonding mode",
        "<mode>",
        "Says how the links of a bond share the traffic: balance-rr, active-backup, balance-xor, \
         broadcast, 802.3ad, balance-tlb or balance-alb.",
        link::bonding_mode,
    )
    .with("type"),
    Row::aloha(
        "bonding primary",
        "<interface>",
        "Names the link of a bond that is used while it works.",
        link::bonding_primary,
    )
    .with("type"),
    Row::own(
        "bonding miimon",
        "<milliseconds>",
        "Says how often the links of a bond are looked at.",
        link::bonding_miimon,
    )
    .with("type"),
    Row::own(
        "bonding updelay",
        "<milliseconds>",
        "Says how long a link must be up before the bond uses it.",
        link::bonding_updelay,
    )
    .with("type"),
    Row::own(
        "bonding downdelay",
        "<milliseconds>",
        "Says how long a link must be down before the bond leaves it.",
        link::bonding_downdelay,
    )
    .with("type"),
    Row::own(
        "bonding lacp_rate",
        "{slow|fast}",
        "Asks the switch for LACP frames every 30 seconds or every second (mode 802.3ad).",
        link::bonding_lacp_rate,
    )
    .with("type"),
    Row::own(
        "bonding xmit_hash_policy",
        "<policy>",
        "Says what decides the link of a packet: layer2, layer2+3, layer3+4, encap2+3, encap3+4 or \
         vlan+srcmac.",
        link::bonding_hash,
    )
    .with("type"),
    Row::aloha(
        "slave",
        "<interface> [<interface> ...]",
        "Puts links into a bond.",
        link::slave,
    )
    .many()
    .with("type"),
    Row::own(
        "bridge port",
        "<interface> [<interface> ...]",
        "Puts links into a bridge.",
        link::bridge_port,
    )
    .many()
    .with("type"),
    Row::own(
        "bridge stp",
        "{on|off}",
        "Switches the spanning tree protocol of a bridge on or off.",
        link::bridge_stp,
    )
    .with("type"),
    Row::own(
        "vrrp id",
        "<1 to 255>",
        "Starts a virtual router of this interface; the 'vrrp' lines that follow belong to it.",
        vrrp::id,
    )
    .many()
    .ignored(vrrp::NOBODY),
    Row::own(
        "vrrp prio",
        "<1 to 254>",
        "Sets the priority of the virtual router, 100 if it is not written; the highest is master.",
        vrrp::priority,
    )
    .many()
    .with("vrrp id"),
    Row::own(
        "vrrp address",
        "<address>/<prefix length or mask>",
        "Gives the virtual router an address, which its master has.",
        vrrp::address,
    )
    .many()
    .with("vrrp id"),
    Row::own(
        "vrrp interval",
        "<seconds>",
        "Sets the time between advertisements, such as 1 or 0.25; the same on all routers.",
        vrrp::interval,
    )
    .many()
    .with("vrrp id"),
    Row::own(
        "vrrp preempt",
        "{on|off}",
        "Says whether a higher priority takes over from a master that works.",
        vrrp::preempt,
    )
    .many()
    .with("vrrp id"),
    Row::own(
        "vrrp garp",
        "<seconds>",
        "Lets a master repeat its gratuitous ARP this often, not only when it takes over.",
        vrrp::garp,
    )
    .many()
    .with("vrrp id"),
];

/// Reads what follows `service network`.
pub(super) fn start(
    kind: &Word,
    arguments: &[Word],
    common: Common,
    sink: &mut Sink,
) -> Option<Block<NetworkDraft>> {
    let Some((name, rest)) = arguments.split_first() else {
        let message = "'service network' expects the name of an interface";
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, kind.span, message);
        sink.push(fault.with_help("for example: service network eth0"));
        return None;
    };
    if let Some(extra) = rest.first() {
        unexpected(extra, "service network <interface>", sink);
    }
    let text = name.text();
    if !is_interface_name(&text) {
        let message = format!(
            "'{}' cannot be the name of an interface",
            shown(&name.value)
        );
        let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, name.span, message);
        sink.push(fault.with_help("1 to 15 characters, without '/', ':' and white space"));
    }
    let body = NetworkDraft {
        link: LinkDraft::of(name, sink),
        interface: Arc::from(text),
        autoconfig: None,
        addresses: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        vrrp: Vec::new(),
    };
    Some(Block::new(common, name.span, body))
}

/// The block once all is checked.
pub(super) fn finish(block: Block<NetworkDraft>) -> Network {
    let draft = block.body;
    Network {
        autostart: block.common.autostart,
        link: draft.link.finish(),
        autoconfig: draft.autoconfig,
        addresses: firsts(draft.addresses),
        routes: draft.routes.into_iter().map(|draft| draft.route).collect(),
        rules: draft
            .rules
            .into_iter()
            .map(|draft| draft.rule)
            .collect::<Vec<Rule>>(),
        vrrp: draft
            .vrrp
            .into_iter()
            .filter_map(VrrpDraft::finish)
            .collect(),
        ..Network::new(draft.interface, block.common.origin)
    }
}

fn firsts<A, B>(pairs: Vec<(A, B)>) -> Vec<A> {
    pairs.into_iter().map(|(first, _)| first).collect()
}

impl NetworkDraft {
    /// Whether lines of this kind of interface may have an address of their own.
    pub(super) fn is_loopback(&self) -> bool {
        self.link.kind == LinkKind::Loopback
    }
}

fn address(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the address")?;
    let net = line.host_address(word);
    line.end();
    let origin = line.origin.clone();
    draft
        .addresses
        .push((Address { net: net?, origin }, word.span));
    Some(())
}

fn autoconfig(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    draft.autoconfig = Some(line.origin.clone());
    Some(())
}
