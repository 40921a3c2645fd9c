use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lanai_model::layer7::{
    Balance, Bind, Check, Config, ForwardFor, HttpConnectionMode, HttpReuse, LogFormat, LogTarget,
    Mode, Proxy, ProxyKind, ServerAddress, Source, Timeouts,
};

/// The compiled configuration. Immutable; a request loads it once and keeps it to its end.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Proxies that take connections, in the order written.
    pub frontends: Vec<Frontend>,
    /// Proxies that have servers, in the order written.
    pub backends: Vec<Backend>,
}

/// A proxy that takes connections: a `frontend`, or the front half of a `listen`.
#[derive(Clone, Debug)]
pub struct Frontend {
    /// Its name.
    pub name: Arc<str>,
    /// Number of the proxy in its configuration, from 2 as in HAProxy's statistics (`iid`; 1 is the
    /// internal one that serves the runtime API).
    pub id: u32,
    /// `mode`.
    pub mode: Mode,
    /// Where it listens.
    pub binds: Vec<Bind>,
    /// Index into [`Snapshot::backends`] of `default_backend`; a `listen` is its own.
    pub default_backend: Option<usize>,
    /// Concurrent connections at most; `None` leaves it to the global limit.
    pub maxconn: Option<u32>,
    /// Length of the accept queue for binds that set none.
    pub backlog: Option<u32>,
    /// Its timeouts.
    pub timeouts: Timeouts,
    /// `option forwardfor`.
    pub forwardfor: Option<ForwardFor>,
    /// What it asks of connections after a response.
    pub connection_mode: HttpConnectionMode,
    /// Where it logs.
    pub log: Vec<LogTarget>,
    /// What it logs.
    pub log_format: LogFormat,
    /// `option dontlognull`: connections that carried no byte are not logged.
    pub dontlognull: bool,
}

/// A proxy that has servers: a `backend`, or the back half of a `listen`.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: Arc<str>,
    /// Number of the proxy in its configuration, from 2.
    pub id: u32,
    /// `mode`.
    pub mode: Mode,
    /// `balance`.
    pub balance: Balance,
    /// Its servers, in the order written.
    pub servers: Vec<Server>,
    /// Its timeouts.
    pub timeouts: Timeouts,
    /// `option forwardfor`.
    pub forwardfor: Option<ForwardFor>,
    /// What it asks of connections after a response.
    pub connection_mode: HttpConnectionMode,
    /// `http-reuse`.
    pub http_reuse: HttpReuse,
    /// Attempts after the first to connect to a server.
    pub retries: u32,
    /// Where changes of its servers' states are logged.
    pub log: Vec<LogTarget>,
}

/// One server of a backend.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub address: ServerAddress,
    /// Its share of the traffic, 0 to 256.
    pub weight: u16,
    /// Concurrent connections to it at most.
    pub maxconn: Option<u32>,
    /// Health check.
    pub check: Option<Check>,
    /// Where connections to it come from.
    pub source: Option<Arc<Source>>,
}

/// What the two sides together make of a connection after a response.
///
/// HAProxy manual, section 4, `option httpclose`: where frontend and backend differ, the stronger
/// wish to close wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionMode {
    /// The client's connection may serve another request.
    pub client_keep_alive: bool,
    /// The server's connection may serve another request.
    pub server_keep_alive: bool,
}

impl Snapshot {
    /// Resolves the names inside a valid configuration.
    #[must_use]
    pub fn compile(config: &Config) -> Self {
        let with_servers = |p: &&Proxy| p.kind != ProxyKind::Frontend;
        let numbered = || (2_u32..).zip(&config.proxies);

        let index: HashMap<&str, usize> = config
            .proxies
            .iter()
            .filter(with_servers)
            .enumerate()
            .map(|(i, p)| (&*p.name, i))
            .collect();
        let frontends = numbered()
            .filter(|(_, p)| p.kind != ProxyKind::Backend)
            .map(|(id, p)| frontend(id, p, &index))
            .collect();
        let backends = numbered()
            .filter(|(_, p)| with_servers(p))
            .map(|(id, p)| backend(id, p))
            .collect();
        Self {
            frontends,
            backends,
        }
    }
}

impl Backend {
    /// The pause before a server that refused a connection is tried again: a second, or `timeout
    /// connect` where that is shorter (HAProxy manual, section 4, `retries`).
    #[must_use]
    pub fn turn_around(&self) -> Duration {
        let second = Duration::from_secs(1);
        self.timeouts.connect.unwrap_or(second).min(second)
    }

    /// `timeout queue`, which defaults to `timeout connect`.
    #[must_use]
    pub fn queue_timeout(&self) -> Option<Duration> {
        self.timeouts.queue.or(self.timeouts.connect)
    }
}

impl Frontend {
    /// What this frontend with that backend makes of connections.
    #[must_use]
    pub fn connection_mode(&self, backend: &Backend) -> ConnectionMode {
        let wish = |mode| self.connection_mode == mode || backend.connection_mode == mode;
        let close = wish(HttpConnectionMode::Close);
        ConnectionMode {
            client_keep_alive: !close,
            server_keep_alive: !close && !wish(HttpConnectionMode::ServerClose),
        }
    }

    /// `timeout http-request`, which defaults to `timeout client`.
    #[must_use]
    pub fn request_timeout(&self) -> Option<Duration> {
        self.timeouts.http_request.or(self.timeouts.client)
    }

    /// `timeout http-keep-alive`, which defaults to `timeout http-request`.
    #[must_use]
    pub fn keep_alive_timeout(&self) -> Option<Duration> {
        self.timeouts
            .http_keep_alive
            .or_else(|| self.request_timeout())
    }
}

fn frontend(id: u32, proxy: &Proxy, backends: &HashMap<&str, usize>) -> Frontend {
    // A `listen` with servers of its own serves itself unless it names another.
    let own = (proxy.kind == ProxyKind::Listen).then_some(&*proxy.name);
    let default_backend = proxy
        .default_backend
        .as_deref()
        .or(own)
        .and_then(|n| backends.get(n));
    Frontend {
        name: proxy.name.clone(),
        id,
        mode: proxy.mode,
        binds: proxy.binds.clone(),
        default_backend: default_backend.copied(),
        maxconn: proxy.maxconn,
        backlog: proxy.backlog,
        timeouts: proxy.timeouts,
        forwardfor: proxy.forwardfor.clone(),
        connection_mode: proxy.http_connection_mode,
        log: proxy.log.clone(),
        log_format: proxy.log_format,
        dontlognull: proxy.dontlognull,
    }
}

fn backend(id: u32, proxy: &Proxy) -> Backend {
    Backend {
        name: proxy.name.clone(),
        id,
        mode: proxy.mode,
        balance: proxy.balance.clone(),
        servers: proxy.servers.iter().map(server).collect(),
        timeouts: proxy.timeouts,
        forwardfor: proxy.forwardfor.clone(),
        connection_mode: proxy.http_connection_mode,
        http_reuse: proxy.http_reuse,
        retries: proxy.retries.unwrap_or(3),
        log: proxy.log.clone(),
    }
}

fn server(server: &lanai_model::layer7::Server) -> Server {
    Server {
        name: server.name.clone(),
        address: server.address.clone(),
        weight: server.weight,
        maxconn: server.maxconn,
        check: server.check,
        source: server.source.clone(),
    }
}
