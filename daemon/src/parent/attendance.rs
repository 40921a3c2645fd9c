//! What the parent does for its children, and for root, on `parent.sock`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lanai_kernel::{Ledger, Monitor, System};
use lanai_network::{Facts, Step, Sysctl};
use tokio::net::UnixStream;
use tokio::net::unix::UCred;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::estate::Estate;
use super::keeper::News;
use super::trial::Trials;
use crate::wire::client::Client;
use crate::wire::engine;
use crate::wire::files::Files;
use crate::wire::frame::{self, FrameError};
use crate::wire::parent::{Event, Question, Reply, Role, Stage};
use crate::wire::visits::Visit;

/// Events that wait for a slow control process at most; it asks for the state at its start anyway.
const EVENTS: usize = 16;

/// How long the engine may take to go back to an earlier configuration, and the pause between tries.
const ENGINE_LIMIT: Duration = Duration::from_secs(60);
const ENGINE_PAUSE: Duration = Duration::from_millis(500);

/// Changes of the network are told together that come within this time.
const MONITOR_REST: Duration = Duration::from_millis(50);
/// Pause before changes are listened for again, after that failed.
const MONITOR_PAUSE: Duration = Duration::from_secs(5);
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

/// What one connection is, once it has said so.
#[derive(Debug)]
struct Attending {
    role: Role,
    finishing: bool,
    /// What a process that worked for a former parent hands over. It counts once it is complete: if
    /// that process dies in between, its successor gets what was left before.
    incoming: Option<Estate>,
}

