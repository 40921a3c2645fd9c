//! Policy rules (`linux/fib_rules.h`).

use std::net::IpAddr;

use ipnet::IpNet;
use lanai_network::{Family, Mark, ObservedRule, PolicyRule, RULE_PROTOCOL, RuleAction};
use netlink_packet_core::Nla;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::rule::{
    RuleAction as Action, RuleAttribute, RuleFlags, RuleHeader, RuleMessage,
};

/// A rule; `None` for one of a family other than IP.
pub(crate) fn rule(message: &RuleMessage) -> Option<ObservedRule> {
    let header = &message.header;
    let family = match header.family {
        AddressFamily::Inet => Family::V4,
        AddressFamily::Inet6 => Family::V6,
        _ => return None,
    };
    let mut rule = PolicyRule {
        family,
        priority: 0,
        from: None,
        to: None,
        interface: None,
        mark: None,
        action: RuleAction::Other(header.action.into()),
    };
    let mut table = u32::from(header.table);
    let (mut value, mut mask) = (None, u32::MAX);
    let mut protocol = 0;
    let plain = RuleFlags::Permanent | RuleFlags::IifDetached;
    let mut further = header.tos != 0 || !plain.contains(header.flags);
    let net = |address: &IpAddr, length| IpNet::new(*address, length).ok();
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Source(from) => rule.from = net(from, header.src_len),
            RuleAttribute::Destination(to) => rule.to = net(to, header.dst_len),
            RuleAttribute::Iifname(name) => rule.interface = Some(name.as_str().into()),
            RuleAttribute::Priority(priority) => rule.priority = *priority,
            RuleAttribute::FwMark(mark) => value = Some(*mark),
            RuleAttribute::FwMask(bits) => mask = *bits,
            RuleAttribute::Table(number) => table = *number,
            RuleAttribute::Protocol(by) => protocol = u8::from(*by),
            // What `ip rule` shows as "suppress_prefixlength" where it is none.
            RuleAttribute::SuppressPrefixLen(u32::MAX)
            | RuleAttribute::SuppressIfGroup(u32::MAX) => {}
            RuleAttribute::Other(attribute) if attribute.kind() == FRA_PAD => {}
            _ => further = true,
        }
    }
    rule.mark = value.map(|value| Mark { value, mask });
    if header.action == Action::ToTable {
        rule.action = RuleAction::Lookup(table);
    }
    Some(ObservedRule {
        rule,
        protocol,
        further,
    })
}

/// The message that adds or removes a rule.
pub(crate) fn of_rule(rule: &PolicyRule) -> RuleMessage {
    let length = |net: Option<IpNet>| net.map_or(0, |net| net.prefix_len());
    let mut message = RuleMessage::default();
    message.header = RuleHeader {
        family: match rule.family {
            Family::V4 => AddressFamily::Inet,
            Family::V6 => AddressFamily::Inet6,
        },
        src_len: length(rule.from),
        dst_len: length(rule.to),
        action: match rule.action {
            RuleAction::Lookup(_) => Action::ToTable,
            RuleAction::Other(number) => number.into(),
        },
        ..RuleHeader::default()
    };
    let mut attributes = vec![
        RuleAttribute::Priority(rule.priority),
        RuleAttribute::Protocol(RULE_PROTOCOL.into()),
    ];
    if let RuleAction::Lookup(table) = rule.action {
        // The header has room for the first 256 tables; the attribute counts where there is one.
        message.header.table = u8::try_from(table).unwrap_or(0);
        attributes.push(RuleAttribute::Table(table));
    }
    attributes.extend(rule.from.map(|net| RuleAttribute::Source(net.addr())));
    attributes.extend(rule.to.map(|net| RuleAttribute::Destination(net.addr())));
    let interface = rule.interface.as_deref();
    attributes.extend(interface.map(|name| RuleAttribute::Iifname(name.to_owned())));
    if let Some(mark) = rule.mark {
        attributes.push(RuleAttribute::FwMark(mark.value));
        attributes.push(RuleAttribute::FwMask(mark.mask));
    }
    message.attributes = attributes;
    message
}

/// Padding of 64-bit attributes.
const FRA_PAD: u16 = 18;
