//! SIGKILL of each of the three processes at every system call of an apply, of a change on trial that
//! is confirmed, and of one that is taken back. At every second point somebody is editing a text.

use std::sync::mpsc::channel;
use std::time::Instant;

use lanai_tests::{Finished, within};

use crate::change::{Change, Side};
use crate::deaths::Tally;
use crate::points;
use crate::rig::{CONTROL, ENGINE, PARENT, Rig, Site};
use crate::tracer::{Call, Trace, Verdict};

/// What is asked of the appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// One apply.
    Apply,
    /// An apply on trial, and its confirmation.
    Confirm,
    /// An apply on trial, and `lanai rollback`.
    TakeBack,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Asked {
    deed: Deed,
    pub(crate) first: Finished,
    /// If the first was done.
    pub(crate) second: Option<Finished>,
}

impl Deed {
    #[track_caller]
    pub(crate) fn ask(self, rig: &Rig<'_>, change: &Change<'_>) -> Asked {
        let more: &[&str] = match self {
            Deed::Apply => &[],
            Deed::Confirm | Deed::TakeBack => &["--confirm-within", "5m"],
        };
        let first = rig.apply_with(&change.draft, more);
        let second = match self {
            _ if first.code != 0 => None,
            Deed::Apply => None,
            Deed::Confirm => Some(rig.lanai(&["confirm"])),
            Deed::TakeBack => Some(rig.lanai(&["rollback"])),
        };
        Asked {
            deed: self,
            first,
            second,
        }
    }

    /// After all of it.
    pub(crate) fn end(self) -> Side {
        match self {
            Deed::Apply | Deed::Confirm => Side::New,
            Deed::TakeBack => Side::Old,
        }
    }

    /// Ends a trial that a death left under way, as it was meant to.
    #[track_caller]
    pub(crate) fn bring_to_end(self, rig: &Rig<'_>, change: &Change<'_>, what: &str) {
        let verb = match self {
            Deed::Apply => panic!("{what}: there is no trial"),
            Deed::Confirm => "confirm",
            Deed::TakeBack => "rollback",
        };
        let asked = rig.lanai(&[verb]);
        assert_eq!(asked.code, 0, "{what}: then {verb}: {asked:?}");
        assert_eq!(change.judge(rig), Ok(self.end()), "{what}: then {verb}");
    }
}

impl Asked {
    /// Where the appliance must be if the one that answered has gone on.
    pub(crate) fn said(&self) -> Side {
        match (self.deed, self.first.code, &self.second) {
            (deed, 0, None) => deed.end(),
            (_, _, None) => Side::Old,
            (deed, _, Some(second)) if second.code == 0 => deed.end(),
            (_, _, Some(_)) => Side::Trial,
        }
    }

    /// Whether all of it was done, by its own account.
    fn done(&self) -> bool {
        self.first.code == 0 && self.second.as_ref().is_none_or(|second| second.code == 0)
    }

    /// Where it may be if the one that was to answer died: further than it said by one step, as nobody
    /// lived to tell.
    fn may_be(&self, side: Side) -> bool {
        let beyond = match (self.deed, &self.second) {
            (Deed::Apply, _) => Side::New,
            (_, None) => Side::Trial,
            (deed, Some(_)) => deed.end(),
        };
        side == self.said() || !self.done() && side == beyond
    }
}

/// A call that only waits, or looks at a clock: a death there is one after the call before it.
pub(crate) fn idles(call: &Call) -> bool {
    [
        libc::SYS_epoll_wait,
        libc::SYS_epoll_pwait,
        libc::SYS_epoll_pwait2,
        libc::SYS_futex,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_restart_syscall,
    ]
    .contains(&call.number)
}

fn counted(change: &Change<'_>, deed: Deed, victim: &str) -> usize {
    let mut rig = change.again("counted");
    rig.start();
    let (tell, told) = channel();
    let trace = Trace::process(rig.process(victim), move |call: &Call| {
        if !idles(call) {
            // It is counted after the trace.
            let _ = tell.send(());
        }
        Verdict::Go
    });
    let asked = deed.ask(&rig, change);
    trace.end();
    assert!(asked.done(), "{asked:?}");
    told.try_iter().count()
}

/// The appliance's side, once whoever died has a successor that does its work.
#[track_caller]
fn judged(change: &Change<'_>, rig: &Rig<'_>, what: &str) -> Side {
    let end = Instant::now() + within();
    loop {
        match change.judge(rig) {
            Ok(side) => return side,
            Err(why) if Instant::now() > end => panic!("{what}: {why}"),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    }
}

#[track_caller]
fn sweep(deed: Deed, victim: &'static str, every: usize) {
    let site = Site::new();
    let change = Change::new(&site);
    let began = Instant::now();
    let counted = counted(&change, deed, victim);
    let mut tally = Tally::default();
    for (turn, point) in points(counted + counted / 10, every).enumerate() {
        let mut rig = change.again("point");
        rig.start();
        if turn % 2 == 1 {
            change.edit(&rig);
        }
        let (dies, died) = channel();
        let mut number = 0;
        let trace = Trace::process(rig.process(victim), move |call: &Call| {
            number += usize::from(!idles(call));
            if number < point {
                return Verdict::Go;
            }
            dies.send(call.number).unwrap();
            Verdict::Kill
        });
        let asked = deed.ask(&rig, &change);
        trace.end();
        let kind = died.try_recv().ok();
        tally.count(kind);
        let what = format!("{deed:?}, {victim} dies at call {point} of {counted}: {asked:?}");
        if kind.is_some() && victim == CONTROL {
            rig.settled(2);
        }
        let side = judged(&change, &rig, &what);
        if kind.is_some() && victim == CONTROL {
            assert!(asked.may_be(side), "{what}: is {side:?}");
        } else {
            assert_eq!(asked.said(), side, "{what}");
        }
        if side == Side::Trial {
            deed.bring_to_end(&rig, &change, &what);
        }
        tally.note(side);
    }
    tally.say(&format!("{deed:?}, {victim} dies"), counted, began);
}

#[test]
fn slow_a_death_of_the_parent_at_any_call_of_an_apply() {
    sweep(Deed::Apply, PARENT, 61);
}

#[test]
fn slow_a_death_of_the_engine_at_any_call_of_an_apply() {
    sweep(Deed::Apply, ENGINE, 19);
}

#[test]
fn slow_a_death_of_control_at_any_call_of_a_trial_that_is_confirmed() {
    sweep(Deed::Confirm, CONTROL, 61);
}

#[test]
fn slow_a_death_of_the_parent_at_any_call_of_a_trial_that_is_confirmed() {
    sweep(Deed::Confirm, PARENT, 61);
}

#[test]
fn slow_a_death_of_the_engine_at_any_call_of_a_trial_that_is_confirmed() {
    sweep(Deed::Confirm, ENGINE, 19);
}

#[test]
fn slow_a_death_of_control_at_any_call_of_a_trial_that_is_taken_back() {
    sweep(Deed::TakeBack, CONTROL, 61);
}

#[test]
fn slow_a_death_of_the_parent_at_any_call_of_a_trial_that_is_taken_back() {
    sweep(Deed::TakeBack, PARENT, 61);
}

#[test]
fn slow_a_death_of_the_engine_at_any_call_of_a_trial_that_is_taken_back() {
    sweep(Deed::TakeBack, ENGINE, 19);
}
