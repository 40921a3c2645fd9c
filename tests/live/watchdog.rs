//! An engine that lives and does not work is replaced.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use lanai_tests::{Lab, until};
use nix::sys::signal::Signal;

use crate::kills::signal;
use crate::site::BOX;
use crate::stage::{CLIENTS, Stage};

/// An engine that shows no sign of life.
const SILENT: Duration = Duration::from_secs(10);
/// A thread of it that does not come back from what it does.
const STUCK: Duration = Duration::from_secs(5);

#[test]
fn an_engine_that_stands_still_is_replaced() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let engine = stage.engine();
    let since = Instant::now();
    signal(engine, Signal::SIGSTOP);
    replaced(&stage, engine, SILENT);
    println!(
        "an engine that stands still was replaced after {:.1?}",
        since.elapsed()
    );
    serves(&stage, "after it stood still");
    assert_eq!(stage.lasting_sockets(), sockets);
    assert!(stage.appliance.daemon().alive());
}

#[test]
fn a_worker_that_never_comes_back_is_shown_and_replaced() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    // The engine makes its socket itself, with its own rights.
    let directory = lab.fresh("api");
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).unwrap();
    let socket = directory.join("stats.sock");
    let global = format!(
        "    stats socket {} mode 666 level admin\n",
        socket.display()
    );
    stage
        .appliance
        .write("haproxy.cfg", &stage.site.text(&global));
    stage.appliance.apply("a runtime API");
    let sockets = stage.lasting_sockets();
    let engine = stage.engine();
    let command = format!(
        "echo 'expert-mode on; debug dev loop 20000' | socat -T 1 - UNIX-CONNECT:{}",
        socket.display()
    );
    let since = Instant::now();
    // Whether it is answered is of no interest: whoever would is busy, or gone.
    lab.run("appliance", &["sh", "-c", &command]);
    replaced(&stage, engine, STUCK);
    println!(
        "an engine with a stuck worker was replaced after {:.1?}",
        since.elapsed()
    );
    serves(&stage, "after a worker was stuck");
    assert_eq!(stage.lasting_sockets(), sockets);
    let log = stage.appliance.daemon().log();
    assert!(
        log.contains("thread worker-") && log.contains("is stuck"),
        "{log}"
    );
    let stacks: Vec<&str> = log.split("stack of thread ").skip(1).collect();
    for thread in ["main", "worker-", "service"] {
        let stack = stacks.iter().find(|stack| stack.starts_with(thread));
        let stack = stack.unwrap_or_else(|| panic!("no stack of {thread}:\n{log}"));
        // Frames have names, ours among them.
        assert!(stack.contains("lanai"), "{thread}: {stack}");
    }
    let worker = stacks.iter().find(|stack| stack.starts_with("worker-0"));
    assert!(
        worker.is_some_and(|stack| stack.contains("spin")),
        "what kept the worker busy is not in its stack:\n{log}"
    );
}

#[track_caller]
fn replaced(stage: &Stage<'_>, engine: i32, limit: Duration) {
    until("another engine in its place", limit, || {
        let pids = stage.pids("lanai-engine");
        (!pids.is_empty() && !pids.contains(&engine)).then_some(())
    });
}

#[track_caller]
fn serves(stage: &Stage<'_>, when: &str) {
    let answer = stage
        .lab
        .client(CLIENTS)
        .get(&format!("http://{BOX}/item/1"));
    assert_eq!(answer.status, 200, "{when}: {answer:?}");
}
