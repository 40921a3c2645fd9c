use std::net::IpAddr;

use lanai_model::services::{Allow, Common, Firewall, Protocol as Word, Sshd, VrrpInstance, Wui};

use super::*;
use crate::nft::{Chain, Packet};
use crate::testing::{network, origin, services};

const UI: SocketAddr = SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 4444);

fn common() -> Common {
    Common {
        autostart: true,
        origin: origin(1),
    }
}

/// Two zones, one of them with a virtual router, and the firewall on.
fn box_() -> Services {
    let mut services = services([
        network("eth0")
            .address("192.0.2.1/24")
            .address("2001:db8::1/64"),
        network("eth1").address("10.1.0.1/24"),
    ]);
    services.firewall = Some(Firewall {
        common: common(),
        allow: Vec::new(),
    });
    services
}

fn allowed(net: &str) -> AllowedNetwork {
    AllowedNetwork {
        net: net.parse().unwrap(),
        origin: origin(9),
    }
}

fn config(binds: &[(&str, Option<&str>, bool)]) -> layer7::Config {
    let binds = binds.iter().map(|(address, interface, transparent)| Bind {
        address: ListenAddress::Inet(address.parse().unwrap()),
        name: None,
        interface: interface.map(Into::into),
        transparent: *transparent,
        freebind: false,
        backlog: None,
        maxconn: None,
        ssl: None,
        origin: origin(7),
    });
    crate::testing::frontend(binds.collect())
}

fn guard(services: &Services, config: &layer7::Config) -> Chain {
    chain(services, config, Some(UI)).unwrap().chain()
}

/// A first packet by TCP, to an address that the interface has or has not.
fn packet(by: &str, from: &str, to: &str, own: bool) -> Packet {
    let to: SocketAddr = to.parse().unwrap();
    Packet {
        interface: by.into(),
        from: from.parse().unwrap(),
        to: to.ip(),
        own,
        protocol: Protocol::TCP,
        port: to.port(),
    }
}

#[test]
fn without_the_service_there_is_no_chain() {
    let mut off = box_();
    off.firewall.as_mut().unwrap().common.autostart = false;
    for services in [Services::default(), off] {
        assert_eq!(chain(&services, &layer7::Config::default(), Some(UI)), None);
    }
}

#[test]
fn a_bind_is_reached_in_its_own_zone_and_in_those_it_names() {
    let config = config(&[
        ("192.0.2.1:80", None, false),
        ("[2001:db8::1]:80", None, false),
        ("192.0.2.1:443", Some("eth1"), false),
        ("0.0.0.0:8080", None, false),
        ("198.51.100.7:81", None, true),
    ]);
    let guard = guard(&box_(), &config);
    for (by, from, to, own, reached) in [
        ("eth0", "203.0.113.5", "192.0.2.1:80", true, true),
        ("eth0", "2001:db8:5::5", "[2001:db8::1]:80", true, true),
        // The same address by the other zone.
        ("eth1", "10.1.0.5", "192.0.2.1:80", false, false),
        ("eth1", "2001:db8:5::5", "[2001:db8::1]:80", false, false),
        // The bind says that it is for that zone, and for no other.
        ("eth1", "10.1.0.5", "192.0.2.1:443", false, true),
        ("eth0", "203.0.113.5", "192.0.2.1:443", true, false),
        // Every address, of each zone its own.
        ("eth0", "203.0.113.5", "192.0.2.1:8080", true, true),
        ("eth1", "10.1.0.5", "10.1.0.1:8080", true, true),
        ("eth1", "10.1.0.5", "192.0.2.1:8080", false, false),
        ("eth0", "2001:db8:5::5", "[2001:db8::1]:8080", true, false),
        // An address of nobody's, that a transparent bind takes.
        ("eth1", "10.1.0.5", "198.51.100.7:81", false, true),
        ("eth0", "203.0.113.5", "192.0.2.1:22", true, false),
        ("eth0", "203.0.113.5", "192.0.2.1:4444", true, true),
        ("lo", "127.0.0.1", "127.0.0.1:9", true, true),
    ] {
        let seen = guard.lets_in(&packet(by, from, to, own));
        assert_eq!(seen, reached, "{by} {from} {to}");
    }
}

#[test]
fn the_ui_and_sshd_are_for_their_networks() {
    let mut services = box_();
    services.wui = Some(Wui {
        common: common(),
        listen: Some(("10.1.0.1:443".parse().unwrap(), origin(8))),
        allow: vec![allowed("10.1.0.0/24"), allowed("2001:db8::/32")],
    });
    services.sshd = Some(Sshd {
        common: common(),
        listen: Vec::new(),
        allow: vec![allowed("10.1.0.0/25"), allowed("2001:db8:1::/48")],
        keys: Vec::new(),
    });
    let guard = chain(&services, &layer7::Config::default(), None);
    let guard = guard.unwrap().chain();
    for (by, from, to, own, reached) in [
        ("eth1", "10.1.0.5", "10.1.0.1:443", true, true),
        ("eth1", "10.9.0.5", "10.1.0.1:443", true, false),
        ("eth1", "10.1.0.5", "10.1.0.1:4444", true, false),
        ("eth1", "10.1.0.5", "10.1.0.1:22", true, true),
        ("eth1", "10.1.0.205", "10.1.0.1:22", true, false),
        ("eth0", "2001:db8:1::5", "[2001:db8::1]:22", true, true),
        ("eth0", "2001:db8:2::5", "[2001:db8::1]:22", true, false),
        ("eth1", "10.1.0.5", "192.0.2.1:22", false, false),
    ] {
        let seen = guard.lets_in(&packet(by, from, to, own));
        assert_eq!(seen, reached, "{by} {from} {to}");
    }
}

