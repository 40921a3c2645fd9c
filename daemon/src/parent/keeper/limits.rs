//! How long a child may take for what, and what happens to one that takes longer.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::super::process::Process;
use super::Keeper;
use crate::wire::parent::{HEARTBEAT_MS, Role};

/// A child that was at work this long is started again at once.
pub(super) const STEADY: Duration = Duration::from_millis(500);
/// How long a child of a former parent may take to attend this one.
const ADOPTION: Duration = Duration::from_secs(3);
/// How long a child that nobody noted is waited for. It looks for a new parent twice a second.
pub(super) const COMING: Duration = Duration::from_secs(1);
/// How long a child may take from its start to its first word.
const BIRTH: Duration = Duration::from_secs(15);
/// How long a successor may take until it serves: it resolves the names of a configuration first.
const SUCCESSION: Duration = Duration::from_secs(120);
/// An engine without a sign of life for this long is stuck as a whole. Stuck threads it finds itself.
const ENGINE_SILENCE: Duration = Duration::from_millis(8 * HEARTBEAT_MS);
/// Nobody's traffic waits for control, and a large change may keep it busy.
const CONTROL_SILENCE: Duration = Duration::from_millis(120 * HEARTBEAT_MS);
/// What a stuck process gets to write down where it is, before it is killed.
const DUMP: Duration = Duration::from_secs(1);
/// How long a predecessor may take to stop listening before its successor goes on anyway.
pub(super) const HANDOVER: Duration = Duration::from_secs(2);

/// The pause between two signs of life, of a child and of the keeper itself.
const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);

impl Keeper {
    /// When to wake up at the latest, though nothing may be due: whoever sleeps longer cannot tell
    /// whether it stood still.
    pub(super) fn wake(&self) -> Instant {
        self.deadline().min(self.woken + HEARTBEAT)
    }

    /// We are awake, and wanted to be at `due`. While this process did not run (a paused machine, a
    /// frozen group, a slow disk), it heard nobody, and perhaps nobody else ran either: that time
    /// counts for nobody, and a child gets all of its silence again.
    pub(super) fn awake(&mut self, due: Instant) {
        let now = Instant::now();
        let still = now.saturating_duration_since(due.max(self.woken));
        self.woken = now;
        if still < HEARTBEAT {
            return;
        }
        tracing::warn!("the parent stood still for {still:.1?}");
        for process in self.current.iter_mut().chain(self.next.iter_mut()) {
            process.since = (process.since + still).min(now);
            process.heard = now;
        }
        if let Some(handover) = &mut self.handover {
            handover.until += still;
        }
        for until in [&mut self.stuck, &mut self.pause].into_iter().flatten() {
            *until += still;
        }
    }

    /// The next moment at which something is due that nobody tells us.
    pub(super) fn deadline(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let current = self.current.as_ref().map(|process| self.limit(process));
        let next = self.next.as_ref().map(successor_limit);
        let handover = self.handover.as_ref().map(|it| it.until);
        let all = [current, next, handover, self.pause, self.again, self.stuck];
        all.into_iter().flatten().min().unwrap_or(far)
    }

    fn limit(&self, process: &Process) -> Instant {
        if self.stuck.is_some() {
            // The dump has its own limit.
            return process.since + Duration::from_secs(1 << 31);
        }
        match (self.adopting, process.attends, self.kind.role) {
            (true, ..) => process.since + ADOPTION,
            (_, false, _) => process.since + BIRTH,
            (_, true, Role::Engine) => process.heard + ENGINE_SILENCE,
            (_, true, Role::Control) => process.heard + CONTROL_SILENCE,
        }
    }

    pub(super) fn late(&mut self) {
        let now = Instant::now();
        let name = self.kind.name();
        if self.pause.take_if(|when| *when <= now).is_some() {
            self.start_current();
        }
        if self.again.take_if(|when| *when <= now).is_some() {
            self.start_next();
        }
        if let Some(over) = self.handover.take_if(|it| it.until <= now) {
            tracing::warn!(
                pids = ?over.formers,
                "the former {name} does not say that it stopped listening"
            );
            let _ = over.done.send(());
        }
        if let Some(next) = &mut self.next
            && successor_limit(next) <= now
        {
            tracing::error!(pid = next.pid(), "the new {name} does not begin to serve");
            self.failed = Some("it does not begin to serve".to_owned());
            next.signal(Signal::SIGKILL);
            // The kernel tells of its end; that may take a while, but not for ever.
            next.since = now;
        }
        let Some(current) = &self.current else {
            return;
        };
        if self.stuck.is_some_and(|until| until <= now) {
            current.signal(Signal::SIGKILL);
            self.stuck = Some(now + Duration::from_secs(60));
        } else if self.stuck.is_none() && self.limit(current) <= now {
            let pid = current.pid();
            if self.adopting {
                tracing::error!(pid, "the former {name} does not attend: it is killed");
            } else {
                tracing::error!(pid, "{name} gives no sign of life: it is ended");
            }
            // It writes down where its threads are, if it still can (SIGABRT).
            current.signal(Signal::SIGABRT);
            self.stuck = Some(now + DUMP);
        }
    }
}

/// When a successor has to serve.
fn successor_limit(process: &Process) -> Instant {
    process.since + if process.attends { SUCCESSION } else { BIRTH }
}
