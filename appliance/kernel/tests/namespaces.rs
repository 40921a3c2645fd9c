//! The planner and the executor against a real kernel, in namespaces, with `ip` and `sysctl` as
//! witnesses.

mod support;

use std::collections::HashSet;
use std::thread;

use ipnet::IpNet;
use lanai_network::{
    Family, InterfaceAddress, Observed, Problem, Route, RouteKind, Scope, Step, Sysctl, TABLE_MAIN,
};
use support::{Block, Namespace, apply, desired, ledger, plan, steps};

const DEFAULT: &str = "0.0.0.0/0";

/// Article 1: five zones, each with a gateway, metrics none, 1, 2, 3, 4.
const ARTICLE_1: &[Block<'_>] = &[
    ("eth0", &["10.10.0.2/24"], &[(DEFAULT, "10.10.0.1", None)]),
    (
        "eth1",
        &["10.11.0.2/24"],
        &[(DEFAULT, "10.11.0.1", Some(1))],
    ),
    (
        "eth2",
        &["10.12.0.2/24"],
        &[(DEFAULT, "10.12.0.1", Some(2))],
    ),
    (
        "eth3",
        &["10.13.0.2/24"],
        &[(DEFAULT, "10.13.0.1", Some(3))],
    ),
    (
        "eth4",
        &["10.14.0.2/24"],
        &[(DEFAULT, "10.14.0.1", Some(4))],
    ),
];

const FIVE_LINES: [&str; 5] = [
    "default via 10.10.0.1 dev eth0 proto 76",
    "default via 10.11.0.1 dev eth1 proto 76 metric 1",
    "default via 10.12.0.1 dev eth2 proto 76 metric 2",
    "default via 10.13.0.1 dev eth3 proto 76 metric 3",
    "default via 10.14.0.1 dev eth4 proto 76 metric 4",
];

fn defaults(namespace: &Namespace) -> Vec<String> {
    let text = namespace.ip("route show default");
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn five_default_routes_in_order_and_nothing_left_to_do() {
    let namespace = Namespace::with_links(5);
    namespace.exec(
        "sysctl",
        "-w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
    );
    namespace.exec(
        "sysctl",
        "-w net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.eth2.rp_filter=0",
    );
    let plan = namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    assert_eq!(plan.problems, []);
    assert_eq!(defaults(&namespace), FIVE_LINES);
    let addresses = namespace.ip_json("addr show dev eth3");
    assert_eq!(addresses[0]["addr_info"][0]["local"], "10.13.0.2");
    assert_eq!(addresses[0]["addr_info"][0]["broadcast"], "10.13.0.255");
    // `ip` shows it from 6.4 on only; the kernel hands it back.
    let observed = namespace.enter(|| async { lanai_kernel::observe(&ledger()).await.unwrap() });
    let mut addresses = observed.addresses_of("eth3");
    assert_eq!(addresses.next().and_then(|other| other.protocol), Some(76));
    assert_eq!(namespace.sysctl("net.ipv4.ip_forward"), "0");
    assert_eq!(namespace.sysctl("net.ipv6.conf.all.forwarding"), "0");
    assert_eq!(namespace.sysctl("net.ipv4.conf.eth1.rp_filter"), "2");
    assert_eq!(namespace.sysctl("net.ipv4.conf.eth2.rp_filter"), "0");
    assert_eq!(
        namespace.sysctl("net.ipv4.conf.eth4.promote_secondaries"),
        "1"
    );
    assert!(namespace.ip("link show dev eth4").contains("state UP"));
}

#[test]
fn foreign_state_survives_and_stale_state_of_ours_goes() {
    let namespace = Namespace::with_links(5);
    let foreign_route = "10.99.0.0/16 via 10.10.0.254 dev eth0 proto static metric 7";
    namespace.enter(|| async {
        apply(&desired(ARTICLE_1)).await;
        namespace.ip("addr add 10.10.0.77/24 dev eth0");
        namespace.ip("addr add 10.77.0.1/24 dev eth1");
        namespace.ip(&format!("route add {foreign_route}"));
        namespace.ip("route add default via 10.10.0.9 dev eth0 metric 9 table 500");
        // Another first address, so that the foreign one of its network has to be kept alive.
        let next: &[Block<'_>] = &[("eth0", &["10.10.0.3/24"], &[(DEFAULT, "10.10.0.253", None)])];
        apply(&desired(next)).await;
    });
    assert_eq!(
        defaults(&namespace),
        ["default via 10.10.0.253 dev eth0 proto 76"]
    );
    assert!(namespace.ip("route show").contains(foreign_route));
    assert!(namespace.ip("route show table 500").contains("10.10.0.9"));
    let eth0 = namespace.ip("-4 addr show dev eth0");
    assert!(
        eth0.contains("10.10.0.77/24") && eth0.contains("10.10.0.3/24"),
        "{eth0}"
    );
    assert!(!eth0.contains("10.10.0.2/24"), "{eth0}");
    let eth1 = namespace.ip("-4 addr show dev eth1");
    assert!(
        eth1.contains("10.77.0.1/24") && !eth1.contains("10.11.0.2"),
        "{eth1}"
    );
    assert_eq!(namespace.ip("-4 addr show dev eth4"), "");
}

#[test]
fn what_is_there_already_is_taken_as_done_and_never_removed() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add 10.10.0.2/24 dev eth0");
    namespace.ip("route add default via 10.10.0.1 dev eth0");
    let foreign = "default via 10.10.0.1 dev eth0";
    namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    assert_eq!(defaults(&namespace)[0], foreign);
    namespace.enter(|| async { apply(&desired(&[("eth1", &[], &[])])).await });
    assert_eq!(defaults(&namespace), [foreign]);
    assert!(namespace.ip("addr show dev eth0").contains("10.10.0.2/24"));
}

#[test]
fn a_foreign_default_route_in_the_way_is_a_problem_and_stays() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add 10.10.0.7/24 dev eth0");
    namespace.ip("route add default via 10.10.0.254 dev eth0");
    let plan = namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    assert!(
        matches!(plan.problems[..], [Problem::RouteTaken { .. }]),
        "{plan}"
    );
    assert_eq!(defaults(&namespace)[0], "default via 10.10.0.254 dev eth0");
    assert_eq!(defaults(&namespace)[1..], FIVE_LINES[1..]);
}

