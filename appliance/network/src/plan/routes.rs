//! Routes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::{NO_LONGER_WANTED, Part, Plan, because};
use crate::desired::{Desired, WantedRoute};
use crate::observed::{Observed, ObservedRoute};
use crate::problem::Problem;
use crate::state::{InterfaceAddress, InterfaceName, Route, RouteKind};
use crate::step::{PlannedStep, Step};

type Key = (u32, IpNet, u32);

/// Adds or replaces what is wanted and not there; removes what bears our mark and is not wanted.
/// What cannot work is reported, and then what we have in its place stays.
pub(super) fn plan(
    desired: &Desired,
    observed: &Observed,
    missing: &BTreeSet<InterfaceName>,
    plan: &mut Plan,
) -> Part {
    let wanted = wanted(desired, missing, plan);
    let there = by_key(observed);
    let on_link = OnLink::of(desired, observed);
    let mut part = Part::default();
    let unwanted = there.iter().filter(|(key, _)| !wanted.keys.contains(key));
    let mut stale: Vec<&ObservedRoute> = unwanted
        .flat_map(|(_, same_key)| same_key.iter().filter(|other| other.is_ours()))
        .copied()
        .collect();
    for line in &wanted.lines {
        let same_key = there.get(&line.route.key()).map_or(&[][..], Vec::as_slice);
        match judge(line, same_key, &on_link) {
            Verdict::Done { superfluous } => stale.extend(superfluous),
            Verdict::Do(step, why) => part.add.push(because(step, why, Some(&line.origin))),
            Verdict::Cannot(problem) => plan.problems.push(*problem),
        }
    }
    // A route without a gateway makes its destination reachable for the gateways of others.
    part.add.sort_by_key(has_gateway);
    part.remove = stale
        .into_iter()
        .map(|other| {
            because(
                Step::RemoveRoute(other.route.clone()),
                NO_LONGER_WANTED,
                None,
            )
        })
        .collect();
    part.remove.sort_by_key(has_gateway);
    part.remove.reverse();
    part
}

enum Verdict<'a> {
    /// It is there; what else of ours has its place by accident goes.
    Done {
        superfluous: Vec<&'a ObservedRoute>,
    },
    Do(Step, &'static str),
    Cannot(Box<Problem>),
}

fn judge<'a>(
    line: &WantedRoute,
    same_key: &[&'a ObservedRoute],
    on_link: &OnLink<'_>,
) -> Verdict<'a> {
    let wanted = &line.route;
    let equal = same_key
        .iter()
        .find(|other| other.route == *wanted && other.further.is_empty());
    if equal.is_none_or(|other| other.is_ours())
        && let Some(problem) = on_link.refuses(line)
    {
        return Verdict::Cannot(Box::new(problem));
    }
    let mut ours = same_key.iter().filter(|other| other.is_ours()).copied();
    if let Some(equal) = equal {
        let superfluous = ours.filter(|other| other.route != equal.route).collect();
        return Verdict::Done { superfluous };
    }
    // Replacing takes the first route of that key, thus there must be no other than ours.
    if let Some(foreign) = same_key.iter().find(|other| !other.is_ours()) {
        return Verdict::Cannot(Box::new(Problem::RouteTaken {
            wanted: wanted.clone(),
            existing: (*foreign).clone(),
            origin: line.origin.clone(),
        }));
    }
    match ours.next() {
        Some(existing) => {
            let step = Step::ReplaceRoute {
                from: existing.route.clone(),
                to: wanted.clone(),
            };
            Verdict::Do(step, "its gateway or interface changes")
        }
        None => Verdict::Do(Step::AddRoute(wanted.clone()), "it is not there"),
    }
}

#[derive(Default)]
struct Wanted<'a> {
    /// What the kernel can be asked for, as written.
    lines: Vec<&'a WantedRoute>,
    /// What is spoken for, even by a line that cannot be done: a route of ours that serves for the
    /// same thing now is not taken away for one that does not work.
    keys: BTreeSet<Key>,
}

