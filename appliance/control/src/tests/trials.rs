//! Changes on trial: kept, taken back, run out; and everything failing, or the process dying, at
//! each step of that.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::faults::{Fault, death};
use super::world::{World, ann, minutes, new, old};
use crate::{
    ApplyError, Author, BootSource, Control, FileSet, RevisionId, RevisionState, TrialState,
};

const FIRST: RevisionId = RevisionId(1);
const SECOND: RevisionId = RevisionId(2);

/// A box on which `one` is live and `two` on trial.
async fn on_trial(one: &FileSet, two: &FileSet) -> (World, Control) {
    let world = World::new();
    let control = world.booted().await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    try_out(&control, two).await.unwrap();
    (world, control)
}

async fn try_out(control: &Control, files: &FileSet) -> Result<(), ApplyError> {
    let applied = control
        .apply_on_trial(files.clone(), ann(), "", None, minutes())
        .await?;
    assert_eq!(applied.trial.map(|it| it.revision), Some(applied.revision));
    Ok(())
}

/// That `two` is in effect, and `one` in every place that a reboot looks at.
async fn assert_on_trial(world: &World, control: &Control, one: &FileSet, two: &FileSet) {
    assert_eq!(*world.box_.running.lock().unwrap(), *two, "engine");
    assert_eq!(
        control.inner.running().files,
        *two,
        "what we think is running"
    );
    let desired = control.inner.running().model.desired();
    let rest = lanai_network::plan(&desired, &world.box_.kernel.lock().unwrap());
    assert!(rest.is_empty(), "{rest}");
    assert_eq!(control.live_files().await.unwrap(), *one, "disk");
    assert_eq!(control.edited_files().await.unwrap(), *two);
    assert_eq!(control.live_revision().await.unwrap().unwrap().id, FIRST);
    let trial = control.trial().expect("a trial");
    assert_eq!((trial.previous, trial.within_s), (Some(FIRST), 300));
    assert!((1..=300).contains(&trial.left_s), "{trial:?}");
    let state = control.revision(trial.revision).await.unwrap().state;
    assert_eq!(state, RevisionState::Trial { within_s: 300 });
    let said = world.host_says();
    assert!(matches!(said, Some(TrialState::Running { .. })), "{said:?}");
}

/// Why the revision failed.
async fn why(control: &Control, id: RevisionId) -> String {
    match control.revision(id).await.unwrap().state {
        RevisionState::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

async fn last_words(control: &Control) -> (String, String) {
    let log = control.audit_log(1, None).await.unwrap();
    (log[0].action.clone(), log[0].detail.clone())
}

#[tokio::test]
async fn a_trial_is_in_effect_and_in_no_file_and_everybody_else_waits() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    assert_on_trial(&world, &control, &one, &two).await;
    assert_eq!(
        last_words(&control).await,
        ("apply".to_owned(), "revision 2, on trial for 5m".to_owned())
    );
    let status = control.status().await.unwrap();
    assert_eq!(status.trial.map(|it| it.revision), Some(SECOND));
    assert_eq!(status.notices, Vec::<String>::new());
    assert!(status.drift.is_empty());

    for refused in [
        control.apply(one.clone(), ann(), "", None).await,
        control.rollback(FIRST, ann(), false).await,
        control
            .apply_on_trial(one.clone(), ann(), "", None, minutes())
            .await,
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, ApplyError::OnTrial { .. }), "{refused}");
        let text = refused.to_string();
        for part in ["revision 2", "left", "`lanai confirm`", "`lanai rollback`"] {
            assert!(text.contains(part), "{text}");
        }
    }
    assert_eq!(last_words(&control).await.0, "apply refused");
    assert_on_trial(&world, &control, &one, &two).await;
}

#[tokio::test]
async fn the_host_is_given_what_it_takes_to_go_back() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    let trial = world.box_.trial.lock().unwrap().clone().unwrap().0;
    assert_eq!((trial.revision, trial.within_s), (2, 300));
    assert_eq!(trial.previous, one);
    assert!(!trial.restore.is_empty() && !trial.withdraw.is_empty());
    world.time_over();
    let desired = control
        .inner
        .window()
        .map(|window| window.previous().clone());
    assert_eq!(desired, Some(one.clone()));
    control.reverted(SECOND).await.unwrap();
    world.assert_is(&control, &one).await;
}

