//! What the engine does when the control process asks.

mod succession;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lanai_control::{EngineStatus, FileSet, PrepareError};
use lanai_engine::{Addresses, Engine, IdleClients, OverrideSender, Prepared, Settings};
use lanai_model::layer7::Config;
use tokio::net::unix::UCred;
use tokio::sync::{OwnedMutexGuard, watch};

use super::{bundle, status};
use crate::child::{Kept, Link};
use crate::facts;
use crate::wire::engine::{Question, Reply};
use crate::wire::parent;
use crate::wire::server::Answer;
use succession::Began;

/// Answers on `engine.sock`.
#[derive(Debug)]
pub(super) struct Answers {
    /// Who may ask, beside root.
    control: u32,
    shared: Arc<Shared>,
    link: Link,
    /// One configuration is got ready at a time, until it is swapped in or given up: two that name one
    /// address would find each other's socket there.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Held while a configuration is put into effect, and by whoever ends that for good.
    swapping: Arc<tokio::sync::Mutex<()>>,
    /// A successor answers from now on.
    leaving: watch::Sender<bool>,
}

#[derive(Debug)]
struct Shared {
    threads: Option<usize>,
    config: PathBuf,
    /// Where the engine tells what was set at run time.
    journal: OverrideSender,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Started with the first configuration, which says how many threads.
    engine: Option<Arc<Engine>>,
    /// The settings it was started with that no swap can change.
    process_wide: Option<ProcessWide>,
    /// What this engine began with, until it has taken over.
    began: Began,
    /// What was set there and not here yet: runtime API lines by what they set. Those of this engine stay
    /// by themselves.
    overrides: BTreeMap<String, String>,
    /// Sockets of a former engine, until there is an engine to take them.
    inherited: Vec<(String, OwnedFd)>,
    /// What names resolved to in it.
    addresses: Addresses,
    /// The digest of the configuration in effect.
    running: Option<String>,
    shelf: Option<Shelf>,
    hard_stop_after: Option<Duration>,
}

/// What was set at run time and gave way to the configuration in effect.
#[derive(Debug)]
struct Shelf {
    /// The digest of the configuration before, with which it comes back.
    digest: String,
    /// Runtime API lines by what they set.
    overrides: BTreeMap<String, String>,
}

impl State {
    /// What is to be set with a configuration that takes effect.
    fn overrides_for(&mut self, digest: &str) -> BTreeMap<String, String> {
        let mut overrides = std::mem::take(&mut self.overrides);
        if let Some(shelf) = self.shelf.take_if(|shelf| shelf.digest == digest) {
            overrides.extend(shelf.overrides);
        }
        overrides
    }

    /// A configuration has taken effect, to which this gave way.
    fn runs(&mut self, digest: String, lost: BTreeMap<String, String>) {
        let before = self.running.replace(digest.clone());
        if let Some(before) = before.filter(|before| *before != digest) {
            self.shelf = Some(Shelf {
                digest: before,
                overrides: lost,
            });
        }
    }
}

/// Settings of the process as a whole: threads, connections, bytes of a buffer and of a head.
type ProcessWide = (usize, Option<u32>, Option<u32>, Option<u32>);

fn process_wide(settings: &Settings) -> ProcessWide {
    let Settings {
        nbthread,
        maxconn,
        bufsize,
        maxrewrite,
        ..
    } = *settings;
    (nbthread, maxconn, bufsize, maxrewrite)
}

/// How long a new engine may take until it serves. Longer than it takes, shorter than control waits.
const REPLACE_LIMIT: Duration = Duration::from_secs(5);

/// How long an engine that finishes waits for what was set at run time to be kept. Its successor is not
/// kept waiting for longer than the parent waits for it.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// [`Engine::prepare`], or [`Engine::prepare_as_left`].
type How = fn(
    &Engine,
    &Config,
    &dyn lanai_engine::Files,
) -> Result<Prepared, Vec<lanai_engine::PrepareError>>;

/// What a connection has got ready.
#[derive(Debug)]
pub(super) struct Ready {
    engine: Arc<Engine>,
    prepared: Prepared,
    files: FileSet,
    /// What an engine that began with this configuration would be started with.
    process_wide: ProcessWide,
    hard_stop_after: Option<Duration>,
    turn: OwnedMutexGuard<()>,
}

impl Answers {
    /// Answers `control` and root. Files may be named by their path in `config`.
    pub(super) fn new(
        control: u32,
        threads: Option<usize>,
        config: PathBuf,
        journal: OverrideSender,
        link: Link,
    ) -> Answers {
        let state = Mutex::default();
        Answers {
            control,
            shared: Arc::new(Shared {
                threads,
                config,
                journal,
                state,
            }),
            link,
            turn: Arc::default(),
            swapping: Arc::default(),
            leaving: watch::channel(false).0,
        }
    }

