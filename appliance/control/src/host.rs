//! What control asks of the box: its network, and to keep the time of a trial.

use async_trait::async_trait;
use lanai_network::{Facts, Observed, Step, Sysctl};
use serde::{Deserialize, Serialize};

use crate::files::FileSet;

/// The box, reached through whoever has the rights.
#[async_trait]
pub trait Host: Send + Sync {
    /// Reads the kernel's network state, with these settings beside those that are always looked at.
    ///
    /// # Errors
    /// If it cannot be read.
    async fn observe(&self, asked: &[Sysctl]) -> Result<Observed, HostError>;

    /// Looks at what kernel and processes can do.
    ///
    /// # Errors
    /// If it cannot be told.
    async fn probe(&self) -> Result<Facts, HostError>;

    /// Does the steps in order, or none of them: at the first failure what was done is undone.
    ///
    /// # Errors
    /// Names the failing step, the cause and, if undoing failed too, what is left.
    async fn execute(&self, steps: &[Step]) -> Result<(), HostError>;

    /// As [`Host::execute`], to bring the network back to what is configured: only while `trial` is
    /// the revision on trial and has time left, or only while none is on trial. What was right to
    /// repair when we looked may be wrong a moment later, when the host goes back by itself.
    ///
    /// # Errors
    /// As [`Host::execute`], and if the trial is not as we think.
    async fn repair(&self, steps: &[Step], trial: Option<i64>) -> Result<(), HostError>;

    /// Starts the time of a trial. From here on the previous configuration comes back by itself,
    /// whatever becomes of us; that is durable when this returns.
    ///
    /// # Errors
    /// If it cannot be kept, or another trial is under way. Nothing will happen then.
    async fn begin_trial(&self, trial: &Trial) -> Result<(), HostError>;

    /// How the trial stands that was begun last and not ended; `None` if there is none, as after a
    /// restart of the box.
    ///
    /// # Errors
    /// If it cannot be told.
    async fn trial(&self) -> Result<Option<TrialState>, HostError>;

    /// Stops the time: the previous configuration does not come back any more. That is durable when
    /// this returns; confirming again is fine.
    ///
    /// # Errors
    /// If the time is over, or this revision is not on trial.
    async fn confirm_trial(&self, revision: i64) -> Result<(), HostError>;

    /// Forgets a trial, however it stands: all is in place, or taken back. Nothing to forget is
    /// fine.
    ///
    /// # Errors
    /// If it cannot be forgotten, or another revision is on trial.
    async fn end_trial(&self, revision: i64) -> Result<(), HostError>;
}

/// What it takes to go back without us: execute `restore`; let the engine prepare and swap
/// `previous`; execute `withdraw`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The revision on trial.
    pub revision: i64,
    /// Seconds until the previous configuration comes back.
    pub within_s: u64,
    /// Takes back what the change adds to the network.
    pub withdraw: Vec<Step>,
    /// Brings back what the change removes from it.
    pub restore: Vec<Step>,
    /// The files of the previous configuration.
    pub previous: FileSet,
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// It waits.
    Running {
        /// The revision on trial.
        revision: i64,
        /// Seconds that are left.
        left_s: u64,
    },
    /// It was confirmed; putting its files in place may still be to do.
    Confirmed {
        /// The revision.
        revision: i64,
    },
    /// Nobody confirmed it in time: the previous configuration is in effect again.
    Reverted {
        /// The revision.
        revision: i64,
    },
}

impl TrialState {
    /// The revision it is about.
    pub const fn revision(self) -> i64 {
        match self {
            Self::Running { revision, .. }
            | Self::Confirmed { revision }
            | Self::Reverted { revision } => revision,
        }
    }
}

/// The box did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);
