//! What the Services text says of the box beside its links and routes.

use std::time::Duration;

use lanai_tests::{Appliance, Lab, until, within};

fn setting(lab: &Lab, name: &str) -> String {
    lab.sh("appliance", &format!("sysctl -n {name}"))
        .trim()
        .to_owned()
}

/// Adds a block to the Services text.
fn add(appliance: &Appliance<'_>, block: &str) {
    let text = appliance.read("services.cfg");
    appliance.write("services.cfg", &format!("{text}\n{block}"));
}

#[test]
fn kernel_settings_are_set_kept_over_a_restart_and_put_back() {
    let lab = Lab::new();
    let mut appliance = Appliance::running(&lab);
    let services = appliance.read("services.cfg");
    let before = ["net.ipv4.tcp_sack", "net.ipv4.conf.eth0.log_martians"].map(|name| {
        let value = setting(&lab, name);
        (name, value)
    });
    let machine = setting(&lab, "vm.swappiness");
    let lines = "service sysctl\n    net.ipv4.tcp_sack = 0\n    net.ipv4.conf.eth0.log_martians = 1\n    \
                 vm.swappiness = 7\n    net.ipv4.tcp_keepalive_time = 333\n";
    add(&appliance, lines);
    let plan = appliance.lanai(&["plan"]).ok();
    let line = services.lines().count() + 3;
    let step = format!(
        "set net.ipv4.tcp_sack to 0 (was {}): a line asks for it (services.cfg:{line})",
        before[0].1
    );
    assert!(plan.contains(&step), "{plan}");
    assert!(
        plan.contains("not managed here: vm.swappiness belongs to the whole machine"),
        "{plan}"
    );
    appliance.apply("settings");
    let now = || {
        ["tcp_sack", "conf.eth0.log_martians", "tcp_keepalive_time"]
            .map(|name| setting(&lab, &format!("net.ipv4.{name}")))
    };
    assert_eq!(now(), ["0", "1", "333"]);
    assert_eq!(setting(&lab, "vm.swappiness"), machine);
    let plan = appliance.lanai(&["plan"]).ok();
    assert!(plan.contains("no change"), "{plan}");

    // What others set meanwhile is set again by the next start.
    appliance.stop();
    lab.sh("appliance", "sysctl -w net.ipv4.tcp_sack=1");
    appliance.start();
    until("the setting", within(), || {
        (now() == ["0", "1", "333"]).then_some(())
    });

    appliance.write("services.cfg", &services);
    appliance.apply("no settings");
    for (name, value) in before {
        assert_eq!(setting(&lab, name), value, "{name}");
    }
    assert_eq!(setting(&lab, "net.ipv4.tcp_keepalive_time"), "7200");
}

#[test]
fn a_setting_that_is_none_is_refused_and_nothing_is_touched() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let line = appliance.read("services.cfg").lines().count() + 4;
    add(
        &appliance,
        "service sysctl\n    net.ipv4.tcp_sack = 0\n    net.ipv4.tcp_sakc = 0\n",
    );
    let refused = appliance.lanai(&["apply"]);
    assert_eq!(refused.code, 1, "{}", refused.text());
    let said = refused.text();
    assert!(
        said.contains("no setting net.ipv4.tcp_sakc")
            && said.contains(&format!("services.cfg:{line}")),
        "{said}"
    );
    assert_eq!(setting(&lab, "net.ipv4.tcp_sack"), "1");
    appliance.edit("services.cfg", "net.ipv4.tcp_sakc", "net.ipv4.ip_forward");
    let said = appliance.lanai(&["check"]).text();
    assert!(said.contains("is set by the appliance itself"), "{said}");
}

#[test]
fn what_belongs_to_the_machine_is_said_not_to_be_managed() {
    let lab = Lab::new();
    let appliance = Appliance::running(&lab);
    let machine = || {
        let files = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"];
        let files = files.map(|file| std::fs::read(file).unwrap_or_default());
        (std::fs::read("/proc/sys/kernel/hostname").unwrap(), files)
    };
    let before = machine();
    add(
        &appliance,
        "service system\n    hostname lb1\n    dns_servers 192.0.2.53\n\
         service ntpd\n    server 192.0.2.123\n\
         service syslogd\n    remote 192.0.2.14\n\
         service sshd\n    key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vYm9keSdzIGtleSwgb25seSBmb3IgdGVzdHMuLi4u ann\n",
    );
    let plan = appliance.lanai(&["plan"]).ok();
    for what in [
        "the host name",
        "the resolver",
        "the clock",
        "the machine's own log",
        "sshd",
    ] {
        let note = format!("not managed here: {what} belongs to the whole machine");
        assert!(plan.contains(&note), "{plan}");
    }
    assert!(plan.contains("no change"), "{plan}");
    appliance.apply("not ours");
    assert!(machine() == before);
}

