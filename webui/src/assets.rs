//! The files a page needs, inside the binary. Their addresses carry a hash of their content, so a
//! browser may keep them for ever and still sees a new version at once.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "assets"]
struct Files;

/// Addresses of the assets, for the templates.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    /// The style sheet.
    pub(crate) css: String,
    /// The script.
    pub(crate) js: String,
    /// The icon.
    pub(crate) mark: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let address = |name: &str| {
            let tag = Files::get(name).map(|file| tag(&file)).unwrap_or_default();
            format!("/assets/{name}?v={tag}")
        };
        Self {
            css: address("lanai.css"),
            js: address("lanai.js"),
            mark: address("mark.svg"),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Version {
    v: Option<String>,
}

/// `GET /assets/NAME`.
pub(crate) async fn serve(
    Path(name): Path<String>,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> Response {
    let Some(file) = Files::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = tag(&file);
    let etag = format!("\"{tag}\"");
    let caching = if version.v.as_deref() == Some(&tag) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let known = headers.get(header::IF_NONE_MATCH);
    let common = [(header::CACHE_CONTROL, caching), (header::ETAG, &etag)];
    if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let body = file.data.into_owned();
    (common, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// First half of the content's SHA-256, in hexadecimal.
fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
