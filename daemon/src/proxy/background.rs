//! Leaving the terminal (`-D`): the first process waits until the second one listens, and ends with
//! its verdict, so that a script knows whether the service started.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe, setsid};

/// The way back to the first process.
#[derive(Debug)]
pub(crate) struct Terminal {
    verdict: OwnedFd,
}

/// Which of the two processes goes on here.
#[derive(Debug)]
pub(crate) enum Side {
    /// The first: the service started or failed, and this is what to end with.
    First(ExitCode),
    /// The second: it starts the service.
    Second(Terminal),
}

/// Forks. To be called before there is a second thread.
pub(crate) fn fork_off() -> io::Result<Side> {
    let (read, write) = pipe()?;
    // SAFETY: there is no other thread yet (`main` calls this before anything starts one), so the
    // copy finds every lock free.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(read);
            setsid()?;
            Ok(Side::Second(Terminal { verdict: write }))
        }
        ForkResult::Parent { .. } => {
            drop(write);
            let mut verdict = [1];
            // A second process that died without a word has failed.
            let read = File::from(read).read(&mut verdict)?;
            let [code] = verdict;
            Ok(Side::First(ExitCode::from(if read == 0 {
                1
            } else {
                code
            })))
        }
    }
}

impl Terminal {
    /// Says that the service is up, and lets go of the terminal.
    pub(crate) fn leave(self) -> io::Result<()> {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        dup2_stdin(null.as_fd())?;
        dup2_stdout(null.as_fd())?;
        dup2_stderr(null.as_fd())?;
        File::from(self.verdict).write_all(&[0])
    }
}
