//! Article 1's network once more, in IPv6: the same hosts, the same texts with other addresses.

use lanai_tests::{Appliance, Lab, until, within};
use serde_json::json;

use crate::articles::{addresses, asked, members, settings};
use crate::expect::{self, BRANCH, LAN_TO_EXCHANGE, WWW};

/// Networks of the lab, and those that stand for them.
const NETWORKS: [(&str, &str); 10] = [
    ("198.51.100.", "fd00:98::"),
    ("172.16.1.", "fd00:16::"),
    ("10.2.0.", "fd00:2::"),
    ("10.3.0.", "fd00:3::"),
    ("10.4.0.", "fd00:4::"),
    ("203.0.113.", "fd00:113::"),
    ("172.16.100.", "fd00:100::"),
    ("10.20.0.", "fd00:20::"),
    ("10.21.0.", "fd00:21::"),
    ("192.0.2.", "2001:db8:80::"),
];

/// A text with the addresses of IPv6, one of them in a word at most, in brackets where a port or a
/// path follows it.
pub(crate) fn six(text: &str) -> String {
    let word = |word: &str| {
        let network = NETWORKS
            .iter()
            .find_map(|(four, six)| Some((word.find(four)?, four, six)));
        let Some((at, four, six)) = network else {
            return word.to_owned();
        };
        let (before, rest) = (&word[..at], &word[at + four.len()..]);
        let host = rest.find(|c: char| !c.is_ascii_digit());
        let (host, after) = rest.split_at(host.unwrap_or(rest.len()));
        match (before, after) {
            ("", "/24") => format!("{six}{host}/64"),
            ("", "") => format!("{six}{host}"),
            _ => format!("{before}[{six}{host}]{after}"),
        }
    };
    text.split_inclusive([' ', '\n'])
        .map(|piece| {
            let end = piece.trim_end_matches([' ', '\n']).len();
            word(&piece[..end]) + &piece[end..]
        })
        .collect()
}

/// What `scripts/netns` does for IPv4.
fn lay(lab: &Lab) {
    let hosts = [
        (
            "gw0",
            "198.51.100.1/24 appl 203.0.113.1/24 clients 10.20.0.1/24 twins",
            "10.2.0.0/24 via 198.51.100.10 10.21.0.0/24 via 198.51.100.10",
        ),
        (
            "gw1",
            "172.16.1.1/24 appl 172.16.100.1/24 clients",
            "default via 172.16.1.10",
        ),
        (
            "gw2",
            "10.2.0.1/24 appl 10.20.0.1/24 clients 10.21.0.1/24 branch",
            "default via 10.2.0.10",
        ),
        ("net3", "10.3.0.1/24 vlan", ""),
        ("net4", "10.4.0.1/24 vlan", ""),
        (
            "internet",
            "203.0.113.10/24 eth0",
            "default via 203.0.113.1",
        ),
        ("twin", "10.20.0.10/24 eth0", "default via 10.20.0.1"),
        (
            "partner",
            "172.16.100.10/24 eth0",
            "default via 172.16.100.1",
        ),
        ("lan", "10.20.0.10/24 eth0", "default via 10.20.0.1"),
        ("branch", "10.21.0.10/24 eth0", "default via 10.21.0.1"),
        ("web1", "10.3.0.11/24 eth0", "default via 10.3.0.1"),
        ("web2", "10.4.0.11/24 eth0", "default via 10.4.0.1"),
    ];
    for (role, addresses, routes) in hosts {
        let (addresses, routes) = (six(addresses), six(routes));
        let mut line = "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n".to_owned();
        let words: Vec<&str> = addresses.split(' ').collect();
        for pair in words.chunks(2) {
            line += &format!("ip address add {} dev {} nodad\n", pair[0], pair[1]);
        }
        let words: Vec<&str> = routes.split_whitespace().collect();
        for route in words.chunks(3) {
            line += &format!("ip -6 route add {}\n", route.join(" "));
        }
        lab.sh(role, &line);
    }
    // Against the appliance, too.
    lab.sh(
        "appliance",
        "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
    );
}