    /// The former engine is out of the way: what it needed and we do not is closed, and what it was
    /// woken for and left is ours.
    pub(super) async fn settle(&self) {
        if *self.leaving.borrow() {
            // What is kept is kept for the successor.
            return;
        }
        let engine = self.engine();
        if let Some(engine) = engine {
            self.link.retain(names(&engine.listeners())).await;
            engine.accept_again();
        }
    }

    /// The former engine is out of the way, and what is set at run time is kept: it may be set here.
    pub(super) fn take_charge(&self) {
        if let Some(engine) = self.engine() {
            engine.take_charge();
        }
    }

    /// Stops listening, and waits for the last connection or for `hard-stop-after`. With a successor what
    /// was set here is that one's, down to the last.
    pub(super) async fn finish(&self, succeeded: bool) {
        let (engine, limit) = self
            .shared
            .with(|state| (state.engine.clone(), state.hard_stop_after));
        // What is put into effect just now is before: afterwards it would listen again.
        let swapping = self.swapping.lock().await;
        self.leaving.send_replace(true);
        drop(swapping);
        let Some(engine) = engine else { return };
        tracing::info!("finishing the open connections");
        if succeeded {
            engine.resign();
            let kept = tokio::time::timeout(FLUSH_LIMIT, self.shared.journal.kept());
            if !matches!(kept.await, Ok(Ok(()))) {
                tracing::warn!("some of what was set at run time may not be kept");
            }
        }
        // A successor may be at work: a client that sends a request just now is answered, and told to
        // come again on another connection.
        engine.soft_stop(IdleClients::AnswerOnce);
        if let Err(why) = self.link.say(parent::Question::Finishing).await {
            tracing::debug!("finishing without a parent: {why}");
        }
        let drained = tokio::task::spawn_blocking(move || engine.wait_drained(limit)).await;
        if !drained.unwrap_or(false) {
            tracing::warn!("connections were cut: hard-stop-after has passed");
        }
    }

    async fn prepare(&self, files: FileSet, how: How) -> Result<Ready, PrepareError> {
        let shared = Arc::clone(&self.shared);
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // Binding and resolving block.
        let prepared = tokio::task::spawn_blocking(move || shared.prepare(&files, how, turn)).await;
        let ready = prepared.unwrap_or_else(|error| {
            Err(PrepareError::new(format!(
                "the engine failed while preparing: {error}"
            )))
        })?;
        // What is about to be listened on is kept before it is.
        match self.link.hold(ready.prepared.listeners()).await {
            Ok(()) => Ok(ready),
            Err(why) => {
                self.give_up(Some(ready)).await;
                Err(PrepareError::new(why))
            }
        }
    }

    /// Lets go of what was got ready. Its sockets are closed here and at the parent before anything
    /// else is got ready.
    async fn give_up(&self, ready: Option<Ready>) {
        if let Some(Ready { prepared, turn, .. }) = ready {
            drop(prepared);
            self.settle().await;
            drop(turn);
        }
    }

