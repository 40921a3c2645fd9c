//! The attendance of a child.
//!
//! [`Link`] forwards to the parent what it is to keep, and remembers it too: when the parent is
//! replaced, the next one is handed everything. While there is no parent nothing waits for one: the
//! road of a change must not hang on it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lanai_control::FileSet;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use super::ChildError;
use super::mirror::Mirror;
use super::talk::{self, Talk};
use crate::wire::client::CallError;
use crate::wire::files::Files;
use crate::wire::parent::{self, Event, HEARTBEAT_MS, Question, Reply, Role, Stage};

/// How long the parent may take to answer the first word, and how long a first start tries.
const ATTEND_LIMIT: Duration = Duration::from_secs(10);
/// Pauses between two looks for a new parent: init starts it at once, or never.
const PAUSE_LEAST: Duration = Duration::from_millis(20);
const PAUSE_MOST: Duration = Duration::from_millis(500);

const ENDED: &str = "the attendance ended";
const ALONE: &str = "there is no parent at the moment";

/// A listening socket by its name.
pub(crate) type Kept = (String, Arc<OwnedFd>);

/// What a predecessor left.
#[derive(Debug, Default)]
pub(crate) struct Estate {
    /// Another one whenever the three that follow are others.
    pub(crate) version: u64,
    /// Its listening sockets.
    pub(crate) listeners: Vec<(String, OwnedFd)>,
    /// The configuration that was in effect.
    pub(crate) files: Option<FileSet>,
    /// What names of servers resolved to in it.
    pub(crate) addresses: BTreeMap<String, IpAddr>,
    /// Runtime API lines that hold beside it, by what they set.
    pub(crate) overrides: BTreeMap<String, String>,
}

/// What a child is told at its start.
#[derive(Debug)]
pub(crate) struct Welcome {
    pub(crate) estate: Estate,
    /// The digest of what the engine was last told to run, for control.
    pub(crate) in_effect: Option<String>,
    /// The predecessor is still at work, and goes on until we serve.
    pub(crate) at_work: bool,
}

/// The child's end of the attendance. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    asks: mpsc::UnboundedSender<Ask>,
    sockets: watch::Receiver<Arc<UnixListener>>,
    refused: watch::Receiver<Option<String>>,
}

/// What the rest of the child wants of the parent.
#[derive(Debug)]
pub(super) enum Ask {
    Hold(Vec<Kept>, oneshot::Sender<Result<(), String>>),
    Retain(Vec<String>, oneshot::Sender<()>),
    Running(Box<Running>, oneshot::Sender<Result<(), String>>),
    Override(String, Option<String>),
    /// Answered once all before it is kept, or by why some of it is not.
    Kept(oneshot::Sender<Result<(), String>>),
    TakeOver(u64, oneshot::Sender<Result<Estate, String>>),
    Word(Question, oneshot::Sender<Result<(), String>>),
}

/// A configuration that took effect, and what names resolved to in it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) files: FileSet,
    pub(super) addresses: BTreeMap<String, IpAddr>,
}

/// Begins the attendance: the link, what a predecessor left, and what the parent will tell.
pub(crate) async fn attend(
    run: &Path,
    role: Role,
) -> Result<(Link, Welcome, mpsc::UnboundedReceiver<Event>), ChildError> {
    let path = run.join(parent::SOCKET);
    let late = |_| CallError::Late {
        path: path.clone(),
        limit: ATTEND_LIMIT,
    };
    let first = tokio::time::timeout(ATTEND_LIMIT, Talk::begin(&path, role, Stage::Fresh));
    let (mut talk, socket, welcome) = first.await.map_err(late)??;
    let Reply::Welcome {
        left,
        in_effect,
        at_work,
    } = welcome
    else {
        return Err(talk::gone());
    };
    let (events, told) = mpsc::unbounded_channel();
    let estate = talk.fetch(left, &events).await?;

    let (asks, queue) = mpsc::unbounded_channel();
    let (socket, sockets) = watch::channel(Arc::new(socket));
    let (refusal, refused) = watch::channel(None);
    // Until this child serves, what it was handed must reach the next parent all the same.
    let mut mirror = Mirror::of(&estate)?;
    mirror.succeeding = at_work;
    let attendant = Attendant {
        path,
        role,
        queue,
        mirror,
        unkept: None,
        socket,
        refusal,
        events,
    };
    tokio::spawn(attendant.run(talk));
    let link = Link {
        asks,
        sockets,
        refused,
    };
    let welcome = Welcome {
        estate,
        in_effect,
        at_work,
    };
    Ok((link, welcome, told))
}