/// The example in IPv6, not started.
fn example(lab: &Lab) -> Appliance<'_> {
    let appliance = Appliance::example(lab);
    let services = six(&appliance.read("services.cfg"));
    // Without a metric the kernel has 1024 in IPv6, so that the others come after that.
    appliance.write("services.cfg", &services.replace(" metric ", " metric 110"));
    appliance.write("haproxy.cfg", &six(&appliance.read("haproxy.cfg")));
    appliance
}

fn running(lab: &Lab) -> Appliance<'_> {
    lay(lab);
    let mut appliance = example(lab);
    appliance.start();
    appliance
}

fn default_routes(lab: &Lab) -> Vec<String> {
    let text = lab.sh("appliance", "ip -6 -j route show default");
    let routes: serde_json::Value = serde_json::from_str(&text).unwrap();
    let routes = routes.as_array().unwrap().iter();
    let line = |route: &serde_json::Value| {
        let word = |name: &str| route[name].as_str().unwrap().to_owned();
        assert_eq!(word("protocol"), "76", "{route}");
        format!("{} {} {}", word("gateway"), word("dev"), route["metric"])
    };
    routes.map(line).collect()
}

const FIVE_ROUTES: [&str; 5] = [
    "fd00:98::1 eth0 1024",
    "fd00:16::1 eth1 1101",
    "fd00:2::1 eth2 1102",
    "fd00:3::1 eth3 1103",
    "fd00:4::1 eth4 1104",
];

