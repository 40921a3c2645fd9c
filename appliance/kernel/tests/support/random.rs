//! Configurations at random, and a box to try them on.

use lanai_model::Origin;
use lanai_model::layer7::Config;
use lanai_model::services::{Address, Route, Rule, Via};
use lanai_network::{Desired, Plan, Step};

use super::{Block, Namespace, apply, frontend, plan, services, steps};

pub(crate) fn origin(line: u32) -> Origin {
    Origin {
        file: "services.cfg".into(),
        line,
    }
}

/// Three interfaces that are up.
pub(crate) fn namespace() -> Namespace {
    let namespace = Namespace::with_links(3);
    for index in 0..3 {
        namespace.ip(&format!("link set eth{index} up"));
    }
    namespace
}

/// Numbers that look random and are the same each time (a linear congruential generator).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A random text: addresses, routes of both families, metrics, tables, rules, transparent binds.
pub(crate) fn random(numbers: &mut Numbers) -> Desired {
    let names = ["eth0", "eth1", "eth2"];
    let blocks: Vec<Block<'_>> = names.iter().map(|name| (*name, &[][..], &[][..])).collect();
    let mut text = services(&blocks);
    text.networks.retain(|_| numbers.below(4) > 0);
    for (index, network) in text.networks.iter_mut().enumerate() {
        let host = 2 + numbers.below(3);
        let (four, six) = (format!("10.{index}.0"), format!("fd00:{index}:"));
        let mut add = |net: String| {
            network.addresses.push(Address {
                net: net.parse().expect("a network"),
                origin: origin(2),
            });
        };
        add(format!("{four}.{host}/24"));
        add(format!("{six}:{host}/64"));
        // More of the same network: the kernel prefers the first, whoever comes after it.
        for _ in 0..numbers.below(3) {
            add(format!("{four}.{}/24", 2 + numbers.below(5)));
        }
        if numbers.chance() {
            add(format!("10.{index}.7.{host}/32"));
        }
        for (gateway, everything, other) in [
            (format!("{four}.1"), "0.0.0.0/0", "192.0.2.0/24"),
            (format!("{six}:1"), "::/0", "2001:db8::/32"),
        ] {
            let via = Via::Gateway(gateway.parse().expect("a gateway"));
            for destination in [everything, other] {
                let table = if numbers.chance() { 254 } else { 1000 };
                let via = if numbers.below(5) == 0 {
                    Via::Blackhole
                } else {
                    via
                };
                if numbers.chance() {
                    network.routes.push(Route {
                        destination: destination.parse().expect("a destination"),
                        via,
                        metric: Some(u32::try_from(index).expect("few") * 10 + 1),
                        table,
                        origin: origin(3),
                    });
                }
            }
        }
        if numbers.chance() {
            network.rules.push(Rule {
                from: Some(format!("{four}.0/24").parse().expect("a network")),
                to: None,
                iif: numbers.chance().then(|| network.interface.clone()),
                fwmark: None,
                table: 1000,
                priority: None,
                origin: origin(4),
            });
        }
    }
    let transparent = numbers.chance();
    let binds = [
        ("198.51.100.7:8080", transparent),
        ("[2001:db8::7]:80", numbers.chance()),
    ];
    let config = if numbers.chance() {
        frontend(&binds)
    } else {
        Config::default()
    };
    lanai_network::desired(&text, &config)
}

/// A box with a configuration, and another one that changes everything about it.
pub(crate) struct LargeChange {
    pub(crate) namespace: Namespace,
    /// What is there.
    pub(crate) one: Desired,
    /// What is to come.
    pub(crate) other: Desired,
    /// From the one to the other.
    pub(crate) planned: Plan,
}

impl LargeChange {
    /// The same each time.
    pub(crate) fn new() -> Self {
        let namespace = namespace();
        // So that some settings have to be changed, too.
        namespace.exec(
            "sysctl",
            "-w net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.eth2.forwarding=1",
        );
        let one = random(&mut Numbers(3));
        namespace.enter(|| async { apply(&one).await });
        let far = |steps: &[Step]| {
            let any = |wanted: fn(&Step) -> bool| steps.iter().any(wanted);
            steps.len() > 25
                && any(|step| matches!(step, Step::ReplaceTable { .. }))
                && any(|step| matches!(step, Step::RemoveRule(_) | Step::AddRule(_)))
                && any(|step| matches!(step, Step::SetSysctl { .. }))
                && any(|step| matches!(step, Step::OrderAddresses { .. }))
        };
        let others = (4..1000).map(|seed| random(&mut Numbers(seed)));
        let mut planned = others.map(|other| {
            let planned = namespace.enter(|| async { plan(&other).await });
            (other, planned)
        });
        let found = planned.find(|(_, planned)| far(&steps(planned)));
        let (other, planned) = found.expect("one of them");
        Self {
            namespace,
            one,
            other,
            planned,
        }
    }
}
