//! What the control process asks of the engine, on `engine.sock`.

use lanai_control::{EngineStatus, PrepareError};
use serde::{Deserialize, Serialize};

use super::files::Files;

/// Name of the socket in the run directory.
pub(crate) const SOCKET: &str = "engine.sock";

/// A question to the engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// "Are you there?" Whoever asks keeps this connection: that it ends means the engine is gone.
    Attend,
    /// Get this configuration ready: the whole file set, as text. What was ready before on this
    /// connection is dropped.
    Prepare { files: Files },
    /// Put into effect what was got ready on this connection.
    Swap,
    /// Drop what was got ready on this connection.
    Abort,
    /// States and counters.
    Status,
}

/// The engine's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Done.
    Done,
    /// To [`Question::Attend`]: the digest of the configuration in effect, if there is one.
    Attending { running: Option<String> },
    /// To [`Question::Prepare`]: it cannot be done, for these reasons; nothing changed.
    Refused(PrepareError),
    /// To [`Question::Swap`]: there is nothing ready.
    NothingReady,
    /// To [`Question::Status`].
    Status(Box<EngineStatus>),
}
