//! Packet filter, policy rules and transparent mode against a real kernel, with `ip`, `nft` and
//! `sysctl` as witnesses.

#![allow(
    clippy::indexing_slicing,
    reason = "what is not there must end the test"
)]

mod support;

use ipnet::IpNet;
use lanai_model::Origin;
use lanai_model::layer7::{Config, Server, ServerAddress, Source, SourcePorts};
use lanai_model::services::{
    Bridge, Common, Flow, FlowMatch, FlowPolicy, Flows, LinkKind, Mark, Member, Protocol, Route,
    Rule, Services, Via,
};
use lanai_network::{Desired, Step, Sysctl, Tuning};
use serde_json::json;
use support::{Block, Namespace, apply, frontend, ledger, plan, services, steps};

const ETH0: &[Block<'_>] = &[(
    "eth0",
    &["10.10.0.2/24", "fd00:10::2/64"],
    &[
        ("0.0.0.0/0", "10.10.0.1", None),
        ("::/0", "fd00:10::1", None),
    ],
)];

fn origin(line: u32) -> Origin {
    Origin {
        file: "services.cfg".into(),
        line,
    }
}

/// A namespace with interfaces, and with what others have there: a table with a chain like ours, a
/// rule in our range, a route in transparent mode's table, settings of somebody's choice.
fn namespace() -> Namespace {
    let namespace = Namespace::with_links(2);
    for name in ["eth0", "eth1"] {
        namespace.ip(&format!("link set {name} up"));
    }
    namespace.nft("add table inet other");
    namespace.nft("add chain inet other forward { type filter hook forward priority 5 ; }");
    namespace.nft("add rule inet other forward tcp dport 9 drop");
    namespace.nft("add table ip lanai");
    for family in ["-4", "-6"] {
        namespace.ip(&format!(
            "{family} rule add fwmark 0x2 lookup 100 priority 7600"
        ));
        namespace.ip(&format!(
            "{family} rule add fwmark 0x1/0x1 lookup 77 priority 7600"
        ));
    }
    namespace.ip("route add blackhole 203.0.113.0/24 table 100");
    namespace.exec(
        "sysctl",
        "-w net.ipv4.ip_forward=1 net.ipv4.conf.eth1.rp_filter=1",
    );
    namespace.exec("sysctl", "-w net.ipv4.ip_local_reserved_ports=7000-7002");
    namespace
}

fn transparent() -> Desired {
    let config = frontend(&[("198.51.100.7:80", true), ("[2001:db8::7]:80", true)]);
    lanai_network::desired(&services(ETH0), &config)
}

