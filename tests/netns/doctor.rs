//! The check list on this box.

use lanai_tests::{Appliance, Lab};

#[test]
fn the_doctor_finds_what_is_there_and_what_is_not() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let list = || {
        let text = appliance.lanai(&["doctor", "--json"]).stdout;
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["findings"].as_array().unwrap().clone()
    };
    let of = |stage: &str| -> Vec<serde_json::Value> {
        let all = list().into_iter();
        all.filter(|finding| finding["stage"] == stage).collect()
    };
    // The kernel's settings are what `sysctl` says they are.
    assert!(
        of("settings").iter().all(|it| it["health"] == "good"),
        "{:?}",
        of("settings")
    );
    assert!(of("routing").iter().all(|it| it["health"] == "good"));
    let proxy = of("proxy");
    let low = proxy
        .iter()
        .find(|it| it["what"].as_str().unwrap().contains("below 1024"));
    assert_eq!(low.unwrap()["health"], "good", "{proxy:?}");
    let text = appliance.lanai(&["doctor"]).text();
    for title in [
        "1. Proxy support",
        "2. Kernel options",
        "3. Kernel settings",
        "6. Configuration",
    ] {
        assert!(text.contains(title), "{text}");
    }
    // An interface goes: what is on it cannot be had.
    lab.sh("appliance", "ip link delete eth4");
    let finished = appliance.lanai(&["doctor"]);
    assert_eq!(finished.code, 1, "{finished:?}");
    assert!(
        finished.text().contains("there is no interface 'eth4'"),
        "{finished:?}"
    );
}
