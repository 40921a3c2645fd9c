//! Translation between `network`'s vocabulary and the kernel's messages (`rtnetlink(7)`).

mod link;
mod rule;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use lanai_network::{
    ADDRESS_PROTOCOL, Family, InterfaceAddress, InterfaceName, NextHop, ObservedAddress,
    ObservedRoute, ROUTE_PROTOCOL, Route, RouteKind,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteScope, RouteType,
    RouteVia,
};

pub(crate) use link::{link, name, of_link, of_primary};
pub(crate) use rule::{of_rule, rule};

/// Names of interfaces by index.
pub(crate) type Names = BTreeMap<u32, InterfaceName>;

/// A message names an interface that was not in the list of interfaces.
pub(crate) struct UnknownInterface;

/// An address; `None` for one of a family other than IP.
pub(crate) fn address(
    message: &AddressMessage,
    names: &Names,
) -> Result<Option<ObservedAddress>, UnknownInterface> {
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    let (mut local, mut peer, mut protocol) = (None, None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => peer = Some(*address),
            AddressAttribute::Protocol(by) => protocol = Some(u8::from(*by)),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    // On a point-to-point link they differ, and the local one is the box's.
    let net = local
        .or(peer)
        .map(|ip| IpNet::new(ip, message.header.prefix_len));
    let Some(Ok(net)) = net else {
        return Ok(None);
    };
    let interface = names.get(&message.header.index).ok_or(UnknownInterface)?;
    Ok(Some(ObservedAddress {
        address: InterfaceAddress {
            interface: interface.clone(),
            net,
        },
        protocol,
        tentative: flags.contains(AddressFlags::Tentative),
        duplicate: flags.contains(AddressFlags::Dadfailed),
    }))
}

/// A route; `None` for what is no IP route, what the kernel keeps for each address in table `local`,
/// and what it remembers of single destinations.
pub(crate) fn route(
    message: &RouteMessage,
    names: &Names,
) -> Result<Option<ObservedRoute>, UnknownInterface> {
    let header = &message.header;
    let unspecified: IpAddr = match header.address_family {
        AddressFamily::Inet => std::net::Ipv4Addr::UNSPECIFIED.into(),
        AddressFamily::Inet6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
        _ => return Ok(None),
    };
    let protocol = u8::from(header.protocol);
    let mut table = u32::from(header.table);
    let mut metric = 0;
    let mut destination = unspecified;
    let mut source = None;
    let mut first = Hop::default();
    let mut hops: Vec<Hop> = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Priority(priority) => metric = *priority,
            RouteAttribute::Destination(address) => {
                destination = ip(address).unwrap_or(unspecified);
            }
            RouteAttribute::PrefSource(address) => source = ip(address),
            RouteAttribute::MultiPath(several) => hops.extend(several.iter().map(next_hop)),
            other => first.read(other),
        }
    }
    let cached = header.flags.contains(RouteFlags::Cloned);
    if cached || (table == TABLE_LOCAL && protocol == PROTOCOL_KERNEL) {
        return Ok(None);
    }
    let Ok(destination) = IpNet::new(destination, header.destination_prefix_length) else {
        return Ok(None);
    };
    if !hops.is_empty() {
        first = hops.remove(0);
    }
    let further: Result<Vec<_>, _> = hops.iter().map(|hop| hop.named(names)).collect();
    let kind = kind(header.kind);
    let mut first = first.named(names)?;
    if sends_nothing(kind) {
        // IPv6 shows `dev lo` for it.
        first.interface = None;
    }
    Ok(Some(ObservedRoute {
        route: Route {
            table,
            destination: destination.trunc(),
            metric,
            kind,
            gateway: first.gateway,
            interface: first.interface,
        },
        protocol,
        further: further?,
        selective: header.tos != 0 || header.source_prefix_length != 0,
        source,
    }))
}

/// A way on, with the interface's index.
#[derive(Default)]
struct Hop {
    gateway: Option<IpAddr>,
    index: Option<u32>,
}

impl Hop {
    fn read(&mut self, attribute: &RouteAttribute) {
        match attribute {
            RouteAttribute::Gateway(address) => self.gateway = ip(address),
            RouteAttribute::Via(RouteVia::Inet(address)) => self.gateway = Some((*address).into()),
            RouteAttribute::Via(RouteVia::Inet6(address)) => self.gateway = Some((*address).into()),
            RouteAttribute::Oif(index) => self.index = Some(*index),
            _ => {}
        }
    }

