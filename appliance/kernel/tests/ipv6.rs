//! What `namespaces.rs` shows of IPv4, of IPv6.

#![allow(
    clippy::indexing_slicing,
    reason = "what is not there must end the test"
)]

mod support;

use lanai_network::{Problem, RouteKind, Step};
use support::{Block, Namespace, apply, desired, ledger, plan, steps};

const DEFAULT: &str = "::/0";

const FIVE: &[Block<'_>] = &[
    ("eth0", &["fd00:10::2/64"], &[(DEFAULT, "fd00:10::1", None)]),
    (
        "eth1",
        &["fd00:11::2/64"],
        &[(DEFAULT, "fd00:11::1", Some(2001))],
    ),
    (
        "eth2",
        &["fd00:12::2/64"],
        &[(DEFAULT, "fd00:12::1", Some(2002))],
    ),
    (
        "eth3",
        &["fd00:13::2/64"],
        &[(DEFAULT, "fd00:13::1", Some(2003))],
    ),
    (
        "eth4",
        &["fd00:14::2/64"],
        &[(DEFAULT, "fd00:14::1", Some(2004))],
    ),
];

const FIVE_LINES: [&str; 5] = [
    "default via fd00:10::1 dev eth0 proto 76 metric 1024 pref medium",
    "default via fd00:11::1 dev eth1 proto 76 metric 2001 pref medium",
    "default via fd00:12::1 dev eth2 proto 76 metric 2002 pref medium",
    "default via fd00:13::1 dev eth3 proto 76 metric 2003 pref medium",
    "default via fd00:14::1 dev eth4 proto 76 metric 2004 pref medium",
];

fn defaults(namespace: &Namespace) -> Vec<String> {
    let text = namespace.ip("-6 route show default");
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn five_default_routes_in_order_and_nothing_left_to_do() {
    let namespace = Namespace::with_links(5);
    namespace.exec("sysctl", "-w net.ipv6.conf.all.forwarding=1");
    let plan = namespace.enter(|| async { apply(&desired(FIVE)).await });
    assert_eq!(plan.problems, []);
    assert_eq!(defaults(&namespace), FIVE_LINES);
    let observed = namespace.enter(|| async { lanai_kernel::observe(&ledger()).await.unwrap() });
    let mut addresses = observed.addresses_of("eth3");
    let own = addresses.find(|other| other.address.net.to_string() == "fd00:13::2/64");
    assert_eq!(own.and_then(|other| other.protocol), Some(76));
    for scope in ["all", "eth0", "eth4"] {
        let setting = format!("net.ipv6.conf.{scope}.forwarding");
        assert_eq!(namespace.sysctl(&setting), "0", "{scope}");
    }
}

#[test]
fn foreign_state_survives_and_stale_state_of_ours_goes() {
    let namespace = Namespace::with_links(5);
    let foreign_route =
        "2001:db8:99::/48 via fd00:10::fe dev eth0 proto static metric 7 pref medium";
    namespace.enter(|| async {
        apply(&desired(FIVE)).await;
        namespace.ip("addr add fd00:10::77/64 dev eth0 nodad");
        namespace.ip("addr add fd00:77::1/64 dev eth1 nodad");
        namespace
            .ip("-6 route add 2001:db8:99::/48 via fd00:10::fe dev eth0 proto static metric 7");
        namespace.ip("-6 route add default via fd00:10::9 dev eth0 metric 9 table 500");
        namespace.ip("-6 rule add from fd00:77::/64 lookup 500 priority 8600");
        let next: &[Block<'_>] = &[(
            "eth0",
            &["fd00:10::3/64"],
            &[(DEFAULT, "fd00:10::fd", None)],
        )];
        apply(&desired(next)).await;
    });
    assert_eq!(
        defaults(&namespace),
        ["default via fd00:10::fd dev eth0 proto 76 metric 1024 pref medium"]
    );
    let routes = namespace.ip("-6 route show");
    assert!(routes.contains(foreign_route), "{routes}");
    let table = namespace.ip("-6 route show table 500");
    assert!(table.contains("fd00:10::9"), "{table}");
    let rules = namespace.ip("-6 rule");
    assert!(rules.contains("from fd00:77::/64 lookup 500"), "{rules}");
    let eth0 = namespace.ip("-6 addr show dev eth0");
    for there in ["fd00:10::77/64", "fd00:10::3/64"] {
        assert!(eth0.contains(there), "{there} is not in {eth0}");
    }
    assert!(!eth0.contains("fd00:10::2/64"), "{eth0}");
    let eth1 = namespace.ip("-6 addr show dev eth1");
    assert!(
        eth1.contains("fd00:77::1/64") && !eth1.contains("fd00:11::2"),
        "{eth1}"
    );
    assert!(!namespace.ip("-6 addr show dev eth4").contains("fd00"));
}