impl Ward {
    pub(super) fn estate(&self) -> MutexGuard<'_, Estate> {
        // Every change of it is complete before the lock is given back.
        self.estate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept, or what is being handed over.
    fn change(
        &self,
        attending: &mut Attending,
        change: impl FnOnce(&mut Estate) -> Result<(), String>,
    ) -> Result<(), String> {
        match &mut attending.incoming {
            Some(incoming) => change(incoming),
            None => change(&mut self.estate()),
        }
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

    async fn attend(
        &self,
        out: &mut UnixStream,
        peer: &UCred,
        role: Role,
        stage: Stage,
    ) -> Result<Option<Attending>, FrameError> {
        let ward = self.ward(role);
        let pid = pid_of(peer);
        let refuse = |message: String| Reply::Failed { message };
        let (Some(pid), true) = (pid, peer.uid() == ward.uid) else {
            let reply = refuse("only our own children may attend".to_owned());
            frame::write(out, &reply).await?;
            return Ok(None);
        };
        let (wanted, answer) = oneshot::channel();
        ward.tell(News::Attends { pid, stage, wanted }).await;
        // Without an answer the connection is closed, and the child tries again.
        let answer = answer.await.map_err(|_| {
            std::io::Error::other("whether this process is wanted cannot be told now")
        })?;
        let at_work = match answer {
            Ok(at_work) => at_work,
            Err(message) => {
                frame::write(out, &refuse(message)).await?;
                return Ok(None);
            }
        };
        let in_effect = match role {
            Role::Control => self.engine.estate().files().map(|files| files.0.digest()),
            Role::Engine => None,
        };
        let welcome = {
            let estate = ward.estate();
            Reply::Welcome {
                held: estate.held(),
                files: estate.files().cloned(),
                addresses: estate.addresses(),
                overrides: estate.overrides(),
                in_effect,
                at_work,
            }
        };
        frame::write_with(out, &welcome, &[ward.answers.as_fd()]).await?;
        Ok(Some(Attending {
            role,
            finishing: stage == Stage::Finishing,
            incoming: (stage == Stage::Working).then(Estate::default),
        }))
    }

    async fn send_held(
        &self,
        out: &mut UnixStream,
        attending: Option<&Attending>,
        from: usize,
    ) -> Result<(), FrameError> {
        let Some(role) = attending.map(|it| it.role) else {
            return Ok(());
        };
        let copies: Result<Vec<(String, OwnedFd)>, std::io::Error> = {
            let estate = self.ward(role).estate();
            let some = estate.sockets(from);
            some.map(|(name, socket)| Ok((name.clone(), socket.try_clone()?)))
                .collect()
        };
        let copies = copies?;
        let sockets: Vec<BorrowedFd<'_>> = copies.iter().map(|(_, fd)| fd.as_fd()).collect();
        let names = copies.iter().map(|(name, _)| name.clone()).collect();
        frame::write_with(out, &Reply::Held { names }, &sockets).await
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

    /// What is to be kept, and how the child is.
    async fn for_attendant(
        &self,
        peer: &UCred,
        attending: &mut Attending,
        question: Question,
        with: Vec<OwnedFd>,
    ) -> Reply {
        let ward = self.ward(attending.role);
        let engine = attending.role == Role::Engine;
        let pid = pid_of(peer);
        let pid = pid.unwrap_or_default();
        let outcome = match question {
            // What one that only finishes says must not reach its successor.
            Question::Hold { .. }
            | Question::Retain { .. }
            | Question::Running { .. }
            | Question::Override { .. }
                if attending.finishing =>
            {
                Ok(())
            }
            Question::Hold { names } => ward.change(attending, |estate| estate.hold(names, with)),
            Question::Retain { names } => ward.change(attending, |estate| {
                estate.retain(&names);
                Ok(())
            }),
            Question::Running { files, addresses } if engine => ward.change(attending, |estate| {
                estate.run(files);
                estate.resolve(addresses);
                Ok(())
            }),
            Question::Override { key, command } if engine => {
                ward.change(attending, |estate| estate.journal(key, command))
            }
            Question::HandedOver => {
                if let Some(whole) = attending.incoming.take() {
                    *ward.estate() = whole;
                }
                if engine && ward.estate().files().is_some() {
                    // It has been at work all the time, whatever this parent has seen of it.
                    self.up();
                }
                ward.tell(News::HandedOver).await;
                Ok(())
            }
            Question::Alive => {
                ward.tell(News::Alive(pid)).await;
                Ok(())
            }
            Question::TakeOver if engine => {
                let (done, taken) = oneshot::channel();
                ward.tell(News::TakesOver { pid, done }).await;
                // Without a keeper there is no predecessor either.
                let _ = taken.await;
                Ok(())
            }
            Question::GiveUp { why } if engine => {
                ward.tell(News::GivesUp { pid, why }).await;
                Ok(())
            }
            Question::Finishing if engine => {
                attending.finishing = true;
                ward.tell(News::Finishes(pid)).await;
                Ok(())
            }
            Question::Replace if engine => {
                ward.tell(News::Replace).await;
                Ok(())
            }
            _ => Err("this is nothing for an attendance".to_owned()),
        };
        done(outcome)
    }

    async fn for_control(&self, question: Question) -> Reply {
        match question {
            Question::Observe => self.observe(&[]).await,
            Question::ObserveWith { asked } => self.observe(&asked).await,
            Question::Probe => Reply::Probed(Box::new(self.probe())),
            Question::Execute { steps } => {
                let _one_at_a_time = self.network.lock().await;
                execute(&self.ledger, &steps).await
            }
            Question::Repair { steps, trial } => {
                let _one_at_a_time = self.network.lock().await;
                // What was right to repair when control looked is wrong once the time of a trial is
                // over.
                if !self.trials.stands(trial).await {
                    return failed("the trial is not as it was when the repair was planned");
                }
                execute(&self.ledger, &steps).await
            }
            Question::Live => {
                self.up();
                Reply::Done
            }
            Question::BeginTrial { trial } => done(self.trials.begin(*trial).await),
            Question::Trial => Reply::Trial(self.trials.state().await),
            Question::ConfirmTrial { revision } => done(self.trials.confirm(revision).await),
            Question::EndTrial { revision } => done(self.trials.end(revision).await),
            _ => failed("this is for one who attends"),
        }
    }

    async fn observe(&self, asked: &[Sysctl]) -> Reply {
        match lanai_kernel::observe_with(&self.ledger, asked).await {
            Ok(observed) => Reply::Observed(Box::new(observed)),
            Err(error) => failed(&crate::chain(&error)),
        }
    }

    fn probe(&self) -> Facts {
        // The keeper notes the id of each engine there.
        let note = self.engine_socket.with_file_name("engine.pid");
        let note = std::fs::read_to_string(note).unwrap_or_default();
        let engine = note.split_whitespace().next();
        lanai_kernel::probe(engine.and_then(|pid| pid.parse().ok()))
    }

    /// A configuration is in effect: whoever started the service is told, once.
    fn up(&self) {
        if !self.live.swap(true, Ordering::Relaxed) {
            tracing::info!("up");
            super::notify_manager("READY=1");
        }
    }

    /// Goes back whenever nobody confirmed a change in time. Never ends.
    pub(super) async fn go_back(&self) {
        loop {
            let trial = self.trials.over().await;
            let revision = trial.revision;
            tracing::warn!(
                revision,
                "not confirmed in time: the previous configuration comes back"
            );
            // A new engine must not begin with what is taken back.
            self.engine.estate().run(trial.previous.clone());
            let network = self.network.lock().await;
            execute_each(&self.ledger, &trial.restore).await;
            if let Err(error) = self.run_again(trial.previous).await {
                tracing::error!("the engine does not run the previous configuration: {error}");
            }
            execute_each(&self.ledger, &trial.withdraw).await;
            drop(network);
            self.trials.reverted(revision).await;
            // A control process that is away asks when it comes.
            let _ = self.events.send(Event::Reverted { revision });
        }
    }

    /// Has the engine run these files; one that is just being started begins with them anyway.
    async fn run_again(&self, files: Files) -> Result<(), String> {
        let until = Instant::now() + ENGINE_LIMIT;
        let client = Client::new(&self.engine_socket);
        let prepare = engine::Question::Prepare { files };
        loop {
            let prepared = client.call(&prepare, ENGINE_LIMIT).await;
            let swapped = match prepared {
                Ok(engine::Reply::Done) => client.call(&engine::Question::Swap, ENGINE_LIMIT).await,
                other => other,
            };
            match swapped {
                Ok(engine::Reply::Done) => return Ok(()),
                Ok(engine::Reply::Refused(why)) => return Err(why.to_string()),
                Ok(_) => {}
                Err(error) if Instant::now() >= until => return Err(crate::chain(&error)),
                // One that died just now is replaced; one that cannot be asked is worth knowing of.
                Err(error) => tracing::warn!("engine: {}", crate::chain(&error)),
            }
            tokio::time::sleep(ENGINE_PAUSE).await;
        }
    }

    /// Tells control whenever the network has changed. Never ends.
    pub(super) async fn watch_network(&self) {
        let mut complaint = String::new();
        loop {
            let failed = match Monitor::open() {
                Ok(monitor) => self.listen(monitor).await,
                Err(error) => crate::chain(&error),
            };
            if failed != complaint {
                tracing::error!(
                    "changes of the network are not heard: {failed}; it is tried again"
                );
                complaint = failed;
            }
            tokio::time::sleep(MONITOR_PAUSE).await;
            // Whatever was missed meanwhile.
            self.changes.send_replace(());
        }
    }

    async fn listen(&self, mut monitor: Monitor) -> String {
        loop {
            if let Err(error) = monitor.changed().await {
                return error.to_string();
            }
            // A change seldom comes alone, and half of one is no state to plan from.
            tokio::time::sleep(MONITOR_REST).await;
            self.changes.send_replace(());
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

/// All the steps, or none of them.
async fn execute(ledger: &Ledger, steps: &[Step]) -> Reply {
    match lanai_kernel::execute(ledger, steps).await {
        Ok(()) => {
            for step in steps {
                tracing::info!("network: {step}");
            }
            Reply::Done
        }
        Err(error) => {
            tracing::error!("network: {}", crate::chain(&error));
            failed(&crate::chain(&error))
        }
    }
}

/// Each step for itself: some may have been taken back already, or never been done.
async fn execute_each(ledger: &Ledger, steps: &[Step]) {
    for step in steps {
        match lanai_kernel::execute(ledger, std::slice::from_ref(step)).await {
            Ok(()) => tracing::info!("network: {step}"),
            Err(error) => tracing::warn!("network: {}", crate::chain(&error)),
        }
    }
}

fn done(outcome: Result<(), String>) -> Reply {
    outcome.map_or_else(|message| Reply::Failed { message }, |()| Reply::Done)
}

/// A task that ends with its connection.
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn push(
    out: Arc<tokio::sync::Mutex<UnixStream>>,
    mut events: broadcast::Receiver<Event>,
    mut changes: watch::Receiver<()>,
) {
    // What happened while nobody attended is unknown.
    changes.mark_changed();
    loop {
        let event = tokio::select! {
            event = events.recv() => match event {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            changed = changes.changed() => match changed {
                Ok(()) => Event::NetworkChanged,
                Err(_) => return,
            },
        };
        let written = frame::write(&mut *out.lock().await, &Reply::Event(event)).await;
        if written.is_err() {
            return;
        }
    }
}

fn failed(message: &str) -> Reply {
    Reply::Failed {
        message: message.to_owned(),
    }
}
