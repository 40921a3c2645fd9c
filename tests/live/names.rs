//! Servers by name, and other things that a new engine needs and that may be away when it comes: the
//! engine that is at work goes on, and one that found nothing is served as soon as it is there.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lanai_tests::{Lab, until, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::load::{Clients, Kind, Load, Mix};
use crate::site::{BOX, SERVERS};
use crate::stage::{CLIENTS, Stage, quiet};

/// A name that only this test's file of hosts has.
const NAME: &str = "origin.lanai.test";
/// An interface that is no part of the configuration: whoever made it by hand may remove it.
const LINK: &str = "hand0";

/// The daemon's own `/etc/hosts`, and a name server that refuses at once.
struct Hosts(PathBuf);

impl Hosts {
    fn new(lab: &Lab) -> Hosts {
        let hosts = Hosts(lab.fresh("hosts"));
        hosts.know(true);
        hosts
    }

    fn know(&self, name: bool) {
        let line = if name {
            format!("{SERVERS} {NAME}\n")
        } else {
            String::new()
        };
        // In place: the file is mounted.
        std::fs::write(&self.0, format!("127.0.0.1 localhost\n{line}")).unwrap();
    }

    /// Starts the daemon where this is the file of hosts: `ip netns exec` has mounts of its own.
    #[track_caller]
    fn start(&self, stage: &mut Stage<'_>) {
        let nobody = self.0.with_extension("resolv");
        std::fs::write(
            &nobody,
            "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        )
        .unwrap();
        let line = format!(
            "mount --bind {} /etc/hosts; mount --bind {} /etc/resolv.conf; exec \"$@\"",
            self.0.display(),
            nobody.display()
        );
        stage.appliance.start_after(&["sh", "-ec", &line, "sh"]);
    }
}

fn few() -> Mix {
    let clients = Clients {
        connections: 4,
        per_second: 100,
    };
    Mix {
        kept: clients,
        fresh: clients,
        ..quiet()
    }
}

/// The site with every server by its name.
fn by_name(stage: &Stage<'_>) -> String {
    let text = stage.site.text("");
    text.replace(&format!("{SERVERS}:"), &format!("{NAME}:"))
}

fn answers(stage: &Stage<'_>) -> bool {
    let url = format!("http://{BOX}/");
    let curl = ["curl", "-so", "/dev/null", "-m", "1", &url];
    stage.lab.run(CLIENTS, &curl).code == 0
}

fn strike(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

#[test]
fn names_that_are_away_are_missed_by_no_engine() {
    let lab = Lab::new();
    let mut stage = Stage::bare(&lab);
    let hosts = Hosts::new(&lab);
    stage.appliance.write("haproxy.cfg", &by_name(&stage));
    hosts.start(&mut stage);
    let load = stage.load(few());
    hosts.know(false);
    // Whatever becomes of the engine: a successor, another one after its death, each of them again.
    for _ in 0..2 {
        let engine = stage.engine();
        stage.appliance.lanai(&["upgrade"]).ok();
        until("the former engine to end", within(), || {
            (!stage.pids("lanai-engine").contains(&engine)).then_some(())
        });
        let killed = load.ledger.look_out();
        strike(stage.engine());
        let away = load.served_again(killed, within());
        assert!(away < Duration::from_millis(500), "{away:?}");
    }
    // A change of something else is not kept from taking effect either.
    let text = by_name(&stage).replace("timeout client 60s", "timeout client 59s");
    stage.appliance.write("haproxy.cfg", &text);
    stage.appliance.apply("while the name is away");
    let report = load.finish();
    println!("{report}");
    // A new name has to resolve.
    let text = text.replace(NAME, &format!("other.{NAME}"));
    stage.appliance.write("haproxy.cfg", &text);
    let refused = stage.appliance.lanai(&["apply"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("could not resolve"),
        "{}",
        refused.stderr
    );
    assert!(answers(&stage));
}

/// A name server that is silent keeps each name up for a second. Control waits for one minute, and
/// everybody else for control.
#[test]
fn many_names_of_a_silent_name_server_are_asked_for_at_once() {
    let lab = Lab::new();
    let mut stage = Stage::bare(&lab);
    let hosts = Hosts::new(&lab);
    stage.appliance.write("haproxy.cfg", &by_name(&stage));
    hosts.start(&mut stage);
    let mut silent = lab.start(
        "appliance",
        &["socat", "-u", "UDP-RECV:53", "OPEN:/dev/null"],
    );
    until("a name server", within(), || {
        let sockets = lab.sh("appliance", "ss -Hlnu sport = :53");
        (!sockets.is_empty()).then_some(())
    });
    let line = |n| format!("    server s{n} away{n}.{NAME}:80\n");
    let lines: String = (0..200).map(line).collect();
    let text = by_name(&stage) + &format!("\nbackend away\n{lines}");
    stage.appliance.write("haproxy.cfg", &text);
    let asked = Instant::now();
    let refused = stage.appliance.lanai(&["apply"]);
    let took = asked.elapsed();
    println!("200 names of a silent name server: {took:.1?}");
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    for n in [0, 199] {
        let what = format!("could not resolve address 'away{n}.{NAME}'");
        assert!(refused.stderr.contains(&what), "{}", refused.stderr);
    }
    assert!(
        took > Duration::from_secs(1),
        "it was asked, and silent: {took:.1?}"
    );
    assert!(took < Duration::from_secs(40), "{took:.1?}");
    assert!(silent.alive());
    assert!(answers(&stage));
}

#[test]
fn an_engine_that_finds_nothing_at_its_start_serves_as_soon_as_it_is_there() {
    let lab = Lab::new();
    let mut stage = Stage::bare(&lab);
    let hosts = Hosts::new(&lab);
    hosts.know(false);
    stage.appliance.write("haproxy.cfg", &by_name(&stage));
    hosts.start(&mut stage);
    assert!(!answers(&stage));
    let notices = stage.appliance.lanai(&["status"]).ok();
    assert!(notices.contains("could not resolve"), "{notices}");
    hosts.know(true);
    until("an answer", Duration::from_secs(10), || {
        answers(&stage).then_some(())
    });
    let notices = stage.appliance.lanai(&["status"]).ok();
    assert!(!notices.contains("could not resolve"), "{notices}");
}

/// What keeps a successor from serving is its own matter, whatever it is.
#[test]
fn an_engine_at_work_goes_on_if_its_successor_cannot_serve() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let add = format!("ip link add {LINK} type veth peer name {LINK}-end");
    lab.sh("appliance", &add);
    // Of a backend that nobody asks: the others must not go down.
    let spare = "server s1 10.3.0.1:80 source 0.0.0.0 interface";
    let text = stage.site.text("") + &format!("\nbackend spare\n    {spare} {LINK}\n");
    stage.appliance.write("haproxy.cfg", &text);
    stage
        .appliance
        .apply("over an interface that somebody made by hand");
    let engine = stage.engine();
    lab.sh("appliance", &format!("ip link delete {LINK}"));
    let load = Load::start(&lab.namespace(CLIENTS), few());
    let upgrade = stage.appliance.lanai(&["upgrade"]);
    assert_eq!(upgrade.code, 1, "{}", upgrade.stderr);
    for word in ["the former engine goes on", LINK] {
        assert!(upgrade.stderr.contains(word), "{}", upgrade.stderr);
    }
    assert_eq!(stage.engine(), engine, "the successor is gone");
    assert_eq!(stage.lasting_sockets().len(), 3);
    let report = load.finish();
    println!("{report}");
    assert!(report.of(Kind::Fresh).done > 0, "{report}");
    // Its death is another thing: then it is tried until it works.
    strike(engine);
    until("another engine", within(), || {
        let pids = stage.pids("lanai-engine");
        (!pids.is_empty() && !pids.contains(&engine)).then_some(())
    });
    lab.sh("appliance", &add);
    until("an answer", Duration::from_secs(10), || {
        answers(&stage).then_some(())
    });
}
