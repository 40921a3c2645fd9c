//! SIGKILL of each of the three processes at every system call of the way back from a change that
//! nobody confirms. The shortest time to confirm is ten seconds, so several appliances wait at once, and
//! `scripts/crash` tries every eighth call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lanai_tests::until;

use crate::change::{Change, Side};
use crate::deaths::Tally;
use crate::rig::{CONTROL, ENGINE, PARENT, Site};
use crate::setting;
use crate::tracer::{Call, Trace, Verdict};
use crate::trials::idles;

/// Appliances that wait at the same time.
const AT_ONCE: usize = 12;
/// Where `scripts/crash` tries every call of the others.
const LONG: usize = 8;
/// Until the end of a trial, with whatever a death costs.
const LIMIT: Duration = Duration::from_secs(40);

/// Lets a trial run out. With a number the process dies at that call after the answer to the apply. Gives
/// the kind of the call at which it died, and how many there were.
#[track_caller]
fn expire(
    change: &Change<'_>,
    victim: &str,
    point: usize,
    edited: bool,
    what: &str,
) -> (Option<i64>, usize) {
    let mut rig = change.again("point");
    rig.start();
    if edited {
        change.edit(&rig);
    }
    let asked = rig.apply_with(&change.draft, &["--confirm-within", "10s"]);
    assert_eq!(asked.code, 0, "{what}: {asked:?}");
    let (tell, told) = channel();
    let mut number = 0;
    let trace = Trace::process(rig.process(victim), move |call: &Call| {
        number += usize::from(!idles(call));
        // Whoever listens outlives the trace.
        let _ = tell.send((number, call.number));
        if number == point {
            Verdict::Kill
        } else {
            Verdict::Go
        }
    });
    // Nobody of Lanai is asked before: what it does by itself is counted.
    until("the previous address", LIMIT, || {
        let addresses = rig.run(&["ip", "-o", "-4", "address"]).ok();
        addresses.contains(change.own(Side::Old)).then_some(())
    });
    let end = Instant::now() + LIMIT;
    loop {
        match change.judge(&rig) {
            Ok(Side::Old) => break,
            other => assert!(Instant::now() < end, "{what}: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    trace.end();
    let last = told.try_iter().last();
    let died = last.filter(|(number, _)| *number == point);
    (
        died.map(|(_, kind)| kind),
        last.map_or(0, |(number, _)| number),
    )
}

#[track_caller]
fn sweep(victim: &'static str, every: usize) {
    let began = Instant::now();
    let site = Site::new();
    let (_, counted) = expire(&Change::new(&site), victim, usize::MAX, false, "counted");
    drop(site);
    let every = match setting("LANAI_CRASH_EVERY", 0) {
        0 => every,
        asked => asked * LONG,
    };
    let points: Vec<usize> = (1..=counted).step_by(every).collect();
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(points.len()) {
            scope.spawn(|| {
                let site = Site::new();
                let change = Change::new(&site);
                loop {
                    let turn = next.fetch_add(1, Ordering::SeqCst);
                    let Some(point) = points.get(turn) else {
                        return;
                    };
                    let what = format!("{victim} dies at call {point} of {counted}");
                    let (kind, _) = expire(&change, victim, *point, turn % 2 == 1, &what);
                    let mut tally = tally.lock().unwrap();
                    tally.count(kind);
                    tally.note(Side::Old);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    tally.say(&format!("not confirmed, {victim} dies"), counted, began);
}

#[test]
fn slow_a_death_of_control_on_the_way_back() {
    sweep(CONTROL, 91);
}

#[test]
fn slow_a_death_of_the_parent_on_the_way_back() {
    sweep(PARENT, 101);
}

#[test]
fn slow_a_death_of_the_engine_on_the_way_back() {
    sweep(ENGINE, 181);
}
