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

/// Everything that the six steps know of, at once.
#[test]
fn a_full_configuration_is_told_step_by_step() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let bind = "    bind 198.51.100.10:80 name http\n";
    let more = "    bind 192.0.2.80:80 transparent\n    bind [2001:db8:80::80]:80 transparent\n";
    appliance.edit("haproxy.cfg", bind, &format!("{bind}{more}"));
    appliance.edit(
        "haproxy.cfg",
        "    balance roundrobin\n",
        "    balance roundrobin\n    source 10.3.0.10 usesrc clientip\n",
    );
    appliance.edit(
        "services.cfg",
        "service network eth0\n",
        "service network eth0\n    ip address fd00:98::10/64\n    ip route default fd00:98::1\n",
    );
    let services = appliance.read("services.cfg");
    let more = "service wui\n    allow 169.254.44.0/30\nservice firewall\n    allow tcp port 22\n\
                service sysctl\n    net.ipv4.tcp_sack = 0\n    vm.swappiness = 7\n";
    appliance.write("services.cfg", &format!("{services}\n{more}"));
    appliance.apply("everything");
    let findings = || -> Vec<serde_json::Value> {
        let text = appliance.lanai(&["doctor", "--json"]).ok();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["findings"].as_array().unwrap().clone()
    };
    // What the kernel does for these rules it can do, whether its configuration can be read or not.
    let all = findings();
    let not_good = |all: &[serde_json::Value]| -> Vec<String> {
        let some = all.iter().filter(|it| it["health"] != "good");
        some.map(|it| it["found"].as_str().unwrap().to_owned())
            .collect()
    };
    let left = not_good(&all);
    assert!(
        matches!(left.as_slice(), [one] if one.contains("vm.swappiness belongs to the whole machine")),
        "{left:#?}"
    );
    let told = |words: &str| {
        let text = appliance.lanai(&["doctor"]).ok();
        assert!(text.contains(words), "{words} is not in\n{text}");
    };
    for words in [
        "CONFIG_NFT_SOCKET (packets of transparent sockets are found)",
        "CONFIG_NFT_CT (answers pass the filter)",
        "CONFIG_IPV6_MULTIPLE_TABLES",
        "a bind takes connections to [2001:db8:80::80]:80, whether the box has that address or not",
        "servers see another address than the box's",
    ] {
        told(words);
    }
    // Something else is on disk.
    appliance.edit("services.cfg", "vm.swappiness = 7", "vm.swappiness = 8");
    assert_eq!(not_good(&findings()).len(), 2);
    told("the files on disk are not what is running");
}
