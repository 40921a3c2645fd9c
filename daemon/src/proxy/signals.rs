//! Signals of a proxy that runs alone. SIGINT and SIGTERM keep their default action, so that the
//! process ends by the signal at once and whoever waits for it sees that.

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// SIGUSR1: stop listening, end with the last connection.
    Finish,
    /// SIGUSR2: read the configuration again (with `-W`).
    Reload,
    /// SIGHUP: tell the servers' states.
    Tell,
}

/// The signals taken from the threads started after this.
#[derive(Debug)]
pub(crate) struct Signals(SigSet);

/// Takes the signals. To be called before any thread is started: they inherit it.
pub(crate) fn take() -> Result<Signals, Errno> {
    // A shell that starts a program in the background lets it ignore SIGINT.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the default action runs no code of ours.
        unsafe { sigaction(signal, &default) }?;
    }
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGHUP,
        // HAProxy pauses and resumes its listeners at these; ours need no pause, since a successor
        // may bind beside them.
        Signal::SIGTTOU,
        Signal::SIGTTIN,
        // HAProxy tells its memory pools; there are none.
        Signal::SIGQUIT,
    ] {
        set.add(signal);
    }
    set.thread_block()?;
    Ok(Signals(set))
}

impl Signals {
    /// Waits for a signal that asks for something.
    pub(crate) fn wait(&self) -> Result<Wish, Errno> {
        loop {
            match self.0.wait() {
                Ok(Signal::SIGUSR1) => return Ok(Wish::Finish),
                Ok(Signal::SIGUSR2) => return Ok(Wish::Reload),
                Ok(Signal::SIGHUP) => return Ok(Wish::Tell),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
