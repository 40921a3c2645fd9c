//! Policy rules.

use std::collections::BTreeSet;

use super::{NO_LONGER_WANTED, Part, because};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::rule::PolicyRule;
use crate::step::Step;

/// Adds what is wanted and not there, whoever set it; removes what bears our mark and is not wanted.
pub(super) fn plan(desired: &Desired, observed: &Observed) -> Part {
    let whole = observed.rules.iter().filter(|other| !other.further);
    let there: BTreeSet<&PolicyRule> = whole.map(|other| &other.rule).collect();
    let mut wanted = BTreeSet::new();
    let mut part = Part::default();
    for line in &desired.rules {
        if wanted.insert(&line.rule) && !there.contains(&line.rule) {
            let step = Step::AddRule(line.rule.clone());
            part.add.push(because(step, &line.why, Some(&line.origin)));
        }
    }
    let ours = observed.rules.iter().filter(|other| other.is_ours());
    let stale = ours.filter(|other| !wanted.contains(&other.rule));
    part.remove = stale
        .map(|other| because(Step::RemoveRule(other.rule.clone()), NO_LONGER_WANTED, None))
        .collect();
    part.remove.reverse();
    part
}
