//! Finds threads of the engine that are stuck, writes down where they are, and ends the process: the
//! parent starts another one, which costs the open connections and nothing else.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lanai_engine::{Engine, Pulse};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// How often the threads are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A turn of a thread's loop that burns the processor for this long does not come to an end.
const STUCK_BUSY: Duration = Duration::from_secs(1);
/// A turn that waits for something, such as a disk, gets more time.
const STUCK_WAITING: Duration = Duration::from_secs(5);
/// A turn that is worth a warning: everything on that thread waits for it.
const SLOW: Duration = Duration::from_millis(100);
/// Warnings come no closer than this.
const QUIET: Duration = Duration::from_secs(1);
/// What the threads get to write down where they are.
const DUMP: Duration = Duration::from_millis(300);

/// The turn that a thread was last seen in.
struct Turn {
    number: u64,
    since: Instant,
    /// Processor time of the thread then.
    used: Duration,
}

/// Watches the engine that `engine` finds, for ever.
pub(super) async fn watch(engine: impl Fn() -> Option<Arc<Engine>>) {
    let mut turns = HashMap::new();
    let mut warned = None;
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(engine) = engine() else { continue };
        for pulse in &engine.pulse() {
            look(pulse, &mut turns, &mut warned);
        }
    }
}

fn look(pulse: &Pulse, turns: &mut HashMap<i32, Turn>, warned: &mut Option<Instant>) {
    let now = Instant::now();
    let used = used(pulse.thread);
    let turn = turns.entry(pulse.thread).or_insert(Turn {
        number: pulse.turns,
        since: now,
        used,
    });
    if pulse.asleep || turn.number != pulse.turns {
        *turn = Turn {
            number: pulse.turns,
            since: now,
            used,
        };
        return;
    }
    let lasts = now.duration_since(turn.since);
    let burnt = used.saturating_sub(turn.used);
    if burnt >= STUCK_BUSY || lasts >= STUCK_WAITING {
        let name = &pulse.name;
        tracing::error!(
            "thread {name} is stuck: one turn for {}ms, {}ms of them on the processor",
            lasts.as_millis(),
            burnt.as_millis()
        );
        // The handler of this signal has them all written down.
        std::process::abort();
    }
    if lasts >= SLOW && warned.is_none_or(|last| now.duration_since(last) >= QUIET) {
        tracing::warn!(
            "thread {} has been in one turn for {}ms: what it serves waits",
            pulse.name,
            lasts.as_millis()
        );
        *warned = Some(now);
    }
}

/// Processor time of one of our threads: the first field of its schedstat, in nanoseconds
/// (Documentation/scheduler/sched-stats.rst).
fn used(thread: i32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat"));
    let text = text.unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|it| it.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Makes SIGUSR2 have a thread write its stack to standard error, and SIGABRT, with which the parent
/// ends an engine that is stuck as a whole, all of them. To be called once.
pub(super) fn arm() -> nix::Result<()> {
    let stack = SigHandler::Handler(write_stack);
    // The second SIGABRT, at the end of the handler, ends the process.
    let end = SigHandler::Handler(end);
    for (signal, handler, flags) in [
        (Signal::SIGUSR2, stack, SaFlags::SA_RESTART),
        (Signal::SIGABRT, end, SaFlags::SA_RESETHAND),
    ] {
        let action = SigAction::new(handler, flags, SigSet::empty());
        // SAFETY: the handlers are not async-signal-safe: they allocate and take the lock of standard
        // error, and may hang if their thread was interrupted while it held one of those. Both
        // signals are sent only to a process that is about to be ended, by a thread that does not
        // wait for another's handler or by a parent that kills it a moment later: a hang costs the
        // dump.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// Has every thread write its stack.
fn dump() {
    let process = nix::unistd::getpid().as_raw();
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let threads = threads.flatten().filter_map(|thread| {
        let name = thread.file_name().into_string().ok()?;
        name.parse::<i32>().ok()
    });
    for thread in threads {
        // SAFETY: a plain system call without pointers. It fails for a thread that has ended.
        unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR2) };
    }
}

extern "C" fn write_stack(_: libc::c_int) {
    let stack = std::backtrace::Backtrace::force_capture();
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("main");
    // One call, so that threads do not write into one another's lines.
    let text = format!("stack of thread {name}:\n{stack}\n");
    // There is nobody left to tell that it cannot be written.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

extern "C" fn end(_: libc::c_int) {
    dump();
    std::thread::sleep(DUMP);
    std::process::abort();
}
