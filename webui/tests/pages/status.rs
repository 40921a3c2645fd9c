use crate::browser::Browser;
use crate::support::LAYER7_TEXT;

#[tokio::test]
async fn the_box_is_seen_at_a_glance() {
    let mut browser = Browser::admin().await;
    let page = browser.get("/").await;
    for text in [
        "Everything is up",
        "ft_www",
        "198.51.100.2:80",
        "198.51.100.2:8080 interface eth2",
        "bk_www",
        "web1",
        "10.0.3.11:80",
        "no check",
        "eth4",
        "10.0.2.2/24",
    ] {
        assert!(page.has(text), "{text} is not in {}", page.body);
    }
    let at = |line: &str| {
        page.body
            .find(line)
            .unwrap_or_else(|| panic!("no {line} in {}", page.body))
    };
    let first = at("default via 198.51.100.1 dev eth0\n");
    let second = at("default via 172.16.0.1 dev eth1 metric 1\n");
    let third = at("default via 10.0.2.1 dev eth2 metric 2\n");
    assert!(first < second && second < third);
}

#[tokio::test]
async fn a_server_that_is_down_is_the_headline() {
    let mut browser = Browser::admin().await;
    let text = format!("{LAYER7_TEXT}backend other\n    server down 10.0.5.1:80 check\n");
    browser.edit("apply", &text).await.location();
    let page = browser.get("/").await;
    assert!(
        page.has("down is down") && page.has("class=\"state bad\">DOWN<"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn refreshing_without_a_script_is_asked_for() {
    let mut browser = Browser::admin().await;
    assert!(!browser.get("/").await.has("http-equiv"));
    let page = browser.get("/?refresh=5").await;
    assert!(page.has("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
    assert!(!browser.get("/?refresh=0").await.has("http-equiv"));
}
