//! How one takes the place of another without a gap.

use std::time::Instant;

use nix::sys::signal::Signal;
use tokio::sync::oneshot;

use super::Keeper;
use super::limits::HANDOVER;
use crate::child;
use crate::wire::parent::Role;

/// A process that takes over.
pub(super) struct Handover {
    /// Those that may listen still.
    pub(super) formers: Vec<u32>,
    pub(super) done: oneshot::Sender<()>,
    /// Then it goes on anyway.
    pub(super) until: Instant,
}

impl Keeper {
    pub(super) fn replace_now(&mut self) {
        let name = self.kind.name();
        match (self.kind.role, &self.current) {
            (_, None) => {}
            (Role::Engine, Some(_)) if self.next.is_some() || self.again.is_some() => {
                tracing::info!("another {name} is on its way already");
            }
            (Role::Engine, Some(_)) => {
                self.failed = None;
                self.start_next();
            }
            (Role::Control, Some(current)) => {
                // It has no connections of others, and its successor answers on the same sockets.
                current.signal(Signal::SIGTERM);
                self.retiring = true;
            }
        }
    }

    pub(super) fn takes_over(&mut self, pid: u32, done: oneshot::Sender<()>) {
        if self.next.as_ref().is_none_or(|next| next.pid() != pid) {
            // It is the present one, which took over from one that had died: perhaps before those that it was
            // to succeed itself had stopped listening.
            match &mut self.handover {
                Some(handover) => handover.done = done,
                None => drop(done.send(())),
            }
            if std::mem::take(&mut self.replace) {
                self.replace_now();
            }
            return;
        }
        if self.outdated.is_some() {
            // It is being killed.
            return;
        }
        let former = std::mem::replace(&mut self.current, self.next.take());
        if let Some(current) = &self.current {
            current.note(&self.kind.note);
        }
        self.failures = 0;
        if let Some(current) = &mut self.current {
            current.heard = Instant::now();
        }
        if let Some(former) = &former
            && self.stuck.take().is_some()
        {
            former.signal(Signal::SIGKILL);
        }
        match former {
            Some(former) => {
                tracing::info!(
                    pid = former.pid(),
                    "the former {} finishes",
                    self.kind.name()
                );
                former.signal(child::MAKE_ROOM);
                let mut formers = self.handover.take().map_or_else(Vec::new, |it| it.formers);
                formers.push(former.pid());
                self.handover = Some(Handover {
                    formers,
                    done,
                    until: Instant::now() + HANDOVER,
                });
                self.leaving.push(former);
            }
            None => drop(done.send(())),
        }
    }

    /// A process has stopped listening.
    pub(super) fn finishes(&mut self, pid: u32) {
        self.handed_over(pid);
        if let Some(current) = self.current.take_if(|current| current.pid() == pid) {
            // Somebody else has told it to.
            tracing::warn!(
                pid,
                "{} finishes unasked: another one is started",
                self.kind.name()
            );
            self.leaving.push(current);
            match self.next.take() {
                Some(next) => {
                    next.note(&self.kind.note);
                    self.current = Some(next);
                }
                None => self.start_current(),
            }
        }
    }

    /// A predecessor does not listen any more, one way or another.
    pub(super) fn handed_over(&mut self, pid: u32) {
        let Some(handover) = &mut self.handover else {
            return;
        };
        handover.formers.retain(|former| *former != pid);
        if let Some(over) = self.handover.take_if(|it| it.formers.is_empty()) {
            // Whoever waited may have died.
            let _ = over.done.send(());
        }
    }

    /// A successor on its way has copies of sockets that were closed just now, and ends.
    pub(super) fn sockets_closed(&mut self, done: oneshot::Sender<()>) {
        match &self.next {
            Some(next) => {
                let pid = next.pid();
                tracing::info!(pid, "a successor with closed sockets starts anew");
                next.signal(Signal::SIGKILL);
                self.outdated = Some(done);
            }
            // Whoever asked may have gone.
            None => drop(done.send(())),
        }
    }
}