#[tokio::test]
async fn what_is_confirmed_stays() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    let other = control.confirm(Some(FIRST), ann()).await.unwrap_err();
    assert_eq!(
        other.to_string(),
        "revision 1 is not on trial, revision 2 is"
    );
    assert_eq!(control.confirm(Some(SECOND), ann()).await.unwrap(), SECOND);
    world.assert_is(&control, &two).await;
    assert_eq!(
        last_words(&control).await,
        ("confirm".to_owned(), "revision 2".to_owned())
    );
    let first = control.revision(FIRST).await.unwrap();
    assert_eq!(first.state, RevisionState::Superseded);
    // A word of the host that comes late, or twice, is about nothing.
    control.reverted(SECOND).await.unwrap();
    for nothing in [
        control.confirm(None, ann()).await.unwrap_err(),
        control.take_back(None, ann()).await.unwrap_err(),
    ] {
        assert_eq!(nothing.to_string(), "no revision is on trial");
    }
    world.assert_is(&control, &two).await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    world.assert_is(&control, &one).await;
}

#[tokio::test]
async fn what_is_taken_back_is_gone_at_once() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    let back = control
        .take_back(None, Author::new("bob", "cli uid 0"))
        .await
        .unwrap();
    assert_eq!((back.revision, back.previous), (SECOND, Some(FIRST)));
    assert!(back.plan.steps().count() > 0);
    assert_eq!(back.effects.servers_removed, ["farm/web3"]);
    world.assert_is(&control, &one).await;
    assert_eq!(
        why(&control, SECOND).await,
        "taken back by bob (cli uid 0) before it was confirmed"
    );
    try_out(&control, &two).await.unwrap();
    assert_on_trial(&world, &control, &one, &two).await;
}

