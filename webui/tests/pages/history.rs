use axum::http::StatusCode;

use crate::browser::Browser;
use crate::support::LAYER7_TEXT;

#[tokio::test]
async fn rolling_back_is_seen_first_and_then_done() {
    let mut browser = Browser::admin().await;
    let first = browser.live().await;
    browser
        .edit("apply", &format!("{LAYER7_TEXT}# changed\n"))
        .await
        .location();
    let second = browser.live().await;

    let page = browser.get("/history").await;
    assert!(page.has("because") && page.has("Live") && page.has("Superseded"));
    assert!(page.has(&format!("/history/{first}/rollback")));
    assert!(
        !page.has(&format!("/history/{second}/rollback")),
        "live already"
    );
    let page = browser.get(&format!("/history/{second}")).await;
    assert!(
        page.has("<span class=\"add\">+ # changed</span>"),
        "{}",
        page.body
    );
    let page = browser.get(&format!("/history/{first}?against=live")).await;
    assert!(
        page.has("<span class=\"add\">+ # changed</span>"),
        "{}",
        page.body
    );

    let path = format!("/history/{first}/rollback");
    let page = browser.get(&path).await;
    assert!(
        page.has("<span class=\"del\">- # changed</span>"),
        "{}",
        page.body
    );
    assert_eq!(browser.live().await, second, "looking changes nothing");
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let page = browser
        .post(&path, &[("csrf", &csrf), ("base", &base)])
        .await;
    let third = browser.live().await;
    assert_eq!(
        page.location(),
        format!("/history?applied={third}&to={first}")
    );
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
    let page = browser
        .get(&format!("/history?applied={third}&to={first}"))
        .await;
    assert!(page.has(&format!("Rolled back to revision {first}")));
}

#[tokio::test]
async fn a_rollback_of_yesterdays_page_is_shown_again_first() {
    let mut browser = Browser::admin().await;
    let first = browser.live().await;
    browser
        .edit("apply", &format!("{LAYER7_TEXT}# one\n"))
        .await
        .location();
    let path = format!("/history/{first}/rollback");
    let seen = browser.get(&path).await;
    browser
        .edit("apply", &format!("{LAYER7_TEXT}# two\n"))
        .await
        .location();
    let form = [("csrf", seen.value("csrf")), ("base", seen.value("base"))];
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let page = browser.post(&path, &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(browser.layer7().await.ends_with("# two\n"));
}

#[tokio::test]
async fn the_first_revision_shows_everything_in_it() {
    let mut browser = Browser::admin().await;
    let first = browser.live().await;
    let page = browser.get(&format!("/history/{first}")).await;
    assert!(
        page.has("Everything in it") && page.has("+ frontend ft_www"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn what_is_not_there_has_a_page_too() {
    let mut browser = Browser::admin().await;
    for path in ["/history/999", "/history/-1", "/history/999/rollback"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.has("href=\"/history\""), "{path}: a way on");
    }
    assert_eq!(
        browser.get("/history/x").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_long_history_has_pages() {
    let mut browser = Browser::admin().await;
    for number in 0..26 {
        browser
            .edit("apply", &format!("{LAYER7_TEXT}# {number}\n"))
            .await
            .location();
    }
    let page = browser.get("/history").await;
    let at = page
        .body
        .find("/history?before=")
        .expect("there are older ones");
    let older: String = page.body[at..].chars().take_while(|c| *c != '"').collect();
    let page = browser.get(&older).await;
    assert!(
        page.has("href=\"/history\">Newest") && !page.has("before="),
        "{}",
        page.body
    );
}