    fn named(&self, names: &Names) -> Result<NextHop, UnknownInterface> {
        let interface = match self.index {
            None => None,
            Some(index) => Some(names.get(&index).ok_or(UnknownInterface)?.clone()),
        };
        Ok(NextHop {
            gateway: self.gateway,
            interface,
        })
    }
}

fn next_hop(message: &RouteNextHop) -> Hop {
    let mut hop = Hop {
        index: Some(message.interface_index),
        ..Hop::default()
    };
    for attribute in &message.attributes {
        hop.read(attribute);
    }
    hop
}

/// The message that adds or removes an address.
pub(crate) fn of_address(address: &InterfaceAddress, index: u32) -> AddressMessage {
    let ip = address.net.addr();
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = address.net.prefix_len();
    message.header.family = match Family::of(address.net) {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    let mut attributes = vec![AddressAttribute::Local(ip), AddressAttribute::Address(ip)];
    match address.net {
        IpNet::V4(net) => {
            if ip.is_loopback() {
                message.header.scope = AddressScope::Host;
            }
            // RFC 3021: a network of two has no broadcast address.
            if net.prefix_len() < 31 {
                attributes.push(AddressAttribute::Broadcast(net.broadcast()));
            }
        }
        IpNet::V6(_) => {
            // Until duplicate address detection ends, a second or two, nobody can bind to it; and
            // the engine binds next. See docs/network.md.
            message.header.flags = AddressHeaderFlags::Nodad;
            attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
    }
    attributes.push(AddressAttribute::Protocol(ADDRESS_PROTOCOL.into()));
    message.attributes = attributes;
    message
}

/// The message that adds, replaces or removes a route.
pub(crate) fn of_route(route: &Route, index: Option<u32>) -> RouteMessage {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = match Family::of(route.destination) {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    header.destination_prefix_length = route.destination.prefix_len();
    header.protocol = ROUTE_PROTOCOL.into();
    header.kind = of_kind(route.kind);
    header.scope = match (route.kind, route.gateway) {
        (RouteKind::Local, _) => RouteScope::Host,
        (RouteKind::Unicast, None) => RouteScope::Link,
        _ => RouteScope::Universe,
    };
    let mut attributes = vec![RouteAttribute::Destination(route.destination.addr().into())];
    // The header has room for the first 256 tables; the attribute counts where there is one.
    header.table = u8::try_from(route.table).unwrap_or(0);
    attributes.push(RouteAttribute::Table(route.table));
    attributes.push(RouteAttribute::Priority(route.metric));
    attributes.extend(index.map(RouteAttribute::Oif));
    if let Some(gateway) = route.gateway {
        attributes.push(match (gateway, route.destination) {
            (IpAddr::V6(gateway), IpNet::V4(_)) => RouteAttribute::Via(RouteVia::Inet6(gateway)),
            _ => RouteAttribute::Gateway(gateway.into()),
        });
    }
    message.attributes = attributes;
    message
}

fn sends_nothing(kind: RouteKind) -> bool {
    matches!(
        kind,
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
    )
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

fn kind(kind: RouteType) -> RouteKind {
    let known = KINDS.iter().find(|(_, theirs)| *theirs == kind);
    known.map_or(RouteKind::Other(kind.into()), |(ours, _)| *ours)
}

fn of_kind(kind: RouteKind) -> RouteType {
    match KINDS.iter().find(|(ours, _)| *ours == kind) {
        Some((_, theirs)) => *theirs,
        None => match kind {
            RouteKind::Other(number) => number.into(),
            _ => RouteType::Unspec,
        },
    }
}

const KINDS: [(RouteKind, RouteType); 9] = [
    (RouteKind::Unicast, RouteType::Unicast),
    (RouteKind::Local, RouteType::Local),
    (RouteKind::Broadcast, RouteType::Broadcast),
    (RouteKind::Anycast, RouteType::Anycast),
    (RouteKind::Multicast, RouteType::Multicast),
    (RouteKind::Blackhole, RouteType::BlackHole),
    (RouteKind::Unreachable, RouteType::Unreachable),
    (RouteKind::Prohibit, RouteType::Prohibit),
    (RouteKind::Throw, RouteType::Throw),
];

/// `RT_TABLE_LOCAL`, `linux/rtnetlink.h`.
const TABLE_LOCAL: u32 = 255;

/// `RTPROT_KERNEL`, `linux/rtnetlink.h`.
const PROTOCOL_KERNEL: u8 = 2;
