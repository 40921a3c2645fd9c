//! Articles 1 and 2: the kernel's state that follows from the two texts, by what `ip -j`, `nft -j` and
//! `sysctl` tell of it.

use lanai_tests::{Appliance, Lab};
use serde_json::{Value, json};

pub(crate) fn asked(lab: &Lab, line: &str) -> Value {
    let text = lab.sh("appliance", line);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}\n{text}"))
}

/// These members of each of a list's objects.
pub(crate) fn members(list: &Value, names: &[&str]) -> Vec<Value> {
    let objects = list.as_array().unwrap().iter();
    let chosen = objects.map(|object| {
        let members = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone())));
        Value::Object(members.collect())
    });
    chosen.collect()
}

pub(crate) fn settings(lab: &Lab, names: &[&str]) -> Vec<String> {
    let line = format!("sysctl -n {}", names.join(" "));
    lab.sh("appliance", &line)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Addresses of an interface that a text gave it.
pub(crate) fn addresses(lab: &Lab, interface: &str) -> Vec<String> {
    let links = asked(
        lab,
        &format!("ip -j address show dev {interface} scope global"),
    );
    // Links and addresses that the filter leaves out are empty objects.
    let all = links
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|link| link["addr_info"].as_array());
    let text = |one: &Value| Some(format!("{}/{}", one["local"].as_str()?, one["prefixlen"]));
    all.flatten().filter_map(text).collect()
}

#[test]
fn article_1_five_default_routes_and_no_way_through() {
    let lab = Lab::new();
    let _appliance = Appliance::running(&lab);
    let routes = asked(&lab, "ip -j route show default");
    let via = |gateway: &str, dev: &str| json!({"dst": "default", "gateway": gateway, "dev": dev, "protocol": "76"});
    let with = |mut route: Value, metric: u32| {
        route["metric"] = json!(metric);
        route
    };
    assert_eq!(
        members(&routes, &["dst", "gateway", "dev", "protocol", "metric"]),
        [
            via("198.51.100.1", "eth0"),
            with(via("172.16.1.1", "eth1"), 1),
            with(via("10.2.0.1", "eth2"), 2),
            with(via("10.3.0.1", "eth3"), 3),
            with(via("10.4.0.1", "eth4"), 4),
        ]
    );
    assert_eq!(
        addresses(&lab, "eth0"),
        ["198.51.100.10/24", "198.51.100.11/24"]
    );
    assert_eq!(addresses(&lab, "eth2"), ["10.2.0.10/24", "10.2.0.12/24"]);
    let rules = asked(&lab, "ip -j rule");
    let plain = json!({"priority": 32766, "table": "main"});
    assert_eq!(members(&rules, &["priority", "table"])[1], plain);
    assert_eq!(rules.as_array().unwrap().len(), 3);
    assert_eq!(
        asked(&lab, "nft -j list tables")["nftables"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // Forwarding is off everywhere, and no interface with a default route drops by the way back.
    let names = [
        "net.ipv4.ip_forward",
        "net.ipv6.conf.all.forwarding",
        "net.ipv4.conf.eth0.forwarding",
    ];
    assert_eq!(settings(&lab, &names), ["0", "0", "0"]);
    let names = [
        "net.ipv4.conf.eth0.rp_filter",
        "net.ipv4.conf.eth2.rp_filter",
        "net.ipv4.ip_nonlocal_bind",
    ];
    assert_eq!(settings(&lab, &names), ["2", "2", "0"]);
}

#[test]
fn article_2_what_transparent_sockets_need_in_both_families() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let bind = "    bind 198.51.100.10:80 name http\n";
    let more = "    bind 192.0.2.80:80 transparent\n    bind [2001:db8:80::80]:80 transparent\n";
    appliance.edit("haproxy.cfg", bind, &format!("{bind}{more}"));
    appliance.apply("transparent");
    for (family, dst) in [("-4", "default"), ("-6", "default")] {
        let rules = asked(&lab, &format!("ip -j {family} rule show priority 7600"));
        let names = ["priority", "src", "fwmark", "fwmask", "table"];
        let wanted = json!({"priority": 7600, "src": "all", "fwmark": "0x1", "fwmask": "0x1", "table": "100"});
        assert_eq!(members(&rules, &names), [wanted], "{family}");
        let routes = asked(&lab, &format!("ip -j {family} route show table 100"));
        let wanted = json!({"type": "local", "dst": dst, "dev": "lo", "protocol": "76"});
        assert_eq!(
            members(&routes, &["type", "dst", "dev", "protocol"]),
            [wanted],
            "{family}"
        );
    }
    let table = asked(&lab, "nft -j list table inet lanai");
    let items = table["nftables"].as_array().unwrap();
    let of_kind = |kind: &str| -> Vec<Value> {
        items
            .iter()
            .filter_map(|item| item.get(kind))
            .cloned()
            .collect()
    };
    let chain = |name: &str, hook: &str, priority: i32, policy: &str| json!({"name": name, "type": "filter", "hook": hook, "prio": priority, "policy": policy});
    assert_eq!(
        members(
            &json!(of_kind("chain")),
            &["name", "type", "hook", "prio", "policy"]
        ),
        [
            chain("forward", "forward", 0, "drop"),
            chain("divert", "prerouting", -150, "accept")
        ]
    );
    let rules = of_kind("rule");
    let last = rules
        .iter()
        .rfind(|rule| rule["chain"] == "divert")
        .unwrap();
    let text = last["expr"].to_string();
    for words in [
        r#"{"socket":{"key":"transparent"}}"#,
        r#"{"mangle":{"key":{"meta":{"key":"mark"}}"#,
        r#"{"accept":null}"#,
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    let names = [
        "net.ipv4.ip_forward",
        "net.ipv6.conf.all.forwarding",
        "net.ipv4.ip_nonlocal_bind",
        "net.ipv6.ip_nonlocal_bind",
    ];
    assert_eq!(settings(&lab, &names), ["1"; 4]);
}
