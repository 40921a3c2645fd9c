//! Configuration changes that no client notices.

use std::time::{Duration, Instant};

use lanai_tests::{Lab, until, within};

use crate::load::Kind;
use crate::origin;
use crate::site::{BOX, Change, Site};
use crate::stage::{CLIENTS, Size, Stage};

/// One change a second.
const EVERY: Duration = Duration::from_secs(1);

#[test]
fn changes_are_noticed_by_nobody() {
    let size = Size::or(6);
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let (engine, sockets) = (stage.engine(), stage.lasting_sockets());
    let parent = i32::try_from(stage.appliance.daemon().id()).unwrap();
    let held = held(&stage, parent);
    let load = stage.load(size.mix(size.rounds * 2));
    let mut counted = stage.counted();
    let mut slowest = Duration::ZERO;
    let mut due = Instant::now();
    for round in 0..size.rounds {
        // A change in time is what the clients are under; a sleep is the rhythm, no wait for it.
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due = (due + EVERY).max(Instant::now());
        let begun = Instant::now();
        change(&mut stage, round);
        slowest = slowest.max(begun.elapsed());
        let now = stage.counted();
        assert!(
            now > counted,
            "round {round}: {counted} requests, then {now}"
        );
        counted = now;
        assert_eq!(stage.lasting_sockets(), sockets, "round {round}");
        assert_eq!(stage.engine(), engine, "round {round}");
    }
    let report = load.finish();
    println!(
        "{} changes with `lanai apply`, the slowest seen through after {slowest:.1?}; the engine's memory: {}\n{report}",
        size.rounds,
        memory(engine)
    );
    report.nothing_dropped();
    let total = stage.counted();
    let served =
        [Kind::Kept, Kind::Fresh, Kind::Secure, Kind::Download].map(|kind| report.of(kind).done);
    let served: u64 = served.iter().sum();
    assert!(total >= served, "{served} requests served, {total} counted");
    // No tunnel and no download had to begin again, and nobody was sent away politely either.
    assert_eq!(
        report.of(Kind::Kept).closed,
        0,
        "kept connections were closed\n{report}"
    );
    // What was added is taken away: nothing is held for binds that are no more.
    stage.appliance.write("haproxy.cfg", &Site::new().text(""));
    stage.appliance.apply("as in the beginning");
    until(
        &format!("the parent to hold what it held, {held:?}"),
        within(),
        || (self::held(&stage, parent) == held).then_some(()),
    );
}

/// Applies the change of a round and waits until it can be seen from outside.
#[track_caller]
fn change(stage: &mut Stage<'_>, round: u32) {
    let change = stage.site.change(round);
    let certificate = (change == Change::Certificate).then(|| stage.new_certificate());
    stage.appliance.write("haproxy.cfg", &stage.site.text(""));
    let before = stage.origin.requests(origin::WEB[2]);
    stage.appliance.apply(&format!("round {round}"));
    let listens = |port: u16| stage.sockets().contains_key(&format!("{BOX}:{port}"));
    match change {
        Change::Server(true) => until("requests to the new server", within(), || {
            (stage.origin.requests(origin::WEB[2]) > before).then_some(())
        }),
        // Requests that had chosen it before may still arrive; the server is gone from the table.
        Change::Server(false) => assert_eq!(stage.server("s3"), None, "round {round}"),
        Change::Weight(weight) => {
            assert_eq!(
                stage.server("s1").unwrap()["weight"],
                weight,
                "round {round}"
            );
        }
        // Nothing shows a timeout but the time it takes; that it applied is all there is to see.
        Change::Timeout(_) => {}
        Change::Bind(port, there) | Change::Frontend(port, there) => {
            assert_eq!(listens(port), there, "round {round}: port {port}");
            if there {
                let url = format!("http://{BOX}:{port}/item/{round}");
                assert_eq!(stage.lab.client(CLIENTS).get(&url).status, 200, "{url}");
            }
        }
        Change::Certificate => {
            assert_eq!(
                Some(stage.shown_certificate()),
                certificate,
                "round {round}"
            );
        }
    }
}

/// The sockets of the box's binds that a process holds, one for each descriptor.
fn held(stage: &Stage<'_>, pid: i32) -> Vec<String> {
    let sockets = stage.sockets();
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let links: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.to_owned()))
        .collect();
    let of = |inode: &String| {
        let link = format!("socket:[{inode}]");
        links.iter().filter(|seen| **seen == link).count()
    };
    // The web UI's is handed to the parent only after it was opened.
    let binds = sockets
        .iter()
        .filter(|(address, _)| address.starts_with(BOX));
    binds
        .flat_map(|(address, inode)| std::iter::repeat_n(address.clone(), of(inode)))
        .collect()
}

fn memory(pid: i32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or_default().trim().to_owned()
}
