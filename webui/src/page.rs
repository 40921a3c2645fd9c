//! What surrounds the content of a page.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use lanai_control::Session;

use crate::app::App;
use crate::assets::Assets;
use crate::error::Nope;
use crate::extractors::may_change;
use crate::views::numbers::{Instant, countdown, instant};

/// Around a page that strangers may see.
pub(crate) struct Porch {
    pub(crate) box_name: Arc<str>,
    pub(crate) assets: Arc<Assets>,
}

/// Around a page for somebody who is logged in.
pub(crate) struct Frame {
    pub(crate) box_name: Arc<str>,
    pub(crate) assets: Arc<Assets>,
    pub(crate) user: String,
    /// First letter of the user's name.
    pub(crate) initial: String,
    pub(crate) csrf: String,
    /// Number of the live revision, if it is known.
    pub(crate) live: Option<i64>,
    /// A revision on trial.
    pub(crate) banner: Option<Banner>,
    pub(crate) tabs: Vec<TabLink>,
    pub(crate) version: &'static str,
}

/// An entry of the main navigation.
pub(crate) struct TabLink {
    pub(crate) href: &'static str,
    pub(crate) title: &'static str,
    pub(crate) current: bool,
}

const TABS: [(&str, &str); 6] = [
    ("/", "Status"),
    ("/services", "Services"),
    ("/layer7", "LB Layer7"),
    ("/files", "Files"),
    ("/history", "History"),
    ("/doctor", "Doctor"),
];

impl Frame {
    /// For the page below the tab at `href`.
    pub(crate) fn new(app: &App, session: &Session, live: Option<i64>, href: &str) -> Self {
        let tab = |(to, title): (&'static str, &'static str)| TabLink {
            href: to,
            title,
            current: to == href,
        };
        Self {
            box_name: Arc::clone(&app.box_name),
            assets: Arc::clone(&app.assets),
            user: session.user.clone(),
            initial: session.user.chars().take(1).collect(),
            csrf: session.csrf.clone(),
            live,
            banner: Banner::of(app, session),
            tabs: TABS.map(tab).into(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// What every page says while a revision is on trial, with what is to be done about it.
pub(crate) struct Banner {
    pub(crate) revision: i64,
    /// What comes back, as a part of a sentence.
    pub(crate) back: String,
    pub(crate) until: Instant,
    pub(crate) left_s: u64,
    pub(crate) left: String,
    pub(crate) csrf: String,
    /// Whether the reader may end it.
    pub(crate) may_change: bool,
}

impl Banner {
    /// For somebody with this session.
    pub(crate) fn of(app: &App, session: &Session) -> Option<Self> {
        let trial = app.control.trial()?;
        Some(Self {
            revision: trial.revision.0,
            back: match trial.previous {
                Some(previous) => format!("revision {previous} comes back by itself"),
                None => "it is taken back by itself".to_owned(),
            },
            until: instant(trial.until_ms),
            left_s: trial.left_s,
            left: countdown(trial.left_s),
            csrf: session.csrf.clone(),
            may_change: may_change(session),
        })
    }
}

/// A message at the top of a page.
pub(crate) struct Notice {
    /// Class of its look: `good`, `warn`, `bad` or nothing.
    pub(crate) class: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) links: Vec<Link>,
    /// How it is read out: `alert` at once, `status` when there is time.
    pub(crate) role: &'static str,
}

/// A link with its words.
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: String,
}

impl Notice {
    pub(crate) fn good(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new("good", "status", title, text)
    }

    pub(crate) fn plain(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new("", "status", title, text)
    }

    pub(crate) fn warn(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new("warn", "alert", title, text)
    }

    pub(crate) fn bad(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new("bad", "alert", title, text)
    }

    pub(crate) fn link(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.links.push(Link {
            href: href.into(),
            text: text.into(),
        });
        self
    }

    fn new(
        class: &'static str,
        role: &'static str,
        title: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            class,
            title: title.into(),
            text: text.into(),
            links: Vec::new(),
            role,
        }
    }
}

/// A state: a word, and the class of its shape and colour (`good`, `warn`, `bad`, `none`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) class: &'static str,
    pub(crate) word: String,
}

impl State {
    pub(crate) fn new(class: &'static str, word: impl Into<String>) -> Self {
        Self {
            class,
            word: word.into(),
        }
    }
}

/// The answer of a template.
pub(crate) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            Nope::Internal.into_response()
        }
    }
}
