//! Reading the engine's states and counters.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use lanai_traffic::condition::Operation;

use crate::listen::{Listening, bound_address};
use crate::overrides::Operator;
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
    pub(crate) operator: Arc<Operator>,
}

impl StatusSource {
    pub(crate) fn read(&self) -> Status {
        let shared = &self.shared;
        let live = shared.live.load_full();
        let sockets = self.sockets.load();
        let frontends: Vec<_> = live
            .frontends
            .iter()
            .map(|f| frontend(f, &sockets, shared.hard_maxconn))
            .collect();
        Status {
            uptime: shared.started.elapsed(),
            threads: self.threads,
            maxconn: shared.maxconn(),
            hard_maxconn: shared.hard_maxconn,
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

    fn operator(&self) -> &Operator {
        &self.operator
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
    let overrides = front.state.overrides();
    FrontendStatus {
        name: front.conf.name.clone(),
        id: front.conf.id,
        mode: front.conf.mode,
        limit: overrides.maxconn.or(front.conf.maxconn).unwrap_or(maxconn),
        paused: overrides.paused,
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
            .zip(&back.conf.servers)
            .map(|((s, id), conf)| server(s, id, conf.weight))
            .collect(),
        since_change: since.elapsed(),
    }
}

fn server(server: &LiveServer, id: u32, initial_weight: u16) -> ServerStatus {
    let health = server.state.health();
    let condition = health.condition;
    let since_change = health.changed.elapsed();
    let ongoing = match condition.operation() {
        Operation::Stopped => since_change,
        Operation::Running | Operation::Stopping => Duration::ZERO,
    };
    ServerStatus {
        name: server.state.name.clone(),
        id,
        address: match &server.target {
            Target::Inet(ip, port) => std::net::SocketAddr::new(*ip, port.unwrap_or(0)).to_string(),
            Target::Unix(path) => path.display().to_string(),
        },
        status: condition.to_string(),
        up: server.may_serve(),
        operation: condition.operation(),
        admin: condition.admin(),
        weight: server.state.weight(),
        initial_weight,
        limit: server.state.limit(),
        counters: server.state.activity.read(),
        idle_connections: server.state.shelves.idle(),
        last_check: health.last.clone(),
        check_failures: health.failures,
        downs: health.downs,
        downtime: health.downtime + ongoing,
        since_change,
        checks: condition.checks(),
        health: condition.health().counters(),
    }
}