#[test]
fn a_failure_in_the_middle_leaves_everything_as_it_was() {
    let namespace = Namespace::with_links(5);
    for index in 0..5 {
        namespace.exec(
            "sysctl",
            &format!("-w net.ipv4.conf.eth{index}.rp_filter=1"),
        );
    }
    namespace.exec(
        "sysctl",
        "-w net.ipv4.ip_forward=1 net.ipv4.conf.eth3.forwarding=0",
    );
    let good = namespace.enter(|| async { plan(&desired(ARTICLE_1)).await });
    let before = namespace.dump();
    let good = steps(&good);
    let bad = Step::AddRoute(Route {
        table: TABLE_MAIN,
        destination: "10.50.0.0/16".parse().unwrap(),
        metric: 0,
        kind: RouteKind::Unicast,
        gateway: Some("192.0.2.1".parse().unwrap()),
        interface: Some("eth0".into()),
    });
    // After every single step of the plan.
    for place in 0..=good.len() {
        let mut steps = good.clone();
        steps.insert(place, bad.clone());
        let error = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
        let error = error.unwrap_err();
        assert_eq!((error.index, &error.step), (place, &bad), "{error}");
        assert_eq!(error.not_undone, [], "{error}");
        let changes = namespace.changes_since(&before);
        assert_eq!(changes, [""; 0], "after a failure at {place}");
        if place == good.len() {
            let words = error.to_string();
            let wanted = "cannot add route 10.50.0.0/16 via 192.0.2.1 dev eth0: gateway 192.0.2.1 \
                          is not on a network of eth0; add an address of the gateway's network to \
                          eth0, or correct the gateway (the kernel says: Nexthop has invalid \
                          gateway); everything was put back as it was";
            assert_eq!(words, wanted);
        }
    }
}

