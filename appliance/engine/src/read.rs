//! Reading the engine's states and counters.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::listen::{Listening, bound_address};
use crate::runtime_api;
use crate::shared::Shared;
use crate::state::{LiveBackend, LiveFrontend, LiveServer, Target};
use crate::status::{BackendStatus, FrontendStatus, ListenerStatus, ServerStatus, Status};

/// What the engine listens on now.
pub(crate) type Sockets = Arc<arc_swap::ArcSwap<Vec<Arc<Listening>>>>;

/// Makes a [`Status`]; the runtime API and [`crate::Engine::status`] use the same.
#[derive(Clone)]
pub(crate) struct StatusSource {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sockets: Sockets,
    pub(crate) threads: usize,
    pub(crate) version: &'static str,
}

impl StatusSource {
    pub(crate) fn read(&self) -> Status {
        let shared = &self.shared;
        let live = shared.live.load_full();
        let sockets = self.sockets.load();
        let frontends: Vec<_> = live
            .frontends
            .iter()
            .map(|f| frontend(f, &sockets, shared.maxconn))
            .collect();
        Status {
            uptime: shared.started.elapsed(),
            threads: self.threads,
            maxconn: shared.maxconn,
            current_connections: shared.connections.load(Ordering::Relaxed),
            total_connections: shared.total_connections.load(Ordering::Relaxed),
            total_requests: frontends.iter().map(|f| f.counters.requests).sum(),
            dropped_logs: shared.log.dropped(),
            stopping: shared.stopping.load(Ordering::Relaxed),
            frontends,
            backends: live.backends.iter().map(|b| backend(b)).collect(),
        }
    }
}

impl runtime_api::Source for StatusSource {
    fn status(&self) -> Status {
        self.read()
    }

    fn version(&self) -> &'static str {
        self.version
    }

    fn pid(&self) -> u32 {
        std::process::id()
    }

    fn clear_counters(&self, all: bool) {
        let live = self.shared.live.load_full();
        let servers = live
            .backends
            .iter()
            .flat_map(|b| &b.servers)
            .map(|s| &s.state.activity);
        let backends = live.backends.iter().map(|b| &b.state.activity);
        let frontends = live.frontends.iter().map(|f| &f.state.activity);
        for activity in servers.chain(backends).chain(frontends) {
            activity.clear(all);
        }
    }
}

fn frontend(front: &LiveFrontend, sockets: &[Arc<Listening>], maxconn: u32) -> FrontendStatus {
    let listeners = front.conf.binds.iter().zip(1..).map(|(bind, number)| {
        let key = crate::listen::ListenKey::of(bind);
        let socket = sockets.iter().find(|s| s.key == key);
        ListenerStatus {
            name: bind
                .name
                .clone()
                .unwrap_or_else(|| format!("sock-{number}").into()),
            address: bind.address.clone(),
            bound: socket.and_then(|s| bound_address(&s.socket)),
            interface: bind.interface.clone(),
            tls: bind.ssl.is_some(),
        }
    });
    FrontendStatus {
        name: front.conf.name.clone(),
        id: front.conf.id,
        mode: front.conf.mode,
        limit: front.conf.maxconn.unwrap_or(maxconn),
        listeners: listeners.collect(),
        counters: front.state.activity.read(),
    }
}

fn backend(back: &LiveBackend) -> BackendStatus {
    let (_, since) = *back
        .state
        .changed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    BackendStatus {
        name: back.conf.name.clone(),
        id: back.conf.id,
        mode: back.conf.mode,
        up: back.servers.iter().any(LiveServer::may_serve),
        queued: back.state.queued.load(Ordering::Relaxed),
        queued_max: back.state.queued_max.load(Ordering::Relaxed),
        downs: back.state.downs.load(Ordering::Relaxed),
        counters: back.state.activity.read(),
        servers: back
            .servers
            .iter()
            .zip(1..)
            .map(|(s, id)| server(s, id))
            .collect(),
        since_change: since.elapsed(),
    }
}

fn server(server: &LiveServer, id: u32) -> ServerStatus {
    let status = server.status_words();
    let health = server.state.health();
    let up = server.state.is_up();
    let since_change = health.changed.elapsed();
    let ongoing = if up { Duration::ZERO } else { since_change };
    ServerStatus {
        name: server.state.name.clone(),
        id,
        address: match &server.target {
            Target::Inet(ip, port) => std::net::SocketAddr::new(*ip, port.unwrap_or(0)).to_string(),
            Target::Unix(path) => path.display().to_string(),
        },
        status,
        up,
        weight: server.weight,
        limit: server.maxconn,
        counters: server.state.activity.read(),
        idle_connections: server.state.idle.load(Ordering::Relaxed),
        last_check: health.last.clone(),
        check_failures: health.failures,
        downs: health.downs,
        downtime: health.downtime + ongoing,
        since_change,
        health: health.health.map(|h| h.counters()),
    }
}
