//! A revision on trial: the choice on the forms that apply, keeping it, and taking it back.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use lanai_control::{Applied, ApplyError, Author, FileSet, RevisionId, Within};
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::{Arrival, SignedIn};
use crate::views::change::ChangePlan;

use super::Answer;
use super::editor::outcome::sentence;

/// What a form offers: the value that is sent, and its words.
const TIMES: [(&str, &str); 4] = [
    ("1m", "1 minute"),
    ("5m", "5 minutes"),
    ("15m", "15 minutes"),
    ("1h", "1 hour"),
];
const USUAL: &str = "5m";

/// "Confirm within [5 minutes] or roll back", as a form shows it.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) on: bool,
    /// Value, words, and whether it is the one chosen.
    pub(crate) times: Vec<(&'static str, &'static str, bool)>,
    /// The change may cut off whoever applies it, which puts it on trial unless they insist.
    pub(crate) cuts: bool,
    /// Whether they insist.
    pub(crate) for_good: bool,
}

/// The same as a form sends it. A form without these fields applies for good.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    /// A checkbox: there, or not.
    pub(crate) on_trial: Option<String>,
    pub(crate) within: Option<String>,
    /// A checkbox that is offered where it matters.
    pub(crate) for_good: Option<String>,
}

impl Default for Choice {
    /// On: whoever does not want it takes it off.
    fn default() -> Self {
        Self::new(true, USUAL)
    }
}

impl Choice {
    fn new(on: bool, chosen: &str) -> Self {
        let times = TIMES.map(|(value, words)| (value, words, value == chosen));
        Self {
            on,
            times: times.into(),
            cuts: false,
            for_good: false,
        }
    }

    /// The same, for a change with this plan.
    pub(crate) fn with(mut self, plan: Option<&ChangePlan>) -> Self {
        self.cuts = plan.is_some_and(|plan| !plan.cuts.is_empty());
        self
    }
}

impl Chosen {
    /// What was chosen, to be shown again.
    pub(crate) fn again(&self) -> Choice {
        let within = self.within.as_deref().unwrap_or(USUAL);
        Choice {
            for_good: self.for_good.is_some(),
            ..Choice::new(self.on_trial.is_some(), within)
        }
    }

    /// Applies as it was chosen.
    pub(crate) async fn apply(
        &self,
        app: &App,
        files: FileSet,
        author: Author,
        comment: &str,
        base: Option<RevisionId>,
    ) -> Result<Result<Applied, ApplyError>, Nope> {
        let control = &app.control;
        if self.on_trial.is_none() && self.for_good.is_some() {
            return Ok(control.apply_for_good(files, author, comment, base).await);
        }
        if self.on_trial.is_none() {
            return Ok(control.apply(files, author, comment, base).await);
        }
        let within = self.within.as_deref().unwrap_or(USUAL);
        let within: Within = within.parse().map_err(|_| Nope::Malformed)?;
        Ok(control
            .apply_on_trial(files, author, comment, base, within)
            .await)
    }
}

/// What the buttons of the banner send.
#[derive(Deserialize)]
pub(crate) struct Ending {
    csrf: String,
    /// The revision that the banner was about.
    revision: i64,
}

/// `POST /trial/confirm`. Only by a connection that was made when the change was in effect: one from
/// before it may live on although nobody could connect any more.
pub(crate) async fn confirm(
    State(app): State<App>,
    who: SignedIn,
    arrival: Arrival,
    Form(ending): Form<Ending>,
) -> Answer {
    who.check_change(&app, &ending.csrf, "confirm").await?;
    let window = app.control.windows().borrow().clone();
    if window.is_some_and(|window| !arrival.is_after(&window)) {
        arrival.dismiss();
        return Err(Nope::OldConnection);
    }
    let revision = RevisionId(ending.revision);
    match app.control.confirm(Some(revision), who.0.author()).await {
        Ok(id) => Ok(Redirect::to(&format!("/history?confirmed={id}")).into_response()),
        Err(error) => Err(not_ended("It was not confirmed", &error)),
    }
}

/// `POST /trial/rollback`
pub(crate) async fn roll_back(
    State(app): State<App>,
    who: SignedIn,
    Form(ending): Form<Ending>,
) -> Answer {
    who.check_change(&app, &ending.csrf, "rollback").await?;
    let revision = RevisionId(ending.revision);
    match app.control.take_back(Some(revision), who.0.author()).await {
        Ok(back) => {
            let to = format!("/history?taken_back={}", back.revision);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => Err(not_ended("It was not taken back", &error)),
    }
}

fn not_ended(title: &'static str, error: &ApplyError) -> Nope {
    Nope::Trial {
        title,
        text: sentence(error),
        ours: matches!(
            error,
            ApplyError::Internal(_) | ApplyError::NotRestored { .. } | ApplyError::Files { .. }
        ),
    }
}