    /// Puts into effect what was got ready, the first time with what was set at a former engine; with `charge`
    /// sockets and runtime API are this engine's. False if a successor has been put to work meanwhile.
    async fn swap(&self, ready: Ready, charge: bool) -> bool {
        let swapping = Arc::clone(&self.swapping).lock_owned().await;
        if *self.leaving.borrow() {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        // It may be a hundred thousand overrides, and signs of life must not wait for them. Whoever waits
        // for the swap may go away; it is made whole all the same, and nobody else's turn before.
        let swap = move || {
            let Ready {
                engine,
                prepared,
                files,
                hard_stop_after,
                turn,
                ..
            } = ready;
            let digest = files.digest();
            let overrides = shared.with(|state| state.overrides_for(&digest));
            let overrides: Vec<String> = overrides.into_values().collect();
            let swapped = engine.swap_replaying(prepared, &overrides);
            not_set(&swapped.failed);
            shared.with(|state| {
                state.runs(digest, swapped.lost);
                state.hard_stop_after = hard_stop_after;
            });
            if charge {
                engine.take_charge();
            }
            drop((turn, swapping));
        };
        if let Err(error) = tokio::task::spawn_blocking(swap).await {
            tracing::error!("a configuration did not take effect: {error}");
        }
        true
    }

    /// Has a new engine take over, and waits until it does: who asked for the change finds that one.
    async fn replace(&self) {
        tracing::info!("process-wide settings have changed: a new engine takes over");
        let asked = self.link.say(parent::Question::Replace).await;
        let late = |_| format!("it did not within {}s", REPLACE_LIMIT.as_secs());
        let replaced = match asked {
            Ok(()) => tokio::time::timeout(REPLACE_LIMIT, self.leaving())
                .await
                .map_err(late),
            Err(why) => Err(why),
        };
        if let Err(why) = replaced {
            tracing::error!("they do not take effect before the next start: {why}");
        }
    }

    /// The engine, once there is one.
    pub(super) fn engine(&self) -> Option<Arc<Engine>> {
        self.shared.with(|state| state.engine.clone())
    }

    fn status(&self) -> EngineStatus {
        let engine = self.engine();
        let status = engine.map(|engine| engine.status());
        status.map_or_else(status::idle, |status| status::told(&status))
    }
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing between lock and unlock leaves the state half changed.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn prepare(
        &self,
        files: &FileSet,
        how: How,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Ready, PrepareError> {
        let config = bundle::read(files)?;
        let engine = self.engine(&config)?;
        let inside = bundle::Inside {
            files,
            root: &self.config,
        };
        let prepared = how(&engine, &config, &inside).map_err(|problems| {
            let problems = problems
                .into_iter()
                .map(|problem| lanai_control::PrepareProblem {
                    origin: problem.origin,
                    message: problem.message,
                });
            PrepareError {
                problems: problems.collect(),
            }
        })?;
        Ok(Ready {
            engine,
            prepared,
            files: files.clone(),
            process_wide: process_wide(&self.settings(&config)),
            hard_stop_after: config.global.hard_stop_after,
            turn,
        })
    }

    fn settings(&self, config: &Config) -> Settings {
        facts::engine_settings(&config.global, self.threads, None)
    }

    fn engine(&self, config: &Config) -> Result<Arc<Engine>, PrepareError> {
        self.with(|state| {
            if let Some(engine) = &state.engine {
                return Ok(Arc::clone(engine));
            }
            let mut settings = self.settings(config);
            settings.overrides = Some(self.journal.clone());
            let process_wide = process_wide(&settings);
            let engine = Engine::start(settings);
            let engine = engine.map_err(|error| PrepareError::new(crate::chain(&error)))?;
            engine.inherit(std::mem::take(&mut state.inherited));
            engine.remember(std::mem::take(&mut state.addresses));
            state.process_wide = Some(process_wide);
            Ok(Arc::clone(state.engine.insert(Arc::new(engine))))
        })
    }
}

fn not_set(failed: &[String]) {
    for answer in failed {
        tracing::warn!("not set again: {}", answer.trim());
    }
}

fn names(sockets: &[Kept]) -> Vec<String> {
    sockets.iter().map(|(name, _)| name.clone()).collect()
}

impl Answer for Answers {
    type Question = Question;
    type Reply = Reply;
    type Session = Option<Ready>;

    fn admits(&self, peer: &UCred) -> bool {
        [0, self.control].contains(&peer.uid())
    }

    async fn leaving(&self) {
        // The sender is ours.
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
    }

    async fn answer(&self, _: &UCred, ready: &mut Option<Ready>, question: Question) -> Reply {
        match question {
            Question::Attend => Reply::Attending {
                running: self.shared.with(|state| state.running.clone()),
            },
            Question::Prepare { files } => {
                self.give_up(ready.take()).await;
                match self.prepare(files.0, Engine::prepare).await {
                    Ok(new) => {
                        *ready = Some(new);
                        Reply::Done
                    }
                    Err(refused) => Reply::Refused(refused),
                }
            }
            Question::Swap => match ready.take() {
                Some(ready) => {
                    let renew = self
                        .shared
                        .with(|state| state.process_wide != Some(ready.process_wide));
                    let (files, engine) = (ready.files.clone(), Arc::clone(&ready.engine));
                    if !self.swap(ready, true).await {
                        return Reply::NothingReady;
                    }
                    if let Err(why) = self.link.running(files, engine.addresses()).await {
                        tracing::warn!("a configuration took effect in vain: {why}");
                        return Reply::NothingReady;
                    }
                    self.settle().await;
                    if renew {
                        self.replace().await;
                    }
                    tracing::info!("a configuration took effect");
                    Reply::Done
                }
                None => Reply::NothingReady,
            },
            Question::Abort => {
                self.give_up(ready.take()).await;
                Reply::Done
            }
            Question::Status => Reply::Status(Box::new(self.status())),
        }
    }

    async fn closed(&self, ready: Option<Ready>) {
        self.give_up(ready).await;
    }
}
