//! `kill -9` of each of the three processes under load, again and again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use lanai_tests::{Lab, until, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::load::{Kind, Load};
use crate::namespace;
use crate::site::{BOX, Change};
use crate::stage::{CLIENTS, DESK, Size, Stage, quiet};

/// From the engine's death to the first answer of the next one.
const SERVES_AGAIN: Duration = Duration::from_millis(500);
/// Until what is not traffic works again.
const WORKS_AGAIN: Duration = Duration::from_secs(5);
/// Between two kills: every kind of client is at work again.
const EVERY: Duration = Duration::from_secs(1);
/// Connections that wait in the listening socket's queue when the engine dies.
const QUEUED: usize = 20;

#[test]
fn an_engine_that_is_killed_is_replaced() {
    let size = Size::or(4);
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let load = stage.load(size.mix(size.rounds * 2));
    let mut kills = Vec::new();
    let mut away = Vec::new();
    for round in 0..size.rounds {
        let end = Instant::now() + EVERY;
        let engine = stage.engine();
        // Every second time it stands still first, so that connections certainly queue up.
        let queued = (round % 2 == 1).then(|| {
            freeze(engine);
            (Instant::now(), queue(&lab))
        });
        let killed = load.ledger.look_out();
        signal(engine, Signal::SIGKILL);
        away.push(load.served_again(killed, within()));
        let last_accepted = queued.as_ref().map_or(killed, |(frozen, _)| *frozen);
        kills.push((last_accepted, killed));
        if let Some((_, queued)) = queued {
            let answers = queued.join().unwrap();
            let served = answers
                .iter()
                .filter(|answer| answer.contains(" 200 "))
                .count();
            assert_eq!(
                served, QUEUED,
                "round {round}: queued connections: {answers:?}"
            );
        }
        assert_eq!(stage.lasting_sockets(), sockets, "round {round}");
        assert_ne!(stage.engine(), engine, "round {round}");
        all_at_work(&load, end);
    }
    let report = load.finish();
    println!(
        "{} kills of the engine; until the first answer {}\n{report}",
        size.rounds,
        spread(&mut away)
    );
    // Only what was open at a kill may be lost, and one connection is lost once.
    for failure in &report.failures {
        let open = kills.iter().any(|(last_accepted, killed)| {
            failure.begun <= *last_accepted && *killed <= failure.at
        });
        let words = report.first_failures();
        assert!(open, "{failure:?} was not open at a kill\n{report}{words}");
    }
    let longest = away.iter().max().unwrap();
    assert!(*longest <= SERVES_AGAIN, "{longest:?}\n{report}");
}

#[test]
fn a_control_process_that_is_killed_is_missed_by_no_client() {
    let size = Size::or(3);
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let (engine, sockets) = (stage.engine(), stage.lasting_sockets());
    let load = stage.load(size.mix(size.rounds * 3));
    let mut away = Vec::new();
    for round in 0..size.rounds {
        let control = stage.one("lanai-control");
        let killed = Instant::now();
        signal(control, Signal::SIGKILL);
        until("another control process", WORKS_AGAIN, || {
            let pids = stage.pids("lanai-control");
            (!pids.is_empty() && !pids.contains(&control)).then_some(())
        });
        stage.works_again();
        away.push(killed.elapsed());
        let longest = away.last().unwrap();
        assert!(*longest <= WORKS_AGAIN, "round {round}: {longest:?}");
        assert_eq!(stage.engine(), engine, "round {round}");
        assert_eq!(stage.lasting_sockets(), sockets, "round {round}");
        std::thread::sleep((killed + EVERY).saturating_duration_since(Instant::now()));
    }
    stage.change_again();
    let report = load.finish();
    println!(
        "{} kills of the control process; until status and web UI answered {}\n{report}",
        size.rounds,
        spread(&mut away)
    );
    report.nothing_dropped();
}

#[test]
fn a_parent_that_is_killed_is_missed_by_no_client() {
    let size = Size::or(3);
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let (engine, control) = (stage.engine(), stage.one("lanai-control"));
    let sockets = stage.lasting_sockets();
    let load = stage.load(size.mix(size.rounds * 3));
    let mut away = Vec::new();
    for round in 0..size.rounds {
        let killed = Instant::now();
        stage.appliance.kill();
        // As an init would.
        stage.appliance.start();
        stage.works_again();
        away.push(killed.elapsed());
        assert_eq!(stage.engine(), engine, "round {round}: the engine");
        assert_eq!(
            stage.one("lanai-control"),
            control,
            "round {round}: control"
        );
        assert_eq!(stage.lasting_sockets(), sockets, "round {round}");
        if round % 10 == 0 {
            stage.change_again();
        }
        std::thread::sleep((killed + EVERY).saturating_duration_since(Instant::now()));
    }
    stage.change_again();
    let report = load.finish();
    println!(
        "{} kills of the parent; until a new one was ready {}\n{report}",
        size.rounds,
        spread(&mut away)
    );
    report.nothing_dropped();
    assert_eq!(stage.appliance.stop(), 0);
    for name in ["lanai-engine", "lanai-control"] {
        assert_eq!(stage.pids(name), [0; 0], "{name} outlives the service");
    }
}

