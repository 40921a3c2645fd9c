//! What the two children have in common: how they become who they are, and their attendance: the
//! connection to the parent, which keeps for a successor what must outlive them, and which is made
//! again when the parent was replaced.

mod link;
mod mirror;
mod talk;

use std::ffi::CStr;
use std::str::FromStr;

use lanai_control::PrepareError;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};

use crate::rights::{Identity, RightsError};
use crate::wire::client::CallError;
use crate::wire::frame::FrameError;

pub(crate) use link::{Estate, Kept, Link, attend};

/// Why a child could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// Rights could not be given up.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// The runtime.
    #[error("cannot start")]
    Start(#[source] std::io::Error),
    /// The socket the parent handed over.
    #[error("cannot accept connections")]
    Accept(#[source] std::io::Error),
    /// The parent cannot be reached.
    #[error("cannot reach the parent")]
    Parent(#[from] CallError),
    /// The parent does not speak as expected.
    #[error("the parent does not answer as expected: only lanai daemon starts this process")]
    Talk(#[source] FrameError),
    /// It does not want us: another one is at work.
    #[error("the parent refused us: {0}")]
    Refused(String),
    /// An engine cannot take the place of one that is at work.
    #[error("the configuration in effect cannot be run, and the former engine goes on")]
    Succeed(#[source] PrepareError),
}

/// `UID:GID`, as the parent passes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserIds(pub(crate) Identity);

impl FromStr for UserIds {
    type Err = String;

    fn from_str(text: &str) -> Result<UserIds, String> {
        let ids = text.split_once(':').and_then(|(uid, gid)| {
            Some(Identity {
                uid: Uid::from_raw(uid.parse().ok()?),
                gid: Gid::from_raw(gid.parse().ok()?),
            })
        });
        ids.map(UserIds)
            .ok_or_else(|| format!("'{text}' is not UID:GID"))
    }
}

/// Has an engine finish its connections: a successor takes over.
pub(crate) const MAKE_ROOM: Signal = Signal::SIGUSR1;
/// Has an engine finish its connections: the service ends. One that nobody sends by habit.
pub(crate) const FINISH: Signal = Signal::SIGPWR;

/// Names the process for `ps` and `top`, which would show `exe`: so the file was called at its start.
pub(crate) fn set_name(name: &CStr) {
    // It fails only for a bad pointer.
    let _ = nix::sys::prctl::set_name(name);
}
