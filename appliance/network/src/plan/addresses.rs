//! Addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{NO_LONGER_WANTED, Part, Plan, because};
use crate::desired::{Desired, WantedAddress};
use crate::observed::{Observed, ObservedAddress};
use crate::problem::Problem;
use crate::state::{InterfaceAddress, InterfaceName};
use crate::step::Step;

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
