//! The history: every revision, what it changed, and the way back to it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use lanai_control::{Error, FileDiff, FileSet, Revision, RevisionId, RevisionState};
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::SignedIn;
use crate::page::{Frame, Notice, show};
use crate::views::change::{ChangePlan, change_plan};
use crate::views::diff::{FileChange, diffs};
use crate::views::findings::{Findings, findings, refusals};
use crate::views::revision::{RevisionView, revision};

use super::editor::outcome::{sentence, told};
use super::{Answer, now_ms};

/// Revisions on a page.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    notice: Option<Notice>,
    revisions: Vec<RevisionView>,
    first_page: bool,
    older: Option<i64>,
}

#[derive(Template)]
#[template(path = "revision.html")]
struct RevisionPage {
    frame: Frame,
    revision: RevisionView,
    notice: Option<Notice>,
    heading: String,
    choices: Vec<Choice>,
    diffs: Vec<FileChange>,
}

/// What a revision may be compared with.
struct Choice {
    href: String,
    text: &'static str,
    current: bool,
}

#[derive(Template)]
#[template(path = "rollback.html")]
struct RollbackPage {
    frame: Frame,
    revision: RevisionView,
    notice: Option<Notice>,
    findings: Findings,
    diffs: Vec<FileChange>,
    plan: Option<ChangePlan>,
    base: i64,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    before: Option<i64>,
    /// After a rollback: the revision it made, and the one it went back to.
    applied: Option<i64>,
    to: Option<i64>,
    /// After the end of a trial: the revision it was about.
    confirmed: Option<i64>,
    taken_back: Option<i64>,
}

