//! `source ADDRESS:LOW-HIGH`: ports that are handed out in turn (article 6), with Debian's HAProxy doing
//! the same in the same place.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lanai_tests::{Appliance, Lab, until, within};
use nix::sys::signal::Signal;

/// Ports of each address.
const PORTS: usize = 200;

/// A connection that stands, and whose client may close first, as MySQL's do. Gives where the server saw
/// it come from; `None` when there was no server.
fn call(to: SocketAddr) -> Option<(TcpStream, SocketAddr)> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(within())).unwrap();
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nHost: db\r\n\r\n")
        .unwrap();
    let mut seen = String::new();
    let mut bytes = [0; 4096];
    // The body is one line, behind the head.
    while !seen
        .split_once("\r\n\r\n")
        .is_some_and(|(_, body)| body.ends_with('\n'))
    {
        match stream.read(&mut bytes) {
            Ok(0) => return None,
            Ok(n) => seen.push_str(&String::from_utf8_lossy(&bytes[..n])),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}: {seen}"),
        }
    }
    let (_, body) = seen.split_once("\r\n\r\n").unwrap();
    let (address, port) = body.trim().split_once(' ').unwrap();
    let peer = SocketAddr::new(address.parse().unwrap(), port.parse().unwrap());
    Some((stream, peer))
}

/// One after the other, each closed by its client: where the server saw them come from, up to the first
/// that failed.
fn calls(lab: &Lab, to: &str, most: usize) -> Vec<SocketAddr> {
    let to = to.parse().unwrap();
    let one = move |_| call(to).map(|(_, peer)| peer);
    lab.inside("internet", || (0..most).map_while(one).collect())
}

fn address_of(appliance: &Appliance<'_>, hosts: &[u32]) {
    let more: String = hosts
        .iter()
        .map(|host| format!("    ip   address 10.3.0.{host}/24\n"))
        .collect();
    let block = "service network eth3\n";
    appliance.edit("services.cfg", block, &format!("{block}{more}"));
}

/// A database at one address, reached from four of ours.
fn article_6(port: u32, first_host: u32) -> String {
    let servers: String = (first_host..first_host + 4)
        .map(|host| format!("    server db{host} 10.3.0.11:80 source 10.3.0.{host}:20000-20199\n"))
        .collect();
    format!(
        "listen mysql{port}\n    mode tcp\n    retries 0\n    bind 198.51.100.10:{port}\n{servers}"
    )
}

/// What is in TIME_WAIT on the appliance, of connections to the database.
fn in_time_wait(lab: &Lab, sources: &str) -> usize {
    let line = format!("ss -Htan state time-wait dst 10.3.0.11 and {sources}");
    lab.sh("appliance", &line).lines().count()
}

/// Every port once, in turn, from wherever each server begins, and the four servers in turn.
fn every_port_once(seen: &[SocketAddr], first_host: usize) {
    assert_eq!(
        seen.len(),
        4 * PORTS,
        "a connection failed: {:?}",
        seen.last()
    );
    for (peer, number) in seen.iter().zip(0..) {
        let first = usize::from(seen[number % 4].port()) - 20_000;
        let port = 20_000 + (first + number / 4) % PORTS;
        let wanted = format!("10.3.0.{}:{port}", first_host + number % 4);
        assert_eq!(peer.to_string(), wanted, "connection {number}");
    }
}

