//! The check list.

use lanai_control::{Finding, Health, Stage};
use serde_json::json;

use super::{Ink, Paper};
use crate::wire::shell::Reply;

/// `lanai doctor`. Refused, for its exit code, if something is missing.
pub(in crate::control) fn doctor(paper: Paper, findings: &[Finding]) -> Reply {
    let good = findings.iter().all(|it| it.health != Health::Bad);
    let stages = || Stage::ALL.iter().zip(1..);
    paper.reply(
        good,
        || {
            stages()
                .map(|(stage, number)| list(paper, number, *stage, findings))
                .collect()
        },
        || json!({ "good": good, "findings": findings }),
    )
}

fn list(paper: Paper, number: usize, stage: Stage, findings: &[Finding]) -> String {
    let mut text = paper.heading(&format!("{number}. {}", stage.title()));
    let mut some = false;
    for finding in findings.iter().filter(|it| it.stage == stage) {
        some = true;
        let health = match finding.health {
            Health::Good => paper.ink(Ink::Good, "good   "),
            Health::Unknown => paper.ink(Ink::Warning, "unknown"),
            Health::Bad => paper.ink(Ink::Bad, "missing"),
        };
        let origin = finding.origin.as_ref();
        let origin = origin.map_or_else(String::new, |origin| format!(" ({origin})"));
        let found = paper.ink(Ink::Faint, &format!("{}{origin}", finding.found));
        text += &format!("  {health}  {}: {found}\n", finding.what);
        if let Some(fix) = &finding.fix {
            text += &format!("           {fix}\n");
        }
    }
    if !some {
        text += "  nothing is needed\n";
    }
    text
}
