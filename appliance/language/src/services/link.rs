//! What an interface is made of: VLAN, bond, bridge, dummy, and the settings of its link.

use std::sync::Arc;
use std::time::Duration;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::{
    Bond, BondMode, Bridge, Duplex, HashPolicy, LacpRate, Link, LinkKind, Member,
};

use super::line::Line;
use super::network::NetworkDraft;
use crate::codes;
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::shown;

/// Link lines of a block. Lines of a bond and a bridge are kept apart from `type`, which may follow.
pub(super) struct LinkDraft {
    pub(super) kind: LinkKind,
    pub(super) mtu: Option<(u32, Span)>,
    pub(super) auto: Option<bool>,
    pub(super) speed: Option<(u32, Span)>,
    pub(super) duplex: Option<(Duplex, Span)>,
    pub(super) bond: Bond,
    pub(super) bridge: Bridge,
    /// Names after `slave` and `bridge port`.
    pub(super) members: Vec<(Arc<str>, Span)>,
    /// Lines that only a bond, or a bridge, has: the first of each.
    pub(super) bond_line: Option<Span>,
    pub(super) bridge_line: Option<Span>,
    /// Places of what a bond's mode decides about, by name.
    pub(super) primary: Option<Span>,
    pub(super) delays: Vec<(&'static str, Duration, Span)>,
    pub(super) lacp_rate: Option<Span>,
    pub(super) hash: Option<Span>,
}

impl LinkDraft {
    /// What follows from an interface's name.
    pub(super) fn of(name: &Word, sink: &mut Sink) -> Self {
        let text = name.text();
        let kind = match text.rsplit_once('.') {
            _ if text == "lo" => LinkKind::Loopback,
            Some((parent, id)) if !parent.is_empty() && is_number(id) => {
                vlan(name, parent, id, sink)
            }
            _ => LinkKind::Hardware,
        };
        Self {
            kind,
            mtu: None,
            auto: None,
            speed: None,
            duplex: None,
            bond: Bond::default(),
            bridge: Bridge::default(),
            members: Vec::new(),
            bond_line: None,
            bridge_line: None,
            primary: None,
            delays: Vec::new(),
            lacp_rate: None,
            hash: None,
        }
    }

