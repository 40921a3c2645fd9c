//! The LB Layer7 tab: the proxies, in HAProxy's words.
//!
//! Field names are HAProxy's keywords; units are in the types. `None` means "not written": the
//! default is chosen by whoever uses the value, and documented on the field.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Origin;

/// A whole Layer 7 configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The `global` sections, merged.
    pub global: Global,
    /// `frontend`, `backend` and `listen` sections in the order written, with their `defaults`
    /// already applied. Every name a proxy refers to exists here.
    pub proxies: Vec<Proxy>,
}

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

/// An address a listener takes connections on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenAddress {
    /// `ADDR:PORT`; `*` is `0.0.0.0`.
    Inet(SocketAddr),
    /// `fd@N`: a listening socket inherited under this number.
    Fd(i32),
    /// A UNIX stream socket's path.
    Unix(PathBuf),
}

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
    /// The section's line.
    pub origin: Origin,
}

/// One `bind` line and one address of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    /// Where it listens.
    pub address: ListenAddress,
    /// `name`, for statistics.
    pub name: Option<Arc<str>>,
    /// `interface`: SO_BINDTODEVICE, so that only packets that come in by it are taken, and replies
    /// leave by it.
    pub interface: Option<Arc<str>>,
    /// `backlog`.
    pub backlog: Option<u32>,
    /// `maxconn`.
    pub maxconn: Option<u32>,
    /// `ssl` and its settings.
    pub ssl: Option<BindSsl>,
    /// The line.
    pub origin: Origin,
}

/// `ssl crt FILE ...` of a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindSsl {
    /// `crt` files as written (`crt-base` applied), each with certificate chain and private key in
    /// PEM; at least one. The first serves clients without a matching SNI.
    pub crt: Vec<PathBuf>,
    /// Options of this bind; `ssl-default-bind-options` are already merged in.
    pub options: SslBindOptions,
}

/// `ssl-default-bind-options` and the same words on a `bind` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SslBindOptions {
    /// `no-tls-tickets`.
    pub no_tls_tickets: bool,
    /// `ssl-min-ver`; default TLS 1.2.
    pub min_version: Option<TlsVersion>,
    /// `ssl-max-ver`; default TLS 1.3.
    pub max_version: Option<TlsVersion>,
}

/// A TLS version the engine can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// `balance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// Each server in turn, by weight.
    #[default]
    RoundRobin,
}

/// One `server` line, with `default-server` applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Name, unique in its backend.
    pub name: Arc<str>,
    /// Where it is.
    pub address: ServerAddress,
    /// `check` and its settings; `None` is no check.
    pub check: Option<Check>,
    /// `weight`, 0 to 256; default 1.
    pub weight: u16,
    /// `maxconn`: concurrent connections to it; `None` is unlimited.
    pub maxconn: Option<u32>,
    /// The line.
    pub origin: Origin,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// An IP address. Port `None` is the port the client came to.
    Ip(IpAddr, Option<u16>),
    /// A host name, resolved when a change is prepared.
    Name(Arc<str>, Option<u16>),
    /// A UNIX stream socket's path.
    Unix(PathBuf),
}

/// Health check settings (HAProxy manual, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// `inter`, default 2 s.
    pub inter: Duration,
    /// `fastinter`: between checks while the state is changing; default `inter`.
    pub fastinter: Option<Duration>,
    /// `downinter`: between checks of a server that is down; default `inter`.
    pub downinter: Option<Duration>,
    /// `rise`, default 2.
    pub rise: u32,
    /// `fall`, default 3.
    pub fall: u32,
    /// `port`: check this port instead of the server's.
    pub port: Option<u16>,
}

/// The timeouts (HAProxy manual, section 4). `None` is no limit, save where said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// `timeout client`: inactivity of the client.
    pub client: Option<Duration>,
    /// `timeout server`: inactivity of the server.
    pub server: Option<Duration>,
    /// `timeout connect`.
    pub connect: Option<Duration>,
    /// `timeout queue`; default: `connect`.
    pub queue: Option<Duration>,
    /// `timeout check`: of a check once connected.
    pub check: Option<Duration>,
    /// `timeout http-request`: for a whole request head; default: `client`.
    pub http_request: Option<Duration>,
    /// `timeout http-keep-alive`: for the next request's first byte; default: `http-request`.
    pub http_keep_alive: Option<Duration>,
    /// `timeout tunnel`: instead of client and server once a tunnel stands.
    pub tunnel: Option<Duration>,
    /// `timeout client-fin`.
    pub client_fin: Option<Duration>,
    /// `timeout server-fin`.
    pub server_fin: Option<Duration>,
    /// `timeout tarpit`; default: `connect`.
    pub tarpit: Option<Duration>,
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

/// `option httplog` and its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// HAProxy's short line: who connected where.
    #[default]
    Default,
    /// `option tcplog`.
    Tcp,
    /// `option httplog`.
    Http,
}

/// `log TARGET [len N] [format F] FACILITY [MAX [MIN]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// Where lines go.
    pub address: LogAddress,
    /// `len`: longest line in bytes, 80 to 65,535; default 1,024.
    pub len: u16,
    /// `format`.
    pub format: LogTransport,
    /// Syslog facility number, 0 to 23.
    pub facility: u8,
    /// Least urgent level that is sent (7 debug); default 7.
    pub max_level: u8,
    /// Lines more urgent than this are sent as this level; default 0 (emerg).
    pub min_level: u8,
}

/// Where a log line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAddress {
    /// A datagram to this address; the port's default is 514.
    Udp(SocketAddr),
    /// A datagram to this UNIX socket.
    Unix(PathBuf),
    /// An open descriptor; `stdout` is 1 and `stderr` 2.
    Fd(i32),
}

/// `format` of a log target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogTransport {
    /// `local`: the old syslog header without a host name.
    #[default]
    Local,
    /// `rfc3164`: with host name.
    Rfc3164,
    /// `rfc5424`.
    Rfc5424,
    /// `priority`: the level in angle brackets, then the message.
    Priority,
    /// `short`: as `priority`, after systemd's habit.
    Short,
    /// `raw`: the message alone.
    Raw,
}
