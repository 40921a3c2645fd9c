//! A change on trial, as a browser without a script sees it.

use axum::http::StatusCode;
use lanai_control::{RevisionState, Role};

use crate::browser::{Browser, PASSWORD, Page};
use crate::support::LAYER7_TEXT;

impl Browser {
    /// Applies from the LB Layer7 editor as its form stands when it is opened.
    async fn try_out(&mut self, text: &str) -> Page {
        let page = self.get("/layer7").await;
        assert!(
            page.has("name=\"on_trial\" value=\"yes\" checked"),
            "offered on"
        );
        assert!(page.has("<option value=\"5m\" selected>5 minutes</option>"));
        let (csrf, base) = (page.value("csrf"), page.value("base"));
        let form = [
            ("csrf", csrf.as_str()),
            ("base", base.as_str()),
            ("text", text),
            ("comment", "because"),
            ("on_trial", "yes"),
            ("within", "5m"),
            ("action", "apply"),
        ];
        self.post("/layer7", &form).await
    }

    /// Presses a button of the banner.
    async fn press(&mut self, what: &str) -> Page {
        let page = self.get("/history").await;
        let (csrf, revision) = (page.value("csrf"), page.value("revision"));
        let form = [("csrf", csrf.as_str()), ("revision", revision.as_str())];
        self.post(&format!("/trial/{what}"), &form).await
    }
}

fn changed() -> String {
    format!("{LAYER7_TEXT}# on trial\n")
}

const HEADING: &str = "Revision 2</a> is on trial";

#[tokio::test]
async fn every_page_says_so_with_both_ways_out_and_nothing_else_changes() {
    let mut browser = Browser::admin().await;
    assert!(!browser.get("/").await.has("is on trial"));
    let page = browser.try_out(&changed()).await;
    assert_eq!(page.location(), "/layer7?applied=2");
    for path in [
        "/layer7?applied=2",
        "/",
        "/services",
        "/files",
        "/history",
        "/history/2",
        "/history/1",
        "/password",
        "/nowhere",
        "/history/999",
    ] {
        let page = browser.get(path).await;
        for part in [
            HEADING,
            "role=\"status\"",
            "revision 1 comes back by itself",
            "action=\"/trial/confirm\"",
            "action=\"/trial/rollback\"",
            "data-left=\"",
        ] {
            assert!(page.has(part), "{path} lacks {part}: {}", page.body);
        }
        assert_eq!(page.body.matches("id=\"trial\"").count(), 1, "{path}");
    }
    let page = browser.get("/layer7?applied=2").await;
    assert!(page.has("It is in effect, on trial"), "{}", page.body);
    assert_eq!(page.textarea("text"), changed(), "an edit starts from it");
    assert!(browser.get("/history").await.has(">On trial<"));
    assert_eq!(browser.layer7().await, LAYER7_TEXT, "no file is touched");
    assert_eq!(browser.live().await, 1);

    let another = format!("{LAYER7_TEXT}# another\n");
    for page in [
        browser.edit("apply", &another).await,
        browser.try_out(&another).await,
    ] {
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.has("A revision is on trial") && page.has("Revision 2 is on trial, "));
        assert_eq!(page.textarea("text"), another, "what was written stays");
    }
    let mut stranger = browser.another();
    for path in ["/login", "/nowhere"] {
        assert!(!stranger.get(path).await.has("on trial"), "{path}");
    }
}

#[tokio::test]
async fn confirming_makes_it_live() {
    let mut browser = Browser::admin().await;
    browser.try_out(&changed()).await.location();
    let page = browser.press("confirm").await;
    assert_eq!(page.location(), "/history?confirmed=2");
    let page = browser.get("/history?confirmed=2").await;
    assert!(page.has("Revision 2 is live") && !page.has("id=\"trial\" aria"));
    assert_eq!(browser.layer7().await, changed());
    assert_eq!(browser.live().await, 2);

    // The page of yesterday.
    let csrf = browser.csrf().await;
    for what in ["confirm", "rollback"] {
        let form = [("csrf", csrf.as_str()), ("revision", "2")];
        let page = browser.post(&format!("/trial/{what}"), &form).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.has("Revision 2 is not on trial"), "{}", page.body);
    }
    assert_eq!(browser.live().await, 2);
}

