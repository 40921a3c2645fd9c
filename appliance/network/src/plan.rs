//! From what is to what is wanted, in the order in which each step can work.

mod addresses;
mod links;
mod routes;
mod sysctls;

use std::fmt;

use lanai_model::Origin;
use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::observed::Observed;
use crate::problem::Problem;
use crate::step::{PlannedStep, Step};

/// The steps from an [`Observed`] to a [`Desired`], complete and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// To be done before the engine binds: settings, links, addresses, routes.
    pub add: Vec<PlannedStep>,
    /// To be done after the engine let go of what is no longer wanted: routes, then addresses.
    pub remove: Vec<PlannedStep>,
    /// What was left out, and why. Not a step, so it does not count for [`Plan::is_empty`].
    pub problems: Vec<Problem>,
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
    let missing = links::missing(desired, observed, &mut plan.problems);
    sysctls::plan(desired, observed, &mut plan);
    links::plan(desired, observed, &mut plan);
    let addresses = addresses::plan(desired, observed, &missing, &mut plan);
    let routes = routes::plan(desired, observed, &missing, &mut plan);
    // An address must be there before the routes that need its network, and must go after them.
    plan.add.extend(addresses.add);
    plan.add.extend(routes.add);
    plan.remove.extend(routes.remove);
    plan.remove.extend(addresses.remove);
    plan
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
    }
}

const NO_LONGER_WANTED: &str = "no longer in the configuration";

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod tests;
