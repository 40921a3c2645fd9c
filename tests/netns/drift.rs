//! Somebody changes the network behind the appliance's back, with `ip` and `nft`; and the appliance
//! puts it back, and nothing else.

use std::time::{Duration, Instant};

use lanai_tests::{Appliance, Lab, until, within};

use crate::expect::WWW;

/// The promise.
const A_SECOND: Duration = Duration::from_secs(1);

/// What nobody configured: an address as keepalived sets it, a route of another protocol, a rule, a
/// table of rules.
const FOREIGN: [&str; 4] = [
    "ip address add 10.3.0.99/32 dev mgmt",
    "ip route add 192.0.2.0/24 via 169.254.44.1 dev mgmt proto static",
    "ip rule add from 192.0.2.77 lookup 42 priority 7777",
    "nft add table inet other; nft add chain inet other c '{ type filter hook output priority 5; }'",
];

fn foreign(lab: &Lab) -> String {
    lab.sh(
        "appliance",
        "ip address show to 10.3.0.99; ip route show proto static; ip rule show; \
         nft list table inet other",
    )
}

/// Makes a change, and measures how long the network is not as before.
#[track_caller]
fn is_put_back(appliance: &Appliance<'_>, lab: &Lab, change: &str) {
    let before = appliance.kernel_state();
    lab.sh("appliance", change);
    let began = Instant::now();
    until(&format!("{change:?} to be put back"), within(), || {
        (appliance.kernel_state() == before).then_some(())
    });
    // The look itself takes its time on a busy machine; the log has the moment.
    eprintln!("{change}: put back within {:?}", began.elapsed());
}

#[test]
fn what_others_change_is_put_back_within_a_second_and_what_is_theirs_stays() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    for line in FOREIGN {
        lab.sh("appliance", line);
    }
    let theirs = foreign(&lab);
    for change in [
        "ip route delete default via 198.51.100.1 dev eth0",
        "ip address delete 10.3.0.10/24 dev eth3",
        "ip address flush dev eth4 scope global",
        "ip link set eth1 down",
        "sysctl -qw net.ipv4.ip_forward=1",
        "sysctl -qw net.ipv4.conf.eth2.rp_filter=1",
        "sysctl -qw net.ipv6.conf.all.forwarding=1",
    ] {
        is_put_back(&appliance, &lab, change);
    }
    assert_eq!(foreign(&lab), theirs);
    assert_eq!(lab.client("internet").get(WWW).status, 200);
    let status = appliance.lanai(&["status"]).ok();
    assert!(status.contains("the network was put back"), "{status}");
    let text = appliance.lanai(&["status", "--json"]).ok();
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(status["repairs"]["count"].as_u64() >= Some(7), "{status}");
}

/// What nobody configured, of IPv6.
const FOREIGN_V6: [&str; 3] = [
    "ip address add fd00:99::99/128 dev mgmt nodad",
    "ip route add 2001:db8:99::/48 dev mgmt proto static",
    "ip -6 rule add from 2001:db8:77::/48 lookup 42 priority 7777",
];

fn foreign_v6(lab: &Lab) -> String {
    lab.sh(
        "appliance",
        "ip address show to fd00:99::99; ip -6 route show proto static; ip -6 rule show",
    )
}

/// The example with IPv6 on eth0 and eth3, and transparent binds of both families.
fn with_ipv6(lab: &Lab) -> Appliance<'_> {
    let mut appliance = Appliance::example(lab);
    for (number, network) in [(0, "fd00:98"), (3, "fd00:3")] {
        let block = format!("service network eth{number}\n");
        let more = format!(
            "    ip address {network}::10/64\n    ip route default {network}::1 metric {number}1\n"
        );
        appliance.edit("services.cfg", &block, &format!("{block}{more}"));
    }
    let bind = "    bind 198.51.100.10:80 name http\n";
    let more = "    bind 192.0.2.80:80 transparent\n    bind [2001:db8:80::80]:80 transparent\n";
    appliance.edit("haproxy.cfg", bind, &format!("{bind}{more}"));
    appliance.start();
    appliance
}

