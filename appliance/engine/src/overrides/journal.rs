//! Overrides in words: what stands beside the configuration, as the commands that set it again.

use lanai_traffic::condition::{Admin, Checks, Operation};

use super::{FrontendOverrides, Override, OverrideSender};
use crate::state::ServerHealth;

/// Kinds of overrides of a server: state, weight, maxconn, addr, checks, health.
pub(super) const SERVER_KINDS: usize = 6;
/// Kinds of overrides of a frontend: state, maxconn.
pub(super) const FRONTEND_KINDS: usize = 2;

/// The word behind `set server B/S health STATE` that makes the command one for checked servers only:
/// what checks found must not stay with a server that is checked no more. HAProxy ignores it.
pub(crate) const IF_CHECKED: &str = "if-checked";

/// Tells the owner what has changed of a server, by its name `BACKEND/SERVER`.
pub(crate) fn tell_server(name: &str, health: &mut ServerHealth, journal: Option<&OverrideSender>) {
    let Some(journal) = journal else { return };
    let commands = server_commands(name, health);
    let keys = server_keys(name);
    tell(&keys, &commands, &mut health.overrides.told, journal);
}

/// Tells the owner what has changed of a frontend.
pub(crate) fn tell_frontend(
    name: &str,
    overrides: &mut FrontendOverrides,
    journal: Option<&OverrideSender>,
) {
    let Some(journal) = journal else { return };
    let paused = overrides.paused.then(|| format!("disable frontend {name}"));
    let maxconn = overrides
        .maxconn
        .map(|limit| format!("set maxconn frontend {name} {limit}"));
    let keys = frontend_keys(name);
    tell(&keys, &[paused, maxconn], &mut overrides.told, journal);
}

/// Tells the owner that nothing stands beside the configuration of a server that left it.
pub(crate) fn forget_server(
    name: &str,
    health: &mut ServerHealth,
    journal: Option<&OverrideSender>,
) {
    let Some(journal) = journal else { return };
    let none = [const { None }; SERVER_KINDS];
    tell(
        &server_keys(name),
        &none,
        &mut health.overrides.told,
        journal,
    );
}

/// The same of a frontend.
pub(crate) fn forget_frontend(
    name: &str,
    overrides: &mut FrontendOverrides,
    journal: Option<&OverrideSender>,
) {
    let Some(journal) = journal else { return };
    let none = [const { None }; FRONTEND_KINDS];
    tell(&frontend_keys(name), &none, &mut overrides.told, journal);
}

fn tell(
    keys: &[String],
    commands: &[Option<String>],
    told: &mut [Option<String>],
    journal: &OverrideSender,
) {
    for ((key, command), told) in keys.iter().zip(commands).zip(told) {
        if told != command {
            told.clone_from(command);
            journal.send(Override {
                key: key.clone(),
                command: command.clone(),
            });
        }
    }
}

fn server_keys(name: &str) -> [String; SERVER_KINDS] {
    [
        format!("server {name} state"),
        format!("server {name} weight"),
        format!("server {name} maxconn"),
        format!("server {name} addr"),
        format!("server {name} checks"),
        format!("health {name}"),
    ]
}

fn frontend_keys(name: &str) -> [String; FRONTEND_KINDS] {
    [
        format!("frontend {name} state"),
        format!("frontend {name} maxconn"),
    ]
}

fn server_commands(name: &str, health: &ServerHealth) -> [Option<String>; SERVER_KINDS] {
    let condition = &health.condition;
    let overrides = &health.overrides;
    let set = |what: &str, value: &dyn std::fmt::Display| {
        Some(format!("set server {name} {what} {value}"))
    };
    let state = match condition.admin() {
        Admin::Ready => None,
        Admin::Drain => set("state", &"drain"),
        Admin::Maint => set("state", &"maint"),
    };
    let weight = overrides.weight.and_then(|weight| set("weight", &weight));
    let maxconn = overrides
        .maxconn
        .map(|limit| format!("set maxconn server {name} {limit}"));
    let address = overrides.address.and_then(|(ip, port)| match port {
        Some(port) => set("addr", &format_args!("{ip} port {port}")),
        None => set("addr", &ip),
    });
    let checks = (condition.checks() == Checks::Off).then(|| format!("disable health {name}"));
    let word = match condition.operation() {
        // Maintenance stops a server too, and what was known before is void then.
        _ if condition.admin() == Admin::Maint => None,
        Operation::Running => None,
        Operation::Stopped => Some("down"),
        Operation::Stopping => Some("stopping"),
    };
    let found = word.and_then(|word| match condition.checks() {
        Checks::On => set("health", &format_args!("{word} {IF_CHECKED}")),
        Checks::None | Checks::Off => set("health", &word),
    });
    [state, weight, maxconn, address, checks, found]
}
