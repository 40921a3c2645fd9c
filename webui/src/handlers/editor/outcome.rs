//! What became of Check, Preview and Apply.

use axum::http::StatusCode;
use lanai_control::{Applied, ApplyError, CheckReport, FileSet, RevisionId, Visitor};

use crate::app::App;
use crate::error::Nope;
use crate::page::Notice;
use crate::views::change::{ChangePlan, change_plan};
use crate::views::diff::{FileChange, diffs};
use crate::views::findings::{Findings, findings, refusals};

use super::{Conflict, Tab};

/// What the page shows above the text.
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    pub(super) notice: Option<Notice>,
    pub(super) findings: Findings,
    pub(super) conflict: Option<Conflict>,
    pub(super) diffs: Vec<FileChange>,
    pub(super) plan: Option<ChangePlan>,
    /// Whether the form now stands on the revision that is live.
    pub(super) rebased: bool,
    /// Whether the text is live now.
    pub(super) applied: bool,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            status: StatusCode::OK,
            notice: None,
            findings: Findings::default(),
            conflict: None,
            diffs: Vec::new(),
            plan: None,
            rebased: false,
            applied: false,
        }
    }
}

impl Outcome {
    /// A message, and nothing else.
    pub(super) fn told(status: StatusCode, notice: Notice) -> Self {
        Self {
            status,
            notice: Some(notice),
            ..Self::default()
        }
    }
}

/// Check: what is wrong or odd.
pub(super) fn check_outcome(app: &App, files: &FileSet, tab: &Tab) -> Outcome {
    checked(&app.control.check(files), tab)
}

fn checked(report: &CheckReport, tab: &Tab) -> Outcome {
    let findings = findings(&report.diagnostics, &report.sources, tab.file);
    let notice = if findings.errors {
        Notice::bad(
            "This would be refused",
            format!("The check found {}. Nothing was changed.", findings.title),
        )
    } else if findings.items.is_empty() {
        Notice::good(
            "The check found nothing wrong",
            "Preview shows what it would change.",
        )
    } else {
        Notice::plain(
            "This can be applied",
            format!("The check found {}.", findings.title),
        )
    };
    Outcome {
        notice: Some(notice),
        findings,
        ..Outcome::default()
    }
}

/// Preview: the check, the diff, the plan and the effects.
pub(super) async fn preview_outcome(
    app: &App,
    files: &FileSet,
    tab: &Tab,
    [base, live]: [Option<RevisionId>; 2],
    visitor: Option<Visitor>,
) -> Result<Outcome, Nope> {
    if base != live {
        return conflict_outcome(app, files, tab, [base, live], visitor).await;
    }
    previewed(app, files, tab, visitor).await
}

async fn previewed(
    app: &App,
    files: &FileSet,
    tab: &Tab,
    visitor: Option<Visitor>,
) -> Result<Outcome, Nope> {
    let preview = app.control.preview(files, visitor).await?;
    let mut outcome = checked(&preview.report, tab);
    outcome.diffs = diffs(&preview.diff);
    outcome.plan = change_plan(&preview);
    let problems = outcome
        .plan
        .as_mut()
        .map(|plan| std::mem::take(&mut plan.problems));
    let problems = problems.unwrap_or_default();
    if outcome.findings.errors {
        return Ok(outcome);
    }
    outcome.notice = Some(if !problems.is_empty() {
        outcome.findings = refusals(problems);
        Notice::bad(
            "The network cannot be set up as written",
            "This would be refused. Nothing was changed.",
        )
    } else if outcome.diffs.is_empty() {
        Notice::plain("No change", "The text is what is live already.")
    } else {
        let found = match outcome.findings.title.as_str() {
            "" => "The check found nothing wrong.".to_owned(),
            title => format!("The check found {title}."),
        };
        Notice::good(
            "This is what Apply would do",
            format!("{found} Nothing was changed yet."),
        )
    });
    Ok(outcome)
}

