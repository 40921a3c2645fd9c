use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};

use crate::browser::{Browser, Page};
use crate::support::LAYER7_TEXT;

fn assert_safe(page: &Page, what: &str) {
    let header = |name: &str| {
        let value = page.headers.get(name);
        value
            .unwrap_or_else(|| panic!("{what}: no {name}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}");
    assert!(
        header("strict-transport-security").contains("max-age=63072000"),
        "{what}"
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("x-frame-options"), "DENY", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(header("cache-control"), "no-store", "{what}");
    // Nothing inline, which the policy would not run anyway.
    let body = page.body.to_lowercase();
    for inline in [
        "<style",
        " style=",
        " onclick",
        " onload",
        "javascript:",
        "<script>",
    ] {
        assert!(!body.contains(inline), "{what} has {inline}");
    }
}

#[tokio::test]
async fn every_page_is_safe_and_names_the_box() {
    let mut browser = Browser::admin().await;
    browser.on_trial().await;
    for path in [
        "/",
        "/services",
        "/layer7",
        "/files",
        "/history",
        "/history/1",
        "/login",
        "/password",
        "/login?token=x",
        "/nowhere",
        "/history/999",
    ] {
        let page = browser.get(path).await;
        assert_safe(&page, path);
        assert!(
            page.has("porch &#60;1&#62;") && !page.has("porch <1>"),
            "{path}"
        );
        assert!(page.has("<html lang=\"en\">"), "{path}");
    }
    browser.cookie = None;
    assert_safe(&browser.get("/").await, "a stranger's way to the login");
}

#[tokio::test]
async fn other_sites_cannot_change_anything() {
    let mut browser = Browser::admin().await;
    let opened = browser.get("/layer7").await;
    let text = format!("{LAYER7_TEXT}# forged\n");
    let (csrf, base) = (opened.value("csrf"), opened.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", base.as_str()),
        ("text", text.as_str()),
        ("comment", ""),
        ("action", "apply"),
    ];
    for from in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://box.example:4444")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://box.example:4444"),
        ],
        &[("sec-fetch-site", "same-site")],
    ] {
        let page = browser.post_from(from, "/layer7", &form).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{from:?}");
        assert_safe(&page, "a refused request");
        let page = browser.post_from(from, "/logout", &[("csrf", &csrf)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{from:?}");
    }
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
    let own = [("sec-fetch-site", "same-origin")];
    browser.post_from(&own, "/layer7", &form).await.location();
    assert_eq!(browser.layer7().await, text);
}

#[tokio::test]
async fn forms_without_the_sessions_token_are_refused() {
    let mut browser = Browser::admin().await;
    for path in [
        "/logout",
        "/password",
        "/files/delete",
        "/history/1/rollback",
        "/trial/confirm",
        "/trial/rollback",
    ] {
        let form = [
            ("csrf", "x"),
            ("revision", "1"),
            ("base", "1"),
            ("name", "maps/x"),
            ("new", "y"),
            ("again", "y"),
        ];
        let page = browser.post(path, &form).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        let page = browser.post(path, &[]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(page.has("Not understood"), "{path}");
    }
    assert_eq!(
        browser.get("/").await.status,
        StatusCode::OK,
        "still logged in"
    );
}

#[tokio::test]
async fn what_is_no_form_has_an_error_page() {
    let mut browser = Browser::admin().await;
    let own = |method| {
        let request = Request::builder().method(method).uri("/layer7");
        request.header("origin", "https://box.example:4444")
    };
    for method in [Method::PUT, Method::DELETE, Method::TRACE, Method::OPTIONS] {
        let page = browser.send(own(method.clone()), Body::empty()).await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_safe(&page, method.as_str());
    }
    let json = own(Method::POST).header(header::CONTENT_TYPE, "application/json");
    let page = browser.send(json, Body::from("{}")).await;
    assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let form = own(Method::POST).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let page = browser.send(form, Body::from("x".repeat(5 << 20))).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        page.has("Too large") && page.has("href=\"/\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn assets_may_be_kept_for_ever() {
    let mut browser = Browser::stranger().await;
    let page = browser.get("/login").await;
    for name in ["lanai.css", "lanai.js", "mark.svg"] {
        let at = page.body.find(&format!("/assets/{name}?v=")).unwrap();
        let address: String = page.body[at..].chars().take_while(|c| *c != '"').collect();
        let asset = browser.get(&address).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert!(
            asset.headers[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let etag = asset.headers[header::ETAG].clone();
        let again = Request::get(&address).header(header::IF_NONE_MATCH, etag);
        assert_eq!(
            browser.send(again, Body::empty()).await.status,
            StatusCode::NOT_MODIFIED
        );
        let old = browser.get(&format!("/assets/{name}?v=0")).await;
        assert_eq!(old.headers[header::CACHE_CONTROL], "no-cache");
    }
    assert_eq!(
        browser.get("/assets/..%2fsrc%2flib.rs").await.status,
        StatusCode::NOT_FOUND
    );
}
