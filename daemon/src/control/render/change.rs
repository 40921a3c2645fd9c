//! What a change would do, or did.

use lanai_control::{
    Applied, ApplyError, Effects, FileDiff, OnTrial, Preview, RevisionId, TakenBack,
};
use lanai_network::{Cut, Plan};
use serde_json::json;

use super::{Ink, Paper, check, check_value, history, lasting, messages, moment};
use crate::wire::shell::Reply;

/// `lanai plan`.
pub(in crate::control) fn plan(paper: Paper, preview: &Preview) -> Reply {
    let (Some(plan), Some(effects)) = (&preview.plan, &preview.effects) else {
        return check(paper, &preview.report);
    };
    // A plan with problems is shown whole, and refused like the apply would be.
    paper.reply(
        plan.problems.is_empty(),
        || {
            let mut text = messages(paper, &preview.report);
            text += &files(paper, &preview.diff);
            text += &network(paper, plan);
            text += &traffic(paper, effects);
            if !preview.cuts.is_empty() {
                text += &cut(paper, &preview.cuts);
                text += "  `lanai apply` puts it on trial for five minutes, unless you say \
                         --no-confirm\n";
            }
            text
        },
        || {
            let mut value = check_value(&preview.report);
            if let Some(object) = value.as_object_mut() {
                object.insert("diff".to_owned(), json!(preview.diff));
                object.insert("plan".to_owned(), json!(plan));
                object.insert("effects".to_owned(), json!(effects));
                object.insert("cuts".to_owned(), json!(preview.cuts));
            }
            value
        },
    )
}

/// `lanai apply` and `lanai rollback`.
pub(in crate::control) fn applied(paper: Paper, applied: &Applied) -> Reply {
    paper.reply(
        true,
        || {
            let mut text = messages(paper, &applied.report);
            text += &network(paper, &applied.plan);
            text += &traffic(paper, &applied.effects);
            text += &cut(paper, &applied.cuts);
            for notice in &applied.notices {
                text += &format!("{}: {notice}\n", paper.ink(Ink::Warning, "notice"));
            }
            text += &match &applied.trial {
                Some(trial) => on_trial(paper, trial),
                None => {
                    let live = format!("revision {} is live", applied.revision);
                    format!("{}\n", paper.ink(Ink::Good, &live))
                }
            };
            text
        },
        || {
            let mut value = check_value(&applied.report);
            if let Some(object) = value.as_object_mut() {
                object.insert("revision".to_owned(), json!(applied.revision));
                object.insert("trial".to_owned(), json!(applied.trial));
                object.insert("plan".to_owned(), json!(applied.plan));
                object.insert("effects".to_owned(), json!(applied.effects));
                object.insert("cuts".to_owned(), json!(applied.cuts));
                object.insert("notices".to_owned(), json!(applied.notices));
            }
            value
        },
    )
}

/// What a revision on trial waits for, and what comes if it waits in vain.
pub(super) fn on_trial(paper: Paper, trial: &OnTrial) -> String {
    let head = format!("revision {} is on trial", trial.revision);
    let back = match trial.previous {
        Some(previous) => format!("revision {previous} comes back"),
        None => "it is taken back".to_owned(),
    };
    format!(
        "{}: unless `lanai confirm` keeps it before {} ({} left), {back}\n",
        paper.ink(Ink::Warning, &head),
        moment(trial.until_ms),
        lasting(trial.left_s),
    )
}

/// `lanai confirm`.
pub(in crate::control) fn confirmed(paper: Paper, revision: RevisionId) -> Reply {
    let live = format!("revision {revision} is live");
    paper.reply(
        true,
        || format!("{}\n", paper.ink(Ink::Good, &live)),
        || json!({ "revision": revision }),
    )
}

