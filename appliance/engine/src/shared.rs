//! What all threads of an engine share.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;

use crate::overrides::OverrideSender;
use crate::pulse::Beats;
use crate::service::syslog::LogSender;
use crate::state::{FrontendState, Live};
use crate::worker::{Command, Mailbox};

pub(crate) struct Shared {
    /// The running configuration.
    pub(crate) live: Arc<ArcSwap<Live>>,
    pub(crate) started: Instant,
    pub(crate) workers: OnceLock<Vec<Mailbox>>,
    /// Client connections at most: as set at run time, and as at the start.
    pub(crate) maxconn: AtomicU32,
    pub(crate) hard_maxconn: u32,
    pub(crate) bufsize: usize,
    /// Bytes that a message head may have.
    pub(crate) max_head: usize,
    pub(crate) connections: AtomicU32,
    pub(crate) total_connections: AtomicU64,
    held_back: AtomicBool,
    pub(crate) stopping: AtomicBool,
    /// The listening sockets are nobody else's to open and shut.
    pub(crate) in_charge: AtomicBool,
    /// Idle clients are not closed when stopping.
    pub(crate) keeps_idle: AtomicBool,
    pub(crate) log: LogSender,
    pub(crate) beats: Beats,
    /// Where changes at run time are told.
    pub(crate) journal: Option<OverrideSender>,
    /// Wakes who waits for the last connection to end.
    pub(crate) drained: tokio::sync::Notify,
}

/// The right to have one more client connection. Dropping it gives it back.
pub(crate) struct Admission {
    shared: Arc<Shared>,
    frontend: Arc<FrontendState>,
}

impl Shared {
    pub(crate) fn new(
        threads: usize,
        maxconn: u32,
        bufsize: usize,
        max_head: usize,
        log: LogSender,
        journal: Option<OverrideSender>,
    ) -> Self {
        Self {
            live: Arc::default(),
            started: Instant::now(),
            workers: OnceLock::new(),
            maxconn: AtomicU32::new(maxconn),
            hard_maxconn: maxconn,
            bufsize,
            max_head,
            connections: AtomicU32::new(0),
            total_connections: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            in_charge: AtomicBool::new(false),
            keeps_idle: AtomicBool::new(false),
            log,
            beats: Beats::new(threads),
            journal,
            drained: tokio::sync::Notify::new(),
        }
    }

    /// Counts one more connection, if the limits of the process and of the frontend allow it.
    pub(crate) fn admit(self: &Arc<Self>, frontend: &Arc<FrontendState>) -> Option<Admission> {
        let most = self.maxconn();
        let limit = frontend.limit.load(Ordering::Relaxed).min(most);
        if self.connections.fetch_add(1, Ordering::SeqCst) >= most {
            self.held_back.store(true, Ordering::SeqCst);
            // Asked again: one may have left between the refusal and the note of it.
            if self.connections.load(Ordering::SeqCst) > most {
                self.connections.fetch_sub(1, Ordering::SeqCst);
                return None;
            }
        }
        if frontend.admitted.fetch_add(1, Ordering::SeqCst) >= limit {
            frontend.held_back.store(true, Ordering::SeqCst);
            if frontend.admitted.load(Ordering::SeqCst) > limit {
                frontend.admitted.fetch_sub(1, Ordering::SeqCst);
                self.connections.fetch_sub(1, Ordering::SeqCst);
                return None;
            }
        }
        Some(Admission {
            shared: self.clone(),
            frontend: frontend.clone(),
        })
    }

    /// Tells all workers.
    pub(crate) fn tell(&self, command: impl Fn() -> Command) {
        for mailbox in self.workers.get().into_iter().flatten() {
            // A worker that has ended needs to be told nothing.
            let _ = mailbox.send(command());
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.frontend.admitted.fetch_sub(1, Ordering::SeqCst);
        let left = self.shared.connections.fetch_sub(1, Ordering::SeqCst) - 1;
        let held = self.frontend.held_back.swap(false, Ordering::SeqCst)
            | self.shared.held_back.swap(false, Ordering::SeqCst);
        if held {
            self.shared.tell(|| Command::AcceptAgain);
        }
        if left == 0 {
            self.shared.drained.notify_waiters();
        }
    }
}
