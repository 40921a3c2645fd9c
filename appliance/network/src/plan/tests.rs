use lanai_model::layer7::Config;
use lanai_model::services::Services;

use super::*;
use crate::observed::ObservedLink;
use crate::state::{Family, NextHop};
use crate::sysctl::{Scope, Sysctl};
use crate::testing::{
    add_foreign_address, add_foreign_route, kernel, network, on, origin, services, via,
};
use crate::{ADDRESS_PROTOCOL, desired, simulation};

fn plan_for(services: &Services, observed: &Observed) -> Plan {
    plan(&desired(services, &Config::default()), observed)
}

/// Executes a plan in the simulation, and demands that planning again finds nothing to do.
fn apply(services: &Services, observed: &mut Observed) -> Plan {
    let done = plan_for(services, observed);
    for planned in done.steps() {
        simulation::apply(observed, &planned.step).unwrap_or_else(|why| panic!("{why}\n{done}"));
    }
    let again = plan_for(services, observed);
    assert!(again.is_empty(), "planned again:\n{again}");
    done
}

/// The steps of a plan for people, without those that set kernel settings.
fn lines(plan: &Plan) -> Vec<String> {
    let steps = plan.steps().map(|planned| &planned.step);
    steps
        .filter(|step| !matches!(step, Step::SetSysctl { .. }))
        .map(Step::to_string)
        .collect()
}

fn problems(plan: &Plan) -> Vec<String> {
    plan.problems.iter().map(Problem::to_string).collect()
}

fn article_1() -> Services {
    services([
        network("eth0")
            .address("10.0.0.2/24")
            .route("0.0.0.0/0", "10.0.0.1", None),
        network("eth1")
            .address("10.1.0.2/24")
            .route("0.0.0.0/0", "10.1.0.1", Some(1)),
    ])
}

#[test]
fn from_nothing_in_order() {
    let mut observed = kernel(&["eth0", "eth1"]);
    observed.links[1].up = false;
    let done = apply(&article_1(), &mut observed);
    let all: Vec<String> = done
        .add
        .iter()
        .map(|planned| planned.step.to_string())
        .collect();
    assert_eq!(
        all,
        [
            "set net.ipv4.ip_forward to 0 (was 1)",
            "set net.ipv6.conf.all.forwarding to 0 (was 1)",
            "set net.ipv4.conf.eth0.rp_filter to 2 (was 1)",
            "set net.ipv4.conf.eth0.promote_secondaries to 1 (was 0)",
            "set net.ipv4.conf.eth1.rp_filter to 2 (was 1)",
            "set net.ipv4.conf.eth1.promote_secondaries to 1 (was 0)",
            "bring eth1 up",
            "add address 10.0.0.2/24 to eth0",
            "add address 10.1.0.2/24 to eth1",
            "add route default via 10.0.0.1 dev eth0",
            "add route default via 10.1.0.1 dev eth1 metric 1",
        ]
    );
    assert_eq!(done.remove, []);
    assert_eq!(done.problems, []);
    assert_eq!(done.add[7].origin, Some(origin(2)));
    assert_eq!(
        done.add[7].to_string(),
        "add address 10.0.0.2/24 to eth0: it is not there (services.cfg:2)"
    );
}

#[test]
fn what_is_no_longer_wanted_goes_routes_first() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let done = apply(
        &services([network("eth0").address("10.0.0.2/24")]),
        &mut observed,
    );
    assert_eq!(done.add, []);
    assert_eq!(
        lines(&done),
        [
            "remove route default via 10.1.0.1 dev eth1 metric 1",
            "remove route default via 10.0.0.1 dev eth0",
            "remove address 10.1.0.2/24 from eth1",
        ]
    );
}

#[test]
fn another_gateway_takes_the_place_of_the_old_in_one_step() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let text = services([
        network("eth0")
            .address("10.0.0.2/24")
            .route("0.0.0.0/0", "10.0.0.254", None),
        network("eth1")
            .address("10.1.0.2/24")
            .route("0.0.0.0/0", "10.1.0.1", Some(1)),
    ]);
    let done = apply(&text, &mut observed);
    let replaced = "replace route default via 10.0.0.1 dev eth0 by default via 10.0.0.254 dev eth0";
    assert_eq!(lines(&done), [replaced]);
}

