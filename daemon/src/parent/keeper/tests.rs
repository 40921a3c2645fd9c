use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Keeper, Kind};
use crate::parent::process::Process;
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
    assert_eq!(
        Process::noted(&keeper.kind.note).map(|noted| noted.pid()),
        None,
        "it has been waited for"
    );
}