/// Packets that a host has forwarded, of IPv6.
fn forwarded(lab: &Lab, role: &str) -> u64 {
    let text = lab.sh(role, "cat /proc/net/snmp6");
    let line = text
        .lines()
        .find(|line| line.starts_with("Ip6OutForwDatagrams"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// The lab itself, with Debian's HAProxy and the `ip` command in Lanai's place. Of binds that share a port
/// HAProxy leaves it to the kernel who gets a connection, which in IPv6 is the first bound: the one
/// without an interface takes all, unless it comes last.
#[test]
fn haproxy_shows_what_the_article_says_if_the_bind_with_an_interface_is_first() {
    let lab = Lab::new();
    let _servers = ["web1", "web2"].map(|role| lab.web_server(role));
    lay(&lab);
    let addresses = [
        ("198.51.100.10/24", 0),
        ("198.51.100.11/24", 0),
        ("172.16.1.10/24", 1),
        ("10.2.0.10/24", 2),
        ("10.2.0.12/24", 2),
        ("10.3.0.10/24", 3),
        ("10.4.0.10/24", 4),
    ];
    for (address, number) in addresses {
        let line = format!("ip link set eth{number} up; ip address add {{}} dev eth{number} nodad");
        lab.sh("appliance", &line.replace("{}", &six(address)));
    }
    for route in FIVE_ROUTES {
        let words: Vec<&str> = route.split(' ').collect();
        let line = format!(
            "ip -6 route add default via {} dev {} metric {}",
            words[0], words[1], words[2]
        );
        lab.sh("appliance", &line);
    }
    let example = example(&lab);
    let config = example.config();
    let config = config.to_str().unwrap();
    let argv = ["haproxy", "-db", "-C", config, "-f", "haproxy.cfg"];
    let haproxy = lab.start("appliance", &argv);
    lab.listening("appliance", 443);
    expect::answer_strays_to_eth0(&lab, &LAN_TO_EXCHANGE.six());
    drop(haproxy);

    let bind = "    bind [fd00:98::11]:443 name";
    let [internet, by_eth2] = ["internet", "lan interface eth2"]
        .map(|name| format!("{bind} {name} ssl crt ssl/exchange.pem\n"));
    let (both, turned) = (
        format!("{internet}{by_eth2}"),
        format!("{by_eth2}{internet}"),
    );
    example.edit("haproxy.cfg", &both, &turned);
    let _haproxy = lab.start("appliance", &argv);
    lab.listening("appliance", 443);
    expect::each_side_is_answered_by_its_own_in_ipv6(&lab);
}

#[test]
fn five_default_routes_and_each_side_is_answered_by_its_own_interface() {
    let lab = Lab::new();
    let _servers = ["web1", "web2", "branch"].map(|role| lab.web_server(role));
    let appliance = running(&lab);
    assert_eq!(default_routes(&lab), FIVE_ROUTES);
    let forwarding =
        "sysctl -n net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.forwarding net.ipv4.ip_forward";
    assert_eq!(lab.sh("appliance", forwarding), "0\n0\n0\n");
    let plan = appliance.lanai(&["plan"]).ok();
    assert!(plan.contains("no change"), "{plan}");
    expect::each_side_is_answered_by_its_own_in_ipv6(&lab);

    // Nor is the box a gateway between zones.
    let before = forwarded(&lab, "appliance");
    let on_eth2 = lab.count_leaving("eth2", &format!("ip6 daddr {}", six("10.21.0.10")));
    let response = lab.client("internet").patience(3).get(&six(BRANCH));
    assert_eq!((response.status, response.body.as_str()), (0, ""));
    assert_eq!(forwarded(&lab, "appliance"), before);
    assert_eq!(on_eth2.packets(), 0);

    // The same frontend without `interface`.
    appliance.edit(
        "haproxy.cfg",
        "    bind [fd00:98::11]:443 name lan interface eth2 ssl crt ssl/exchange.pem\n",
        "",
    );
    appliance.apply("Exchange answers by the first default route");
    expect::answer_strays_to_eth0(&lab, &LAN_TO_EXCHANGE.six());
}

#[test]
fn article_1_the_exact_state() {
    let lab = Lab::new();
    let _appliance = running(&lab);
    let routes = asked(&lab, "ip -6 -j route show default");
    let names = ["dst", "gateway", "dev", "protocol", "metric"];
    let wanted = FIVE_ROUTES.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let metric: u32 = words[2].parse().unwrap();
        json!({"dst": "default", "gateway": words[0], "dev": words[1], "protocol": "76", "metric": metric})
    });
    assert_eq!(members(&routes, &names), wanted);
    let own = |interface| {
        let mut all = addresses(&lab, interface);
        all.sort();
        all
    };
    assert_eq!(own("eth0"), ["fd00:98::10/64", "fd00:98::11/64"]);
    assert_eq!(own("eth2"), ["fd00:2::10/64", "fd00:2::12/64"]);
    let rules = asked(&lab, "ip -6 -j rule");
    let plain = |priority: u32, table: &str| json!({"priority": priority, "table": table});
    assert_eq!(
        members(&rules, &["priority", "table"]),
        [plain(0, "local"), plain(32766, "main")]
    );
    let tables = asked(&lab, "nft -j list tables");
    assert_eq!(tables["nftables"].as_array().unwrap().len(), 1);
    let names = [
        "net.ipv6.conf.all.forwarding",
        "net.ipv6.conf.eth0.forwarding",
        "net.ipv6.conf.eth4.forwarding",
        "net.ipv6.ip_nonlocal_bind",
    ];
    assert_eq!(settings(&lab, &names), ["0"; 4]);
}

/// Tells all hosts of a link that this one is a router, and which network theirs is (RFC 4861, 4.2 and
/// 4.6.2).
const ADVERTISE: &str = "
import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
router = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0)
network = socket.inet_pton(socket.AF_INET6, sys.argv[1])
network = struct.pack('!BBBBIII', 3, 4, 64, 0xc0, 86400, 14400, 0) + network
index = socket.if_nametoindex(sys.argv[2])
s.sendto(router + network, ('ff02::1', 0, 0, index))
";