#[test]
fn another_address_of_the_network_survives_the_removal_of_the_first() {
    let mut observed = kernel(&["eth0"]);
    apply(
        &services([network("eth0").address("10.0.0.2/24")]),
        &mut observed,
    );
    // As keepalived adds a virtual address.
    add_foreign_address(&mut observed, "eth0", "10.0.0.9/24");
    let done = apply(
        &services([network("eth0").address("10.0.0.3/24")]),
        &mut observed,
    );
    assert_eq!(
        lines(&done),
        [
            "add address 10.0.0.3/24 to eth0",
            "remove address 10.0.0.2/24 from eth0"
        ]
    );
    let left: Vec<String> = observed
        .addresses
        .iter()
        .map(|a| a.address.to_string())
        .collect();
    assert_eq!(left, ["10.0.0.9/24 on eth0", "10.0.0.3/24 on eth0"]);
}

#[test]
fn the_first_written_address_of_a_network_is_added_first() {
    let text = network("eth0")
        .address("10.0.0.200/24")
        .address("10.0.0.3/24");
    let done = plan_for(&services([text]), &kernel(&["eth0"]));
    assert_eq!(
        lines(&done),
        [
            "add address 10.0.0.200/24 to eth0",
            "add address 10.0.0.3/24 to eth0"
        ]
    );
}

/// Addresses of eth0 in the kernel's order.
fn addresses(observed: &Observed) -> Vec<String> {
    let nets = observed.addresses_of("eth0");
    nets.map(|other| other.address.net.to_string()).collect()
}

#[test]
fn addresses_of_a_network_come_into_the_order_in_which_they_are_written_and_back() {
    let text = |hosts: &[u8]| {
        let add =
            |text: crate::testing::Text, host: &u8| text.address(&format!("10.0.0.{host}/24"));
        services([hosts.iter().fold(network("eth0"), add)])
    };
    let orders: [&[u8]; 6] = [
        &[3, 4],
        &[4, 3],
        &[5, 3, 4],
        &[4],
        &[3, 5, 4, 6],
        &[6, 5, 4, 3],
    ];
    for (one, other) in orders
        .iter()
        .flat_map(|one| orders.map(|other| (*one, other)))
    {
        let mut observed = kernel(&["eth0"]);
        apply(&text(one), &mut observed);
        let before = addresses(&observed);
        let done = apply(&text(other), &mut observed);
        let wanted: Vec<String> = other
            .iter()
            .map(|host| format!("10.0.0.{host}/24"))
            .collect();
        assert_eq!(addresses(&observed), wanted, "{done}");
        let done: Vec<Step> = done.steps().map(|planned| planned.step.undo()).collect();
        for step in done.iter().rev() {
            simulation::apply(&mut observed, step).unwrap();
        }
        assert_eq!(addresses(&observed), before);
    }
}

#[test]
fn the_order_of_addresses_is_not_touched_where_somebody_else_would_suffer() {
    let text = |hosts: [&str; 2]| services([network("eth0").address(hosts[0]).address(hosts[1])]);
    let (one, other) = ("10.0.0.3/24", "10.0.0.4/24");
    let mut observed = kernel(&["eth0"]);
    apply(&text([one, other]), &mut observed);
    let mut theirs = observed.clone();
    add_foreign_address(&mut theirs, "eth0", "10.0.0.9/24");
    assert!(plan_for(&text([other, one]), &theirs).is_empty());
    add_foreign_route(&mut observed, via("192.0.2.0/24", "10.0.0.1", "eth0", 0));
    assert_eq!(
        lines(&plan_for(&text([other, one]), &observed)),
        ["put addresses of eth0 in order: 10.0.0.4/24, 10.0.0.3/24"]
    );
    observed.routes.last_mut().unwrap().source = Some("10.0.0.3".parse().unwrap());
    assert!(plan_for(&text([other, one]), &observed).is_empty());
}

