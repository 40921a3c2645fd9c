//! Keeps one of the two other processes running: starts it, takes it up from a former parent, starts
//! it again when it dies or is stuck, and puts a new one in its place without a gap.

mod end;
mod limits;
mod start;
mod succession;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use super::process::{Noted, Process};
use crate::wire::parent::{Role, Stage};
use limits::{COMING, STEADY};
use succession::Handover;

/// What the children are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Run, and run again.
    Run,
    /// End now.
    Stop,
    /// The engine may finish its connections first.
    Finish,
}

/// What the keeper is told of its child.
#[derive(Debug)]
pub(super) enum News {
    /// A process says its first word. Answered by why it is not wanted, or else by whether it is to
    /// succeed another one that is at work; not at all, if that cannot be told now.
    Attends {
        pid: u32,
        stage: Stage,
        wanted: oneshot::Sender<Result<bool, String>>,
    },
    /// A process that was taken up has handed over all that is to be kept.
    HandedOver,
    /// A sign of life.
    Alive(u32),
    /// A new process serves: its predecessor may finish. Answered when that does not listen any more; not
    /// at all, if another new one does so meanwhile.
    TakesOver { pid: u32, done: oneshot::Sender<()> },
    /// The one at work has closed listening sockets for good. Answered once no successor on its way has
    /// them.
    SocketsClosed(oneshot::Sender<()>),
    /// A new process cannot serve what its predecessor serves.
    GivesUp { pid: u32, why: String },
    /// A process has stopped listening.
    Finishes(u32),
    /// A new one is to take the place of the present one.
    Replace,
    /// Answered once one is at work and none on its way, by why the last one that was to replace the
    /// present one did not.
    Settled(oneshot::Sender<Option<String>>),
}

/// How to run one kind of child.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) role: Role,
    pub(super) arguments: Vec<OsString>,
    /// Where its process id is noted.
    pub(super) note: PathBuf,
    /// A former parent ended without its children: one may come that is not noted.
    pub(super) orphaned: bool,
}

impl Kind {
    fn name(&self) -> &'static str {
        match self.role {
            Role::Control => "control",
            Role::Engine => "engine",
        }
    }
}

/// Keeps a child running until it is ordered to stop. With `replace`, one that was adopted is
/// replaced at once.
pub(super) async fn keep(
    kind: Kind,
    order: watch::Receiver<Order>,
    news: mpsc::Receiver<News>,
    replace: bool,
) {
    Keeper::found(kind, replace).run(order, news).await;
}

struct Keeper {
    kind: Kind,
    /// The one at work.
    current: Option<Process>,
    /// It has not attended us yet, and was started by a parent before us.
    adopting: bool,
    /// The one that is to take its place, until it serves.
    next: Option<Process>,
    /// When one that is to take its place is started, after that failed.
    again: Option<Instant>,
    /// Those that finish their connections.
    leaving: Vec<Process>,
    /// Who waits for predecessors to stop listening.
    handover: Option<Handover>,
    /// Who waits for a successor to be gone that is to be started anew.
    outdated: Option<oneshot::Sender<()>>,
    /// When to start the next one.
    pause: Option<Instant>,
    /// Times it died soon after its start, one after another.
    failures: u32,
    /// When a stuck process that was asked for a dump is killed.
    stuck: Option<Instant>,
    /// An adopted process is replaced.
    replace: bool,
    /// The present one was told to end, for a successor to be started.
    retiring: bool,
    /// Why the last one that was to replace the present one did not.
    failed: Option<String>,
    /// Who waits until nothing is on its way.
    waiting: Vec<oneshot::Sender<Option<String>>>,
    /// When we last woke up.
    woken: Instant,
}

/// What happened next.
enum Event {
    CurrentEnded(String),
    NextEnded(String),
    Left(usize, String),
    Told(News),
    Late,
    Ordered,
}

impl Keeper {
    /// With whom a former parent noted.
    fn found(kind: Kind, replace: bool) -> Keeper {
        let now = Instant::now();
        let (current, pause) = match Noted::read(&kind.note) {
            Noted::Running(process) => (Some(process), None),
            Noted::Nobody if kind.orphaned => (None, Some(now + COMING)),
            Noted::Ended | Noted::Nobody => (None, Some(now)),
        };
        Keeper {
            adopting: current.is_some(),
            current,
            next: None,
            again: None,
            leaving: Vec::new(),
            handover: None,
            outdated: None,
            pause,
            failures: 0,
            stuck: None,
            replace,
            retiring: false,
            failed: None,
            waiting: Vec::new(),
            woken: now,
            kind,
        }
    }

    async fn run(mut self, mut order: watch::Receiver<Order>, mut news: mpsc::Receiver<News>) {
        while *order.borrow() == Order::Run {
            let late = self.wake();
            let event = tokio::select! {
                biased;
                _ = ordered(&mut order) => Event::Ordered,
                told = news.recv() => told.map_or(Event::Ordered, Event::Told),
                how = ended(self.current.as_ref()) => Event::CurrentEnded(how),
                how = ended(self.next.as_ref()) => Event::NextEnded(how),
                (which, how) = any_ended(&self.leaving) => Event::Left(which, how),
                () = tokio::time::sleep_until(late.into()) => Event::Late,
            };
            self.awake(late);
            match event {
                Event::Told(news) => self.told(news),
                Event::CurrentEnded(how) => self.current_ended(&how),
                Event::NextEnded(_) if self.outdated.is_some() => {
                    // Whoever waits may have gone.
                    let _ = self.outdated.take().map(|done| done.send(()));
                    self.failed = None;
                    self.start_next();
                }
                Event::NextEnded(how) => {
                    self.next = None;
                    // What it said itself tells more.
                    self.failed
                        .get_or_insert_with(|| format!("it has ended: {how}"));
                    tracing::error!(
                        "the new {} has ended: {how}; the old one goes on",
                        self.kind.name()
                    );
                }
                Event::Left(which, how) => {
                    let process = self.leaving.swap_remove(which);
                    tracing::info!(
                        pid = process.pid(),
                        "a former {} has ended: {how}",
                        self.kind.name()
                    );
                    self.handed_over(process.pid());
                }
                Event::Late => self.late(),
                Event::Ordered => {}
            }
            if self.is_settled() {
                for waiting in self.waiting.drain(..) {
                    // Whoever waited may have gone.
                    let _ = waiting.send(self.failed.clone());
                }
            }
        }
        self.end(order, news).await;
    }

