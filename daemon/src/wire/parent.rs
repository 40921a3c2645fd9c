//! What the children ask of the parent, on `parent.sock`.

use lanai_network::{Observed, Step};
use serde::{Deserialize, Serialize};

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
}

/// The parent's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Done.
    Done,
    /// To [`Question::Observe`].
    Observed(Box<Observed>),
    /// Not done, and nothing changed.
    Failed { message: String },
}
