//! A disk that fails at one call of an apply, or from one call on: the apply was done, or it was
//! refused with the reason and nothing has changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use lanai_tests::Finished;
use nix::errno::Errno;

use crate::change::{Change, Side};
use crate::points;
use crate::rig::{Rig, Site};
use crate::tracer::{Call, Trace, Verdict};
use crate::trials::{Asked, Deed};

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// One call does.
    Once(Errno),
    /// This call does, and whatever comes after it.
    From(Errno),
}

/// A call that changes a file of the appliance.
#[derive(Clone)]
struct Touch {
    number: i64,
    path: PathBuf,
}

impl fmt::Debug for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system call {} on {}", self.number, self.path.display())
    }
}

/// Has the `point`-th call of an apply that changes a file of the appliance fail, or none for 0.
#[track_caller]
fn apply_with(
    rig: &Rig<'_>,
    change: &Change<'_>,
    point: usize,
    fault: Fault,
) -> (Finished, Vec<Touch>) {
    let (tell, touched) = channel();
    let mut disk = Disk {
        files: ["etc", "var"].map(|name| rig.root.join(name)).to_vec(),
        point,
        fault,
        number: 0,
        tell,
    };
    let trace = Trace::process(rig.control(), move |call: &Call| disk.decide(call));
    let asked = rig.apply(&change.draft);
    trace.end();
    (asked, touched.try_iter().collect())
}

struct Disk {
    /// Files, and folders with all that is in them.
    files: Vec<PathBuf>,
    point: usize,
    fault: Fault,
    number: usize,
    /// Told of every call, in the order of their numbers.
    tell: Sender<Touch>,
}

impl Disk {
    fn decide(&mut self, call: &Call) -> Verdict {
        let Some(path) = &call.changes else {
            return Verdict::Go;
        };
        if !self.files.iter().any(|file| path.starts_with(file)) {
            return Verdict::Go;
        }
        self.judge(call)
    }

    /// For a call that counts.
    fn judge(&mut self, call: &Call) -> Verdict {
        self.number += 1;
        let touch = Touch {
            number: call.number,
            path: call.changes.clone().unwrap(),
        };
        self.tell.send(touch).unwrap();
        match self.fault {
            Fault::Once(errno) if self.number == self.point => Verdict::Fail(errno),
            // A full disk refuses what needs room, a broken one everything.
            Fault::From(errno)
                if self.point > 0
                    && self.number >= self.point
                    && (errno != Errno::ENOSPC || needs_room(call.number)) =>
            {
                Verdict::Fail(errno)
            }
            _ => Verdict::Go,
        }
    }
}

fn needs_room(number: i64) -> bool {
    [
        libc::SYS_write,
        libc::SYS_pwrite64,
        libc::SYS_writev,
        libc::SYS_pwritev,
        libc::SYS_fallocate,
    ]
    .contains(&number)
}

/// The calls that change a file, in an apply that nothing disturbs.
#[track_caller]
fn calls_of_an_apply(change: &Change<'_>) -> Vec<Touch> {
    let mut rig = change.again("counted");
    rig.start();
    let (asked, touched) = apply_with(&rig, change, 0, Fault::Once(Errno::EIO));
    asked.ok();
    touched
}

/// Has the `point`-th call fail that concerns the parent's record of a trial, from its beginning to its
/// end.
#[track_caller]
fn try_with(
    deed: Deed,
    rig: &Rig<'_>,
    change: &Change<'_>,
    point: usize,
    fault: Fault,
) -> (Asked, Vec<Touch>) {
    let (tell, touched) = channel();
    let record = |name: &str| rig.root.join("run").join(name);
    let mut disk = Disk {
        files: vec![record("trial.json"), record("trial.new")],
        point,
        fault,
        number: 0,
        tell,
    };
    let folder = rig.root.join("run");
    let trace = Trace::process(rig.parent(), move |call: &Call| match &call.changes {
        // The folder is synced for the record alone.
        Some(path) if *path == folder => disk.judge(call),
        _ => disk.decide(call),
    });
    let asked = deed.ask(rig, change);
    trace.end();
    (asked, touched.try_iter().collect())
}

