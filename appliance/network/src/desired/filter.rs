//! The chains of our nftables table.

use lanai_model::Origin;
use lanai_model::services::{self, Flow, FlowMatch, FlowPolicy, Services};

use super::routing::TRANSPARENT_MARK;
use super::transparent::Transparent;
use super::{WantedChain, WantedFilter};
use crate::nft::{self, Action, Base, Condition, Hook, Policy, Protocol};
use crate::ports::Ports;
use crate::state::Family;

/// What asks for packets to be sent on, by family: the first line that does.
pub(super) struct Forwarding {
    v4: Option<Origin>,
    v6: Option<Origin>,
}

impl Forwarding {
    pub(super) fn of(services: &Services, transparent: &Transparent) -> Self {
        let line = |family| {
            let flows = flows(services).filter(|flow| flow.policy == FlowPolicy::Permit);
            let mut permitted = flows.flat_map(|flow| &flow.matches);
            let permitted = permitted.find(|line| concerns(line, family));
            let transparent = transparent.line(family);
            transparent.or(permitted.map(|line| &line.origin)).cloned()
        };
        Self {
            v4: line(Family::V4),
            v6: line(Family::V6),
        }
    }

    /// The line that asks for it in this family.
    pub(super) fn line(&self, family: Family) -> Option<&Origin> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }
}

pub(super) fn chains(
    services: &Services,
    transparent: &Transparent,
    forwarding: &Forwarding,
) -> Vec<WantedChain> {
    let mut chains = Vec::new();
    let [v4, v6] = [Family::V4, Family::V6].map(|family| forwarding.line(family));
    if let Some(origin) = v4.or(v6) {
        chains.push(forward(services, origin));
    }
    if let Some((_, origin)) = transparent.families().next() {
        chains.push(divert(origin));
    }
    chains
}

/// Marks packets of transparent sockets, so that a policy rule takes them for the box's own. A listener
/// on every address is left out first: it would take all that passes by to its port. (`socket
/// wildcard 0` beside `transparent 1` would say the same of the first packet, and break the rule for
/// the rest of the handshake.)
fn divert(origin: &Origin) -> WantedChain {
    let tcp = Condition::Protocol(Protocol::TCP);
    let everywhere = nft::Rule::new(
        &[tcp.clone(), Condition::ForSocketOnEveryAddress],
        Action::Accept,
        "sockets on every address take what is sent to this box only",
    );
    let transparent = nft::Rule::new(
        &[tcp, Condition::ForTransparentSocket],
        Action::MarkAndAccept(TRANSPARENT_MARK),
        "packets of transparent sockets",
    );
    let rules = [everywhere, transparent].map(|rule| WantedFilter {
        rule,
        origin: origin.clone(),
    });
    WantedChain {
        name: "divert".to_owned(),
        base: base(Hook::Prerouting, PRIORITY_MANGLE, Policy::Accept),
        rules: rules.into(),
        origin: origin.clone(),
    }
}

/// Wherever forwarding is on, only what a flow permits passes, and the answers to it.
fn forward(services: &Services, origin: &Origin) -> WantedChain {
    let mut rules = Vec::new();
    // Following connections costs every packet something; nobody needs it without a flow.
    if flows(services).any(|flow| flow.policy == FlowPolicy::Permit) {
        let comment = "answers to what a flow permits";
        rules.push(WantedFilter {
            rule: nft::Rule::new(&[Condition::Established], Action::Accept, comment),
            origin: origin.clone(),
        });
    }
    rules.extend(flows(services).flat_map(flow_rules));
    WantedChain {
        name: "forward".to_owned(),
        base: base(Hook::Forward, PRIORITY_FILTER, Policy::Drop),
        rules,
        origin: origin.clone(),
    }
}

fn flows(services: &Services) -> impl Iterator<Item = &Flow> {
    let flows = services.flows.iter();
    let flows = flows.filter(|flows| flows.common.autostart);
    flows.flat_map(|flows| &flows.flows)
}

fn flow_rules(flow: &Flow) -> impl Iterator<Item = WantedFilter> {
    let action = match flow.policy {
        FlowPolicy::Permit => Action::Accept,
        FlowPolicy::Deny => Action::Drop,
    };
    let comment = format!("flow {}", flow.name);
    flow.matches.iter().flat_map(move |line| {
        let comment = comment.clone();
        conditions(line)
            .into_iter()
            .map(move |conditions| WantedFilter {
                rule: nft::Rule::new(&conditions, action, &comment),
                origin: line.origin.clone(),
            })
    })
}

/// What a line matches: one list of conditions, or one for each family.
fn conditions(line: &FlowMatch) -> Vec<Vec<Condition>> {
    let protocols: Vec<Option<Protocol>> = match line.protocol {
        None => vec![None],
        Some(protocol) => {
            let fitting = protocols(protocol).into_iter();
            let fitting = fitting.filter(|(_, family)| family.is_none_or(|f| concerns(line, f)));
            fitting.map(|(protocol, _)| Some(protocol)).collect()
        }
    };
    let lists = protocols.into_iter().map(|protocol| {
        let mut conditions = Vec::new();
        conditions.extend(line.interface.clone().map(Condition::InterfaceIn));
        conditions.extend(line.source.map(Condition::From));
        conditions.extend(line.destination.map(Condition::To));
        conditions.extend(protocol.map(Condition::Protocol));
        let ports = line.source_ports.as_ref().map(Ports::range);
        conditions.extend(ports.map(Condition::SourcePort));
        let ports = line.destination_ports.as_ref().map(Ports::range);
        conditions.extend(ports.map(Condition::DestinationPort));
        conditions.extend(line.icmp_type.map(Condition::IcmpType));
        conditions
    });
    lists.collect()
}

/// The protocols that a word means, with the family of one that belongs to a family.
pub(super) fn protocols(protocol: services::Protocol) -> Vec<(Protocol, Option<Family>)> {
    match protocol {
        services::Protocol::Tcp => vec![(Protocol::TCP, None)],
        services::Protocol::Udp => vec![(Protocol::UDP, None)],
        services::Protocol::Icmp => vec![
            (Protocol::ICMP, Some(Family::V4)),
            (Protocol::ICMPV6, Some(Family::V6)),
        ],
        services::Protocol::Number(number) => vec![(Protocol(number), None)],
    }
}

/// Whether packets of this family can match.
fn concerns(line: &FlowMatch, family: Family) -> bool {
    let mut nets = line.source.iter().chain(&line.destination);
    nets.all(|net| Family::of(*net) == family)
}

pub(super) fn base(hook: Hook, priority: i32, policy: Policy) -> Option<Base> {
    Some(Base {
        kind: "filter".to_owned(),
        hook,
        priority,
        policy,
    })
}

/// `NF_IP_PRI_MANGLE`, `linux/netfilter_ipv4.h`.
const PRIORITY_MANGLE: i32 = -150;

/// `NF_IP_PRI_FILTER`.
pub(super) const PRIORITY_FILTER: i32 = 0;
