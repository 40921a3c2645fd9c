//! What the children ask of the parent, on `parent.sock`.

use lanai_control::TrialState;
use lanai_network::{Observed, Step};
use serde::{Deserialize, Serialize};

use super::files::Files;

/// Name of the socket in the run directory.
pub(crate) const SOCKET: &str = "parent.sock";

/// Which child is speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// `lanai control`.
    Control,
    /// `lanai proxy` as the daemon's engine.
    Engine,
}

/// A question of a child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// "I am up." The child keeps this connection: that it ends tells it that the parent is gone.
    Attend { role: Role },
    /// The kernel's network state. Control only.
    Observe,
    /// Do these steps, or none of them. Control only.
    Execute { steps: Vec<Step> },
    /// A configuration is in effect: the service is up. Control only.
    Live,
    /// Start the time of a trial: from here on the previous configuration comes back by itself.
    /// Durable before it is answered. Control only.
    BeginTrial { trial: Trial },
    /// How the trial stands. Control only.
    Trial,
    /// Stop the time. Durable before it is answered. Control only.
    ConfirmTrial { revision: i64 },
    /// Forget the trial. Control only.
    EndTrial { revision: i64 },
}

/// [`lanai_control::Trial`] as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// The revision on trial.
    pub(crate) revision: i64,
    /// Seconds until the previous configuration comes back.
    pub(crate) within_s: u64,
    /// Takes back what the change adds to the network; to be done last.
    pub(crate) withdraw: Vec<Step>,
    /// Brings back what the change removes from it; to be done first.
    pub(crate) restore: Vec<Step>,
    /// The files of the previous configuration, for the engine.
    pub(crate) previous: Files,
}

impl From<&lanai_control::Trial> for Trial {
    fn from(trial: &lanai_control::Trial) -> Trial {
        Trial {
            revision: trial.revision,
            within_s: trial.within_s,
            withdraw: trial.withdraw.clone(),
            restore: trial.restore.clone(),
            previous: Files(trial.previous.clone()),
        }
    }
}

/// The parent's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Done.
    Done,
    /// To [`Question::Observe`].
    Observed(Box<Observed>),
    /// To [`Question::Trial`].
    Trial(Option<TrialState>),
    /// Not done, and nothing changed.
    Failed { message: String },
}
