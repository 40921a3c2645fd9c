//! What holds for every request and every answer, whichever page it is.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{Nope, page_of_error};

/// No inline script or style anywhere, nothing from elsewhere, no frames around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: with that, browsers send `Origin: null` with a form, and no form would pass
    // `same_origin`.
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Adds the security headers. A page is never stored, unless its handler said otherwise.
pub(crate) async fn secure_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Gives every refusal its page.
pub(crate) async fn error_pages(
    State(app): State<App>,
    method: Method,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    if method == Method::HEAD {
        return response;
    }
    page_of_error(&app, &headers, response).await
}

/// Refuses a changing request that another site made a browser send (ASVS 3.5.1).
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if safe || is_ours(request.headers(), request.uri()) {
        next.run(request).await
    } else {
        Nope::OtherSite.into_response()
    }
}

/// A browser says where a request comes from in one of two headers, and no page can forge either.
fn is_ours(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == b"same-origin";
    }
    let (Some(origin), Some(host)) = (
        text(ORIGIN),
        // HTTP/2 has the host in the address.
        uri.authority()
            .map(|authority| authority.as_str().as_bytes())
            .or_else(|| text(HOST)),
    ) else {
        return false;
    };
    origin
        .strip_prefix(b"https://")
        .is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_ours(&headers, &Uri::from_static("/services"))
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let host = ("host", "192.0.2.1:4444");
        assert!(ours(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[host, ("origin", "https://192.0.2.1:4444")]));
        assert!(!ours(&[host]), "no word about where it comes from");
        assert!(!ours(&[host, ("origin", "null")]));
        assert!(!ours(&[host, ("origin", "http://192.0.2.1:4444")]));
        assert!(!ours(&[host, ("origin", "https://evil.example")]));
        for site in ["cross-site", "same-site", "none"] {
            let origin = ("origin", "https://192.0.2.1:4444");
            assert!(!ours(&[host, origin, ("sec-fetch-site", site)]), "{site}");
        }
    }
}