fn wanted<'a>(
    desired: &'a Desired,
    missing: &BTreeSet<InterfaceName>,
    plan: &mut Plan,
) -> Wanted<'a> {
    let mut wanted = Wanted::default();
    let mut first_of: BTreeMap<Key, &WantedRoute> = BTreeMap::new();
    for line in &desired.routes {
        let key = line.route.key();
        wanted.keys.insert(key);
        if let Some(first) = first_of.get(&key) {
            if first.route != line.route {
                plan.problems.push(Problem::RouteTwice {
                    wanted: line.route.clone(),
                    first: first.origin.clone(),
                    origin: line.origin.clone(),
                });
            }
            continue;
        }
        first_of.insert(key, line);
        let interface = line.route.interface.as_ref();
        if interface.is_none_or(|name| !missing.contains(name)) {
            wanted.lines.push(line);
        }
    }
    wanted
}

fn by_key(observed: &Observed) -> BTreeMap<Key, Vec<&ObservedRoute>> {
    let mut there: BTreeMap<Key, Vec<&ObservedRoute>> = BTreeMap::new();
    for other in observed.routes.iter().filter(|other| !other.selective) {
        there.entry(other.route.key()).or_default().push(other);
    }
    there
}

/// What is directly reachable by which interface once the plan is executed.
struct OnLink<'a> {
    networks: BTreeMap<&'a str, BTreeSet<IpNet>>,
    /// Places that the kernel's routes for the networks of addresses will have.
    connected: BTreeMap<Key, (&'a InterfaceAddress, Leaving)>,
}

type Leaving = bool;

impl<'a> OnLink<'a> {
    fn of(desired: &'a Desired, observed: &'a Observed) -> Self {
        let mut networks: BTreeMap<&str, BTreeSet<IpNet>> = BTreeMap::new();
        let mut add = |interface: &'a InterfaceName, net: IpNet| {
            networks.entry(interface).or_default().insert(net.trunc());
        };
        let wanted: BTreeSet<_> = desired.addresses.iter().map(|a| &a.address).collect();
        for address in &wanted {
            add(&address.interface, address.net);
        }
        let mut connected = BTreeMap::new();
        let up: BTreeSet<_> = desired.links.iter().map(|link| &link.name).collect();
        let (ours, theirs): (Vec<_>, Vec<_>) =
            observed.addresses.iter().partition(|other| other.is_ours());
        let leaving = ours.iter().map(|other| (&other.address, true));
        let staying = wanted.iter().copied();
        let staying = staying.chain(theirs.iter().map(|other| &other.address));
        // A network that one address leaves and another stays in stays.
        for (address, leaving) in leaving.chain(staying.map(|address| (address, false))) {
            if let Some(route) = address.connected_route()
                && (leaving || up.contains(&address.interface))
            {
                connected.insert(route.key(), (address, leaving));
            }
        }
        let mut leaving = BTreeSet::new();
        for other in &observed.addresses {
            if other.is_ours() && !wanted.contains(&other.address) {
                leaving.insert((&other.address.interface, other.address.net.trunc()));
            } else {
                add(&other.address.interface, other.address.net);
            }
        }
        let routes = observed.routes.iter().map(|other| &other.route);
        for route in routes.chain(desired.routes.iter().map(|line| &line.route)) {
            // The kernel's own routes show, for example, the far end of a point-to-point link.
            if let Some(interface) = &route.interface
                && route.gateway.is_none()
                && route.kind == RouteKind::Unicast
                && !leaving.contains(&(interface, route.destination))
            {
                add(interface, route.destination);
            }
        }
        Self {
            networks,
            connected,
        }
    }

    fn refuses(&self, line: &WantedRoute) -> Option<Problem> {
        if let Some((address, leaving)) = self.connected.get(&line.route.key()) {
            return Some(Problem::RouteToOwnNetwork {
                wanted: line.route.clone(),
                address: (*address).clone(),
                leaving: *leaving,
                origin: line.origin.clone(),
            });
        }
        let gateway = line.route.gateway?;
        let interface = line.route.interface.as_ref()?;
        let networks = self.networks.get(&**interface);
        let reachable = is_link_local(gateway)
            || networks.is_some_and(|nets| nets.iter().any(|net| net.contains(&gateway)));
        (!reachable).then(|| Problem::GatewayUnreachable {
            gateway,
            interface: interface.clone(),
            wanted: line.route.clone(),
            origin: line.origin.clone(),
        })
    }
}

/// Every IPv6 interface has the link-local network, shown or not.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn has_gateway(planned: &PlannedStep) -> bool {
    let via = |route: &Route| route.gateway.is_some();
    match &planned.step {
        Step::AddRoute(route) | Step::RemoveRoute(route) => via(route),
        Step::ReplaceRoute { to, .. } => via(to),
        _ => false,
    }
}
