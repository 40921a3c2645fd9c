//! One file per page.

pub(crate) mod doctor;
pub(crate) mod editor;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod login;
pub(crate) mod password;
pub(crate) mod status;
pub(crate) mod trial;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::Response;

use crate::error::Nope;

/// What a handler gives: a page, or why not.
pub(crate) type Answer = Result<Response, Nope>;

/// Now, in milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
