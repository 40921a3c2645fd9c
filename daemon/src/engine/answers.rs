//! What the engine does when the control process asks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lanai_control::{EngineStatus, FileSet, PrepareError};
use lanai_engine::{Engine, Prepared};
use lanai_model::layer7::Config;
use tokio::net::unix::UCred;

use super::{bundle, status};
use crate::facts;
use crate::wire::engine::{Question, Reply};
use crate::wire::server::Answer;

/// Answers on `engine.sock`.
#[derive(Debug)]
pub(super) struct Answers {
    /// Who may ask, beside root.
    control: u32,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    threads: Option<usize>,
    config: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Started with the first configuration, which says how many threads.
    engine: Option<Arc<Engine>>,
    configured: bool,
    hard_stop_after: Option<Duration>,
}

/// What a connection has got ready.
#[derive(Debug)]
pub(super) struct Ready {
    engine: Arc<Engine>,
    prepared: Prepared,
    hard_stop_after: Option<Duration>,
}

impl Answers {
    /// Answers `control` and root. Files may be named by their path in `config`.
    pub(super) fn new(control: u32, threads: Option<usize>, config: PathBuf) -> Answers {
        let state = Mutex::default();
        Answers {
            control,
            shared: Arc::new(Shared {
                threads,
                config,
                state,
            }),
        }
    }

    /// Stops listening, and waits for the last connection or for `hard-stop-after`.
    pub(super) async fn finish(&self) {
        let (engine, limit) = self
            .shared
            .with(|state| (state.engine.clone(), state.hard_stop_after));
        let Some(engine) = engine else { return };
        tracing::info!("finishing the open connections");
        engine.soft_stop();
        let drained = tokio::task::spawn_blocking(move || engine.wait_drained(limit)).await;
        if !drained.unwrap_or(false) {
            tracing::warn!("connections were cut: hard-stop-after has passed");
        }
    }

    async fn prepare(&self, files: FileSet) -> Result<Ready, PrepareError> {
        let shared = Arc::clone(&self.shared);
        // Binding and resolving block.
        let prepared = tokio::task::spawn_blocking(move || shared.prepare(&files)).await;
        prepared.unwrap_or_else(|error| {
            Err(PrepareError::new(format!(
                "the engine failed while preparing: {error}"
            )))
        })
    }

    fn swap(&self, ready: Ready) {
        ready.engine.swap(ready.prepared);
        self.shared.with(|state| {
            state.configured = true;
            state.hard_stop_after = ready.hard_stop_after;
        });
    }

    fn status(&self) -> EngineStatus {
        let engine = self.shared.with(|state| state.engine.clone());
        let status = engine.map(|engine| engine.status());
        status.map_or_else(status::idle, |status| status::told(&status))
    }
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing between lock and unlock leaves the state half changed.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn prepare(&self, files: &FileSet) -> Result<Ready, PrepareError> {
        let config = bundle::read(files)?;
        let engine = self.engine(&config)?;
        let inside = bundle::Inside {
            files,
            root: &self.config,
        };
        let prepared = engine.prepare(&config, &inside).map_err(|problems| {
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
            hard_stop_after: config.global.hard_stop_after,
        })
    }

    fn engine(&self, config: &Config) -> Result<Arc<Engine>, PrepareError> {
        self.with(|state| {
            if let Some(engine) = &state.engine {
                return Ok(Arc::clone(engine));
            }
            let settings = facts::engine_settings(&config.global, self.threads, None);
            let engine = Engine::start(settings);
            let engine = engine.map_err(|error| PrepareError::new(crate::chain(&error)))?;
            Ok(Arc::clone(state.engine.insert(Arc::new(engine))))
        })
    }
}

impl Answer for Answers {
    type Question = Question;
    type Reply = Reply;
    type Session = Option<Ready>;

    fn admits(&self, peer: &UCred) -> bool {
        [0, self.control].contains(&peer.uid())
    }

    async fn answer(&self, _: &UCred, ready: &mut Option<Ready>, question: Question) -> Reply {
        match question {
            Question::Attend => Reply::Attending {
                configured: self.shared.with(|state| state.configured),
            },
            Question::Prepare { files } => {
                *ready = None;
                match self.prepare(files.0).await {
                    Ok(new) => {
                        *ready = Some(new);
                        Reply::Done
                    }
                    Err(refused) => Reply::Refused(refused),
                }
            }
            Question::Swap => match ready.take() {
                Some(ready) => {
                    self.swap(ready);
                    tracing::info!("a configuration took effect");
                    Reply::Done
                }
                None => Reply::NothingReady,
            },
            Question::Abort => {
                *ready = None;
                Reply::Done
            }
            Question::Status => Reply::Status(Box::new(self.status())),
        }
    }
}
