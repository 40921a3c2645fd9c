//! Threads of this test that live on one of the lab's hosts.

use std::fs::File;
use std::thread::JoinHandle;

use nix::sched::{CloneFlags, setns};

/// Runs `work` in a thread of its own inside a network namespace, which belongs to threads.
pub(crate) fn thread<T: Send + 'static>(
    namespace: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let path = format!("/run/netns/{namespace}");
    let name = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    std::thread::spawn(move || {
        setns(&name, CloneFlags::CLONE_NEWNET).unwrap();
        work()
    })
}
