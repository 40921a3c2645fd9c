//! The state of the box as the Status page shows it.

use lanai_control::{BackendStatus, EngineStatus, FrontendStatus, ServerStatus, Status};

use crate::page::State;

use super::numbers::{bytes, count, duration, plural};

/// The headline.
pub(crate) struct Summary {
    pub(crate) class: &'static str,
    pub(crate) headline: String,
    pub(crate) detail: String,
}

/// One number of the overview.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) unit: String,
}

/// One backend with its servers.
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) mode: String,
    pub(crate) state: State,
    pub(crate) totals: String,
    pub(crate) servers: Vec<Server>,
}

/// One server.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) address: String,
    pub(crate) check: String,
    /// How long it has been in this state.
    pub(crate) since: String,
    pub(crate) weight: u32,
    pub(crate) now: String,
    pub(crate) total: String,
}

/// One frontend.
pub(crate) struct Frontend {
    pub(crate) name: String,
    pub(crate) mode: String,
    pub(crate) state: State,
    pub(crate) listeners: Vec<String>,
    pub(crate) now: String,
    pub(crate) total: String,
    pub(crate) requests: String,
    pub(crate) bytes: String,
}

/// One interface.
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) addresses: Vec<String>,
}

/// What the headline says: the worst thing there is.
pub(crate) fn summary(status: &Status) -> Summary {
    let engine = match &status.engine {
        Ok(engine) => engine,
        Err(_) => {
            return Summary {
                class: "bad",
                headline: "The engine does not answer".to_owned(),
                detail: "No traffic is balanced until it is back.".to_owned(),
            };
        }
    };
    let servers = || engine.backends.iter().flat_map(|backend| &backend.servers);
    let all = servers().count();
    let down: Vec<&str> = servers()
        .filter(|server| server_state(server).class == "bad")
        .map(|server| server.name.as_str())
        .collect();
    let detail = format!(
        "{}, {}, {}.",
        plural(engine.frontends.len(), "frontend", "frontends"),
        plural(engine.backends.len(), "backend", "backends"),
        plural(all, "server", "servers")
    );
    let dead = engine
        .backends
        .iter()
        .find(|backend| backend_state(backend).class == "bad");
    let (class, headline) = match (dead, down.len()) {
        (Some(dead), _) => ("bad", format!("{} has no server left", dead.name)),
        (None, 0) if all == 0 => ("none", "Nothing to balance yet".to_owned()),
        (None, 0) => ("good", "Everything is up".to_owned()),
        (None, 1) => ("warn", format!("{} is down", down.join(""))),
        (None, some) => ("warn", format!("{some} of {all} servers are down")),
    };
    Summary {
        class,
        headline,
        detail,
    }
}

/// The overview.
pub(crate) fn figures(engine: &EngineStatus) -> Vec<Figure> {
    let servers = || engine.backends.iter().flat_map(|backend| &backend.servers);
    let up = servers()
        .filter(|server| server_state(server).class != "bad")
        .count();
    let sum = |of: fn(&FrontendStatus) -> u64| engine.frontends.iter().map(of).sum::<u64>();
    let figure = |label, value, unit: String| Figure { label, value, unit };
    vec![
        figure(
            "Servers up",
            up.to_string(),
            format!("of {}", servers().count()),
        ),
        figure("Sessions now", count(sum(|one| one.cur)), String::new()),
        figure("Sessions", count(sum(|one| one.total)), String::new()),
        figure("Requests", count(sum(|one| one.requests)), String::new()),
        figure("Engine up for", duration(engine.uptime_s), String::new()),
    ]
}

/// Backends with their servers.
pub(crate) fn backends(engine: &EngineStatus) -> Vec<Backend> {
    let backend = |backend: &BackendStatus| Backend {
        name: backend.name.clone(),
        mode: backend.mode.clone(),
        state: backend_state(backend),
        totals: format!(
            "{} now, {} sessions, {} requests",
            count(backend.cur),
            count(backend.total),
            count(backend.requests)
        ),
        servers: backend.servers.iter().map(server).collect(),
    };
    engine.backends.iter().map(backend).collect()
}

