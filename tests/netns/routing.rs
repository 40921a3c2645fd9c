//! Addresses, routes and which way an answer leaves.

use lanai_tests::{Appliance, Lab};

use crate::expect::{self, BRANCH, INTERNET_TO_EXCHANGE, LAN_TO_EXCHANGE};

const FIVE_LINES: &str = "default via 198.51.100.1 dev eth0
default via 172.16.1.1 dev eth1 metric 1
default via 10.2.0.1 dev eth2 metric 2
default via 10.3.0.1 dev eth3 metric 3
default via 10.4.0.1 dev eth4 metric 4
";

#[test]
fn five_default_routes_with_their_metrics_in_order() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    assert_eq!(default_routes(&lab), FIVE_LINES);
    // Ours are marked as ours; and planning again finds nothing to do.
    let marked = lab.sh("appliance", "ip -details -json route show default");
    assert_eq!(marked.matches("\"protocol\":\"").count(), 5, "{marked}");
    assert!(!marked.contains("\"protocol\":\"boot\""), "{marked}");
    let text = appliance.lanai(&["plan", "--json"]).ok();
    let preview: serde_json::Value = serde_json::from_str(&text).unwrap();
    for steps in ["add", "remove"] {
        assert_eq!(
            preview["plan"][steps],
            serde_json::json!([]),
            "a second plan has steps: {text}"
        );
    }
}

#[test]
fn each_side_is_answered_by_its_own_interface() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let _appliance = Appliance::running(&lab);
    expect::each_side_is_answered_by_its_own(&lab);
}

#[test]
fn a_bind_with_interface_sends_every_reply_there_and_without_it_none() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);

    let on_eth0 = lab.capture("eth0", "host 10.20.0.10");
    let on_eth2 = lab.capture("eth2", "src port 443 and dst host 10.20.0.10");
    let counted = lab.count_leaving("eth2", "ip daddr 10.20.0.10 tcp sport 443");
    expect::answered_by(&lab, &LAN_TO_EXCHANGE, "eth2");
    let (astray, seen) = (on_eth0.lines(), on_eth2.lines());
    assert_eq!(
        astray,
        Vec::<String>::new(),
        "packets for the LAN client left by eth0"
    );
    assert_eq!(
        seen.len() as u64,
        counted.packets(),
        "tcpdump and nft disagree: {seen:#?}"
    );

    // The same frontend without `interface`.
    appliance.edit(
        "haproxy.cfg",
        "    bind 198.51.100.11:443 name lan interface eth2 ssl crt ssl/exchange.pem\n",
        "",
    );
    appliance.apply("Exchange answers by the first default route");
    expect::answer_strays_to_eth0(&lab, &LAN_TO_EXCHANGE);
}

/// Whoever was bound first, and whoever joins or leaves while others listen.
#[test]
fn binds_that_share_a_port_come_in_any_order_and_at_any_time() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::example(&lab);
    let bind = "    bind 198.51.100.11:443 name";
    let [internet, by_eth2] = ["internet", "lan interface eth2"]
        .map(|name| format!("{bind} {name} ssl crt ssl/exchange.pem\n"));
    let both = format!("{internet}{by_eth2}");
    appliance.edit("haproxy.cfg", &both, &format!("{by_eth2}{internet}"));
    appliance.start();
    let check = || {
        expect::answered_by(&lab, &LAN_TO_EXCHANGE, "eth2");
        expect::answered_by(&lab, &INTERNET_TO_EXCHANGE, "eth0");
    };
    check();
    // One leaves and comes again, then the other.
    for one in [&by_eth2, &internet] {
        appliance.edit("haproxy.cfg", one, "");
        appliance.apply("one leaves");
        appliance.edit(
            "haproxy.cfg",
            "frontend ft_exchange\n",
            &format!("frontend ft_exchange\n{one}"),
        );
        appliance.apply("it comes again");
        check();
    }
    // In the place of one for all interfaces, one for one of them.
    appliance.edit("haproxy.cfg", &internet, "");
    appliance.edit("haproxy.cfg", &by_eth2, "");
    appliance.edit(
        "haproxy.cfg",
        "frontend ft_exchange\n",
        &format!("frontend ft_exchange\n{internet}"),
    );
    appliance.apply("for all");
    appliance.edit("haproxy.cfg", &internet, &by_eth2);
    appliance.apply("for one");
    expect::answered_by(&lab, &LAN_TO_EXCHANGE, "eth2");
}

