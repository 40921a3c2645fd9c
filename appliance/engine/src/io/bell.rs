//! What wakes a worker that sleeps in its reactor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::thread::{self, ThreadId};

use rustix::event::{EventfdFlags, eventfd};

/// Rung by other threads after they left something for a worker to find. A runtime's own waker
/// cannot do that: the worker sleeps in its reactor and not in the runtime.
#[derive(Debug)]
pub(crate) struct Bell {
    descriptor: OwnedFd,
    /// The worker's thread, which is awake when it rings itself.
    worker: OnceLock<ThreadId>,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            descriptor: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            worker: OnceLock::new(),
        })
    }

    /// Wakes the worker, now or as soon as it sleeps.
    pub(crate) fn ring(&self) {
        if self.worker.get() != Some(&thread::current().id()) {
            // The counter is never read, since every write is an edge of its own; it is full after
            // more rings than an engine can live through.
            let _ = rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes());
        }
    }

    /// To be called on the worker's thread.
    pub(super) fn hear(&self) -> BorrowedFd<'_> {
        self.worker.get_or_init(|| thread::current().id());
        self.descriptor.as_fd()
    }
}
