//! Every command of the runtime API, in the order of the alphabet.

use lanai_model::layer7::AccessLevel;
use lanai_traffic::condition::Admin;

use super::commands::{self, Session};
use super::{Source, changes, info, servers, stat};
use crate::overrides::{Operator, Outcome};

/// One row of [`COMMANDS`].
pub(super) struct Command {
    /// The words that select it. The row with the most of them wins.
    pub(super) words: &'static [&'static str],
    /// What may follow, for the help.
    pub(super) arguments: &'static str,
    /// Who may run it.
    pub(super) level: AccessLevel,
    /// One line of help.
    pub(super) help: &'static str,
    /// Only in expert mode.
    pub(super) expert: bool,
    /// What it does.
    pub(super) run: Run,
}

/// What a command does with the words after its own.
pub(super) enum Run {
    /// It answers, in whole lines or with nothing.
    Answer(fn(&mut Session, &dyn Source, &[&str]) -> String),
    /// It changes something: it can be replayed.
    Change(fn(&Operator, &[&str]) -> Outcome),
}

impl Command {
    const fn answer(
        words: &'static [&'static str],
        arguments: &'static str,
        level: AccessLevel,
        help: &'static str,
        run: fn(&mut Session, &dyn Source, &[&str]) -> String,
    ) -> Self {
        Self {
            words,
            arguments,
            level,
            help,
            expert: false,
            run: Run::Answer(run),
        }
    }

    const fn change(
        words: &'static [&'static str],
        arguments: &'static str,
        help: &'static str,
        run: fn(&Operator, &[&str]) -> Outcome,
    ) -> Self {
        Self {
            words,
            arguments,
            level: AccessLevel::Admin,
            help,
            expert: false,
            run: Run::Change(run),
        }
    }
}

