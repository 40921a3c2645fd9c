//! What the parent does for its children, and for root, on `parent.sock`.

mod children;
mod news;
mod requests;
mod restore;

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanai_kernel::{Ledger, System};
use tokio::net::UnixStream;
use tokio::net::unix::UCred;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::estate::Estate;
use super::keeper::News;
use super::trial::Trials;
use crate::wire::engine;
use crate::wire::frame::{self, FrameError};
use crate::wire::parent::{Event, Question, Reply, Role};
use crate::wire::visits::Visit;
use children::Attending;
use news::{Abort, push};

/// Events that wait for a slow control process at most; it asks for the state at its start anyway.
const EVENTS: usize = 16;

/// The longest frame of one who has not said who it is: it is no more than a few words.
const WORD: usize = 4 << 10;
/// The longest of one that finishes.
const FINISHING: usize = 4 << 20;
/// In the run directory, which lasts as long as the kernel's settings: until the next boot.
const LEDGER: &str = "sysctls.json";

/// One of the two children, as its visitors find it.
#[derive(Debug)]
pub(super) struct Ward {
    /// The user it runs as.
    pub(super) uid: u32,
    /// The socket it answers on.
    pub(super) answers: UnixListener,
    pub(super) news: mpsc::Sender<News>,
    pub(super) estate: Mutex<Estate>,
    /// Whose word counts for what is kept: the process at work. 0 is nobody.
    pub(super) at_work: AtomicU32,
}

/// Answers on `parent.sock`.
#[derive(Debug)]
pub(super) struct Attendance {
    pub(super) control: Ward,
    pub(super) engine: Ward,
    /// Told when root asks for an upgrade.
    pub(super) upgrade: mpsc::Sender<oneshot::Sender<String>>,
    trials: Trials,
    /// The socket that the engine answers on.
    engine_socket: PathBuf,
    /// One at a time may change the network.
    network: tokio::sync::Mutex<()>,
    /// What was changed of the kernel's settings.
    ledger: Ledger,
    live: AtomicBool,
    events: broadcast::Sender<Event>,
    /// Told when the network has changed.
    changes: watch::Sender<()>,
}

impl Ward {
    pub(super) fn estate(&self) -> MutexGuard<'_, Estate> {
        // Every change of it is complete before the lock is given back.
        self.estate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, news: News) {
        // Its keeper ends only with us.
        let _ = self.news.send(news).await;
    }
}

impl Attendance {
    pub(super) fn new(
        control: Ward,
        engine: Ward,
        upgrade: mpsc::Sender<oneshot::Sender<String>>,
        run: &Path,
        system: Option<System>,
    ) -> Attendance {
        Attendance {
            control,
            engine,
            upgrade,
            trials: Trials::found(run),
            engine_socket: run.join(engine::SOCKET),
            network: tokio::sync::Mutex::new(()),
            ledger: Ledger::at(run.join(LEDGER)).and_system(system),
            live: AtomicBool::new(false),
            events: broadcast::channel(EVENTS).0,
            changes: watch::Sender::default(),
        }
    }

    /// Whether this process may ask at all. The kernel vouches for the credentials.
    pub(super) fn admits(&self, peer: &UCred) -> bool {
        [0, self.control.uid, self.engine.uid].contains(&peer.uid())
    }

    /// Answers one connection until it closes.
    pub(super) async fn converse(
        self: Arc<Self>,
        stream: UnixStream,
        peer: UCred,
        mut visit: Visit,
    ) -> Result<(), FrameError> {
        visit.seated().await;
        let stream = stream.into_std()?;
        let mut reading = UnixStream::from_std(stream.try_clone()?)?;
        let writing = Arc::new(tokio::sync::Mutex::new(UnixStream::from_std(stream)?));
        let mut attending = None;
        let mut pusher = None;
        while visit.begins(&reading).await? {
            let limit = self.longest(&peer, attending.as_ref());
            let question = visit.whole(frame::read_with(&mut reading, limit)).await?;
            let Some((question, with)) = question else {
                break;
            };
            let mut out = writing.lock().await;
            match question {
                Question::Attend { role, stage } if attending.is_none() => {
                    attending = self.attend(&mut out, &peer, role, stage).await?;
                    if let Some(pid) = attending.as_ref().and(pid_of(&peer)) {
                        visit.attends(pid);
                    }
                    if attending
                        .as_ref()
                        .is_some_and(|it| it.role == Role::Control)
                    {
                        let pushing = push(
                            writing.clone(),
                            self.events.subscribe(),
                            self.changes.subscribe(),
                        );
                        pusher = Some(Abort(tokio::spawn(pushing)));
                    }
                }
                Question::Held { from } if attending.is_some() => {
                    self.send_held(&mut out, attending.as_ref(), from).await?;
                }
                question => {
                    drop(out);
                    let reply = self.answer(&peer, attending.as_mut(), question, with).await;
                    frame::write(&mut *writing.lock().await, &reply).await?;
                }
            }
        }
        drop(pusher);
        Ok(())
    }

    /// How long a frame may be. Only control has much to ask without attending; one that finishes has
    /// nothing to be kept.
    fn longest(&self, peer: &UCred, attending: Option<&Attending>) -> usize {
        match attending {
            None if peer.uid() != self.control.uid => WORD,
            Some(attending) if attending.finishing => FINISHING,
            _ => frame::LIMIT,
        }
    }

    fn ward(&self, role: Role) -> &Ward {
        match role {
            Role::Control => &self.control,
            Role::Engine => &self.engine,
        }
    }

    async fn answer(
        &self,
        peer: &UCred,
        attending: Option<&mut Attending>,
        question: Question,
        with: Vec<OwnedFd>,
    ) -> Reply {
        match (question, attending) {
            (Question::Upgrade, _) if peer.uid() == 0 => self.upgrade().await,
            (Question::Settled, _) if peer.uid() == 0 => self.settled().await,
            (question, Some(attending)) => {
                self.for_attendant(peer, attending, question, with).await
            }
            (question, None) if peer.uid() == self.control.uid => self.for_control(question).await,
            _ => failed("only the control process may ask for this"),
        }
    }

    /// A configuration is in effect: whoever started the service is told, once.
    fn up(&self) {
        if !self.live.swap(true, Ordering::Relaxed) {
            tracing::info!("up");
            super::notify_manager("READY=1");
        }
    }

    async fn settled(&self) -> Reply {
        let mut why = None;
        for ward in [&self.control, &self.engine] {
            let (done, settled) = oneshot::channel();
            ward.tell(News::Settled(done)).await;
            match settled.await {
                Ok(failed) => why = why.or(failed),
                Err(_) => return failed("the service is stopping"),
            }
        }
        Reply::Settled {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            failed: why,
        }
    }

    /// Answers only if it failed: the program that would answer is no more.
    async fn upgrade(&self) -> Reply {
        let (done, outcome) = oneshot::channel();
        if self.upgrade.send(done).await.is_err() {
            return failed("the service is stopping");
        }
        outcome
            .await
            .map_or_else(|_| failed("the service is stopping"), |why| failed(&why))
    }
}

fn pid_of(peer: &UCred) -> Option<u32> {
    peer.pid().and_then(|pid| u32::try_from(pid).ok())
}

fn done(outcome: Result<(), String>) -> Reply {
    outcome.map_or_else(|message| Reply::Failed { message }, |()| Reply::Done)
}

fn failed(message: &str) -> Reply {
    Reply::Failed {
        message: message.to_owned(),
    }
}
