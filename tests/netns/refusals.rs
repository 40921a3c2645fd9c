//! What is refused, and that nothing has changed then.

use lanai_tests::{Appliance, Lab, until, within};

use crate::expect;

#[test]
fn ten_mistakes_are_reported_at_once() {
    let lab = Lab::new();
    let appliance = Appliance::example(&lab);
    appliance.write(
        "services.cfg",
        "service network eth0\n    ip address 198.51.100.300/24\n    ip route default 198.51.100.1\n    \
         ip root default 198.51.100.1\nservice netwrok eth1\n    ip address 172.16.1.10/24\n",
    );
    appliance.write(
        "haproxy.cfg",
        "global\n    maxconnn 10\ndefaults\n    mode htp\n    timeout client soon\n    timeout connect \
         1s\nfrontend ft\n    bind 198.51.100.10:99999\n    bind 198.51.100.10:80 interfase eth0\n    \
         default_backend nowhere\nbackend bk\n    balance rundrobin\n    server web1 10.3.0.11:80 \
         chek\n",
    );
    let refused = appliance.lanai(&["check"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    let text = refused.text();
    let mistakes = [
        ("services.cfg", 2),
        ("services.cfg", 4),
        ("services.cfg", 5),
        ("haproxy.cfg", 2),
        ("haproxy.cfg", 4),
        ("haproxy.cfg", 5),
        ("haproxy.cfg", 8),
        ("haproxy.cfg", 9),
        ("haproxy.cfg", 10),
        ("haproxy.cfg", 12),
        ("haproxy.cfg", 13),
    ];
    for (file, line) in mistakes {
        let place = format!("{file}:{line}:");
        let at = text.find(&place);
        let at = at.unwrap_or_else(|| panic!("nothing is said about {place}\n{text}"));
        let column = text[at + place.len()..].chars().next();
        assert!(
            column.is_some_and(|digit| digit.is_ascii_digit()),
            "no column after {place}\n{text}"
        );
    }
    assert!(text.contains("did you mean"), "{text}");
}

#[test]
fn two_default_routes_with_one_metric_are_refused_with_both_lines() {
    let lab = Lab::new();
    let appliance = Appliance::example(&lab);
    appliance.edit("services.cfg", "10.4.0.1 metric 4", "10.4.0.1 metric 3");
    let refused = appliance.lanai(&["check"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    let services = appliance.read("services.cfg");
    for wanted in ["10.3.0.1 metric 3", "10.4.0.1 metric 3"] {
        let line = 1 + services
            .lines()
            .position(|line| line.contains(wanted))
            .unwrap();
        let text = refused.text();
        assert!(
            text.contains(&format!("services.cfg:{line}")),
            "line {line} is not named:\n{text}"
        );
    }
}

#[test]
fn a_bind_on_an_interface_without_a_way_to_its_clients_is_warned_about() {
    let lab = Lab::new();
    let appliance = Appliance::example(&lab);
    let quiet = appliance.lanai(&["check"]);
    assert_eq!(quiet.code, 0, "{quiet:#?}");
    assert!(!quiet.text().contains("eth2"), "{quiet:#?}");

    appliance.edit(
        "services.cfg",
        "    ip   route   default 10.2.0.1 metric 2\n",
        "",
    );
    let warned = appliance.lanai(&["check"]);
    assert_eq!(warned.code, 0, "a warning refuses nothing: {warned:#?}");
    let haproxy = appliance.read("haproxy.cfg");
    let line = 1 + haproxy
        .lines()
        .position(|line| line.contains("interface eth2"))
        .unwrap();
    let text = warned.text();
    assert!(
        text.contains(&format!("haproxy.cfg:{line}")),
        "line {line} is not named:\n{text}"
    );
}

#[test]
fn a_refused_change_leaves_everything_as_it_was() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let before = Before::note(&appliance);

    appliance.edit("haproxy.cfg", "balance roundrobin", "balance roundrobbin");
    let refused = appliance.lanai(&["apply", "--comment", "broken"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.text().contains("did you mean"), "{refused:#?}");
    appliance.edit("haproxy.cfg", "balance roundrobbin", "balance roundrobin");
    before.still_holds(&appliance);
    expect::each_side_is_answered_by_its_own(&lab);
}

#[test]
fn a_change_that_fails_halfway_leaves_everything_as_it_was() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    // Somebody else has the port that the new bind wants: only binding can find out.
    let _squatter = lab.start(
        "appliance",
        &["socat", "TCP-LISTEN:8080,bind=10.3.0.10", "PIPE"],
    );
    lab.listening("appliance", 8080);
    let before = Before::note(&appliance);
    let (services, haproxy) = (
        appliance.read("services.cfg"),
        appliance.read("haproxy.cfg"),
    );

    // Beside the bind that fails: an address and a route that are added first.
    appliance.edit(
        "services.cfg",
        "    ip   address 10.3.0.10/24\n",
        "    ip   address 10.3.0.10/24\n    ip   address 10.3.0.77/24\n    \
         ip   route   192.0.2.0/24 10.3.0.1\n",
    );
    appliance.edit(
        "haproxy.cfg",
        "name http\n",
        "name http\n    bind 10.3.0.10:8080 name taken\n",
    );
    let failed = appliance.lanai(&["apply", "--comment", "the port is taken"]);
    assert_eq!(failed.code, 1, "{failed:#?}");
    assert!(
        failed.text().contains("10.3.0.10:8080"),
        "the bind is not named: {failed:#?}"
    );

    // An editor's files are the administrator's: they hold what was tried until they are put back.
    appliance.write("services.cfg", &services);
    appliance.write("haproxy.cfg", &haproxy);
    before.still_holds(&appliance);
    expect::each_side_is_answered_by_its_own(&lab);
    let history = appliance.lanai(&["revisions"]).ok();
    assert!(
        history.contains("the port is taken") && history.to_lowercase().contains("failed"),
        "{history}"
    );
}

/// Kernel state, files and listening sockets at one moment.
struct Before {
    kernel: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Before {
    fn note(appliance: &Appliance<'_>) -> Before {
        Before {
            kernel: appliance.kernel_state(),
            files: appliance.files(),
        }
    }

    #[track_caller]
    fn still_holds(&self, appliance: &Appliance<'_>) {
        // Sockets of closed listeners may take a moment to go.
        let mut seen = String::new();
        let same = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the kernel's state to be as before", within(), || {
                seen = appliance.kernel_state();
                (seen == self.kernel).then_some(())
            });
        }));
        let lines = |from: &str, other: &str| -> Vec<String> {
            let alone = from
                .lines()
                .filter(|line| !other.lines().any(|known| known == *line));
            alone.map(str::to_owned).collect()
        };
        let (gone, new) = (lines(&self.kernel, &seen), lines(&seen, &self.kernel));
        assert!(
            same.is_ok(),
            "the kernel's state: gone {gone:#?}, new {new:#?}"
        );
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        let files = appliance.files();
        assert_eq!(names(&files), names(&self.files));
        for ((name, now), (_, then)) in files.iter().zip(&self.files) {
            assert!(now == then, "{name} has changed");
        }
    }
}
