//! "A refused or failed apply leaves files, network and traffic exactly as they were", tried at each
//! step that a change reaches; and a death at each of them.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::faults::{Fault, death};
use super::world::{World, ann, new, old};
use crate::{ApplyError, FileSet, RevisionState};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// The steps of a change from one file set to another, in order.
async fn steps(one: &FileSet, two: &FileSet) -> Vec<String> {
    let world = World::new();
    let control = world.booted().await;
    control.apply(one.clone(), ann(), "", None).await.unwrap();
    world.box_.faults.clear();
    control.apply(two.clone(), ann(), "", None).await.unwrap();
    world.box_.faults.seen()
}

#[tokio::test]
async fn a_change_reaches_every_kind_of_step() {
    let seen = steps(&old(), &new()).await;
    for step in [
        "observe",
        "stage",
        "execute",
        "step 0",
        "executed",
        "prepare",
        "prepared",
        "swap",
        "swapped",
        "rename",
        "remove",
        "installed",
    ] {
        assert!(
            seen.iter().any(|other| other == step),
            "{step} is not in {seen:?}"
        );
    }
}

#[tokio::test]
async fn whatever_step_fails_everything_is_as_before() {
    let (one, two) = (old(), new());
    let seen = steps(&one, &two).await;
    for (at, step) in seen.iter().enumerate() {
        let world = World::new();
        let control = world.booted().await;
        control.apply(one.clone(), ann(), "", None).await.unwrap();
        let before = world.snapshot(&control).await;
        world.box_.faults.arm(at, Fault::Fail);
        let failed = control
            .apply(two.clone(), ann(), "", None)
            .await
            .expect_err(step);
        assert!(
            !matches!(failed, ApplyError::NotRestored { .. }),
            "{at} {step}: {failed}"
        );
        assert!(
            failed.to_string().contains("injected"),
            "{at} {step}: {failed}"
        );
        assert_eq!(world.snapshot(&control).await, before, "{at} {step}");
        world.assert_is(&control, &one).await;
        let log = control.audit_log(1, None).await.unwrap();
        assert_eq!(log[0].action, "apply failed", "{at} {step}");
        if let Some(failed) = control
            .revisions(1, None)
            .await
            .unwrap()
            .first()
            .filter(|it| it.id.0 == 2)
        {
            assert!(
                matches!(&failed.state, RevisionState::Failed { why } if why.contains("injected")),
                "{failed:?}"
            );
        }
        control
            .apply(two.clone(), ann(), "again", None)
            .await
            .unwrap();
        world.assert_is(&control, &two).await;
    }
}

#[tokio::test]
async fn a_host_that_does_not_undo_is_mended() {
    let (one, two) = (old(), new());
    let seen = steps(&one, &two).await;
    for (at, step) in seen
        .iter()
        .enumerate()
        .filter(|(_, step)| step.starts_with("step"))
    {
        let world = World::new();
        let control = world.booted().await;
        control.apply(one.clone(), ann(), "", None).await.unwrap();
        let before = world.snapshot(&control).await;
        *world.box_.dirty.lock().unwrap() = true;
        world.box_.faults.arm(at, Fault::Fail);
        control
            .apply(two.clone(), ann(), "", None)
            .await
            .expect_err(step);
        assert_eq!(world.snapshot(&control).await, before, "{at} {step}");
    }
}

#[test]
fn whenever_the_process_dies_the_next_one_has_the_old_or_the_new_and_never_a_mixture() {
    let (one, two) = (old(), new());
    let seen = runtime().block_on(steps(&one, &two));
    let mut ended = [0, 0];
    for (at, step) in seen.iter().enumerate() {
        let world = World::new();
        let came = dies(&world, &one, &two, &[(at, None)]);
        assert!(came, "{at} {step} is reached");
        ended[usize::from(recovers(&world, &one, &two, step))] += 1;
    }
    assert!(ended[0] > 10 && ended[1] > 3, "both ends occur: {ended:?}");
}

#[test]
fn a_death_on_the_way_back_is_no_mixture_either() {
    let (one, two) = (old(), new());
    let seen = runtime().block_on(steps(&one, &two));
    // The failures that make for a way back, the latest the longest.
    for step in ["prepare", "swapped", "rename", "installed"] {
        let fail = seen.iter().rposition(|other| other == step).unwrap();
        for later in 1..60 {
            let world = World::new();
            if !dies(
                &world,
                &one,
                &two,
                &[(fail, Some(Fault::Fail)), (fail + later, None)],
            ) {
                assert!(later > 1, "{step} has a way back");
                break;
            }
            let new = recovers(&world, &one, &two, step);
            assert!(
                !new,
                "a change that failed at {step} is old after a death {later} steps later"
            );
        }
    }
}

/// Applies `two` over `one` with these faults (`None` is death); whether it died.
fn dies(world: &World, one: &FileSet, two: &FileSet, faults: &[(usize, Option<Fault>)]) -> bool {
    let life = runtime();
    let control = life.block_on(async {
        let control = world.booted().await;
        control.apply(one.clone(), ann(), "", None).await.unwrap();
        control
    });
    let process = Arc::downgrade(&control.inner);
    let (dead, died) = death();
    for (at, fault) in faults {
        world
            .box_
            .faults
            .arm(*at, fault.clone().unwrap_or(Fault::Die(dead.clone())));
    }
    drop(dead);
    let files = two.clone();
    let change = life.spawn(async move { control.apply(files, ann(), "", None).await.map(|_| ()) });
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

/// Boots a new process after a death; whether it came back with the new files.
fn recovers(world: &World, one: &FileSet, two: &FileSet, step: &str) -> bool {
    let life = runtime();
    life.block_on(async {
        let control = world.booted().await;
        let disk = control.live_files().await.unwrap();
        let new = &disk == two;
        assert!(
            new || &disk == one,
            "a mixture after a death at {step}: {disk:?}"
        );
        world.assert_is(&control, &disk).await;
        control.inner.store.verify().await.unwrap();
        let names: Vec<_> = std::fs::read_dir(world.path("ssl"))
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        assert_eq!(names, ["www.pem"], "no leftovers");
        // And it is a box like any other.
        let other = if new { one } else { two };
        control.apply(other.clone(), ann(), "", None).await.unwrap();
        world.assert_is(&control, other).await;
        new
    })
}