#[test]
fn transparent_mode_is_the_articles_state_and_leaves_no_trace() {
    let namespace = namespace();
    let before = namespace.dump();
    let plan = namespace.enter(|| async { apply(&transparent()).await });
    let text = plan.to_string();
    for line in [
        "add nftables table inet lanai: it is not there\n  add chain forward \
         (type filter hook forward priority 0, policy drop) (haproxy.cfg:7)\n  add chain divert \
         (type filter hook prerouting priority -150, policy accept) (haproxy.cfg:7)\n  add rule \
         divert: meta l4proto tcp socket wildcard 1 accept comment \"sockets on every address take \
         what is sent to this box only\" (haproxy.cfg:7)\n  add rule divert: meta l4proto tcp socket \
         transparent 1 meta mark set meta mark | 0x1 accept comment \"packets of transparent \
         sockets\" (haproxy.cfg:7)\n",
        "add route local default dev lo table 100: it is not there (haproxy.cfg:7)\n",
        "add rule 7600: from all fwmark 0x1/0x1 lookup 100: packets of transparent sockets are the \
         box's own (haproxy.cfg:7)\n",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    the_articles_table(&namespace);
    the_articles_routes_and_settings(&namespace);
    // Only the families that are asked for.
    let four = frontend(&[("198.51.100.7:8080", true), ("[2001:db8::7]:80", false)]);
    let four = lanai_network::desired(&services(ETH0), &four);
    namespace.enter(|| async { apply(&four).await });
    assert!(
        namespace
            .ip("-6 rule")
            .lines()
            .all(|line| !line.contains("proto 76"))
    );
    assert_eq!(namespace.ip("-6 route show table 100"), "");
    assert_eq!(namespace.sysctl("net.ipv6.conf.all.forwarding"), "0");
    assert_eq!(namespace.sysctl("net.ipv6.ip_nonlocal_bind"), "0");
    let reserved = namespace.sysctl("net.ipv4.ip_local_reserved_ports");
    assert_eq!(reserved, "7000-7002,8080");
    // Without it, and with nothing at all.
    let without = lanai_network::desired(&services(ETH0), &Config::default());
    namespace.enter(|| async { apply(&without).await });
    assert_eq!(namespace.sysctl("net.ipv4.ip_forward"), "0");
    assert!(!namespace.exec("nft", "list tables").contains("inet lanai"));
    namespace.enter(|| async { apply(&Desired::default()).await });
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

fn the_articles_table(namespace: &Namespace) {
    assert_eq!(
        namespace.nft_json("list table inet lanai"),
        [
            json!({"table": {"family": "inet", "name": "lanai"}}),
            json!({"chain": {"family": "inet", "table": "lanai", "name": "forward", "type": "filter",
                "hook": "forward", "prio": 0, "policy": "drop"}}),
            json!({"chain": {"family": "inet", "table": "lanai", "name": "divert", "type": "filter",
                "hook": "prerouting", "prio": -150, "policy": "accept"}}),
            json!({"rule": {"family": "inet", "table": "lanai", "chain": "divert",
            "comment": "sockets on every address take what is sent to this box only",
            "expr": [
                {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}},
                {"match": {"op": "==", "left": {"socket": {"key": "wildcard"}}, "right": 1}},
                {"accept": null},
            ]}}),
            json!({"rule": {"family": "inet", "table": "lanai", "chain": "divert",
            "comment": "packets of transparent sockets",
            "expr": [
                {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}},
                {"match": {"op": "==", "left": {"socket": {"key": "transparent"}}, "right": 1}},
                {"mangle": {"key": {"meta": {"key": "mark"}},
                    "value": {"|": [{"meta": {"key": "mark"}}, 1]}}},
                {"accept": null},
            ]}}),
        ]
    );
}

fn the_articles_routes_and_settings(namespace: &Namespace) {
    for (family, everything) in [("-4", "0.0.0.0/0"), ("-6", "::/0")] {
        let rules = namespace.ip_json(&format!("{family} rule"));
        let ours = json!({"priority": 7600, "src": "all", "fwmark": "0x1", "fwmask": "0x1",
            "table": "100", "protocol": "76"});
        assert!(
            rules.as_array().is_some_and(|all| all.contains(&ours)),
            "{rules}"
        );
        let routes = namespace.ip_json(&format!("{family} route show table 100 proto 76"));
        assert_eq!(routes.as_array().map(Vec::len), Some(1), "{everything}");
        let route = &routes[0];
        assert_eq!(
            (&route["type"], &route["dst"], &route["dev"]),
            (&json!("local"), &json!("default"), &json!("lo"))
        );
    }
    // The kernel itself takes a packet with the mark for one of its own.
    let get = namespace.ip("route get 203.0.114.9 mark 1");
    assert!(
        get.starts_with("local 203.0.114.9 dev lo table 100"),
        "{get}"
    );
    let get = namespace.ip("-6 route get 2001:db8:9::9 mark 3");
    assert!(
        get.starts_with("local 2001:db8:9::9 ") && get.contains("dev lo table 100"),
        "{get}"
    );
    for (setting, value) in [
        ("net.ipv4.ip_forward", "1"),
        ("net.ipv6.conf.all.forwarding", "1"),
        ("net.ipv4.ip_nonlocal_bind", "1"),
        ("net.ipv6.ip_nonlocal_bind", "1"),
        ("net.ipv4.ip_local_port_range", "1025\t65000"),
        ("net.ipv4.ip_local_reserved_ports", "7000-7002"),
        ("net.ipv4.tcp_tw_reuse", "1"),
        ("net.ipv4.tcp_max_tw_buckets", "524288"),
        ("net.ipv4.tcp_max_syn_backlog", "65535"),
        ("net.core.somaxconn", "65535"),
    ] {
        assert_eq!(namespace.sysctl(setting), value, "{setting}");
    }
}