/// What a refusal has to say: which file, and why.
fn is_told(said: &str, rig: &Rig<'_>, errno: Errno) -> bool {
    let file = said.contains(rig.root.to_str().unwrap()) || said.contains("lanai.db");
    let reasons: &[&str] = match errno {
        Errno::ENOSPC => &[
            "No space left on device",
            "database or disk is full",
            "disk I/O error",
            // SQLite could open it for reading only.
            "attempt to write a readonly database",
        ],
        Errno::EINTR => &["Interrupted system call", "disk I/O error"],
        _ => &["Input/output error", "disk I/O error"],
    };
    file && reasons.iter().any(|reason| said.contains(reason))
}

/// Judges the appliance as it runs, and again after a power failure.
#[track_caller]
fn judge_twice(change: &Change<'_>, rig: &mut Rig<'_>, expected: Side, what: &str) {
    for when in ["at once", "after a power failure"] {
        let side = change.judge(rig);
        let side = side.unwrap_or_else(|why| panic!("{what}, {when}: {why}"));
        assert_eq!(side, expected, "{what}, {when}");
        if when == "at once" {
            rig.crash();
            rig.start();
        }
    }
}

/// What was refused is done as soon as it can be, by the same processes.
#[track_caller]
fn done_again(change: &Change<'_>, rig: &Rig<'_>, what: &str) {
    let again = rig.apply(&change.draft);
    assert_eq!(again.code, 0, "{what}; then: {again:?}");
    assert_eq!(change.judge(rig), Ok(Side::New), "{what}; then: {again:?}");
}

#[test]
fn slow_an_apply_on_a_disk_that_fails_once_is_done_or_refused() {
    let site = Site::new();
    let change = Change::new(&site);
    let touched = calls_of_an_apply(&change);
    let began = Instant::now();
    let mut ended = BTreeMap::new();
    let mut tried = 0;
    for (turn, point) in points(touched.len(), 4).enumerate() {
        let all = [Errno::ENOSPC, Errno::EIO, Errno::EINTR];
        // Some points: each with one error, in turn. All points: each with all.
        let some = std::slice::from_ref(&all[turn % all.len()]);
        let every = points(2, 4).count() == 2;
        for errno in if every { &all[..] } else { some } {
            let mut rig = change.again("point");
            rig.start();
            let (asked, seen) = apply_with(&rig, &change, point, Fault::Once(*errno));
            let Some(touch) = seen.get(point - 1) else {
                continue;
            };
            tried += 1;
            let what = format!(
                "{errno} at {point} of {}: {touch:?}: {asked:?}",
                touched.len()
            );
            let expected = match asked.code {
                0 => Side::New,
                _ => Side::Old,
            };
            assert!(
                asked.code == 0 || asked.code == 1 && is_told(&asked.stderr, &rig, *errno),
                "not said which file and why: {what}"
            );
            if point % 2 == 0 {
                judge_twice(&change, &mut rig, expected, &what);
            } else {
                done_again(&change, &rig, &what);
            }
            *ended.entry(format!("{expected:?}")).or_insert(0) += 1;
        }
    }
    println!(
        "one failure: {} calls change a file; {tried} failures tried; ended {ended:?}; {:.1} s",
        touched.len(),
        began.elapsed().as_secs_f32()
    );
}

