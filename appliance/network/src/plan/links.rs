//! Interfaces: which are missing, which must be brought up.

use std::collections::BTreeSet;

use lanai_model::Origin;

use super::{Part, because};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::problem::Problem;
use crate::state::InterfaceName;
use crate::step::Step;

/// Names that something is wanted of and that the box does not have, each reported once.
pub(super) fn missing(
    desired: &Desired,
    observed: &Observed,
    problems: &mut Vec<Problem>,
) -> BTreeSet<InterfaceName> {
    let links = desired.links.iter().map(|l| (Some(&l.name), &l.origin));
    let addresses = desired.addresses.iter();
    let addresses = addresses.map(|a| (Some(&a.address.interface), &a.origin));
    let routes = desired.routes.iter();
    let routes = routes.map(|r| (r.route.interface.as_ref(), &r.origin));
    let mut missing = BTreeSet::new();
    for (name, origin) in links.chain(addresses).chain(routes) {
        if let Some(name) = name
            && observed.link(name).is_none()
            && missing.insert(name.clone())
        {
            problems.push(no_such_interface(name, origin, observed));
        }
    }
    missing
}

fn no_such_interface(name: &InterfaceName, origin: &Origin, observed: &Observed) -> Problem {
    let existing = observed.links.iter().filter(|link| !link.loopback);
    Problem::NoSuchInterface {
        interface: name.clone(),
        existing: existing
            .map(|link| link.name.clone())
            .take(NAMES_SHOWN)
            .collect(),
        origin: origin.clone(),
    }
}

/// Brings up what is down. Nothing is ever brought down: who brought an interface up is not known.
pub(super) fn plan(desired: &Desired, observed: &Observed) -> Part {
    let mut part = Part::default();
    let mut seen = BTreeSet::new();
    for wanted in &desired.links {
        if seen.insert(&wanted.name) && observed.link(&wanted.name).is_some_and(|link| !link.up) {
            let step = Step::SetLink {
                interface: wanted.name.clone(),
                up: true,
            };
            part.add
                .push(because(step, "it is down", Some(&wanted.origin)));
        }
    }
    part
}

const NAMES_SHOWN: usize = 16;
