//! Whatever is wanted, whatever is there: a plan can be executed, leaves nothing to do, leaves alone
//! what is not ours, and can be undone.

use std::collections::BTreeSet;

use lanai_model::layer7::Config;
use lanai_model::services::Services;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::state::{Family, InterfaceAddress};
use crate::testing::{Text, add_foreign_address, add_foreign_route, kernel, network, via};
use crate::{desired, simulation};

const INTERFACES: [&str; 3] = ["eth0", "eth1", "eth2.7"];
const ADDRESSES: [&str; 7] = [
    "10.0.0.2/24",
    "10.0.0.3/24",
    "10.0.0.2/16",
    "10.1.0.2/24",
    "fd00::2/64",
    "fd00::2/48",
    "fd01::2/64",
];
const DESTINATIONS: [&str; 4] = ["0.0.0.0/0", "192.168.0.0/16", "::/0", "10.0.0.0/24"];
const GATEWAYS_V4: [&str; 4] = ["10.0.0.1", "10.0.0.9", "10.1.0.1", "10.0.7.1"];
const GATEWAYS_V6: [&str; 3] = ["fd00::1", "fd01::1", "fe80::1"];

fn gateway(destination: &str, choice: usize) -> &'static str {
    if destination.contains(':') {
        GATEWAYS_V6[choice % GATEWAYS_V6.len()]
    } else {
        GATEWAYS_V4[choice % GATEWAYS_V4.len()]
    }
}

prop_compose! {
    fn text()(
        // One more name than the box has.
        interface in select(&["eth0", "eth1", "eth2.7", "eth9"][..]),
        addresses in vec(select(&ADDRESSES[..]), 0..4),
        routes in vec((select(&DESTINATIONS[..]), 0..8_usize, proptest::option::of(0..3_u32)), 0..4),
    ) -> Text {
        let mut text = network(interface);
        for address in addresses {
            text = text.address(address);
        }
        for (destination, choice, metric) in routes {
            text = text.route(destination, gateway(destination, choice), metric);
        }
        text
    }
}

prop_compose! {
    fn configuration()(texts in vec(text(), 0..4)) -> Services {
        Services { networks: texts.into_iter().map(Text::into_network).collect(), ..Services::default() }
    }
}

prop_compose! {
    /// A kernel with foreign addresses and routes, some interfaces down, settings at random.
    fn box_of_others()(
        down in vec(any::<bool>(), 3),
        addresses in vec((select(&INTERFACES[..]), select(&ADDRESSES[..])), 0..3),
        routes in vec((select(&INTERFACES[..]), select(&DESTINATIONS[..]), 0..8_usize, 0..3_u32), 0..3),
        settings in vec(select(&["0", "1", "2"][..]), 32),
    ) -> Observed {
        let mut observed = kernel(&INTERFACES);
        for (setting, value) in observed.sysctls.iter_mut().zip(settings) {
            setting.value = value.to_owned();
        }
        for (interface, address) in addresses {
            add_foreign_address(&mut observed, interface, address);
        }
        for (interface, destination, choice, metric) in routes {
            let route = via(destination, gateway(destination, choice), interface, metric);
            add_foreign_route(&mut observed, route);
        }
        unique(&mut observed);
        for (index, down) in down.into_iter().enumerate() {
            if down {
                set_down(&mut observed, INTERFACES[index]);
            }
        }
        observed
    }
}

/// What a kernel could have: nothing twice.
fn unique(observed: &mut Observed) {
    let mut seen = BTreeSet::new();
    observed.addresses.retain(|other| {
        let net = other.address.net;
        let len = if net.addr().is_ipv6() {
            0
        } else {
            net.prefix_len()
        };
        seen.insert((other.address.interface.clone(), net.addr(), len))
    });
    let mut seen = BTreeSet::new();
    observed
        .routes
        .retain(|other| other.protocol == 2 || seen.insert(other.route.key()));
    let addresses = observed.addresses.clone();
    observed.routes.retain(|other| {
        let interface = other.route.interface.as_ref();
        other.route.destination.addr().is_ipv6()
            || addresses
                .iter()
                .any(|a| Some(&a.address.interface) == interface && a.address.net.addr().is_ipv4())
    });
    simulation::refresh(observed);
}

