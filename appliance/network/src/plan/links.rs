//! Interfaces: which are missing, which are made, joined, brought up, and removed.

use std::collections::BTreeSet;

use lanai_model::Origin;

use super::{NO_LONGER_WANTED, Part, Plan, because};
use crate::desired::{Desired, WantedLink};
use crate::link::LinkKind;
use crate::observed::{Observed, ObservedLink};
use crate::problem::{Note, Problem};
use crate::simulation;
use crate::state::InterfaceName;
use crate::step::{PlannedStep, Step};

/// What is to be done about interfaces, and what the box is like afterwards.
pub(super) struct Links {
    /// Making, joining and settings; then what is to be brought up.
    pub(super) part: Part,
    /// The box with the interfaces that it will have: what else is wanted is planned for that one.
    pub(super) world: Observed,
    /// Names that something is wanted of and that the box will not have.
    pub(super) missing: BTreeSet<InterfaceName>,
    /// Interfaces that are made by this plan, anew or for the first time.
    pub(super) made: BTreeSet<InterfaceName>,
    /// Interfaces that go, once nothing uses them.
    pub(super) leaving: BTreeSet<InterfaceName>,
}

pub(super) fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) -> Links {
    let mut builder = Builder {
        world: observed.clone(),
        steps: Vec::new(),
        missing: BTreeSet::new(),
        problems: &mut plan.problems,
        notes: &mut plan.notes,
    };
    let wanted = builder.make(desired);
    builder.report_missing(desired);
    for link in &wanted {
        builder.join(link);
    }
    for link in &wanted {
        builder.settings(link);
        builder.mode(link);
    }
    for link in &wanted {
        builder.bring_up(link);
    }
    let Builder {
        world,
        steps,
        missing,
        ..
    } = builder;
    let made = steps.iter().filter_map(|planned| match &planned.step {
        Step::AddLink { interface, .. } => Some(interface.clone()),
        _ => None,
    });
    let made = made.collect();
    let (remove, leaving) = removals(desired, &world);
    Links {
        part: Part { add: steps, remove },
        world,
        missing,
        made,
        leaving,
    }
}

struct Builder<'a> {
    world: Observed,
    steps: Vec<PlannedStep>,
    missing: BTreeSet<InterfaceName>,
    problems: &'a mut Vec<Problem>,
    notes: &'a mut Vec<Note>,
}

