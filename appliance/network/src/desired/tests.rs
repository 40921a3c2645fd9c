use lanai_model::layer7::{
    Balance, Bind, Config, HttpConnectionMode, HttpReuse, ListenAddress, LogFormat, Mode, Proxy,
    ProxyKind, Server, ServerAddress, Shown, Source, SourcePorts, Timeouts,
};

use super::*;
use crate::testing::{network, origin, services};

fn loose(desired: &Desired) -> Vec<&str> {
    let needs = desired.sysctls.iter();
    needs
        .filter_map(|wanted| match &wanted.need {
            Need::NoStrictReversePath(name) => Some(&**name),
            _ => None,
        })
        .collect()
}

fn bind(address: &str) -> Bind {
    Bind {
        address: ListenAddress::Inet(address.parse().unwrap()),
        name: None,
        interface: None,
        transparent: false,
        freebind: false,
        backlog: None,
        maxconn: None,
        ssl: None,
        origin: origin(77),
    }
}

fn frontend<const N: usize>(binds: [Bind; N]) -> Config {
    let proxy = Proxy {
        name: "www".into(),
        kind: ProxyKind::Frontend,
        mode: Mode::Tcp,
        binds: binds.into(),
        maxconn: None,
        backlog: None,
        default_backend: None,
        balance: Balance::RoundRobin,
        servers: Vec::new(),
        timeouts: Timeouts::default(),
        forwardfor: None,
        http_connection_mode: HttpConnectionMode::default(),
        http_reuse: HttpReuse::default(),
        log: Vec::new(),
        log_format: LogFormat::default(),
        dontlognull: false,
        retries: None,
        rules: Default::default(),
        origin: origin(70),
    };
    Config {
        proxies: vec![proxy],
        ..Config::default()
    }
}

/// The interfaces that a bind to `address` on `interface` needs the loose filter on.
fn loose_for(services: &Services, address: &str, interface: &str) -> Vec<String> {
    let mut bind = bind(address);
    bind.interface = Some(interface.into());
    let desired = desired(services, &frontend([bind]));
    loose(&desired).into_iter().map(str::to_owned).collect()
}

#[test]
fn nothing_is_wanted_of_a_network_that_is_not_ours_to_run() {
    let desired = desired(&Services::default(), &Config::default());
    assert_eq!(desired, Desired::default());
    assert_eq!(
        loose_for(&Services::default(), "10.0.0.1:80", "eth0"),
        [""; 0]
    );
}

#[test]
fn metrics_are_those_the_kernel_stores() {
    let text = network("eth0")
        .address("10.0.0.2/24")
        .route("0.0.0.0/0", "10.0.0.1", None)
        .route("::/0", "fe80::1", None)
        .route("2001:db8::/32", "fe80::1", Some(0))
        .route("192.168.7.9/16", "10.0.0.1", Some(9));
    let desired = desired(&services([text]), &Config::default());
    let routes: Vec<String> = desired.routes.iter().map(|r| r.route.to_string()).collect();
    assert_eq!(
        routes,
        [
            "default via 10.0.0.1 dev eth0",
            "default (IPv6) via fe80::1 dev eth0",
            "2001:db8::/32 via fe80::1 dev eth0",
            "192.168.0.0/16 via 10.0.0.1 dev eth0 metric 9",
        ]
    );
    assert_eq!(desired.routes[1].route.metric, 1024);
    assert_eq!(desired.routes[2].route.metric, 1024);
}

#[test]
fn one_default_gateway_needs_no_loose_filter_and_two_do_on_both() {
    let one = network("eth0").route("0.0.0.0/0", "10.0.0.1", None);
    let two = network("eth1").route("0.0.0.0/0", "10.1.0.1", Some(1));
    let none = network("eth2").route("10.9.0.0/16", "10.2.0.1", None);
    let empty = Config::default();
    assert_eq!(
        loose(&desired(&services([one.clone(), none.clone()]), &empty)),
        [""; 0]
    );
    let both = desired(&services([one, two, none]), &empty);
    assert_eq!(loose(&both), ["eth0", "eth1"]);
}

#[test]
fn two_default_gateways_behind_one_interface_are_no_asymmetry() {
    let text = network("eth0").route("0.0.0.0/0", "10.0.0.1", None).route(
        "0.0.0.0/0",
        "10.0.0.2",
        Some(5),
    );
    assert_eq!(
        loose(&desired(&services([text]), &Config::default())),
        [""; 0]
    );
}

