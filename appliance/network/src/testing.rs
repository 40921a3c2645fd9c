//! What the tests of this crate write configurations and kernels with.

use std::sync::Arc;

use lanai_model::Origin;
use lanai_model::layer7::{
    Balance, Bind, Config, HttpConnectionMode, HttpReuse, LogFormat, Mode, Proxy, ProxyKind,
    Timeouts,
};
use lanai_model::services::{Address, Network, Route as ModelRoute, Services, Via};

use crate::{
    Family, InterfaceAddress, Observed, ObservedAddress, ObservedLink, ObservedRoute,
    ObservedSysctl, Route, RouteKind, Scope, Sysctl, TABLE_MAIN, simulation,
};

pub(crate) fn origin(line: u32) -> Origin {
    Origin {
        file: Arc::from("services.cfg"),
        line,
    }
}

/// A `service network` block under construction; lines are numbered as they are added.
#[derive(Clone, Debug)]
pub(crate) struct Text(Network);

pub(crate) fn network(interface: &str) -> Text {
    Text(Network::new(interface, origin(1)))
}

impl Text {
    pub(crate) fn address(mut self, net: &str) -> Self {
        let origin = origin(self.next_line());
        let net = net.parse().unwrap();
        self.0.addresses.push(Address { net, origin });
        self
    }

    pub(crate) fn route(mut self, destination: &str, gateway: &str, metric: Option<u32>) -> Self {
        let origin = origin(self.next_line());
        self.0.routes.push(ModelRoute {
            destination: destination.parse().unwrap(),
            via: Via::Gateway(gateway.parse().unwrap()),
            metric,
            table: TABLE_MAIN,
            origin,
        });
        self
    }

    pub(crate) fn into_network(self) -> Network {
        self.0
    }

    fn next_line(&self) -> u32 {
        u32::try_from(self.0.addresses.len() + self.0.routes.len()).unwrap() + 2
    }
}

pub(crate) fn services<const N: usize>(texts: [Text; N]) -> Services {
    Services {
        networks: texts.into_iter().map(|text| text.0).collect(),
        ..Services::default()
    }
}

/// A kernel with these interfaces, up, as a router with strict filters: everything to be corrected.
pub(crate) fn kernel(interfaces: &[&str]) -> Observed {
    let mut observed = Observed::default();
    let mut scopes = vec![Scope::All, Scope::Default];
    for (name, index) in interfaces.iter().zip(2..) {
        observed.links.push(ObservedLink {
            index,
            name: Arc::from(*name),
            up: true,
            carrier: true,
            loopback: false,
            mtu: 1500,
            ..ObservedLink::default()
        });
        scopes.push(Scope::Interface(Arc::from(*name)));
    }
    for scope in scopes {
        let mut set = |sysctl, value: &str| {
            observed.sysctls.push(ObservedSysctl {
                sysctl,
                value: value.to_owned(),
                held: None,
            });
        };
        for family in [Family::V4, Family::V6] {
            let scope = scope.clone();
            set(Sysctl::Forwarding { family, scope }, "1");
        }
        set(Sysctl::ReversePathFilter(scope.clone()), "1");
        set(Sysctl::PromoteSecondaries(scope), "0");
    }
    observed
}

pub(crate) fn on(interface: &str, net: &str) -> InterfaceAddress {
    InterfaceAddress {
        interface: Arc::from(interface),
        net: net.parse().unwrap(),
    }
}

pub(crate) fn via(destination: &str, gateway: &str, interface: &str, metric: u32) -> Route {
    Route {
        table: TABLE_MAIN,
        destination: destination.parse().unwrap(),
        metric,
        kind: RouteKind::Unicast,
        gateway: Some(gateway.parse().unwrap()),
        interface: Some(Arc::from(interface)),
    }
}

pub(crate) fn add_foreign_address(observed: &mut Observed, interface: &str, net: &str) {
    observed.addresses.push(ObservedAddress {
        address: on(interface, net),
        protocol: None,
        tentative: false,
        duplicate: false,
    });
    simulation::refresh(observed);
}

pub(crate) fn add_foreign_route(observed: &mut Observed, route: Route) {
    observed.routes.push(ObservedRoute {
        route,
        protocol: 4,
        further: Vec::new(),
        selective: false,
        source: None,
    });
}

/// A configuration with one frontend of these binds.
pub(crate) fn frontend(binds: Vec<Bind>) -> Config {
    let proxy = Proxy {
        name: "www".into(),
        kind: ProxyKind::Frontend,
        mode: Mode::Tcp,
        binds,
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
        rules: lanai_model::layer7::Rules::default(),
        origin: Origin {
            file: Arc::from("haproxy.cfg"),
            line: 6,
        },
    };
    Config {
        proxies: vec![proxy],
        ..Config::default()
    }
}