/// `lanai rollback` of a revision on trial.
pub(in crate::control) fn taken_back(paper: Paper, back: &TakenBack) -> Reply {
    let now = match back.previous {
        Some(previous) => format!("revision {previous} is live"),
        None => "no revision is live".to_owned(),
    };
    paper.reply(
        true,
        || {
            let mut text = network(paper, &back.plan);
            text += &traffic(paper, &back.effects);
            let whole = format!("revision {} is taken back, {now}", back.revision);
            text + &format!("{}\n", paper.ink(Ink::Good, &whole))
        },
        || {
            json!({
                "taken_back": back.revision,
                "revision": back.previous,
                "plan": back.plan,
                "effects": back.effects,
            })
        },
    )
}

/// An apply or a rollback that did not happen.
pub(in crate::control) fn not_applied(paper: Paper, error: &ApplyError) -> Reply {
    let why = crate::chain(error);
    let as_before = match error {
        ApplyError::Refused(report) => return check(paper, report),
        ApplyError::NotRestored { .. } => "",
        // The parent has said so.
        ApplyError::Network(_) if why.ends_with("as it was") => "",
        _ => "; everything is as it was",
    };
    paper.refused(&format!("{why}{as_before}"))
}

/// How a change may cut off whoever asks for it.
fn cut(paper: Paper, cuts: &[Cut]) -> String {
    if cuts.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paper.ink(Ink::Warning, "This may cut you off"));
    for cut in cuts {
        text += &format!("  {cut}\n");
    }
    text
}

fn files(paper: Paper, diff: &[FileDiff]) -> String {
    let heading = paper.heading("Files");
    if diff.is_empty() {
        return format!("{heading}  no change\n");
    }
    heading + &history::files(paper, diff)
}

fn network(paper: Paper, plan: &Plan) -> String {
    let mut text = paper.heading("Network");
    for problem in &plan.problems {
        let line = format!("{}: {problem}", problem.origin());
        text += &format!("  {}\n", paper.ink(Ink::Bad, &line));
    }
    for planned in plan.steps() {
        let origin = planned
            .origin
            .as_ref()
            .map_or_else(String::new, |origin| format!(" ({origin})"));
        let why = paper.ink(Ink::Faint, &format!("{}{origin}", planned.why));
        text += &format!("  {}: {why}\n", planned.step);
        for detail in &planned.details {
            text += &format!("    {detail}\n");
        }
    }
    for note in &plan.notes {
        text += &format!("  note: {note}\n");
    }
    if plan.is_empty() && plan.problems.is_empty() {
        text += "  no change\n";
    }
    text
}

fn traffic(paper: Paper, effects: &Effects) -> String {
    let mut text = paper.heading("Traffic");
    let lists = [
        ("+", Ink::Good, "listen on", &effects.listeners_added),
        (
            "-",
            Ink::Bad,
            "stop listening on",
            &effects.listeners_removed,
        ),
        ("+", Ink::Good, "server", &effects.servers_added),
        ("-", Ink::Bad, "server", &effects.servers_removed),
        ("~", Ink::Warning, "server", &effects.servers_changed),
    ];
    for (sign, ink, what, names) in lists {
        for name in names {
            text += &format!("  {}\n", paper.ink(ink, &format!("{sign} {what} {name}")));
        }
    }
    text + &format!(
        "  {} and {} stay as they are\n",
        super::counted(effects.listeners_unchanged, "listener"),
        super::counted(effects.servers_unchanged, "server"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shell::Form;

    #[test]
    fn a_trial_says_what_keeps_it_and_what_comes_otherwise() {
        let trial = OnTrial {
            revision: RevisionId(7),
            previous: Some(RevisionId(6)),
            within_s: 300,
            left_s: 252,
            until_ms: 0,
        };
        let text = on_trial(Paper::new(Form::Plain), &trial);
        assert!(
            text.starts_with("revision 7 is on trial: unless `lanai confirm` keeps it before ")
        );
        assert!(
            text.ends_with("(4m12s left), revision 6 comes back\n"),
            "{text}"
        );
        let first = OnTrial {
            previous: None,
            ..trial
        };
        let text = on_trial(Paper::new(Form::Plain), &first);
        assert!(text.ends_with("it is taken back\n"), "{text}");
    }
}