    pub(super) fn finish(self) -> Link {
        Link {
            kind: match self.kind {
                LinkKind::Bond(_) => LinkKind::Bond(self.bond),
                LinkKind::Bridge(_) => LinkKind::Bridge(self.bridge),
                other => other,
            },
            mtu: self.mtu.map(|(mtu, _)| mtu),
            autonegotiation: self.auto,
            speed: self.speed.map(|(speed, _)| speed),
            duplex: self.duplex.map(|(duplex, _)| duplex),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn vlan(name: &Word, parent: &str, id: &str, sink: &mut Sink) -> LinkKind {
    match id.parse() {
        Ok(id @ 1..=4094) => LinkKind::Vlan {
            parent: Arc::from(parent),
            id,
        },
        _ => {
            let message = format!("'{}' has no VLAN of 1 to 4094", shown(&name.value));
            let fault = Diagnostic::alert(codes::BAD_SERVICE_VALUE, name.span, message);
            sink.push(fault.with_help("a VLAN is written <interface>.<number>, such as eth0.100"));
            LinkKind::Hardware
        }
    }
}

pub(super) fn auto(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    draft.link.auto = Some(line.switch()?);
    Some(())
}

pub(super) fn speed(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the speed")?;
    let speed = line.number(word, "a speed in Mbit/s", 10..=800_000)?;
    draft.link.speed = Some((speed, line.span()));
    Some(())
}

pub(super) fn duplex(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("'half' or 'full'")?;
    let duplex = line.one_of(word, &[("half", Duplex::Half), ("full", Duplex::Full)])?;
    draft.link.duplex = Some((duplex, line.span()));
    Some(())
}

pub(super) fn mtu(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the size")?;
    // Less than 68 bytes is no IPv4 (RFC 791), more than 65535 fits no packet.
    let mtu = line.number(word, "a packet size in bytes", 68..=65535)?;
    draft.link.mtu = Some((mtu, word.span));
    Some(())
}

pub(super) fn kind(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the type")?;
    let kinds = [("bonding", 0), ("bridge", 1), ("dummy", 2)];
    let kind = match line.one_of(word, &kinds)? {
        0 => LinkKind::Bond(Bond::default()),
        1 => LinkKind::Bridge(Bridge::default()),
        _ => LinkKind::Dummy,
    };
    if draft.link.kind != LinkKind::Hardware {
        let problem = match draft.link.kind {
            LinkKind::Vlan { .. } => {
                "cannot be: a name with a number after its last dot is a VLAN's"
            }
            _ => "cannot be: 'lo' is the loopback interface",
        };
        return line.bad(word, problem);
    }
    draft.link.kind = kind;
    Some(())
}

/// A line of a bond.
fn bond<'d>(draft: &'d mut NetworkDraft, line: &Line<'_>) -> &'d mut LinkDraft {
    draft.link.bond_line.get_or_insert(line.head);
    &mut draft.link
}

pub(super) fn bonding_mode(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the mode")?;
    // The kernel takes numbers too.
    let mode = match word.text().parse::<usize>().ok() {
        Some(number) => BondMode::NAMES.get(number).map(|(_, mode)| *mode),
        None => None,
    };
    link.bond.mode = match mode {
        Some(mode) => mode,
        None => line.one_of(word, &BondMode::NAMES)?,
    };
    Some(())
}

pub(super) fn bonding_primary(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the interface")?;
    link.bond.primary = Some(line.interface(word)?);
    link.primary = Some(word.span);
    Some(())
}

pub(super) fn bonding_miimon(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the time")?;
    link.bond.miimon = Some(milliseconds(line, word)?);
    Some(())
}

pub(super) fn bonding_updelay(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the time")?;
    let delay = milliseconds(line, word)?;
    link.bond.updelay = Some(delay);
    link.delays.push(("updelay", delay, word.span));
    Some(())
}

pub(super) fn bonding_downdelay(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the time")?;
    let delay = milliseconds(line, word)?;
    link.bond.downdelay = Some(delay);
    link.delays.push(("downdelay", delay, word.span));
    Some(())
}

fn milliseconds(line: &mut Line<'_>, word: &Word) -> Option<Duration> {
    let number = line.number(word, "a time in milliseconds", 0..=3_600_000)?;
    Some(Duration::from_millis(number.into()))
}

pub(super) fn bonding_lacp_rate(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("'slow' or 'fast'")?;
    let rates = [("slow", LacpRate::Slow), ("fast", LacpRate::Fast)];
    link.bond.lacp_rate = Some(line.one_of(word, &rates)?);
    link.lacp_rate = Some(line.span());
    Some(())
}

pub(super) fn bonding_hash(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let word = line.require("the policy")?;
    let policies = [
        ("layer2", HashPolicy::Layer2),
        ("layer2+3", HashPolicy::Layer23),
        ("layer3+4", HashPolicy::Layer34),
        ("encap2+3", HashPolicy::Encap23),
        ("encap3+4", HashPolicy::Encap34),
        ("vlan+srcmac", HashPolicy::VlanSourceMac),
    ];
    link.bond.xmit_hash_policy = Some(line.one_of(word, &policies)?);
    link.hash = Some(line.span());
    Some(())
}

pub(super) fn slave(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bond(draft, line);
    let found = members(link, line)?;
    link.bond.members.extend(found);
    Some(())
}

pub(super) fn bridge_port(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bridge(draft, line);
    let found = members(link, line)?;
    link.bridge.ports.extend(found);
    Some(())
}

pub(super) fn bridge_stp(draft: &mut NetworkDraft, line: &mut Line<'_>) -> Option<()> {
    let link = bridge(draft, line);
    link.bridge.stp = line.switch()?;
    Some(())
}

/// A line of a bridge.
fn bridge<'d>(draft: &'d mut NetworkDraft, line: &Line<'_>) -> &'d mut LinkDraft {
    draft.link.bridge_line.get_or_insert(line.head);
    &mut draft.link
}

fn members(link: &mut LinkDraft, line: &mut Line<'_>) -> Option<Vec<Member>> {
    let mut found = Vec::new();
    for word in line.rest("the interface")? {
        let interface = line.interface(word)?;
        link.members.push((interface.clone(), word.span));
        let origin = line.origin.clone();
        found.push(Member { interface, origin });
    }
    Some(found)
}