#[test]
fn what_a_router_advertises_is_taken_where_addresses_come_by_themselves_and_is_nobodys() {
    let lab = Lab::new();
    let mut appliance = Appliance::example(&lab);
    let block = "service network eth4\n";
    appliance.edit(
        "services.cfg",
        block,
        &format!("{block}    ip autoconfig\n"),
    );
    let services = appliance.read("services.cfg");
    appliance.write("services.cfg", &format!("{services}\nservice firewall\n"));
    appliance.start();
    let state = || {
        let ours = "-e fd00:33: -e fd00:44: -e 'proto ra'";
        let line = format!(
            "(ip -6 -o address show | tr -s ' ' | cut -d' ' -f2,4; ip -6 route) | grep {ours} || true"
        );
        lab.sh("appliance", &line)
    };
    let taken = || {
        let state = state();
        let address = state.lines().any(|line| line.starts_with("eth4 fd00:44:"));
        address && state.contains("default via fe80")
    };
    until("the advertised address and route", within(), || {
        for (role, network) in [("net3", "fd00:33::"), ("net4", "fd00:44::")] {
            // It has no address of the link to send from until nobody else is known to have it.
            lab.run(role, &["python3", "-c", ADVERTISE, network, "vlan"]);
        }
        taken().then_some(())
    });
    let before = state();
    assert!(!before.contains("eth3"), "{before}");

    let plan = appliance.lanai(&["plan"]).ok();
    assert!(plan.contains("no change"), "{plan}");
    appliance.edit(
        "services.cfg",
        "ip autoconfig",
        "ip autoconfig\n    mtu 1400",
    );
    appliance.apply("another change");
    assert!(taken(), "{}", state());
}

#[test]
fn a_transparent_bind_is_no_way_around_the_firewall() {
    let lab = Lab::new();
    let _servers = ["web1", "web2", "branch"].map(|role| lab.web_server(role));
    let mut appliance = running(&lab);
    lab.sh(
        "gw0",
        &format!("ip -6 route add {}", six("192.0.2.80 via 198.51.100.10")),
    );
    lab.sh("appliance", "nft add table inet theirs");
    let before = appliance.kernel_state();
    let get = |role: &str, url: &str| lab.client(role).patience(3).get(&six(url));
    let nobodys = "http://192.0.2.80/";
    assert_eq!(get("internet", nobodys).status, 0);
    let haproxy = appliance.read("haproxy.cfg");
    let bind = "    bind [fd00:98::10]:80 name http\n";
    let more = six("    bind 192.0.2.80:80 transparent\n");
    let transparent = || appliance.edit("haproxy.cfg", bind, &format!("{bind}{more}"));
    transparent();
    let plan = appliance.lanai(&["plan"]).ok();
    for words in [
        "add chain forward (type filter hook forward priority 0, policy drop) (haproxy.cfg:",
        "fwmark 0x1/0x1 lookup 100 (IPv6): packets of transparent sockets are the box's own (haproxy.cfg:",
        "set net.ipv6.ip_nonlocal_bind to 1 (was 0)",
    ] {
        assert!(plan.contains(words), "{words}\nis not in\n{plan}");
    }
    // IPv4 needs none of it, and gets none.
    assert!(!plan.contains("net.ipv4.ip_forward"), "{plan}");
    appliance.apply("transparent");
    for url in [nobodys, WWW] {
        let response = get("internet", url);
        assert!(response.body.starts_with("web"), "{url}: {response:?}");
    }
    let forwarding = "sysctl -n net.ipv6.conf.all.forwarding net.ipv4.ip_forward";
    assert_eq!(lab.sh("appliance", forwarding), "1\n0\n");

    // From each of three zones to a server behind another one.
    let ways = [
        ("internet", "203.0.113.10", BRANCH, "eth2"),
        ("partner", "172.16.100.10", "http://10.3.0.11/", "eth3"),
        ("lan", "10.20.0.10", "http://10.4.0.11/", "eth4"),
    ];
    for (role, client, url, way) in ways {
        let passed = lab.count_leaving(way, &format!("ip6 saddr {}", six(client)));
        let response = get(role, url);
        assert_eq!(
            (response.status, response.exit, passed.packets()),
            (0, 28, 0),
            "{role} reaches {url}"
        );
    }

    // Without it, all is as before.
    appliance.write("haproxy.cfg", &haproxy);
    appliance.apply("not transparent");
    assert_eq!(appliance.kernel_state(), before);

    // And it is the filter that held: with forwarding on and without it, each way is open.
    transparent();
    appliance.apply("transparent");
    assert_eq!(appliance.stop(), 0);
    lab.sh("appliance", "nft delete table inet lanai");
    for (role, client, url, way) in ways {
        let passed = lab.count_leaving(way, &format!("ip6 saddr {}", six(client)));
        let _ = get(role, url);
        assert!(
            passed.packets() > 0,
            "{role} could not have reached {url} anyway"
        );
    }
}