impl Builder<'_> {
    /// Makes what is not there, and gives the wanted links in the order in which one builds on the
    /// other.
    fn make<'d>(&mut self, desired: &'d Desired) -> Vec<&'d WantedLink> {
        let mut seen = BTreeSet::new();
        let (tagged, mut ordered): (Vec<_>, Vec<_>) = desired
            .links
            .iter()
            .filter(|link| seen.insert(&link.name))
            .partition(|link| matches!(link.kind, LinkKind::Vlan { .. }));
        for link in &ordered {
            self.make_one(link);
        }
        // A VLAN may be on a VLAN: what can be made is made until nothing more can.
        let mut waiting = tagged;
        loop {
            let (ready, later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|link| self.has_parent(link));
            if ready.is_empty() {
                for link in &later {
                    self.without_parent(link);
                }
                return ordered;
            }
            for link in ready {
                self.make_one(link);
                ordered.push(link);
            }
            waiting = later;
        }
    }

    fn has_parent(&self, link: &WantedLink) -> bool {
        match &link.kind {
            LinkKind::Vlan { parent, .. } => self.world.link(parent).is_some(),
            _ => true,
        }
    }

    fn without_parent(&mut self, link: &WantedLink) {
        if let LinkKind::Vlan { parent, .. } = &link.kind {
            self.missing.insert(link.name.clone());
            self.report(parent, &link.origin);
        }
    }

    fn make_one(&mut self, link: &WantedLink) {
        if !link.kind.is_made() {
            return;
        }
        if let Some(existing) = self.world.link(&link.name) {
            if existing.kind.is(&link.kind) {
                return;
            }
            if !existing.is_ours() {
                self.problems.push(Problem::LinkTaken {
                    interface: link.name.clone(),
                    wanted: link.kind.clone(),
                    existing: existing.kind.clone(),
                    origin: link.origin.clone(),
                });
                self.missing.insert(link.name.clone());
                return;
            }
            let existing = existing.clone();
            self.dismantle(&existing, &link.origin);
        }
        let step = Step::AddLink {
            interface: link.name.clone(),
            kind: link.kind.clone(),
        };
        self.step(step, "it is not there", &link.origin);
    }

    /// Removes an interface of ours, and first what is on it, so that all of it can be undone.
    fn dismantle(&mut self, link: &ObservedLink, origin: &Origin) {
        let on_top = |other: &&ObservedLink| {
            other.is_ours()
                && matches!(&other.kind, LinkKind::Vlan { parent, .. } if *parent == link.name)
        };
        let on_top: Vec<ObservedLink> = self.world.links.iter().filter(on_top).cloned().collect();
        for other in on_top {
            self.dismantle(&other, origin);
        }
        let why = "what it is made of changes";
        let name = Some(&link.name);
        let routes = self.world.routes.iter().filter(|other| other.is_ours());
        let routes = routes.filter(|other| other.route.interface.as_ref() == name);
        let routes: Vec<Step> = routes
            .map(|other| Step::RemoveRoute(other.route.clone()))
            .collect();
        let addresses = self.world.addresses_of(&link.name);
        let addresses: Vec<Step> = addresses
            .filter(|other| other.is_ours())
            .map(|other| Step::RemoveAddress(other.address.clone()))
            .collect();
        let apart = taken_apart(&self.world, link);
        // Those with a gateway were added last.
        let emptied = routes.into_iter().rev().chain(addresses.into_iter().rev());
        for step in emptied.chain(apart) {
            self.step(step, why, origin);
        }
    }

    /// Reports each name that something is wanted of and that the box will not have, once.
    fn report_missing(&mut self, desired: &Desired) {
        let links = desired.links.iter().map(|l| (Some(&l.name), &l.origin));
        let masters = desired.links.iter();
        let masters = masters.map(|l| (l.master.as_ref(), &l.origin));
        let addresses = desired.addresses.iter();
        let addresses = addresses.map(|a| (Some(&a.address.interface), &a.origin));
        let routes = desired.routes.iter();
        let routes = routes.map(|r| (r.route.interface.as_ref(), &r.origin));
        for (name, origin) in links.chain(masters).chain(addresses).chain(routes) {
            if let Some(name) = name {
                self.report(name, origin);
            }
        }
    }

    fn report(&mut self, name: &InterfaceName, origin: &Origin) {
        if self.world.link(name).is_none() && self.missing.insert(name.clone()) {
            self.problems
                .push(no_such_interface(name, origin, &self.world));
        }
    }

    /// Makes a link part of what it is wanted in, and takes it out of one of ours that it is not
    /// wanted in. A link that somebody else made part of something of theirs stays there.
    fn join(&mut self, wanted: &WantedLink) {
        let Some(link) = self.there(wanted).cloned() else {
            return;
        };
        let master = wanted.master.as_ref();
        if link.master.as_ref() == master || master.is_some_and(|name| self.missing.contains(name))
        {
            return;
        }
        let leaves = link.master.as_ref().is_some_and(|name| {
            let now = self.world.link(name);
            master.is_some() || now.is_some_and(ObservedLink::is_ours)
        });
        if leaves {
            let why = "it is not part of that in the configuration";
            for step in taken_out(&self.world, &link) {
                self.step(step, why, &wanted.origin);
            }
        }
        let Some(master) = master else {
            return;
        };
        let bond = |link: &ObservedLink| matches!(link.kind, LinkKind::Bond(_));
        let is_up = self.there(wanted).is_some_and(|link| link.up);
        if is_up && self.world.link(master).is_some_and(bond) {
            let step = Step::SetLink {
                interface: wanted.name.clone(),
                up: false,
            };
            let why = "a bond takes no link that is up; it brings it up itself";
            self.step(step, why, &wanted.origin);
        }
        let step = Step::SetMaster {
            interface: wanted.name.clone(),
            from: None,
            to: Some(master.clone()),
        };
        self.step(step, "it is not yet", &wanted.origin);
    }

    fn settings(&mut self, wanted: &WantedLink) {
        let Some(link) = self.there(wanted).cloned() else {
            return;
        };
        if let Some(mtu) = wanted.mtu
            && mtu != link.mtu
        {
            let step = Step::SetMtu {
                interface: wanted.name.clone(),
                from: link.mtu,
                to: mtu,
            };
            self.step(step, "it is another one", &wanted.origin);
        }
        if let Some(primary) = &wanted.primary
            && link.primary.as_ref() != Some(primary)
            && !self.missing.contains(primary)
        {
            let step = Step::SetPrimary {
                interface: wanted.name.clone(),
                from: link.primary.clone(),
                to: Some(primary.clone()),
            };
            self.step(step, "it is another one", &wanted.origin);
        }
    }

    /// A link that has one mode only keeps it, and the plan says so: a virtual machine's, mostly.
    fn mode(&mut self, wanted: &WantedLink) {
        let (Some(to), Some(link)) = (wanted.mode, self.there(wanted)) else {
            return;
        };
        match link.mode {
            Some(from) if from.is(&to) => {}
            Some(from) if from.settable => {
                let step = Step::SetMode {
                    interface: wanted.name.clone(),
                    from,
                    to,
                };
                self.step(step, "it is another one", &wanted.origin);
            }
            _ => self.notes.push(Note::OneModeOnly {
                interface: wanted.name.clone(),
                wanted: to,
                origin: wanted.origin.clone(),
            }),
        }
    }

    /// Nothing found is ever brought down for good: who brought it up is not known.
    fn bring_up(&mut self, wanted: &WantedLink) {
        if self.there(wanted).is_some_and(|link| !link.up) {
            let step = Step::SetLink {
                interface: wanted.name.clone(),
                up: true,
            };
            self.step(step, "it is down", &wanted.origin);
        }
    }

    fn there(&self, wanted: &WantedLink) -> Option<&ObservedLink> {
        let good = !self.missing.contains(&wanted.name);
        good.then(|| self.world.link(&wanted.name)).flatten()
    }

    fn step(&mut self, step: Step, why: &str, origin: &Origin) {
        // What it refuses, the kernel will refuse as well, and say why.
        let _ = simulation::apply(&mut self.world, &step);
        self.steps.push(because(step, why, Some(origin)));
    }
}

