//! From what is to what is wanted, in the order in which each step can work.

mod addresses;
mod links;
mod routes;
mod rules;
mod sysctls;
mod system;
mod table;

use std::fmt;

use lanai_model::Origin;
use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::observed::{Nftables, Observed};
use crate::problem::{Note, Problem};
use crate::state::InterfaceAddress;
use crate::step::{PlannedStep, Step};

/// The steps from an [`Observed`] to a [`Desired`], complete and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// To be done before the engine binds: packet filter, settings, links, addresses, routes, rules.
    pub add: Vec<PlannedStep>,
    /// To be done after the engine let go of what is no longer wanted: the same in reverse.
    pub remove: Vec<PlannedStep>,
    /// What was left out, and why. Not a step, so it does not count for [`Plan::is_empty`].
    pub problems: Vec<Problem>,
    /// What is to be known, and keeps nobody from anything.
    #[serde(default)]
    pub notes: Vec<Note>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Every step, in the order of execution.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.add.iter().chain(&self.remove)
    }
}

/// One line per step and per problem; "nothing to do" for an empty plan.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "problem: {problem} ({})", problem.origin())?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        if self.is_empty() {
            return writeln!(f, "nothing to do");
        }
        for step in self.steps() {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

/// Compares `desired` with `observed` and says what is to be done.
///
/// A foreign address or route that equals a wanted one counts as done. It stays foreign: it is not
/// removed when it is no longer wanted, and comes back as ours if its owner takes it away.
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    let table = table::plan(desired, observed, &mut plan);
    let links = links::plan(desired, observed, &mut plan);
    let (world, missing) = (&links.world, &links.missing);
    // Nothing is forwarded without a filter that says what may be.
    let guarded = world.nftables != Nftables::Missing;
    let sysctls = sysctls::plan(desired, world, guarded, &links.leaving, &mut plan);
    let addresses = addresses::plan(desired, world, missing, &mut plan);
    let routes = routes::plan(desired, world, missing, &mut plan);
    let rules = rules::plan(desired, world);
    // The filter stands before anything can pass, forwarding ends before anything else. What is made
    // must be there before its settings, an address before the routes that need its network, a
    // table's routes before the rules that lead to them.
    let made = |planned: &&PlannedStep| match &planned.step {
        Step::SetSysctl { sysctl, .. } => sysctl
            .interface()
            .is_some_and(|name| links.made.contains(name)),
        _ => false,
    };
    let early = sysctls.add.iter().filter(|planned| !made(planned));
    plan.add.extend(table.add.iter().chain(early).cloned());
    let late = sysctls.add.iter().filter(made);
    let linked = links.part.add.iter().chain(late);
    plan.add.extend(linked.cloned());
    let system = system::plan(desired, observed, &mut plan.notes);
    absent(desired, world, &mut plan.notes);
    let shared = desired.shared_ports.iter();
    plan.notes
        .extend(shared.map(|(ports, origin)| Note::NotReserved {
            ports: *ports,
            origin: origin.clone(),
        }));
    for part in [&addresses, &routes, &rules, &system] {
        plan.add.extend(part.add.iter().cloned());
    }
    // And the other way round; a setting that says what removing an address takes with it stays
    // until that is done.
    for part in [system, rules, routes, addresses, links.part, sysctls, table] {
        plan.remove.extend(part.remove);
    }
    plan
}

/// Listeners that start without their address.
fn absent(desired: &Desired, observed: &Observed, notes: &mut Vec<Note>) {
    for (address, origin) in &desired.standby {
        let mut now = observed.addresses.iter().map(|other| &other.address);
        let mut then = desired.addresses.iter().map(|other| &other.address);
        let is = |other: &InterfaceAddress| other.net.addr() == *address;
        if !now.any(is) && !then.any(is) {
            notes.push(Note::Absent {
                address: *address,
                origin: origin.clone(),
            });
        }
    }
}

/// What one part of the planner wants done, before it is put in order with the others.
#[derive(Default)]
struct Part {
    add: Vec<PlannedStep>,
    remove: Vec<PlannedStep>,
}

fn because(step: Step, why: &str, origin: Option<&Origin>) -> PlannedStep {
    PlannedStep {
        step,
        why: why.to_owned(),
        origin: origin.cloned(),
        details: Vec::new(),
    }
}

const NO_LONGER_WANTED: &str = "no longer in the configuration";

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