/// Every command. A new one is a row here.
pub(super) const COMMANDS: &[Command] = &[
    Command::answer(
        &["clear", "counters"],
        "",
        AccessLevel::Operator,
        "forget the highest values seen",
        |_, source, _| {
            source.clear_counters(false);
            String::new()
        },
    ),
    Command::answer(
        &["clear", "counters", "all"],
        "",
        AccessLevel::Admin,
        "set all counters to zero",
        |_, source, _| {
            source.clear_counters(true);
            String::new()
        },
    ),
    Command {
        expert: true,
        ..Command::answer(
            &["debug", "dev", "loop"],
            "[<ms>]",
            AccessLevel::Admin,
            "keep a worker busy for so long",
            |_, source, rest| changes::keep_busy(source.operator(), rest),
        )
    },
    Command::change(
        &["disable", "frontend"],
        "<frontend>",
        "refuse connections to a frontend",
        |operator, rest| operator.pause(rest.first()),
    ),
    Command::change(
        &["disable", "health"],
        "<backend>/<server>",
        "stop the checks of a server",
        |operator, rest| changes::checks(operator, rest, false),
    ),
    Command::change(
        &["disable", "server"],
        "<backend>/<server>",
        "take a server out for maintenance",
        |operator, rest| changes::admin(operator, rest, Admin::Maint),
    ),
    Command::change(
        &["enable", "frontend"],
        "<frontend>",
        "take connections to a frontend again",
        |operator, rest| operator.resume(rest.first()),
    ),
    Command::change(
        &["enable", "health"],
        "<backend>/<server>",
        "check a server again",
        |operator, rest| changes::checks(operator, rest, true),
    ),
    Command::change(
        &["enable", "server"],
        "<backend>/<server>",
        "give a server traffic again",
        |operator, rest| changes::admin(operator, rest, Admin::Ready),
    ),
    Command::answer(
        &["exit"],
        "",
        AccessLevel::User,
        "close the connection",
        |session, _, _| commands::end(session),
    ),
    // As with HAProxy, no help tells of it.
    Command::answer(
        &["expert-mode"],
        "[on|off]",
        AccessLevel::Admin,
        "",
        |session, _, rest| commands::expert_mode(session, rest),
    ),
    Command::answer(
        &["get", "weight"],
        "<backend>/<server>",
        AccessLevel::User,
        "show the weight of a server",
        |_, source, rest| servers::weight(source.operator(), rest),
    ),
    Command::answer(
        &["help"],
        "[<command>]",
        AccessLevel::User,
        "list all commands, or those that begin so",
        |session, _, rest| {
            let title = "These commands are available at this level:";
            commands::list(title, rest, session)
        },
    ),
    Command::answer(
        &["operator"],
        "",
        AccessLevel::Operator,
        "lower the level of this connection to operator",
        |session, _, _| commands::lower(session, AccessLevel::Operator),
    ),
    Command::answer(
        &["prompt"],
        "",
        AccessLevel::User,
        "keep the connection open and prompt, or no longer",
        |session, _, _| {
            session.interactive = !session.interactive;
            String::new()
        },
    ),
    Command::answer(
        &["quit"],
        "",
        AccessLevel::User,
        "close the connection",
        |session, _, _| commands::end(session),
    ),
    Command::change(
        &["set", "maxconn", "frontend"],
        "<frontend> <value>",
        "set how many connections a frontend takes",
        changes::frontend_maxconn,
    ),
    Command::change(
        &["set", "maxconn", "global"],
        "<value>",
        "set how many connections the process takes",
        changes::global_maxconn,
    ),
    Command::change(
        &["set", "maxconn", "server"],
        "<backend>/<server> <value>",
        "set how many requests a server gets at a time",
        changes::server_maxconn,
    ),
    Command::change(
        &["set", "server"],
        "<backend>/<server> addr|health|state|weight <value>",
        "change a server",
        changes::server,
    ),
    Command::answer(
        &["set", "timeout", "cli"],
        "<delay>",
        AccessLevel::User,
        "how long this connection may be idle, in seconds",
        |session, _, rest| commands::set_timeout(session, rest),
    ),
    Command::change(
        &["set", "weight"],
        "<backend>/<server> <weight>[%]",
        "set the weight of a server",
        changes::weight,
    ),
    Command::answer(
        &["show", "backend"],
        "",
        AccessLevel::User,
        "list the backends",
        |_, source, _| servers::backends(&source.status()),
    ),
    Command::answer(
        &["show", "cli", "level"],
        "",
        AccessLevel::User,
        "show the level of this connection",
        |session, _, _| format!("{}\n", commands::level_word(session.level)),
    ),
    Command::answer(
        &["show", "env"],
        "[<variable>]", // HAProxy lets an operator read it; variables may hold passwords.
        AccessLevel::Admin,
        "show the environment of the process",
        |_, _, rest| commands::environment(rest),
    ),
    Command::answer(
        &["show", "info"],
        "[typed|json] [desc] [float]",
        AccessLevel::User,
        "describe the process",
        |_, source, rest| info::answer(source, rest),
    ),
    Command::answer(
        &["show", "servers", "state"],
        "[<backend>]",
        AccessLevel::User,
        "show the servers as a state file does",
        |_, source, rest| servers::state(&source.status(), rest),
    ),
    Command::answer(
        &["show", "stat"],
        "[<proxy> <type> <sid>] [typed|json]",
        AccessLevel::User,
        "show states and counters",
        |session, source, rest| stat::answer(&source.status(), rest, session.level),
    ),
    Command::answer(
        &["show", "version"],
        "",
        AccessLevel::User,
        "show the version",
        |_, source, _| format!("{}\n", source.version()),
    ),
    Command::change(
        &["shutdown", "sessions", "server"],
        "<backend>/<server>",
        "end what runs on a server",
        changes::shutdown_sessions,
    ),
    Command::answer(
        &["user"],
        "",
        AccessLevel::User,
        "lower the level of this connection to user",
        |session, _, _| commands::lower(session, AccessLevel::User),
    ),
];