#[test]
fn a_removal_that_fails_half_way_is_undone_too() {
    let namespace = Namespace::with_links(5);
    namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    let before = namespace.dump();
    let nothing: &[Block<'_>] = &[("eth0", &["10.10.0.2/24"], &[])];
    let removal = namespace.enter(|| async { plan(&desired(nothing)).await });
    let mut steps: Vec<Step> = removal.remove.iter().map(|p| p.step.clone()).collect();
    // Four routes and four addresses, the route of eth0, and four settings that go back.
    assert_eq!(steps.len(), 13, "{removal}");
    steps.push(Step::SetLink {
        interface: "eth9".into(),
        up: true,
    });
    let error = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
    let words = error.unwrap_err().to_string();
    assert_eq!(
        words,
        "cannot bring eth9 up: there is no interface 'eth9'; see `ip link show`; everything was \
         put back as it was"
    );
    assert_eq!(namespace.changes_since(&before), [""; 0]);
}

#[test]
fn undoing_that_fails_says_what_is_left() {
    let namespace = Namespace::with_links(5);
    let set = |to: &str, from: &str| Step::SetSysctl {
        sysctl: Sysctl::PromoteSecondaries(Scope::Interface("eth0".into())),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    // It did not have this value, and cannot get it.
    let steps = [set("1", "no number"), set("no number", "1")];
    let error = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
    let error = error.unwrap_err();
    assert_eq!(error.index, 1);
    assert!(matches!(&error.not_undone[..], [(step, _)] if *step == steps[0].undo()));
    assert!(
        error.to_string().contains("putting things back failed too"),
        "{error}"
    );
}

#[test]
fn a_link_that_flaps_is_repaired() {
    let namespace = Namespace::with_links(5);
    namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    namespace.ip("link set eth2 down");
    assert_eq!(defaults(&namespace).len(), 4);
    let repair = namespace.enter(|| async { apply(&desired(ARTICLE_1)).await });
    let repair: Vec<String> = steps(&repair).iter().map(Step::to_string).collect();
    assert_eq!(
        repair,
        [
            "bring eth2 up",
            "add route default via 10.12.0.1 dev eth2 metric 2"
        ]
    );
    assert_eq!(defaults(&namespace), FIVE_LINES);
}

#[test]
fn an_interface_with_a_dot_in_its_name() {
    let namespace = Namespace::new();
    namespace.veth("eth0.100");
    namespace.veth("eth1");
    namespace.exec("sysctl", "-w net.ipv4.conf.eth0/100.rp_filter=1");
    let wanted: &[Block<'_>] = &[
        ("eth0.100", &["10.1.0.2/24"], &[(DEFAULT, "10.1.0.1", None)]),
        ("eth1", &["10.2.0.2/24"], &[(DEFAULT, "10.2.0.1", Some(1))]),
    ];
    let plan = namespace.enter(|| async { apply(&desired(wanted)).await });
    assert!(
        plan.to_string()
            .contains("set net.ipv4.conf.eth0/100.rp_filter to 2 (was 1)")
    );
    assert_eq!(namespace.sysctl("net.ipv4.conf.eth0/100.rp_filter"), "2");
    assert_eq!(
        namespace.sysctl("net.ipv4.conf.eth0/100.promote_secondaries"),
        "1"
    );
}

#[test]
fn ipv6_can_be_bound_at_once_and_changes_its_prefix_length() {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    let wanted: &[Block<'_>] = &[(
        "eth0",
        &["fd00:1::2/64"],
        &[
            ("::/0", "fd00:1::1", None),
            ("2001:db8::/32", "fe80::1", Some(5)),
        ],
    )];
    namespace.enter(|| async {
        apply(&desired(wanted)).await;
        std::net::TcpListener::bind("[fd00:1::2]:8080").expect("no waiting for DAD");
    });
    let routes = namespace.ip("-6 route show proto 76");
    let lines: Vec<&str> = routes.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "2001:db8::/32 via fe80::1 dev eth0 metric 5 pref medium",
            "default via fd00:1::1 dev eth0 metric 1024 pref medium",
        ]
    );
    let shorter: &[Block<'_>] = &[("eth0", &["fd00:1::2/48"], &[("::/0", "fd00:1::9", None)])];
    namespace.enter(|| async { apply(&desired(shorter)).await });
    let addresses = namespace.ip("-6 addr show dev eth0 scope global");
    assert!(
        addresses.contains("fd00:1::2/48") && !addresses.contains("/64"),
        "{addresses}"
    );
    let routes = namespace.ip("-6 route show proto 76");
    assert_eq!(
        routes.trim(),
        "default via fd00:1::9 dev eth0 metric 1024 pref medium"
    );
}

#[test]
fn what_others_did_between_plan_and_execution_is_understood() {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    let wanted: &[Block<'_>] = &[("eth0", &["10.1.0.2/24"], &[(DEFAULT, "10.1.0.1", None)])];
    namespace.enter(|| async {
        let planned = plan(&desired(wanted)).await;
        lanai_kernel::execute(&ledger(), &steps(&planned))
            .await
            .unwrap();
        // Everything is there: done again, it is no failure.
        lanai_kernel::execute(&ledger(), &steps(&planned))
            .await
            .unwrap();
        let undo: Vec<Step> = steps(&planned).iter().rev().map(Step::undo).collect();
        lanai_kernel::execute(&ledger(), &undo).await.unwrap();
        // Everything is gone: neither.
        lanai_kernel::execute(&ledger(), &undo).await.unwrap();
        // Another route in the same place is a failure.
        lanai_kernel::execute(&ledger(), &steps(&planned))
            .await
            .unwrap();
        namespace.ip("route del default");
        namespace.ip("route add default via 10.1.0.99");
        let error = lanai_kernel::execute(&ledger(), &steps(&planned))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("another route with its destination"),
            "{error}"
        );
        // What was there before the failure was not ours to undo.
        assert!(namespace.ip("addr show dev eth0").contains("10.1.0.2/24"));
    });
}