#[test]
fn what_is_there_already_is_taken_as_done_and_never_removed() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add fd00:10::2/64 dev eth0 nodad");
    namespace.ip("-6 route add default via fd00:10::1 dev eth0");
    let foreign = "default via fd00:10::1 dev eth0 metric 1024 pref medium";
    namespace.enter(|| async { apply(&desired(FIVE)).await });
    assert_eq!(defaults(&namespace)[0], foreign);
    namespace.enter(|| async { apply(&desired(&[("eth1", &[], &[])])).await });
    assert_eq!(defaults(&namespace), [foreign]);
    assert!(namespace.ip("addr show dev eth0").contains("fd00:10::2/64"));
}

#[test]
fn a_foreign_default_route_in_the_way_is_a_problem_and_stays() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add fd00:10::7/64 dev eth0 nodad");
    namespace.ip("-6 route add default via fd00:10::fe dev eth0");
    let plan = namespace.enter(|| async { apply(&desired(FIVE)).await });
    assert!(
        matches!(plan.problems[..], [Problem::RouteTaken { .. }]),
        "{plan}"
    );
    let foreign = "default via fd00:10::fe dev eth0 metric 1024 pref medium";
    assert_eq!(defaults(&namespace)[0], foreign);
    assert_eq!(defaults(&namespace)[1..], FIVE_LINES[1..]);
}

#[test]
fn a_failure_in_the_middle_leaves_everything_as_it_was() {
    let namespace = Namespace::with_links(5);
    namespace.exec(
        "sysctl",
        "-w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.eth3.forwarding=0",
    );
    let good = namespace.enter(|| async { plan(&desired(FIVE)).await });
    let before = namespace.dump();
    let good = steps(&good);
    let bad = Step::AddRoute(lanai_network::Route {
        table: lanai_network::TABLE_MAIN,
        destination: "2001:db8:50::/48".parse().unwrap(),
        metric: 1024,
        kind: RouteKind::Unicast,
        gateway: Some("2001:db8::1".parse().unwrap()),
        interface: Some("eth0".into()),
    });
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
            let wanted = "gateway 2001:db8::1 is not on a network of eth0";
            assert!(words.contains(wanted), "{words}");
        }
    }
}

/// A link that goes down takes its IPv6 addresses with it.
#[test]
fn a_link_that_flaps_is_repaired() {
    let namespace = Namespace::with_links(5);
    namespace.enter(|| async { apply(&desired(FIVE)).await });
    namespace.ip("link set eth2 down");
    assert_eq!(defaults(&namespace).len(), 4);
    let repair = namespace.enter(|| async { apply(&desired(FIVE)).await });
    let repair: Vec<String> = steps(&repair).iter().map(Step::to_string).collect();
    assert_eq!(
        repair,
        [
            "bring eth2 up",
            "add address fd00:12::2/64 to eth2",
            "add route default (IPv6) via fd00:12::1 dev eth2 metric 2002"
        ]
    );
    assert_eq!(defaults(&namespace), FIVE_LINES);
}

#[test]
fn many_ways_and_routes_of_other_tables_and_kinds_are_seen() {
    let namespace = Namespace::with_links(5);
    namespace.ip("link set eth0 up");
    namespace.ip("addr add fd00:10::2/64 dev eth0 nodad");
    namespace
        .ip("-6 route add default nexthop via fd00:10::1 dev eth0 nexthop via fd00:10::3 dev eth0");
    namespace.ip("-6 route add blackhole 2001:db8:1::/48 table 1000");
    namespace.ip("-6 route add 2001:db8:2::/48 from fd00:10::/64 via fd00:10::1");
    namespace.ip("-6 route add local default dev lo table 100");
    let observed = namespace.enter(|| async { lanai_kernel::observe(&ledger()).await.unwrap() });
    let find = |text: &str| {
        let mut routes = observed.routes.iter();
        let found = routes.find(|other| other.route.to_string() == text);
        found.unwrap_or_else(|| panic!("{text} is not in {:#?}", observed.routes))
    };
    let several = find("default (IPv6) via fd00:10::1 dev eth0");
    assert_eq!(several.further.len(), 1);
    assert!(!several.is_ours());
    find("blackhole 2001:db8:1::/48 table 1000");
    assert!(find("2001:db8:2::/48 via fd00:10::1 dev eth0").selective);
    find("local default (IPv6) dev lo table 100");
    assert!(observed.routes.iter().all(|other| other.route.table != 255));
}
