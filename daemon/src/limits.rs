//! How many descriptors a process may have open: as many as the system lets it.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What the parent asks for its children; more than any configuration can use.
pub(crate) const DESCRIPTORS: u64 = 1 << 20;

/// Raises the limit of open files to the hard limit, or both to `most`, which needs a right.
pub(crate) fn raise_descriptors(most: Option<u64>) {
    let limit = Resource::RLIMIT_NOFILE;
    let Ok((soft, hard)) = getrlimit(limit) else {
        return;
    };
    let wanted = most.unwrap_or(hard).max(hard);
    // The engine counts connections by the limit it finds, so a refusal needs no other answer.
    if setrlimit(limit, wanted, wanted).is_err() && soft < hard {
        let _ = setrlimit(limit, hard, hard);
    }
}
