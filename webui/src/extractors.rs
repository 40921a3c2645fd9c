//! What a handler needs to know of a request: who sent it, and from where.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use lanai_control::{Author, Role, Session, Visitor, Window};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::app::App;
use crate::error::Nope;

/// Name of the cookie. `__Host-` makes browsers refuse it unless it is Secure, for this host alone
/// and for every path.
const COOKIE: &str = "__Host-sid";
/// A token is 43 characters; what is longer is not worth hashing.
const TOKEN_LIMIT: usize = 100;

/// Address of the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Only a test that speaks to the router itself has no connection, thus no address.
        let nobody = Self(Ipv4Addr::UNSPECIFIED.into());
        Ok(parts.extensions.get().copied().unwrap_or(nobody))
    }
}

/// The two ends of the connection; `None` in a test that speaks to the router itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends(pub(crate) Visitor);

/// When the connection was made by which a request came, and the way to have it closed.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    at: Instant,
    dismissal: Arc<Notify>,
}

impl Arrival {
    /// Of a connection that was accepted just now.
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            dismissal: Arc::default(),
        }
    }

    /// Whether it came when the change on trial was in effect.
    pub(crate) fn is_after(&self, window: &Window) -> bool {
        self.at > window.since()
    }

    /// Has the connection closed once the answers under way are sent.
    pub(crate) fn dismiss(&self) {
        self.dismissal.notify_one();
    }

    /// Until somebody dismisses it.
    pub(crate) async fn dismissed(&self) {
        self.dismissal.notified().await;
    }
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Only a test that speaks to the router itself has no connection: each of its requests
        // counts as one of its own.
        Ok(parts.extensions.get().cloned().unwrap_or_else(Self::now))
    }
}

/// Somebody with a session, whether or not they have a password yet.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) session: Session,
    pub(crate) token: String,
    pub(crate) peer: Peer,
    /// The connection that a change is not to cut.
    pub(crate) visitor: Option<Visitor>,
}

/// Somebody who is logged in: a session, and a password.
#[derive(Debug)]
pub(crate) struct SignedIn(pub(crate) Arriving);

impl Arriving {
    /// Whether a form was made for this session.
    pub(crate) fn check_form(&self, csrf: &str) -> Result<(), Nope> {
        let (own, given) = (self.session.csrf.as_bytes(), csrf.as_bytes());
        // Takes equally long wherever the two differ.
        let different = own.iter().zip(given).fold(0, |sum, (a, b)| sum | (a ^ b));
        if own.is_empty() || own.len() != given.len() || different != 0 {
            return Err(Nope::OtherSession);
        }
        Ok(())
    }

    /// For the history and the audit log.
    pub(crate) fn author(&self) -> Author {
        Author::new(self.session.user.clone(), format!("ui {}", self.peer.0)).over(self.visitor)
    }
}

impl SignedIn {
    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    /// Whether they may change the configuration.
    pub(crate) fn may_change(&self) -> bool {
        may_change(&self.0.session)
    }

    /// For a handler that changes the configuration: the form is theirs, and they may.
    pub(crate) async fn check_change(&self, app: &App, csrf: &str, what: &str) -> Result<(), Nope> {
        self.0.check_form(csrf)?;
        if self.may_change() {
            return Ok(());
        }
        let author = self.0.author();
        if let Err(error) = app.control.audit(&author, "not allowed", what).await {
            tracing::error!(%error, "the audit log cannot be written");
        }
        Err(Nope::NotAllowed)
    }
}

/// Whether this session may change the configuration.
pub(crate) fn may_change(session: &Session) -> bool {
    session.role >= Role::Admin
}

/// The session of a request that got no further, if it has one that may see pages.
pub(crate) async fn session_of(app: &App, headers: &HeaderMap) -> Option<Session> {
    let session = app.control.session(&token(headers)?).await.ok()??;
    session.has_password.then_some(session)
}

impl FromRequestParts<App> for Arriving {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(peer) = Peer::from_request_parts(parts, app).await;
        let Some(token) = token(&parts.headers) else {
            return Err(to_login(parts));
        };
        match app.control.session(&token).await {
            Ok(Some(session)) => Ok(Self {
                session,
                token,
                peer,
                visitor: parts.extensions.get().map(|ends: &Ends| ends.0),
            }),
            Ok(None) => Err(to_login(parts)),
            Err(error) => Err(Nope::from(error).into_response()),
        }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let arriving = Arriving::from_request_parts(parts, app).await?;
        if arriving.session.has_password {
            Ok(Self(arriving))
        } else {
            Err(Redirect::to("/password").into_response())
        }
    }
}

/// Sets the cookie of a session. Browsers forget it when they close.
pub(crate) fn set_cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Takes the cookie away.
pub(crate) fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == COOKIE)?;
    (!token.is_empty() && token.len() <= TOKEN_LIMIT).then(|| token.to_owned())
}

/// Where to log in; afterwards the page that was asked for comes, if it was one to look at.
fn to_login(parts: &Parts) -> Response {
    let asked = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if parts.method != Method::GET || asked == "/" {
        return Redirect::to("/login").into_response();
    }
    let next: String = percent_encode(asked);
    Redirect::to(&format!("/login?next={next}")).into_response()
}

/// For a value in a query.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; sid=no".parse().unwrap());
        assert_eq!(token(&headers), None);
        headers.append(header::COOKIE, "c; __Host-sid=abc; d=e".parse().unwrap());
        assert_eq!(token(&headers).as_deref(), Some("abc"));
        headers.clear();
        let long = format!("__Host-sid={}", "x".repeat(5000));
        headers.append(header::COOKIE, long.parse().unwrap());
        assert_eq!(token(&headers), None);
    }

    #[test]
    fn a_query_value_stays_one() {
        assert_eq!(percent_encode("/a?b=c&d é"), "/a%3Fb%3Dc%26d%20%C3%A9");
    }
}
