//! What can go wrong, by whose fault.

use std::io;
use std::path::PathBuf;

use lanai_network::Plan;
use lanai_store::RevisionId;

use crate::engine::{EngineGone, PrepareError};
use crate::host::HostError;
use crate::report::{CheckReport, Holder};
use crate::within::span;

/// A question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("the database lanai.db in the state directory failed: {0}")]
    Store(#[from] lanai_store::Error),
    /// A file or directory.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The box does not answer.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The engine does not answer.
    #[error(transparent)]
    Engine(#[from] EngineGone),
    /// No such revision, or it was pruned.
    #[error("there is no revision {0}; `lanai revisions` lists those that are kept")]
    NoSuchRevision(RevisionId),
    /// No such user.
    #[error("there is no user '{0}'")]
    NoSuchUser(String),
    /// A task of ours was lost, as happens when the process is stopping.
    #[error("interrupted: the process is stopping")]
    Interrupted,
}

/// A change did not happen. Files, network and traffic are as they were, save for
/// [`ApplyError::NotRestored`], which says what is not.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The check found alerts.
    #[error("the configuration was refused")]
    Refused(CheckReport),
    /// Somebody else is changing the configuration.
    #[error("{} ({}) is changing the configuration right now; try again when that is done", .0.name, .0.from)]
    Busy(Holder),
    /// The revision this change was made from is no longer live.
    #[error("somebody changed the configuration meanwhile: revision {} is live now; look at it and apply again", show(*live))]
    Conflict {
        /// The live revision.
        live: Option<RevisionId>,
    },
    /// A revision is on trial, and must be kept or taken back first.
    #[error(
        "revision {revision} is on trial, {} left: `lanai confirm` keeps it, `lanai rollback` takes \
         it back; then try again", span(*left_s)
    )]
    OnTrial {
        /// Which.
        revision: RevisionId,
        /// Seconds until it is taken back by itself.
        left_s: u64,
    },
    /// Nothing is on trial that could be confirmed or taken back, or it is another revision.
    #[error("{}", not_on_trial(*asked, *on_trial))]
    NotOnTrial {
        /// The revision asked for, if one was named.
        asked: Option<RevisionId>,
        /// The one that is on trial.
        on_trial: Option<RevisionId>,
    },
    /// The confirmation came too late.
    #[error("revision {0} was not confirmed in time: the previous revision is back")]
    TooLate(RevisionId),
    /// Whoever keeps the time of a trial cannot, or does not answer.
    #[error("the time of a trial cannot be kept: {0}")]
    Timer(HostError),
    /// The network plan has problems: something wanted cannot work or would destroy what is not ours.
    #[error("the network cannot be set up as written: {}", problems(.0))]
    Plan(Plan),
    /// A step on the network failed.
    #[error("the network could not be changed: {0}")]
    Network(HostError),
    /// The engine cannot run it.
    #[error("the proxy engine cannot run this configuration: {0}")]
    Prepare(PrepareError),
    /// The engine went away in the middle.
    #[error(transparent)]
    Engine(EngineGone),
    /// After everything was done the network was not as wanted: something else changes it.
    #[error("the network did not become what the configuration says; still to do: {}", steps(.0))]
    NotSteady(Plan),
    /// The files could not be written.
    #[error("the files could not be written: {}: {source}", path.display())]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading or saving failed before anything was touched, or saving failed and all was taken back.
    #[error(transparent)]
    Internal(#[from] Error),
    /// The change failed, and taking it back did not work out wholly. [`crate::Control::boot`]'s road
    /// is tried again at the next start.
    #[error("{cause}; and not everything could be put back: {}", left.join("; "))]
    NotRestored {
        /// Why the change failed.
        cause: Box<ApplyError>,
        /// What is not as it was.
        left: Vec<String>,
    },
}

impl From<lanai_store::Error> for ApplyError {
    fn from(error: lanai_store::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// Control cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A directory cannot be made or used.
    #[error("cannot use {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database")]
    Store(#[from] lanai_store::Error),
}

/// Boot got nowhere: not even the history could be read. What is running goes on.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Reading failed.
    #[error("cannot read the configuration")]
    Read(#[from] Error),
    /// A change is under way, so the box has booted already.
    #[error("{} ({}) is changing the configuration", .0.name, .0.from)]
    Busy(Holder),
}

/// A login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name, password or token is wrong; which of them is not told.
    #[error("name or password is wrong")]
    Wrong,
    /// Too many failures for this account or from this address.
    #[error("too many failed logins: try again in {retry_after_s} s")]
    TooSoon {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// It could not be decided.
    #[error(transparent)]
    Internal(#[from] Error),
}

impl From<lanai_store::Error> for LoginError {
    fn from(error: lanai_store::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// A user could not be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Shorter than [`crate::PASSWORD_MIN`] characters.
    #[error("a password needs at least {} characters", crate::PASSWORD_MIN)]
    TooShort,
    /// Longer than [`crate::PASSWORD_MAX`] characters.
    #[error("a password has at most {} characters", crate::PASSWORD_MAX)]
    TooLong,
    /// On the list of the commonest, or the user's name.
    #[error("this password is among the first that an attacker tries; choose another")]
    Common,
    /// Not a good name.
    #[error("a user name has 1 to 32 letters, digits and . _ - and starts with a letter or digit")]
    BadName,
    /// The name is taken.
    #[error("there is a user of this name already")]
    Exists,
    /// The last administrator must stay.
    #[error("this is the last administrator; make another one first")]
    LastAdmin,
    /// Anything else.
    #[error(transparent)]
    Internal(#[from] Error),
}

impl From<lanai_store::Error> for UserError {
    fn from(error: lanai_store::Error) -> Self {
        Self::Internal(error.into())
    }
}

fn show(revision: Option<RevisionId>) -> String {
    revision.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

fn not_on_trial(asked: Option<RevisionId>, on_trial: Option<RevisionId>) -> String {
    match (asked, on_trial) {
        (Some(asked), Some(other)) => {
            format!("revision {asked} is not on trial, revision {other} is")
        }
        (Some(asked), None) => format!(
            "revision {asked} is not on trial: it was confirmed or taken back already; `lanai \
             revisions` says which"
        ),
        (None, _) => "no revision is on trial".to_owned(),
    }
}

fn problems(plan: &Plan) -> String {
    let each = plan
        .problems
        .iter()
        .map(|problem| format!("{}: {problem}", problem.origin()));
    each.collect::<Vec<_>>().join("; ")
}

fn steps(plan: &Plan) -> String {
    plan.steps()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