#[test]
fn an_ipv6_address_with_another_prefix_length_is_removed_before_it_is_added() {
    let mut observed = kernel(&["eth0"]);
    apply(
        &services([network("eth0").address("fd00::2/64")]),
        &mut observed,
    );
    let done = apply(
        &services([network("eth0").address("fd00::2/48")]),
        &mut observed,
    );
    assert_eq!(
        lines(&done),
        [
            "remove address fd00::2/64 from eth0",
            "add address fd00::2/48 to eth0"
        ]
    );
    assert_eq!(done.remove, []);
}

#[test]
fn foreign_things_equal_to_wanted_ones_are_taken_as_done_and_never_removed() {
    let mut observed = kernel(&["eth0"]);
    add_foreign_address(&mut observed, "eth0", "10.0.0.2/24");
    add_foreign_route(&mut observed, via("0.0.0.0/0", "10.0.0.1", "eth0", 0));
    let text = network("eth0")
        .address("10.0.0.2/24")
        .route("0.0.0.0/0", "10.0.0.1", None);
    let wanted = services([text]);
    assert_eq!(lines(&apply(&wanted, &mut observed)), [""; 0]);
    let done = apply(&services([network("eth0")]), &mut observed);
    assert_eq!(lines(&done), [""; 0]);
    // Their owner takes them away: they come back as ours.
    observed.addresses.clear();
    observed.routes.clear();
    let done = apply(&wanted, &mut observed);
    assert_eq!(
        lines(&done),
        [
            "add address 10.0.0.2/24 to eth0",
            "add route default via 10.0.0.1 dev eth0"
        ]
    );
}

#[test]
fn a_foreign_route_in_the_way_is_reported_and_left_alone() {
    let mut observed = kernel(&["eth0"]);
    add_foreign_address(&mut observed, "eth0", "10.0.0.7/24");
    add_foreign_route(&mut observed, via("0.0.0.0/0", "10.0.0.254", "eth0", 0));
    let text = network("eth0")
        .address("10.0.0.2/24")
        .route("0.0.0.0/0", "10.0.0.1", None);
    let done = apply(&services([text]), &mut observed);
    assert_eq!(lines(&done), ["add address 10.0.0.2/24 to eth0"]);
    let text = "the route default via 10.0.0.1 dev eth0 cannot be added: default via 10.0.0.254 dev \
                eth0 (protocol 4) has the same destination and metric and is not ours to remove; \
                give ours another metric, or remove that one";
    assert_eq!(problems(&done), [text]);
    assert_eq!(done.problems[0].origin(), &origin(3));
}

#[test]
fn a_route_of_ours_that_somebody_added_a_way_to_is_theirs() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let ours = observed.routes.iter_mut().find(|r| r.is_ours()).unwrap();
    ours.further.push(NextHop {
        gateway: Some("10.1.0.9".parse().unwrap()),
        interface: Some("eth1".into()),
    });
    let done = plan_for(&article_1(), &observed);
    assert!(done.is_empty(), "{done}");
    assert!(
        matches!(done.problems[..], [Problem::RouteTaken { .. }]),
        "{done}"
    );
}

#[test]
fn a_route_for_some_packets_only_is_in_nobodys_way() {
    let mut observed = kernel(&["eth0"]);
    add_foreign_address(&mut observed, "eth0", "10.0.0.7/24");
    add_foreign_route(&mut observed, via("0.0.0.0/0", "10.0.0.254", "eth0", 0));
    observed.routes.last_mut().unwrap().selective = true;
    let text = network("eth0").route("0.0.0.0/0", "10.0.0.1", None);
    let done = apply(&services([text]), &mut observed);
    assert_eq!(lines(&done), ["add route default via 10.0.0.1 dev eth0"]);
}

#[test]
fn a_missing_interface_is_named_once_and_the_rest_is_planned() {
    let mut observed = kernel(&["eth0"]);
    let done = apply(&article_1(), &mut observed);
    assert_eq!(
        problems(&done),
        ["there is no interface 'eth1' on this box; it has eth0"]
    );
    assert_eq!(
        lines(&done),
        [
            "add address 10.0.0.2/24 to eth0",
            "add route default via 10.0.0.1 dev eth0"
        ]
    );
}

