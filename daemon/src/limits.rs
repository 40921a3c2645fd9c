//! What a process may have: as many open descriptors as the system lets it, and no more memory than
//! it uses.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What the parent asks for its children; more than any configuration can use.
pub(crate) const DESCRIPTORS: u64 = 1 << 20;

/// Blocks of memory from this size on go back to the system as soon as they are free.
const LARGE_BLOCK: libc::c_int = 4 << 20;

/// Has the allocator give large blocks back (mallopt(3)). It would learn from the first that is freed
/// to keep those of its size, and each of a process's threads would keep what one password's hash takes.
pub(crate) fn give_large_blocks_back() {
    // SAFETY: mallopt sets a parameter of the allocator, under the allocator's own lock; it takes no
    // pointers. Where it refuses the value, nothing changes.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BLOCK) };
}

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
