//! HAProxy in Lanai's place: its own reload beside ours, and what a restart without a hand-over does.

use std::time::{Duration, Instant};

use lanai_tests::{Lab, Process, until, within};
use nix::sys::signal::Signal;

use crate::load::{Cause, Kind};
use crate::stage::{Size, Stage};

/// Debian's HAProxy with a master, as its service runs it.
struct Haproxy {
    master: Process,
}

impl Haproxy {
    #[track_caller]
    fn start(stage: &Stage<'_>) -> Haproxy {
        write(stage);
        let config = stage.appliance.config();
        let argv = [
            "haproxy",
            "-W",
            "-C",
            config.to_str().unwrap(),
            "-f",
            "haproxy.cfg",
        ];
        let master = stage.lab.start("appliance", &argv);
        stage.lab.listening("appliance", 443);
        Haproxy { master }
    }

    /// Workers, the old ones among them.
    fn workers(&self) -> Vec<i32> {
        let master = self.master.id();
        let children = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
        let children = children.unwrap_or_default();
        let pids = children.split_whitespace();
        pids.map(|pid| pid.parse().unwrap()).collect()
    }
}

/// The new worker asks the old one for its listening sockets, as HAProxy's manual recommends.
#[track_caller]
fn write(stage: &Stage<'_>) {
    let socket = stage.lab.dir().join("haproxy.sock");
    let global = format!(
        "    stats socket {} mode 600 level admin expose-fd listeners\n",
        socket.display()
    );
    stage
        .appliance
        .write("haproxy.cfg", &stage.site.text(&global));
}

/// Only reported: whose figures are better is for the reader.
#[test]
fn haproxy_reloads_under_the_same_load() {
    let size = Size::or(6);
    let lab = Lab::new();
    let mut stage = Stage::bare(&lab);
    let haproxy = Haproxy::start(&stage);
    let load = stage.load(size.mix(size.rounds * 2));
    let mut due = Instant::now();
    let mut most = 0;
    for round in 0..size.rounds {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due = (due + Duration::from_secs(1)).max(Instant::now());
        stage.site.change(round);
        write(&stage);
        let before = haproxy.workers();
        haproxy.master.signal(Signal::SIGUSR2);
        until("a new worker of HAProxy", within(), || {
            let now = haproxy.workers();
            now.iter().any(|pid| !before.contains(pid)).then_some(())
        });
        most = most.max(haproxy.workers().len());
    }
    let report = load.finish();
    println!(
        "{} reloads of HAProxy (SIGUSR2 to its master), at most {most} workers at a time\n{report}{}",
        size.rounds,
        report.first_failures()
    );
    assert!(report.of(Kind::Kept).done > 0);
}

/// The control: a harness that never sees a failure shows nothing.
#[test]
fn a_restart_without_a_hand_over_is_seen() {
    let lab = Lab::new();
    let stage = Stage::bare(&lab);
    let haproxy = Haproxy::start(&stage);
    let mix = Size {
        rounds: 1,
        rate: 500,
    }
    .mix(5);
    let load = stage.load(mix);
    drop(haproxy);
    until("refused connections", within(), || {
        (load
            .ledger
            .report()
            .of(Kind::Fresh)
            .failed_by(Cause::Refused)
            > 0)
        .then_some(())
    });
    let _haproxy = Haproxy::start(&stage);
    let from = load.ledger.look_out();
    load.served_again(from, within());
    let report = load.finish();
    println!("{report}{}", report.first_failures());
    // Every tunnel and every TCP connection was lost, and the download.
    for (kind, least) in [
        (Kind::Tunnel, mix.tunnels.connections),
        (Kind::Echo, mix.echoes.connections),
        (Kind::Download, 1),
        (Kind::Fresh, 1),
    ] {
        assert!(
            report.of(kind).failures() >= u64::from(least),
            "{kind:?}: {report}"
        );
    }
    assert!(
        report
            .failures
            .iter()
            .all(|failure| failure.cause != Cause::Wrong),
        "{report}"
    );
}