#[test]
fn a_bind_with_an_interface_needs_the_loose_filter_there() {
    let text = services([network("eth0"), network("eth1")]);
    assert_eq!(loose_for(&text, "10.0.0.1:80", "eth1"), ["eth1"]);
    assert_eq!(loose_for(&text, "[::]:80", "eth1"), ["eth1"]);
    assert_eq!(loose_for(&text, "[fd00::1]:80", "eth1"), [""; 0]);
    assert_eq!(loose_for(&text, "10.0.0.1:80", "tun7"), [""; 0]);
}

#[test]
fn servers_that_see_their_clients_ask_for_transparent_mode_in_their_families() {
    let server = |address, shown| Server {
        name: "s".into(),
        address,
        check: None,
        weight: 1,
        maxconn: None,
        source: Some(std::sync::Arc::new(Source {
            address: None,
            ports: None,
            shown,
            interface: None,
            origin: origin(80),
        })),
        origin: origin(81),
    };
    let ip = |text: &str| ServerAddress::Ip(text.parse().unwrap(), Some(80));
    let name = ServerAddress::Name("db".into(), Some(80));
    let cases = [
        (ip("10.0.0.1"), Some(Shown::ClientIp), vec![Family::V4]),
        (ip("fd00::1"), Some(Shown::Client), vec![Family::V6]),
        (
            name.clone(),
            Some(Shown::ClientIp),
            vec![Family::V4, Family::V6],
        ),
        (name, None, vec![]),
        (
            ServerAddress::Unix("/run/db".into()),
            Some(Shown::ClientIp),
            vec![],
        ),
    ];
    for (address, shown, families) in cases {
        let mut config = frontend([]);
        config.proxies[0].servers = vec![server(address.clone(), shown)];
        let desired = desired(&services([network("eth0").address("10.0.0.2/24")]), &config);
        let rules: Vec<Family> = desired
            .rules
            .iter()
            .map(|wanted| wanted.rule.family)
            .collect();
        assert_eq!(rules, families, "{address:?}");
        assert!(
            desired
                .rules
                .iter()
                .all(|wanted| wanted.origin == origin(80))
        );
    }
}

/// What is reserved, why, and by which line; and which lines' ports are not.
fn reserved(ranges: &[(u16, u16)]) -> (String, u32, Vec<(String, u32)>) {
    let mut config = frontend([bind("10.0.0.2:8080"), bind("10.0.0.2:80")]);
    let server = |((low, high), line): (&(u16, u16), u32)| Server {
        name: "s".into(),
        address: ServerAddress::Ip("10.0.0.9".parse().unwrap(), Some(3306)),
        check: None,
        weight: 1,
        maxconn: None,
        source: Some(std::sync::Arc::new(Source {
            address: Some("10.0.0.2".parse().unwrap()),
            ports: Some(SourcePorts::Range(*low..=*high)),
            shown: None,
            interface: None,
            origin: origin(line),
        })),
        origin: origin(line),
    };
    config.proxies[0].servers = ranges.iter().zip(90..).map(server).collect();
    let desired = desired(&services([network("eth0").address("10.0.0.2/24")]), &config);
    let wanted = desired
        .sysctls
        .iter()
        .find_map(|wanted| match &wanted.need {
            Need::ReservedPorts(ports) => Some((ports.to_string(), wanted.origin.clone())),
            _ => None,
        });
    let (ports, origin) = wanted.unwrap();
    let shared = desired.shared_ports.iter();
    let shared = shared.map(|(ports, origin)| (ports.to_string(), origin.line));
    (ports, origin.unwrap().line, shared.collect())
}

#[test]
fn source_ports_are_reserved_unless_the_kernel_would_have_too_few() {
    let none = Vec::new();
    assert_eq!(reserved(&[]), ("8080".to_owned(), 70, none.clone()));
    assert_eq!(
        reserved(&[(20_000, 20_199), (20_100, 20_299), (20_000, 20_199)]),
        ("8080,20000-20299".to_owned(), 90, none.clone())
    );
    // What the kernel never picks need not be reserved.
    assert_eq!(reserved(&[(80, 90)]), ("8080".to_owned(), 70, none.clone()));
    assert_eq!(
        reserved(&[(65_001, 65_535), (900, 1030)]),
        ("1025-1030,8080".to_owned(), 91, none)
    );
    // Article 6's range is all that the kernel has.
    assert_eq!(
        reserved(&[(1025, 65_000), (30_000, 30_009), (1025, 65_000)]),
        (
            "8080,30000-30009".to_owned(),
            91,
            vec![("1025-65000".to_owned(), 90)]
        )
    );
    // To the last one: 63,976 less 16,384, and less the listener's that is not in the range.
    let least = 65_000 - (63_976 - 16_384 - 1) + 1;
    assert_eq!(reserved(&[(least, 65_000)]).2, []);
    assert_eq!(reserved(&[(least - 1, 65_000)]).2.len(), 1);
}