impl Link {
    /// The socket on which this child answers; another one after the parent was replaced.
    pub(crate) fn sockets(&self) -> watch::Receiver<Arc<UnixListener>> {
        self.sockets.clone()
    }

    /// Waits until a parent refuses us, and says why.
    pub(crate) async fn refused(&self) -> String {
        let mut refused = self.refused.clone();
        // The attendant lives as long as the process.
        let why = refused.wait_for(Option::is_some).await;
        why.ok()
            .and_then(|why| why.clone())
            .unwrap_or_else(|| ENDED.to_owned())
    }

    /// Has copies of these sockets kept. Fails if the parent does not want to: what it lacks is lost when
    /// this process dies. Without a parent they are kept in mind for the next one.
    pub(crate) async fn hold(&self, sockets: Vec<Kept>) -> Result<(), String> {
        self.ask(|done| Ask::Hold(sockets, done)).await
    }

    /// Has all but these closed.
    pub(crate) async fn retain(&self, names: Vec<String>) {
        self.wait(|done| Ask::Retain(names, done)).await;
    }

    /// Tells what took effect, and what names of servers resolved to. Fails if that does not count, as
    /// another process has taken over.
    pub(crate) async fn running(
        &self,
        files: FileSet,
        addresses: BTreeMap<String, IpAddr>,
    ) -> Result<(), String> {
        let running = Box::new(Running { files, addresses });
        self.ask(|done| Ask::Running(running, done)).await
    }

    /// Journals an override, in its own time: whoever made it does not wait.
    pub(crate) fn journal(&self, key: String, command: Option<String>) {
        // The attendant lives as long as the process.
        let _ = self.asks.send(Ask::Override(key, command));
    }

    /// Waits until all that was journalled so far is kept.
    ///
    /// # Errors
    /// Why some of it is not.
    pub(crate) async fn kept(&self) -> Result<(), String> {
        self.ask(Ask::Kept).await
    }

    /// Has the predecessor finish, and gives what it left last: its overrides, and sockets, files and
    /// addresses if they are not those of the version `began` any more.
    ///
    /// # Errors
    /// When there is no parent at the moment, or none any more.
    pub(crate) async fn take_over(&self, began: u64) -> Result<Estate, String> {
        self.ask(|done| Ask::TakeOver(began, done)).await
    }

    /// Says something of the kind that is answered by done.
    pub(crate) async fn say(&self, word: Question) -> Result<(), String> {
        self.ask(|done| Ask::Word(word, done)).await
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Ask,
    ) -> Result<T, String> {
        let (done, answer) = oneshot::channel();
        let _ = self.asks.send(ask(done));
        answer.await.unwrap_or_else(|_| Err(ENDED.to_owned()))
    }

    async fn wait(&self, ask: impl FnOnce(oneshot::Sender<()>) -> Ask) {
        let (done, answer) = oneshot::channel();
        let _ = self.asks.send(ask(done));
        // An answer that never comes means that there is nobody to keep anything.
        let _ = answer.await;
    }
}

