//! What the command line asks of the control process, on `control.sock`.
//!
//! Answers come as they are to be shown, in the form asked for: whoever prints them needs to know
//! nothing of what they mean.

use lanai_control::{Role, Within};
use lanai_network::Visitor;
use serde::{Deserialize, Serialize};

use super::files::Files;
use crate::appliance::dhcp::Configured;

/// Name of the socket in the run directory.
pub(crate) const SOCKET: &str = "control.sock";

/// One command.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    /// What to do.
    pub(crate) command: Command,
    /// How to show the outcome.
    pub(crate) form: Form,
    /// Who asks, for the history: the name of the user who logged in.
    pub(crate) name: String,
    /// The connection over which they came, if they came over the network.
    pub(crate) visitor: Option<Visitor>,
}

/// How an outcome is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// Plain text for people.
    Plain,
    /// Text for people, with ANSI colours.
    Coloured,
    /// JSON for programs.
    Json,
}

/// What can be asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// What an apply of these files would do.
    Plan { files: Files },
    /// Put these files into effect; with a time, on trial.
    Apply {
        files: Files,
        comment: String,
        within: Option<Within>,
        /// Not on trial even if it may cut off whoever asks.
        for_good: bool,
    },
    /// Keep the revision on trial.
    Confirm,
    /// Put an earlier revision into effect. Without a number: take the revision on trial back, or
    /// put the one before the live one into effect.
    Rollback { to: Option<i64>, for_good: bool },
    /// The history, newest first.
    Revisions { limit: u32 },
    /// What changed from one revision to another; to the files on disk without the second; from
    /// the live revision without both.
    Diff { from: Option<i64>, to: Option<i64> },
    /// How things are.
    Status,
    /// What the configuration needs of this box, and whether it is there.
    Doctor,
    /// One part of how things are.
    Show { what: Part },
    /// Add a user; a login link lets them in the first time.
    AddUser { user: String, role: Role },
    /// Give a user a password.
    SetPassword { user: String, password: String },
    /// The users.
    Users,
    /// A link that logs one user in, once.
    LoginLink { user: String },
    /// The interfaces that are set up, as soon as they are others than `seen`, or after a while. In
    /// JSON, as `lanai dhcp` reads it.
    WatchNetworks { seen: Option<Configured> },
    /// What the console shows, in JSON.
    Console,
    /// A password that lets the administrator in once.
    ResetPassword,
}

/// A part of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Interfaces and their addresses
    Interfaces,
    /// Routes
    Routes,
    /// Frontends, backends and servers
    Stat,
    /// The engine process
    Info,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// Done, or refused.
    pub(crate) done: bool,
    /// To print: on standard output if done or in JSON, on standard error if refused.
    pub(crate) text: String,
}
