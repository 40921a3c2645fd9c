//! What control asks of the proxy engine, and what it is told of it.

use async_trait::async_trait;
use lanai_model::Origin;
use serde::{Deserialize, Serialize};

use crate::files::FileSet;

/// The proxy engine, wherever it runs.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Does everything for `files` that may fail: bind, certificates, names. Nothing that runs
    /// changes. A second call replaces what the first prepared.
    ///
    /// # Errors
    /// All reasons at once; what was prepared before is gone then.
    async fn prepare(&self, files: &FileSet) -> Result<(), PrepareError>;

    /// Puts what was prepared last in place. Fails only if there is no engine any more, or none
    /// that has been asked to prepare.
    ///
    /// # Errors
    /// See above.
    async fn swap(&self) -> Result<(), EngineGone>;

    /// Drops what was prepared. Nothing to do is fine.
    async fn abort(&self);

    /// States and counters.
    ///
    /// # Errors
    /// If there is no engine.
    async fn status(&self) -> Result<EngineStatus, EngineGone>;
}

/// Why the engine cannot run a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct PrepareError {
    /// Every reason, at least one.
    pub problems: Vec<PrepareProblem>,
}

impl PrepareError {
    /// One reason that belongs to no line.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            problems: vec![PrepareProblem {
                origin: None,
                message: message.into(),
            }],
        }
    }

    fn sentence(&self) -> String {
        let each = self.problems.iter().map(|problem| match &problem.origin {
            Some(origin) => format!("{origin}: {}", problem.message),
            None => problem.message.clone(),
        });
        each.collect::<Vec<_>>().join("; ")
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareProblem {
    /// The line that asks for it.
    pub origin: Option<Origin>,
    /// What failed, and what may help.
    pub message: String,
}

/// There is no engine to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the proxy engine does not answer: {0}")]
pub struct EngineGone(pub String);

/// What the engine tells of itself, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineStatus {
    /// Process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Its version.
    pub version: String,
    /// Frontends and the front side of `listen` sections.
    pub frontends: Vec<FrontendStatus>,
    /// Backends and the back side of `listen` sections.
    pub backends: Vec<BackendStatus>,
}

/// One frontend. Counters run since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrontendStatus {
    /// Its name.
    pub name: String,
    /// `http` or `tcp`.
    pub mode: String,
    /// `OPEN`, `FULL` or `STOP`.
    pub status: String,
    /// Its listening sockets.
    pub listeners: Vec<ListenerStatus>,
    /// Sessions now.
    pub cur: u64,
    /// Most sessions at once.
    pub max: u64,
    /// Sessions.
    pub total: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// HTTP requests.
    pub requests: u64,
    /// Requests that were not understood or not completed.
    pub errors: u64,
}

/// One listening socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerStatus {
    /// `name` of the `bind` line, or HAProxy's `sock-N`.
    pub name: String,
    /// `address:port`.
    pub address: String,
    /// `interface` of the `bind` line.
    pub interface: Option<String>,
}

/// One backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackendStatus {
    /// Its name.
    pub name: String,
    /// `http` or `tcp`.
    pub mode: String,
    /// `UP` or `DOWN`.
    pub status: String,
    /// Sessions now.
    pub cur: u64,
    /// Sessions.
    pub total: u64,
    /// HTTP requests.
    pub requests: u64,
    /// Its servers.
    pub servers: Vec<ServerStatus>,
}

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerStatus {
    /// Its name.
    pub name: String,
    /// `address:port`.
    pub address: String,
    /// In HAProxy's words: `UP`, `DOWN`, `no check`, `UP 1/3`.
    pub status: String,
    /// Its weight.
    pub weight: u32,
    /// Sessions now.
    pub cur: u64,
    /// Sessions.
    pub total: u64,
    /// HTTP requests.
    pub requests: u64,
    /// How the last health check ended, in HAProxy's words; empty if there was none.
    pub last_check: String,
    /// Seconds since the status last changed.
    pub since_s: u64,
}
