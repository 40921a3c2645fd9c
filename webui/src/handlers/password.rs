//! Choosing a password, the first time and later.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use lanai_control::{LoginError, PASSWORD_MIN, UserError};
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::{Arriving, set_cookie};
use crate::page::{Banner, Notice, Porch, show};

use super::Answer;
use super::login::with_cookie;

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    porch: Porch,
    banner: Option<Banner>,
    notice: Option<Notice>,
    user: String,
    csrf: String,
    shortest: usize,
    /// Whether the old password must be given: not by somebody who has none or came by a link.
    ask_current: bool,
    /// Whether there is one to keep.
    has_password: bool,
}

/// `GET /password`
pub(crate) async fn show_password(State(app): State<App>, who: Arriving) -> Answer {
    Ok(page(&app, &who, StatusCode::OK, None))
}

#[derive(Deserialize)]
pub(crate) struct Given {
    csrf: String,
    current: Option<String>,
    new: String,
    again: String,
}

/// `POST /password`
pub(crate) async fn set_password(
    State(app): State<App>,
    who: Arriving,
    Form(given): Form<Given>,
) -> Answer {
    who.check_form(&given.csrf)?;
    let refuse = |status, text: String| {
        let notice = Notice::bad("", text);
        Ok(page(&app, &who, status, Some(notice)))
    };
    if given.new != given.again {
        let text = "The two are not the same. Type both again.";
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned());
    }
    let user = &who.session.user;
    let peer = who.peer.0.to_string();
    if asks_current(&app, &who) {
        let current = given.current.unwrap_or_default();
        match app.control.verify_password(user, &current, &peer).await {
            Ok(_) => {}
            Err(LoginError::Wrong) => {
                let text = "The current password is wrong.";
                return refuse(StatusCode::FORBIDDEN, text.to_owned());
            }
            Err(LoginError::TooSoon { retry_after_s }) => {
                let text = format!("Too many wrong passwords. Try again in {retry_after_s} s.");
                return refuse(StatusCode::TOO_MANY_REQUESTS, text);
            }
            Err(LoginError::Internal(error)) => return Err(error.into()),
        }
    }
    match app
        .control
        .set_password(user, &given.new, &who.author())
        .await
    {
        Ok(()) => {}
        Err(UserError::Internal(error)) => return Err(error.into()),
        Err(error) => {
            return refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("Refused: {error}."),
            );
        }
    }
    // All sessions ended with the old password, this one too.
    match app.control.login(user, &given.new, &peer).await {
        Ok(new) => {
            let response = Redirect::to("/").into_response();
            Ok(with_cookie(response, &set_cookie(&new.token)))
        }
        Err(LoginError::Internal(error)) => Err(error.into()),
        Err(error) => Err(Nope::Control(format!(
            "The password is set, but logging in with it failed: {error}."
        ))),
    }
}

fn asks_current(app: &App, who: &Arriving) -> bool {
    who.session.has_password && !app.is_by_link(&who.session)
}

fn page(
    app: &App,
    who: &Arriving,
    status: StatusCode,
    notice: Option<Notice>,
) -> axum::response::Response {
    let page = PasswordPage {
        porch: app.porch(),
        banner: Banner::of(app, &who.session),
        notice,
        user: who.session.user.clone(),
        csrf: who.session.csrf.clone(),
        shortest: PASSWORD_MIN,
        ask_current: asks_current(app, who),
        has_password: who.session.has_password,
    };
    show(status, &page)
}
