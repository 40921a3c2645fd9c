use axum::http::StatusCode;
use lanai_control::Author;

use crate::browser::{Browser, PASSWORD};

async fn link(browser: &Browser) -> String {
    let author = Author::new("test", "test");
    browser
        .control
        .login_link("admin", &author)
        .await
        .unwrap()
        .token
}

#[tokio::test]
async fn a_stranger_is_asked_to_log_in() {
    let mut browser = Browser::stranger().await;
    assert_eq!(browser.get("/").await.location(), "/login");
    let page = browser.get("/history/3?against=live").await;
    assert_eq!(page.location(), "/login?next=/history/3%3Fagainst%3Dlive");
    for path in ["/services", "/layer7", "/files", "/history", "/password"] {
        assert!(
            browser.get(path).await.location().starts_with("/login"),
            "{path}"
        );
    }
    assert_eq!(browser.get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_link_lets_in_once_and_leads_to_a_password() {
    let mut browser = Browser::stranger().await;
    let token = link(&browser).await;
    // Looking at the link, as scanners do, uses nothing up.
    for _ in 0..3 {
        let page = browser.get(&format!("/login?token={token}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.value("token"), token);
        assert!(browser.cookie.is_none());
    }
    let page = browser.post("/login/link", &[("token", &token)]).await;
    assert_eq!(page.location(), "/password");
    let first = browser.cookie.clone().unwrap();
    // Nothing else is shown before there is a password.
    assert_eq!(browser.get("/").await.location(), "/password");
    assert_eq!(browser.get("/layer7").await.location(), "/password");

    let page = browser.get("/password").await;
    assert!(
        !page.has("id=\"current\""),
        "there is no password to ask for"
    );
    let csrf = page.value("csrf");
    let short = [
        ("csrf", csrf.as_str()),
        ("new", "short"),
        ("again", "short"),
    ];
    assert_eq!(
        browser.post("/password", &short).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let unlike = [
        ("csrf", csrf.as_str()),
        ("new", PASSWORD),
        ("again", "something else"),
    ];
    assert_eq!(
        browser.post("/password", &unlike).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let good = [
        ("csrf", csrf.as_str()),
        ("new", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(browser.post("/password", &good).await.location(), "/");
    assert_ne!(
        browser.cookie.as_ref(),
        Some(&first),
        "a new session with the new password"
    );
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    // The session of the link ended, and the link is used up.
    let mut other = browser.another();
    other.cookie = Some(first);
    assert_eq!(other.get("/").await.location(), "/login");
    other.cookie = None;
    let again = other.post("/login/link", &[("token", &token)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(other.cookie.is_none());
}

#[tokio::test]
async fn a_wrong_password_tells_nothing() {
    let mut browser = Browser::admin().await;
    browser.cookie = None;
    let wrong = [("name", "admin"), ("password", "not the password")];
    let unknown = [("name", "nobody"), ("password", "not the password")];
    let (first, second) = (
        browser.post("/login", &wrong).await,
        browser.post("/login", &unknown).await,
    );
    assert_eq!(
        (first.status, second.status),
        (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN)
    );
    assert!(first.has("The name or the password is wrong."));
    assert_eq!(
        first.body.replace("admin", ""),
        second.body.replace("nobody", "")
    );
    assert!(browser.cookie.is_none());
}

#[tokio::test]
async fn many_wrong_passwords_slow_down() {
    let mut browser = Browser::admin().await;
    browser.cookie = None;
    for _ in 0..30 {
        let page = browser
            .post("/login", &[("name", "admin"), ("password", "wrong wrong")])
            .await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(page.has("Try again in"));
            return;
        }
    }
    panic!("30 guesses were let through");
}

#[tokio::test]
async fn afterwards_the_page_asked_for_comes_if_it_is_ours() {
    let mut browser = Browser::admin().await;
    for (next, to) in [
        ("/history", "/history"),
        ("//evil.example/", "/"),
        ("https://evil.example", "/"),
    ] {
        let form = [("name", "admin"), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/login", &form).await.location(), to);
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_at_the_box() {
    let mut browser = Browser::admin().await;
    let (csrf, cookie) = (browser.csrf().await, browser.cookie.clone());
    let page = browser.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!(page.location(), "/login?bye=1");
    assert!(browser.cookie.is_none());
    browser.cookie = cookie;
    assert_eq!(browser.get("/").await.location(), "/login");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let mut browser = Browser::admin().await;
    let page = browser.get("/password").await;
    let csrf = page.value("csrf");
    let new = "another quiet evening";
    let wrong = [
        ("csrf", csrf.as_str()),
        ("current", "guess"),
        ("new", new),
        ("again", new),
    ];
    assert_eq!(
        browser.post("/password", &wrong).await.status,
        StatusCode::FORBIDDEN
    );
    let right = [
        ("csrf", csrf.as_str()),
        ("current", PASSWORD),
        ("new", new),
        ("again", new),
    ];
    assert_eq!(browser.post("/password", &right).await.location(), "/");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}
