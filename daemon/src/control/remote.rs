//! Engine and kernel, as the control process reaches them: over the sockets of the run directory.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use lanai_control::{
    Engine, EngineGone, EngineStatus, FileSet, Host, HostError, PrepareError, Trial, TrialState,
};
use lanai_network::{Facts, Observed, Step, Sysctl};
use tokio::time::Instant;

use crate::wire::client::{CallError, Client};
use crate::wire::files::Files;
use crate::wire::{engine, parent};

/// Names are resolved while preparing, each with several tries.
const PREPARE_LIMIT: Duration = Duration::from_secs(60);
/// What only takes the other side's attention.
const SHORT_LIMIT: Duration = Duration::from_secs(10);
/// What must be on disk before it is answered.
const TRIAL_LIMIT: Duration = Duration::from_secs(30);
/// How long init may take to start another parent: half a change is not given up for that.
const PARENT_AWAY: Duration = Duration::from_secs(5);
/// Pause before a question is asked again.
const AGAIN: Duration = Duration::from_millis(20);
/// Some thousands of steps.
const EXECUTE_LIMIT: Duration = Duration::from_secs(120);

/// The engine process.
#[derive(Debug)]
pub(super) struct RemoteEngine {
    /// What is prepared belongs to its connection.
    change: Client,
    /// Apart, so that the status can be read while something is prepared.
    status: Client,
}

impl RemoteEngine {
    /// The engine that answers in the run directory.
    pub(super) fn new(run: &Path) -> RemoteEngine {
        let path = run.join(engine::SOCKET);
        RemoteEngine {
            change: Client::new(&path),
            status: Client::new(&path),
        }
    }
}

#[async_trait]
impl Engine for RemoteEngine {
    async fn prepare(&self, files: &FileSet) -> Result<(), PrepareError> {
        let question = engine::Question::Prepare {
            files: Files(files.clone()),
        };
        match self.change.call(&question, PREPARE_LIMIT).await {
            Ok(engine::Reply::Done) => Ok(()),
            Ok(engine::Reply::Refused(refused)) => Err(refused),
            Ok(other) => Err(PrepareError::new(unexpected(&other))),
            Err(error) => Err(PrepareError::new(gone(&error).to_string())),
        }
    }

    async fn swap(&self) -> Result<(), EngineGone> {
        match self.change.call(&engine::Question::Swap, SHORT_LIMIT).await {
            Ok(engine::Reply::Done) => Ok(()),
            Ok(engine::Reply::NothingReady) => Err(EngineGone(
                "it was restarted in the middle of the change".to_owned(),
            )),
            Ok(other) => Err(EngineGone(unexpected(&other))),
            Err(error) => Err(gone(&error)),
        }
    }

    async fn abort(&self) {
        let answer = self
            .change
            .call(&engine::Question::Abort, SHORT_LIMIT)
            .await;
        if let Err(error) = answer.map(|_: engine::Reply| ()) {
            // Then its connection has ended, and with it what was prepared.
            tracing::debug!("abort: {}", crate::chain(&error));
        }
    }

    async fn status(&self) -> Result<EngineStatus, EngineGone> {
        match self
            .status
            .call(&engine::Question::Status, SHORT_LIMIT)
            .await
        {
            Ok(engine::Reply::Status(status)) => Ok(*status),
            Ok(other) => Err(EngineGone(unexpected(&other))),
            Err(error) => Err(gone(&error)),
        }
    }
}

/// The kernel, through the parent.
#[derive(Debug)]
pub(super) struct RemoteHost {
    change: Client,
    look: Client,
}

impl RemoteHost {
    /// The parent that answers in the run directory.
    pub(super) fn new(run: &Path) -> RemoteHost {
        let path = run.join(parent::SOCKET);
        RemoteHost {
            change: Client::patient(&path, PARENT_AWAY),
            look: Client::patient(&path, PARENT_AWAY),
        }
    }

    /// Tells the parent that a configuration is in effect.
    pub(super) async fn live(&self) {
        let answer = certain(&self.look, &parent::Question::Live, SHORT_LIMIT).await;
        if let Err(error) = answer.map(|_: parent::Reply| ()) {
            tracing::warn!("the parent was not told: {}", crate::chain(&error));
        }
    }
}

