//! The lab itself, with Debian's HAProxy and the `ip` command in Lanai's place: what the article
//! describes happens here, and what Lanai has to prevent happens without it.

use std::time::Duration;

use lanai_tests::{Appliance, Lab};

use crate::expect::{self, BRANCH, LAN_TO_EXCHANGE};

/// The example's services.cfg in `ip`'s words.
const NETWORK: &str = "
    for n in 0 1 2 3 4; do ip link set eth$n up; done
    ip address add 198.51.100.10/24 dev eth0; ip address add 198.51.100.11/24 dev eth0
    ip address add 172.16.1.10/24 dev eth1
    ip address add 10.2.0.10/24 dev eth2; ip address add 10.2.0.12/24 dev eth2
    ip address add 10.3.0.10/24 dev eth3; ip address add 10.4.0.10/24 dev eth4
    ip route add default via 198.51.100.1; ip route add default via 172.16.1.1 metric 1
    ip route add default via 10.2.0.1 metric 2; ip route add default via 10.3.0.1 metric 3
    ip route add default via 10.4.0.1 metric 4
    ip route add 10.21.0.0/24 via 10.2.0.1";

/// Loose reverse-path filtering where several default gateways need it.
const LOOSE: &str = "for n in 0 1 2; do echo 2 >/proc/sys/net/ipv4/conf/eth$n/rp_filter; done";

#[test]
fn haproxy_shows_what_the_article_says() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    lab.sh("appliance", NETWORK);
    lab.sh("appliance", LOOSE);
    let example = Appliance::example(&lab);
    let config = example.config();
    let _haproxy = lab.start(
        "appliance",
        &[
            "haproxy",
            "-db",
            "-C",
            config.to_str().unwrap(),
            "-f",
            "haproxy.cfg",
        ],
    );
    lab.listening("appliance", 443);
    expect::each_side_is_answered_by_its_own(&lab);
}

#[test]
fn strict_reverse_path_filtering_breaks_it() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    lab.sh("appliance", NETWORK);
    let example = Appliance::example(&lab);
    let config = example.config();
    let _haproxy = lab.start(
        "appliance",
        &[
            "haproxy",
            "-db",
            "-C",
            config.to_str().unwrap(),
            "-f",
            "haproxy.cfg",
        ],
    );
    lab.listening("appliance", 443);
    let (packets, answered) = expect::leaves_by(&lab, &LAN_TO_EXCHANGE);
    assert!(!answered);
    assert_eq!(
        packets,
        [0, 0, 0],
        "a strict filter drops the request as it comes in"
    );
}

#[test]
fn with_forwarding_on_the_box_is_a_way_round_the_firewall() {
    let lab = Lab::new();
    let _server = lab.web_server("branch");
    lab.sh("appliance", NETWORK);
    lab.sh("appliance", LOOSE);
    let response = lab.client("internet").patience(5).get(BRANCH);
    assert_eq!(response.body, "branch");
    assert!(lab.ip_counter("appliance", "ForwDatagrams") > 0);
}

#[test]
fn processes_and_hosts_end_with_the_lab() {
    let lab = Lab::new();
    let mut server = lab.web_server("web1");
    let namespace = lab.namespace("web1");
    let listed = || std::fs::exists(format!("/run/netns/{namespace}")).unwrap();
    assert!(listed());
    drop(lab);
    assert!(!listed());
    assert_eq!(server.ended(Duration::from_secs(5)), 128 + 9);
}
