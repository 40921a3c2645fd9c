use axum::http::StatusCode;
use lanai_control::{Author, Role};

use crate::browser::{Browser, PASSWORD};
use crate::support::LAYER7_TEXT;

/// What would break a page that does not escape, or that loses what is odd about a text.
const NASTY: &str =
    "\n\n# </textarea><script>alert('x')</script> & &lt; \"q\" é\n\tbackend <b>\n   ";

fn broken() -> (String, usize) {
    let text = format!("{LAYER7_TEXT}backend more\n    blance roundrobin\n");
    let line = text.lines().count();
    (text, line)
}

#[tokio::test]
async fn the_text_is_shown_byte_for_byte() {
    let mut browser = Browser::admin().await;
    let page = browser.get("/layer7").await;
    assert_eq!(page.textarea("text"), LAYER7_TEXT);
    let page = browser.get("/services").await;
    assert_eq!(page.textarea("text"), crate::support::SERVICES_TEXT);
}

#[tokio::test]
async fn a_refusal_names_the_place_and_keeps_the_text() {
    let mut browser = Browser::admin().await;
    let live = browser.live().await;
    let (text, line) = broken();
    for (action, status) in [
        ("check", StatusCode::OK),
        ("preview", StatusCode::OK),
        ("apply", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let page = browser.edit(action, &text).await;
        assert_eq!(page.status, status, "{action}");
        assert!(
            page.has(&format!(">haproxy.cfg:{line}:5<")),
            "{action}: {}",
            page.body
        );
        assert!(
            page.has("blance roundrobin\n") && page.has("^^^^^^"),
            "the line and the caret"
        );
        assert!(page.has("did you mean &#39;balance&#39;"), "{}", page.body);
        assert_eq!(page.textarea("text"), text, "{action}");
        assert_eq!(page.value("comment"), "because");
    }
    assert_eq!(browser.live().await, live);
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
}

#[tokio::test]
async fn whatever_is_written_comes_back_and_does_nothing() {
    let mut browser = Browser::admin().await;
    for action in ["check", "preview", "apply"] {
        let page = browser.edit(action, NASTY).await;
        assert_eq!(page.textarea("text"), NASTY, "{action}");
        assert!(
            !page.has("<script>alert") && !page.has("backend <b>"),
            "{action}"
        );
    }
}

#[tokio::test]
async fn an_applied_text_is_live_byte_for_byte() {
    let mut browser = Browser::admin().await;
    let before = browser.live().await;
    let text = format!(
        "{LAYER7_TEXT}# grüße\n\nbackend last\n    server s1 10.0.3.99:80   # two  blanks  \n"
    );
    let page = browser.edit("preview", &text).await;
    assert!(
        page.has("<span class=\"add\">+ backend last</span>"),
        "{}",
        page.body
    );
    assert!(
        page.has("last/s1") && page.has("Apply would do"),
        "{}",
        page.body
    );
    assert_eq!(browser.live().await, before, "a preview changes nothing");

    let page = browser.edit("apply", &text).await;
    let live = browser.live().await;
    assert!(live > before);
    assert_eq!(page.location(), format!("/layer7?applied={live}"));
    assert_eq!(browser.layer7().await, text);
    let page = browser.get(&format!("/layer7?applied={live}")).await;
    assert!(page.has(&format!("Revision {live} is live")));
    let revision = browser.control.live_revision().await.unwrap().unwrap();
    assert_eq!(
        (revision.author.as_str(), revision.comment.as_str()),
        ("admin", "because")
    );
    assert!(revision.from.starts_with("ui "), "{}", revision.from);
    // A link with another number says nothing.
    assert!(!browser.get("/layer7?applied=999").await.has("is live</h2>"));
}

#[tokio::test]
async fn dos_line_ends_stay() {
    let mut browser = Browser::admin().await;
    let mut files = browser.control.live_files().await.unwrap();
    let dos = LAYER7_TEXT.replace('\n', "\r\n");
    files.insert("haproxy.cfg", dos.as_bytes());
    let author = Author::new("test", "test");
    browser
        .control
        .apply(files, author, "", None)
        .await
        .unwrap();
    browser
        .edit("apply", &format!("{LAYER7_TEXT}# more\n"))
        .await
        .location();
    assert_eq!(browser.layer7().await, format!("{dos}# more\r\n"));
}

#[tokio::test]
async fn two_people_do_not_overwrite_each_other() {
    let mut browser = Browser::admin().await;
    let opened = browser.get("/layer7").await;
    let (csrf, base) = (opened.value("csrf"), opened.value("base"));
    let theirs = format!("{LAYER7_TEXT}# theirs\n");
    browser.edit("apply", &theirs).await.location();
    let live = browser.live().await;

    let mine = format!("{LAYER7_TEXT}# mine\n");
    let page = browser.edit_on(&csrf, &base, "apply", &mine).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(browser.layer7().await, theirs, "nothing was done");
    assert_eq!(page.textarea("text"), mine);
    assert!(
        page.has("<span class=\"add\">+ # theirs</span>"),
        "what they did: {}",
        page.body
    );
    assert!(
        page.has("<span class=\"del\">- # theirs</span>"),
        "what mine would do to it"
    );
    assert!(page.has("<span class=\"add\">+ # mine</span>"));
    // Having seen both, applying again is meant.
    assert_eq!(page.value("base"), live.to_string());
    browser
        .edit_on(&csrf, &live.to_string(), "apply", &mine)
        .await
        .location();
    assert_eq!(browser.layer7().await, mine);
}

#[tokio::test]
async fn the_end_of_a_session_loses_nothing() {
    let mut browser = Browser::admin().await;
    let opened = browser.get("/layer7").await;
    let (csrf, base) = (opened.value("csrf"), opened.value("base"));
    browser.cookie = None;
    let page = browser.edit_on(&csrf, &base, "apply", NASTY).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
    let kept = page.textarea("kept").replace("\r\n", "\n");
    assert_eq!(kept, NASTY);

    let wire = page
        .textarea("kept")
        .replace("\r\n", "\n")
        .replace('\n', "\r\n");
    let mut form = vec![
        ("name", "admin"),
        ("password", "wrong wrong wrong"),
        ("kept_tab", "/layer7"),
        ("kept_base", base.as_str()),
        ("kept_comment", "because"),
        ("kept_text", wire.as_str()),
    ];
    let page = browser.post("/login", &form).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(
        page.textarea("kept").replace("\r\n", "\n"),
        NASTY,
        "nor does a wrong password"
    );
    form[1].1 = PASSWORD;
    let page = browser.post("/login", &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.textarea("text"), NASTY);
    assert_eq!(
        (page.value("comment").as_str(), page.value("base")),
        ("because", base)
    );
    assert!(browser.cookie.is_some());
    let text = format!("{LAYER7_TEXT}# on\n");
    browser
        .edit_on(&page.value("csrf"), &page.value("base"), "apply", &text)
        .await
        .location();
}

#[tokio::test]
async fn a_form_of_another_session_does_nothing_and_keeps_the_text() {
    let mut browser = Browser::admin().await;
    let base = browser.live().await.to_string();
    let text = format!("{LAYER7_TEXT}# forged\n");
    for csrf in ["", "x", &"A".repeat(500)] {
        let page = browser.edit_on(csrf, &base, "apply", &text).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert_eq!(page.textarea("text"), text);
    }
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
}

#[tokio::test]
async fn who_may_look_may_not_apply() {
    let mut browser = Browser::stranger().await;
    browser.log_in("vera", Role::Viewer).await;
    assert!(!browser.get("/layer7").await.has("value=\"apply\""));
    let text = format!("{LAYER7_TEXT}# mine\n");
    let page = browser.edit("apply", &text).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(page.textarea("text"), text);
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
    let csrf = browser.csrf().await;
    let live = browser.live().await;
    let form = [("csrf", csrf.as_str()), ("base", &live.to_string())];
    let path = format!("/history/{live}/rollback");
    assert_eq!(
        browser.post(&path, &form).await.status,
        StatusCode::FORBIDDEN
    );
    let log = browser.control.audit_log(50, None).await.unwrap();
    let refused = log
        .iter()
        .filter(|entry| entry.action == "not allowed" && entry.actor == "vera");
    assert_eq!(refused.count(), 2);
}

#[tokio::test]
async fn the_engines_refusal_is_told() {
    let mut browser = Browser::admin().await;
    let text = format!("{LAYER7_TEXT}# refuse_to_prepare\n");
    let page = browser.edit("apply", &text).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.has("cannot bind: the address is in use"),
        "{}",
        page.body
    );
    assert_eq!(page.textarea("text"), text);
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
}
