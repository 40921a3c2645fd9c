//! The web UI in headless Chromium with real clicks. `browser/drive.mjs` clicks; here the traffic is
//! looked at between its steps, from a client on the internet's side.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use lanai_tests::{Appliance, Lab, project_root};
use serde_json::Value;

const OLD: &str = "bind 198.51.100.10:80 name http";
const NEW: &str = "bind 198.51.100.10:8080 name http";
const OLD_URL: &str = "http://198.51.100.10/";
const NEW_URL: &str = "http://198.51.100.10:8080/";

#[test]
fn a_change_from_the_browser_is_seen_in_the_traffic_and_rolled_back() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let original = appliance.files();
    let (url, token) = login(&appliance);
    let pictures = lab.fresh("pictures");

    let mut driver = Command::new("ip")
        .args([
            "netns",
            "exec",
            &lab.namespace("desk"),
            "timeout",
            "-k",
            "1",
            "160",
            "node",
        ])
        .arg(project_root().join("tests/browser/drive.mjs"))
        .args([&url, &token])
        .arg(&pictures)
        .args(["--find", OLD, "--replace", NEW])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut answers = driver.stdin.take().unwrap();
    let mut refused = false;
    let mut done = false;
    let mut warned = false;
    let (mut applied, mut rolled_back) = (0, 0);
    for line in BufReader::new(driver.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let fact: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        said.push(line);
        if fact["applied"] == true {
            assert!(refused, "the broken text was not refused first: {said:#?}");
            assert_eq!(status(&lab, NEW_URL), (200, 0));
            assert_eq!(status(&lab, OLD_URL), (0, 7), "the old port is still open");
            assert!(appliance.read("haproxy.cfg").contains(NEW));
            applied += 1;
            writeln!(answers, "ok").unwrap();
        } else if fact["rolled_back"] == true {
            assert_eq!(status(&lab, OLD_URL), (200, 0));
            assert_eq!(status(&lab, NEW_URL), (0, 7), "the new port is still open");
            assert_eq!(appliance.files(), original);
            rolled_back += 1;
            writeln!(answers, "ok").unwrap();
        }
        refused |= fact["step"] == "refused" && fact["line"].is_u64() && fact["column"].is_u64();
        let told = fact["why"].as_array().is_some_and(|why| !why.is_empty());
        warned |= fact["step"] == "cut off" && told;
        done = fact["done"] == true;
    }
    let ended = driver.wait().unwrap();
    keep_pictures(&pictures);
    assert!(ended.success() && done, "{ended}: {said:#?}");
    assert_eq!((applied, rolled_back), (1, 1), "{said:#?}");
    assert!(
        warned,
        "nobody was told that they would be cut off: {said:#?}"
    );
    assert_eq!(
        appliance.files(),
        original,
        "without JavaScript something stayed changed"
    );
}

/// The address and the token of a one-time login link.
fn login(appliance: &Appliance<'_>) -> (String, String) {
    let link = appliance.login_link();
    let (url, token) = link
        .split_once("/login?token=")
        .unwrap_or_else(|| panic!("{link}"));
    (url.to_owned(), token.to_owned())
}

fn status(lab: &Lab, url: &str) -> (u16, i32) {
    let response = lab.client("internet").patience(5).get(url);
    (response.status, response.exit)
}

/// `LANAI_PICTURES` names a folder that takes the screenshots, to be looked at.
fn keep_pictures(from: &std::path::Path) {
    if let Some(to) = std::env::var_os("LANAI_PICTURES") {
        let copied = Command::new("cp").arg("-rT").arg(from).arg(to).status();
        assert!(copied.unwrap().success(), "the pictures could not be kept");
    }
}
