//! The console's menu.

use std::fs;
use std::process::Command;

use lanai_control::SERVICES;

use super::terminal::Terminal;
use super::{Daemon, address};
use crate::appliance::Storage;
use crate::ownership;
use crate::wire::files::Files;

/// Where the next start of the image looks whether it is to forget everything.
const FORGET: &str = "/config/factory-reset";

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Network,
    Password,
    Forget,
    Shell,
    Reboot,
    PowerOff,
}

/// The menu, in order.
pub(super) const MENU: [(Action, &str); 6] = [
    (Action::Network, "network address"),
    (Action::Password, "reset password"),
    (Action::Forget, "factory reset"),
    (Action::Shell, "shell"),
    (Action::Reboot, "reboot"),
    (Action::PowerOff, "power off"),
];

impl Action {
    /// The action of a line that somebody typed.
    pub(super) fn chosen(line: &str) -> Option<Action> {
        let number: usize = line.trim().parse().ok()?;
        MENU.get(number.checked_sub(1)?).map(|(action, _)| *action)
    }
}

/// Does it, with whatever questions it needs.
pub(super) fn perform(
    action: Action,
    daemon: &Daemon,
    terminal: &mut Terminal,
    interfaces: &[(String, Vec<String>)],
) {
    match action {
        Action::Network => network(daemon, terminal, interfaces),
        Action::Password => {
            let told = daemon.reset_password();
            terminal.tell(&told);
        }
        Action::Forget => forget(terminal),
        Action::Shell => {
            terminal.write("\n`exit` comes back here.\n");
            run(terminal, Command::new("/bin/sh").arg("-l"));
        }
        Action::Reboot => {
            if sure(terminal, "Restart the box") {
                run(terminal, &mut Command::new("reboot"));
                terminal.tell("The box is restarting.");
            }
        }
        Action::PowerOff => {
            if sure(terminal, "Switch the box off") {
                run(terminal, &mut Command::new("poweroff"));
                terminal.tell("The box is switching itself off.");
            }
        }
    }
}

fn network(daemon: &Daemon, terminal: &mut Terminal, interfaces: &[(String, Vec<String>)]) {
    let names: Vec<&str> = interfaces.iter().map(|(name, _)| name.as_str()).collect();
    let first = names.first().copied().unwrap_or("eth0");
    let known = names.join(", ");
    let Some(name) = terminal.ask(&format!("Interface ({known}) [{first}]")) else {
        return;
    };
    let name = if name.is_empty() {
        first.to_owned()
    } else {
        name
    };
    let Some(net) = terminal.ask("Address with prefix length, such as 192.0.2.10/24, or dhcp")
    else {
        return;
    };
    let gateway = match net.as_str() {
        "dhcp" => Some(String::new()),
        _ => terminal.ask("Default gateway (Enter for none)"),
    };
    let Some(gateway) = gateway else { return };
    let wanted = match address::Wanted::typed(&name, &net, &gateway) {
        Ok(wanted) => wanted,
        Err(wrong) => {
            terminal.tell(&wrong);
            return;
        }
    };
    let mut files = match ownership::read_edited(daemon.config()) {
        Ok(files) => files,
        Err(error) => {
            terminal.tell(&crate::chain(&error));
            return;
        }
    };
    let before = files.get(SERVICES).unwrap_or_default();
    let after = address::set(before, &wanted);
    files.insert(SERVICES, after);
    let told = daemon.apply(Files(files));
    terminal.tell(&told);
}

fn forget(terminal: &mut Terminal) {
    terminal.write("\nConfiguration, history, users, keys and logs will be gone for good.\n");
    let Some(word) = terminal.ask("Type reset to go on, or Enter to leave everything as it is")
    else {
        return;
    };
    if word != "reset" {
        return;
    }
    // What is in memory only is forgotten by itself.
    if matches!(Storage::found(), Storage::Disk(_))
        && let Err(error) = fs::write(FORGET, "")
    {
        terminal.tell(&format!("cannot write {FORGET}: {error}"));
        return;
    }
    run(terminal, &mut Command::new("reboot"));
    terminal.tell("The box is restarting, and starts as new.");
}

fn sure(terminal: &mut Terminal, what: &str) -> bool {
    let answer = terminal.ask(&format!("\n{what}? Type yes"));
    answer.is_some_and(|answer| answer == "yes")
}

/// Runs a program on the terminal, to its end.
fn run(terminal: &mut Terminal, command: &mut Command) {
    if let Err(error) = command.status() {
        let program = command.get_program().display().to_string();
        terminal.tell(&format!("cannot start {program}: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::Action;

    #[test]
    fn a_number_chooses_its_line() {
        assert_eq!(Action::chosen(" 1\n"), Some(Action::Network));
        assert_eq!(Action::chosen("6"), Some(Action::PowerOff));
        for nothing in ["0", "7", "-1", "", "x", "99999999999999999999"] {
            assert_eq!(Action::chosen(nothing), None, "{nothing}");
        }
    }
}
