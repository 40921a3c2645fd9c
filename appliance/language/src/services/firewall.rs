//! `service firewall` and `service flows`: what may reach the box, and what may pass through it.

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::{
    Allow, Common, Firewall, Flow, FlowMatch, FlowPolicy, Flows, Protocol,
};

use super::line::Line;
use super::table::Row;
use crate::codes;
use crate::lexer::Word;

#[derive(Default)]
pub(super) struct FirewallDraft {
    allow: Vec<Allow>,
    /// Interfaces that are named.
    pub(super) interfaces: Vec<(Arc<str>, Span)>,
}

/// Lines of `service firewall`.
pub(super) const FIREWALL: &[Row<FirewallDraft>] = &[Row::own(
    "allow",
    "{tcp|udp|icmp|<protocol number>} [port <port>[-<port>]] [from <network>] [on <interface>]",
    "Lets in what no bind, no web UI, no sshd and no virtual router of this box asks for by itself.",
    allow,
)
.many()];

impl FirewallDraft {
    pub(super) fn finish(self, common: Common) -> Firewall {
        Firewall {
            common,
            allow: self.allow,
        }
    }
}

fn allow(draft: &mut FirewallDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the protocol")?;
    let protocol = protocol_of(line, word)?;
    let (mut ports, mut from, mut interface) = (None, None, None);
    line.options(&["port", "from", "on"], |line, name, word| {
        match name {
            "port" => ports = Some(ports_of(line, word, protocol)?),
            "from" => from = Some(line.network(word)?),
            _ => interface = Some((line.interface(word)?, word.span)),
        }
        Some(())
    })?;
    draft.interfaces.extend(interface.clone());
    draft.allow.push(Allow {
        protocol,
        ports,
        from,
        interface: interface.map(|(name, _)| name),
        origin: line.origin.clone(),
    });
    Some(())
}

fn protocol_of(line: &mut Line<'_>, word: &Word) -> Option<Protocol> {
    let text = word.text();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let number = line.number(word, "a protocol", 1..=255)?;
        return Some(match u8::try_from(number).ok()? {
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            number => Protocol::Number(number),
        });
    }
    let names = [
        ("tcp", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("icmp", Protocol::Icmp),
    ];
    line.one_of(word, &names)
}

fn ports_of(
    line: &mut Line<'_>,
    word: &Word,
    protocol: Protocol,
) -> Option<std::ops::RangeInclusive<u16>> {
    if !matches!(protocol, Protocol::Tcp | Protocol::Udp) {
        return line.bad(word, "is a port, which only tcp and udp have");
    }
    line.ports(word)
}

/// Each new one is compared with the others, and packets are with all.
const MOST_FLOWS: usize = 2000;

#[derive(Default)]
pub(super) struct FlowsDraft {
    /// With the places of their names.
    pub(super) flows: Vec<(Flow, Span)>,
    /// Interfaces that are named.
    pub(super) interfaces: Vec<(Arc<str>, Span)>,
}

/// Lines of `service flows`.
pub(super) const FLOWS: &[Row<FlowsDraft>] = &[
    Row::aloha(
        "flow",
        "<name> {permit|deny}",
        "Starts a flow and says what becomes of packets that match one of the 'match' lines below it.",
        flow,
    )
    .many(),
    Row::aloha(
        "match",
        "[iface <interface>] [proto {tcp|udp|icmp|<number>}] [src <network>] [dst <network>] \
         [srcport <port>[:<port>]] [dstport <port>[:<port>]] [icmptype <number>]",
        "Belongs to the flow above: packets that fit all that is written are of the flow.",
        matches,
    )
    .many()
    .with("flow"),
    Row::refused(
        "outflow",
        "<name> <policy>",
        "Is ALOHA's flow of packets that the box itself sends.",
        "what the box sends is not filtered; choose its way with 'ip rule' and 'ip route ... table'",
    ),
    Row::refused(
        "ignore",
        "...",
        "Is ALOHA's exception from a 'match' line.",
        "write a flow with 'deny' and this match above the flow that permits",
    ),
];

impl FlowsDraft {
    pub(super) fn finish(self, common: Common) -> Flows {
        Flows {
            common,
            flows: self.flows.into_iter().map(|(flow, _)| flow).collect(),
        }
    }
}

