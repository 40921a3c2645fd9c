//! When the next exchange is due.

use std::time::{Duration, Instant};

use super::{Clients, Kind, Ledger};

/// A client that is later than this leaves out what it missed.
const LATEST: Duration = Duration::from_secs(1);

/// The turns of one client.
pub(crate) struct Pace {
    kind: Kind,
    next: Instant,
    every: Duration,
}

impl Pace {
    /// One of `clients`, which take turns.
    pub(crate) fn new(kind: Kind, clients: Clients, index: u32) -> Pace {
        let rate = f64::from(clients.per_second.max(1));
        let every = Duration::from_secs_f64(f64::from(clients.connections) / rate);
        Pace {
            kind,
            next: Instant::now() + every * index / clients.connections.max(1),
            every,
        }
    }

    /// Waits for the next turn. An exchange that could not begin in time, because the one before
    /// took too long, is counted from when it was due: a server that stands still is not measured
    /// only once.
    pub(crate) async fn turn(&mut self, ledger: &Ledger) -> Instant {
        let now = Instant::now();
        let due = self.next;
        self.next += self.every;
        if due > now {
            tokio::time::sleep_until(due.into()).await;
            return Instant::now();
        }
        let late = now - due;
        if late > LATEST {
            let times = (late.as_secs_f64() / self.every.as_secs_f64()) as u32;
            ledger.skipped(self.kind, u64::from(times));
            self.next += self.every * times;
        }
        due
    }
}
