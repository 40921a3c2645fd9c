//! What can go wrong between us and the kernel, in words with a next step.

use std::io;

use lanai_network::Step;

/// The state of the network could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No netlink socket.
    #[error(
        "cannot open a netlink socket: {0}; is this Linux, and is AF_NETLINK allowed by the sandbox?"
    )]
    Socket(#[source] io::Error),
    /// The kernel refused a question.
    #[error("cannot list {what}: {cause}")]
    Dump {
        /// What was asked for: "links", "addresses", "routes".
        what: &'static str,
        /// The kernel's answer.
        cause: Cause,
    },
    /// A setting could not be read.
    #[error("cannot read {name}: {cause}")]
    Sysctl {
        /// Its name.
        name: String,
        /// Why.
        cause: Cause,
    },
    /// The state changed during each of several attempts to read it.
    #[error(
        "the network changed during each of {attempts} attempts to read it; stop what is changing it, or try again"
    )]
    Unsteady {
        /// How often it was tried.
        attempts: u32,
    },
}

/// Why the kernel did not do what it was asked: an explanation with a next step, and the error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Cause {
    /// For people.
    pub words: String,
    /// `errno`, 0 if the kernel was not even asked.
    pub errno: i32,
}

/// A step failed; what was done before it was undone.
#[derive(Debug, thiserror::Error)]
pub struct ExecuteError {
    /// The step that failed.
    pub step: Step,
    /// Its place among the steps, from 0.
    pub index: usize,
    /// Why.
    pub cause: Cause,
    /// Undoing steps that failed as well, each with its cause: empty means that everything is as before.
    pub not_undone: Vec<(Step, Cause)>,
}

impl std::fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.step, self.cause)?;
        if self.not_undone.is_empty() {
            return f.write_str("; everything was put back as it was");
        }
        f.write_str("; putting things back failed too:")?;
        for (step, cause) in &self.not_undone {
            write!(f, " cannot {step}: {cause};")?;
        }
        Ok(())
    }
}
