//! A change from the command line: apply, history, difference, roll back.

use lanai_tests::{Appliance, Lab};

use crate::expect::WWW;

#[test]
fn a_change_is_seen_by_clients_and_rolled_back() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let ask = |url: &str| lab.client("internet").patience(3).get(url);
    assert_eq!(ask(WWW).status, 200);
    let original = appliance.files();
    let first = live(&appliance);

    appliance.edit(
        "haproxy.cfg",
        "bind 198.51.100.10:80 name http",
        "bind 198.51.100.10:8080 name http",
    );
    appliance.edit("services.cfg", "10.4.0.1 metric 4", "10.4.0.1 metric 40");
    let plan = appliance.lanai(&["plan"]).ok();
    assert!(plan.contains("10.4.0.1") && plan.contains("40"), "{plan}");
    appliance.apply("www moves to 8080");

    assert_eq!(ask("http://198.51.100.10:8080/").status, 200);
    assert_eq!(ask(WWW).exit, 7, "port 80 is still open");
    let routes = lab.sh("appliance", "ip route show default");
    assert!(
        routes.contains("metric 40") && !routes.contains("metric 4 "),
        "{routes}"
    );

    let second = live(&appliance);
    assert!(second > first, "{first} then {second}");
    let history = appliance.lanai(&["revisions"]).ok();
    assert!(history.contains("www moves to 8080"), "{history}");
    let difference = appliance
        .lanai(&["diff", &first.to_string(), &second.to_string()])
        .ok();
    for line in [
        "-    bind 198.51.100.10:80 name http",
        "+    bind 198.51.100.10:8080 name http",
    ] {
        assert!(difference.contains(line), "{line} is not in\n{difference}");
    }

    appliance.lanai(&["rollback", &first.to_string()]).ok();
    assert_eq!(ask(WWW).status, 200);
    assert_eq!(ask("http://198.51.100.10:8080/").exit, 7);
    assert_eq!(
        appliance.files(),
        original,
        "the files are not those of the first revision"
    );
    let routes = lab.sh("appliance", "ip route show default");
    assert!(routes.contains("metric 4 "), "{routes}");
    assert!(
        live(&appliance) > second,
        "a rollback is a revision of its own"
    );
}

#[test]
fn private_keys_are_in_no_difference_and_no_log() {
    let lab = Lab::new();
    let mut appliance = Appliance::running(&lab);
    let first = live(&appliance);
    let key_of = |text: &str| -> String {
        let (_, key) = text.split_once("PRIVATE KEY-----\n").unwrap();
        key.lines().next().unwrap().to_owned()
    };
    let old = key_of(&appliance.read("ssl/www.pem"));
    let other = appliance.read("ssl/sharepoint.pem");
    appliance.write("ssl/www.pem", &other);
    appliance.apply("a new key for www");
    let second = live(&appliance);

    let difference = appliance
        .lanai(&["diff", &first.to_string(), &second.to_string()])
        .ok();
    assert!(difference.contains("ssl/www.pem"), "{difference}");
    let log = appliance.daemon().log();
    let history = appliance.lanai(&["revisions", "--json"]).ok();
    for key in [old, key_of(&other)] {
        for text in [&difference, &log, &history] {
            assert!(!text.contains(&key), "a private key is in\n{text}");
        }
    }
}

#[test]
fn status_says_which_servers_are_up() {
    let lab = Lab::new();
    let web1 = lab.web_server("web1");
    let web2 = lab.web_server("web2");
    let appliance = Appliance::running(&lab);
    let state_of = |server: &str| -> Option<String> {
        let text = appliance.lanai(&["status", "--json"]).ok();
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let backends = find(&status, "backends")?.as_array()?;
        let servers = backends
            .iter()
            .flat_map(|backend| backend["servers"].as_array().unwrap());
        let found = servers.into_iter().find(|entry| entry["name"] == server)?;
        Some(found["status"].as_str()?.to_owned())
    };
    let becomes = |server: &str, wanted: &str| {
        lanai_tests::until(
            &format!("{server} to be {wanted}"),
            lanai_tests::within(),
            || (state_of(server)? == wanted).then_some(()),
        );
    };
    becomes("web1", "UP");
    becomes("web2", "UP");
    drop(web1);
    becomes("web1", "DOWN");
    for _ in 0..4 {
        let response = lab.client("internet").get(WWW);
        assert_eq!((response.status, response.body.as_str()), (200, "web2"));
    }
    let _again = lab.web_server("web1");
    becomes("web1", "UP");
    drop(web2);
    becomes("web2", "DOWN");
    assert_eq!(lab.client("internet").get(WWW).body, "web1");
}

#[test]
fn a_restarted_daemon_comes_back_with_its_files() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::running(&lab);
    let before = appliance.kernel_state();
    assert_eq!(appliance.stop(), 0);
    appliance.start();
    let response = lab.client("internet").get(WWW);
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(appliance.kernel_state(), before);
}

/// The number of the live revision, from `lanai status --json`.
#[track_caller]
fn live(appliance: &Appliance<'_>) -> i64 {
    let text = appliance.lanai(&["revisions", "--json"]).ok();
    let revisions: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = find_list(&revisions).unwrap_or_else(|| panic!("no list in {text}"));
    let is_live =
        |entry: &&serde_json::Value| entry["state"].to_string().to_lowercase().contains("live");
    let found = list
        .iter()
        .find(is_live)
        .unwrap_or_else(|| panic!("nothing live in {text}"));
    found["id"]
        .as_i64()
        .unwrap_or_else(|| panic!("no id in {found}"))
}

fn find_list(value: &serde_json::Value) -> Option<&Vec<serde_json::Value>> {
    value
        .as_array()
        .or_else(|| find(value, "revisions")?.as_array())
}

/// A member of that name, wherever it is.
fn find<'a>(value: &'a serde_json::Value, name: &str) -> Option<&'a serde_json::Value> {
    match value {
        serde_json::Value::Object(members) => members
            .get(name)
            .or_else(|| members.values().find_map(|member| find(member, name))),
        serde_json::Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}
