//! What the two children have in common: how they are handed their socket and their user, and how
//! they notice that the parent is gone.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, Uid};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use crate::rights::{Identity, RightsError};
use crate::wire::client::{self, CallError};
use crate::wire::frame::{self, FrameError};
use crate::wire::parent::{self, Question, Reply, Role};

/// How long the parent may take to answer the first word.
const ATTEND_LIMIT: Duration = Duration::from_secs(10);

/// Why a child could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// The number given is no listening socket.
    #[error("descriptor {number} is not a listening socket: only lanai daemon starts this process")]
    NotASocket {
        /// The number.
        number: i32,
        /// What the kernel said.
        source: io::Error,
    },
    /// Rights could not be given up.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// The runtime.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// The socket the parent handed over.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
    /// The parent cannot be reached.
    #[error("cannot reach the parent")]
    Parent(#[from] CallError),
    /// The parent does not speak as expected.
    #[error("the parent does not answer as expected")]
    Talk(#[source] FrameError),
    /// It does not want us.
    #[error("the parent refused us: {0}")]
    Refused(String),
    /// It ended. Until it can be succeeded by another one, so do we.
    #[error("the parent is gone")]
    Gone,
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

/// Names the process for `ps` and `top`, which would show `exe`: so the file was called at its start.
pub(crate) fn set_name(name: &CStr) {
    // It fails only for a bad pointer.
    let _ = nix::sys::prctl::set_name(name);
}

/// The socket that the parent handed over under a number.
#[derive(Debug)]
pub(crate) struct Listener(UnixListener);

/// Takes the listening socket with this number. To be called once, first thing.
pub(crate) fn listener(number: i32) -> Result<Listener, ChildError> {
    let failed = |source: nix::Error| ChildError::NotASocket {
        number,
        source: source.into(),
    };
    if number < 3 {
        return Err(failed(nix::Error::EBADF));
    }
    // SAFETY: the parent passed this number for us to own, and nothing else in this process knows
    // it: it is the first thing done, and only once. A number that is not open fails right below
    // and is then closed to no effect.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    let check = fcntl(descriptor.as_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
        .and_then(|_| getsockopt(&descriptor, sockopt::AcceptConn));
    match check {
        Ok(true) => Ok(Listener(UnixListener::from(descriptor))),
        Ok(false) => Err(failed(nix::Error::EINVAL)),
        Err(error) => {
            // Closing a number that was never open is an error that the standard library aborts
            // on in debug builds.
            std::mem::forget(descriptor);
            Err(failed(error))
        }
    }
}

impl Listener {
    /// For use inside a runtime.
    pub(crate) fn into_tokio(self) -> Result<tokio::net::UnixListener, ChildError> {
        self.0.set_nonblocking(true).map_err(ChildError::Accept)?;
        tokio::net::UnixListener::from_std(self.0).map_err(ChildError::Accept)
    }
}

/// The connection that lives as long as the parent.
#[derive(Debug)]
pub(crate) struct Parent(UnixStream);

/// Tells the parent that we are up.
pub(crate) async fn attend(run: &Path, role: Role) -> Result<Parent, ChildError> {
    let path = run.join(parent::SOCKET);
    let greet = async {
        let mut stream = client::connect(&path).await?;
        frame::write(&mut stream, &Question::Attend { role })
            .await
            .map_err(ChildError::Talk)?;
        match frame::read(&mut stream).await.map_err(ChildError::Talk)? {
            Some(Reply::Done) => Ok(Parent(stream)),
            Some(Reply::Failed { message }) => Err(ChildError::Refused(message)),
            Some(Reply::Observed(_)) | None => Err(ChildError::Gone),
        }
    };
    let late = |_| CallError::Late {
        path: path.clone(),
        limit: ATTEND_LIMIT,
    };
    tokio::time::timeout(ATTEND_LIMIT, greet)
        .await
        .map_err(late)?
}

impl Parent {
    /// Waits until the parent is gone.
    pub(crate) async fn gone(mut self) -> ChildError {
        // It never says a word here of its own; whatever can be read, it is over.
        let _ = self.0.read(&mut [0]).await;
        ChildError::Gone
    }
}
