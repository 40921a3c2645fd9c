//! How a child is started, and what if it cannot be.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::super::process::Process;
use super::Keeper;

/// First pause before a child that died at once is started again; it doubles up to [`PAUSE_MOST`].
const PAUSE_LEAST: Duration = Duration::from_millis(50);
const PAUSE_MOST: Duration = Duration::from_secs(10);

impl Keeper {
    /// Puts one to work, now or as soon as that can be done.
    pub(super) fn start_current(&mut self) {
        self.current = self.start();
        match &self.current {
            Some(current) => current.note(&self.kind.note),
            None => self.pause = Some(self.back_off()),
        }
    }

    /// Starts one that is to take over, now or as soon as that can be done. It is noted when it does.
    pub(super) fn start_next(&mut self) {
        self.next = self.start();
        if self.next.is_none() {
            self.again = Some(self.back_off());
        }
    }

    /// One comes that has been at work: what was just started for its lack, and knows nothing yet, makes
    /// room.
    pub(super) fn give_up_newborn(&mut self, pid: u32) {
        let adopting = self.adopting;
        let newborn = self
            .current
            .take_if(|current| !adopting && !current.attends && current.pid() != pid);
        if let Some(newborn) = newborn {
            newborn.signal(Signal::SIGKILL);
            self.leaving.push(newborn);
        }
    }

    /// When to try again after one more failure.
    pub(super) fn back_off(&mut self) -> Instant {
        let pause = PAUSE_LEAST.saturating_mul(1 << self.failures.min(10));
        self.failures += 1;
        Instant::now() + pause.min(PAUSE_MOST)
    }

    fn start(&self) -> Option<Process> {
        match Process::start(&self.kind.arguments) {
            Ok(process) => {
                tracing::info!(pid = process.pid(), "started {}", self.kind.name());
                Some(process)
            }
            Err(error) => {
                tracing::error!(%error, "cannot start {}", self.kind.name());
                None
            }
        }
    }
}
