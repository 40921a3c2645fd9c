//! What control asks of the box.

use async_trait::async_trait;
use lanai_network::{Observed, Step};
use serde::{Deserialize, Serialize};

/// The box's network, reached through whoever has the rights.
#[async_trait]
pub trait Host: Send + Sync {
    /// Reads the kernel's network state.
    ///
    /// # Errors
    /// If it cannot be read.
    async fn observe(&self) -> Result<Observed, HostError>;

    /// Does the steps in order, or none of them: at the first failure what was done is undone.
    ///
    /// # Errors
    /// Names the failing step, the cause and, if undoing failed too, what is left.
    async fn execute(&self, steps: &[Step]) -> Result<(), HostError>;
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
