use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::succession::Handover;
use super::{Keeper, Kind};
use crate::parent::process::{Noted, Process};
use crate::wire::parent::Role;

/// The kernel starts no program with this word (execve(2) knows no zero byte in one).
const IMPOSSIBLE: &str = "\0";
/// This test's own program ends at once with this word.
const POSSIBLE: &str = "--help";

/// A keeper of engines whose present one is this process itself. It must not signal it.
fn keeper(directory: &TempDir, word: &str) -> Keeper {
    let kind = Kind {
        role: Role::Engine,
        arguments: vec![word.into()],
        note: directory.path().join("engine.pid"),
        orphaned: false,
    };
    let mut keeper = Keeper::found(kind, false);
    let mut present = Process::find(std::process::id()).unwrap();
    present.attends = true;
    keeper.current = Some(present);
    keeper.adopting = false;
    keeper
}

#[tokio::test]
async fn a_successor_that_cannot_be_started_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&directory, IMPOSSIBLE);
    assert!(keeper.is_settled());
    keeper.replace_now();
    for _ in 0..3 {
        assert!(keeper.next.is_none());
        assert!(!keeper.is_settled());
        let soon = keeper.deadline();
        assert!(soon < Instant::now() + Duration::from_secs(1));
        tokio::time::sleep_until(soon.into()).await;
        keeper.late();
    }
    keeper.kind.arguments = vec![POSSIBLE.into()];
    tokio::time::sleep_until(keeper.deadline().into()).await;
    keeper.late();
    let next = keeper.next.as_ref().unwrap();
    assert_eq!(next.ended().await, "exit status: 0");
}

#[tokio::test]
async fn a_child_that_cannot_be_started_again_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&directory, IMPOSSIBLE);
    keeper.current_ended("a test says so");
    assert!(keeper.current.is_none());
    tokio::time::sleep_until(keeper.deadline().into()).await;
    keeper.late();
    assert!(keeper.current.is_none());
    keeper.kind.arguments = vec![POSSIBLE.into()];
    tokio::time::sleep_until(keeper.deadline().into()).await;
    keeper.late();
    let current = keeper.current.as_ref().unwrap();
    assert_eq!(current.ended().await, "exit status: 0");
    let noted = Noted::read(&keeper.kind.note);
    assert!(matches!(noted, Noted::Ended), "{noted:?}");
}

/// The end of a standstill that began when the child had nearly been silent for too long.
#[tokio::test]
async fn a_standstill_of_the_parent_counts_for_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut keeper = keeper(&directory, POSSIBLE);
    let now = Instant::now();
    let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
    let present = keeper.current.as_mut().unwrap();
    present.since = ago(60);
    present.heard = ago(33);
    keeper.woken = ago(31);
    let (done, mut told) = tokio::sync::oneshot::channel();
    keeper.handover = Some(Handover {
        formers: vec![1],
        done,
        until: ago(15),
    });
    // Nobody ran for 30 s.
    keeper.awake(ago(30));
    keeper.late();
    assert!(keeper.stuck.is_none());
    assert!(told.try_recv().is_err(), "15 s are left");
    let present = keeper.current.as_ref().unwrap();
    assert!(present.since >= ago(30));
    let heard = present.heard;
    assert!(heard >= now);
    // Whoever is punctual excuses nobody.
    keeper.awake(keeper.wake());
    keeper.awake(Instant::now());
    assert_eq!(keeper.current.as_ref().unwrap().heard, heard);
}
