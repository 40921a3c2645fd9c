use std::time::Duration;

use lanai_model::layer7::Config;
use lanai_model::services::{
    self, Bond, BondMode, Bridge, LinkKind as Wanted, Member, Network, Services,
};

use crate::plan::{Plan, plan};
use crate::testing::{kernel, network, origin};
use crate::{LinkKind, LinkMode, Observed, ObservedLink, Problem, Step, desired, simulation};

fn member(name: &str) -> Member {
    Member {
        interface: name.into(),
        origin: origin(30),
    }
}

fn block(name: &str, kind: Wanted) -> Network {
    let mut network = network(name).into_network();
    network.link.kind = kind;
    network
}

fn bond(name: &str, mode: BondMode, members: &[&str]) -> Network {
    let bond = Bond {
        mode,
        primary: mode.has_primary().then(|| members[0].into()),
        miimon: Some(Duration::from_millis(100)),
        members: members.iter().map(|name| member(name)).collect(),
        ..Bond::default()
    };
    let mut block = block(name, Wanted::Bond(bond));
    block.link.mtu = Some(9000);
    block
}

fn vlan(parent: &str, id: u16) -> Network {
    let kind = Wanted::Vlan {
        parent: parent.into(),
        id,
    };
    let mut block = block(&format!("{parent}.{id}"), kind);
    block.addresses.push(services::Address {
        net: format!("10.{id}.0.2/24").parse().unwrap(),
        origin: origin(31),
    });
    block.routes.push(services::Route {
        destination: "0.0.0.0/0".parse().unwrap(),
        via: services::Via::Gateway(format!("10.{id}.0.1").parse().unwrap()),
        metric: Some(id.into()),
        table: 254,
        origin: origin(32),
    });
    block
}

fn bridge(name: &str, stp: bool, ports: &[&str]) -> Network {
    let ports = ports.iter().map(|name| member(name)).collect();
    block(name, Wanted::Bridge(Bridge { stp, ports }))
}

fn text(networks: Vec<Network>) -> Services {
    Services {
        networks,
        ..Services::default()
    }
}

/// Texts of every kind of interface, on each other and in each other's place.
fn texts() -> Vec<Services> {
    vec![
        text(vec![]),
        text(vec![network("eth0").address("10.9.0.2/24").into_network()]),
        text(vec![
            vlan("bond0", 7),
            bond("bond0", BondMode::ActiveBackup, &["eth1", "eth2"]),
        ]),
        text(vec![
            bond("bond0", BondMode::Lacp, &["eth2"]),
            vlan("bond0", 7),
            vlan("bond0", 8),
            network("eth1").address("10.8.0.2/24").into_network(),
        ]),
        text(vec![
            bridge("br0", true, &["eth1", "eth0.100"]),
            vlan("eth0", 100),
            block("dum0", Wanted::Dummy),
        ]),
        text(vec![
            bridge("br0", false, &["eth2"]),
            bridge("bond0", false, &["eth1"]),
            vlan("eth0", 100),
        ]),
    ]
}

fn box_with_three() -> Observed {
    kernel(&["eth0", "eth1", "eth2"])
}

fn plan_for(services: &Services, observed: &Observed) -> Plan {
    plan(&desired(services, &Config::default()), observed)
}

fn execute<'a>(observed: &mut Observed, steps: impl Iterator<Item = &'a Step>, plan: &Plan) {
    for step in steps {
        simulation::apply(observed, step).unwrap_or_else(|why| panic!("{why}\n{plan}"));
    }
}

fn steps(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps().map(|planned| &planned.step)
}

/// All that is there, by name instead of by index, in no order.
fn contents(observed: &Observed) -> Vec<String> {
    let links = observed.links.iter().map(|link| {
        let link = ObservedLink {
            index: 0,
            ..link.clone()
        };
        format!("{link:?}")
    });
    let addresses = observed.addresses.iter().map(|other| format!("{other:?}"));
    let routes = observed.routes.iter().map(|other| format!("{other:?}"));
    let sysctls = observed.sysctls.iter().map(|other| format!("{other:?}"));
    let mut all: Vec<String> = links
        .chain(addresses)
        .chain(routes)
        .chain(sysctls)
        .collect();
    all.sort();
    all
}

#[test]
fn from_every_text_to_every_other_in_one_plan_that_can_be_undone() {
    for one in texts() {
        for other in texts() {
            let mut observed = box_with_three();
            let first = plan_for(&one, &observed);
            assert_eq!(first.problems, []);
            execute(&mut observed, steps(&first), &first);
            let before = observed.clone();
            let next = plan_for(&other, &observed);
            execute(&mut observed, steps(&next), &next);
            let again = plan_for(&other, &observed);
            assert!(again.is_empty(), "{next}then again\n{again}");
            let undo: Vec<Step> = steps(&next).map(Step::undo).collect();
            execute(&mut observed, undo.iter().rev(), &next);
            let mut undone = contents(&observed);
            let mut wanted = contents(&before);
            // Links of the box that were up before us stay up.
            undone.retain(|line| !line.contains("name: \"eth"));
            wanted.retain(|line| !line.contains("name: \"eth"));
            assert_eq!(undone, wanted, "undone\n{next}");
        }
    }
}