/// A parent that dies takes nothing with it that a later death of the engine would need.
#[test]
fn an_engine_that_dies_after_its_parent_is_replaced() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let load = stage.load(
        Size {
            rounds: 1,
            rate: 200,
        }
        .mix(5),
    );
    stage.appliance.kill();
    stage.appliance.start();
    let engine = stage.engine();
    let killed = load.ledger.look_out();
    signal(engine, Signal::SIGKILL);
    let away = load.served_again(killed, within());
    assert!(away <= SERVES_AGAIN, "{away:?}");
    assert_eq!(stage.lasting_sockets(), sockets);
    let report = load.finish();
    for failure in &report.failures {
        assert!(
            failure.begun <= killed && killed <= failure.at,
            "{failure:?}\n{report}"
        );
    }
}

/// An engine that dies while nobody is there to start another: the listening sockets are lost with
/// the last process that held them, and the next parent starts from the files.
#[test]
fn a_service_that_was_killed_whole_starts_again() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let (engine, control) = (stage.engine(), stage.one("lanai-control"));
    stage.appliance.kill();
    signal(engine, Signal::SIGKILL);
    signal(control, Signal::SIGKILL);
    stage.appliance.start();
    stage.works_again();
    let answer = lab.client(CLIENTS).get(&format!("http://{BOX}/item/1"));
    assert_eq!(answer.status, 200, "{answer:?}");
}

impl Stage<'_> {
    /// `lanai status` and the web UI answer.
    #[track_caller]
    pub(crate) fn works_again(&self) {
        until("lanai status to work", WORKS_AGAIN, || {
            (self.appliance.lanai(&["status"]).code == 0).then_some(())
        });
        until("the web UI to answer", WORKS_AGAIN, || {
            let answer = self.lab.client(DESK).get("https://169.254.44.2:4444/login");
            (answer.status == 200).then_some(())
        });
    }

    /// A change works, and reaches the engine.
    #[track_caller]
    fn change_again(&mut self) {
        // Round 1 of six is a new weight each time.
        let change = self.site.change(1);
        self.appliance.write("haproxy.cfg", &self.site.text(""));
        self.appliance.apply("after a death");
        let Change::Weight(weight) = change else {
            panic!("{change:?}");
        };
        assert_eq!(self.server("s1").unwrap()["weight"], weight);
    }
}

/// Stops every thread of a process, and waits until each stands still.
#[track_caller]
pub(crate) fn freeze(pid: i32) {
    signal(pid, Signal::SIGSTOP);
    until("every thread to stand still", within(), || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let mut tasks = tasks.map(|task| task.unwrap().path());
        tasks.all(|task| stands(&task)).then_some(())
    });
}

fn stands(task: &Path) -> bool {
    let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
    // The name before it may contain anything, but no later parenthesis follows.
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('T'))
}

/// Opens connections with a request on each, which nobody accepts now; ends with the answers.
#[track_caller]
fn queue(lab: &Lab) -> std::thread::JoinHandle<Vec<String>> {
    let (queued, all) = std::sync::mpsc::channel();
    let to: SocketAddr = quiet().web;
    let waiting = namespace::thread(&lab.namespace(CLIENTS), move || {
        let open = |number| {
            let mut stream = TcpStream::connect(to).unwrap();
            stream.set_read_timeout(Some(within())).unwrap();
            let request =
                format!("GET /item/{number} HTTP/1.1\r\nHost: live\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            stream
        };
        let streams: Vec<TcpStream> = (0..QUEUED).map(open).collect();
        queued.send(()).unwrap();
        let read = |mut stream: TcpStream| {
            let mut answer = Vec::new();
            let read = stream.read_to_end(&mut answer);
            let head = String::from_utf8_lossy(&answer);
            let line = head.lines().next().unwrap_or_default();
            format!("{line} {} bytes {read:?}", answer.len())
        };
        streams.into_iter().map(read).collect()
    });
    all.recv().unwrap();
    waiting
}

/// Waits for `end`, and until every kind of client has got through since the last kill.
#[track_caller]
pub(crate) fn all_at_work(load: &Load, end: Instant) {
    let before = load.ledger.report();
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    until("every kind of client to be at work again", within(), || {
        let now = load.ledger.report();
        let kinds = [
            Kind::Kept,
            Kind::Fresh,
            Kind::Secure,
            Kind::Tunnel,
            Kind::Echo,
        ];
        kinds
            .iter()
            .all(|kind| now.of(*kind).done > before.of(*kind).done)
            .then_some(())
    });
}

#[track_caller]
pub(crate) fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    format!(
        "min {:.1?}, median {:.1?}, p90 {:.1?}, max {:.1?}",
        at(0),
        at(50),
        at(90),
        at(100)
    )
}
