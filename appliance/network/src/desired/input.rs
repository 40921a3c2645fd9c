//! The input side of our table: what may reach the box itself (`service firewall`), or without it what
//! may reach sshd (`allow` of `service sshd`).
//!
//! With it everything is dropped but what the configuration serves: the rules are derived from the binds, the
//! web UI, sshd, snmpd and the virtual routers, so that there is no second list to keep true.
//!
//! A zone reaches only its own addresses. Linux takes a packet for any address of the box on any
//! interface (the weak host model of RFC 1122, 3.3.4.2), so that somebody in one zone could speak to
//! the box's address in another. Here a packet for an address that its interface does not have is
//! dropped, unless a bind names that interface.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use lanai_model::Origin;
use lanai_model::layer7::{self, Bind, ListenAddress};
use lanai_model::services::{AllowedNetwork, Firewall, Network, Services, Sshd};

use super::filter::{PRIORITY_FILTER, base, protocols};
use super::{INPUT, WantedChain, WantedFilter};
use crate::nft::{self, Action, Condition, Hook, Policy, Protocol};
use crate::ports::Ports;
use crate::state::{Family, InterfaceName};

/// The chain, if one is asked for. `ui` is where the web UI listens, if that is known.
pub(super) fn chain(
    services: &Services,
    config: &layer7::Config,
    ui: Option<SocketAddr>,
) -> Option<WantedChain> {
    let firewall = services.firewall.as_ref();
    match firewall.filter(|firewall| firewall.common.autostart) {
        Some(firewall) => Some(guard(firewall, services, config, ui)),
        None => sshd_alone(services),
    }
}

/// Everything is dropped but what the configuration serves.
fn guard(
    firewall: &Firewall,
    services: &Services,
    config: &layer7::Config,
    ui: Option<SocketAddr>,
) -> WantedChain {
    let mut rules = Rules {
        rules: Vec::new(),
        origin: &firewall.common.origin,
    };
    rules.own();
    let binds = || config.proxies.iter().flat_map(|proxy| &proxy.binds);
    for bind in binds().filter(|bind| is_anywhere(bind)) {
        rules.bind(bind);
    }
    rules.foreign_address();
    rules.icmp(services);
    for bind in binds().filter(|bind| !is_anywhere(bind)) {
        rules.bind(bind);
    }
    for network in services.active_networks() {
        rules.network(network);
    }
    rules.services(services, ui);
    rules.allowed(services);
    WantedChain {
        name: INPUT.to_owned(),
        base: base(Hook::Input, PRIORITY_FILTER, Policy::Drop),
        rules: rules.rules,
        origin: firewall.common.origin.clone(),
    }
}

/// Without the firewall: sshd is for whom its `allow` lines name, and everything else is as it was. The
/// image's sshd (dropbear) knows no such lists. Connections are not followed for it: a line that goes
/// ends those that it let in.
fn sshd_alone(services: &Services) -> Option<WantedChain> {
    let sshd = services.sshd.as_ref()?;
    if !sshd.common.autostart || sshd.allow.is_empty() {
        return None;
    }
    let mut rules = Rules {
        rules: Vec::new(),
        origin: &sshd.common.origin,
    };
    rules.loopback();
    rules.sshd(sshd);
    for (address, origin) in sshd_listens(sshd) {
        let conditions = listening(Protocol::TCP, address, None, None);
        rules.push(&conditions, Action::Drop, "sshd, from elsewhere", &origin);
    }
    Some(WantedChain {
        name: INPUT.to_owned(),
        base: base(Hook::Input, PRIORITY_FILTER, Policy::Accept),
        rules: rules.rules,
        origin: sshd.common.origin.clone(),
    })
}

/// Where sshd listens, with the lines that say so.
fn sshd_listens(sshd: &Sshd) -> Vec<(SocketAddr, Origin)> {
    match sshd.listen.as_slice() {
        [] => vec![(SSH_EVERYWHERE, sshd.common.origin.clone())],
        listen => listen.to_vec(),
    }
}