#[test]
fn removing_what_is_gone_with_its_interface_is_done() {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    namespace.enter(|| async {
        let gone = [
            Step::RemoveAddress(InterfaceAddress {
                interface: "eth7".into(),
                net: "10.0.0.1/8".parse().unwrap(),
            }),
            Step::RemoveAddress(InterfaceAddress {
                interface: "eth0".into(),
                net: "10.0.0.1/8".parse().unwrap(),
            }),
        ];
        lanai_kernel::execute(&ledger(), &gone).await.unwrap();
    });
}

#[test]
fn many_ways_routes_of_other_tables_and_kinds_are_seen() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add 10.10.0.2/24 dev eth0");
    namespace.ip("route add default nexthop via 10.10.0.1 nexthop via 10.10.0.3");
    namespace.ip("route add blackhole 192.0.2.0/24 table 1000");
    namespace.ip("route add 198.51.100.0/24 tos 0x10 via 10.10.0.1");
    namespace.ip("route add local default dev lo table 100");
    let observed: Observed =
        namespace.enter(|| async { lanai_kernel::observe(&ledger()).await.unwrap() });
    let find = |text: &str| {
        let mut routes = observed.routes.iter();
        routes.find(|other| other.route.to_string() == text)
    };
    let several = find("default via 10.10.0.1 dev eth0").unwrap();
    assert_eq!(several.further.len(), 1);
    assert!(!several.is_ours());
    assert!(find("blackhole 192.0.2.0/24 table 1000").is_some());
    assert!(
        find("198.51.100.0/24 via 10.10.0.1 dev eth0")
            .unwrap()
            .selective
    );
    assert!(find("local default dev lo table 100").is_some());
    let connected = find("10.10.0.0/24 dev eth0").unwrap();
    assert_eq!(connected.source, Some("10.10.0.2".parse().unwrap()));
    assert!(observed.routes.iter().all(|other| other.route.table != 255));
    let lo = observed.link("lo").unwrap();
    assert!(lo.loopback && lo.up);
    assert_eq!(
        observed.link("eth1").map(|link| (link.up, link.carrier)),
        Some((false, false))
    );
    let forwarding = Sysctl::Forwarding {
        family: Family::V6,
        scope: Scope::All,
    };
    let witness = namespace.sysctl("net.ipv6.conf.all.forwarding");
    assert_eq!(observed.sysctl(&forwarding), Some(witness.as_str()));
}

#[test]
fn observing_a_network_in_motion_never_sees_half_of_it() {
    in_motion(
        |index| format!("10.200.0.{index}/32"),
        |index| format!("10.20.{}.{}/32", index / 200, index % 200),
    );
}

#[test]
fn observing_ipv6_in_motion_never_sees_half_of_it() {
    in_motion(
        |index| format!("fd00:200::{index:x}/128"),
        |index| format!("fd00:20::{index:x}/128"),
    );
}

/// Addresses that go while others stay.
fn in_motion(leaving: fn(u32) -> String, staying: fn(u32) -> String) {
    let namespace = Namespace::with_links(5);
    let add = |net: String| {
        Step::AddAddress(InterfaceAddress {
            interface: "eth1".into(),
            net: net.parse().expect("a network"),
        })
    };
    // Enough for several messages. Each of the first that goes in between moves the others up by
    // one, and the kernel, which goes on where it was, passes one over.
    let first = (0..200).map(|index| add(leaving(index)));
    let others = (0..800).map(|index| add(staying(index)));
    let all: Vec<Step> = first.chain(others).collect();
    namespace.enter(|| async {
        lanai_kernel::execute(&ledger(), &all)
            .await
            .expect("applied")
    });
    let seen = thread::scope(|scope| {
        let leave = scope.spawn(|| {
            for index in 0..200 {
                namespace.ip(&format!("addr del {} dev eth1", leaving(index)));
            }
        });
        let mut seen = Vec::new();
        while !leave.is_finished() {
            seen.push(namespace.enter(|| async { lanai_kernel::observe(&ledger()).await }));
        }
        seen
    });
    assert!(seen.len() > 5, "{} observations", seen.len());
    let stays: HashSet<IpNet> = (0..800)
        .map(|index| staying(index).parse().expect("a network"))
        .collect();
    for observed in seen {
        let observed = observed.expect("seen");
        let nets = observed.addresses.iter().map(|it| it.address.net);
        assert_eq!(nets.filter(|net| stays.contains(net)).count(), 800);
    }
}
