//! The two tabs that are a text: Services and LB Layer7.
//!
//! What somebody wrote is never lost: every answer to a form that is not success has it in the
//! editor again.

pub(crate) mod outcome;
mod text;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use lanai_control::{FileSet, LAYER7, RevisionId, SERVICES};
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::SignedIn;
use crate::page::{Frame, Notice, show};
use crate::views::change::ChangePlan;
use crate::views::diff::FileChange;
use crate::views::findings::{Findings, findings};

use self::outcome::{Outcome, check_outcome, outcome_of, preview_outcome};
use super::Answer;
use super::login::{KeptText, login_with_kept_text};
use super::trial::{Choice, Chosen};

/// A tab.
pub(crate) struct Tab {
    pub(crate) path: &'static str,
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
}

static TAB_SERVICES: Tab = Tab {
    path: "/services",
    file: SERVICES,
    title: "Services",
    about: "What the box itself is and owns: its interfaces, addresses and routes. Nothing is \
            touched before Apply.",
};
static TAB_LAYER7: Tab = Tab {
    path: "/layer7",
    file: LAYER7,
    title: "LB Layer7",
    about: "Frontends, backends and servers in HAProxy's words. Nothing is touched before Apply.",
};

#[derive(Template)]
#[template(path = "editor.html")]
struct EditorPage<'a> {
    frame: Frame,
    tab: &'static Tab,
    notice: Option<Notice>,
    findings: Findings,
    conflict: Option<Conflict>,
    diffs: Vec<FileChange>,
    plan: Option<ChangePlan>,
    base: String,
    text: &'a str,
    comment: &'a str,
    /// Whether the text is not what is live.
    changed: bool,
    /// Whether the reader may apply.
    may_change: bool,
    choice: Choice,
}

/// Somebody else applied meanwhile.
pub(crate) struct Conflict {
    pub(crate) base: i64,
    pub(crate) live: i64,
    /// What they changed.
    pub(crate) theirs: Vec<FileChange>,
}

/// What the editor's form sends.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Written {
    csrf: String,
    /// Number of the revision that was live when the editor was opened; empty: there was none.
    base: String,
    text: String,
    #[serde(default)]
    comment: String,
    #[serde(flatten)]
    chosen: Chosen,
    action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Check,
    Preview,
    Apply,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// After an apply: the revision it made.
    applied: Option<i64>,
    /// It is on trial without being asked to, since it may cut off whoever applied it.
    cut: Option<String>,
}

/// `GET /services`
pub(crate) async fn show_services(app: State<App>, who: SignedIn, asked: Query<Asked>) -> Answer {
    show_live(app.0, who, &TAB_SERVICES, asked.0).await
}

/// `GET /layer7`
pub(crate) async fn show_layer7(app: State<App>, who: SignedIn, asked: Query<Asked>) -> Answer {
    show_live(app.0, who, &TAB_LAYER7, asked.0).await
}

/// `POST /services`
pub(crate) async fn edit_services(
    app: State<App>,
    who: Result<SignedIn, Response>,
    written: Form<Written>,
) -> Answer {
    edit(app.0, who, &TAB_SERVICES, written.0).await
}

/// `POST /layer7`
pub(crate) async fn edit_layer7(
    app: State<App>,
    who: Result<SignedIn, Response>,
    written: Form<Written>,
) -> Answer {
    edit(app.0, who, &TAB_LAYER7, written.0).await
}

async fn show_live(app: App, who: SignedIn, tab: &'static Tab, asked: Asked) -> Answer {
    let live = live_id(&app).await?;
    let files = app.control.edited_files().await?;
    let report = app.control.check(&files);
    let applied = asked.applied.filter(|id| live == Some(RevisionId(*id)));
    let trial = app.control.trial().map(|trial| trial.revision.0);
    let tried = trial.filter(|id| asked.applied == Some(*id));
    let outcome = Outcome {
        notice: match applied {
            None if tried.is_some() && asked.cut.is_some() => Some(Notice::warn(
                "It is in effect, on trial",
                "It may cut you off from the box, so it is on trial although you did not ask for \
                 that. Look whether everything works as you meant it, then confirm it above.",
            )),
            None if tried.is_some() => Some(Notice::good(
                "It is in effect, on trial",
                "Look whether everything works as you meant it, then confirm it above.",
            )),
            Some(id) => Some(
                Notice::good(format!("Revision {id} is live"), "Applied as you wrote it.")
                    .link(format!("/history/{id}"), "See what changed")
                    .link("/", "See the status"),
            ),
            None => text::uncarriable(files.get(tab.file).unwrap_or_default()),
        },
        findings: findings(&report.diagnostics, &report.sources, tab.file),
        ..Outcome::default()
    };
    let text = files.text(tab.file);
    let shown = Shown {
        live,
        base: live,
        text: &text,
        comment: "",
        changed: false,
        choice: Choice::default(),
        outcome,
    };
    Ok(page(&app, &who, tab, shown))
}