/// Whether a bind takes connections to an address that the interface need not have: the line names
/// the interface, or says that the address is none of the box's.
fn is_anywhere(bind: &Bind) -> bool {
    bind.interface.is_some() || bind.transparent
}

struct Rules<'a> {
    rules: Vec<WantedFilter>,
    /// The `service firewall` line, which asks for all that no other line asks for.
    origin: &'a Origin,
}

impl Rules<'_> {
    fn push(&mut self, conditions: &[Condition], action: Action, comment: &str, origin: &Origin) {
        self.rules.push(WantedFilter {
            rule: nft::Rule::new(conditions, action, comment),
            origin: origin.clone(),
        });
    }

    fn accept(&mut self, conditions: &[Condition], comment: &str) {
        let origin = self.origin.clone();
        self.push(conditions, Action::Accept, comment, &origin);
    }

    /// What the box itself began, and what it says to itself.
    fn own(&mut self) {
        self.accept(&[Condition::Established], "answers, and errors about them");
        self.loopback();
    }

    fn loopback(&mut self) {
        let loopback = Condition::InterfaceIn("lo".into());
        self.accept(&[loopback], "the box itself");
    }

    fn foreign_address(&mut self) {
        let origin = self.origin.clone();
        let comment = "an address that this interface does not have";
        self.push(
            &[Condition::ToOtherInterface],
            Action::Drop,
            comment,
            &origin,
        );
    }

    /// What IP cannot do without (RFC 1812, 4.3; RFC 4890, 4.4), and the question whether the box is
    /// there. Router advertisements are heard only where addresses come by themselves.
    fn icmp(&mut self, services: &Services) {
        for (number, comment) in [
            (3, "destination unreachable, path MTU"),
            (8, "echo request"),
            (11, "time exceeded"),
            (12, "parameter problem"),
        ] {
            self.icmp_type(Protocol::ICMP, number, None, comment);
        }
        for (number, comment) in [
            (1, "destination unreachable"),
            (2, "packet too big"),
            (3, "time exceeded"),
            (4, "parameter problem"),
            (128, "echo request"),
            (130, "multicast listener query"),
            (135, "neighbour solicitation"),
            (136, "neighbour advertisement"),
        ] {
            self.icmp_type(Protocol::ICMPV6, number, None, comment);
        }
        for network in services.active_networks() {
            if network.autoconfig.is_some() {
                let by = Some(network.interface.clone());
                self.icmp_type(Protocol::ICMPV6, 134, by, "router advertisement");
            }
        }
    }

    fn icmp_type(
        &mut self,
        protocol: Protocol,
        number: u8,
        by: Option<InterfaceName>,
        comment: &str,
    ) {
        let mut conditions: Vec<Condition> = by.map(Condition::InterfaceIn).into_iter().collect();
        conditions.push(Condition::Protocol(protocol));
        conditions.push(Condition::IcmpType(number));
        self.accept(&conditions, comment);
    }

    fn bind(&mut self, bind: &Bind) {
        let ListenAddress::Inet(address) = bind.address else {
            return;
        };
        let by = bind.interface.clone();
        let conditions = listening(Protocol::TCP, address, by, None);
        let comment = match &bind.name {
            Some(name) => format!("bind {address} name {name}"),
            None => format!("bind {address}"),
        };
        self.push(&conditions, Action::Accept, &comment, &bind.origin);
    }

    /// What an interface needs for its virtual routers and for an address that comes by DHCP.
    fn network(&mut self, network: &Network) {
        let by = || Condition::InterfaceIn(network.interface.clone());
        if let Some(first) = network.vrrp.first() {
            let conditions = [by(), Condition::Protocol(Protocol::VRRP)];
            self.push(
                &conditions,
                Action::Accept,
                "virtual routers",
                &first.origin,
            );
        }
        if let Some(origin) = &network.autoconfig {
            // RFC 2131, 4.1; RFC 8415, 7.2.
            for (family, from, to) in [(Family::V4, 67, 68), (Family::V6, 547, 546)] {
                let conditions = [
                    by(),
                    Condition::Family(family),
                    Condition::Protocol(Protocol::UDP),
                    Condition::SourcePort(Ports::one(from)),
                    Condition::DestinationPort(Ports::one(to)),
                ];
                self.push(&conditions, Action::Accept, "DHCP", origin);
            }
        }
    }

    fn services(&mut self, services: &Services, ui: Option<SocketAddr>) {
        let wui = services.wui.as_ref().filter(|wui| wui.common.autostart);
        let written = wui.and_then(|wui| wui.listen.as_ref());
        if let Some(address) = written.map(|(address, _)| *address).or(ui) {
            let origin = written.map_or(self.origin, |(_, origin)| origin).clone();
            let allow = wui.map_or(&[][..], |wui| wui.allow.as_slice());
            self.served(Protocol::TCP, address, allow, "web UI", &origin);
        }
        if let Some(sshd) = services.sshd.as_ref().filter(|it| it.common.autostart) {
            self.sshd(sshd);
        }
        if let Some(snmpd) = services.snmpd.as_ref().filter(|it| it.common.autostart) {
            let address = SocketAddr::new(snmpd.listen, snmpd.port.get());
            let allow = snmpd.network.as_slice();
            let origin = &snmpd.common.origin;
            self.served(Protocol::UDP, address, allow, "snmpd", origin);
        }
    }

    fn sshd(&mut self, sshd: &Sshd) {
        for (address, origin) in sshd_listens(sshd) {
            self.served(Protocol::TCP, address, &sshd.allow, "sshd", &origin);
        }
    }

    /// A program of the box: for everybody, or for these networks.
    fn served(
        &mut self,
        protocol: Protocol,
        address: SocketAddr,
        allow: &[AllowedNetwork],
        what: &str,
        origin: &Origin,
    ) {
        if allow.is_empty() {
            let conditions = listening(protocol, address, None, None);
            self.push(&conditions, Action::Accept, what, origin);
        }
        for allowed in allow {
            // A network of the other family than that of the address never gets there.
            if !takes(address, Family::of(allowed.net)) {
                continue;
            }
            let conditions = listening(protocol, address, None, Some(allowed.net));
            self.push(&conditions, Action::Accept, what, &allowed.origin);
        }
    }

    fn allowed(&mut self, services: &Services) {
        let lines = services.firewall.iter().flat_map(|it| &it.allow);
        for line in lines {
            for (protocol, family) in protocols(line.protocol) {
                let from = line.from.map(Family::of);
                if family.is_some_and(|family| from.is_some_and(|from| from != family)) {
                    continue;
                }
                let mut conditions = Vec::new();
                conditions.extend(line.interface.clone().map(Condition::InterfaceIn));
                conditions.extend(line.from.map(Condition::From));
                conditions.push(Condition::Protocol(protocol));
                let ports = line.ports.as_ref().map(Ports::range);
                conditions.extend(ports.map(Condition::DestinationPort));
                self.push(&conditions, Action::Accept, "allow", &line.origin);
            }
        }
    }
}

/// What a packet must be like for a listener to get it.
fn listening(
    protocol: Protocol,
    address: SocketAddr,
    by: Option<InterfaceName>,
    from: Option<IpNet>,
) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = by.map(Condition::InterfaceIn).into_iter().collect();
    conditions.extend(from.map(Condition::From));
    match address.ip() {
        // `[::]` takes IPv4 too.
        IpAddr::V6(ip) if ip.is_unspecified() => {}
        IpAddr::V4(ip) if ip.is_unspecified() => conditions.push(Condition::Family(Family::V4)),
        ip => conditions.push(Condition::To(IpNet::from(ip))),
    }
    conditions.push(Condition::Protocol(protocol));
    conditions.push(Condition::DestinationPort(Ports::one(address.port())));
    conditions
}

/// Whether packets of this family can reach a listener.
fn takes(address: SocketAddr, family: Family) -> bool {
    match address.ip() {
        IpAddr::V6(ip) => ip.is_unspecified() || family == Family::V6,
        IpAddr::V4(_) => family == Family::V4,
    }
}

/// Where sshd(8) listens unless told otherwise.
const SSH_EVERYWHERE: SocketAddr = SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 22);

#[cfg(test)]
mod tests;
