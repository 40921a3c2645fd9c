//! What a change would do to the network and to traffic.

use lanai_control::{Effects, Preview};
use lanai_model::Origin;

use super::numbers::plural;

/// Names in one sentence; the others are counted.
const NAMED: usize = 8;

/// The plan of a change.
pub(crate) struct ChangePlan {
    pub(crate) summary: String,
    /// Sentences about traffic.
    pub(crate) effects: Vec<String>,
    /// Steps before the engine swaps, and after.
    pub(crate) before: Vec<Step>,
    pub(crate) after: Vec<Step>,
    /// How it may cut off whoever looks at it.
    pub(crate) cuts: Vec<String>,
    /// What cannot be done: a place and a sentence each.
    pub(crate) problems: Vec<(String, String)>,
}

/// One step on the network.
pub(crate) struct Step {
    pub(crate) class: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) text: String,
    /// Why, and which line asks for it.
    pub(crate) why: String,
    /// What it consists of, where it does many things.
    pub(crate) details: Vec<String>,
}

/// The plan of a preview; `None` if the check refused it.
pub(crate) fn change_plan(preview: &Preview) -> Option<ChangePlan> {
    let plan = preview.plan.as_ref()?;
    let before: Vec<Step> = plan
        .add
        .iter()
        .map(|one| Step {
            details: one.details.iter().map(ToString::to_string).collect(),
            ..step("add", "+", &one.step, &one.why, one.origin.as_ref())
        })
        .collect();
    let after: Vec<Step> = plan
        .remove
        .iter()
        .map(|one| Step {
            details: one.details.iter().map(ToString::to_string).collect(),
            ..step("del", "\u{2212}", &one.step, &one.why, one.origin.as_ref())
        })
        .collect();
    let steps = match before.len() + after.len() {
        0 => "the network stays as it is".to_owned(),
        number => plural(number, "network step", "network steps"),
    };
    let mut sentences = preview.effects.as_ref().map(effects).unwrap_or_default();
    sentences.extend(plan.notes.iter().map(ToString::to_string));
    let problems = plan.problems.iter();
    Some(ChangePlan {
        summary: steps,
        effects: sentences,
        before,
        after,
        cuts: preview.cuts.iter().map(ToString::to_string).collect(),
        problems: problems
            .map(|problem| (problem.origin().to_string(), problem.to_string()))
            .collect(),
    })
}

fn step(
    class: &'static str,
    sign: &'static str,
    step: &impl ToString,
    why: &str,
    origin: Option<&Origin>,
) -> Step {
    Step {
        class,
        sign,
        text: step.to_string(),
        why: match origin {
            Some(origin) => format!("{why} ({origin})"),
            None => why.to_owned(),
        },
        details: Vec::new(),
    }
}

/// Sentences, the most telling first.
pub(crate) fn effects(effects: &Effects) -> Vec<String> {
    let named = |names: &[String], one: &str, many: &str, what: &str| {
        let number = names.len();
        (number > 0).then(|| {
            let mut list = names
                .iter()
                .take(NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if number > NAMED {
                list = format!("{list} and {} more", number - NAMED);
            }
            format!("{} {what}: {list}", plural(number, one, many))
        })
    };
    let kept = |number: usize, one: &str, many: &str| {
        (number > 0).then(|| format!("{} unchanged", plural(number, one, many)))
    };
    [
        named(&effects.listeners_added, "listener", "listeners", "opened"),
        named(
            &effects.listeners_removed,
            "listener",
            "listeners",
            "closed, open connections go on",
        ),
        named(&effects.servers_added, "server", "servers", "added"),
        named(
            &effects.servers_removed,
            "server",
            "servers",
            "removed, without new traffic",
        ),
        named(&effects.servers_changed, "server", "servers", "changed"),
        kept(effects.listeners_unchanged, "listener", "listeners"),
        kept(effects.servers_unchanged, "server", "servers"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_sentences() {
        let names = |many: usize| (0..many).map(|at| format!("web/s{at}")).collect();
        let said = effects(&Effects {
            listeners_added: vec!["www 192.0.2.1:80".to_owned()],
            servers_removed: names(10),
            servers_unchanged: 1,
            ..Effects::default()
        });
        assert_eq!(said[0], "1 listener opened: www 192.0.2.1:80");
        assert!(said[1].starts_with("10 servers removed") && said[1].ends_with("and 2 more"));
        assert_eq!(said[2], "1 server unchanged");
        assert!(effects(&Effects::default()).is_empty());
    }
}
