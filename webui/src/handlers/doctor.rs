//! The check list: what the configuration needs of this box, step by step.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use lanai_control::{Finding, Health, Stage};

use crate::app::App;
use crate::extractors::SignedIn;
use crate::page::{Frame, show};
use crate::views::numbers::plural;

use super::Answer;

#[derive(Template)]
#[template(path = "doctor.html")]
struct DoctorPage {
    frame: Frame,
    summary: (&'static str, String),
    steps: Vec<Step>,
}

/// One of the six.
struct Step {
    number: usize,
    title: &'static str,
    class: &'static str,
    word: &'static str,
    items: Vec<Item>,
}

struct Item {
    class: &'static str,
    word: &'static str,
    what: String,
    found: String,
    fix: Option<String>,
    place: Option<String>,
}

/// `GET /doctor`
pub(crate) async fn show_doctor(State(app): State<App>, who: SignedIn) -> Answer {
    let findings = app.control.doctor().await?;
    let live = app.control.live_revision().await?;
    let page = DoctorPage {
        frame: Frame::new(&app, who.session(), live.map(|it| it.id.0), "/doctor"),
        summary: summary(&findings),
        steps: steps(&findings),
    };
    Ok(show(StatusCode::OK, &page))
}

fn summary(findings: &[Finding]) -> (&'static str, String) {
    let count = |health| findings.iter().filter(|it| it.health == health).count();
    match (count(Health::Bad), count(Health::Unknown)) {
        (0, 0) => ("good", "Everything needed is there".to_owned()),
        (0, unknown) => (
            "warn",
            format!(
                "{} cannot be told from here",
                plural(unknown, "thing", "things")
            ),
        ),
        (1, _) => ("bad", "One thing is missing".to_owned()),
        (missing, _) => ("bad", format!("{missing} things are missing")),
    }
}

fn steps(findings: &[Finding]) -> Vec<Step> {
    let stages = Stage::ALL.iter().zip(1..);
    let steps = stages.map(|(stage, number)| {
        let own = findings.iter().filter(|it| it.stage == *stage);
        let (class, word) = match own.clone().map(|it| it.health).max() {
            None => ("none", "not needed"),
            Some(health) => state(health),
        };
        Step {
            number,
            title: stage.title(),
            class,
            word,
            items: own.map(item).collect(),
        }
    });
    steps.collect()
}

fn item(finding: &Finding) -> Item {
    let (class, word) = state(finding.health);
    Item {
        class,
        word,
        what: finding.what.clone(),
        found: finding.found.clone(),
        fix: finding.fix.clone(),
        place: finding.origin.as_ref().map(ToString::to_string),
    }
}

const fn state(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::Good => ("good", "good"),
        Health::Unknown => ("warn", "unknown"),
        Health::Bad => ("bad", "missing"),
    }
}