/// Takes out of bonds and bridges of ours what no line puts there, and removes those interfaces of
/// ours that no block is about: a VLAN before what it is on.
fn removals(desired: &Desired, world: &Observed) -> (Vec<PlannedStep>, BTreeSet<InterfaceName>) {
    let wanted: BTreeSet<&InterfaceName> = desired.links.iter().map(|link| &link.name).collect();
    let ours = world.links.iter().filter(|link| link.is_ours());
    let (mut going, staying): (Vec<_>, Vec<_>) = ours.partition(|l| !wanted.contains(&l.name));
    // Made later, thus on top of others.
    going.sort_by_key(|link| std::cmp::Reverse(link.index));
    let mut steps = Vec::new();
    for link in staying {
        let strays = members(world, &link.name).filter(|member| !wanted.contains(&member.name));
        let out = strays.flat_map(|member| taken_out(world, member));
        steps.extend(out.map(|step| because(step, NO_LONGER_WANTED, None)));
    }
    if going.is_empty() {
        return (steps, BTreeSet::new());
    }
    let mut rest = world.clone();
    for name in going.iter().map(|link| &link.name) {
        let Some(link) = rest.link(name).cloned() else {
            continue;
        };
        for step in taken_apart(&rest, &link) {
            let _ = simulation::apply(&mut rest, &step);
            steps.push(because(step, NO_LONGER_WANTED, None));
        }
    }
    (steps, going.into_iter().map(|l| l.name.clone()).collect())
}

/// The steps that remove an interface of ours and what was set of it, so that each can be undone.
fn taken_apart(world: &Observed, link: &ObservedLink) -> Vec<Step> {
    let interface = || link.name.clone();
    // Its settings go with it, and would not come back when this is undone.
    let held = world.sysctls.iter().filter_map(|other| {
        let own = other.sysctl.interface() == Some(&link.name);
        let held = other.held.as_ref().filter(|_| own)?;
        Some(Step::SetSysctl {
            sysctl: other.sysctl.clone(),
            from: other.value.clone(),
            to: held.before.clone(),
        })
    });
    let mut steps: Vec<Step> = held.collect();
    steps.extend(members(world, &link.name).flat_map(|member| taken_out(world, member)));
    steps.extend(taken_out(world, link));
    let mtu = simulation::first_mtu(world, &link.kind);
    if mtu != link.mtu {
        steps.push(Step::SetMtu {
            interface: interface(),
            from: link.mtu,
            to: mtu,
        });
    }
    if link.up {
        steps.push(Step::SetLink {
            interface: interface(),
            up: false,
        });
    }
    steps.push(Step::RemoveLink {
        interface: interface(),
        kind: link.kind.clone(),
    });
    steps
}

/// The members of a bond or bridge.
fn members<'a>(
    world: &'a Observed,
    master: &'a InterfaceName,
) -> impl Iterator<Item = &'a ObservedLink> {
    let links = world.links.iter();
    links.filter(|link| link.master.as_ref() == Some(master))
}

/// The steps that take a link out of the bond or bridge that it is part of; a bond that prefers it
/// must prefer it again when this is undone.
fn taken_out(world: &Observed, link: &ObservedLink) -> Vec<Step> {
    let Some(master) = &link.master else {
        return Vec::new();
    };
    let primary = world.link(master).and_then(|bond| bond.primary.as_ref());
    let mut steps = Vec::new();
    if primary == Some(&link.name) {
        steps.push(Step::SetPrimary {
            interface: master.clone(),
            from: primary.cloned(),
            to: None,
        });
    }
    steps.push(Step::SetMaster {
        interface: link.name.clone(),
        from: Some(master.clone()),
        to: None,
    });
    steps
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

const NAMES_SHOWN: usize = 16;

#[cfg(test)]
mod tests;
