//! `frontend`, `backend` and `listen` (HAProxy manual, section 4).

use std::sync::Arc;

use super::{Balance, Bind, LogFormat, LogTarget, Rules, Server, Timeouts};
use crate::Origin;

/// `frontend`, `backend` or `listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// Takes connections.
    Frontend,
    /// Has servers.
    Backend,
    /// Both at once.
    Listen,
}

/// `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Bytes in both directions.
    #[default]
    Tcp,
    /// HTTP messages.
    Http,
}

/// One `frontend`, `backend` or `listen` section with its `defaults` applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// Name, unique among frontends (with listens) and among backends (with listens).
    pub name: Arc<str>,
    /// Which kind of section.
    pub kind: ProxyKind,
    /// `mode`.
    pub mode: Mode,
    /// `bind` lines; empty for a backend.
    pub binds: Vec<Bind>,
    /// `maxconn` of a frontend: concurrent connections; default: the global one.
    pub maxconn: Option<u32>,
    /// `backlog`: length of the accept queue; default: the frontend's `maxconn`.
    pub backlog: Option<u32>,
    /// `default_backend`: name of a proxy of this configuration that has servers.
    pub default_backend: Option<Arc<str>>,
    /// `balance`.
    pub balance: Balance,
    /// `server` lines; empty for a frontend. Names are unique.
    pub servers: Vec<Server>,
    /// `timeout` lines.
    pub timeouts: Timeouts,
    /// `option forwardfor`.
    pub forwardfor: Option<ForwardFor>,
    /// `option http-server-close`, `httpclose`, `http-keep-alive`.
    pub http_connection_mode: HttpConnectionMode,
    /// `http-reuse`.
    pub http_reuse: HttpReuse,
    /// Where this proxy logs; `log global` is already replaced by the global targets.
    pub log: Vec<LogTarget>,
    /// `option httplog` / `option tcplog`.
    pub log_format: LogFormat,
    /// `option dontlognull`: no log line for a connection that carried no byte.
    pub dontlognull: bool,
    /// `retries`: attempts after the first to connect to a server; default 3.
    pub retries: Option<u32>,
    /// Rules, ACLs and what goes with them.
    pub rules: Rules,
    /// The section's line.
    pub origin: Origin,
}

/// `option forwardfor [except NET] [header NAME] [if-none]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardFor {
    /// Header name; default `x-forwarded-for`, kept in lower case as it is sent.
    pub header: Arc<str>,
    /// `except`: clients of this network get none.
    pub except: Option<ipnet::IpNet>,
    /// `if-none`: only where the request has none.
    pub if_none: bool,
}

/// What happens to connections after a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpConnectionMode {
    /// `option http-keep-alive`, the default: both sides stay open.
    #[default]
    KeepAlive,
    /// `option http-server-close`: the server side is closed.
    ServerClose,
    /// `option httpclose`: both are.
    Close,
}

/// `http-reuse`: which requests may use an idle server connection of another client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpReuse {
    /// None.
    Never,
    /// All but a client connection's first request.
    #[default]
    Safe,
    /// As safe; and first requests on connections that were reused already.
    Aggressive,
    /// Any.
    Always,
}
