//! The command line for people and scripts. Exit codes: 0 done, 1 refused, 2 not understood (or not
//! possible: no rights, no daemon).

mod check;
mod explain;
mod fmt;
mod import;
mod named;
mod remote;
mod upgrade;
mod visitor;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lanai_control::{Role, Within};

use crate::appliance::{console, dhcp};
use crate::parent;
use crate::wire::shell::{Form, Part};
use crate::{control, settings};

/// A load-balancer appliance: the box's network and a proxy engine that speaks HAProxy's language.
#[derive(Debug, Parser)]
#[command(name = "lanai", version, propagate_version = true)]
#[command(after_help = "Exit codes: 0 done, 1 refused, 2 not understood or not possible.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the appliance: network, engine and web UI
    Daemon(parent::Arguments),
    /// The control process; `lanai daemon` starts it
    #[command(hide = true)]
    Control(control::Arguments),
    /// The proxy engine alone, with HAProxy's own command line (-f FILE, -c, -D, -W, ...)
    #[command(disable_help_flag = true)]
    Proxy,
    /// Check a configuration; nothing is touched, no daemon is needed
    Check(check::Arguments),
    /// Explain a keyword of HAProxy's language, or the code of a message; no daemon is needed
    Explain(explain::Arguments),
    /// Bring configuration files into their usual shape; comments, order and words stay
    Fmt(fmt::Arguments),
    /// Take over a foreign HAProxy configuration and the files it names
    Import(import::Arguments),
    /// Show what an apply of the files in the configuration directory would do
    Plan(Target),
    /// Put the files in the configuration directory into effect, as a new revision
    ///
    /// A change that may cut off the connection you came by (its address, the way back to you) is put
    /// on trial for five minutes, unless you say --no-confirm.
    Apply {
        /// Why, for the history
        #[arg(long, short = 'm', default_value = "")]
        comment: String,
        /// Put it on trial: unless `lanai confirm` follows within this time (5m, 90s, 1h30m), the
        /// previous revision comes back by itself
        #[arg(long, value_name = "TIME")]
        confirm_within: Option<Within>,
        /// For good, even if it may cut off the connection you came by
        #[arg(long, conflicts_with = "confirm_within")]
        no_confirm: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Keep the revision that is on trial
    Confirm(Target),
    /// Take the revision on trial back, or put an earlier revision into effect, as a new one
    Rollback {
        /// Which; without it the revision on trial is taken back, or the one before the live one
        /// is put into effect
        revision: Option<i64>,
        /// For good, even if it may cut off the connection you came by
        #[arg(long)]
        no_confirm: bool,
        #[command(flatten)]
        target: Target,
    },
    /// List the revisions, newest first
    Revisions {
        /// How many at most
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        target: Target,
    },
    /// Show what changed between two revisions, or from one to the files on disk
    Diff {
        /// From this revision; the live one if not given
        from: Option<i64>,
        /// To this revision; the files in the configuration directory if not given
        to: Option<i64>,
        #[command(flatten)]
        target: Target,
    },
    /// Run the program file that is installed now, without losing a connection
    Upgrade(Reach),
    /// Show how things are
    Status(Target),
    /// Show what the configuration needs of this box, and whether it is there
    ///
    /// Proxy, kernel, settings, firewall, routing, configuration: each with what was found and what to
    /// do. The exit code is 1 if something is missing.
    Doctor(Target),
    /// Show one part of how things are
    Show {
        /// Which part
        what: Part,
        #[command(flatten)]
        target: Target,
    },
    /// Addresses by DHCP, where Lanai is the whole system
    #[command(hide = true)]
    Dhcp(dhcp::Arguments),
    /// The box's console, where Lanai is the whole system
    #[command(hide = true)]
    Console(console::Arguments),
    /// Users of the web UI
    #[command(subcommand)]
    User(User),
}

#[derive(Debug, Subcommand)]
enum User {
    /// Add a user and print a link that logs them in once
    Add {
        /// Name
        user: String,
        /// What they may do: viewer, operator or admin
        #[arg(long, default_value = "admin", value_parser = role)]
        role: Role,
        #[command(flatten)]
        target: Target,
    },
    /// Change a user's password, read from standard input
    Passwd {
        /// Name
        user: String,
        #[command(flatten)]
        target: Target,
    },
    /// List the users
    List(Target),
    /// Print a link that logs a user in once
    LoginLink {
        /// Name
        user: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Which daemon, and how to show what it says.
#[derive(Debug, Args)]
struct Target {
    #[command(flatten)]
    directories: Reach,
    #[command(flatten)]
    form: Shape,
}

/// Where a running daemon is found.
#[derive(Debug, Args)]
struct Reach {
    /// Configuration directory
    #[arg(long, value_name = "DIR", default_value = "/etc/lanai")]
    config: PathBuf,
    /// Run directory [default: /run/lanai]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
}

/// How outcomes are shown.
#[derive(Clone, Copy, Debug, Args)]
struct Shape {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Shape {
    /// Colours are for terminals, and only if their user does not mind (`NO_COLOR`).
    fn form(self) -> Form {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match (self.json, colours) {
            (true, _) => Form::Json,
            (false, true) => Form::Coloured,
            (false, false) => Form::Plain,
        }
    }
}

fn role(word: &str) -> Result<Role, String> {
    Role::of(word).ok_or_else(|| "a role is viewer, operator or admin".to_owned())
}

/// Runs with the process's own arguments.
pub(crate) fn main() -> ExitCode {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        tracing::error!("{}", crate::chain(error));
        ExitCode::from(2)
    };
    match Cli::parse().verb {
        Verb::Daemon(arguments) => {
            crate::start_log();
            parent::run(&arguments).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
        }
        Verb::Control(arguments) => {
            crate::start_log();
            control::run(&arguments).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
        }
        // `main` takes this verb before anything here is read; it stands here for the help text.
        Verb::Proxy => ExitCode::from(2),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Fmt(arguments) => fmt::run(&arguments),
        Verb::Import(arguments) => import::run(&arguments),
        Verb::Upgrade(reach) => upgrade::run(&reach),
        Verb::Dhcp(arguments) => {
            crate::start_log();
            dhcp::run(&arguments).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
        }
        Verb::Console(arguments) => console::run(&arguments),
        verb => remote::run(verb),
    }
}

impl Reach {
    /// The run directory: command line, then `lanai.toml`, then the usual place.
    fn run_directory(&self) -> Result<PathBuf, settings::SettingsError> {
        if let Some(run) = &self.run {
            return Ok(run.clone());
        }
        let set = settings::read(&self.config)?.paths.run;
        Ok(set.unwrap_or_else(|| PathBuf::from("/run/lanai")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_confirm_is_read_or_refused_with_a_way_on() {
        let apply = |time| Cli::try_parse_from(["lanai", "apply", "--confirm-within", time]);
        let Verb::Apply { confirm_within, .. } = apply("1h30m").unwrap().verb else {
            panic!("another verb");
        };
        assert_eq!(confirm_within.map(Within::seconds), Some(5400));
        for (time, why) in [
            ("5x", "like 5m"),
            ("9", "too short"),
            ("25h", "at most 24h"),
        ] {
            let error = apply(time).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