#[test]
fn article_6_all_ports_of_all_addresses_are_used() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    let mut appliance = Appliance::running(&lab);
    address_of(&appliance, &[21, 22, 23, 24, 31, 32, 33, 34, 41]);
    let haproxy = appliance.read("haproxy.cfg");
    let kernels = "listen kernels\n    mode tcp\n    retries 0\n    bind 198.51.100.10:3305\n    server db 10.3.0.11:80 source 10.3.0.41\n";
    let ours = article_6(3306, 21);
    appliance.write("haproxy.cfg", &format!("{haproxy}\n{ours}\n{kernels}"));
    let line = appliance.read("haproxy.cfg");
    let line = line
        .lines()
        .position(|l| l.contains("server db21"))
        .unwrap()
        + 1;
    let plan = appliance.lanai(&["plan"]).ok();
    let reserved = format!(
        "set net.ipv4.ip_local_reserved_ports to 3305-3306,20000-20199 (was nothing): a server's source \
         ports, and listeners' ports, are taken by no other connection (haproxy.cfg:{line})"
    );
    assert!(plan.contains(&reserved), "{reserved}\nis not in\n{plan}");
    appliance.apply("source ports");
    // Without timestamps nothing in TIME_WAIT is used again; the kernel has as many ports as each server.
    lab.sh(
        "appliance",
        "sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.ip_local_port_range='30000 30199'",
    );
    let kernels = calls(&lab, "198.51.100.10:3305", 4 * PORTS);
    assert_eq!(kernels.len(), PORTS);
    assert_eq!(in_time_wait(&lab, "src 10.3.0.41"), PORTS);
    let seen = calls(&lab, "198.51.100.10:3306", 4 * PORTS);
    every_port_once(&seen, 21);
    let ports = "sport ge 20000 and sport le 20199";
    until("all to be closed", within(), || {
        (in_time_wait(&lab, ports) == 4 * PORTS).then_some(())
    });
    // That was all there are.
    assert_eq!(calls(&lab, "198.51.100.10:3306", 1), []);

    // The real one, in the same network.
    assert_eq!(appliance.stop(), 0);
    let defaults =
        "defaults\n    timeout connect 3s\n    timeout client 30s\n    timeout server 30s\n";
    appliance.write("alone.cfg", &format!("{defaults}{}", article_6(3307, 31)));
    let config = appliance.config().join("alone.cfg");
    let mut theirs = lab.start(
        "appliance",
        &["haproxy", "-db", "-f", config.to_str().unwrap()],
    );
    lab.listening("appliance", 3307);
    every_port_once(&calls(&lab, "198.51.100.10:3307", 4 * PORTS), 31);
    assert_eq!(calls(&lab, "198.51.100.10:3307", 1), []);
    theirs.signal(Signal::SIGTERM);
    theirs.ended(within());
}

#[test]
fn connections_in_time_wait_are_used_again_where_the_kernel_can_tell_them_apart() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    let appliance = Appliance::running(&lab);
    address_of(&appliance, &[21]);
    let haproxy = appliance.read("haproxy.cfg");
    let few = "listen few\n    mode tcp\n    bind 198.51.100.10:3306\n    server db 10.3.0.11:80 source 10.3.0.21:20000-20049\n";
    appliance.write("haproxy.cfg", &format!("{haproxy}\n{few}"));
    appliance.apply("source ports");
    for round in 0..3 {
        let seen = calls(&lab, "198.51.100.10:3306", 50);
        let distinct: BTreeSet<_> = seen.iter().map(SocketAddr::port).collect();
        assert_eq!((seen.len(), distinct.len()), (50, 50), "round {round}");
        // The kernel needs timestamps a second apart.
        std::thread::sleep(Duration::from_millis(1100));
    }
}

/// Who makes the connections, and who picks the ports.
const PEERS: [(&str, bool, bool); 4] = [
    ("lanai, source IP:1025-65000", true, true),
    ("haproxy, source IP:1025-65000", false, true),
    ("lanai, source IP", true, false),
    ("haproxy, source IP", false, false),
];

/// Clients that call one after the other, for so long; gives how many calls were answered, and how many
/// were not.
fn load(lab: &Lab, seconds: f64) -> (usize, usize) {
    let to: SocketAddr = "198.51.100.10:3306".parse().unwrap();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let client = || {
        let (mut answered, mut failed) = (0, 0);
        while Instant::now() < end {
            match call(to) {
                Some(_) => answered += 1,
                None => failed += 1,
            }
        }
        (answered, failed)
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| lab.inside("internet", client)))
            .collect();
        let counts = clients.into_iter().map(|client| client.join().unwrap());
        counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    })
}