#[test]
fn the_appliance_is_no_gateway_between_zones() {
    let lab = Lab::new();
    let _server = lab.web_server("branch");
    let _appliance = Appliance::running(&lab);
    let not_for_us = lab.ip_counter("appliance", "InAddrErrors");
    let forwarded = lab.ip_counter("appliance", "ForwDatagrams");
    let on_eth2 = lab.count_leaving("eth2", "ip daddr 10.21.0.10");

    let response = lab.client("internet").patience(3).get(BRANCH);

    assert_eq!(
        (response.status, response.body.as_str()),
        (0, ""),
        "{response:?}"
    );
    assert_eq!(
        lab.ip_counter("appliance", "ForwDatagrams"),
        forwarded,
        "something was forwarded"
    );
    let refused = lab.ip_counter("appliance", "InAddrErrors") - not_for_us;
    assert!(
        refused > 0,
        "the kernel counted no packet that it did not forward"
    );
    assert_eq!(
        on_eth2.packets(),
        0,
        "something for the branch left by eth2"
    );
    assert_eq!(
        lab.sh("appliance", "cat /proc/sys/net/ipv4/ip_forward"),
        "0\n"
    );
}

#[test]
fn what_others_configured_is_left_alone() {
    let lab = Lab::new();
    let mut appliance = Appliance::example(&lab);
    lab.sh(
        "appliance",
        "ip link set eth0 up; ip address add 198.51.100.99/24 dev eth0
         ip route add 192.0.2.0/25 via 169.254.44.1; ip route add 192.0.2.128/25 dev eth0 proto 18
         ip rule add from 198.51.100.99 table 77; ip route add default via 169.254.44.1 table 77
         nft add table inet theirs",
    );
    let theirs = || {
        let rules = lab.sh(
            "appliance",
            "ip rule show; ip route show table 77; nft list ruleset",
        );
        let routes = lab.sh("appliance", "ip route show | grep 192.0.2");
        let addresses = lab.sh("appliance", "ip -o -4 address show | grep -e .99/ -e mgmt");
        assert!(
            rules.contains("lookup 77") && rules.contains("theirs"),
            "{rules}"
        );
        assert_eq!(routes.lines().count(), 2, "{routes}");
        assert_eq!(addresses.lines().count(), 2, "{addresses}");
    };
    theirs();
    appliance.start();
    theirs();

    // Stale ones of ours go; theirs stay.
    appliance.edit(
        "services.cfg",
        "    ip   route   default 10.4.0.1 metric 4\n",
        "",
    );
    appliance.edit(
        "services.cfg",
        "    ip   address 198.51.100.11/24        # Exchange\n",
        "",
    );
    appliance.edit(
        "haproxy.cfg",
        "198.51.100.11:443 name internet",
        "198.51.100.10:8443 name internet",
    );
    appliance.edit(
        "haproxy.cfg",
        "198.51.100.11:443 name lan",
        "198.51.100.10:8443 name lan",
    );
    appliance.apply("fewer");
    theirs();
    let four: String = FIVE_LINES
        .lines()
        .take(4)
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(default_routes(&lab), four);
    let addresses = lab.sh("appliance", "ip -o -4 address show dev eth0");
    assert!(!addresses.contains("198.51.100.11/"), "{addresses}");
    assert!(addresses.contains("198.51.100.10/"), "{addresses}");
}

/// `ip route show default`, without the space that `ip` ends its lines with and without the
/// protocol, which a plain installation prints as a number.
fn default_routes(lab: &Lab) -> String {
    let printed = lab.sh("appliance", "ip route show default");
    printed
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace().peekable();
            let mut kept = Vec::new();
            while let Some(word) = words.next() {
                if word == "proto" {
                    words.next();
                } else {
                    kept.push(word);
                }
            }
            format!("{}\n", kept.join(" "))
        })
        .collect()
}
