//! A change on trial: confirmed, or taken back whatever dies meanwhile.

use std::time::Duration;

use lanai_tests::{Appliance, Lab, until, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::expect::WWW;

const MOVED: &str = "http://198.51.100.10:8080/";

/// Puts www on port 8080, and changes a route, for `time`.
fn put_on_trial(appliance: &Appliance<'_>, time: &str) {
    appliance.edit(
        "haproxy.cfg",
        "bind 198.51.100.10:80 name http",
        "bind 198.51.100.10:8080 name http",
    );
    appliance.edit("services.cfg", "10.4.0.1 metric 4", "10.4.0.1 metric 40");
    let said = appliance
        .lanai(&["apply", "--comment", "moves", "--confirm-within", time])
        .ok();
    assert!(said.contains("on trial"), "{said}");
}

fn answers(lab: &Lab, url: &str) -> bool {
    lab.client("internet").patience(2).get(url).status == 200
}

fn state_of_newest(appliance: &Appliance<'_>) -> String {
    let text = appliance.lanai(&["revisions", "--json", "-n", "1"]).ok();
    let newest: serde_json::Value = serde_json::from_str(&text).unwrap();
    newest.to_string()
}

fn child(appliance: &Appliance<'_>, name: &str) -> i32 {
    let file = appliance.run_directory().join(format!("{name}.pid"));
    let text = std::fs::read_to_string(file).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_confirmed_change_stays() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::running(&lab);
    put_on_trial(&appliance, "60s");
    assert!(answers(&lab, MOVED));
    let refused = appliance.lanai(&["apply"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.text().contains("lanai confirm"), "{refused:?}");
    appliance.lanai(&["confirm"]).ok();
    assert!(appliance.lanai(&["status"]).ok().contains("is live"));
    // What was confirmed is what a restart comes back with.
    assert_eq!(appliance.stop(), 0);
    appliance.start();
    assert!(answers(&lab, MOVED));
    assert!(!appliance.run_directory().join("trial.json").exists());
}

#[test]
fn a_change_that_nobody_confirms_goes_back() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let before = appliance.kernel_state();
    put_on_trial(&appliance, "10s");
    assert!(answers(&lab, MOVED));
    assert!(!answers(&lab, WWW));
    until("www to come back", Duration::from_secs(20), || {
        answers(&lab, WWW).then_some(())
    });
    until("the history to say so", within(), || {
        state_of_newest(&appliance)
            .contains("not confirmed")
            .then_some(())
    });
    assert!(!answers(&lab, MOVED));
    assert_eq!(appliance.kernel_state(), before);
}

#[test]
fn a_change_goes_back_without_the_control_process() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    put_on_trial(&appliance, "10s");
    // A process that does nothing at all, so that nobody starts another one in its place.
    let control = Pid::from_raw(child(&appliance, "control"));
    kill(control, Signal::SIGSTOP).unwrap();
    until("www to come back", Duration::from_secs(20), || {
        answers(&lab, WWW).then_some(())
    });
    let routes = lab.sh("appliance", "ip route show default");
    assert!(routes.contains("metric 4 "), "{routes}");
    kill(control, Signal::SIGCONT).unwrap();
    until("the history to say so", within(), || {
        state_of_newest(&appliance)
            .contains("not confirmed")
            .then_some(())
    });
}

#[test]
fn the_time_goes_on_whoever_dies() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::running(&lab);
    put_on_trial(&appliance, "20s");
    for name in ["control", "engine"] {
        let pid = child(&appliance, name);
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        until("another one", within(), || {
            (child(&appliance, name) != pid).then_some(())
        });
        // Neither of them brings the previous configuration before the time is over.
        until("the change on trial", within(), || {
            answers(&lab, MOVED).then_some(())
        });
    }
    appliance.kill();
    appliance.start();
    assert!(answers(&lab, MOVED));
    let status = appliance.lanai(&["status"]).ok();
    assert!(status.contains("on trial"), "{status}");
    until("www to come back", Duration::from_secs(30), || {
        answers(&lab, WWW).then_some(())
    });
}

#[test]
fn a_restart_of_the_box_comes_back_with_the_previous_revision() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let mut appliance = Appliance::running(&lab);
    put_on_trial(&appliance, "10m");
    // What a restart does: all processes end at once, and the run directory is empty.
    appliance.kill();
    for name in ["control", "engine"] {
        kill(Pid::from_raw(child(&appliance, name)), Signal::SIGKILL).unwrap();
    }
    std::fs::remove_dir_all(appliance.run_directory()).unwrap();
    appliance.start();
    assert!(answers(&lab, WWW));
    assert!(!answers(&lab, MOVED));
    let routes = lab.sh("appliance", "ip route show default");
    assert!(routes.contains("metric 4 "), "{routes}");
    assert!(state_of_newest(&appliance).contains("failed"));
}

#[test]
fn rollback_takes_a_change_on_trial_back_at_once() {
    let lab = Lab::new();
    let _servers = [lab.web_server("web1"), lab.web_server("web2")];
    let appliance = Appliance::running(&lab);
    let before = appliance.kernel_state();
    put_on_trial(&appliance, "10m");
    assert!(answers(&lab, MOVED));
    appliance.lanai(&["rollback"]).ok();
    assert!(answers(&lab, WWW));
    assert_eq!(appliance.kernel_state(), before);
    // Another change may begin.
    appliance.apply("the same, for good");
    assert!(answers(&lab, MOVED));
}
