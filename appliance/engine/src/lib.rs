//! The proxy engine: sockets, TLS, HTTP/1, tunnels, pools, timers, health checks, syslog and the
//! runtime API.
//!
//! An [`Engine`] is a set of worker threads and one service thread. A configuration reaches it as a
//! validated model: [`Engine::prepare`] does everything that may fail (bind, certificates, names)
//! and changes nothing that runs; [`Engine::swap`] puts the result in place and cannot fail.
//!
//! Invariant: the engine knows no configuration text, and the road of a request takes no lock that
//! the control side holds while it works.

mod status;

use std::io;
use std::path::Path;
use std::time::Duration;

use lanai_model::Origin;
use lanai_model::layer7::Config;

pub use status::{
    BackendStatus, CheckResult, Counters, FrontendStatus, ListenerStatus, ServerStatus, Status,
};

/// What is fixed for the life of an engine. A change of these needs a new one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads, at least 1.
    pub nbthread: usize,
    /// Concurrent client connections of the process; `None` derives it from the descriptor limit.
    pub maxconn: Option<u32>,
    /// The version that the runtime API tells.
    pub version: &'static str,
    /// `log-tag`: the program name in log lines; HAProxy's default is `haproxy`.
    pub log_tag: String,
}

/// Where the files come from that a configuration names.
pub trait Files {
    /// The bytes of the file that the configuration calls `path`.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// Why a configuration cannot be put to work.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PrepareError {
    /// The line that asks for it.
    pub origin: Option<Origin>,
    /// What failed, and what may help.
    pub message: String,
}

/// Why an engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refused a thread, a descriptor or an event queue.
    #[error("cannot start a worker thread")]
    Thread(#[source] io::Error),
}

/// A configuration that is ready to be swapped in: its sockets are open, its certificates loaded.
/// Dropping it undoes that.
#[derive(Debug)]
pub struct Prepared(());

/// A running engine. Dropping it stops the threads and closes everything.
#[derive(Debug)]
pub struct Engine(());

impl Engine {
    /// Starts the threads, with nothing to listen on.
    ///
    /// # Errors
    /// When the system refuses threads or descriptors.
    pub fn start(_settings: Settings) -> Result<Self, StartError> {
        Ok(Self(()))
    }

    /// Does everything for `config` that may fail. Blocks (it may resolve names).
    ///
    /// # Errors
    /// All reasons at once; nothing has changed then.
    pub fn prepare(&self, _config: &Config, _files: &dyn Files) -> Result<Prepared, Vec<PrepareError>> {
        Ok(Prepared(()))
    }

    /// Makes a prepared configuration the running one. Connections finish on the one they began with.
    pub fn swap(&self, _prepared: Prepared) {}

    /// Reads all states and counters.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        None
    }

    /// Stops listening. Open connections go on.
    pub fn soft_stop(&self) {}

    /// Waits until no client connection is left, at most for `limit`. Returns whether none is.
    #[must_use]
    pub fn wait_drained(&self, _limit: Option<Duration>) -> bool {
        true
    }
}
