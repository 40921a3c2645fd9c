//! Every address of the web UI.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::assets;
use crate::error::Nope;
use crate::handlers::{doctor, editor, files, history, login, password, status, trial};
use crate::middleware::{error_pages, same_origin, secure_headers};

/// Bytes of a form: a file of 1 MiB may become three times that in a form's encoding.
const BODY: usize = 4 << 20;
/// For a whole request, its body and its answer. A change that is under way goes on after it.
pub(crate) const REQUEST: Duration = Duration::from_secs(60);

/// The pages of a box.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(status::show_status))
        .route(
            "/services",
            get(editor::show_services).post(editor::edit_services),
        )
        .route(
            "/layer7",
            get(editor::show_layer7).post(editor::edit_layer7),
        )
        .route("/files", get(files::show_files).post(files::upload))
        .route("/files/view", get(files::view))
        .route("/files/delete", get(files::show_delete).post(files::delete))
        .route("/history", get(history::show_history))
        .route("/history/{id}", get(history::show_revision))
        .route(
            "/history/{id}/rollback",
            get(history::show_rollback).post(history::roll_back),
        )
        .route("/doctor", get(doctor::show_doctor))
        .route("/trial/confirm", post(trial::confirm))
        .route("/trial/rollback", post(trial::roll_back))
        .route("/login", get(login::show_login).post(login::login))
        .route("/login/link", post(login::login_by_link))
        .route("/logout", post(login::logout))
        .route(
            "/password",
            get(password::show_password).post(password::set_password),
        )
        .route("/assets/{name}", get(assets::serve))
        .fallback(async || Nope::NotFound)
        .with_state(app.clone())
        // From here outwards. A request meets the last of these first.
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(same_origin))
        // A fault of ours in one request is an error page, not the end of the process.
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST,
        ))
        // Around all that may refuse, so that every refusal gets its page.
        .layer(from_fn_with_state(app, error_pages))
        .layer(from_fn(secure_headers))
}

fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "a page of the web UI panicked");
    Nope::Internal.into_response()
}
