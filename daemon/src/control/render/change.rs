//! What a change would do, or did.

use lanai_control::{Applied, ApplyError, Effects, FileDiff, Preview};
use lanai_network::Plan;
use serde_json::json;

use super::{Ink, Paper, check, check_value, history, messages};
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
            text
        },
        || {
            let mut value = check_value(&preview.report);
            if let Some(object) = value.as_object_mut() {
                object.insert("diff".to_owned(), json!(preview.diff));
                object.insert("plan".to_owned(), json!(plan));
                object.insert("effects".to_owned(), json!(effects));
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
            for notice in &applied.notices {
                text += &format!("{}: {notice}\n", paper.ink(Ink::Warning, "notice"));
            }
            let live = format!("revision {} is live", applied.revision);
            text + &format!("{}\n", paper.ink(Ink::Good, &live))
        },
        || {
            let mut value = check_value(&applied.report);
            if let Some(object) = value.as_object_mut() {
                object.insert("revision".to_owned(), json!(applied.revision));
                object.insert("plan".to_owned(), json!(applied.plan));
                object.insert("effects".to_owned(), json!(applied.effects));
                object.insert("notices".to_owned(), json!(applied.notices));
            }
            value
        },
    )
}

/// The same when it did not happen.
pub(in crate::control) fn not_applied(paper: Paper, error: &ApplyError) -> Reply {
    let as_before = match error {
        ApplyError::Refused(report) => return check(paper, report),
        ApplyError::NotRestored { .. } => "",
        _ => "; everything is as it was",
    };
    paper.refused(&format!("{}{as_before}", crate::chain(error)))
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
