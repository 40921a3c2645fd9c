use std::collections::BTreeMap;

use lanai_model::services::{Common, Firewall};

use super::*;
use crate::facts::Capabilities;
use crate::testing::{frontend, kernel, network, origin, services};
use crate::{desired, simulation};

/// A box whose configuration needs something of each kind.
fn needy() -> (Services, layer7::Config) {
    let mut services = services([network("eth0").address("192.0.2.1/24")]);
    services.firewall = Some(Firewall {
        common: Common {
            autostart: true,
            origin: origin(9),
        },
        allow: Vec::new(),
    });
    let bind = |address: &str, interface: Option<&str>, transparent| Bind {
        address: ListenAddress::Inet(address.parse().unwrap()),
        name: None,
        interface: interface.map(Into::into),
        transparent,
        freebind: false,
        backlog: None,
        maxconn: None,
        ssl: None,
        origin: origin(7),
    };
    let config = frontend(vec![
        bind("192.0.2.1:80", Some("eth0"), false),
        bind("198.51.100.1:8080", None, true),
    ]);
    (services, config)
}

fn able() -> Facts {
    let features = Feature::ALL.map(|feature| (feature, Presence::Here));
    Facts {
        release: "6.1.0".to_owned(),
        features: features.into_iter().collect::<BTreeMap<_, _>>(),
        transparent: [Tried::Works, Tried::Works],
        parent: Capabilities(u64::MAX),
        engine: Some(Capabilities(u64::MAX)),
        descriptors: Some(1 << 20),
    }
}

fn of(facts: &Facts, observed: &Observed) -> Vec<Finding> {
    let (services, config) = needy();
    let desired = desired(&services, &config);
    examine(&services, &config, &desired, facts, observed)
}

/// What is not good, as `what`.
fn wrong(findings: &[Finding], stage: Stage) -> Vec<&str> {
    let own = findings.iter().filter(|it| it.stage == stage);
    let wrong = own.filter(|it| it.health != Health::Good);
    wrong.map(|it| it.what.as_str()).collect()
}

fn ready() -> Observed {
    let (services, config) = needy();
    let mut observed = kernel(&["lo", "eth0"]);
    for planned in plan(&desired(&services, &config), &observed).steps() {
        simulation::apply(&mut observed, &planned.step).unwrap();
    }
    observed
}

#[test]
fn a_box_that_has_it_all_is_told_so_at_every_step() {
    let findings = of(&able(), &ready());
    for stage in Stage::ALL {
        assert_eq!(wrong(&findings, stage), Vec::<&str>::new(), "{stage:?}");
        assert!(
            findings.iter().any(|it| it.stage == stage),
            "{stage:?} is empty"
        );
    }
    assert!(findings.iter().all(|it| it.fix.is_none()));
}

#[test]
fn what_is_missing_is_told_with_its_line_and_what_to_do() {
    let mut facts = able();
    facts.engine = Some(Capabilities::default());
    facts.parent = Capabilities::default();
    facts.transparent = [
        Tried::Fails("Operation not permitted".to_owned()),
        Tried::Works,
    ];
    facts.descriptors = Some(10);
    facts
        .features
        .insert(Feature::SocketMatch, Presence::Missing);
    facts
        .features
        .insert(Feature::PolicyRouting, Presence::Unknown);
    let findings = of(&facts, &kernel(&["lo", "eth0"]));
    assert_eq!(
        wrong(&findings, Stage::Proxy),
        [
            "the engine may listen on ports below 1024",
            "the engine may listen on one interface alone (SO_BINDTODEVICE)",
            "the engine may make transparent sockets (IP_TRANSPARENT)",
            "transparent sockets of IPv4",
            "the parent may set up the network",
            "open files for all connections that `maxconn` allows",
        ]
    );
    let kernel_options = wrong(&findings, Stage::Kernel);
    assert!(
        matches!(kernel_options.as_slice(), [socket, routing]
            if socket.starts_with("CONFIG_NFT_SOCKET") && routing.starts_with("CONFIG_IP_MULTIPLE")),
        "{kernel_options:?}"
    );
    for stage in [Stage::Settings, Stage::Filter, Stage::Routing] {
        assert!(!wrong(&findings, stage).is_empty(), "{stage:?}");
    }
    let socket = findings
        .iter()
        .find(|it| it.what.starts_with("CONFIG_NFT_SOCKET"));
    let socket = socket.unwrap();
    assert_eq!(socket.origin.as_ref().map(|it| it.line), Some(7));
    assert!(
        socket
            .fix
            .as_ref()
            .is_some_and(|fix| fix.contains("nft_socket"))
    );
    assert!(
        findings
            .iter()
            .all(|it| (it.health == Health::Good) == it.fix.is_none())
    );
}

#[test]
fn a_part_of_the_kernel_that_is_at_work_is_there() {
    let mut facts = able();
    for presence in facts.features.values_mut() {
        *presence = Presence::Unknown;
    }
    let findings = of(&facts, &ready());
    assert_eq!(wrong(&findings, Stage::Kernel), Vec::<&str>::new());
    let before = of(&facts, &kernel(&["lo", "eth0"]));
    assert!(wrong(&before, Stage::Kernel).len() > 4);
}

#[test]
fn a_standby_without_its_address_is_told() {
    let (services, config) = needy();
    let mut desired = desired(&services, &config);
    desired.standby = vec![("192.0.2.9".parse().unwrap(), origin(7))];
    let findings = examine(&services, &config, &desired, &able(), &ready());
    let standby = findings.iter().find(|it| it.found.contains("192.0.2.9"));
    let standby = standby.unwrap();
    assert_eq!(
        (standby.stage, standby.health),
        (Stage::Configuration, Health::Good)
    );
}

#[test]
fn an_interface_that_is_not_there_is_a_contradiction() {
    let findings = of(&able(), &kernel(&["eth7"]));
    let wrong = findings
        .iter()
        .filter(|it| it.stage == Stage::Configuration);
    assert!(
        wrong
            .clone()
            .any(|it| it.found.contains("no interface 'eth0'"))
    );
}

#[test]
fn without_a_configuration_nothing_is_needed() {
    let (services, config) = (Services::default(), layer7::Config::default());
    let nothing = Desired::default();
    let observed = kernel(&["lo", "eth0"]);
    let findings = examine(&services, &config, &nothing, &Facts::default(), &observed);
    let stages: Vec<Stage> = findings.iter().map(|it| it.stage).collect();
    assert_eq!(stages, [Stage::Configuration]);
}