#[test]
fn sshd_is_for_its_networks_without_the_firewall_too() {
    let mut services = box_();
    services.firewall = None;
    services.sshd = Some(Sshd {
        common: common(),
        listen: Vec::new(),
        allow: Vec::new(),
        keys: Vec::new(),
    });
    let input = |services: &Services| chain(services, &layer7::Config::default(), Some(UI));
    assert_eq!(input(&services), None);
    let sshd = services.sshd.as_mut().unwrap();
    sshd.allow = vec![allowed("10.1.0.0/24"), allowed("2001:db8:1::/48")];
    let guard = input(&services).unwrap().chain();
    for (by, from, to, own, reached) in [
        ("eth1", "10.1.0.5", "10.1.0.1:22", true, true),
        ("eth1", "10.9.0.5", "10.1.0.1:22", true, false),
        ("eth0", "2001:db8:1::5", "[2001:db8::1]:22", true, true),
        ("eth0", "2001:db8:2::5", "[2001:db8::1]:22", true, false),
        // Which address of the box it is makes no difference, and nothing else is kept out.
        ("eth1", "10.9.0.5", "192.0.2.1:22", false, false),
        ("eth1", "10.9.0.5", "192.0.2.1:23", false, true),
        ("eth0", "2001:db8:2::5", "[2001:db8::1]:4444", true, true),
        ("lo", "127.0.0.1", "127.0.0.1:22", true, true),
    ] {
        let seen = guard.lets_in(&packet(by, from, to, own));
        assert_eq!(seen, reached, "{by} {from} {to}");
    }
    // At its own address and port, another sshd is none of its business.
    let sshd = services.sshd.as_mut().unwrap();
    sshd.listen = vec![("10.1.0.1:2222".parse().unwrap(), origin(4))];
    let guard = input(&services).unwrap().chain();
    for (to, reached) in [
        ("10.1.0.1:2222", false),
        ("10.1.0.1:22", true),
        ("192.0.2.1:2222", true),
    ] {
        assert_eq!(
            guard.lets_in(&packet("eth1", "10.9.0.5", to, true)),
            reached,
            "{to}"
        );
    }
    services.sshd.as_mut().unwrap().common.autostart = false;
    assert_eq!(input(&services), None);
}

#[test]
fn what_is_allowed_by_hand() {
    let mut services = box_();
    services.firewall.as_mut().unwrap().allow = vec![
        Allow {
            protocol: Word::Tcp,
            ports: Some(9100..=9110),
            from: Some("10.1.0.0/24".parse().unwrap()),
            interface: Some("eth1".into()),
            origin: origin(5),
        },
        Allow {
            protocol: Word::Icmp,
            ports: None,
            from: Some("10.1.0.0/24".parse().unwrap()),
            interface: None,
            origin: origin(6),
        },
    ];
    services.networks[0].vrrp.push(VrrpInstance {
        id: std::num::NonZeroU8::MIN,
        priority: 100,
        interval: std::time::Duration::from_secs(1),
        preempt: true,
        garp: None,
        addresses: Vec::new(),
        origin: origin(4),
    });
    let chain = chain(&services, &layer7::Config::default(), None).unwrap();
    let lines: Vec<String> = chain.rules.iter().map(|it| it.rule.to_string()).collect();
    for line in [
        "ct state established,related accept comment \"answers, and errors about them\"",
        "fib daddr . iif type unicast counter drop comment \"an address that this interface does \
         not have\"",
        "iifname \"eth0\" meta l4proto vrrp accept comment \"virtual routers\"",
        "iifname \"eth1\" meta nfproto ipv4 ip saddr 10.1.0.0/24 meta l4proto tcp tcp dport \
         9100-9110 accept comment \"allow\"",
        "meta nfproto ipv4 ip saddr 10.1.0.0/24 meta l4proto icmp accept comment \"allow\"",
    ] {
        assert!(
            lines.iter().any(|other| other == line),
            "{line}\nis not in\n{lines:#?}"
        );
    }
    // Of a word for two families only the one of the network.
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("ipv6-icmp accept comment \"allow\""))
    );
    assert!(lines.iter().all(|line| !line.contains("web UI")));
    assert!(chain.rules.iter().any(|it| it.origin.line == 4));
}
