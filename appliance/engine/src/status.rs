//! What the engine tells of itself: plain values for the UI, the command line and the statistics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lanai_model::layer7::{ListenAddress, Mode};
use lanai_traffic::condition::{Admin, Checks, Operation};

/// A consistent enough picture: each number is read once, not all at the same instant.
#[derive(Clone, Debug)]
pub struct Status {
    /// Since the engine started.
    pub uptime: Duration,
    /// Worker threads.
    pub threads: usize,
    /// Limit of concurrent client connections of the process.
    pub maxconn: u32,
    /// What that limit was at the start: the highest that may be set.
    pub hard_maxconn: u32,
    /// Client connections now.
    pub current_connections: u32,
    /// Client connections taken since the start.
    pub total_connections: u64,
    /// Requests received since the start.
    pub total_requests: u64,
    /// Log lines that were lost because too many waited.
    pub dropped_logs: u64,
    /// Whether the engine takes no new connections and waits for the open ones to end.
    pub stopping: bool,
    /// In the order of the configuration.
    pub frontends: Vec<FrontendStatus>,
    /// In the order of the configuration.
    pub backends: Vec<BackendStatus>,
}

/// Sums of a frontend or a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sessions now.
    pub current: u32,
    /// Most sessions at once.
    pub max: u32,
    /// Sessions since the start.
    pub total: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// HTTP requests.
    pub requests: u64,
    /// Requests that were not understood, or ended by the client before they were whole.
    pub request_errors: u64,
    /// Connection attempts to servers that failed for good.
    pub connect_errors: u64,
    /// Responses that were not understood, or ended by the server before they were whole.
    pub response_errors: u64,
    /// Connection attempts that were tried again.
    pub retries: u64,
    /// Responses by class: 1xx, 2xx, 3xx, 4xx, 5xx, other.
    pub responses: [u64; 6],
    /// Connections opened to servers.
    pub connects: u64,
    /// Requests sent over a connection that was open already.
    pub reuses: u64,
    /// Transfers that the client broke off.
    pub client_aborts: u64,
    /// Transfers that the server broke off.
    pub server_aborts: u64,
}

/// One frontend.
#[derive(Clone, Debug)]
pub struct FrontendStatus {
    /// Its name.
    pub name: Arc<str>,
    /// HAProxy's `iid`.
    pub id: u32,
    /// `mode`.
    pub mode: Mode,
    /// Concurrent connections at most.
    pub limit: u32,
    /// Whether an operator has disabled it.
    pub paused: bool,
    /// Its listeners.
    pub listeners: Vec<ListenerStatus>,
    /// Its sums.
    pub counters: Counters,
}

/// One listening socket.
#[derive(Clone, Debug)]
pub struct ListenerStatus {
    /// `name` of the bind line, or HAProxy's `sock-N`.
    pub name: Arc<str>,
    /// As configured.
    pub address: ListenAddress,
    /// As the kernel has it (an inherited descriptor's address, for example).
    pub bound: Option<SocketAddr>,
    /// The interface it is bound to.
    pub interface: Option<Arc<str>>,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// One backend.
#[derive(Clone, Debug)]
pub struct BackendStatus {
    /// Its name.
    pub name: Arc<str>,
    /// HAProxy's `iid`.
    pub id: u32,
    /// `mode`.
    pub mode: Mode,
    /// Whether any server may get traffic.
    pub up: bool,
    /// Requests that wait for a server.
    pub queued: u32,
    /// Most requests that waited at once.
    pub queued_max: u32,
    /// Its sums.
    pub counters: Counters,
    /// Its servers.
    pub servers: Vec<ServerStatus>,
    /// Times its last server went down.
    pub downs: u32,
    /// Since its `up` last changed.
    pub since_change: Duration,
}

/// One server.
#[derive(Clone, Debug)]
pub struct ServerStatus {
    /// Its name.
    pub name: Arc<str>,
    /// HAProxy's `sid`, from 1.
    pub id: u32,
    /// As resolved, `ip:port` or a path.
    pub address: String,
    /// In HAProxy's words: `UP`, `DOWN`, `UP 1/3`, `DOWN 1/2`, `DRAIN`, `MAINT`, `NOLB`, `no check`.
    pub status: String,
    /// Whether it gets new requests: it is up, an operator has not taken it out, it has a weight.
    pub up: bool,
    /// What it is able to do.
    pub operation: Operation,
    /// What an operator wants of it.
    pub admin: Admin,
    /// Its weight.
    pub weight: u16,
    /// The weight that the configuration gives it.
    pub initial_weight: u16,
    /// Its `maxconn`.
    pub limit: Option<u32>,
    /// Its sums.
    pub counters: Counters,
    /// Idle connections kept for reuse.
    pub idle_connections: u32,
    /// The last check's result in HAProxy's words (`L4OK`, `L4CON`, `L4TOUT`), and what it said.
    pub last_check: Option<CheckResult>,
    /// Failed checks.
    pub check_failures: u64,
    /// Times it went down.
    pub downs: u64,
    /// Time spent down, all in all.
    pub downtime: Duration,
    /// Since its state last changed.
    pub since_change: Duration,
    /// Whether it is checked.
    pub checks: Checks,
    /// `rise`, `fall` and the counter between.
    pub health: (u32, u32, u32),
}

/// How a health check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// HAProxy's word (manual, section 9.1, `check_status`).
    pub status: &'static str,
    /// For people.
    pub description: String,
    /// How long it took.
    pub duration: Duration,
}