#[test]
fn what_works_is_not_taken_away_for_what_cannot() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let text = services([
        network("eth0").address("10.0.0.2/24"),
        network("eth1")
            .address("10.1.0.2/24")
            .route("0.0.0.0/0", "10.7.0.1", Some(1)),
        network("eth9").route("0.0.0.0/0", "10.9.0.1", None),
    ]);
    let done = apply(&text, &mut observed);
    assert_eq!(lines(&done), [""; 0]);
    let unreachable = "the route default via 10.7.0.1 dev eth1 metric 1 cannot work: gateway \
                       10.7.0.1 is not on a network of eth1; add an address of the gateway's \
                       network to eth1, or correct the gateway";
    assert_eq!(
        problems(&done),
        [
            "there is no interface 'eth9' on this box; it has eth0, eth1",
            unreachable
        ]
    );
}

#[test]
fn a_gateway_on_a_network_that_is_about_to_go_is_unreachable() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let text = network("eth0")
        .address("10.5.0.2/24")
        .route("0.0.0.0/0", "10.0.0.1", None);
    let done = plan_for(&services([text]), &observed);
    assert!(
        matches!(done.problems[..], [Problem::GatewayUnreachable { .. }]),
        "{done}"
    );
}

#[test]
fn a_gateway_may_be_at_the_far_end_of_a_foreign_point_to_point_link_or_link_local() {
    let mut observed = kernel(&["ppp0", "eth0"]);
    let mut far_end = via("10.64.0.1/32", "10.64.0.1", "ppp0", 0);
    far_end.gateway = None;
    add_foreign_route(&mut observed, far_end);
    let text = services([
        network("ppp0").route("0.0.0.0/0", "10.64.0.1", None),
        network("eth0").route("::/0", "fe80::1", None),
    ]);
    assert_eq!(apply(&text, &mut observed).problems, []);
}

#[test]
fn the_same_route_written_twice_is_one_and_two_in_one_place_are_a_problem() {
    let text = network("eth0")
        .address("10.0.0.2/24")
        .route("0.0.0.0/0", "10.0.0.1", None)
        .route("0.0.0.0/0", "10.0.0.1", Some(0))
        .route("0.0.0.0/0", "10.0.0.9", None);
    let done = apply(&services([text]), &mut kernel(&["eth0"]));
    assert_eq!(lines(&done).len(), 2);
    let twice = "the route default via 10.0.0.9 dev eth0 has the destination and metric of the one \
                 in services.cfg:3; give one of them another metric";
    assert_eq!(problems(&done), [twice]);
}

#[test]
fn an_ipv6_address_written_with_two_prefix_lengths_settles() {
    let text = network("eth0").address("fd00::2/64").address("fd00::2/48");
    let done = apply(&services([text]), &mut kernel(&["eth0"]));
    assert_eq!(lines(&done), ["add address fd00::2/64 to eth0"]);
    assert!(
        matches!(done.problems[..], [Problem::AddressTwice { .. }]),
        "{done}"
    );
}

#[test]
fn without_address_protocols_wanted_ones_are_done_and_stale_ones_stay() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    // Linux before 5.18 forgets who set an address.
    for other in &mut observed.addresses {
        assert_eq!(other.protocol, Some(ADDRESS_PROTOCOL));
        other.protocol = None;
    }
    assert!(plan_for(&article_1(), &observed).is_empty());
    let done = apply(&services([network("eth0")]), &mut observed);
    assert!(
        lines(&done)
            .iter()
            .all(|line| line.starts_with("remove route")),
        "{done}"
    );
}

#[test]
fn forwarding_off_is_undone_to_exactly_what_was() {
    let mut observed = kernel(&["eth0", "eth1"]);
    let eth1 = Sysctl::Forwarding {
        family: Family::V4,
        scope: Scope::Interface("eth1".into()),
    };
    let setting = observed
        .sysctls
        .iter_mut()
        .find(|s| s.sysctl == eth1)
        .unwrap();
    setting.value = "0".to_owned();
    let before = observed.clone();
    let done = apply(&services([network("eth0")]), &mut observed);
    assert_eq!(
        done.add[0].step.to_string(),
        "keep net.ipv4.conf.eth1.forwarding at 0"
    );
    for planned in done.add.iter().rev() {
        simulation::apply(&mut observed, &planned.step.undo()).unwrap();
    }
    assert_eq!(observed, before);
}

