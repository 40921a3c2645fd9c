//! A configuration takes effect: which overrides stay.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lanai_model::layer7::SourcePorts;
use lanai_traffic::condition::{Admin, Checks, Operation};

use super::frontends::{close_doors, open_doors};
use super::journal::Lost;
use super::{ConfiguredServer, OverrideSender, journal, publish};
use crate::listen::Listening;
use crate::prepare::Ready;
use crate::server::refresh;
use crate::state::{Live, LiveBackend, LiveFrontend, LiveServer, Registry, ServerHealth, Target};

/// Takes effect on state that is kept by name. Nothing here can fail.
///
/// Where the configuration's own value changed, it wins over what was set of that kind at run time.
///
/// Returns what was set at run time and gave way.
pub(crate) fn settle(ready: &Ready, journal: Option<&OverrideSender>) -> Lost {
    let mut lost = Lost::new();
    for frontend in &ready.live.frontends {
        lost.extend(settle_frontend(frontend, journal));
    }
    for backend in &ready.live.backends {
        for (conf, server) in backend.conf.servers.iter().zip(&backend.servers) {
            let name = format!("{}/{}", backend.conf.name, server.state.name);
            lost.extend(settle_server(&name, conf, server, journal));
            settle_ports(server);
        }
        refresh(backend);
    }
    lost
}

/// Has the kernel take connections to every frontend that is not paused, and refuse those to the others.
pub(crate) fn open_or_close(live: &Live, sockets: &[Arc<Listening>]) {
    for frontend in &live.frontends {
        if frontend.state.overrides().paused {
            close_doors(&frontend.state, sockets);
        } else if let Err(error) = open_doors(&frontend.state, sockets) {
            // Those that are new listen already, and the others listened until now.
            tracing::error!(frontend = &*frontend.conf.name, %error, "the backlog stays as it was");
        }
    }
}

/// Tells the owner that overrides of what left the configuration are void. Returns them.
pub(crate) fn forget(registry: &Registry, live: &Live, journal: Option<&OverrideSender>) -> Lost {
    let mut lost = Lost::new();
    for (backend, server) in registry.servers() {
        let stays = live
            .backends
            .iter()
            .flat_map(|b| &b.servers)
            .any(|s| s.state.uid == server.uid);
        if !stays {
            let name = format!("{backend}/{}", server.name);
            lost.extend(journal::forget_server(&name, &mut server.health(), journal));
        }
    }
    for state in registry.frontends() {
        if !live.frontends.iter().any(|f| Arc::ptr_eq(&f.state, state)) {
            let overrides = &mut state.overrides();
            lost.extend(journal::forget_frontend(&state.name, overrides, journal));
        }
    }
    lost
}

/// The configuration with every server where it is meant to be, at run time too. Backends that need
/// no change are shared.
pub(crate) fn apply_targets(live: Arc<Live>) -> Arc<Live> {
    let moved = |server: &LiveServer| locate(server) != (server.target.clone(), server.place);
    if !live.backends.iter().flat_map(|b| &b.servers).any(moved) {
        return live;
    }
    let mut changed = Live::clone(&live);
    for backend in &mut changed.backends {
        if backend.servers.iter().any(moved) {
            let mut copy = LiveBackend::clone(backend);
            for server in &mut copy.servers {
                (server.target, server.place) = locate(server);
            }
            *backend = Arc::new(copy);
        }
    }
    Arc::new(changed)
}

/// Where a server is meant to be, and the number of that place. A new place gets a new number, and so
/// does a new source: connections to or from where it was are not used again.
fn locate(server: &LiveServer) -> (Target, u32) {
    let mut health = server.state.health();
    let wanted = match health.overrides.address {
        Some((ip, port)) => Target::Inet(ip, port),
        None => server.configured.clone(),
    };
    let place = &server.state.place;
    let way = (wanted.clone(), server.source.clone());
    if let Some(before) = health.way.replace(way.clone())
        && before != way
    {
        place.fetch_add(1, Ordering::SeqCst);
    }
    (wanted, place.load(Ordering::SeqCst))
}

fn settle_frontend(frontend: &LiveFrontend, journal: Option<&OverrideSender>) -> Lost {
    let mut overrides = frontend.state.overrides();
    let configured = frontend.conf.maxconn;
    let before = overrides.configured.replace(configured);
    if overrides.maxconn.is_some() && before != Some(configured) {
        overrides.maxconn = None;
        let name = &frontend.conf.name;
        dropped(&format!("frontend {name}"), "maxconn");
    }
    frontend.state.publish(&overrides);
    journal::tell_frontend(&frontend.conf.name, &mut overrides, journal)
}

fn settle_server(
    name: &str,
    conf: &lanai_traffic::Server,
    server: &LiveServer,
    journal: Option<&OverrideSender>,
) -> Lost {
    let mut health = server.state.health();
    let configured = ConfiguredServer {
        weight: conf.weight,
        maxconn: conf.maxconn,
        address: conf.address.clone(),
        is_checked: conf.check.is_some(),
    };
    if let Some(before) = health.overrides.configured.replace(configured.clone()) {
        drop_changed(name, &mut health, &before, &configured);
    }
    let limits = conf.check.map(|check| (check.rise, check.fall));
    health.change(|condition| condition.configure(limits));
    if limits.is_none() {
        health.last = None;
    }
    publish(&server.state, &health);
    journal::tell_server(name, &mut health, journal)
}

/// A range that changed hands out other ports to connections of both configurations.
fn settle_ports(server: &LiveServer) {
    let source = server.source.as_deref();
    if let Some(ports) = &server.ports
        && let Some(SourcePorts::Range(range)) = source.and_then(|it| it.ports.clone())
    {
        ports.change(range);
    }
}

/// Drops the overrides of the kinds whose value changed in the text.
fn drop_changed(
    name: &str,
    health: &mut ServerHealth,
    before: &ConfiguredServer,
    now: &ConfiguredServer,
) {
    let name = format!("server {name}");
    let overrides = &mut health.overrides;
    if before.weight != now.weight && overrides.weight.take().is_some() {
        dropped(&name, "weight");
    }
    if before.maxconn != now.maxconn && overrides.maxconn.take().is_some() {
        dropped(&name, "maxconn");
    }
    if before.address != now.address && overrides.address.take().is_some() {
        dropped(&name, "address");
    }
    if before.is_checked != now.is_checked {
        let condition = health.condition;
        if condition.checks() == Checks::Off {
            dropped(&name, "disabled checks");
        }
        let declared = condition.checks() == Checks::None
            && condition.admin() != Admin::Maint
            && condition.operation() != Operation::Running;
        if declared {
            dropped(&name, "health");
            health.change(|condition| condition.force(Operation::Running));
        }
    }
}

fn dropped(name: &str, kind: &str) {
    tracing::warn!("{name}: its {kind} was set at run time; the changed configuration counts now");
}
