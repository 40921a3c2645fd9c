//! Commands about servers (management guide, section 9.3).

use std::fmt::Write as _;
use std::net::SocketAddr;

use lanai_traffic::condition::{Admin, Checks, Operation};

use crate::overrides::Operator;
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
pub(super) fn weight(operator: &Operator, arguments: &[&str]) -> String {
    match operator.server(arguments.first()) {
        Ok(place) => {
            let weight = place.state().weight();
            let initial = place.conf().map_or(weight, |conf| conf.weight);
            format!("{weight} (initial {initial})\n")
        }
        Err(refusal) => refusal,
    }
}

fn write_state(backend: &BackendStatus, server: &ServerStatus, out: &mut String) {
    let (address, port) = match server.address.parse::<SocketAddr>() {
        Ok(address) => (address.ip().to_string(), address.port()),
        Err(_) => ("-".to_owned(), 0),
    };
    // HAProxy's numbers of check results: 1 initialised, 6..8 layer 4; and of conclusions: 0 none yet,
    // 2 failed, 3 passed.
    let (check, result) = match server.last_check.as_ref().map(|check| check.status) {
        Some("L4OK") => (6, 3),
        Some("L4TOUT") => (7, 2),
        Some("L4CON") => (8, 2),
        _ => (1, 0),
    };
    let (_, _, health) = server.health;
    let maint = server.admin == Admin::Maint;
    // `srv_check_state` is a sum: 2 configured, 4 enabled, 8 paused by maintenance.
    let checked = match server.checks {
        Checks::None => 0,
        Checks::Off => 2,
        Checks::On => 6 + if maint { 8 } else { 0 },
    };
    let operation = match server.operation {
        Operation::Stopped => 0,
        Operation::Running => 2,
        Operation::Stopping => 3,
    };
    let admin = match server.admin {
        Admin::Ready => 0,
        Admin::Maint => 1,
        Admin::Drain => 8,
    };
    let _ = writeln!(
        out,
        "{} {} {} {} {address} {operation} {admin} {} {} {} {check} {result} {health} {checked} 0 0 0 - \
         {port} - 0 0 - - 0",
        backend.id,
        backend.name,
        server.id,
        server.name,
        server.weight,
        server.initial_weight,
        server.since_change.as_secs(),
    );
}
