//! The Status page.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use lanai_control::{EngineStatus, Repairs};
use serde::Deserialize;

use crate::app::App;
use crate::extractors::SignedIn;
use crate::page::{Frame, show};
use crate::views::numbers::{Instant, instant};
use crate::views::status::{
    Backend, Figure, Frontend, Interface, Summary, backends, default_routes, figures, frontends,
    interfaces, summary,
};

use super::{Answer, now_ms};

/// Without a script, the page may ask to be loaded again after this many seconds.
const REFRESH: std::ops::RangeInclusive<u32> = 2..=3600;

/// Repairs are shown for an hour; the history has all of them.
const REPAIRS_SHOWN_MS: i64 = 3600 * 1000;

#[derive(Deserialize)]
pub(crate) struct Asked {
    refresh: Option<u32>,
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    frame: Frame,
    summary: Summary,
    now: Instant,
    refresh: Option<u32>,
    /// Sentences about what somebody should look at: title and text.
    troubles: Vec<(&'static str, &'static str, String)>,
    figures: Vec<Figure>,
    backends: Vec<Backend>,
    frontends: Vec<Frontend>,
    interfaces: Vec<Interface>,
    routes: Vec<String>,
}

/// What was put back lately, and what somebody keeps changing.
fn repairs(repairs: &Repairs, now_ms: i64) -> Vec<(&'static str, &'static str, String)> {
    let mut told = Vec::new();
    if !repairs.held.is_empty() {
        let steps = repairs.held.iter().map(|held| {
            let again = instant(held.until_ms).clock;
            format!("{} (again at {again} UTC)", held.step)
        });
        let text = format!(
            "It is put back seldom until that ends: {}.",
            steps.collect::<Vec<_>>().join("; ")
        );
        told.push(("bad", "Somebody keeps changing the network", text));
    }
    let last = repairs.latest.first();
    if let Some(last) = last.filter(|last| now_ms.saturating_sub(last.at_ms) < REPAIRS_SHOWN_MS) {
        let when = instant(last.at_ms).clock;
        let steps = last.steps.join("; ");
        told.push(match &last.failed {
            None => (
                "",
                "The network was put back",
                format!(
                    "Something else had changed it. Repairs since the start: {}; the last at \
                     {when} UTC: {steps}.",
                    repairs.count
                ),
            ),
            Some(why) => (
                "bad",
                "The network could not be put back",
                format!("At {when} UTC: {steps}: {why}."),
            ),
        });
    }
    told
}

/// `GET /`
pub(crate) async fn show_status(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Answer {
    let status = app.control.status().await?;
    let live = status.live.as_ref().map(|revision| revision.id.0);
    let mut troubles = Vec::new();
    if let Err(why) = &status.engine {
        troubles.push(("bad", "The engine does not answer", why.clone()));
    }
    if let Err(why) = &status.network {
        troubles.push(("bad", "The network cannot be read", why.clone()));
    }
    if !status.drift.is_empty() {
        let steps: Vec<String> = status.drift.steps().map(ToString::to_string).collect();
        let text = format!("To put it back: {}.", steps.join("; "));
        troubles.push(("warn", "The network is not as configured", text));
    }
    troubles.extend(repairs(&status.repairs, now_ms()));
    if let Some(holder) = &status.busy {
        let text = format!("{} ({}) is applying a change.", holder.name, holder.from);
        troubles.push(("", "A change is under way", text));
    }
    let notices = status.notices.iter().cloned();
    troubles.extend(notices.map(|notice| ("warn", "Please look at this", notice)));

    let nothing = EngineStatus::default();
    let engine = status.engine.as_ref().unwrap_or(&nothing);
    let page = StatusPage {
        frame: Frame::new(&app, who.session(), live, "/"),
        summary: summary(&status),
        now: instant(now_ms()),
        refresh: asked.refresh.filter(|seconds| REFRESH.contains(seconds)),
        troubles,
        figures: figures(engine),
        backends: backends(engine),
        frontends: frontends(engine),
        interfaces: interfaces(&status),
        routes: default_routes(&status),
    };
    Ok(show(StatusCode::OK, &page))
}
