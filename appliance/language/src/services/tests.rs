use lanai_diagnostics::Severity;
use lanai_model::services::{BondMode, LinkKind, Services, Via};
use proptest::prelude::*;

use super::*;

fn read_text(text: &[u8]) -> Outcome<Services> {
    let mut sources = SourceMap::new();
    let id = sources.add("services.cfg", text);
    read(&sources, &[id])
}

#[test]
fn blocks_arrive() {
    let outcome = read_text(
        b"# the box\nservice network eth0 # first\n  ip address 10.0.0.2/255.255.255.0\n  \
          ip address 2001:db8::2/64\n  ip route default 10.0.0.1\n  \
          ip route 172.16.0.0/12 10.0.0.254 metric 7\n  ip route default fe80::1 metric 5\n\
          service network eth1\n",
    );
    assert_eq!(outcome.diagnostics, []);
    let services = outcome.value.expect("services");
    assert_eq!(services.networks.len(), 2);
    let eth0 = &services.networks[0];
    assert_eq!(&*eth0.interface, "eth0");
    assert_eq!(eth0.origin.to_string(), "services.cfg:2");
    let addresses: Vec<_> = eth0.addresses.iter().map(|a| a.net.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.2/24", "2001:db8::2/64"]);
    let routes: Vec<_> = eth0
        .routes
        .iter()
        .map(|r| {
            format!(
                "{} via {} {:?} line {}",
                r.destination,
                r.via.gateway().expect("a gateway"),
                r.metric,
                r.origin.line
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            "0.0.0.0/0 via 10.0.0.1 None line 5",
            "172.16.0.0/12 via 10.0.0.254 Some(7) line 6",
            "::/0 via fe80::1 Some(5) line 7",
        ]
    );
    assert!(services.networks[1].addresses.is_empty());
}

#[test]
fn an_absent_metric_conflicts_with_the_kernels_default() {
    for (one, other, conflict) in [
        ("default 10.0.0.1", "default 10.0.0.3 metric 0", true),
        ("default 10.0.0.1", "default 10.0.0.3 metric 1", false),
        ("default 10.0.0.1", "default fe80::1", false),
        ("default fe80::1", "default fe80::2 metric 1024", true),
        ("default fe80::1 metric 0", "default fe80::2", true),
        ("default fe80::1 metric 1", "default fe80::2", false),
        ("10.1.0.0/16 10.0.0.1", "10.1.0.0/16 10.0.0.3", true),
        ("10.1.0.0/16 10.0.0.1", "10.1.0.0/17 10.0.0.3", false),
        ("0.0.0.0/0 10.0.0.1", "default 10.0.0.3", true),
    ] {
        let text = format!(
            "service network a\n ip address 10.0.0.2/24\n ip route {one}\nservice network b\n \
             ip address 10.0.0.4/24\n ip route {other}\n"
        );
        let outcome = read_text(text.as_bytes());
        assert_eq!(outcome.value.is_none(), conflict, "{one}, {other}");
        if conflict {
            let found = &outcome.diagnostics[0];
            assert_eq!((found.code, found.labels.len()), (codes::ROUTE_CONFLICT, 1));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let outcome = read_text(&bytes);
        let refused = outcome.diagnostics.iter().any(|d| d.severity == Severity::Alert);
        prop_assert_eq!(outcome.value.is_none(), refused);
    }

    #[test]
    fn any_words_are_read(text in "((service|network|system|vrrp|flows|sysctl|firewall|sshd|flow|match|permit|allow|tcp|port|net.ipv4.tcp_sack|=|type|bonding|slave|id|rule|from|table|eth0|eth0.5|ip|address|route|default|metric|auto|on|10\\.0\\.0\\.[0-9]|/24|fe80::1|[0-9]{1,3}|#|\"|\\$)( |\n|/)){0,60}") {
        let outcome = read_text(text.as_bytes());
        let refused = outcome.diagnostics.iter().any(|d| d.severity == Severity::Alert);
        prop_assert_eq!(outcome.value.is_none(), refused);
    }
}

#[test]
fn every_line_arrives_in_the_model() {
    let text = include_bytes!("../../../../tests/config/services-ok/everything.cfg");
    let services = read_text(text).value.expect("services");
    the_box(services.clone());
    the_networks(&services);
}

fn the_box(services: Services) {
    let system = services.system.expect("system");
    assert_eq!(&*system.hostname.expect("a name").name, "lb1.example.net");
    assert_eq!(system.dns_servers.len(), 2);
    assert!(services.ntpd.expect("ntpd").servers[1].prefer);
    let remote = &services.syslogd.expect("syslogd").remotes[1];
    let facilities: Vec<_> = remote.facilities.iter().map(|f| f.number()).collect();
    let port = remote.port.get();
    assert_eq!(
        (&*remote.host, port, remote.level),
        ("logs.example.net", 1514, 4)
    );
    assert_eq!(facilities, [4, 3, 16]);
    let sshd = services.sshd.expect("sshd");
    assert_eq!(sshd.listen[1].0.to_string(), "[2001:db8::2]:22");
    assert_eq!(&*sshd.keys[0].comment, "ops on call");
    let snmpd = services.snmpd.expect("snmpd");
    assert_eq!((snmpd.common.autostart, snmpd.port.get()), (false, 1161));
    assert_eq!(
        snmpd.network.expect("a network").net.to_string(),
        "10.0.0.0/24"
    );
    assert_eq!(services.wui.expect("wui").allow.len(), 2);
    let vrrp = services.vrrp.expect("vrrp");
    assert_eq!((vrrp.groups[0].len(), vrrp.track_mgt.len()), (2, 2));
    let allow = &services.firewall.expect("firewall").allow;
    assert_eq!(allow[1].ports, Some(9100..=9100));
    assert_eq!(allow[3].protocol.to_string(), "50");
    let flows = services.flows.expect("flows").flows;
    assert_eq!(flows[1].matches[0].destination_ports, Some(80..=443));
    assert_eq!(flows[1].matches[1].icmp_type, Some(8));
    let settings = services.sysctls.expect("sysctls").settings;
    assert_eq!(&*settings[1].value, "1025 65000");
    assert_eq!(settings[4].key.path(), "net/ipv4/conf/eth0.100/arp_ignore");
}

fn the_networks(services: &Services) {
    let find = |name: &str| services.networks.iter().find(|n| &*n.interface == name);
    let eth0 = find("eth0").expect("eth0");
    assert_eq!(eth0.link.autonegotiation, Some(false));
    assert_eq!((eth0.link.speed, eth0.link.mtu), (Some(1000), Some(9000)));
    let routes: Vec<_> = eth0.routes.iter().map(|r| (r.via, r.table)).collect();
    assert_eq!(
        routes,
        [
            (Via::Gateway("10.0.0.1".parse().expect("an address")), 254),
            (Via::Blackhole, 254),
            (Via::Link, 254),
            (Via::Gateway("10.0.0.254".parse().expect("an address")), 10),
        ]
    );
    let rule = &eth0.rules[1];
    assert_eq!(rule.fwmark.expect("a mark").to_string(), "0x10/0xf0");
    assert_eq!((rule.priority, rule.table), (Some(7800), 254));
    assert!(rule.is_for(false) && !rule.is_for(true));
    let router = &eth0.vrrp[0];
    assert_eq!(router.interval.as_millis(), 250);
    assert_eq!(
        (router.id.get(), router.priority, router.preempt),
        (51, 150, false)
    );
    let vlan = &find("eth0.100").expect("a VLAN").link.kind;
    assert_eq!(
        *vlan,
        LinkKind::Vlan {
            parent: "eth0".into(),
            id: 100
        }
    );
    let LinkKind::Bond(bond) = &find("bond0").expect("a bond").link.kind else {
        panic!("not a bond");
    };
    assert_eq!((bond.mode, bond.members.len()), (BondMode::Lacp, 2));
    assert_eq!(bond.updelay.map(|delay| delay.as_millis()), Some(200));
    let LinkKind::Bridge(bridge) = &find("br0").expect("a bridge").link.kind else {
        panic!("not a bridge");
    };
    assert!(bridge.stp && bridge.ports.len() == 2);
    assert!(find("bond1").expect("a bond").autoconfig.is_some());
    let active: Vec<_> = services.active_networks().map(|n| &*n.interface).collect();
    assert!(!active.contains(&"eth9") && active.contains(&"dummy0"));
}

/// The largest network that issue 6 asks for is read at once, mistakes in every line included.
#[test]
fn ten_thousand_addresses_and_routes_are_read_in_linear_time() {
    let mut text = String::from("service network eth0\n");
    for at in 0..10_000 {
        let (high, low) = (at / 250, at % 250 + 1);
        text += &format!(" ip address 10.{high}.{low}.2/24\n");
        text += &format!(" ip route 172.{}.{low}.0/24 10.{high}.{low}.1\n", high + 16);
    }
    let outcome = read_text(text.as_bytes());
    assert_eq!(outcome.diagnostics, []);
    let network = &outcome.value.expect("services").networks[0];
    assert_eq!(
        (network.addresses.len(), network.routes.len()),
        (10_000, 10_000)
    );
    let broken = text.replace(".1\n", ".9 tabel 1\n");
    assert!(read_text(broken.as_bytes()).value.is_none());
}