    fn told(&mut self, news: News) {
        match news {
            News::Attends { pid, stage, wanted } => match self.attends(pid, stage) {
                // Whoever asked may have gone.
                Ok(answer) => drop(wanted.send(answer)),
                // No answer: it is no fault of that process, which tries again.
                Err(error) => tracing::error!(pid, %error, "cannot take up {}", self.kind.name()),
            },
            News::HandedOver => {
                if std::mem::take(&mut self.replace) {
                    self.replace_now();
                }
            }
            News::Alive(pid) => {
                if let Some(current) = self.find(pid) {
                    current.heard = Instant::now();
                }
            }
            News::TakesOver { pid, done } => self.takes_over(pid, done),
            News::SocketsClosed(done) => self.sockets_closed(done),
            News::GivesUp { pid, why } => {
                if self.next.as_ref().is_some_and(|next| next.pid() == pid) {
                    self.failed = Some(why);
                }
            }
            News::Finishes(pid) => self.finishes(pid),
            News::Replace => self.replace_now(),
            News::Settled(done) => self.waiting.push(done),
        }
    }

    fn is_settled(&self) -> bool {
        let attends = self.current.as_ref().is_some_and(|current| current.attends);
        attends && self.next.is_none() && self.again.is_none() && !self.replace && !self.retiring
    }

    fn attends(&mut self, pid: u32, stage: Stage) -> io::Result<Result<bool, String>> {
        if stage == Stage::Finishing {
            if self.find(pid).is_none() {
                self.leaving.push(Process::find(pid)?);
            }
            return Ok(Ok(false));
        }
        let name = self.kind.name();
        let another = || Ok(Err(format!("another {name} is at work")));
        if self.leaving.iter().any(|process| process.pid() == pid) {
            return another();
        }
        let adopted = matches!(stage, Stage::Working | Stage::Succeeding);
        if adopted {
            self.give_up_newborn(pid);
        }
        if adopted && self.current.is_none() {
            // Its note was lost; whoever has its user and does its work is it.
            self.current = Some(Process::find(pid)?);
            self.adopting = true;
            self.pause = None;
        }
        let adopting = self.adopting;
        let Some(process) = self.find(pid) else {
            return another();
        };
        process.attends = true;
        process.heard = Instant::now();
        if adopting {
            tracing::info!(pid, "adopted {name}");
            if let Some(current) = &self.current {
                current.note(&self.kind.note);
            }
            self.adopting = false;
            if !adopted && self.kind.role == Role::Control && std::mem::take(&mut self.replace) {
                // A former parent had just started it: it has nothing to hand over. An engine like
                // that is replaced once it serves.
                self.replace_now();
            }
        } else {
            tracing::info!(pid, "{name} is up");
        }
        let succeeds = self.next.as_ref().is_some_and(|next| next.pid() == pid);
        Ok(Ok(succeeds))
    }

    /// The process with this id among the present one and the next.
    fn find(&mut self, pid: u32) -> Option<&mut Process> {
        let all = self.current.iter_mut().chain(self.next.iter_mut());
        let mut all = all.chain(self.leaving.iter_mut());
        all.find(|process| process.pid() == pid)
    }

    fn current_ended(&mut self, how: &str) {
        let Some(process) = self.current.take() else {
            return;
        };
        let name = self.kind.name();
        let adopting = std::mem::take(&mut self.adopting);
        let retired = std::mem::take(&mut self.retiring);
        self.stuck = None;
        // One that is to go makes room as any other that dies.
        self.outdated = None;
        if retired {
            tracing::info!(pid = process.pid(), "the former {name} has ended: {how}");
        } else {
            tracing::error!(
                pid = process.pid(),
                "{name} has ended by itself: {how}; it is started again"
            );
        }
        if let Some(next) = self.next.take() {
            // It gets what the dead one left, as any successor does.
            next.note(&self.kind.note);
            self.current = Some(next);
            return;
        }
        // A process that was to be replaced and died before is replaced all the same.
        self.replace = false;
        self.failed = None;
        self.again = None;
        let was_well = process.attends && process.since.elapsed() >= STEADY;
        if was_well || adopting || retired {
            self.failures = 0;
            self.start_current();
        } else {
            self.pause = Some(self.back_off());
        }
    }
}

/// Waits for an order to end. A parent that is gone can no longer give one.
async fn ordered(order: &mut watch::Receiver<Order>) -> Order {
    order
        .wait_for(|order| *order != Order::Run)
        .await
        .map_or(Order::Stop, |order| *order)
}

/// The end of a process; never, if there is none.
async fn ended(process: Option<&Process>) -> String {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

async fn any_ended(processes: &[Process]) -> (usize, String) {
    if processes.is_empty() {
        return std::future::pending().await;
    }
    let each = processes.iter().map(|process| Box::pin(process.ended()));
    let (how, which, _) = futures_util::future::select_all(each).await;
    (which, how)
}
