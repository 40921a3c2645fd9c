//! Signs of life of the threads, for a watchdog.
//!
//! Each thread writes one counter of its own: odd while it works, even while it sleeps. A worker's
//! counter also moves with every turn of its loop; a thread that is busy for long is asked to show
//! itself, so that one with much to do is not taken for one that is stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

/// What a thread does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Its name: `worker-0`, `service`.
    pub name: String,
    /// The kernel's number of it (gettid), 0 before it has begun.
    pub thread: i32,
    /// Whether it waits for something to do. Then it cannot be stuck.
    pub asleep: bool,
    /// Moves with every turn of its loop. Awake with the same number as before: the same turn still.
    pub turns: u64,
}

/// One thread's counter, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Beat {
    /// Odd while the thread works. Written by the thread alone.
    turns: AtomicU64,
    thread: AtomicI32,
    /// What [`Beats::read`] saw the last time.
    seen: AtomicU64,
}

/// The counters of all threads.
#[derive(Debug)]
pub(crate) struct Beats {
    workers: Box<[Arc<Beat>]>,
    pub(crate) service: Arc<Beat>,
}

impl Beat {
    /// Another turn of the thread's loop.
    pub(crate) fn turn(&self) {
        self.add(2);
    }

    /// Begins: the thread is awake. Call it on the thread itself.
    pub(crate) fn begin(&self) {
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        self.thread.store(thread, Ordering::Relaxed);
        self.turns.store(1, Ordering::Relaxed);
    }

    /// The thread sleeps while `sleep` runs.
    pub(crate) fn asleep<R>(&self, sleep: impl FnOnce() -> R) -> R {
        self.add(1);
        let outcome = sleep();
        self.add(1);
        outcome
    }

    /// Begins, and has the thread's runtime mark when it sleeps and wakes. Call it on the thread
    /// itself.
    pub(crate) fn attend(self: &Arc<Self>, builder: &mut Builder) {
        self.begin();
        let (sleeps, wakes) = (self.clone(), self.clone());
        builder.on_thread_park(move || sleeps.add(1));
        builder.on_thread_unpark(move || wakes.add(1));
    }

    /// There is one writer: no locked instruction is needed.
    fn add(&self, n: u64) {
        let turns = self.turns.load(Ordering::Relaxed);
        self.turns.store(turns.wrapping_add(n), Ordering::Relaxed);
    }

    /// Reads it, and whether it is awake and has not moved since it was read before.
    fn read(&self, name: String) -> (Pulse, bool) {
        let turns = self.turns.load(Ordering::Relaxed);
        let asleep = turns.is_multiple_of(2);
        let same = self.seen.swap(turns, Ordering::Relaxed) == turns;
        let pulse = Pulse {
            name,
            thread: self.thread.load(Ordering::Relaxed),
            asleep,
            turns,
        };
        (pulse, same && !asleep)
    }
}

impl Beats {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers: (0..workers).map(|_| Arc::default()).collect(),
            service: Arc::default(),
        }
    }

    pub(crate) fn worker(&self, id: usize) -> &Arc<Beat> {
        self.workers
            .get(id)
            .expect("a worker's number is below the number of workers")
    }

    /// Reads all, and asks those that do not move to show themselves: `ask` gets a worker's number,
    /// or `None` for the service thread.
    pub(crate) fn read(&self, ask: impl Fn(Option<usize>)) -> Vec<Pulse> {
        let workers = self.workers.iter().enumerate().map(|(id, beat)| {
            let (pulse, still) = beat.read(format!("worker-{id}"));
            if still {
                ask(Some(id));
            }
            pulse
        });
        let mut pulses: Vec<Pulse> = workers.collect();
        let (pulse, still) = self.service.read("service".to_owned());
        if still {
            ask(None);
        }
        pulses.push(pulse);
        pulses
    }
}

/// Keeps the thread busy.
pub(crate) fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}