/// Frontends.
pub(crate) fn frontends(engine: &EngineStatus) -> Vec<Frontend> {
    let frontend = |frontend: &FrontendStatus| Frontend {
        name: frontend.name.clone(),
        mode: frontend.mode.clone(),
        state: match frontend.status.as_str() {
            "OPEN" => State::new("good", "OPEN"),
            "FULL" => State::new("warn", "FULL"),
            other => State::new("bad", other),
        },
        listeners: frontend
            .listeners
            .iter()
            .map(|listener| match &listener.interface {
                Some(interface) => format!("{} interface {interface}", listener.address),
                None => listener.address.clone(),
            })
            .collect(),
        now: count(frontend.cur),
        total: count(frontend.total),
        requests: count(frontend.requests),
        bytes: format!(
            "{} / {}",
            bytes(frontend.bytes_in),
            bytes(frontend.bytes_out)
        ),
    };
    engine.frontends.iter().map(frontend).collect()
}

/// Interfaces with their addresses; the loopback interface tells nothing.
pub(crate) fn interfaces(status: &Status) -> Vec<Interface> {
    let Ok(network) = &status.network else {
        return Vec::new();
    };
    let links = network.links.iter().filter(|link| !link.loopback);
    links
        .map(|link| {
            let addresses: Vec<String> = network
                .addresses_of(&link.name)
                .map(|address| address.address.net.to_string())
                .collect();
            let state = match (link.up, link.carrier) {
                (true, true) => State::new("good", "up"),
                (true, false) => State::new("warn", "no carrier"),
                // Nobody asked it to be up, so nothing is wrong.
                (false, _) if addresses.is_empty() => State::new("none", "down"),
                (false, _) => State::new("bad", "down"),
            };
            Interface {
                name: link.name.to_string(),
                state,
                addresses,
            }
        })
        .collect()
}

/// Default routes as `ip route show default` prints them, lowest metric first; IPv4, then IPv6.
pub(crate) fn default_routes(status: &Status) -> Vec<String> {
    let Ok(network) = &status.network else {
        return Vec::new();
    };
    let routes = network.routes.iter().map(|observed| &observed.route);
    let mut defaults: Vec<_> = routes.filter(|route| route.is_default()).collect();
    defaults.sort_by_key(|route| {
        (
            route.destination.addr().is_ipv6(),
            route.table,
            route.metric,
        )
    });
    let lines = defaults.into_iter().map(|route| {
        let mut line = "default".to_owned();
        if let Some(gateway) = route.gateway {
            line = format!("{line} via {gateway}");
        }
        if let Some(interface) = &route.interface {
            line = format!("{line} dev {interface}");
        }
        if route.metric != 0 {
            line = format!("{line} metric {}", route.metric);
        }
        line
    });
    lines.collect()
}

fn server(server: &ServerStatus) -> Server {
    let check = match server.last_check.as_str() {
        "" => "\u{2013}".to_owned(),
        check => check.to_owned(),
    };
    Server {
        name: server.name.clone(),
        state: server_state(server),
        address: server.address.clone(),
        check: match server.status.as_str() {
            "no check" => "not checked".to_owned(),
            _ => check,
        },
        since: duration(server.since_s),
        weight: server.weight,
        now: count(server.cur),
        total: count(server.total),
    }
}

/// HAProxy's words. `UP 1/3` is on its way down, `DOWN 1/2` on its way up.
fn server_state(server: &ServerStatus) -> State {
    let word = server.status.as_str();
    let class = match word {
        "UP" => "good",
        "no check" => "none",
        up if up.starts_with("UP") => "warn",
        "NOLB" | "DRAIN" => "warn",
        maint if maint.starts_with("MAINT") => "none",
        _ => "bad",
    };
    State::new(class, word)
}

fn backend_state(backend: &BackendStatus) -> State {
    match backend.status.as_str() {
        "UP" => State::new("good", "UP"),
        // A backend without servers is not broken, only unfinished.
        other if backend.servers.is_empty() => State::new("none", other),
        other => State::new("bad", other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_of(status: &str) -> ServerStatus {
        ServerStatus {
            name: "web1".to_owned(),
            status: status.to_owned(),
            ..ServerStatus::default()
        }
    }

    #[test]
    fn states_are_haproxys() {
        let class = |status| server_state(&server_of(status)).class;
        assert_eq!(class("UP"), "good");
        assert_eq!(class("UP 1/3"), "warn");
        assert_eq!(class("DOWN 1/2"), "bad");
        assert_eq!(class("no check"), "none");
        assert_eq!(class("MAINT (via a/b)"), "none");
    }
}
