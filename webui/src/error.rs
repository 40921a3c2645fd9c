//! Why a page cannot be shown, and the one place where that becomes a page with a way on.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::app::App;
use crate::extractors::session_of;
use crate::page::{Banner, Porch};

/// Facts; the words are in [`Nope::words`].
#[derive(Debug)]
pub(crate) enum Nope {
    /// Nothing is at this address.
    NotFound,
    /// There is no revision of this number.
    NoRevision,
    /// There is no such file, or it may not be shown.
    NoFile,
    /// A changing request came from another site.
    OtherSite,
    /// The form is not of this session.
    OtherSession,
    /// The user may look, not change.
    NotAllowed,
    /// A confirmation came by a connection from before the change it is about.
    OldConnection,
    /// A trial was not ended as asked.
    Trial {
        /// What was not done.
        title: &'static str,
        /// Why, and how things are.
        text: String,
        /// Whether the box is at fault.
        ours: bool,
    },
    /// The request is not what our forms send.
    Malformed,
    /// More bytes than a request may have.
    TooLarge,
    /// It took too long.
    TooSlow,
    /// Control could not do it; the sentence is for the user.
    Control(String),
    /// A fault of ours.
    Internal,
}

impl From<lanai_control::Error> for Nope {
    fn from(error: lanai_control::Error) -> Self {
        if let lanai_control::Error::NoSuchRevision(_) = error {
            return Self::NoRevision;
        }
        // The whole chain is for the log; the page shows the first sentence.
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            causes.push(next.to_string());
            cause = next.source();
        }
        tracing::error!(%error, ?causes, "control could not answer the web UI");
        Self::Control(error.to_string())
    }
}

struct Words {
    title: &'static str,
    text: String,
    href: &'static str,
    link: &'static str,
}

impl Nope {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoRevision | Self::NoFile => StatusCode::NOT_FOUND,
            Self::OtherSite | Self::OtherSession | Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::OldConnection | Self::Trial { ours: false, .. } => StatusCode::CONFLICT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Control(_) | Self::Internal | Self::Trial { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn words(&self) -> Words {
        let (title, text) = match self {
            Self::NotFound => (
                "Nothing here",
                "No page has this address. It may have been mistyped.",
            ),
            Self::NoRevision => (
                "No such revision",
                "It never was, or it is so old that it was removed.",
            ),
            Self::NoFile => (
                "No such file",
                "It may have been deleted. A file with a private key cannot be shown.",
            ),
            Self::OtherSite => (
                "Refused: sent from elsewhere",
                "The browser does not say that this request comes from a page of this box, so \
                 nothing was done. Open the page here and try again.",
            ),
            Self::OtherSession => (
                "Refused: an old form",
                "The page was opened before you last logged in, so nothing was done. Open it again \
                 and repeat what you did.",
            ),
            Self::NotAllowed => (
                "You may look, not change",
                "Your user does not have the role that this needs. An administrator of this box \
                 can give it to you.",
            ),
            Self::OldConnection => (
                "Please confirm once more",
                "Your browser sent this over a connection from before the change, which says \
                 nothing about whether the box can still be reached. That connection is closed \
                 now: press Confirm again.",
            ),
            Self::Trial { title, text, .. } => (*title, text.as_str()),
            Self::Malformed => (
                "Not understood",
                "The request is not what the forms of this box send. Nothing was done.",
            ),
            Self::TooLarge => (
                "Too large",
                "A text or a file may have 1 MiB. Nothing was done.",
            ),
            Self::TooSlow => (
                "That took too long",
                "The box did not finish in time. What was begun is ended or taken back as a whole; \
                 the history shows which.",
            ),
            Self::Control(why) => ("That did not work", why.as_str()),
            Self::Internal => (
                "A fault of Lanai",
                "Traffic is not touched by this. The log of the box says more; please report it.",
            ),
        };
        let (href, link) = match self {
            Self::NoRevision | Self::TooSlow | Self::Trial { .. } => {
                ("/history", "See the history")
            }
            Self::NoFile => ("/files", "See the files"),
            _ => ("/", "Go to Status"),
        };
        Words {
            title,
            text: text.to_owned(),
            href,
            link,
        }
    }
}

/// Only a mark and a status: the page is made by [`page_of_error`], which knows the box's name.
impl IntoResponse for Nope {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    porch: Porch,
    banner: Option<Banner>,
    status: u16,
    title: &'static str,
    text: String,
    href: &'static str,
    link: &'static str,
}

/// The page of a refusal; any other answer stays as it is.
///
/// `headers` are those of the request: somebody who is logged in must see that a revision is on
/// trial on this page too.
pub(crate) async fn page_of_error(
    app: &App,
    headers: &HeaderMap,
    mut response: Response,
) -> Response {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    let told = response.extensions_mut().remove::<Arc<Nope>>();
    let has_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !refused || (told.is_none() && has_page) {
        return response;
    }
    // Answers of the framework itself (a method a page does not know, a body that is no form).
    let nope = told.unwrap_or_else(|| {
        Arc::new(match status {
            StatusCode::NOT_FOUND => Nope::NotFound,
            StatusCode::PAYLOAD_TOO_LARGE => Nope::TooLarge,
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => Nope::TooSlow,
            other if other.is_server_error() => Nope::Internal,
            _ => Nope::Malformed,
        })
    });
    if status.is_server_error() {
        tracing::error!(why = ?nope, "the web UI could not answer");
    }
    let words = nope.words();
    let banner = match app.control.trial() {
        Some(_) => session_of(app, headers).await,
        None => None,
    };
    let page = ErrorPage {
        porch: app.porch(),
        banner: banner.and_then(|session| Banner::of(app, &session)),
        status: status.as_u16(),
        title: words.title,
        text: words.text,
        href: words.href,
        link: words.link,
    };
    let mut answer = match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (status, words.title).into_response(),
    };
    for (name, value) in response.headers() {
        if name == header::ALLOW || name == header::SET_COOKIE {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}
