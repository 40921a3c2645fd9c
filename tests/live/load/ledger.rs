//! What the load has seen: every success with its latency, every failure with the history of its
//! connection, and the longest time without a success.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Requests on kept connections.
    Kept,
    /// A new connection for each request.
    Fresh,
    /// A new connection and a full TLS handshake for each request.
    Secure,
    /// HTTP connections that were upgraded.
    Tunnel,
    /// Connections in TCP mode.
    Echo,
    /// Long downloads, read slowly.
    Download,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [
        Kind::Kept,
        Kind::Fresh,
        Kind::Secure,
        Kind::Tunnel,
        Kind::Echo,
        Kind::Download,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::Kept => "keep-alive",
            Kind::Fresh => "new connection",
            Kind::Secure => "new TLS",
            Kind::Tunnel => "tunnel",
            Kind::Echo => "TCP mode",
            Kind::Download => "download",
        }
    }
}

/// How an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody listens.
    Refused,
    /// The peer's kernel threw the connection away.
    Reset,
    /// The connection was closed in order, before a byte of the answer.
    NoAnswer,
    /// It was closed in the middle of an answer.
    Short,
    /// Other bytes than the origin's.
    Wrong,
    /// An answer of the proxy's own: 502, 503, 504...
    Status,
    /// Nothing in time.
    Timeout,
    /// Anything else that the kernel says.
    Other,
}

impl Cause {
    pub(crate) const ALL: [Cause; 8] = [
        Cause::Refused,
        Cause::Reset,
        Cause::NoAnswer,
        Cause::Short,
        Cause::Wrong,
        Cause::Status,
        Cause::Timeout,
        Cause::Other,
    ];

    fn name(self) -> &'static str {
        match self {
            Cause::Refused => "refused",
            Cause::Reset => "reset",
            Cause::NoAnswer => "no answer",
            Cause::Short => "short",
            Cause::Wrong => "wrong",
            Cause::Status => "status",
            Cause::Timeout => "timeout",
            Cause::Other => "other",
        }
    }
}

/// A failed exchange.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) cause: Cause,
    /// When the client began to open the connection. Nobody accepted it before.
    pub(crate) begun: Instant,
    /// When the client saw the failure.
    pub(crate) at: Instant,
    /// In words.
    pub(crate) detail: String,
}

/// Failures that are kept with their history; more are only counted.
const KEPT_FAILURES: usize = 20_000;

/// One kind's figures.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) done: u64,
    pub(crate) failed: [u64; Cause::ALL.len()],
    /// Kept connections that the server closed while they were idle, or said it would close.
    pub(crate) closed: u64,
    /// Due times that had passed by more than a second: a rate that was not kept up.
    pub(crate) skipped: u64,
    latency: Histogram<u64>,
    last: Instant,
    longest: Duration,
}

impl Tally {
    fn new(now: Instant) -> Tally {
        Tally {
            done: 0,
            failed: [0; Cause::ALL.len()],
            closed: 0,
            skipped: 0,
            // Microseconds up to a minute; what takes longer counts as a minute.
            latency: Histogram::new_with_bounds(1, 60_000_000, 3).unwrap(),
            last: now,
            longest: Duration::ZERO,
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.iter().sum()
    }

    pub(crate) fn failed_by(&self, cause: Cause) -> u64 {
        self.failed[cause as usize]
    }

    fn progress(&mut self, now: Instant) {
        self.longest = self.longest.max(now.saturating_duration_since(self.last));
        self.last = now;
    }

    fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_quantile(quantile))
    }
}

struct Book {
    since: Instant,
    /// When the clients began to come to their ends.
    until: Option<Instant>,
    tallies: [Tally; Kind::ALL.len()],
    failures: Vec<Failure>,
    stall: Duration,
    /// A request that began after the first instant ended at the second.
    awaited: Option<(Instant, Option<Instant>)>,
}

/// The figures of a running load.
pub(crate) struct Ledger {
    book: Mutex<Book>,
}

impl Ledger {
    pub(crate) fn new() -> Ledger {
        let now = Instant::now();
        Ledger {
            book: Mutex::new(Book {
                since: now,
                until: None,
                tallies: Kind::ALL.map(|_| Tally::new(now)),
                failures: Vec::new(),
                stall: Duration::ZERO,
                awaited: None,
            }),
        }
    }

    /// Begins anew; connections that are open stay so.
    pub(crate) fn clear(&self) {
        *self.book() = Ledger::new().book.into_inner().unwrap();
    }

    /// An exchange that began at `started` has come back whole.
    pub(crate) fn done(&self, kind: Kind, started: Instant) {
        let now = Instant::now();
        let taken = now.saturating_duration_since(started).as_micros();
        let mut book = self.book();
        let tally = &mut book.tallies[kind as usize];
        tally.done += 1;
        tally.latency.saturating_record(taken as u64);
        tally.progress(now);
        if let Some((from, first @ None)) = &mut book.awaited
            && started >= *from
            && matches!(kind, Kind::Kept | Kind::Fresh)
        {
            *first = Some(now);
        }
    }

