//! Article 2: a bind on an address that the box does not have, from the two texts alone; and that the
//! box is no way around the firewall while forwarding is on.

use lanai_tests::{Appliance, Lab};

use crate::expect::{BRANCH, WWW};

/// What nobody on the network has; gateways send it to the appliance.
const NOBODYS: &str = "http://192.0.2.80/";
const NOBODYS_V6: &str = "http://[2001:db8:80::80]/";

/// Ways to the appliance for addresses that nobody has, and IPv6 between client and appliance.
fn lead_to_the_appliance(lab: &Lab) {
    lab.sh(
        "gw0",
        "ip route add 192.0.2.80 via 198.51.100.10
         echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
         ip address add fd00:98::1/64 dev appl nodad; ip address add fd00:113::1/64 dev clients nodad
         ip route add 2001:db8:80::80 via fd00:98::10",
    );
    lab.sh(
        "internet",
        "ip address add fd00:113::10/64 dev eth0 nodad; ip route add default via fd00:113::1",
    );
}

fn transparent(appliance: &Appliance<'_>) {
    appliance.edit(
        "haproxy.cfg",
        "    bind 198.51.100.10:80 name http\n",
        "    bind 198.51.100.10:80 name http
    bind 192.0.2.80:80 transparent
    bind [2001:db8:80::80]:80 transparent\n",
    );
    appliance.edit(
        "services.cfg",
        "service network eth0\n",
        "service network eth0
    ip   address fd00:98::10/64
    ip   route   default fd00:98::1\n",
    );
}

#[test]
fn an_address_that_nobody_has_is_served_and_nothing_else_passes() {
    let lab = Lab::new();
    let _servers = [
        lab.web_server("web1"),
        lab.web_server("web2"),
        lab.web_server("branch"),
    ];
    let mut appliance = Appliance::running(&lab);
    lead_to_the_appliance(&lab);
    lab.sh("appliance", "nft add table inet theirs");
    let before = appliance.kernel_state();
    let get = |role: &str, url: &str| lab.client(role).patience(3).get(url);
    assert_eq!(get("internet", NOBODYS).status, 0);
    let (services, haproxy) = (
        appliance.read("services.cfg"),
        appliance.read("haproxy.cfg"),
    );
    transparent(&appliance);

    let plan = appliance.lanai(&["plan"]).ok();
    for words in [
        "add chain forward (type filter hook forward priority 0, policy drop) (haproxy.cfg:",
        "fwmark 0x1/0x1 lookup 100: packets of transparent sockets are the box's own (haproxy.cfg:",
        "add route local default dev lo table 100: it is not there (haproxy.cfg:",
        "set net.ipv4.ip_nonlocal_bind to 1 (was 0)",
    ] {
        assert!(plan.contains(words), "{words}\nis not in\n{plan}");
    }
    appliance.apply("transparent");
    for url in [NOBODYS, NOBODYS_V6, WWW] {
        let response = get("internet", url);
        assert!(response.body.starts_with("web"), "{url}: {response:?}");
    }
    assert_eq!(
        lab.sh(
            "appliance",
            "sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding"
        ),
        "1\n1\n"
    );
    let again = appliance.lanai(&["plan"]).ok();
    assert!(again.contains("no change"), "{again}");

    // From each of three zones to a server behind another one.
    let ways = [
        ("internet", "203.0.113.10", BRANCH, "eth2"),
        ("partner", "172.16.100.10", "http://10.3.0.11/", "eth3"),
        ("lan", "10.20.0.10", "http://10.4.0.11/", "eth4"),
    ];
    for (role, client, url, way) in ways {
        let passed = lab.count_leaving(way, &format!("ip saddr {client}"));
        let response = get(role, url);
        assert_eq!(
            (response.status, response.exit, passed.packets()),
            (0, 28, 0),
            "{role} reaches {url}"
        );
    }

    // Without it, all is as before.
    appliance.write("services.cfg", &services);
    appliance.write("haproxy.cfg", &haproxy);
    appliance.apply("not transparent");
    assert_eq!(appliance.kernel_state(), before);

    // And it is the filter that held: with forwarding on and without it, a way is open.
    transparent(&appliance);
    appliance.apply("transparent");
    assert_eq!(appliance.stop(), 0);
    lab.sh("appliance", "nft delete table inet lanai");
    let mut ways = ways.iter();
    let open = ways.any(|(role, _, url, _)| get(role, url).status == 200);
    assert!(open, "nothing could have passed anyway");
}