#[test]
fn what_others_configured_is_left_alone() {
    let lab = Lab::new();
    lay(&lab);
    let mut appliance = example(&lab);
    lab.sh(
        "appliance",
        "ip link set eth0 up; ip address add fd00:98::99/64 dev eth0 nodad
         ip -6 route add 2001:db8:1::/48 via fd00:98::1; ip -6 route add 2001:db8:2::/48 dev eth0 proto 18
         ip -6 rule add from fd00:98::99 table 77; ip -6 route add default via fd00:98::1 table 77",
    );
    let theirs = || {
        let rules = lab.sh("appliance", "ip -6 rule show; ip -6 route show table 77");
        assert!(rules.contains("from fd00:98::99 lookup 77"), "{rules}");
        assert!(rules.contains("default via fd00:98::1"), "{rules}");
        let routes = lab.sh("appliance", "ip -6 route show | grep 2001:db8");
        assert_eq!(routes.lines().count(), 2, "{routes}");
        let addresses = lab.sh("appliance", "ip -o -6 address show dev eth0");
        assert!(addresses.contains("fd00:98::99/64"), "{addresses}");
    };
    theirs();
    appliance.start();
    theirs();
    // Stale ones of ours go; theirs stay.
    appliance.edit(
        "services.cfg",
        "    ip   route   default fd00:4::1 metric 1104\n",
        "",
    );
    appliance.edit(
        "services.cfg",
        "    ip   address fd00:98::11/64        # Exchange\n",
        "",
    );
    for name in ["internet", "lan"] {
        appliance.edit(
            "haproxy.cfg",
            &format!("[fd00:98::11]:443 name {name}"),
            &format!("[fd00:98::10]:8443 name {name}"),
        );
    }
    appliance.apply("fewer");
    theirs();
    assert_eq!(default_routes(&lab), FIVE_ROUTES[..4]);
    let addresses = lab.sh("appliance", "ip -o -6 address show dev eth0");
    assert!(!addresses.contains("fd00:98::11/"), "{addresses}");
    assert!(addresses.contains("fd00:98::10/"), "{addresses}");
}

#[test]
fn a_change_that_fails_halfway_leaves_everything_as_it_was() {
    let lab = Lab::new();
    let _servers = ["web1", "web2"].map(|role| lab.web_server(role));
    let appliance = running(&lab);
    let _squatter = lab.start(
        "appliance",
        &["socat", "TCP6-LISTEN:8080,bind=[fd00:3::10]", "PIPE"],
    );
    lab.listening("appliance", 8080);
    let before = appliance.kernel_state();
    let texts = ["services.cfg", "haproxy.cfg"].map(|name| (name, appliance.read(name)));
    appliance.edit(
        "services.cfg",
        "    ip   address fd00:3::10/64\n",
        "    ip   address fd00:3::10/64\n    ip   address fd00:3::77/64\n    \
         ip   route   2001:db8:1::/48 fd00:3::1\n",
    );
    appliance.edit(
        "haproxy.cfg",
        "name http\n",
        "name http\n    bind [fd00:3::10]:8080 name taken\n",
    );
    let failed = appliance.lanai(&["apply", "--comment", "the port is taken"]);
    assert_eq!(failed.code, 1, "{failed:#?}");
    assert!(failed.text().contains("[fd00:3::10]:8080"), "{failed:#?}");
    for (name, text) in texts {
        appliance.write(name, &text);
    }
    until("the kernel's state to be as before", within(), || {
        (appliance.kernel_state() == before).then_some(())
    });
    expect::each_side_is_answered_by_its_own_in_ipv6(&lab);
}