    /// Part of a long exchange has come.
    pub(crate) fn progress(&self, kind: Kind) {
        self.book().tallies[kind as usize].progress(Instant::now());
    }

    pub(crate) fn closed(&self, kind: Kind) {
        self.book().tallies[kind as usize].closed += 1;
    }

    pub(crate) fn skipped(&self, kind: Kind, times: u64) {
        self.book().tallies[kind as usize].skipped += times;
    }

    /// The clients themselves came so late to their turn: for want of a processor, and not because
    /// of anybody they talk to.
    pub(crate) fn stalled(&self, late: Duration) {
        let mut book = self.book();
        book.stall = book.stall.max(late);
    }

    pub(crate) fn failed(&self, failure: Failure) {
        let mut book = self.book();
        book.tallies[failure.kind as usize].failed[failure.cause as usize] += 1;
        if book.failures.len() < KEPT_FAILURES {
            book.failures.push(failure);
        }
    }

    /// From now on the first success of a request that begins from now on is looked out for.
    pub(crate) fn look_out(&self) -> Instant {
        let now = Instant::now();
        self.book().awaited = Some((now, None));
        now
    }

    /// When it came.
    pub(crate) fn first_success(&self) -> Option<Instant> {
        self.book().awaited?.1
    }

    /// The clients come to their ends: what comes still counts, but no gap any more.
    pub(crate) fn end(&self) {
        self.book().until = Some(Instant::now());
    }

    pub(crate) fn report(&self) -> Report {
        let mut book = self.book();
        let now = book.until.unwrap_or_else(Instant::now);
        for tally in &mut book.tallies {
            // A gap that lasts counts too, but only for what ever worked.
            if tally.done > 0 {
                tally.longest = tally.longest.max(now.saturating_duration_since(tally.last));
            }
        }
        Report {
            span: now - book.since,
            stall: book.stall,
            tallies: book.tallies.clone(),
            failures: book.failures.clone(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures at one time.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    span: Duration,
    stall: Duration,
    tallies: [Tally; Kind::ALL.len()],
    pub(crate) failures: Vec<Failure>,
}

impl Report {
    pub(crate) fn of(&self, kind: Kind) -> &Tally {
        &self.tallies[kind as usize]
    }

    pub(crate) fn failed(&self) -> u64 {
        self.tallies.iter().map(Tally::failures).sum()
    }

    /// Nothing was refused, reset, cut, garbled or late, and every kind got through.
    #[track_caller]
    pub(crate) fn nothing_dropped(&self) {
        assert!(self.failed() == 0, "{self}{}", self.first_failures());
        for kind in Kind::ALL {
            assert!(
                self.of(kind).done > 0,
                "no {} got through\n{self}",
                kind.name()
            );
        }
    }

    /// The first failures in words, with their times since the first of them.
    pub(crate) fn first_failures(&self) -> String {
        let Some(first) = self.failures.first() else {
            return String::new();
        };
        let lines = self.failures.iter().take(12).map(|failure| {
            format!(
                "  +{:.3} s {} {}: {} (connection begun {:.3} s before)\n",
                (failure.at - first.at).as_secs_f64(),
                failure.kind.name(),
                failure.cause.name(),
                failure.detail,
                (failure.at - failure.begun).as_secs_f64()
            )
        });
        lines.collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.span.as_secs_f64();
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        writeln!(
            out,
            "{span:.1} s of load; the clients themselves stood still for {:.0} ms at most",
            ms(self.stall)
        )?;
        write!(
            out,
            "{:<15}{:>9}{:>9}{:>8}",
            "kind", "done", "per s", "failed"
        )?;
        for cause in Cause::ALL {
            write!(out, "{:>10}", cause.name())?;
        }
        writeln!(
            out,
            "{:>8}{:>8}{:>10}{:>10}{:>10}{:>10}",
            "closed", "skipped", "p50 ms", "p99 ms", "p99.9 ms", "gap ms"
        )?;
        for kind in Kind::ALL {
            let tally = self.of(kind);
            if tally.done + tally.failures() == 0 {
                continue;
            }
            let rate = tally.done as f64 / span;
            write!(
                out,
                "{:<15}{:>9}{:>9.0}{:>8}",
                kind.name(),
                tally.done,
                rate,
                tally.failures()
            )?;
            for cause in Cause::ALL {
                write!(out, "{:>10}", tally.failed_by(cause))?;
            }
            write!(out, "{:>8}{:>8}", tally.closed, tally.skipped)?;
            for quantile in [0.5, 0.99, 0.999] {
                // How long a download takes is set.
                if kind == Kind::Download {
                    write!(out, "{:>10}", "")?;
                } else {
                    write!(out, "{:>10.2}", ms(tally.quantile(quantile)))?;
                }
            }
            writeln!(out, "{:>10.0}", ms(tally.longest))?;
        }
        Ok(())
    }
}
