//! Coming in and going out.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use lanai_control::LoginError;
use serde::Deserialize;

use crate::app::App;
use crate::error::Nope;
use crate::extractors::{Arriving, Peer, SignedIn, clear_cookie, set_cookie};
use crate::page::{Notice, Porch, show};

use super::{Answer, editor};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    porch: Porch,
    notice: Option<Notice>,
    name: String,
    next: String,
    kept: Option<KeptText>,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    porch: Porch,
    token: String,
}

/// What somebody wrote in an editor whose session had ended. It goes with the login form and comes
/// back in the editor; the server keeps nothing of it.
#[derive(Clone, Debug)]
pub(crate) struct KeptText {
    /// Path of the tab.
    pub(crate) tab: String,
    pub(crate) base: String,
    pub(crate) comment: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Of a login link.
    token: Option<String>,
    /// Path of the page to go to afterwards.
    next: Option<String>,
    /// Present after logging out.
    bye: Option<String>,
}

/// `GET /login`, also with the token of a login link. Looking at it changes nothing: mail scanners
/// and browsers fetch links ahead.
pub(crate) async fn show_login(State(app): State<App>, Query(asked): Query<Asked>) -> Answer {
    if let Some(token) = asked.token {
        let page = WelcomePage {
            porch: app.porch(),
            token,
        };
        return Ok(show(StatusCode::OK, &page));
    }
    let notice = asked
        .bye
        .map(|_| Notice::good("", "You are logged out. See you soon."));
    let page = LoginPage {
        porch: app.porch(),
        notice,
        name: String::new(),
        next: asked.next.unwrap_or_default(),
        kept: None,
    };
    Ok(show(StatusCode::OK, &page))
}

#[derive(Deserialize)]
pub(crate) struct Given {
    name: String,
    password: String,
    next: Option<String>,
    kept_tab: Option<String>,
    kept_base: Option<String>,
    kept_comment: Option<String>,
    kept_text: Option<String>,
}

/// `POST /login`
pub(crate) async fn login(State(app): State<App>, peer: Peer, Form(given): Form<Given>) -> Answer {
    let kept = given.kept_text.map(|text| KeptText {
        tab: given.kept_tab.unwrap_or_default(),
        base: given.kept_base.unwrap_or_default(),
        comment: given.kept_comment.unwrap_or_default(),
        text,
    });
    let name = given.name.trim();
    let address = peer.0.to_string();
    match app.control.login(name, &given.password, &address).await {
        Ok(new) => {
            let cookie = set_cookie(&new.token);
            let response = match kept {
                _ if new.once => {
                    app.came_by_link(&new.session);
                    Redirect::to("/password").into_response()
                }
                Some(kept) => {
                    let who = SignedIn(Arriving {
                        session: new.session,
                        token: new.token,
                        peer,
                        // Nothing is applied before the text was seen again.
                        visitor: None,
                    });
                    editor::resume(&app, &who, kept).await?
                }
                None => Redirect::to(inside(given.next.as_deref())).into_response(),
            };
            Ok(with_cookie(response, &cookie))
        }
        Err(error) => {
            let (status, notice) = failed(error)?;
            let page = LoginPage {
                porch: app.porch(),
                notice: Some(notice),
                name: name.to_owned(),
                next: given.next.unwrap_or_default(),
                kept,
            };
            Ok(show(status, &page))
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct GivenToken {
    token: String,
}

/// `POST /login/link`: uses the token up.
pub(crate) async fn login_by_link(
    State(app): State<App>,
    peer: Peer,
    Form(given): Form<GivenToken>,
) -> Answer {
    let address = peer.0.to_string();
    match app.control.login_with_token(&given.token, &address).await {
        Ok(new) => {
            app.came_by_link(&new.session);
            let response = Redirect::to("/password").into_response();
            Ok(with_cookie(response, &set_cookie(&new.token)))
        }
        Err(error) => {
            let (status, notice) = match error {
                LoginError::Wrong => (
                    StatusCode::FORBIDDEN,
                    Notice::bad(
                        "",
                        "This link was used already, or it is too old. A new one comes from \
                         `lanai user login-link NAME` on the box.",
                    ),
                ),
                error => failed(error)?,
            };
            let page = LoginPage {
                porch: app.porch(),
                notice: Some(notice),
                name: String::new(),
                next: String::new(),
                kept: None,
            };
            Ok(show(status, &page))
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Leaving {
    csrf: String,
}

/// `POST /logout`
pub(crate) async fn logout(
    State(app): State<App>,
    who: Arriving,
    Form(leaving): Form<Leaving>,
) -> Answer {
    who.check_form(&leaving.csrf)?;
    app.control.logout(&who.token).await?;
    let response = Redirect::to("/login?bye=1").into_response();
    Ok(with_cookie(response, &clear_cookie()))
}

/// The session ended while somebody was writing: they log in, and nothing is lost.
pub(crate) fn login_with_kept_text(app: &App, kept: KeptText) -> Response {
    let page = LoginPage {
        porch: app.porch(),
        notice: Some(Notice::warn(
            "",
            "Your session has ended. Log in to go on; nothing you wrote is lost.",
        )),
        name: String::new(),
        next: String::new(),
        kept: Some(kept),
    };
    show(StatusCode::UNAUTHORIZED, &page)
}

pub(crate) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // A token is URL-safe base64, so this cannot fail; without a cookie nobody is logged in.
    if let Ok(value) = cookie.parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The page to go to, if it is one of ours.
fn inside(next: Option<&str>) -> &str {
    let next = next.unwrap_or("/");
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if own && next.len() <= 500 && next.bytes().all(|byte| byte.is_ascii_graphic()) {
        next
    } else {
        "/"
    }
}

fn failed(error: LoginError) -> Result<(StatusCode, Notice), Nope> {
    match error {
        LoginError::Wrong => Ok((
            StatusCode::FORBIDDEN,
            Notice::bad("", "The name or the password is wrong."),
        )),
        LoginError::TooSoon { retry_after_s } => Ok((
            StatusCode::TOO_MANY_REQUESTS,
            Notice::bad(
                "",
                format!("Too many failed logins. Try again in {retry_after_s} s."),
            ),
        )),
        LoginError::Internal(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(
            inside(Some("/history/3?against=live")),
            "/history/3?against=live"
        );
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "/a\r\nb",
            "",
            "x",
        ] {
            assert_eq!(inside(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(inside(None), "/");
    }
}
