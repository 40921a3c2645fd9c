//! The firewall, tried from outside: from three zones, every address of the box and its ports.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use lanai_tests::{Appliance, Lab, Process, knock, until, within};

/// The zones' hosts beside the box, with the box's addresses there.
const ZONES: [(&str, &str, [&str; 2]); 3] = [
    ("gw0", "eth0", ["198.51.100.10", "2001:db8:0::10"]),
    ("gw1", "eth1", ["172.16.1.10", "2001:db8:1::10"]),
    ("gw2", "eth2", ["10.2.0.10", "2001:db8:2::10"]),
];

/// Ports tried of an address in another zone; of one in the host's own zone all are.
const ELSEWHERE: u16 = 4500;

const LAYER7: &str = "
defaults
    mode tcp
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend www
    bind 198.51.100.10:80
    bind 2001:db8:0::10:80
    bind 198.51.100.10:443 interface eth2
    bind *:1080
    default_backend none
backend none
";

/// Asks an address for an echo, and ends with 0 if one comes.
const ECHO: &str = "
import socket, sys
six = ':' in sys.argv[1]
kind, protocol = (socket.AF_INET6, 58) if six else (socket.AF_INET, 1)
s = socket.socket(kind, socket.SOCK_RAW, protocol)
s.settimeout(1)
# Type, code, checksum (the kernel's for IPv6), identifier, number.
s.sendto(bytes.fromhex('80000000abcd0001' if six else '08004c31abcd0001'), (sys.argv[1], 0))
try:
    while True:
        answer, sender = s.recvfrom(2048)
        if answer[0 if six else 20] == (129 if six else 0) and sender[0] == sys.argv[1]:
            sys.exit(0)
except TimeoutError:
    sys.exit(1)
";

fn services(firewall: &str) -> String {
    let mut text = String::new();
    for (_, interface, [four, six]) in ZONES {
        text += &format!(
            "service network {interface}\n    ip address {four}/24\n    ip address {six}/64\n"
        );
    }
    text + firewall
}

const FIREWALL: &str = "
service wui
    allow 10.2.0.0/24
    allow 2001:db8:2::/64
    allow 169.254.44.0/30
service sshd
    listen 0.0.0.0:22
    allow 10.2.0.0/24
service firewall
    allow tcp port 3000-3001 from 172.16.1.0/24 on eth1
    allow icmp from 172.16.1.0/24
";

/// The appliance between three zones that can reach each of its addresses by their own side, and
/// programs on it that nobody asked for: they listen everywhere.
fn stage(lab: &Lab) -> (Appliance<'_>, Vec<Process>) {
    for (index, (host, _, own)) in ZONES.into_iter().enumerate() {
        lab.sh(
            host,
            &format!("ip address add 2001:db8:{index}::1/64 dev appl nodad"),
        );
        for (_, _, addresses) in ZONES {
            for (address, by) in addresses.into_iter().zip(own) {
                if address != by {
                    lab.sh(
                        host,
                        &format!("ip route replace {address} via {by} dev appl"),
                    );
                }
            }
        }
    }
    let mut appliance = Appliance::example(lab);
    appliance.write("haproxy.cfg", LAYER7);
    appliance.write("services.cfg", &services(""));
    appliance.start();
    let strays = ["22", "3000", "4000", "60000"].map(|port| {
        let program = format!(
            "import socket\ns = socket.create_server(('::', {port}), family=socket.AF_INET6, \
             dualstack_ipv6=True)\nwhile True: s.accept()[0].close()"
        );
        let stray = lab.start("appliance", &["python3", "-c", &program]);
        lab.listening("appliance", port.parse().unwrap());
        stray
    });
    (appliance, strays.into())
}

/// What answers in any way, refusals too.
fn answering(lab: &Lab, host: &str, own: [&str; 2]) -> BTreeSet<SocketAddr> {
    let mut found = BTreeSet::new();
    for (_, _, addresses) in ZONES {
        for address in addresses {
            let most = if own.contains(&address) {
                u16::MAX
            } else {
                ELSEWHERE
            };
            let answers = knock(lab, host, address.parse().unwrap(), 1..=most);
            found.extend(answers);
        }
    }
    found
}

fn sockets(list: &[&str]) -> BTreeSet<SocketAddr> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

/// A login link is of an address where somebody is let in, which the first one is not.
fn links_lead_to_where_their_readers_are(appliance: &Appliance<'_>) {
    let link = || appliance.lanai(&["user", "login-link", "admin"]).ok();
    let printed = link();
    assert!(
        printed.starts_with("https://10.2.0.10:4444/login?"),
        "{printed}"
    );
    assert_eq!(printed.lines().count(), 2, "{printed}");
    let mut far = services(FIREWALL);
    for allow in ["10.2.0.0/24", "2001:db8:2::/64", "169.254.44.0/30"] {
        far = far.replacen(&format!("allow {allow}"), "allow 203.0.113.0/24", 1);
    }
    let far = far.replacen("    allow 203.0.113.0/24\n", "", 2);
    appliance.write("services.cfg", &far);
    appliance.apply("nobody is near");
    let line = far.lines().position(|line| line.contains("203.0.113.0"));
    let told = format!(
        "services.cfg:{}: allow 203.0.113.0/24 keeps",
        line.unwrap() + 1
    );
    let printed = link();
    assert!(printed.contains(&told), "{told}: {printed}");
}