/// Microseconds of processor that everything on the appliance has used.
fn used_us(lab: &Lab) -> f64 {
    let pids = format!("ip netns pids {}", lab.namespace("appliance"));
    let line = format!(
        "for pid in $({pids}); do cat /proc/$pid/task/*/schedstat; done 2>/dev/null || true"
    );
    let ns = lab.sh("appliance", &line);
    let ns = ns
        .lines()
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok());
    ns.sum::<f64>() / 1e3
}

/// `scripts/plane ports` lets it run as long as no port comes out of TIME_WAIT, and shows what was counted.
#[test]
fn article_6_at_full_speed_no_connection_fails() {
    let seconds = std::env::var("LANAI_PORTS").ok();
    let seconds: f64 = seconds.map_or(1.0, |text| text.parse().unwrap());
    let peers = if seconds < 10.0 { &PEERS[..2] } else { &PEERS };
    for (name, ours, ranges) in peers {
        let lab = Lab::new();
        let _server = lab.web_server("web1");
        let mut appliance = Appliance::running(&lab);
        address_of(&appliance, &[21, 22, 23, 24]);
        let ports = if *ranges { "1025-65000" } else { "0" };
        let text = article_6(3306, 21).replace("20000-20199", ports);
        let haproxy = appliance.read("haproxy.cfg");
        appliance.write("haproxy.cfg", &format!("{haproxy}\n{text}"));
        appliance.apply("article 6");
        // A client that closes first has its own ports in TIME_WAIT.
        lab.sh(
            "internet",
            "sysctl -qw net.ipv4.tcp_tw_reuse=1 net.ipv4.ip_local_port_range='1025 65000'",
        );
        let _theirs = (!ours).then(|| {
            assert_eq!(appliance.stop(), 0);
            let defaults = "defaults\n    timeout connect 3s\n    timeout client 30s\n    timeout server 30s\n";
            appliance.write("alone.cfg", &format!("{defaults}{text}"));
            let config = appliance.config().join("alone.cfg");
            let argv = ["haproxy", "-db", "-f", config.to_str().unwrap()];
            let theirs = lab.start("appliance", &argv);
            lab.listening("appliance", 3306);
            theirs
        });
        let before = used_us(&lab);
        let (answered, failed) = load(&lab, seconds);
        let us = (used_us(&lab) - before) / answered as f64;
        let waiting = in_time_wait(&lab, "dport = :80");
        let rate = answered as f64 / seconds;
        println!(
            "{name:30} {answered:7} connections, {rate:6.0}/s, {us:6.1} us of processor each, \
             {failed:6} failed, {waiting:7} in TIME_WAIT"
        );
        if *ranges {
            assert_eq!(failed, 0, "{name}");
        }
    }
}

const SITES: &str = "
defaults
    mode http
    timeout connect 3s
    timeout client 30s
    timeout server 30s
    http-reuse always

listen plain
    bind 198.51.100.10:8001
    source 10.3.0.21
    server web1 10.3.0.11:80

listen own
    bind 198.51.100.10:8002
    source 10.3.0.21
    default-server source 10.3.0.21:21000-21009
    server web1 10.3.0.11:80 source 10.3.0.22:22000-22009

listen default
    bind 198.51.100.10:8003
    source 10.3.0.22
    default-server source 10.3.0.21:23000-23009
    server web1 10.3.0.11:80

listen six
    bind 198.51.100.10:8004
    server web1 [fd00:3::11]:80 source [fd00:3::10]:24000-24009

listen checked
    bind 198.51.100.10:8005
    server web1 10.3.0.11:80 source 10.3.0.21:25000-25009 interface eth3 check inter 100ms

