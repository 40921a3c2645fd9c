//! Commands about servers (management guide, section 9.3).

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::status::{BackendStatus, ServerStatus, Status};

/// What the columns of `show servers state` are called; its first line is the format's version.
const STATE_COLUMNS: &str = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state \
srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result \
srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port \
srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

/// `show servers state [BACKEND]`: what a `server-state-file` holds.
pub(super) fn state(status: &Status, arguments: &[&str]) -> String {
    let wanted = arguments.first();
    let known = |name: &&str| status.backends.iter().any(|b| &*b.name == *name);
    if wanted.is_some_and(|name| !known(name)) {
        return "Can't find backend.\n".to_owned();
    }
    let mut out = format!("1\n{STATE_COLUMNS}\n");
    for backend in &status.backends {
        if wanted.is_none_or(|name| *name == &*backend.name) {
            for server in &backend.servers {
                write_state(backend, server, &mut out);
            }
        }
    }
    out
}

/// `show backend`
pub(super) fn backends(status: &Status) -> String {
    let mut out = String::from("# name\n");
    for backend in &status.backends {
        let _ = writeln!(out, "{}", backend.name);
    }
    out
}

/// `get weight BACKEND/SERVER`
pub(super) fn weight(status: &Status, arguments: &[&str]) -> String {
    let Some((backend, server)) = arguments.first().and_then(|name| name.split_once('/')) else {
        return "Require 'backend/server'.\n".to_owned();
    };
    let Some(backend) = status.backends.iter().find(|b| &*b.name == backend) else {
        return "No such backend.\n".to_owned();
    };
    let Some(server) = backend.servers.iter().find(|s| &*s.name == server) else {
        return "No such server.\n".to_owned();
    };
    format!("{} (initial {})\n", server.weight, server.weight)
}

fn write_state(backend: &BackendStatus, server: &ServerStatus, out: &mut String) {
    let (address, port) = match server.address.parse::<SocketAddr>() {
        Ok(address) => (address.ip().to_string(), address.port()),
        Err(_) => ("-".to_owned(), 0),
    };
    // HAProxy's numbers of check results: 1 initialised, 6..8 layer 4; and of conclusions: 0 none yet,
    // 2 failed, 3 passed. `srv_check_state` 6: configured and enabled.
    let (check, result) = match server.last_check.as_ref().map(|check| check.status) {
        Some("L4OK") => (6, 3),
        Some("L4TOUT") => (7, 2),
        Some("L4CON") => (8, 2),
        _ => (1, 0),
    };
    let (health, checked) = match server.health {
        Some((_, _, health)) => (health, 6),
        None => (0, 0),
    };
    let _ = writeln!(
        out,
        "{} {} {} {} {address} {} 0 {weight} {weight} {} {check} {result} {health} {checked} 0 0 0 - \
         {port} - 0 0 - - 0",
        backend.id,
        backend.name,
        server.id,
        server.name,
        if server.up { 2 } else { 0 },
        server.since_change.as_secs(),
        weight = server.weight,
    );
}