async fn edit(
    app: App,
    who: Result<SignedIn, Response>,
    tab: &'static Tab,
    written: Written,
) -> Answer {
    let Ok(who) = who else {
        return Ok(login_with_kept_text(&app, kept(tab, written)));
    };
    let live = live_id(&app).await?;
    let (files, text) = with_text(&app, tab, &written.text).await?;
    let base = written.base.parse().ok().map(RevisionId);
    let own_form = who.0.check_form(&written.csrf).is_ok();
    let outcome = match written.action {
        _ if !own_form => Outcome::told(
            StatusCode::FORBIDDEN,
            Notice::warn(
                "Nothing was done yet",
                "You logged in again since this page was opened. Your text is here as you wrote \
                 it; press the button once more.",
            ),
        ),
        Action::Check => check_outcome(&app, &files, tab),
        Action::Preview => preview_outcome(&app, &files, tab, [base, live], who.0.visitor).await?,
        Action::Apply if !who.may_change() => {
            // Written to the audit log there; the text stays in the editor here.
            let refused = who.check_change(&app, &written.csrf, tab.path).await;
            debug_assert!(matches!(refused, Err(Nope::NotAllowed)));
            Outcome::told(
                StatusCode::FORBIDDEN,
                Notice::bad(
                    "You may look, not change",
                    "Applying needs the role of an administrator.",
                ),
            )
        }
        Action::Apply => {
            let comment = written.comment.trim();
            let applied = written
                .chosen
                .apply(&app, files.clone(), who.0.author(), comment, base)
                .await?;
            match applied {
                Ok(applied) if applied.notices.is_empty() => {
                    let asked = written.chosen.on_trial.is_some();
                    let cut = !asked && applied.trial.is_some();
                    let cut = if cut { "&cut=yes" } else { "" };
                    let to = format!("{}?applied={}{cut}", tab.path, applied.revision);
                    return Ok(Redirect::to(&to).into_response());
                }
                other => outcome_of(&app, &files, tab, base, other, who.0.visitor).await?,
            }
        }
    };
    // After a conflict the text stands on what is live now, so that Apply means "on top of it".
    let live = live_id(&app).await?;
    let shown = Shown {
        live,
        base: if outcome.rebased { live } else { base },
        text: &text,
        comment: &written.comment,
        changed: !outcome.applied,
        choice: written.chosen.again(),
        outcome,
    };
    Ok(page(&app, &who, tab, shown))
}

/// The editor with a text that went through a login.
pub(crate) async fn resume(app: &App, who: &SignedIn, kept: KeptText) -> Answer {
    let tab = [&TAB_SERVICES, &TAB_LAYER7]
        .into_iter()
        .find(|tab| tab.path == kept.tab)
        .ok_or(Nope::Malformed)?;
    let (_, text) = with_text(app, tab, &kept.text).await?;
    let outcome = Outcome::told(
        StatusCode::OK,
        Notice::good(
            "Here is your text again",
            "Nothing of it has been applied yet.",
        ),
    );
    let shown = Shown {
        live: live_id(app).await?,
        base: kept.base.parse().ok().map(RevisionId),
        text: &text,
        comment: &kept.comment,
        changed: true,
        choice: Choice::default(),
        outcome,
    };
    Ok(page(app, who, tab, shown))
}

fn kept(tab: &Tab, written: Written) -> KeptText {
    KeptText {
        tab: tab.path.to_owned(),
        base: written.base,
        comment: written.comment,
        text: written.text,
    }
}

/// The files an edit starts from, with the text of a form in its place, and that text as it would be saved.
async fn with_text(app: &App, tab: &Tab, sent: &str) -> Result<(FileSet, String), Nope> {
    let mut files = app.control.edited_files().await?;
    let text = text::from_form(sent, files.get(tab.file).unwrap_or_default());
    files.insert(tab.file, text.as_bytes());
    Ok((files, text))
}

async fn live_id(app: &App) -> Result<Option<RevisionId>, Nope> {
    let live = app.control.live_revision().await?;
    Ok(live.map(|revision| revision.id))
}

/// What a page of the editor shows.
struct Shown<'a> {
    live: Option<RevisionId>,
    base: Option<RevisionId>,
    text: &'a str,
    comment: &'a str,
    changed: bool,
    choice: Choice,
    outcome: Outcome,
}

fn page(app: &App, who: &SignedIn, tab: &'static Tab, shown: Shown<'_>) -> Response {
    let outcome = shown.outcome;
    let choice = shown.choice.with(outcome.plan.as_ref());
    let page = EditorPage {
        frame: Frame::new(app, who.session(), shown.live.map(|id| id.0), tab.path),
        tab,
        notice: outcome.notice,
        findings: outcome.findings,
        conflict: outcome.conflict,
        diffs: outcome.diffs,
        plan: outcome.plan,
        base: shown.base.map(|id| id.to_string()).unwrap_or_default(),
        text: shown.text,
        comment: shown.comment,
        changed: shown.changed,
        choice,
        may_change: who.may_change(),
    };
    show(outcome.status, &page)
}
