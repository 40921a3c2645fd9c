//! `global` (HAProxy manual, section 3).

use std::num::NonZeroU16;
use std::time::Duration;

use super::{ListenAddress, LogTarget, SslBindOptions};
use crate::Origin;

/// `global` (HAProxy manual, section 3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Global {
    /// `nbthread`: worker threads; default: the CPUs the process may use.
    pub nbthread: Option<NonZeroU16>,
    /// `maxconn`: concurrent client connections of the process.
    pub maxconn: Option<u32>,
    /// `stats socket` lines.
    pub stats_sockets: Vec<StatsSocket>,
    /// `stats timeout`: idle time of a runtime API connection, default 10 s.
    pub stats_timeout: Option<Duration>,
    /// `log` lines.
    pub log: Vec<LogTarget>,
    /// `ssl-default-bind-options`; already merged into every bind with `ssl`.
    pub ssl_default_bind: SslBindOptions,
    /// `tune.ssl.cachesize`: sessions kept for TLS resumption by session id; default 20,000, 0 is none.
    pub tune_ssl_cachesize: Option<u32>,
    /// `hard-stop-after`: how long a stopping process may go on with its connections.
    pub hard_stop_after: Option<Duration>,
    /// `tune.bufsize`: bytes of one buffer, thus the limit of a message head; default 16,384.
    pub tune_bufsize: Option<u32>,
    /// `tune.maxrewrite`: bytes of a buffer kept free for rewriting; default 1,024.
    pub tune_maxrewrite: Option<u32>,
}

/// Who may do what on a runtime API socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Read what is not sensitive.
    User,
    /// Read everything, clear counters.
    #[default]
    Operator,
    /// Change things.
    Admin,
}

/// `stats socket ADDRESS [level L] [mode M]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsSocket {
    /// Where it listens.
    pub address: ListenAddress,
    /// `level`, default operator.
    pub level: AccessLevel,
    /// `mode`: permission bits of a UNIX socket's path.
    pub mode: Option<u32>,
    /// The line.
    pub origin: Origin,
}