#[tokio::test]
async fn a_time_that_is_over_brings_the_previous_revision_back() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    world.time_over();
    // A change is under way; the word of the host waits for it.
    let turn = control.inner.turn(&ann()).await.unwrap();
    let waiting = tokio::spawn({
        let control = control.clone();
        async move { control.reverted(SECOND).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    drop(turn);
    waiting.await.unwrap().unwrap();
    world.assert_is(&control, &one).await;
    let reason = "not confirmed within 5m: the previous revision is back";
    assert_eq!(why(&control, SECOND).await, reason);
    let (action, detail) = last_words(&control).await;
    assert_eq!(action, "trial over");
    assert_eq!(detail, format!("revision 2 was {reason}"));
    assert_eq!(control.status().await.unwrap().notices, [detail]);
    control.apply(two.clone(), ann(), "", None).await.unwrap();
    world.assert_is(&control, &two).await;
    assert!(control.status().await.unwrap().notices.is_empty());
}

#[tokio::test]
async fn a_confirmation_that_comes_too_late_says_so() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    world.time_over();
    let late = control.confirm(None, ann()).await.unwrap_err();
    assert!(matches!(late, ApplyError::TooLate(SECOND)), "{late}");
    world.assert_is(&control, &one).await;
    control.reverted(SECOND).await.unwrap();
    world.assert_is(&control, &one).await;
}

#[tokio::test]
async fn a_change_that_takes_longer_than_its_time_is_taken_back() {
    let (one, two) = (old(), new());
    let world = World::new();
    let control = world.booted().await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    let (dead, died) = death();
    let swapped = {
        world.box_.faults.clear();
        try_out(&control, &two).await.unwrap();
        let seen = world.box_.faults.seen();
        control.take_back(None, ann()).await.unwrap();
        seen.iter().position(|step| step == "swapped").unwrap()
    };
    // It only stands still there, and goes on when the time is over.
    world.box_.faults.arm(swapped, Fault::Hold(dead));
    let change = tokio::spawn({
        let (control, two) = (control.clone(), two.clone());
        async move { try_out(&control, &two).await }
    });
    let go_on = tokio::task::spawn_blocking(move || died.recv().unwrap())
        .await
        .unwrap();
    world.time_over();
    go_on.send(()).unwrap();
    let late = change.await.unwrap().unwrap_err();
    assert!(matches!(late, ApplyError::TooLate(RevisionId(3))), "{late}");
    control.reverted(RevisionId(3)).await.unwrap();
    world.assert_is(&control, &one).await;
}

#[tokio::test]
async fn a_word_of_the_host_that_got_lost_is_asked_for() {
    // The host went back; it forgot about it, and went nowhere; it takes it for confirmed, which was
    // refused here.
    for case in ["back", "lost", "confirmed"] {
        let (one, two) = (old(), new());
        let world = World::new();
        let control = world.booted().await;
        control.apply(one.clone(), ann(), "", None).await.unwrap();
        *world.box_.short.lock().unwrap() = true;
        try_out(&control, &two).await.unwrap();
        match case {
            "back" => world.time_over(),
            "lost" => *world.box_.trial.lock().unwrap() = None,
            _ => {
                let mut slot = world.box_.trial.lock().unwrap();
                let (trial, state) = slot.as_mut().unwrap();
                let revision = trial.revision;
                *state = TrialState::Confirmed { revision };
            }
        }
        let watching = tokio::spawn({
            let control = control.clone();
            async move { control.watch_trial().await }
        });
        let mut windows = control.windows();
        let closed = windows.wait_for(Option::is_none);
        tokio::time::timeout(Duration::from_secs(30), closed)
            .await
            .expect("it is noticed")
            .unwrap();
        watching.abort();
        // The window closes before the last word to the host.
        while control.busy().is_some() {
            tokio::task::yield_now().await;
        }
        world.assert_is(&control, &one).await;
    }
}

#[tokio::test]
async fn a_restart_of_the_box_comes_back_with_the_previous_revision() {
    let (one, two) = (old(), new());
    let (world, control) = on_trial(&one, &two).await;
    drop(control);
    world.restart();
    let control = world.open().await;
    let report = control.boot().await.unwrap();
    assert_eq!(
        (report.source, report.revision),
        (BootSource::Files, Some(FIRST))
    );
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    world.assert_is(&control, &one).await;
    let reason = why(&control, SECOND).await;
    assert!(reason.contains("the box was restarted"), "{reason}");
}

#[tokio::test]
async fn files_edited_on_disk_and_never_confirmed_do_not_come_with_the_next_boot() {
    let (one, two) = (old(), new());
    let world = World::new();
    let control = world.booted().await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    let edit = || {
        for (name, bytes) in two.iter() {
            std::fs::write(world.path(name), bytes).unwrap();
        }
        std::fs::remove_file(world.path("errors/503.http")).unwrap();
    };
    edit();
    try_out(&control, &two).await.unwrap();
    assert_eq!(
        control.status().await.unwrap().notices,
        Vec::<String>::new()
    );
    drop(control);
    for boot in 1..3 {
        world.restart();
        let control = world.open().await;
        let report = control.boot().await.unwrap();
        assert_eq!(
            (report.source, report.revision),
            (BootSource::LastLive, Some(FIRST)),
            "{boot}"
        );
        assert!(
            report
                .problems
                .iter()
                .any(|it| it.contains("revision 2, which nobody confirmed")),
            "{:?}",
            report.problems
        );
        assert_eq!(*world.box_.running.lock().unwrap(), one, "{boot}");
        assert_eq!(control.live_files().await.unwrap(), two, "nothing is lost");
    }
    // Whoever means it applies it.
    let control = world.open().await;
    control.boot().await.unwrap();
    control.apply(two.clone(), ann(), "", None).await.unwrap();
    world.assert_is(&control, &two).await;
    world.restart();
    let control = world.booted().await;
    world.assert_is(&control, &two).await;
}

#[tokio::test]
async fn the_first_revision_of_a_box_may_be_on_trial_too() {
    let world = World::new();
    let control = world.booted().await;
    let files = old();
    try_out(&control, &files).await.unwrap();
    assert_eq!(control.trial().unwrap().previous, None);
    world.time_over();
    control.reverted(FIRST).await.unwrap();
    assert!(world.box_.running.lock().unwrap().is_empty());
    assert_eq!(control.live_revision().await.unwrap(), None);
    try_out(&control, &files).await.unwrap();
    control.confirm(None, ann()).await.unwrap();
    world.assert_is(&control, &files).await;
}

/// What is done with a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Begin,
    Confirm,
    TakeBack,
    RunOut,
    /// Only our process dies; the next one takes the trial up.
    GoOn,
}