fn flow_line(line: u32) -> FlowMatch {
    FlowMatch {
        interface: None,
        protocol: None,
        source: None,
        destination: None,
        source_ports: None,
        destination_ports: None,
        icmp_type: None,
        origin: origin(line),
    }
}

fn flow(name: &str, policy: FlowPolicy, matches: Vec<FlowMatch>) -> Flow {
    Flow {
        name: name.into(),
        policy,
        matches,
        origin: origin(20),
    }
}

/// Every condition that a flow can have.
fn with_flows() -> Services {
    let net = |text: &str| Some(text.parse::<IpNet>().expect("a network"));
    let mut services = services(ETH0);
    let flows = vec![
        flow(
            "no-telnet",
            FlowPolicy::Deny,
            vec![FlowMatch {
                protocol: Some(Protocol::Tcp),
                destination_ports: Some(23..=23),
                ..flow_line(21)
            }],
        ),
        flow(
            "lan",
            FlowPolicy::Permit,
            vec![
                FlowMatch {
                    interface: Some("eth0.100".into()),
                    source: net("10.0.0.0/9"),
                    destination: net("192.0.2.1/32"),
                    protocol: Some(Protocol::Udp),
                    source_ports: Some(53..=53),
                    destination_ports: Some(1000..=2000),
                    ..flow_line(23)
                },
                FlowMatch {
                    protocol: Some(Protocol::Icmp),
                    icmp_type: Some(8),
                    ..flow_line(24)
                },
                FlowMatch {
                    source: net("2001:db8::/33"),
                    protocol: Some(Protocol::Icmp),
                    ..flow_line(25)
                },
                FlowMatch {
                    protocol: Some(Protocol::Number(47)),
                    source: net("0.0.0.0/0"),
                    ..flow_line(26)
                },
            ],
        ),
    ];
    services.flows = Some(Flows {
        common: Common {
            autostart: true,
            origin: origin(19),
        },
        flows,
    });
    services
}

/// The lines of a chain as `nft` writes them.
fn chain(namespace: &Namespace, name: &str) -> Vec<String> {
    let text = namespace.exec("nft", &format!("list chain inet lanai {name}"));
    let lines = text.lines().map(|line| line.trim().to_owned());
    lines.filter(|line| line.len() > 1).skip(2).collect()
}

#[test]
fn flows_are_what_nft_reads_and_drift_inside_of_the_table_is_seen() {
    let namespace = namespace();
    let wanted = lanai_network::desired(&with_flows(), &Config::default());
    namespace.enter(|| async { apply(&wanted).await });
    let good = [
        "type filter hook forward priority filter; policy drop;",
        r#"ct state established,related accept comment "answers to what a flow permits""#,
        r#"meta l4proto tcp th dport 23 counter packets 0 bytes 0 drop comment "flow no-telnet""#,
        r#"iifname "eth0.100" ip saddr 10.0.0.0/9 ip daddr 192.0.2.1 udp sport 53 udp dport 1000-2000 accept comment "flow lan""#,
        r#"icmp type echo-request accept comment "flow lan""#,
        r#"icmpv6 type mld-listener accept comment "flow lan""#,
        r#"ip6 saddr 2001:db8::/33 meta l4proto ipv6-icmp accept comment "flow lan""#,
        r#"meta nfproto ipv4 meta l4proto gre accept comment "flow lan""#,
    ];
    let listed = chain(&namespace, "forward");
    assert_eq!(listed.len(), good.len(), "{listed:#?}");
    for (listed, good) in listed.iter().zip(good) {
        // Versions of nft differ in how they write what comes to the same.
        let same = |line: &str| {
            let line = line.replace("meta l4proto tcp th dport", "tcp dport");
            let line = line.replace("icmpv6 type mld-listener", "icmpv6 type 8");
            line.replace("\"udp\" ", "")
        };
        assert_eq!(same(listed), same(good));
    }
    assert_eq!(namespace.sysctl("net.ipv4.ip_forward"), "1");
    assert_eq!(namespace.sysctl("net.ipv6.conf.all.forwarding"), "1");
    let others = namespace.exec("nft", "list table inet other");
    for drift in [
        "flush table inet lanai",
        "delete table inet lanai",
        "add rule inet lanai forward accept",
        "insert rule inet lanai forward ct mark 7 limit rate 3/second log prefix \"x\" accept",
        "add chain inet lanai more",
        "chain inet lanai forward { policy accept ; }",
    ] {
        namespace.nft(drift);
        let plan = namespace.enter(|| async { plan(&wanted).await });
        assert!(!plan.is_empty(), "{drift} is not seen");
        namespace.enter(|| async { apply(&wanted).await });
        assert_eq!(chain(&namespace, "forward"), listed, "{drift}");
        let again = namespace.exec("nft", "list tables");
        assert!(!again.contains("more"), "{again}");
    }
    assert_eq!(namespace.exec("nft", "list table inet other"), others);
}

