//! The engine's status in the words that control knows.

use lanai_control as told;
use lanai_engine as seen;
use lanai_model::layer7::{ListenAddress, Mode};

use crate::facts;

/// An engine without a configuration.
pub(super) fn idle() -> told::EngineStatus {
    told::EngineStatus {
        pid: std::process::id(),
        version: facts::version().to_owned(),
        ..told::EngineStatus::default()
    }
}

/// What the engine says.
pub(super) fn told(status: &seen::Status) -> told::EngineStatus {
    told::EngineStatus {
        pid: std::process::id(),
        uptime_s: status.uptime.as_secs(),
        version: facts::version().to_owned(),
        frontends: status
            .frontends
            .iter()
            .map(|one| frontend(one, status.stopping))
            .collect(),
        backends: status.backends.iter().map(backend).collect(),
    }
}

fn frontend(seen: &seen::FrontendStatus, stopping: bool) -> told::FrontendStatus {
    let state = match seen.counters.current {
        _ if stopping => "STOP",
        current if current >= seen.limit => "FULL",
        _ => "OPEN",
    };
    told::FrontendStatus {
        name: seen.name.to_string(),
        mode: mode(seen.mode),
        status: state.to_owned(),
        listeners: seen.listeners.iter().map(listener).collect(),
        cur: seen.counters.current.into(),
        max: seen.counters.max.into(),
        total: seen.counters.total,
        bytes_in: seen.counters.bytes_in,
        bytes_out: seen.counters.bytes_out,
        requests: seen.counters.requests,
        errors: seen.counters.request_errors,
    }
}

fn listener(seen: &seen::ListenerStatus) -> told::ListenerStatus {
    let configured = || match &seen.address {
        ListenAddress::Inet(address) => address.to_string(),
        ListenAddress::Fd(number) => format!("fd@{number}"),
        ListenAddress::Unix(path) => path.display().to_string(),
    };
    told::ListenerStatus {
        name: seen.name.to_string(),
        address: seen
            .bound
            .map_or_else(configured, |address| address.to_string()),
        interface: seen.interface.as_ref().map(ToString::to_string),
    }
}

fn backend(seen: &seen::BackendStatus) -> told::BackendStatus {
    told::BackendStatus {
        name: seen.name.to_string(),
        mode: mode(seen.mode),
        status: if seen.up { "UP" } else { "DOWN" }.to_owned(),
        cur: seen.counters.current.into(),
        total: seen.counters.total,
        requests: seen.counters.requests,
        servers: seen.servers.iter().map(server).collect(),
    }
}

fn server(seen: &seen::ServerStatus) -> told::ServerStatus {
    told::ServerStatus {
        name: seen.name.to_string(),
        address: seen.address.clone(),
        status: seen.status.clone(),
        weight: seen.weight.into(),
        cur: seen.counters.current.into(),
        total: seen.counters.total,
        requests: seen.counters.requests,
        last_check: seen.last_check.as_ref().map_or_else(String::new, check),
        since_s: seen.since_change.as_secs(),
    }
}

/// As HAProxy's statistics page writes it: `L4OK in 0ms`, `L4CON in 1ms (connection refused)`.
fn check(seen: &seen::CheckResult) -> String {
    let took = seen.duration.as_millis();
    if seen.description.is_empty() {
        format!("{} in {took}ms", seen.status)
    } else {
        format!("{} in {took}ms ({})", seen.status, seen.description)
    }
}

fn mode(mode: Mode) -> String {
    match mode {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
    }
    .to_owned()
}