#[test]
fn a_stray_forwarding_interface_is_turned_off() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&services([network("eth0")]), &mut observed);
    for family in [Family::V4, Family::V6] {
        let scope = Scope::Interface("eth1".into());
        let stray = Sysctl::Forwarding { family, scope };
        let setting = observed
            .sysctls
            .iter_mut()
            .find(|s| s.sysctl == stray)
            .unwrap();
        setting.value = "1".to_owned();
    }
    let done = apply(&services([network("eth0")]), &mut observed);
    let all: Vec<String> = done
        .add
        .iter()
        .map(|planned| planned.step.to_string())
        .collect();
    assert_eq!(all, ["set net.ipv4.conf.eth1.forwarding to 0 (was 1)"]);
}

#[test]
fn a_filter_that_is_off_or_loose_is_left_and_all_counts() {
    for (all, own, wanted) in [("0", "0", 0), ("0", "2", 0), ("2", "1", 0), ("1", "0", 2)] {
        let mut observed = kernel(&["eth0", "eth1"]);
        for setting in &mut observed.sysctls {
            match &setting.sysctl {
                Sysctl::ReversePathFilter(Scope::All) => setting.value = all.to_owned(),
                Sysctl::ReversePathFilter(_) => setting.value = own.to_owned(),
                _ => {}
            }
        }
        let done = apply(&article_1(), &mut observed);
        let set = done
            .steps()
            .filter(|planned| planned.step.to_string().contains("rp_filter"));
        assert_eq!(set.count(), wanted, "all {all}, own {own}");
    }
}

#[test]
fn a_kernel_without_ipv6_is_asked_for_nothing_of_it() {
    let mut observed = kernel(&["eth0"]);
    observed
        .sysctls
        .retain(|s| !s.sysctl.to_string().contains("ipv6"));
    let done = apply(&services([network("eth0")]), &mut observed);
    assert!(!done.to_string().contains("ipv6"), "{done}");
}

#[test]
fn a_link_that_went_down_and_lost_its_routes_is_repaired() {
    let mut observed = kernel(&["eth0", "eth1"]);
    apply(&article_1(), &mut observed);
    let down = Step::SetLink {
        interface: "eth1".into(),
        up: false,
    };
    simulation::apply(&mut observed, &down).unwrap();
    let done = apply(&article_1(), &mut observed);
    assert_eq!(
        lines(&done),
        [
            "bring eth1 up",
            "add route default via 10.1.0.1 dev eth1 metric 1"
        ]
    );
}

#[test]
fn plans_and_observations_survive_json() {
    let mut observed = kernel(&["eth0", "eth0.100"]);
    observed.links.push(ObservedLink {
        index: 1,
        name: "lo".into(),
        up: true,
        carrier: true,
        loopback: true,
        ..ObservedLink::default()
    });
    add_foreign_address(&mut observed, "eth0", "10.0.0.7/24");
    let done = plan_for(&article_1(), &observed);
    let text = serde_json::to_string(&done).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), done);
    let text = serde_json::to_string(&observed).unwrap();
    assert_eq!(serde_json::from_str::<Observed>(&text).unwrap(), observed);
}

#[test]
fn settings_of_interfaces_with_dots_are_named_as_sysctl_takes_them() {
    let sysctl = Sysctl::ReversePathFilter(Scope::Interface("eth0.100".into()));
    assert_eq!(
        sysctl.path(),
        ["net", "ipv4", "conf", "eth0.100", "rp_filter"]
    );
    assert_eq!(sysctl.to_string(), "net.ipv4.conf.eth0/100.rp_filter");
    let step = Step::RemoveAddress(on("eth0", "10.0.0.1/8"));
    assert_eq!(step.undo().undo(), step);
}