#[tokio::test]
async fn rolling_back_now_brings_the_previous_one_back() {
    let mut browser = Browser::admin().await;
    browser.try_out(&changed()).await.location();
    let page = browser.press("rollback").await;
    assert_eq!(page.location(), "/history?taken_back=2");
    let page = browser.get("/history?taken_back=2").await;
    assert!(page.has("Revision 2 was taken back") && page.has("Revision 1 is in effect again"));
    assert!(page.has("taken back by admin (ui 0.0.0.0) before it was confirmed"));
    assert_eq!(browser.layer7().await, LAYER7_TEXT);
    assert_eq!(browser.get("/layer7").await.textarea("text"), LAYER7_TEXT);
}

#[tokio::test]
async fn who_may_only_look_sees_it_and_cannot_end_it() {
    let mut browser = Browser::admin().await;
    browser.try_out(&changed()).await.location();
    let mut viewer = browser.another();
    viewer.log_in("viewer", Role::Viewer).await;
    let page = viewer.get("/").await;
    assert!(page.has(HEADING) && !page.has("/trial/"), "{}", page.body);
    let csrf = viewer.csrf().await;
    for what in ["confirm", "rollback"] {
        let form = [("csrf", csrf.as_str()), ("revision", "2")];
        let page = viewer.post(&format!("/trial/{what}"), &form).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.has(HEADING), "the page of a refusal says so too");
    }
    let revision = browser.control.trial().unwrap().revision;
    let state = browser.control.revision(revision).await.unwrap().state;
    assert_eq!(state, RevisionState::Trial { within_s: 300 });

    // Not before there is a password: such a session sees no other page either.
    let name = [("name", "admin"), ("password", PASSWORD)];
    assert!(browser.post("/login", &name).await.location() == "/");
}

#[tokio::test]
async fn the_choice_is_kept_while_a_text_is_worked_on() {
    let mut browser = Browser::admin().await;
    let page = browser.get("/layer7").await;
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let sent = |on: bool, within, action| {
        let mut form = vec![
            ("csrf", csrf.as_str()),
            ("base", base.as_str()),
            ("text", LAYER7_TEXT),
            ("within", within),
            ("action", action),
        ];
        form.extend(on.then_some(("on_trial", "yes")));
        form
    };
    let page = browser.post("/layer7", &sent(false, "1h", "preview")).await;
    assert!(page.has("name=\"on_trial\" value=\"yes\">"), "it stays off");
    assert!(page.has("<option value=\"1h\" selected>"), "{}", page.body);
    let page = browser.post("/layer7", &sent(true, "15m", "check")).await;
    assert!(page.has("value=\"yes\" checked") && page.has("<option value=\"15m\" selected>"));
    let page = browser.post("/layer7", &sent(true, "5d", "apply")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let page = browser.post("/layer7", &sent(true, "1m", "apply")).await;
    assert_eq!(page.location(), "/layer7?applied=2");
    assert_eq!(browser.control.trial().unwrap().within_s, 60);
}

#[tokio::test]
async fn files_are_tried_out_too() {
    let mut browser = Browser::admin().await;
    let page = browser.get("/files").await;
    assert!(page.has("value=\"yes\" checked"));
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", base.as_str()),
        ("folder", "maps"),
        ("on_trial", "yes"),
        ("within", "5m"),
    ];
    let page = browser.upload("/files", &form, "hosts.map", "a b\n").await;
    assert_eq!(page.location(), "/files?applied=2");
    let page = browser.get("/files").await;
    assert!(
        page.has("maps/hosts.map") && page.has(HEADING),
        "{}",
        page.body
    );
    let files = browser.control.live_files().await.unwrap();
    assert_eq!(files.get("maps/hosts.map"), None);
    browser.press("confirm").await.location();

    let page = browser.get("/files/delete?name=maps/hosts.map").await;
    assert!(page.has("value=\"yes\" checked"));
    let (csrf, base) = (page.value("csrf"), page.value("base"));
    let form = [
        ("csrf", csrf.as_str()),
        ("base", base.as_str()),
        ("name", "maps/hosts.map"),
        ("on_trial", "yes"),
        ("within", "5m"),
    ];
    browser.post("/files/delete", &form).await.location();
    assert!(!browser.get("/files").await.has("maps/hosts.map"));
    browser.press("rollback").await.location();
    assert!(browser.get("/files").await.has("maps/hosts.map"));
}
