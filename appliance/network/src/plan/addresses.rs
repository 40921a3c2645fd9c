//! Addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::{NO_LONGER_WANTED, Part, Plan, because};
use crate::desired::{Desired, WantedAddress};
use crate::observed::{Observed, ObservedAddress, ObservedRoute};
use crate::problem::Problem;
use crate::state::{InterfaceAddress, InterfaceName};
use crate::step::{PlannedStep, Step};

/// Adds what is wanted and not there, whoever set it; removes what bears our mark and is not wanted.
pub(super) fn plan(
    desired: &Desired,
    observed: &Observed,
    missing: &BTreeSet<InterfaceName>,
    plan: &mut Plan,
) -> Part {
    let wanted = wanted(desired, missing, plan);
    let there = observed.addresses.iter().map(|other| &other.address);
    let there: BTreeSet<&InterfaceAddress> = there.collect();
    let mut in_the_way = InTheWay::of(observed);
    let mut part = Part::default();
    for line in &wanted.lines {
        let address = &line.address;
        if there.contains(address) {
            continue;
        }
        match in_the_way.take(address) {
            None => {}
            Some(existing) if existing.is_ours() => {
                let step = Step::RemoveAddress(existing.address.clone());
                let why = "its prefix length changes";
                part.add.push(because(step, why, Some(&line.origin)));
            }
            Some(existing) => {
                plan.problems.push(Problem::AddressTaken {
                    wanted: address.clone(),
                    existing: existing.address.clone(),
                    origin: line.origin.clone(),
                });
                continue;
            }
        }
        let step = Step::AddAddress(address.clone());
        part.add
            .push(because(step, "it is not there", Some(&line.origin)));
    }
    part.add.extend(in_order(&wanted, observed, &there));
    let stale = observed.addresses.iter().filter(|other| {
        other.is_ours()
            && !wanted.identities.contains(&other.address)
            && !in_the_way.taken.contains(&other.address)
    });
    for other in stale {
        let step = Step::RemoveAddress(other.address.clone());
        part.remove.push(because(step, NO_LONGER_WANTED, None));
    }
    part.remove.reverse();
    part
}

/// What is wanted, without what is on missing interfaces and without what the kernel would refuse
/// because an earlier line has the same IPv6 address.
#[derive(Default)]
struct Wanted<'a> {
    /// As written: of several IPv4 addresses in a network the first added is the one that the box
    /// sends from.
    lines: Vec<&'a WantedAddress>,
    identities: BTreeSet<&'a InterfaceAddress>,
}

fn wanted<'a>(
    desired: &'a Desired,
    missing: &BTreeSet<InterfaceName>,
    plan: &mut Plan,
) -> Wanted<'a> {
    let mut wanted = Wanted::default();
    let mut hosts: BTreeMap<(&InterfaceName, IpAddr), &WantedAddress> = BTreeMap::new();
    for line in &desired.addresses {
        let address = &line.address;
        if missing.contains(&address.interface) || wanted.identities.contains(address) {
            continue;
        }
        let host = (&address.interface, address.net.addr());
        if address.net.addr().is_ipv6()
            && let Some(first) = hosts.get(&host)
        {
            plan.problems.push(Problem::AddressTwice {
                wanted: address.clone(),
                first: first.origin.clone(),
                origin: line.origin.clone(),
            });
            continue;
        }
        hosts.insert(host, line);
        wanted.identities.insert(address);
        wanted.lines.push(line);
    }
    wanted
}

/// The IPv4 addresses of one network on one interface.
#[derive(Default)]
struct Group<'a> {
    /// In the kernel's order, after what is wanted was added.
    from: Vec<IpNet>,
    /// As written, then those that go.
    to: Vec<IpNet>,
    first: Option<&'a WantedAddress>,
    /// Whether somebody else's address or route would suffer.
    foreign: bool,
}

/// Brings the addresses of each IPv4 network into the order in which they are written, those that go
/// behind them: so the box sends from the first, and undoing finds each at its place again. A network
/// in which somebody else has an address stays as it is, and so does one whose addresses somebody
/// else's route names as its source: the kernel removes such a route with the address.
fn in_order(
    wanted: &Wanted<'_>,
    observed: &Observed,
    there: &BTreeSet<&InterfaceAddress>,
) -> Vec<PlannedStep> {
    let sources = observed.routes.iter().filter(|other| !by_kernel(other));
    let sources: BTreeSet<IpAddr> = sources.filter_map(|other| other.source).collect();
    let mut groups: BTreeMap<(&InterfaceName, IpNet), Group<'_>> = BTreeMap::new();
    let v4 = |address: &InterfaceAddress| address.net.addr().is_ipv4();
    let observed = observed.addresses.iter().filter(|a| v4(&a.address));
    let lines = wanted.lines.iter().filter(|line| v4(&line.address));
    for other in observed.clone() {
        let group = groups.entry(network(&other.address)).or_default();
        group.from.push(other.address.net);
        group.foreign |= !other.is_ours() || sources.contains(&other.address.net.addr());
    }
    for line in lines {
        let group = groups.entry(network(&line.address)).or_default();
        if !there.contains(&line.address) {
            group.from.push(line.address.net);
        }
        group.to.push(line.address.net);
        group.first.get_or_insert(line);
    }
    for other in observed {
        if !wanted.identities.contains(&other.address)
            && let Some(group) = groups.get_mut(&network(&other.address))
        {
            group.to.push(other.address.net);
        }
    }
    let differ = |group: &Group<'_>| !group.foreign && group.from != group.to;
    let groups = groups.into_iter().filter(|(_, group)| differ(group));
    let steps = groups.filter_map(|((interface, _), group)| {
        let step = Step::OrderAddresses {
            interface: interface.clone(),
            from: group.from,
            to: group.to,
        };
        let why = "the box sends from the first of a network";
        Some(because(step, why, Some(&group.first?.origin)))
    });
    steps.collect()
}

fn network(address: &InterfaceAddress) -> (&InterfaceName, IpNet) {
    (&address.interface, address.net.trunc())
}

/// Whether the kernel itself keeps this route, and brings it back.
fn by_kernel(route: &ObservedRoute) -> bool {
    route.protocol == PROTOCOL_KERNEL
}

/// IPv6 addresses that keep the kernel from adding the same with another prefix length.
struct InTheWay<'a> {
    by_host: BTreeMap<(&'a InterfaceName, IpAddr), &'a ObservedAddress>,
    taken: BTreeSet<&'a InterfaceAddress>,
}

impl<'a> InTheWay<'a> {
    fn of(observed: &'a Observed) -> Self {
        let v6 = observed.addresses.iter();
        let v6 = v6.filter(|other| other.address.net.addr().is_ipv6());
        let by_host = v6.map(|other| {
            let address = &other.address;
            ((&address.interface, address.net.addr()), other)
        });
        Self {
            by_host: by_host.collect(),
            taken: BTreeSet::new(),
        }
    }

    fn take(&mut self, wanted: &InterfaceAddress) -> Option<&'a ObservedAddress> {
        let host = (&wanted.interface, wanted.net.addr());
        let found = self.by_host.get(&host).copied()?;
        if found.is_ours() {
            self.taken.insert(&found.address);
        }
        Some(found)
    }
}

/// `RTPROT_KERNEL`, `linux/rtnetlink.h`.
const PROTOCOL_KERNEL: u8 = 2;