const LAYER7: &str = "
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend standby
    bind 198.51.100.77:8080
    bind 2001:db8::77:8080
    default_backend none
backend none
";

#[test]
fn a_listener_starts_without_its_address_if_a_line_says_so() {
    let lab = Lab::new();
    let mut appliance = Appliance::running(&lab);
    appliance.write("haproxy.cfg", LAYER7);
    let refused = appliance.lanai(&["apply"]);
    assert_eq!(refused.code, 1);
    let said = refused.text();
    assert!(
        said.contains("198.51.100.77") && said.contains("'standby ADDRESS' of 'service haproxy'"),
        "{said}"
    );

    add(
        &appliance,
        "service haproxy\n    standby 198.51.100.77\n    standby [2001:db8::77]:8080\n",
    );
    let plan = appliance.lanai(&["plan"]).ok();
    for address in ["198.51.100.77", "2001:db8::77"] {
        assert!(
            plan.contains(&format!("no interface has {address} now")),
            "{plan}"
        );
    }
    appliance.apply("a standby");
    for restarted in [false, true] {
        if restarted {
            appliance.stop();
            appliance.start();
        }
        let listening = lab.sh("appliance", "ss -Htln");
        assert!(listening.contains("198.51.100.77:8080"), "{listening}");
        assert!(listening.contains("[2001:db8::77]:8080"), "{listening}");
        let status = |url: &str| lab.client("appliance").get(url).status;
        lab.sh(
            "appliance",
            "ip address add 198.51.100.77/32 dev eth0 && ip address add 2001:db8::77/128 dev eth0 nodad",
        );
        assert_eq!(status("http://198.51.100.77:8080/"), 503);
        assert_eq!(status("http://[2001:db8::77]:8080/"), 503);
        let plan = appliance.lanai(&["plan"]).ok();
        assert!(!plan.contains("no interface has"), "{plan}");
        lab.sh(
            "appliance",
            "ip address del 198.51.100.77/32 dev eth0; ip address del 2001:db8::77/128 dev eth0",
        );
    }
}

#[test]
fn the_web_ui_moves_and_the_old_place_answers_until_it_is_confirmed() {
    let lab = Lab::new();
    let mut appliance = Appliance::running(&lab);
    let old = lab.sh("appliance", "ss -Htln 'sport = :4444'");
    assert!(!old.is_empty());
    let at = |port: &str| {
        !lab.sh("appliance", &format!("ss -Htln 'sport = :{port}'"))
            .is_empty()
    };
    let answers = |place: &str| {
        let client = lab.client("appliance").with(&["-k"]);
        client.get(&format!("https://{place}/login")).status == 200
    };
    add(&appliance, "service wui\n    listen 169.254.44.2:4555\n");
    let connection = "SSH_CONNECTION=169.254.44.1 50000 169.254.44.2 4444";
    let plan = appliance.lanai_after(&["env", connection], &["plan"]).ok();
    let moved = "the web UI will not be at 169.254.44.2:4444 any more, which you are connected to, but at \
                 169.254.44.2:4555";
    assert!(plan.contains(moved), "{plan}");

    let said = appliance.lanai_after(&["env", connection], &["apply"]).ok();
    assert!(said.contains("is on trial"), "{said}");
    until("the new place", within(), || at("4555").then_some(()));
    assert!(answers("169.254.44.2:4555") && answers("169.254.44.2:4444"));
    appliance.lanai(&["confirm"]).ok();
    until("the old place to be left", within(), || {
        (!at("4444")).then_some(())
    });
    assert!(answers("169.254.44.2:4555"));

    // To the same port of one address, and back by the end of a trial.
    appliance.edit("services.cfg", "169.254.44.2:4555", "169.254.44.2:4556");
    appliance.lanai(&["apply", "--confirm-within", "10s"]).ok();
    until("the place on trial", within(), || at("4556").then_some(()));
    until("it to be left", Duration::from_secs(30), || {
        (!at("4556")).then_some(())
    });
    assert!(answers("169.254.44.2:4555"));

    // Everywhere, at the port where one address was; then a place that the box has not.
    appliance.edit("services.cfg", "169.254.44.2:4556", "[::]:4555");
    appliance.apply("everywhere");
    until("it everywhere", within(), || {
        lab.sh("appliance", "ss -Htln 'sport = :4555'")
            .contains("*:4555")
            .then_some(())
    });
    assert!(answers("169.254.44.2:4555") && answers("127.0.0.1:4555"));
    appliance.edit(
        "services.cfg",
        "    listen [::]:4555\n",
        "    listen 169.254.44.2\n",
    );
    appliance.apply("at the usual port");
    until("the usual port", within(), || at("4444").then_some(()));
    assert!(answers("169.254.44.2:4444"));
    appliance.stop();
    appliance.start();
    assert!(answers("169.254.44.2:4444"));
}