fn set_down(observed: &mut Observed, interface: &str) {
    let step = Step::SetLink {
        interface: interface.into(),
        up: false,
    };
    simulation::apply(observed, &step).unwrap();
}

fn foreign_addresses(observed: &Observed) -> BTreeSet<InterfaceAddress> {
    let foreign = observed.addresses.iter().filter(|other| !other.is_ours());
    foreign.map(|other| other.address.clone()).collect()
}

/// Foreign routes, but those of an interface that has no IPv4 address any more: with its last, the
/// kernel takes all its IPv4 routes.
fn foreign_routes(observed: &Observed, lasting: &Observed) -> BTreeSet<String> {
    let foreign = observed.routes.iter().filter(|other| {
        let interface = other.route.interface.as_deref().unwrap_or_default();
        let addressed = lasting
            .addresses_of(interface)
            .any(|address| address.address.net.addr().is_ipv4());
        !other.is_ours()
            && other.protocol != 2
            && (addressed || Family::of(other.route.destination) == Family::V6)
    });
    foreign.map(|other| other.route.to_string()).collect()
}

/// Everything, without the order in which a kernel happens to have it.
fn contents(observed: &Observed) -> BTreeSet<String> {
    let links = observed.links.iter().map(|other| format!("{other:?}"));
    let addresses = observed.addresses.iter().map(|other| format!("{other:?}"));
    let routes = observed.routes.iter().map(|other| format!("{other:?}"));
    let sysctls = observed.sysctls.iter().map(|other| format!("{other:?}"));
    links
        .chain(addresses)
        .chain(routes)
        .chain(sysctls)
        .collect()
}

fn execute(observed: &mut Observed, plan: &Plan) -> Result<(), TestCaseError> {
    for planned in plan.steps() {
        let applied = simulation::apply(observed, &planned.step);
        applied.map_err(|why| TestCaseError::fail(format!("{why} in\n{plan}")))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_can_be_executed_leaves_nothing_to_do_and_spares_what_is_not_ours(
        others in box_of_others(),
        first in configuration(),
        second in configuration(),
        flap in proptest::option::of(select(&INTERFACES[..])),
    ) {
        let mut observed = others.clone();
        for wanted in [&first, &second] {
            let wanted = desired(wanted, &Config::default());
            let before = observed.clone();
            let done = plan(&wanted, &observed);
            execute(&mut observed, &done)?;
            let mut again = plan(&wanted, &observed);
            // The one thing that takes two: a network that becomes remote.
            if done.problems.iter().any(|problem| {
                matches!(problem, Problem::RouteToOwnNetwork { leaving: true, .. })
            }) {
                execute(&mut observed, &again)?;
                again = plan(&wanted, &observed);
            }
            prop_assert!(again.is_empty(), "{done}then again\n{again}");
            prop_assert_eq!(foreign_addresses(&before), foreign_addresses(&observed));
            prop_assert_eq!(
                foreign_routes(&before, &observed),
                foreign_routes(&observed, &observed)
            );
            if let Some(interface) = flap {
                set_down(&mut observed, interface);
            }
        }
    }

    #[test]
    fn what_is_added_can_be_taken_back(
        others in box_of_others(),
        first in configuration(),
        second in configuration(),
    ) {
        let mut observed = others;
        let done = plan(&desired(&first, &Config::default()), &observed);
        execute(&mut observed, &done)?;
        let before = observed.clone();
        let next = plan(&desired(&second, &Config::default()), &observed);
        for planned in &next.add {
            simulation::apply(&mut observed, &planned.step).unwrap();
        }
        for planned in next.add.iter().rev() {
            simulation::apply(&mut observed, &planned.step.undo())
                .map_err(|why| TestCaseError::fail(format!("{why}, undoing\n{next}")))?;
        }
        prop_assert_eq!(contents(&observed), contents(&before), "after undoing\n{}", next);
    }

    #[test]
    fn a_plan_is_the_same_whatever_the_order_the_kernel_lists_things_in(
        mut others in box_of_others(),
        wanted in configuration(),
    ) {
        let wanted = desired(&wanted, &Config::default());
        let one = plan(&wanted, &others);
        others.addresses.reverse();
        others.routes.reverse();
        let other = plan(&wanted, &others);
        prop_assert_eq!(one.add, other.add);
    }
}