#[async_trait]
impl Host for RemoteHost {
    async fn observe(&self, asked: &[Sysctl]) -> Result<Observed, HostError> {
        let question = match asked {
            [] => parent::Question::Observe,
            asked => parent::Question::ObserveWith {
                asked: asked.to_vec(),
            },
        };
        match certain(&self.look, &question, SHORT_LIMIT).await {
            Ok(parent::Reply::Observed(observed)) => Ok(*observed),
            Ok(parent::Reply::Failed { message }) => Err(HostError(message)),
            Ok(other) => Err(HostError(unexpected(&other))),
            Err(error) => Err(HostError(crate::chain(&error))),
        }
    }

    async fn probe(&self) -> Result<Facts, HostError> {
        match certain(&self.look, &parent::Question::Probe, SHORT_LIMIT).await {
            Ok(parent::Reply::Probed(facts)) => Ok(*facts),
            Ok(parent::Reply::Failed { message }) => Err(HostError(message)),
            Ok(other) => Err(HostError(unexpected(&other))),
            Err(error) => Err(HostError(crate::chain(&error))),
        }
    }

    async fn execute(&self, steps: &[Step]) -> Result<(), HostError> {
        if steps.is_empty() {
            return Ok(());
        }
        let question = parent::Question::Execute {
            steps: steps.to_vec(),
        };
        let answer = self.change.call(&question, EXECUTE_LIMIT).await;
        if let Err(CallError::Broken { .. } | CallError::Closed(_)) = &answer {
            // What comes next takes these steps back: it must reach a parent that lives, and not the
            // socket of the one that is dying.
            let _ = certain(&self.look, &parent::Question::Trial, SHORT_LIMIT).await;
        }
        done(answer)
    }

    async fn repair(&self, steps: &[Step], trial: Option<i64>) -> Result<(), HostError> {
        let question = parent::Question::Repair {
            steps: steps.to_vec(),
            trial,
        };
        done(self.change.call(&question, EXECUTE_LIMIT).await)
    }

    async fn begin_trial(&self, trial: &Trial) -> Result<(), HostError> {
        let question = parent::Question::BeginTrial {
            trial: Box::new(trial.into()),
        };
        done(self.change.call(&question, TRIAL_LIMIT).await)
    }

    async fn trial(&self) -> Result<Option<TrialState>, HostError> {
        match certain(&self.look, &parent::Question::Trial, SHORT_LIMIT).await {
            Ok(parent::Reply::Trial(state)) => Ok(state),
            Ok(parent::Reply::Failed { message }) => Err(HostError(message)),
            Ok(other) => Err(HostError(unexpected(&other))),
            Err(error) => Err(HostError(crate::chain(&error))),
        }
    }

    async fn confirm_trial(&self, revision: i64) -> Result<(), HostError> {
        let question = parent::Question::ConfirmTrial { revision };
        done(certain(&self.change, &question, TRIAL_LIMIT).await)
    }

    async fn end_trial(&self, revision: i64) -> Result<(), HostError> {
        let question = parent::Question::EndTrial { revision };
        done(certain(&self.change, &question, TRIAL_LIMIT).await)
    }
}

/// Asks what may be asked twice: of a parent that died instead of answering, and then of the next one.
async fn certain(
    client: &Client,
    question: &parent::Question,
    limit: Duration,
) -> Result<parent::Reply, CallError> {
    let end = Instant::now() + PARENT_AWAY;
    loop {
        match client.call(question, limit).await {
            Err(CallError::Broken { .. } | CallError::Closed(_)) if Instant::now() < end => {
                // One that is alive and will not have us must not be asked all the time.
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

/// What there is no more to tell about than that it was done.
fn done(answer: Result<parent::Reply, CallError>) -> Result<(), HostError> {
    match answer {
        Ok(parent::Reply::Done) => Ok(()),
        Ok(parent::Reply::Failed { message }) => Err(HostError(message)),
        Ok(other) => Err(HostError(unexpected(&other))),
        Err(error) => Err(HostError(crate::chain(&error))),
    }
}

fn gone(error: &CallError) -> EngineGone {
    EngineGone(crate::chain(error))
}

/// Two builds of the program that do not fit together.
fn unexpected(reply: &impl std::fmt::Debug) -> String {
    let mut text = format!("{reply:?}");
    text.truncate(text.floor_char_boundary(80));
    format!("an answer to another question came: {text}")
}
