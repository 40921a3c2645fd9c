//! Our nftables table.

use super::{Part, Plan, because};
use crate::desired::Desired;
use crate::nft::{Chain, Table};
use crate::observed::{Nftables, Observed};
use crate::problem::Problem;
use crate::step::{Detail, Step};

/// Replaces the table if it is not as wanted: first by one that lets through what passed before as
/// well, and by the wanted one after everything else was done. So no packet is dropped that is
/// served before or after the change, and a guard is there for as long as what it guards.
pub(super) fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) -> Part {
    let mut part = Part::default();
    let there = observed.nftables.table();
    if let (Nftables::Missing, Some(first)) = (&observed.nftables, desired.chains.first()) {
        plan.problems.push(Problem::NoNftables {
            origin: first.origin.clone(),
        });
        return part;
    }
    let wanted = desired.table();
    if wanted.as_ref() == there {
        return part;
    }
    let details = details(desired, there);
    let between = match (&wanted, there) {
        (Some(wanted), Some(there)) => Some(wanted.with_what_passes_in(there)),
        (Some(wanted), None) => Some(wanted.clone()),
        (None, there) => there.cloned(),
    };
    let replace = |from: Option<&Table>, to: Option<&Table>, why, first: bool| {
        let step = Step::ReplaceTable {
            from: from.cloned(),
            to: to.cloned(),
        };
        let mut planned = because(step, why, None);
        if first {
            planned.details.clone_from(&details);
        }
        planned
    };
    let changes_first = between.as_ref() != there;
    if changes_first {
        let why = match there {
            None => "it is not there",
            Some(_) => "it is not as the configuration asks for",
        };
        part.add.push(replace(there, between.as_ref(), why, true));
    }
    if between != wanted {
        let why = "what was let through for what is gone now";
        let step = replace(between.as_ref(), wanted.as_ref(), why, !changes_first);
        part.remove.push(step);
    }
    part
}

/// What differs, rule by rule, with the line that asks for it.
fn details(desired: &Desired, there: Option<&Table>) -> Vec<Detail> {
    let mut details = Vec::new();
    let detail = |what: String, origin| Detail { what, origin };
    let known = |name: &str| there.and_then(|table| table.chain(name));
    for wanted in &desired.chains {
        let existing = known(&wanted.name);
        let chain = wanted.chain();
        if existing.is_none_or(|chain| chain.base != wanted.base) {
            let what = format!("add chain {chain}");
            details.push(detail(what, Some(wanted.origin.clone())));
        }
        let has = |chain: Option<&Chain>, rule| chain.is_some_and(|c| c.rules.contains(rule));
        for line in wanted.rules.iter().filter(|r| !has(existing, &r.rule)) {
            let what = format!("add rule {}: {}", wanted.name, line.rule);
            details.push(detail(what, Some(line.origin.clone())));
        }
        let gone = existing.into_iter().flat_map(|chain| &chain.rules);
        for rule in gone.filter(|rule| !chain.rules.contains(rule)) {
            let what = format!("remove rule {}: {rule}", wanted.name);
            details.push(detail(what, None));
        }
    }
    for chain in there.into_iter().flat_map(|table| &table.chains) {
        if !desired.chains.iter().any(|other| other.name == chain.name) {
            details.push(detail(format!("remove chain {chain}"), None));
        }
    }
    if details.is_empty() {
        details.push(detail("put chains and rules in order".to_owned(), None));
    }
    details
}
