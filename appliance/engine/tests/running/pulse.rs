//! Signs of life, as a watchdog sees them.

use std::time::{Duration, Instant};

use lanai_engine::Pulse;

use crate::support::{Lab, TwoServers, get, until};

fn worker(lab: &Lab) -> Pulse {
    lab.engine.pulse().swap_remove(0)
}

#[test]
fn threads_are_named_and_numbered_as_the_system_does() {
    let (lab, _owner) = Lab::start();
    for pulse in until_begun(&lab) {
        let path = format!("/proc/self/task/{}/comm", pulse.thread);
        assert_eq!(std::fs::read_to_string(path).unwrap().trim(), pulse.name);
    }
}

fn until_begun(lab: &Lab) -> Vec<Pulse> {
    let mut pulses = Vec::new();
    until("all threads have begun", || {
        pulses = lab.engine.pulse();
        pulses.iter().all(|pulse| pulse.thread != 0)
    });
    assert_eq!(pulses.len(), 2);
    pulses
}

#[test]
fn threads_without_work_sleep_and_work_wakes_them() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    lab.ask("show version");
    until("all sleep", || lab.engine.pulse().iter().all(|p| p.asleep));
    let before = lab.engine.pulse();
    get(lab.port);
    until("the worker sleeps again", || worker(&lab).asleep);
    assert!(worker(&lab).turns > before[0].turns);
    lab.ask("show version");
    until("the service thread sleeps again", || {
        lab.engine.pulse()[1].asleep
    });
    assert!(lab.engine.pulse()[1].turns > before[1].turns);
}

#[test]
fn a_busy_loop_is_one_turn_for_as_long_as_it_lasts() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    let refused = lab.ask("debug dev loop 300");
    assert_eq!(
        refused,
        "This command is restricted to expert mode only.\n\n"
    );
    until("the worker sleeps", || worker(&lab).asleep);
    let begun = Instant::now();
    lab.ask("expert-mode on;debug dev loop 300");
    let mut stuck = worker(&lab);
    until("the worker is awake", || {
        stuck = worker(&lab);
        !stuck.asleep
    });
    let mut longest = Duration::ZERO;
    until("it goes on", || {
        let now = worker(&lab);
        let same = (now.turns, now.asleep) == (stuck.turns, stuck.asleep);
        if same {
            longest = begun.elapsed();
        } else if longest < Duration::from_millis(200) {
            // It was awake for another reason first.
            stuck = now;
            return false;
        }
        !same
    });
    assert!(longest >= Duration::from_millis(290), "{longest:?}");
    // The service thread was not held up, and the worker serves again.
    assert_eq!(lab.engine.pulse().len(), 2);
    get(lab.port);
}

#[test]
fn a_thread_with_much_to_do_moves() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    let (port, end) = (lab.port, Instant::now() + Duration::from_millis(500));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || {
                while Instant::now() < end {
                    get(port);
                }
            });
        }
        let (mut last, mut since) = (worker(&lab), Instant::now());
        while Instant::now() < end {
            let now = worker(&lab);
            if now.asleep || now.turns != last.turns {
                since = Instant::now();
            }
            last = now;
            assert!(since.elapsed() < Duration::from_millis(250), "{last:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    });
}