#[test]
fn who_may_be_cut_off_is_told_and_gets_a_trial() {
    let lab = Lab::new();
    let appliance = running(&lab);
    let before = appliance.kernel_state();
    let by_eth1 = "SSH_CONNECTION=fd00:100::10 50000 fd00:16::10 22";
    let ask = |verb: &str| appliance.lanai_after(&["env", by_eth1], &[verb]).ok();
    // The address that they are connected to goes.
    appliance.edit("services.cfg", "fd00:16::10/64", "fd00:16::99/64");
    let plan = ask("plan");
    assert!(plan.contains("the address fd00:16::10 any more"), "{plan}");
    let said = ask("apply");
    assert!(said.contains("is on trial"), "{said}");
    let addresses = lab.sh("appliance", "ip -6 address show dev eth1");
    assert!(addresses.contains("fd00:16::99"), "{addresses}");
    appliance.lanai(&["rollback"]).ok();
    assert_eq!(appliance.kernel_state(), before);
    // The way back to them goes.
    appliance.edit("services.cfg", "fd00:16::99/64", "fd00:16::10/64");
    for gateway in [
        "fd00:98::1",
        "fd00:16::1 metric 1101",
        "fd00:2::1 metric 1102",
        "fd00:3::1 metric 1103",
        "fd00:4::1 metric 1104",
    ] {
        appliance.edit(
            "services.cfg",
            &format!("    ip   route   default {gateway}\n"),
            "",
        );
    }
    let plan = ask("plan");
    assert!(plan.contains("This may cut you off"), "{plan}");
}

#[test]
fn what_cannot_be_is_refused_or_warned_about_with_its_lines() {
    let lab = Lab::new();
    let appliance = example(&lab);
    let quiet = appliance.lanai(&["check"]);
    assert_eq!(quiet.code, 0, "{quiet:#?}");
    assert!(!quiet.text().contains("eth2"), "{quiet:#?}");
    let line_of = |file: &str, words: &str| {
        let text = appliance.read(file);
        let line = text.lines().position(|line| line.contains(words));
        format!("{file}:{}:", line.unwrap() + 1)
    };
    // Two default routes with one metric.
    appliance.edit(
        "services.cfg",
        "fd00:4::1 metric 1104",
        "fd00:4::1 metric 1103",
    );
    let refused = appliance.lanai(&["check"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    for words in ["fd00:3::1 metric 1103", "fd00:4::1 metric 1103"] {
        let place = line_of("services.cfg", words);
        assert!(refused.text().contains(&place), "{place} {refused:#?}");
    }
    appliance.edit(
        "services.cfg",
        "fd00:4::1 metric 1103",
        "fd00:4::1 metric 1104",
    );
    // A bind on an interface without a way to its clients.
    appliance.edit(
        "services.cfg",
        "    ip   route   default fd00:2::1 metric 1102\n",
        "",
    );
    let warned = appliance.lanai(&["check"]);
    assert_eq!(warned.code, 0, "a warning refuses nothing: {warned:#?}");
    let place = line_of("haproxy.cfg", "name lan interface eth2");
    assert!(warned.text().contains(&place), "{place} {warned:#?}");
}