#[test]
fn ipv6_and_transparent_mode_are_put_back_too() {
    let lab = Lab::new();
    let appliance = with_ipv6(&lab);
    for line in FOREIGN.iter().chain(&FOREIGN_V6) {
        lab.sh("appliance", line);
    }
    let theirs = foreign(&lab) + &foreign_v6(&lab);
    let changes = [
        "ip -6 route delete default via fd00:98::1 dev eth0",
        "ip address delete fd00:3::10/64 dev eth3",
        "ip -6 address flush dev eth0 scope global",
        // A link that goes down takes its IPv6 addresses and routes with it.
        "ip link set eth3 down; ip link set eth3 up",
        "nft flush table inet lanai",
        "nft delete table inet lanai",
        "nft flush chain inet lanai forward; nft add rule inet lanai forward accept",
        "ip -6 rule delete priority 7600",
        "ip -4 rule delete priority 7600",
        "ip -6 route flush table 100",
        "ip -4 route flush table 100",
        "sysctl -qw net.ipv6.conf.all.forwarding=0",
    ];
    for change in changes {
        is_put_back(&appliance, &lab, change);
    }
    assert_eq!(foreign(&lab) + &foreign_v6(&lab), theirs);
    let text = appliance.lanai(&["status", "--json"]).ok();
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    let count = status["repairs"]["count"].as_u64();
    assert!(count >= Some(changes.len() as u64), "{status}");
}

/// The same, measured by the kernel's own notices: from the moment that a route goes to the moment
/// that it is there again.
#[test]
fn a_route_is_away_for_less_than_a_second() {
    let lab = Lab::new();
    let appliance = with_ipv6(&lab);
    let monitor = lab.start("appliance", &["ip", "-tshort", "monitor", "route"]);
    until("the monitor to hear", within(), || {
        lab.sh(
            "appliance",
            "ip route add 192.0.2.1 dev lo; ip route delete 192.0.2.1 dev lo",
        );
        monitor.log().contains("192.0.2.1").then_some(())
    });
    let mut away = Vec::new();
    for route in [
        "default via 172.16.1.1 dev eth1",
        "default via fd00:98::1 dev eth0",
    ] {
        for round in 1..=3 {
            lab.sh("appliance", &format!("ip route delete {route}"));
            until("the monitor to tell of both", within(), || {
                (moments(&monitor.log(), route).len() == 2 * round).then_some(())
            });
        }
        for pair in moments(&monitor.log(), route).chunks(2) {
            away.push(pair[1] - pair[0]);
        }
    }
    eprintln!("away for {away:?} s");
    assert!(
        away.iter().all(|seconds| *seconds < A_SECOND.as_secs_f64()),
        "{away:?}"
    );
    drop(appliance);
}

/// Seconds of the day of each notice about a route.
fn moments(log: &str, route: &str) -> Vec<f64> {
    let lines = log.lines().filter(|line| line.contains(route));
    let moment = |line: &str| {
        // [2026-11-25T22:26:02.123456] ...
        let (_, time) = line.split_once('T')?;
        let (time, _) = time.split_once(']')?;
        let parts: Vec<f64> = time
            .split(':')
            .filter_map(|part| part.parse().ok())
            .collect();
        Some(parts[0] * 3600.0 + parts[1] * 60.0 + parts[2])
    };
    lines.filter_map(moment).collect()
}

#[test]
fn two_who_disagree_do_not_keep_the_box_busy() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::running(&lab);
    let fight = "for i in $(seq 150); do ip route delete default via 10.4.0.1 dev eth4 2>/dev/null || :; \
                 sleep 0.02; done; true";
    lab.sh("appliance", fight);
    let log = appliance.daemon().log();
    let repairs = log
        .matches("repaired: the network was not as configured")
        .count();
    assert!((5..=6).contains(&repairs), "{repairs} repairs in\n{log}");
    assert!(
        log.contains("somebody keeps changing what is configured"),
        "{log}"
    );
    let status = appliance.lanai(&["status"]).ok();
    assert!(
        status.contains("somebody keeps changing the network"),
        "{status}"
    );
    // What nobody fights about is put back at once.
    is_put_back(
        &appliance,
        &lab,
        "ip route delete default via 10.3.0.1 dev eth3",
    );
    assert_eq!(lab.client("internet").get(WWW).status, 200);
}