listen tunnels
    mode tcp
    bind 198.51.100.10:8006
    server web1 10.3.0.11:80 source 10.3.0.21:26000-26001
";

/// Two servers that are one, and take their ports from one range; a listener has one more of them.
const TWINS: &str = "
listen twins
    mode tcp
    retries 0
    bind 198.51.100.10:3306
    server one 10.3.0.11:80 source 10.3.0.21:20000-20009
    server two 10.3.0.11:80 source 10.3.0.21:20000-20009
";

#[test]
fn a_port_that_somebody_has_leads_to_the_next() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    let appliance = Appliance::running(&lab);
    address_of(&appliance, &[21]);
    let haproxy = appliance.read("haproxy.cfg");
    appliance.write("haproxy.cfg", &format!("{haproxy}{TWINS}"));
    appliance.apply("twins");
    let listener = "TCP-LISTEN:20001,bind=10.3.0.21";
    let _listener = lab.start("appliance", &["socat", listener, "EXEC:true"]);
    lab.listening("appliance", 20_001);
    let to = "198.51.100.10:3306".parse().unwrap();
    let open: Vec<_> = lab.inside("internet", || (0..20).map_while(|_| call(to)).collect());
    let ports: BTreeSet<_> = open.iter().map(|(_, peer)| peer.port()).collect();
    let all = (20_000..=20_009).filter(|port| *port != 20_001);
    assert_eq!(ports, all.collect(), "{open:?}");
    assert_eq!(open.len(), 9);
}

/// Ports that an old engine has, from the lowest on, of a thousand.
const HELD: u16 = 150;

/// Servers, each with a ring of its own that begins anywhere.
const RINGS: usize = 16;

#[test]
fn a_new_engine_beside_an_old_one_soon_finds_a_port_that_is_free() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    let mut appliance = Appliance::running(&lab);
    address_of(&appliance, &[21]);
    appliance.apply("an address");
    // What is configured stays. HAProxy is as an engine that finishes: it has the lowest ports.
    assert_eq!(appliance.stop(), 0);
    let text = |port: u16, servers: usize| {
        let servers: String = (0..servers)
            .map(|server| {
                format!("    server db{server} 10.3.0.11:80 source 10.3.0.21:20000-20999\n")
            })
            .collect();
        format!(
            "defaults\n    mode tcp\n    retries 0\n    timeout connect 3s\n    timeout client 30s\n    \
             timeout server 30s\nlisten db{port}\n    bind 198.51.100.10:{port}\n{servers}"
        )
    };
    appliance.write("old.cfg", &text(3306, 1));
    appliance.write("new.cfg", &text(3307, RINGS));
    let [old, new] = ["old.cfg", "new.cfg"].map(|name| appliance.config().join(name));
    let old = ["haproxy", "-db", "-f", old.to_str().unwrap()];
    let _old = lab.start("appliance", &old);
    lab.listening("appliance", 3306);
    let open = |to: &str, count: usize| -> Vec<(TcpStream, SocketAddr)> {
        let to = to.parse().unwrap();
        lab.inside("internet", || (0..count).map_while(|_| call(to)).collect())
    };
    let held = open("198.51.100.10:3306", HELD.into());
    let filter = format!(
        "ss -Htn state established src 10.3.0.21 and sport lt {}",
        20_000 + HELD
    );
    let connections = lab.sh("appliance", &filter).lines().count();
    assert_eq!(connections, usize::from(HELD), "{:?}", held.last());

    let trace = lab.fresh("trace");
    let trace = trace.to_str().unwrap();
    let strace = ["strace", "-f", "-e", "trace=bind", "-o", trace];
    let new = [
        lanai_tests::lanai(),
        "proxy",
        "-db",
        "-f",
        new.to_str().unwrap(),
    ];
    let _new = lab.start("appliance", &[&strace[..], &new].concat());
    lab.listening("appliance", 3307);
    let made = open("198.51.100.10:3307", RINGS);
    assert_eq!(made.len(), RINGS, "{made:?}");
    for (_, peer) in &made {
        assert!((20_000 + HELD..21_000).contains(&peer.port()), "{peer}");
    }
    // Nine tries lead out of 150 ports; what the other rings have may stand in the way after them.
    let mut failed = 0;
    let binds = std::fs::read_to_string(trace).unwrap();
    for line in binds.lines().filter(|line| line.contains("htons(2")) {
        failed = match line.contains("EADDRINUSE") {
            true => failed + 1,
            false => 0,
        };
        assert!(failed <= 12, "{binds}");
    }
}