impl Deed {
    const ALL: [Deed; 5] = [
        Deed::Begin,
        Deed::Confirm,
        Deed::TakeBack,
        Deed::RunOut,
        Deed::GoOn,
    ];

    /// A box just before it.
    async fn before(self, world: &World, one: &FileSet, two: &FileSet) -> Control {
        let control = world.booted().await;
        control.apply(one.clone(), ann(), "", None).await.unwrap();
        if self != Deed::Begin {
            try_out(&control, two).await.unwrap();
        }
        if self == Deed::RunOut {
            world.time_over();
        }
        if self == Deed::GoOn {
            drop(control);
            return world.open().await;
        }
        control
    }

    async fn run(self, control: &Control, two: &FileSet) -> Result<(), String> {
        match self {
            Deed::Begin => try_out(control, two).await.map_err(|it| it.to_string()),
            Deed::Confirm => {
                let confirmed = control.confirm(None, ann()).await;
                confirmed.map(|_| ()).map_err(|it| it.to_string())
            }
            Deed::TakeBack => {
                let back = control.take_back(None, ann()).await;
                back.map(|_| ()).map_err(|it| it.to_string())
            }
            Deed::RunOut => control.reverted(SECOND).await.map_err(|it| it.to_string()),
            Deed::GoOn => match control.boot().await.unwrap().problems {
                none if none.is_empty() => Ok(()),
                some => Err(some.join("; ")),
            },
        }
    }

    async fn steps(self, one: &FileSet, two: &FileSet) -> Vec<String> {
        let world = World::new();
        let control = self.before(&world, one, two).await;
        world.box_.faults.clear();
        self.run(&control, two).await.unwrap();
        world.box_.faults.seen()
    }
}

/// The box is one of three: `one`, `two`, or `two` on trial, with `one` to come back. In the last
/// case it can be confirmed. Returns which: 0, 1, 2.
async fn assert_whole(world: &World, control: &Control, one: &FileSet, two: &FileSet) -> usize {
    let at = if control.trial().is_some() {
        assert_on_trial(world, control, one, two).await;
        control.confirm(None, ann()).await.unwrap();
        2
    } else {
        usize::from(
            *control.live_files().await.unwrap().text("haproxy.cfg") == *two.text("haproxy.cfg"),
        )
    };
    let now = if at == 0 { one } else { two };
    // What could not be told to the host is told before the next change.
    let other = if at == 0 { two } else { one };
    assert_eq!(&control.live_files().await.unwrap(), now, "disk");
    assert_eq!(&*world.box_.running.lock().unwrap(), now, "engine");
    control.apply(other.clone(), ann(), "", None).await.unwrap();
    world.assert_is(control, other).await;
    control.inner.store.verify().await.unwrap();
    at
}

#[tokio::test]
async fn whatever_step_fails_the_box_is_whole() {
    let (one, two) = (old(), new());
    for deed in Deed::ALL {
        let seen = deed.steps(&one, &two).await;
        let mut ends = [0, 0, 0];
        for (at, step) in seen.iter().enumerate() {
            let world = World::new();
            let control = deed.before(&world, &one, &two).await;
            let before = world.snapshot(&control).await;
            world.box_.faults.arm(at, Fault::Fail);
            let result = deed.run(&control, &two).await;
            let what = format!("{deed:?} {at} {step}: {result:?}");
            if let Err(error) = &result {
                assert!(
                    error.contains("injected") || error.contains("nobody could tell"),
                    "{what}"
                );
            }
            let end = match deed {
                Deed::Begin => {
                    assert!(result.is_err(), "{what}");
                    assert_eq!(world.snapshot(&control).await, before, "{what}");
                    assert_eq!(world.host_says(), None, "{what}");
                    0
                }
                _ => assert_whole(&world, &control, &one, &two).await,
            };
            ends[end] += 1;
            if result.is_ok() {
                let good = match deed {
                    Deed::Begin => 0,
                    Deed::Confirm => 1,
                    Deed::TakeBack | Deed::RunOut => 0,
                    Deed::GoOn => 2,
                };
                assert_eq!(end, good, "{what}");
            }
        }
        match deed {
            Deed::Confirm => assert!(ends.iter().all(|end| *end > 0), "{ends:?}"),
            Deed::TakeBack => assert!(ends[0] > 0 && ends[1] == 0 && ends[2] > 0, "{ends:?}"),
            Deed::Begin | Deed::RunOut => assert!(ends[1..] == [0, 0], "{ends:?}"),
            // One way back: if nobody can tell how the trial stands.
            Deed::GoOn => assert!(ends[..2] == [1, 0] && ends[2] > 3, "{ends:?}"),
        }
    }
}

