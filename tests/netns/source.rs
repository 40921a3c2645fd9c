//! `source ... usesrc`: servers see the client's address and answer through the box (article 2), with
//! Debian's HAProxy doing the same in the same place.

use lanai_tests::{Appliance, Lab, within};

/// Servers behind eth3 that are to see somebody else than the box.
const SHOWING: &str = "
defaults
    mode http
    timeout connect 3s
    timeout client 30s
    timeout server 30s
    http-reuse always

frontend ft_ip
    bind 198.51.100.10:8001
    default_backend bk_ip
backend bk_ip
    source 10.3.0.10 usesrc clientip
    server web1 10.3.0.11:80 check inter 200ms

frontend ft_ip6
    bind [fd00:98::10]:8001
    default_backend bk_ip6
backend bk_ip6
    source [fd00:3::10] usesrc clientip
    server web1 [fd00:3::11]:80 check inter 200ms

frontend ft_port
    bind 198.51.100.10:8002
    default_backend bk_port
backend bk_port
    server web1 10.3.0.11:80 source 0.0.0.0 usesrc client

frontend ft_header
    bind 198.51.100.10:8003
    default_backend bk_header
backend bk_header
    source 0.0.0.0 usesrc hdr_ip(x-real-ip)
    server web1 10.3.0.11:80

listen tcp
    mode tcp
    bind 198.51.100.10:8004
    bind [fd00:98::10]:8004
    source 10.3.0.10 usesrc clientip
    server web1 10.3.0.11:80

listen other
    bind 198.51.100.10:8005
    source 10.3.0.10 usesrc 203.0.113.99
    server web1 10.3.0.11:80
";

/// IPv6 from the internet to the servers; clients behind one host; servers answer by the box.
fn lay(lab: &Lab) {
    lab.sh(
        "gw0",
        "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
         ip address add fd00:98::1/64 dev appl nodad; ip address add fd00:113::1/64 dev clients nodad",
    );
    lab.sh(
        "internet",
        "ip address add 203.0.113.11/24 dev eth0
         ip address add fd00:113::10/64 dev eth0 nodad; ip address add fd00:113::11/64 dev eth0 nodad
         ip route add default via fd00:113::1",
    );
    lab.sh(
        "web1",
        "ip address add fd00:3::11/64 dev eth0 nodad; ip route add fd00:113::/64 via fd00:3::10
         ip route add 203.0.113.0/24 via 10.3.0.10",
    );
}

/// The addresses that the servers see.
fn servers_see_clients(lab: &Lab, port: &str) {
    let get = |url: &str, arguments: &[&str]| {
        let curl = lab.client("internet").patience(3).with(arguments);
        let response = curl.get(&format!("http://{url}/peer"));
        response.body.trim().to_owned()
    };
    let address = |seen: String| seen.split(' ').next().unwrap_or_default().to_owned();
    // Connections stay open behind the box, and none serves another client.
    for _ in 0..2 {
        for from in ["203.0.113.10", "203.0.113.11"] {
            for port in [8001, 8004] {
                let seen = get(&format!("198.51.100.10:{port}"), &["--interface", from]);
                assert_eq!(address(seen), from, "port {port}");
            }
        }
        for from in ["fd00:113::10", "fd00:113::11"] {
            let seen = get("[fd00:98::10]:8001", &["--interface", from]);
            assert_eq!(address(seen), from);
        }
    }
    let seen = get(
        "198.51.100.10:8002",
        &["--interface", "203.0.113.10", "--local-port", port],
    );
    assert_eq!(seen, format!("203.0.113.10 {port}"));
    let header = |value: &str| address(get("198.51.100.10:8003", &["-H", value]));
    assert_eq!(
        header("X-Real-IP: 203.0.113.70, 203.0.113.71"),
        "203.0.113.71"
    );
    assert_eq!(header("X-Real-IP: somebody"), "10.3.0.10");
    assert_eq!(address(get("198.51.100.10:8005", &[])), "203.0.113.99");
}

#[test]
fn servers_see_the_client_and_answer_through_the_box() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    lay(&lab);
    let mut appliance = Appliance::running(&lab);
    lab.sh("appliance", "nft add table inet theirs");
    let before = appliance.kernel_state();
    let texts = ["services.cfg", "haproxy.cfg"].map(|name| (name, appliance.read(name)));
    appliance.edit(
        "services.cfg",
        "service network eth0\n",
        "service network eth0\n    ip   address fd00:98::10/64\n    ip   route   default fd00:98::1\n",
    );
    appliance.edit(
        "services.cfg",
        "service network eth3\n",
        "service network eth3\n    ip   address fd00:3::10/64\n",
    );
    let haproxy = appliance.read("haproxy.cfg");
    appliance.write("haproxy.cfg", &format!("{haproxy}{SHOWING}"));
    let plan = appliance.lanai(&["plan"]).ok();
    for words in [
        "add chain divert (type filter hook prerouting priority -150, policy accept) (haproxy.cfg:",
        "fwmark 0x1/0x1 lookup 100: packets of transparent sockets are the box's own (haproxy.cfg:",
        "fwmark 0x1/0x1 lookup 100 (IPv6): packets of transparent sockets",
        "set net.ipv4.ip_forward to 1",
    ] {
        assert!(plan.contains(words), "{words}\nis not in\n{plan}");
    }
    appliance.apply("servers see clients");
    servers_see_clients(&lab, "41234");
    // A client of IPv6 and a server of IPv4, and a request without the field: the address of the box
    // is seen, where HAProxy gives up.
    for url in [
        "http://[fd00:98::10]:8004/peer",
        "http://198.51.100.10:8003/peer",
    ] {
        let response = lab.client("internet").patience(3).get(url);
        assert!(
            response.body.starts_with("10.3.0.10 "),
            "{url}: {response:?}"
        );
    }

    // The real one, in the same network.
    assert_eq!(appliance.stop(), 0);
    let config = appliance.config();
    appliance.write("alone.cfg", SHOWING);
    let argv = [
        "haproxy",
        "-db",
        "-C",
        config.to_str().unwrap(),
        "-f",
        "alone.cfg",
    ];
    let mut theirs = lab.start("appliance", &argv);
    lab.listening("appliance", 8001);
    servers_see_clients(&lab, "41235");
    theirs.signal(nix::sys::signal::Signal::SIGTERM);
    theirs.ended(within());

    // Without it, all is as before.
    std::fs::remove_file(config.join("alone.cfg")).unwrap();
    appliance.start();
    for (name, text) in texts {
        appliance.write(name, &text);
    }
    appliance.apply("servers see the box");
    assert_eq!(appliance.kernel_state(), before);
}

#[test]
fn what_cannot_be_shown_is_refused_before_anything_is_touched() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let before = appliance.kernel_state();
    appliance.edit(
        "haproxy.cfg",
        "    server web1 10.3.0.11:80 check\n",
        "    server web1 10.3.0.11:80 check source 0.0.0.0 interface eth77\n",
    );
    let refused = appliance.lanai(&["apply"]);
    assert_eq!(refused.code, 1, "{}", refused.text());
    let text = refused.text();
    assert!(
        text.contains("'source' cannot use interface 'eth77'") && text.contains("haproxy.cfg:"),
        "{text}"
    );
    assert_eq!(appliance.kernel_state(), before);
}