#[test]
fn what_somebody_put_into_our_table_comes_back_when_a_change_is_undone() {
    let namespace = namespace();
    let wanted = lanai_network::desired(&with_flows(), &Config::default());
    namespace.enter(|| async { apply(&wanted).await });
    namespace.nft("insert rule inet lanai forward ct mark 7 limit rate 3/second accept");
    let before = namespace.dump();
    let plan = namespace.enter(|| async { plan(&wanted).await });
    let mut steps = steps(&plan);
    steps.push(Step::SetLink {
        interface: "eth9".into(),
        up: true,
    });
    let failed = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
    failed.unwrap_err();
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

/// Every kind of route and rule that a text can have.
fn with_rules() -> Services {
    let mut text = services(ETH0);
    let route = |destination: &str, via, table| Route {
        destination: destination.parse().expect("a literal"),
        via,
        metric: None,
        table,
        origin: origin(5),
    };
    let rule = |from: Option<&str>, to: Option<&str>, priority| Rule {
        from: from.map(|net| net.parse().expect("a literal")),
        to: to.map(|net| net.parse().expect("a literal")),
        iif: None,
        fwmark: None,
        table: 1010,
        priority,
        origin: origin(6),
    };
    text.networks[0].routes.extend([
        route(
            "0.0.0.0/0",
            Via::Gateway("10.10.0.9".parse().expect("a literal")),
            1010,
        ),
        route(
            "::/0",
            Via::Gateway("fd00:10::9".parse().expect("a literal")),
            1010,
        ),
        route("198.18.0.0/15", Via::Blackhole, 254),
        route("2001:db8:bad::/48", Via::Blackhole, 1010),
        route("192.0.2.0/24", Via::Link, 7),
    ]);
    text.networks[0].rules.extend([
        rule(Some("10.20.10.0/24"), None, None),
        rule(None, Some("2001:db8:5::/48"), Some(7700)),
        Rule {
            iif: Some("eth1".into()),
            fwmark: Some(Mark {
                value: 0x10,
                mask: 0xf0,
            }),
            ..rule(None, None, None)
        },
    ]);
    text
}

#[test]
fn rules_and_tables_of_the_text_lead_packets_and_go_again() {
    let namespace = namespace();
    let before = namespace.dump();
    let text = with_rules();
    let wanted = lanai_network::desired(&text, &Config::default());
    namespace.enter(|| async { apply(&wanted).await });
    let four = namespace.ip("rule");
    let six = namespace.ip("-6 rule");
    let has = |text: &str, line: &str| {
        let mut lines = text.lines().map(|line| line.replace('\t', " "));
        assert!(
            lines.any(|other| other.trim() == line),
            "{line}\nis not in\n{text}"
        );
    };
    has(&four, "8600: from 10.20.10.0/24 lookup 1010 proto 76");
    has(
        &four,
        "8601: from all fwmark 0x10/0xf0 iif eth1 lookup 1010 proto 76",
    );
    has(
        &six,
        "7700: from all to 2001:db8:5::/48 lookup 1010 proto 76",
    );
    has(
        &six,
        "8601: from all fwmark 0x10/0xf0 iif eth1 lookup 1010 proto 76",
    );
    let get = namespace.ip("-6 route get 2001:db8:5::5");
    assert!(get.contains("via fd00:10::9"), "{get}");
    has(
        &namespace.ip("route show type blackhole"),
        "blackhole 198.18.0.0/15 proto 76",
    );
    let blackhole = namespace.ip("-6 route show table 1010 type blackhole");
    assert!(
        blackhole.starts_with("blackhole 2001:db8:bad::/48"),
        "{blackhole}"
    );
    has(
        &namespace.ip("route show table 7"),
        "192.0.2.0/24 dev eth0 proto 76 scope link",
    );
    namespace.enter(|| async { apply(&Desired::default()).await });
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

#[test]
fn rules_that_others_set_just_now_are_understood() {
    let namespace = namespace();
    namespace.enter(|| async {
        let planned = steps(&plan(&transparent()).await);
        lanai_kernel::execute(&ledger(), &planned).await.unwrap();
        // All is there; then all is gone.
        lanai_kernel::execute(&ledger(), &planned).await.unwrap();
        let undo: Vec<Step> = planned.iter().rev().map(Step::undo).collect();
        lanai_kernel::execute(&ledger(), &undo).await.unwrap();
        lanai_kernel::execute(&ledger(), &undo).await.unwrap();
    });
}

/// A bridge's routes of both families, and its address of IPv6.
fn both_families(namespace: &Namespace) {
    let route = namespace.ip("route show default");
    assert!(route.contains("via 10.30.0.1 dev br0 proto 76"), "{route}");
    let route = namespace.ip("-6 route show default");
    assert!(route.contains("via fd00:30::1 dev br0 proto 76"), "{route}");
    let address = namespace.ip("-6 -o address show dev br0 scope global");
    assert!(address.contains("fd00:30::2/64"), "{address}");
}

/// The one kind of interface that this kernel is sure to have; `tests/image` has all of them.
#[test]
fn a_bridge_is_made_filled_and_gone_again() {
    let namespace = namespace();
    namespace.ip("link add theirs type bridge");
    let before = namespace.dump();
    let bridge = |stp| {
        let mut text = services(&[(
            "br0",
            &["10.30.0.2/24", "fd00:30::2/64"],
            &[
                ("0.0.0.0/0", "10.30.0.1", None),
                ("::/0", "fd00:30::1", None),
            ],
        )]);
        text.networks[0].link.mtu = Some(1400);
        text.networks[0].link.kind = LinkKind::Bridge(Bridge {
            stp,
            ports: vec![Member {
                interface: "eth1".into(),
                origin: origin(3),
            }],
        });
        lanai_network::desired(&text, &Config::default())
    };
    namespace.enter(|| async { apply(&bridge(false)).await });
    let link = |name: &str| namespace.ip_json(&format!("-d link show dev {name}"));
    let seen = link("br0");
    assert_eq!(
        (&seen[0]["mtu"], &seen[0]["group"]),
        (&json!(1400), &json!("76"))
    );
    let data = &seen[0]["linkinfo"]["info_data"];
    assert_eq!(data["stp_state"], 0, "{seen}");
    assert_eq!(link("eth1")[0]["master"], "br0");
    both_families(&namespace);
    assert_eq!(
        namespace.sysctl("net.ipv4.conf.br0.promote_secondaries"),
        "1"
    );
    // What it is made of changes: a new one in its place, with all that was on it.
    namespace.enter(|| async { apply(&bridge(true)).await });
    assert_eq!(link("br0")[0]["linkinfo"]["info_data"]["stp_state"], 1);
    assert_eq!(link("eth1")[0]["master"], "br0");
    both_families(&namespace);
    // A failure after each step of taking it away again.
    let all = namespace.dump();
    let planned = namespace.enter(|| async { plan(&Desired::default()).await });
    let good = steps(&planned);
    for place in 0..=good.len() {
        let mut steps = good.clone();
        steps.insert(
            place,
            Step::SetLink {
                interface: "eth9".into(),
                up: true,
            },
        );
        let failed = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
        let failed = failed.expect_err("it cannot work");
        assert_eq!(failed.not_undone, [], "{failed}");
        // A bridge made anew has another number and hardware address.
        let name = |line: &String| !line.contains("br0 ") && !line.contains("eth1");
        let changes = namespace.changes_since_but(&all, name);
        assert_eq!(changes, [""; 0], "after a failure at {place} of\n{planned}");
        assert_eq!(link("eth1")[0]["master"], "br0");
    }
    namespace.enter(|| async { apply(&Desired::default()).await });
    assert!(!namespace.ip("-br link").contains("br0"));
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

/// `ethtool` is the witness of what the kernel tells; a veth pair has one mode.
#[test]
fn the_mode_of_a_link_is_seen_and_one_that_it_does_not_have_is_a_note() {
    let namespace = namespace();
    let seen = namespace.exec("ethtool", "eth0");
    for line in ["Speed: 10000Mb/s", "Duplex: Full", "Auto-negotiation: off"] {
        assert!(seen.contains(line), "{line} is not in\n{seen}");
    }
    let mode = namespace.enter(|| async {
        let observed = lanai_kernel::observe(&ledger()).await.unwrap();
        observed.link("eth0").unwrap().mode
    });
    let mode = mode.expect("a mode");
    assert_eq!(
        (
            mode.autonegotiation,
            mode.speed,
            mode.full_duplex,
            mode.settable
        ),
        (false, Some(10000), Some(true), false)
    );
    let mut text = services(ETH0);
    text.networks[0].link.autonegotiation = Some(true);
    let wanted = lanai_network::desired(&text, &Config::default());
    let done = namespace.enter(|| async { apply(&wanted).await });
    let note = "note: 'autoneg on' is not supported by eth0, whose driver has one mode only; it stays \
                as it is (services.cfg:1)";
    assert!(done.to_string().contains(note), "{done}");
    // Should a plan ask for it all the same, the error says what to do, and all is undone.
    let before = namespace.dump();
    let step = Step::SetMode {
        interface: "eth0".into(),
        from: mode,
        to: lanai_network::LinkMode {
            autonegotiation: true,
            ..mode
        },
    };
    let failed = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &[step]).await });
    let failed = failed.expect_err("it cannot work").to_string();
    assert!(failed.contains("see `ethtool eth0`"), "{failed}");
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

/// `connect` without a port is the witness of what the kernel hands out.
#[test]
fn the_kernel_hands_out_no_port_of_a_server_s_range() {
    let namespace = Namespace::new();
    namespace.ip("link set lo up");
    let mut config = frontend(&[("127.0.0.1:8080", false)]);
    config.proxies[0].servers = vec![Server {
        name: "db".into(),
        address: ServerAddress::Ip("127.0.0.1".parse().unwrap(), Some(3306)),
        check: None,
        weight: 1,
        maxconn: None,
        source: Some(std::sync::Arc::new(Source {
            address: Some("127.0.0.1".parse().unwrap()),
            ports: Some(SourcePorts::Range(20_000..=20_199)),
            shown: None,
            interface: None,
            origin: origin(12),
        })),
        origin: origin(12),
    }];
    namespace.veth("eth0");
    let wanted = lanai_network::desired(&services(ETH0), &config);
    let plan = namespace.enter(|| async { apply(&wanted).await });
    let line = "set net.ipv4.ip_local_reserved_ports to 8080,20000-20199 (was nothing): a server's source \
                ports, and listeners' ports, are taken by no other connection (services.cfg:12)";
    assert!(plan.to_string().contains(line), "{plan}");
    let (listens, mut picked, end) = namespace.enter(|| async {
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "19990 20209").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let mut open = Vec::new();
        loop {
            match std::net::TcpStream::connect(to) {
                Ok(stream) => open.push(stream),
                Err(error) => {
                    let ports = open.iter().map(|it| it.local_addr().unwrap().port());
                    break (to.port(), ports.collect::<Vec<u16>>(), error.kind());
                }
            }
        }
    });
    picked.sort_unstable();
    let around = (19_990..20_000).chain(20_200..=20_209);
    let around: Vec<u16> = around.filter(|port| *port != listens).collect();
    assert_eq!(picked, around);
    assert_eq!(end, std::io::ErrorKind::AddrNotAvailable);
    // A list that is longer than most settings is seen whole.
    let many: Vec<String> = (0..500_u32).map(|n| (10_000 + 2 * n).to_string()).collect();
    namespace.exec(
        "sysctl",
        &format!("-w net.ipv4.ip_local_reserved_ports={}", many.join(",")),
    );
    let observed = namespace.enter(|| async { lanai_kernel::observe(&ledger()).await.unwrap() });
    let reserved = Sysctl::Tuning(Tuning::ReservedPorts);
    assert_eq!(observed.sysctl(&reserved), Some(many.join(",").as_str()));
    // Whoever names a port gets it all the same.
    namespace.enter(|| async {
        std::net::TcpListener::bind("127.0.0.1:20000").unwrap();
    });
}