/// `GET /history`
pub(crate) async fn show_history(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Answer {
    let live = live(&app).await?;
    let before = asked.before.map(RevisionId);
    // One more than shown tells whether there is another page.
    let mut revisions = app.control.revisions(PAGE + 1, before).await?;
    let shown = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = revisions.len() > shown;
    revisions.truncate(shown);
    let notice = what_happened(&asked, live);
    let now = now_ms();
    let page = HistoryPage {
        frame: Frame::new(&app, who.session(), live, "/history"),
        notice,
        older: revisions.last().filter(|_| more).map(|last| last.id.0),
        first_page: before.is_none(),
        revisions: revisions
            .iter()
            .map(|one| revision(one, now, who.may_change()))
            .collect(),
    };
    Ok(show(StatusCode::OK, &page))
}

/// What led here, as the address says; for as long as it is true.
fn what_happened(asked: &Asked, live: Option<i64>) -> Option<Notice> {
    if let Some(id) = asked.confirmed.filter(|id| live == Some(*id)) {
        let text = "It was confirmed, and its files are in place.";
        return Some(Notice::good(format!("Revision {id} is live"), text));
    }
    if let (Some(id), Some(live)) = (asked.taken_back, live) {
        let text = format!("Revision {live} is in effect again.");
        return Some(Notice::good(format!("Revision {id} was taken back"), text));
    }
    let id = asked.applied.filter(|id| live == Some(*id))?;
    Some(match asked.to {
        Some(to) => Notice::good(
            format!("Rolled back to revision {to}"),
            format!("Its files are live again, as revision {id}."),
        ),
        None => Notice::good(format!("Revision {id} is live"), "Applied."),
    })
}

#[derive(Deserialize)]
pub(crate) struct Against {
    against: Option<String>,
}

/// `GET /history/{id}`
pub(crate) async fn show_revision(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<i64>,
    Query(asked): Query<Against>,
) -> Answer {
    let live = live(&app).await?;
    let found = app.control.revision(RevisionId(id)).await?;
    let with_live = asked.against.as_deref() == Some("live") && live != Some(id);
    let (heading, changes, notice) = match live {
        Some(live) if with_live => (
            format!("From revision {id} to revision {live}, which is live"),
            app.control.diff(found.id, Some(RevisionId(live))).await?,
            None,
        ),
        _ => against_parent(&app, &found).await?,
    };
    let choice = |href, text, current| Choice {
        href,
        text,
        current,
    };
    let mut choices = vec![choice(
        format!("/history/{id}"),
        "What it changed",
        !with_live,
    )];
    if live.is_some_and(|live| live != id) {
        let href = format!("/history/{id}?against=live");
        choices.push(choice(href, "Against the live one", with_live));
    }
    let page = RevisionPage {
        frame: Frame::new(&app, who.session(), live, "/history"),
        revision: revision(&found, now_ms(), who.may_change()),
        notice,
        heading,
        choices,
        diffs: diffs(&changes),
    };
    Ok(show(StatusCode::OK, &page))
}

async fn against_parent(
    app: &App,
    found: &Revision,
) -> Result<(String, Vec<FileDiff>, Option<Notice>), Nope> {
    let id = found.id;
    if let Some(parent) = found.parent {
        match app.control.diff(parent, Some(id)).await {
            Ok(changes) => {
                return Ok((
                    format!("What it changed in revision {parent}"),
                    changes,
                    None,
                ));
            }
            Err(Error::NoSuchRevision(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let files = app.control.revision_files(id).await?;
    let changes = app.control.diff_files(&FileSet::new(), &files);
    let notice = found.parent.map(|parent| {
        Notice::plain(
            format!("Revision {parent} was removed"),
            "It was too old to keep, so all of this revision is shown.",
        )
    });
    Ok(("Everything in it".to_owned(), changes, notice))
}

/// `GET /history/{id}/rollback`: what rolling back would do.
pub(crate) async fn show_rollback(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<i64>,
) -> Answer {
    rollback_page(&app, &who, id, StatusCode::OK, None).await
}

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    csrf: String,
    /// The revision that was live when the preview was shown.
    base: i64,
    /// Not on trial even if it may cut off whoever asks.
    for_good: Option<String>,
}

/// `POST /history/{id}/rollback`
pub(crate) async fn roll_back(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<i64>,
    Form(confirmed): Form<Confirmed>,
) -> Answer {
    who.check_change(&app, &confirmed.csrf, "rollback").await?;
    let live = live(&app).await?;
    if live.unwrap_or_default() != confirmed.base {
        let notice = Notice::warn(
            "Somebody applied a change meanwhile",
            "Nothing was done. This is what rolling back would do now.",
        );
        return rollback_page(&app, &who, id, StatusCode::CONFLICT, Some((notice, None))).await;
    }
    let for_good = confirmed.for_good.is_some();
    match app
        .control
        .rollback(RevisionId(id), who.0.author(), for_good)
        .await
    {
        Ok(applied) => {
            let to = format!("/history?applied={}&to={id}", applied.revision);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let (title, findings) = told(&error);
            let notice = Notice::bad(title, sentence(&error));
            let told = Some((notice, Some(findings)));
            rollback_page(&app, &who, id, StatusCode::UNPROCESSABLE_ENTITY, told).await
        }
    }
}

async fn rollback_page(
    app: &App,
    who: &SignedIn,
    id: i64,
    status: StatusCode,
    told: Option<(Notice, Option<Findings>)>,
) -> Answer {
    let found = app.control.revision(RevisionId(id)).await?;
    let files = app.control.revision_files(found.id).await?;
    let preview = app.control.preview(&files, who.0.visitor).await?;
    let live = live(app).await?;
    let (mut notice, why) = match told {
        Some((notice, why)) => (Some(notice), why),
        None => (None, None),
    };
    let report = &preview.report;
    let mut plan = change_plan(&preview);
    let problems = plan.as_mut().map(|plan| std::mem::take(&mut plan.problems));
    let problems = problems.unwrap_or_default();
    let shown = match why.filter(|why| why.errors) {
        Some(why) => why,
        None if !problems.is_empty() => refusals(problems),
        None => findings(&report.diagnostics, &report.sources, ""),
    };
    if notice.is_none() && matches!(found.state, RevisionState::Failed { .. }) {
        notice = Some(Notice::warn(
            "This revision failed when it was applied",
            "It may fail again; then everything stays as it is.",
        ));
    }
    let page = RollbackPage {
        frame: Frame::new(app, who.session(), live, "/history"),
        revision: revision(&found, now_ms(), who.may_change()),
        notice,
        findings: shown,
        diffs: diffs(&preview.diff),
        plan,
        base: live.unwrap_or_default(),
    };
    Ok(show(status, &page))
}

async fn live(app: &App) -> Result<Option<i64>, Nope> {
    let live = app.control.live_revision().await?;
    Ok(live.map(|revision| revision.id.0))
}