fn flow(draft: &mut FlowsDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the name")?;
    let name = word.text();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(1..=27).contains(&name.len()) || !name.bytes().all(good) {
        return line.bad(
            word,
            "is no name of a flow: 1 to 27 letters, digits, '_' and '-'",
        );
    }
    if draft.flows.len() == MOST_FLOWS {
        return line.bad(word, "is one flow too many, 2000 at most");
    }
    let before = draft.flows.iter().find(|(flow, _)| *flow.name == *name);
    if let Some((_, before)) = before {
        let message = format!("flow '{name}' is there twice");
        let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, word.span, message);
        line.sink.push(fault.with_label(*before, "the other one"));
        return None;
    }
    let policy = line.require("'permit' or 'deny'")?;
    if matches!(policy.text().as_ref(), "director" | "skip" | "table") {
        let problem = "is a policy of ALOHA's that is not here: 'ip rule' chooses routing tables, \
                       and the LB Layer7 tab balances";
        return line.bad(policy, problem);
    }
    let policies = [("permit", FlowPolicy::Permit), ("deny", FlowPolicy::Deny)];
    let policy = line.one_of(policy, &policies)?;
    let flow = Flow {
        name: name.into(),
        policy,
        matches: Vec::new(),
        origin: line.origin.clone(),
    };
    draft.flows.push((flow, word.span));
    Some(())
}

fn matches(draft: &mut FlowsDraft, line: &mut Line<'_>) -> Option<()> {
    let mut found = FlowMatch {
        interface: None,
        protocol: None,
        source: None,
        destination: None,
        source_ports: None,
        destination_ports: None,
        icmp_type: None,
        origin: line.origin.clone(),
    };
    let Some(first) = line.peek() else {
        line.require("what is to match")?;
        return None;
    };
    if first.is("not") {
        let problem = "is not here: write a flow with 'deny' and this match above this one";
        return line.bad(first, problem);
    }
    let names = [
        "iface", "proto", "src", "dst", "srcport", "dstport", "icmptype",
    ];
    let mut needs = None;
    let mut interface = None;
    line.options(&names, |line, name, word| {
        match name {
            "iface" => {
                let name = line.interface(word)?;
                interface = Some((name.clone(), word.span));
                found.interface = Some(name);
            }
            "proto" => found.protocol = Some(protocol_of(line, word)?),
            "src" => found.source = Some(line.network(word)?),
            "dst" => found.destination = Some(line.network(word)?),
            "srcport" => found.source_ports = Some(line.ports(word)?),
            "dstport" => found.destination_ports = Some(line.ports(word)?),
            _ => {
                let number = line.number(word, "a type of ICMP message", 0..=255)?;
                found.icmp_type = u8::try_from(number).ok();
            }
        }
        if name.ends_with("port") || name == "icmptype" {
            needs = Some((name, word));
        }
        Some(())
    })?;
    if let Some((name, word)) = needs {
        fits(line, &found, name, word)?;
    }
    if let (Some(source), Some(destination)) = (found.source, found.destination)
        && source.addr().is_ipv4() != destination.addr().is_ipv4()
    {
        return line.bad(first, "starts a match whose networks differ in family");
    }
    let Some((flow, _)) = draft.flows.last_mut() else {
        let message = "this line belongs to no flow";
        let fault = Diagnostic::alert(codes::OUT_OF_SERVICE, line.head, message);
        line.sink
            .push(fault.with_help("start one with 'flow <name> permit' above it"));
        return None;
    };
    flow.matches.push(found);
    draft.interfaces.extend(interface);
    Some(())
}

/// Ports are of TCP and UDP, and types of ICMP.
fn fits(line: &mut Line<'_>, found: &FlowMatch, name: &str, word: &Word) -> Option<()> {
    let ports = found.source_ports.is_some() || found.destination_ports.is_some();
    let fits = match found.protocol {
        Some(Protocol::Tcp | Protocol::Udp) => found.icmp_type.is_none(),
        Some(Protocol::Icmp) => !ports,
        _ => false,
    };
    if fits {
        return Some(());
    }
    let needed = match name {
        "icmptype" => "'proto icmp'",
        _ => "'proto tcp' or 'proto udp'",
    };
    line.bad(word, &format!("after '{name}' needs {needed} on its line"))
}
