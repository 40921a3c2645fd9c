//! From what is to what is wanted, in the order in which each step can work.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::observed::Observed;
use crate::problem::Problem;
use crate::step::PlannedStep;

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
pub fn plan(_desired: &Desired, _observed: &Observed) -> Plan {
    Plan::default()
}
