//! Overrides in words: what stands beside the configuration, as the commands that set it again.

use lanai_traffic::condition::{Admin, Checks, Operation};

use super::{FrontendOverrides, Override, OverrideSender};
use crate::state::ServerHealth;

/// Kinds of overrides of a server, see [`ServerKind`].
pub(super) const SERVER_KINDS: usize = 6;
/// Kinds of overrides of a frontend: state, maxconn.
pub(super) const FRONTEND_KINDS: usize = 2;
const GLOBAL_MAXCONN: &str = "maxconn global";

/// What an override is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// Of the server `BACKEND/SERVER`.
    Server(ServerKind, &'a str),
    FrontendState(&'a str),
    FrontendMaxconn(&'a str),
    GlobalMaxconn,
}

/// What can be set of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerKind {
    State,
    Weight,
    Maxconn,
    Address,
    Checks,
    /// What checks found, or what was declared in their place.
    Health,
}

/// Reads what [`Override::key`] says.
pub(super) fn key(text: &str) -> Option<Key<'_>> {
    if text == GLOBAL_MAXCONN {
        return Some(Key::GlobalMaxconn);
    }
    let (what, rest) = text.split_once(' ')?;
    if what == "health" {
        return Some(Key::Server(ServerKind::Health, rest));
    }
    let (name, kind) = rest.rsplit_once(' ')?;
    Some(match (what, kind) {
        ("server", "state") => Key::Server(ServerKind::State, name),
        ("server", "weight") => Key::Server(ServerKind::Weight, name),
        ("server", "maxconn") => Key::Server(ServerKind::Maxconn, name),
        ("server", "addr") => Key::Server(ServerKind::Address, name),
        ("server", "checks") => Key::Server(ServerKind::Checks, name),
        ("frontend", "state") => Key::FrontendState(name),
        ("frontend", "maxconn") => Key::FrontendMaxconn(name),
        _ => return None,
    })
}

/// The word behind `set server B/S health STATE` that makes the command one for checked servers only:
/// what checks found must not stay with a server that is checked no more. HAProxy ignores it.
pub(crate) const IF_CHECKED: &str = "if-checked";

/// What counted before, by what it set.
pub(crate) type Lost = Vec<(String, String)>;

/// Tells the owner what has changed of a server, by its name `BACKEND/SERVER`.
pub(crate) fn tell_server(
    name: &str,
    health: &mut ServerHealth,
    journal: Option<&OverrideSender>,
) -> Lost {
    let Some(journal) = journal else {
        return Lost::new();
    };
    let commands = server_commands(name, health);
    let keys = server_keys(name);
    tell(&keys, &commands, &mut health.overrides.told, journal)
}

/// Tells the owner what has changed of a frontend.
pub(crate) fn tell_frontend(
    name: &str,
    overrides: &mut FrontendOverrides,
    journal: Option<&OverrideSender>,
) -> Lost {
    let Some(journal) = journal else {
        return Lost::new();
    };
    let paused = overrides.paused.then(|| format!("disable frontend {name}"));
    let maxconn = overrides
        .maxconn
        .map(|limit| format!("set maxconn frontend {name} {limit}"));
    let keys = frontend_keys(name);
    tell(&keys, &[paused, maxconn], &mut overrides.told, journal)
}

/// Tells the owner the limit of the whole process that was set.
pub(super) fn tell_global_maxconn(limit: Option<u32>, journal: Option<&OverrideSender>) {
    if let Some(journal) = journal {
        journal.send(Override {
            key: GLOBAL_MAXCONN.to_owned(),
            command: limit.map(|limit| format!("set maxconn global {limit}")),
        });
    }
}

/// Tells the owner that nothing stands beside the configuration of a server that left it.
pub(crate) fn forget_server(
    name: &str,
    health: &mut ServerHealth,
    journal: Option<&OverrideSender>,
) -> Lost {
    let Some(journal) = journal else {
        return Lost::new();
    };
    let none = [const { None }; SERVER_KINDS];
    let told = &mut health.overrides.told;
    tell(&server_keys(name), &none, told, journal)
}

/// The same of a frontend.
pub(crate) fn forget_frontend(
    name: &str,
    overrides: &mut FrontendOverrides,
    journal: Option<&OverrideSender>,
) -> Lost {
    let Some(journal) = journal else {
        return Lost::new();
    };
    let none = [const { None }; FRONTEND_KINDS];
    tell(&frontend_keys(name), &none, &mut overrides.told, journal)
}

fn tell(
    keys: &[String],
    commands: &[Option<String>],
    told: &mut [Option<String>],
    journal: &OverrideSender,
) -> Lost {
    let mut lost = Lost::new();
    for ((key, command), told) in keys.iter().zip(commands).zip(told) {
        if told != command {
            let before = std::mem::replace(told, command.clone());
            lost.extend(before.map(|before| (key.clone(), before)));
            journal.send(Override {
                key: key.clone(),
                command: command.clone(),
            });
        }
    }
    lost
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_told_can_be_read() {
        let [state, weight, maxconn, address, checks, health] = server_keys("b/s 1");
        for (text, kind) in [
            (state, ServerKind::State),
            (weight, ServerKind::Weight),
            (maxconn, ServerKind::Maxconn),
            (address, ServerKind::Address),
            (checks, ServerKind::Checks),
            (health, ServerKind::Health),
        ] {
            assert_eq!(key(&text), Some(Key::Server(kind, "b/s 1")), "{text}");
        }
        let [state, maxconn] = frontend_keys("state");
        assert_eq!(key(&state), Some(Key::FrontendState("state")));
        assert_eq!(key(&maxconn), Some(Key::FrontendMaxconn("state")));
        assert_eq!(key(GLOBAL_MAXCONN), Some(Key::GlobalMaxconn));
        for other in [
            "",
            "maxconn",
            "server b/s1",
            "server b/s1 colour",
            "frontend state",
        ] {
            assert_eq!(key(other), None, "{other}");
        }
    }
}