#[test]
fn slow_a_disk_that_stays_broken_in_an_apply_ends_in_the_old_or_the_new() {
    let site = Site::new();
    let change = Change::new(&site);
    let touched = calls_of_an_apply(&change);
    let began = Instant::now();
    let mut ended = BTreeMap::new();
    let mut tried = 0;
    for (turn, point) in points(touched.len(), 5).enumerate() {
        let errno = [Errno::ENOSPC, Errno::EIO][turn % 2];
        let mut rig = change.again("point");
        rig.start();
        let (asked, seen) = apply_with(&rig, &change, point, Fault::From(errno));
        let Some(touch) = seen.get(point - 1) else {
            continue;
        };
        tried += 1;
        let what = format!(
            "{errno} from {point} of {}: {touch:?}: {asked:?}",
            touched.len()
        );
        assert!(
            asked.code == 0 || asked.code == 1 && is_told(&asked.stderr, &rig, errno),
            "not said which file and why: {what}"
        );
        // One that refused to open files too may leave SQLite's shared memory for reading only, until control
        // is restarted: see docs/crash-safety.md.
        if turn % 4 == 2 && errno == Errno::ENOSPC {
            // The disk is well again, and nothing else has happened.
            done_again(&change, &rig, &what);
            *ended.entry("done then".to_owned()).or_insert(0) += 1;
            continue;
        }
        // It is well again after a restart.
        rig.crash();
        rig.start();
        let side = change.judge(&rig);
        let side = side.unwrap_or_else(|why| panic!("{what}: {why}"));
        // Where the way back failed too, that was said; the next start then ends the change instead.
        let said = asked.stderr.contains("not everything could be put back");
        assert!(
            said || (side == Side::New) == (asked.code == 0),
            "{what}: is {side:?}"
        );
        *ended.entry(format!("{side:?}")).or_insert(0) += 1;
    }
    println!(
        "a failure that stays: {tried} points; ended {ended:?}; {:.1} s",
        began.elapsed().as_secs_f32()
    );
}

/// The record is the parent's promise to go back: what it cannot write is refused, and what was on
/// trial stays so, with its time.
#[test]
fn slow_a_record_of_a_trial_that_cannot_be_written_is_told_and_nothing_is_lost() {
    let site = Site::new();
    let change = Change::new(&site);
    let began = Instant::now();
    let mut ended = BTreeMap::new();
    let mut tried = 0;
    for deed in [Deed::Confirm, Deed::TakeBack] {
        let mut rig = change.again("counted");
        rig.start();
        let (asked, touched) = try_with(deed, &rig, &change, 0, Fault::Once(Errno::EIO));
        assert_eq!(asked.said(), deed.end(), "{asked:?}");
        drop(rig);
        let all = [
            Fault::Once(Errno::ENOSPC),
            Fault::Once(Errno::EIO),
            Fault::From(Errno::EIO),
        ];
        // Some points: each with one failure, in turn. All points: each with all. No number of calls for
        // one record is a multiple of five, so that all of them come up.
        let every = points(2, 5).count() == 2;
        let each = points(touched.len(), 5)
            .enumerate()
            .flat_map(|(turn, point)| {
                let some = std::slice::from_ref(&all[turn % all.len()]);
                let faults = if every { &all[..] } else { some };
                faults.iter().map(move |fault| (point, *fault))
            });
        for (point, fault) in each {
            let mut rig = change.again("point");
            rig.start();
            let (asked, seen) = try_with(deed, &rig, &change, point, fault);
            let Some(touch) = seen.get(point - 1) else {
                continue;
            };
            tried += 1;
            let what = format!(
                "{deed:?}, {fault:?} at {point} of {}: {touch:?}: {asked:?}",
                touched.len()
            );
            let last = asked.second.as_ref().unwrap_or(&asked.first);
            assert!(
                last.code == 0 || last.code == 1 && last.stderr.contains("trial.json"),
                "not said which file and why: {what}"
            );
            let side = asked.said();
            // What the next parent would find, if this one died now.
            if side != deed.end() && matches!(fault, Fault::Once(_)) {
                let record = std::fs::read_to_string(rig.root.join("run/trial.json"));
                let runs = record.as_ref().is_ok_and(|text| text.contains("running"));
                assert_eq!(runs, side == Side::Trial, "{what}: {record:?}");
            }
            // Where taking it back failed too, that was said; the next start then ends in one direction.
            let side = if last.stderr.contains("may be there all the same") {
                assert_eq!(change.judge(&rig), Ok(side), "{what}");
                rig.crash();
                rig.start();
                let found = change.judge(&rig);
                assert!(
                    found == Ok(side) || found == Ok(deed.end()),
                    "{what}: {found:?}"
                );
                found.unwrap()
            } else {
                judge_twice(&change, &mut rig, side, &what);
                side
            };
            if side == Side::Trial {
                deed.bring_to_end(&rig, &change, &what);
            }
            *ended.entry(format!("{side:?}")).or_insert(0) += 1;
        }
    }
    println!(
        "a record of a trial: {tried} failures tried; ended {ended:?}; {:.1} s",
        began.elapsed().as_secs_f32()
    );
}