/// Where a server sees a request come from.
fn seen(lab: &Lab, port: u16) -> String {
    let curl = lab.client("internet").patience(3);
    let response = curl.get(&format!("http://198.51.100.10:{port}/peer"));
    response.body.trim().to_owned()
}

#[test]
fn the_nearest_source_counts_and_a_change_of_it_reaches_the_next_request() {
    let lab = Lab::new();
    let _server = lab.web_server("web1");
    lab.sh("web1", "ip address add fd00:3::11/64 dev eth0 nodad");
    let appliance = Appliance::running(&lab);
    address_of(&appliance, &[21, 22]);
    appliance.edit(
        "services.cfg",
        "service network eth3\n",
        "service network eth3\n    ip   address fd00:3::10/64\n",
    );
    let haproxy = appliance.read("haproxy.cfg");
    appliance.write("haproxy.cfg", &format!("{haproxy}{SITES}"));
    appliance.apply("sources");
    let checks = lab.count_leaving(
        "eth3",
        "ip saddr 10.3.0.21 tcp sport 25000-25009 tcp dport 80",
    );
    let plain = seen(&lab, 8001);
    assert!(plain.starts_with("10.3.0.21 "), "{plain}");
    let own = [8002, 8003, 8004].map(|port| seen(&lab, port));
    let starts = ["10.3.0.22 2200", "10.3.0.21 2300", "fd00:3::10 2400"];
    for (peer, start) in own.iter().zip(starts) {
        assert!(
            peer.starts_with(start),
            "{peer} does not start with {start}"
        );
    }
    // The second request finds the first one's connection.
    assert_eq!([8002, 8003, 8004].map(|port| seen(&lab, port)), own);
    assert_eq!(seen(&lab, 8001), plain);
    until("checks to come from the range", within(), || {
        (checks.packets() > 10).then_some(())
    });

    // What idles comes from where the server must not see connections from any more.
    let before = lab.inside("internet", || call("198.51.100.10:8006".parse().unwrap()));
    let (tunnel, peer) = before.unwrap();
    let mut left = BTreeSet::from([25_999, 26_000, 26_001]);
    assert!(left.remove(&peer.port()), "{peer}");
    for (from, to) in [
        (
            "    source 10.3.0.21\n    server",
            "    source 10.3.0.22\n    server",
        ),
        (
            "source 10.3.0.22:22000-22009",
            "source 10.3.0.22:22100-22109",
        ),
        (
            "source 10.3.0.21:26000-26001",
            "source 10.3.0.21:25999-26001",
        ),
    ] {
        appliance.edit("haproxy.cfg", from, to);
    }
    appliance.apply("other sources");
    let plain = seen(&lab, 8001);
    assert!(plain.starts_with("10.3.0.22 "), "{plain}");
    let moved = seen(&lab, 8002);
    assert!(moved.starts_with("10.3.0.22 2210"), "{moved}");
    assert_eq!(seen(&lab, 8003), own[1]);
    // The tunnel has its port still, and nobody else has.
    let ports: BTreeSet<_> = (0..2)
        .map(|_| lab.inside("internet", || call("198.51.100.10:8006".parse().unwrap())))
        .map(|call| call.unwrap().1.port())
        .collect();
    assert_eq!(ports, left);
    drop(tunnel);
}