#[test]
fn whenever_the_process_dies_the_next_one_finds_the_box_whole() {
    let (one, two) = (old(), new());
    for deed in Deed::ALL {
        let seen = runtime().block_on(deed.steps(&one, &two));
        let mut ends = [0, 0, 0];
        for (at, step) in seen.iter().enumerate() {
            let world = World::new();
            assert!(dies(&world, deed, &one, &two, at), "{deed:?} {at} {step}");
            ends[recovers(&world, &one, &two)] += 1;
        }
        match deed {
            Deed::Begin | Deed::RunOut => assert!(ends[0] > 3 && ends[1..] == [0, 0], "{ends:?}"),
            Deed::Confirm => assert!(ends[0] == 0 && ends[1] > 3 && ends[2] > 1, "{ends:?}"),
            Deed::TakeBack => assert!(ends[0] > 0 && ends[1] == 0 && ends[2] > 5, "{ends:?}"),
            Deed::GoOn => assert!(ends[..2] == [0, 0] && ends[2] > 3, "{ends:?}"),
        }
    }
}

#[test]
fn a_time_that_runs_out_while_nobody_is_there_is_noted_by_the_next_process() {
    let (one, two) = (old(), new());
    for deed in [Deed::Begin, Deed::TakeBack, Deed::GoOn] {
        let seen = runtime().block_on(deed.steps(&one, &two));
        for (at, step) in seen.iter().enumerate() {
            let world = World::new();
            assert!(dies(&world, deed, &one, &two, at), "{deed:?} {at} {step}");
            if !matches!(world.host_says(), Some(TrialState::Running { .. })) {
                continue;
            }
            world.time_over();
            runtime().block_on(async {
                let control = world.open().await;
                control.boot().await.unwrap();
                world.assert_is(&control, &one).await;
                let reason = why(&control, SECOND).await;
                let expected = match (deed, step.as_str()) {
                    (Deed::Begin, _) => "interrupted",
                    // The history knew already; only the host was not told.
                    (Deed::TakeBack, "end") => "taken back by ann",
                    _ => "not confirmed within 5m",
                };
                assert!(reason.contains(expected), "{deed:?} {at} {step}: {reason}");
            });
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Does it, and dies at this step; whether it came so far.
fn dies(world: &World, deed: Deed, one: &FileSet, two: &FileSet, at: usize) -> bool {
    let life = runtime();
    let control = life.block_on(deed.before(world, one, two));
    let process = Arc::downgrade(&control.inner);
    let (dead, died) = death();
    world.box_.faults.arm(at, Fault::Die(dead));
    let files = two.clone();
    let change = life.spawn(async move { deed.run(&control, &files).await });
    let came = loop {
        match died.recv_timeout(Duration::from_millis(2)) {
            Ok(_) => break true,
            Err(RecvTimeoutError::Timeout) if change.is_finished() => break false,
            Err(_) if change.is_finished() => break false,
            Err(_) => {}
        }
    };
    life.shutdown_background();
    // What is dropped now must not get into the way of the next process.
    while process.strong_count() > 0 {
        std::thread::yield_now();
    }
    world.box_.faults.clear();
    came
}

/// Boots a new process after a death; what it came back with.
fn recovers(world: &World, one: &FileSet, two: &FileSet) -> usize {
    runtime().block_on(async {
        let control = world.open().await;
        control.boot().await.unwrap();
        assert_whole(world, &control, one, two).await
    })
}