/// Keeps the attendance up.
struct Attendant {
    path: PathBuf,
    role: Role,
    queue: mpsc::UnboundedReceiver<Ask>,
    mirror: Mirror,
    /// Why an override is not kept, until somebody asks.
    unkept: Option<String>,
    socket: watch::Sender<Arc<UnixListener>>,
    refusal: watch::Sender<Option<String>>,
    events: mpsc::UnboundedSender<Event>,
}

impl Attendant {
    async fn run(mut self, mut talk: Talk) {
        loop {
            if self.converse(&mut talk).await.is_none() {
                // Everyone who could ask is gone: the process ends.
                return;
            }
            tracing::warn!("the parent is gone; going on, and looking for the next one");
            match self.attend_again().await {
                Ok(again) => talk = again,
                Err(why) => {
                    self.refusal.send_replace(Some(why));
                    return;
                }
            }
            tracing::info!("attending a new parent");
        }
    }

    /// Until the parent is gone (`Some`), or nobody can ask any more.
    async fn converse(&mut self, talk: &mut Talk) -> Option<()> {
        let mut beat = tokio::time::interval(Duration::from_millis(HEARTBEAT_MS));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ask = self.queue.recv() => {
                    if self.forward(talk, ask?).await.is_err() {
                        return Some(());
                    }
                }
                frame = talk.frames.recv() => match frame {
                    Some(Reply::Event(event)) => {
                        // Nobody listens for it in an engine.
                        let _ = self.events.send(event);
                    }
                    // An answer to nothing: whoever that is, it is no parent of ours.
                    Some(_) | None => return Some(()),
                },
                _ = beat.tick() => {
                    if talk.ask(&Question::Alive, &[], &self.events).await.is_err() {
                        return Some(());
                    }
                }
            }
        }
    }

    /// Forwards one ask. With the parent gone it is answered all the same, and kept in mind.
    async fn forward(&mut self, talk: &mut Talk, ask: Ask) -> Result<(), ChildError> {
        if let Ask::Override(key, command) = &ask
            && self.mirror.has(key, command.as_deref())
        {
            // The parent has it from a predecessor.
            return Ok(());
        }
        self.mirror.note(&ask);
        let (outcome, answer) = match ask {
            Ask::Hold(sockets, done) => {
                let outcome = talk.hold(&sockets, &self.events).await;
                // Who asked may have given up.
                let _ = done.send(refusal(&outcome));
                (outcome, None)
            }
            Ask::Retain(names, done) => {
                let question = Question::Retain { names };
                (talk.done(&question, &self.events).await, Some(done))
            }
            Ask::Running(running, done) => {
                let Running { files, addresses } = *running;
                let files = Files(files);
                let question = Question::Running { files, addresses };
                let outcome = talk.done(&question, &self.events).await;
                // Who asked may have given up.
                let _ = done.send(refusal(&outcome));
                (outcome, None)
            }
            Ask::Override(key, command) => {
                let question = Question::Override { key, command };
                let outcome = talk.done(&question, &self.events).await;
                if let Err(why) = refusal(&outcome) {
                    self.unkept = Some(why);
                }
                (outcome, None)
            }
            Ask::Kept(done) => {
                // Whatever was asked before has been answered.
                let _ = done.send(self.unkept.take().map_or(Ok(()), Err));
                (Ok(()), None)
            }
            Ask::TakeOver(began, done) => {
                let outcome = match talk.take_over(began, &self.events).await {
                    Ok(estate) => {
                        self.mirror.succeeding = false;
                        self.mirror.follow(&estate).map(|()| estate)
                    }
                    Err(error) => Err(error),
                };
                let (told, outcome) = match outcome {
                    Ok(estate) => (Ok(estate), Ok(())),
                    Err(error) => (Err(crate::chain(&error)), Err(error)),
                };
                // Who asked may have given up.
                let _ = done.send(told);
                (outcome, None)
            }
            Ask::Word(question, done) => {
                let outcome = talk.done(&question, &self.events).await;
                let told = match &outcome {
                    Err(ChildError::Refused(why)) => Err(why.clone()),
                    Err(error) => Err(crate::chain(error)),
                    Ok(()) => Ok(()),
                };
                // Who asked may have given up.
                let _ = done.send(told);
                (outcome, None)
            }
        };
        if let Some(answer) = answer {
            let _ = answer.send(());
        }
        or_refused(outcome)
    }

    /// Looks for a new parent, for as long as it takes, and hands everything to it.
    async fn attend_again(&mut self) -> Result<Talk, String> {
        let mut pause = PAUSE_LEAST;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                ask = self.queue.recv() => {
                    match ask {
                        Some(ask) => self.answer_alone(ask),
                        None => return Err("the process ends".to_owned()),
                    }
                    continue;
                }
            }
            pause = (pause * 2).min(PAUSE_MOST);
            let stage = match &self.mirror {
                Mirror {
                    finishing: true, ..
                } => Stage::Finishing,
                Mirror {
                    succeeding: true, ..
                } => Stage::Succeeding,
                Mirror { .. } => Stage::Working,
            };
            let begun = Talk::begin(&self.path, self.role, stage);
            let handed = match tokio::time::timeout(ATTEND_LIMIT, begun).await {
                Ok(Ok((mut talk, socket, _))) => match self.hand_over(&mut talk).await {
                    Ok(()) => Ok((talk, socket)),
                    Err(error) => Err(error),
                },
                Ok(Err(error)) => Err(error),
                Err(_) => continue,
            };
            match handed {
                Ok((talk, socket)) => {
                    self.socket.send_replace(Arc::new(socket));
                    return Ok(talk);
                }
                Err(ChildError::Refused(why)) => return Err(why),
                Err(error) => tracing::debug!("no parent yet: {}", crate::chain(&error)),
            }
        }
    }

    async fn hand_over(&self, talk: &mut Talk) -> Result<(), ChildError> {
        if self.mirror.finishing {
            return Ok(());
        }
        let sockets: Vec<Kept> = self
            .mirror
            .listeners
            .iter()
            .map(|(name, socket)| (name.clone(), socket.clone()))
            .collect();
        // What is at work does not end for something that cannot be kept.
        or_refused(talk.hold(&sockets, &self.events).await)?;
        if let Some(files) = &self.mirror.files {
            let files = Files(files.clone());
            let addresses = self.mirror.addresses.clone();
            talk.done(&Question::Running { files, addresses }, &self.events)
                .await?;
        }
        for (key, command) in &self.mirror.overrides {
            let question = Question::Override {
                key: key.clone(),
                command: Some(command.clone()),
            };
            or_refused(talk.done(&question, &self.events).await)?;
        }
        talk.done(&Question::HandedOver, &self.events).await
    }

    fn answer_alone(&mut self, ask: Ask) {
        self.mirror.note(&ask);
        match ask {
            Ask::Hold(_, done) | Ask::Running(_, done) | Ask::Kept(done) => {
                drop(done.send(Ok(())));
            }
            Ask::Retain(_, done) => drop(done.send(())),
            Ask::Override(..) => {}
            Ask::TakeOver(_, done) => drop(done.send(Err(ALONE.to_owned()))),
            Ask::Word(_, done) => drop(done.send(Err(ALONE.to_owned()))),
        }
    }
}

/// What the parent did not want to do. That it is gone is no refusal: it is kept in mind.
fn refusal(outcome: &Result<(), ChildError>) -> Result<(), String> {
    match outcome {
        Err(ChildError::Refused(why)) => Err(why.clone()),
        _ => Ok(()),
    }
}

/// A parent that refuses is there all the same.
fn or_refused(outcome: Result<(), ChildError>) -> Result<(), ChildError> {
    match outcome {
        Err(ChildError::Refused(why)) => {
            tracing::error!("the parent did not do what it was asked: {why}");
            Ok(())
        }
        outcome => outcome,
    }
}
