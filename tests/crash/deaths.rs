//! SIGKILL at every system call of an apply, and of the boot that follows one that was cut short.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::channel;
use std::time::Instant;

use crate::change::{Change, Side};
use crate::points;
use crate::rig::{Rig, Site};
use crate::tracer::{Call, Trace, Verdict};

/// What came of the points of a sweep.
#[derive(Default)]
pub(crate) struct Tally {
    deaths: usize,
    survived: usize,
    kinds: BTreeSet<i64>,
    ended: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// A point at which the process died at a call of this kind, or had ended before.
    pub(crate) fn count(&mut self, kind: Option<i64>) {
        match kind {
            Some(kind) => {
                self.deaths += 1;
                self.kinds.insert(kind);
            }
            None => self.survived += 1,
        }
    }

    pub(crate) fn note(&mut self, side: Side) {
        let word = match side {
            Side::Old => "old",
            Side::New => "new",
            Side::Trial => "on trial",
        };
        *self.ended.entry(word).or_default() += 1;
    }

    pub(crate) fn say(&self, what: &str, counted: usize, began: Instant) {
        println!(
            "{what}: {counted} system calls; {} deaths at calls of {} kinds, {} points after its end; \
             came back {:?}; {:.1} s",
            self.deaths,
            self.kinds.len(),
            self.survived,
            self.ended,
            began.elapsed().as_secs_f32()
        );
    }
}

/// The calls of one apply, from before the request to after its answer.
#[track_caller]
fn calls_of_an_apply(change: &Change<'_>) -> usize {
    let mut rig = change.again("counted");
    rig.start();
    let trace = Trace::process(rig.control(), |_| Verdict::Go);
    rig.apply(&change.draft).ok();
    trace.end()
}

#[test]
fn slow_a_death_at_any_call_of_an_apply_leaves_the_old_or_the_new() {
    let site = Site::new();
    let change = Change::new(&site);
    let began = Instant::now();
    let counted = calls_of_an_apply(&change);
    let mut tally = Tally::default();
    // How threads meet differs from run to run, so the last calls may have higher numbers.
    for (turn, point) in points(counted + counted / 10, 13).enumerate() {
        let mut rig = change.again("point");
        rig.start();
        // Every second time somebody is editing a text, which is not applied.
        if turn % 2 == 1 {
            change.edit(&rig);
        }
        let (dies, died) = channel();
        let mut number = 0;
        let trace = Trace::process(rig.control(), move |call: &Call| {
            number += 1;
            if number < point {
                return Verdict::Go;
            }
            dies.send(call.number).unwrap();
            Verdict::Kill
        });
        let asked = rig.apply(&change.draft);
        trace.end();
        let kind = died.try_recv().ok();
        tally.count(kind);
        match kind {
            Some(_) => rig.settled(2),
            None => assert_eq!(asked.code, 0, "call {point} is not reached: {asked:?}"),
        }
        let side = change.judge(&rig);
        let side = side.unwrap_or_else(|why| panic!("after a death at call {point}: {why}"));
        assert!(
            asked.code != 0 || side == Side::New,
            "after call {point} an apply that was done is undone: {asked:?}"
        );
        tally.note(side);
    }
    tally.say("deaths in an apply", counted, began);
    assert_eq!(tally.ended.len(), 2, "both ends occur");
}

/// The state that asks most of a boot: the new revision is live, and not all files are in place.
#[track_caller]
fn half_installed<'site>(change: &Change<'site>) -> Rig<'site> {
    let mut rig = change.again("half");
    rig.start();
    let (mut renames, control) = (0, rig.control());
    let trace = Trace::process(control, move |call: &Call| {
        renames += usize::from(call.number == libc::SYS_rename);
        if renames < 3 {
            Verdict::Go
        } else {
            Verdict::Kill
        }
    });
    let cut = rig.apply(&change.draft);
    rig.crash();
    trace.end();
    assert_ne!(cut.code, 0, "an apply renames three files at least");
    rig
}

#[test]
fn slow_a_death_at_any_call_of_the_boot_after_it_changes_nothing_of_that() {
    let site = Site::new();
    let change = Change::new(&site);
    let half = half_installed(&change);
    let began = Instant::now();
    let mut counted = 0;
    let mut tally = Tally::default();
    for point in points(usize::MAX, 29) {
        let mut rig = Rig::like(&half, "point");
        let (dies, died) = channel();
        let mut number = 0;
        let trace = rig.start_with(|daemon| {
            Trace::child(daemon, "control", move |call: &Call| {
                number += 1;
                if number != point {
                    return Verdict::Go;
                }
                dies.send(call.number).unwrap();
                Verdict::Kill
            })
        });
        counted = counted.max(trace.end());
        let kind = died.try_recv().ok();
        tally.count(kind);
        if kind.is_some() {
            rig.settled(2);
        }
        let side = change.judge(&rig);
        let side =
            side.unwrap_or_else(|why| panic!("after a death at call {point} of a boot: {why}"));
        assert_eq!(side, Side::New, "after a death at call {point} of a boot");
        tally.note(side);
        if kind.is_none() {
            break;
        }
    }
    tally.say("deaths in a boot", counted, began);
}