#[test]
fn from_every_zone_only_what_is_served_there_answers() {
    let lab = Lab::new();
    let (appliance, _strays) = stage(&lab);
    let foreign = "nft add table inet other; nft add chain inet other c \
                   '{ type filter hook input priority 5; }'; ip route add 192.0.2.0/24 via \
                   169.254.44.1 dev mgmt proto static; ip rule add from 192.0.2.7 lookup 7 priority 7";
    lab.sh("appliance", foreign);
    // Addresses of the links themselves show that they are still being tried out, until they are not.
    until("duplicate address detection to end", within(), || {
        let trying = lab.sh("appliance", "ip -o address show tentative");
        trying.is_empty().then_some(())
    });
    let theirs = || {
        lab.sh(
            "appliance",
            "nft list table inet other; ip route show proto static; ip rule; ip -o address show mgmt",
        )
    };
    let before = (theirs(), appliance.kernel_state());
    // Without the firewall one zone reaches what is for another, and what is for nobody.
    for stray in ["198.51.100.10:80", "[2001:db8::10]:80", "10.2.0.10:4000"] {
        let stray: SocketAddr = stray.parse().unwrap();
        let answers = knock(&lab, "gw1", stray.ip(), stray.port()..=stray.port());
        assert_eq!(answers, [stray]);
    }

    appliance.write("services.cfg", &services(FIREWALL));
    let plan = appliance.lanai(&["plan"]).ok();
    assert!(plan.contains("add nftables table inet lanai"), "{plan}");
    appliance.apply("the firewall");
    let wanted = [
        sockets(&[
            "198.51.100.10:80",
            "[2001:db8::10]:80",
            "198.51.100.10:1080",
        ]),
        sockets(&["172.16.1.10:1080", "172.16.1.10:3000", "172.16.1.10:3001"]),
        sockets(&[
            "10.2.0.10:1080",
            "10.2.0.10:22",
            "10.2.0.10:4444",
            "[2001:db8:2::10]:4444",
            "198.51.100.10:443",
        ]),
    ];
    for ((host, _, own), wanted) in ZONES.into_iter().zip(wanted) {
        assert_eq!(answering(&lab, host, own), wanted, "seen from {host}");
    }
    // IP itself works: echo and neighbours, in the own zone only.
    for (host, own, other) in [
        ("gw0", "198.51.100.10", "10.2.0.10"),
        ("gw0", "2001:db8::10", "2001:db8:2::10"),
        ("gw2", "2001:db8:2::10", "2001:db8::10"),
    ] {
        let echo = |address| lab.run(host, &["python3", "-c", ECHO, address]).code;
        assert_eq!((echo(own), echo(other)), (0, 1), "{host} and {own}");
    }
    for name in ["arp_ignore", "arp_announce"] {
        let value = lab.sh(
            "appliance",
            &format!("cat /proc/sys/net/ipv4/conf/eth1/{name}"),
        );
        assert_ne!(value.trim(), "0", "{name}");
    }

    links_lead_to_where_their_readers_are(&appliance);

    // Off again, nothing of it is left.
    appliance.write("services.cfg", &services(""));
    appliance.apply("no firewall");
    assert_eq!((theirs(), appliance.kernel_state()), before);
}

#[test]
fn who_would_be_shut_out_is_told_and_gets_a_trial() {
    let lab = Lab::new();
    let (appliance, _strays) = stage(&lab);
    appliance.write("services.cfg", &services(FIREWALL));
    let by_ssh = |connection: &str, verb: &str| {
        appliance
            .lanai_after(&["env", &format!("SSH_CONNECTION={connection}")], &[verb])
            .ok()
    };
    let told = "you at 172.16.1.1 will not be let in to port 22 any more";
    let plan = by_ssh("172.16.1.1 40000 172.16.1.10 22", "plan");
    assert!(plan.contains(told), "{plan}");
    let six = by_ssh("2001:db8:2::1 40000 2001:db8:2::10 22", "plan");
    assert!(six.contains("let in to port 22 any more"), "{six}");
    let plan = by_ssh("10.2.0.1 40000 10.2.0.10 22", "plan");
    assert!(!plan.contains("cut you off"), "{plan}");
    let said = by_ssh("172.16.1.1 40000 172.16.1.10 22", "apply");
    assert!(
        said.contains(told) && said.contains("is on trial"),
        "{said}"
    );
    appliance.lanai(&["rollback"]).ok();
    let ssh: SocketAddr = "172.16.1.10:22".parse().unwrap();
    assert_eq!(knock(&lab, "gw1", ssh.ip(), 22..=22), [ssh]);
}

#[test]
fn a_foreign_flush_of_all_rules_is_put_back() {
    let lab = Lab::new();
    let (appliance, _strays) = stage(&lab);
    appliance.write("services.cfg", &services(FIREWALL));
    appliance.apply("the firewall");
    let before = appliance.kernel_state();
    for change in [
        "nft flush ruleset",
        "nft flush chain inet lanai input",
        "nft insert rule inet lanai input accept",
    ] {
        lab.sh("appliance", change);
        until(&format!("{change:?} to be put back"), within(), || {
            (appliance.kernel_state() == before).then_some(())
        });
    }
}
