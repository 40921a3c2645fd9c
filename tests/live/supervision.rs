//! The parent in bad times: it cannot start anything, it did not run for a while, it does not know
//! its children, or somebody holds its socket.

use std::time::{Duration, Instant};

use lanai_tests::{Lab, until, within};
use nix::sys::signal::Signal;

use crate::kills::{freeze, signal};
use crate::site::BOX;
use crate::stage::{CLIENTS, Size, Stage};

/// The parent as a number that signals take.
#[track_caller]
fn parent(stage: &mut Stage<'_>) -> i32 {
    i32::try_from(stage.appliance.daemon().id()).unwrap()
}

#[track_caller]
fn serves(stage: &Stage<'_>) {
    let answer = stage
        .lab
        .client(CLIENTS)
        .get(&format!("http://{BOX}/item/1"));
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Limits how many files a process may have open.
#[track_caller]
fn limit_files(lab: &Lab, pid: i32, soft: u32) {
    let limit = format!("--nofile={soft}:");
    lab.run("appliance", &["prlimit", "--pid", &pid.to_string(), &limit])
        .ok();
}

/// Whatever the kernel lacks at the death of a child, it is tried again until it works.
#[test]
fn a_child_that_cannot_be_started_is_started_as_soon_as_it_can() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let parent = parent(&mut stage);
    for (name, role) in [("lanai-engine", "engine"), ("lanai-control", "control")] {
        let child = stage.one(name);
        limit_files(&lab, parent, 8);
        signal(child, Signal::SIGKILL);
        let failed = format!("cannot start {role}");
        until("the parent to fail", within(), || {
            let log = stage.appliance.daemon().log();
            log.contains(&failed).then_some(())
        });
        limit_files(&lab, parent, 4096);
        until("another one", within(), || {
            let pids = stage.pids(name);
            (!pids.is_empty() && !pids.contains(&child)).then_some(())
        });
        stage.works_again();
        assert_eq!(stage.lasting_sockets(), sockets, "{name}");
        serves(&stage);
    }
}

/// Somebody sends what only the parent should, and clients are connected.
#[test]
fn an_engine_that_is_told_to_finish_by_a_stranger_is_replaced() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let load = stage.load(
        Size {
            rounds: 1,
            rate: 200,
        }
        .mix(20),
    );
    for stray in [Signal::SIGUSR1, Signal::SIGPWR] {
        let before = stage.pids("lanai-engine");
        let engine = *before.last().unwrap();
        signal(engine, stray);
        until("another engine", within(), || {
            let pids = stage.pids("lanai-engine");
            pids.iter().any(|pid| !before.contains(pid)).then_some(())
        });
        stage.works_again();
        assert_eq!(stage.lasting_sockets(), sockets);
        serves(&stage);
        assert!(
            stage.pids("lanai-engine").contains(&engine),
            "tunnels go on"
        );
    }
    let report = load.finish();
    println!("{report}");
    report.nothing_dropped();
}

/// Longer than an engine may be silent.
const STANDSTILL: Duration = Duration::from_secs(5);

/// What the parent did not hear while it did not run itself is held against nobody.
#[test]
fn a_parent_that_stood_still_takes_nobody_for_stuck() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let parent = parent(&mut stage);
    let (engine, control) = (stage.engine(), stage.one("lanai-control"));
    for still in [&[parent][..], &[parent, engine, control], &[parent]] {
        let since = Instant::now();
        for pid in still {
            freeze(*pid);
        }
        std::thread::sleep(STANDSTILL.saturating_sub(since.elapsed()));
        for pid in still {
            signal(*pid, Signal::SIGCONT);
        }
        // Control asks the parent, which has looked at its children by then.
        stage.works_again();
        serves(&stage);
        assert_eq!(stage.engine(), engine, "{still:?} stood still");
        assert_eq!(stage.one("lanai-control"), control, "{still:?} stood still");
        let log = stage.appliance.daemon().log();
        assert!(!log.contains("gives no sign of life"), "{still:?}: {log}");
    }
    // One that really is stuck is still found.
    freeze(engine);
    until("another engine", STANDSTILL * 2, || {
        let pids = stage.pids("lanai-engine");
        (!pids.is_empty() && !pids.contains(&engine)).then_some(())
    });
    serves(&stage);
}

/// A full run directory, or a death at the wrong moment: the next parent does not know whom to
/// expect, and its children come all the same.
#[test]
fn a_child_that_nobody_noted_is_adopted() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let (engine, control) = (stage.engine(), stage.one("lanai-control"));
    let sockets = stage.lasting_sockets();
    let run = stage.appliance.run_directory();
    for name in ["engine.pid", "control.pid"] {
        std::fs::remove_file(run.join(name)).unwrap();
    }
    stage.appliance.kill();
    stage.appliance.start();
    stage.works_again();
    assert_eq!(stage.engine(), engine);
    assert_eq!(stage.one("lanai-control"), control);
    assert_eq!(stage.lasting_sockets(), sockets);
    // They are noted now.
    for (name, pid) in [("engine.pid", engine), ("control.pid", control)] {
        let note = std::fs::read_to_string(run.join(name)).unwrap();
        assert!(note.starts_with(&format!("{pid} ")), "{name}: {note}");
    }
    // Nobody comes where nobody is left, and that is not waited for long.
    for (name, pid) in [("engine.pid", engine), ("control.pid", control)] {
        std::fs::remove_file(run.join(name)).unwrap();
        signal(pid, Signal::SIGSTOP);
    }
    stage.appliance.kill();
    for pid in [engine, control] {
        signal(pid, Signal::SIGKILL);
    }
    stage.appliance.start();
    stage.works_again();
    serves(&stage);
}

/// Opens connections and says nothing, as the user the engine runs as.
const SILENT: &str = "
import os, socket, sys, time
os.setgid(61002); os.setuid(61002)
held = []
for _ in range(40):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)
print('held', flush=True)
time.sleep(600)
";

#[test]
fn silent_visitors_keep_nobody_from_the_parent() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let socket = stage.appliance.run_directory().join("parent.sock");
    let silent = lab.start(
        "appliance",
        &["python3", "-c", SILENT, socket.to_str().unwrap()],
    );
    until("their connections", within(), || {
        silent.log().contains("held").then_some(())
    });
    for name in ["lanai-engine", "lanai-control"] {
        let child = stage.one(name);
        signal(child, Signal::SIGKILL);
        until("another one", within(), || {
            let pids = stage.pids(name);
            (!pids.is_empty() && !pids.contains(&child)).then_some(())
        });
        stage.works_again();
        serves(&stage);
    }
    stage.appliance.apply("with an audience");
}