/// Apply, when it is not simply done.
pub(super) async fn outcome_of(
    app: &App,
    files: &FileSet,
    tab: &Tab,
    base: Option<RevisionId>,
    result: Result<Applied, ApplyError>,
    visitor: Option<Visitor>,
) -> Result<Outcome, Nope> {
    let error = match result {
        Ok(applied) => {
            let title = format!("Revision {} is live", applied.revision);
            let mut outcome = checked(&applied.report, tab);
            outcome.notice = Some(Notice::warn(title, applied.notices.join(" ")));
            outcome.rebased = true;
            outcome.applied = true;
            return Ok(outcome);
        }
        Err(ApplyError::Conflict { live }) => {
            let outcome = conflict_outcome(app, files, tab, [base, live], visitor).await?;
            return Ok(Outcome {
                status: StatusCode::CONFLICT,
                ..outcome
            });
        }
        Err(error) => error,
    };
    let mut outcome = match &error {
        ApplyError::Refused(report) => {
            let mut outcome = checked(report, tab);
            outcome.notice = Some(refused(&outcome.findings));
            outcome
        }
        error => {
            let (title, findings) = told(error);
            Outcome {
                notice: Some(failure(error, title)),
                findings,
                ..Outcome::default()
            }
        }
    };
    outcome.status = match &error {
        ApplyError::Busy(_) | ApplyError::OnTrial { .. } => StatusCode::CONFLICT,
        ApplyError::Internal(_) | ApplyError::NotRestored { .. } | ApplyError::Files { .. } => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok(outcome)
}

fn refused(findings: &Findings) -> Notice {
    Notice::bad(
        "Refused",
        format!(
            "The check found {}. Files, network and traffic are as they were.",
            findings.title
        ),
    )
}

/// A title for an apply that failed, and the list if there are several reasons.
pub(crate) fn told(error: &ApplyError) -> (&'static str, Findings) {
    match error {
        ApplyError::Plan(plan) => {
            let problems = plan.problems.iter();
            let problems = problems.map(|one| (one.origin().to_string(), one.to_string()));
            (
                "The network cannot be set up as written",
                refusals(problems),
            )
        }
        ApplyError::Prepare(prepare) => {
            let problems = prepare.problems.iter().map(|problem| {
                let place = match &problem.origin {
                    Some(origin) => origin.to_string(),
                    None => "engine".to_owned(),
                };
                (place, problem.message.clone())
            });
            ("The engine cannot run this", refusals(problems))
        }
        ApplyError::Busy(_) => ("Somebody else is applying a change", Findings::default()),
        ApplyError::OnTrial { .. } => ("A revision is on trial", Findings::default()),
        ApplyError::NotRestored { .. } => (
            "It failed, and not everything is as it was",
            Findings::default(),
        ),
        _ => ("It could not be applied", Findings::default()),
    }
}

fn failure(error: &ApplyError, title: &'static str) -> Notice {
    let as_before = match error {
        ApplyError::NotRestored { .. } => "",
        _ => " Files, network and traffic are as they were.",
    };
    Notice::bad(title, format!("{}{as_before}", sentence(error)))
}

/// An error as a sentence.
pub(crate) fn sentence(error: &ApplyError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Somebody else applied meanwhile: what they changed, and what this text would change now.
async fn conflict_outcome(
    app: &App,
    files: &FileSet,
    tab: &Tab,
    [base, live]: [Option<RevisionId>; 2],
    visitor: Option<Visitor>,
) -> Result<Outcome, Nope> {
    let theirs = match base {
        Some(base) => app.control.diff(base, live).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let touched = theirs.iter().any(|file| file.name == tab.file);
    let number = live.map_or(0, |live| live.0);
    let mut outcome = previewed(app, files, tab, visitor).await?;
    outcome.rebased = true;
    outcome.conflict = Some(Conflict {
        base: base.map_or(0, |base| base.0),
        live: number,
        theirs: diffs(&theirs),
    });
    let text = if touched {
        format!(
            "They changed {} too. Below is what they did, and what your text would do to it: take \
             their lines over where you want to keep them. Apply now puts your text in the place of \
             theirs.",
            tab.file
        )
    } else {
        format!(
            "They did not touch {}. Apply now puts your text on top of theirs.",
            tab.file
        )
    };
    outcome.notice = Some(
        Notice::warn(format!("Revision {number} was applied meanwhile"), text).link(
            format!("/history/{number}"),
            format!("See revision {number}"),
        ),
    );
    Ok(outcome)
}