#[test]
fn a_bond_is_made_filled_and_brought_up_in_order() {
    let observed = box_with_three();
    let text = text(vec![
        vlan("bond0", 7),
        bond("bond0", BondMode::ActiveBackup, &["eth1", "eth2"]),
    ]);
    let plan = plan_for(&text, &observed);
    let lines: Vec<String> = steps(&plan)
        .filter(|step| !matches!(step, Step::SetSysctl { .. }))
        .map(Step::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "add bond0, bond mode 1 miimon 100",
            "add bond0.7, vlan id 7 of bond0",
            "bring eth1 down",
            "make eth1 part of bond0",
            "bring eth2 down",
            "make eth2 part of bond0",
            "set the MTU of bond0 to 9000 (was 1500)",
            "set the primary link of bond0 to eth1",
            "bring bond0 up",
            "bring bond0.7 up",
            "add address 10.7.0.2/24 to bond0.7",
            "add route default via 10.7.0.1 dev bond0.7 metric 7",
        ]
    );
    // What a new interface starts with is known.
    let text = plan.to_string();
    assert!(
        text.contains("set net.ipv4.conf.bond0/7.promote_secondaries to 1 (was 0)"),
        "{text}"
    );
}

#[test]
fn what_others_made_is_no_ones_to_remove_and_is_used_if_it_fits() {
    let mut observed = box_with_three();
    for (name, kind) in [
        ("br0", LinkKind::Bridge { stp: false }),
        ("dum0", LinkKind::Bridge { stp: true }),
    ] {
        let step = Step::AddLink {
            interface: name.into(),
            kind,
        };
        simulation::apply(&mut observed, &step).unwrap();
        observed.links.last_mut().unwrap().group = 0;
    }
    let wanted = text(vec![
        bridge("br0", false, &["eth1"]),
        block("dum0", Wanted::Dummy),
        vlan("eth9", 5),
    ]);
    let done = plan_for(&wanted, &observed);
    let problems: Vec<String> = done.problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        problems,
        [
            "dum0 is to be a dummy, and there is a bridge stp on of that name that is not ours to \
             remove; give it another name, or remove that one",
            "there is no interface 'eth9' on this box; it has eth0, eth1, eth2, br0, dum0",
        ]
    );
    execute(&mut observed, steps(&done), &done);
    let gone = plan_for(&text(vec![]), &observed);
    let removes = |step: &Step| matches!(step, Step::RemoveLink { .. });
    assert!(!steps(&gone).any(removes), "{gone}");
}

#[test]
fn a_mode_is_set_where_the_driver_has_a_choice_and_noted_where_it_has_none() {
    let mut block = network("eth0").into_network();
    block.link.autonegotiation = Some(false);
    block.link.speed = Some(100);
    block.link.duplex = Some(services::Duplex::Full);
    let wanted = text(vec![block]);
    let planned = |observed: &Observed| plan(&desired(&wanted, &Config::default()), observed);
    let mode = |autonegotiation, settable| {
        Some(LinkMode {
            autonegotiation,
            speed: Some(1000),
            full_duplex: Some(true),
            settable,
        })
    };
    let mut observed = kernel(&["eth0"]);
    observed.links[0].mode = mode(true, true);
    let done = planned(&observed);
    let line = "set eth0 to autoneg off speed 100 duplex full (was autoneg on): it is another one";
    assert!(done.to_string().contains(line), "{done}");
    for planned in done.steps() {
        simulation::apply(&mut observed, &planned.step).unwrap();
    }
    assert!(planned(&observed).is_empty());
    let undo: Vec<Step> = done.steps().map(|planned| planned.step.undo()).collect();
    for step in undo.iter().rev() {
        simulation::apply(&mut observed, step).unwrap();
    }
    assert!(observed.links[0].mode.unwrap().autonegotiation);
    // One mode only, and one that tells nothing.
    for here in [mode(true, false), None] {
        observed.links[0].mode = here;
        let done = planned(&observed);
        let sets = |planned: &crate::PlannedStep| matches!(planned.step, Step::SetMode { .. });
        assert!(
            !done.steps().any(sets) && done.problems.is_empty(),
            "{done}"
        );
        let note = "note: 'autoneg off speed 100 duplex full' is not supported by eth0";
        assert!(done.to_string().contains(note), "{done}");
    }
}
