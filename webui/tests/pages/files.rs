use axum::http::StatusCode;

use crate::browser::{Browser, Page};
use crate::support::LAYER7_TEXT;

fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["www.example.org".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

async fn upload(browser: &mut Browser, folder: &str, file: &str, content: &str) -> Page {
    let page = browser.get("/files").await;
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", &base),
        ("folder", folder),
        ("name", ""),
        ("comment", ""),
    ];
    browser.upload("/files", &form, file, content).await
}

#[tokio::test]
async fn a_certificate_is_shown_and_its_key_never() {
    let mut browser = Browser::admin().await;
    let (certificate, key) = certificate();
    let page = upload(
        &mut browser,
        "ssl",
        "www.pem",
        &format!("{certificate}{key}"),
    )
    .await;
    let live = browser.live().await;
    assert_eq!(page.location(), format!("/files?applied={live}"));
    let secret = key.lines().nth(1).unwrap();
    for path in [
        "/files".to_owned(),
        format!("/history/{live}"),
        format!("/history/{live}/rollback"),
    ] {
        let page = browser.get(&path).await;
        assert!(page.has("www.pem"), "{path}");
        assert!(!page.has(secret) && !page.has("PRIVATE KEY-----"), "{path}");
    }
    let page = browser.get("/files").await;
    assert!(
        page.has("www.example.org") && page.has("with its private key"),
        "{}",
        page.body
    );
    assert_eq!(
        browser.get("/files/view?name=ssl/www.pem").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_map_is_shown_as_text_and_deleted() {
    let mut browser = Browser::admin().await;
    upload(
        &mut browser,
        "maps",
        "hosts.map",
        "www.example.org <script>x</script>\n",
    )
    .await
    .location();
    let page = browser.get("/files/view?name=maps/hosts.map").await;
    assert!(
        page.has("www.example.org &#60;script&#62;") && !page.has("<script>x"),
        "{}",
        page.body
    );

    let page = browser.get("/files/delete?name=maps/hosts.map").await;
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", &base),
        ("name", "maps/hosts.map"),
    ];
    browser.post("/files/delete", &form).await.location();
    assert!(!browser.get("/files").await.has("hosts.map"));
    let again = browser.post("/files/delete", &form).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_that_is_needed_stays() {
    let mut browser = Browser::admin().await;
    let (certificate, key) = certificate();
    upload(
        &mut browser,
        "ssl",
        "www.pem",
        &format!("{certificate}{key}"),
    )
    .await
    .location();
    let text = LAYER7_TEXT.replace(
        "198.51.100.2:80 name http",
        "198.51.100.2:443 ssl crt www.pem",
    );
    browser.edit("apply", &text).await.location();
    let page = browser.get("/files/delete?name=ssl/www.pem").await;
    assert!(
        page.has("disabled") && page.has("still needs this file"),
        "{}",
        page.body
    );
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", &base),
        ("name", "ssl/www.pem"),
    ];
    assert_eq!(
        browser.post("/files/delete", &form).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(
        browser
            .control
            .live_files()
            .await
            .unwrap()
            .get("ssl/www.pem")
            .is_some()
    );
}

#[tokio::test]
async fn odd_names_and_sizes_are_refused() {
    let mut browser = Browser::admin().await;
    for (folder, file) in [
        ("maps", "../x"),
        ("maps", ".hidden"),
        ("..", "x"),
        ("maps", ""),
        ("", "haproxy.cfg"),
    ] {
        let page = upload(&mut browser, folder, file, "content").await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{folder}/{file}"
        );
    }
    let page = upload(&mut browser, "maps", "empty", "").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = upload(&mut browser, "maps", "large", &"x".repeat((1 << 20) + 1)).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    let page = upload(&mut browser, "maps", "huge", &"x".repeat(5 << 20)).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    for name in [
        "haproxy.cfg",
        "maps/../haproxy.cfg",
        "/etc/passwd",
        "../../etc/passwd",
    ] {
        let page = browser.get(&format!("/files/view?name={name}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn an_upload_needs_the_form_of_this_session() {
    let mut browser = Browser::admin().await;
    let form = [
        ("csrf", "forged"),
        ("base", ""),
        ("folder", "maps"),
        ("name", "x"),
    ];
    let page = browser.upload("/files", &form, "x", "content").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!browser.get("/files").await.has("View"));
}
