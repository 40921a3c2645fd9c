//! A kernel made of data: what a step does to an [`Observed`].
//!
//! For tests, ours and those of `control`, whose fake host keeps an `Observed` and applies steps to
//! it. It follows Linux in what the planner relies on: uniqueness, what a removal takes with it, and
//! that setting forwarding for all sets it for each.

use std::fmt;

use crate::observed::Observed;
use crate::step::Step;

/// Why the kernel would refuse a step; the words are for a test's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Applies one step, or refuses it and changes nothing.
pub fn apply(_observed: &mut Observed, _step: &Step) -> Result<(), Refusal> {
    Ok(())
}
