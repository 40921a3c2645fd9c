//! The commands, and how a line becomes one.

use std::fmt::Write as _;
use std::time::Duration;

use lanai_model::layer7::AccessLevel;

use super::{Source, info, servers, stat};

/// The longest idle time a client may ask for (HAProxy's clock cannot say more than 24 days).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 86_400);

/// What one connection may do and how it is talked to.
pub(super) struct Session {
    /// What it may do; a client can only lower it.
    pub(super) level: AccessLevel,
    /// How long it may be idle.
    pub(super) timeout: Duration,
    /// Whether it gets a prompt and stays open.
    pub(super) interactive: bool,
    /// Whether it asked to be closed.
    pub(super) ended: bool,
}

/// One row of [`COMMANDS`].
struct Command {
    /// The words that select it. The row with the most of them wins.
    words: &'static [&'static str],
    /// What may follow, for the help.
    arguments: &'static str,
    /// Who may run it.
    level: AccessLevel,
    /// One line of help.
    help: &'static str,
    /// Gets the words after its own; returns whole lines.
    run: fn(&mut Session, &dyn Source, &[&str]) -> String,
}

/// Every command. A new one is a row here.
const COMMANDS: &[Command] = &[
    Command {
        words: &["clear", "counters"],
        arguments: "",
        level: AccessLevel::Operator,
        help: "forget the highest values seen",
        run: |_, source, _| {
            source.clear_counters(false);
            String::new()
        },
    },
    Command {
        words: &["clear", "counters", "all"],
        arguments: "",
        level: AccessLevel::Admin,
        help: "set all counters to zero",
        run: |_, source, _| {
            source.clear_counters(true);
            String::new()
        },
    },
    Command {
        words: &["exit"],
        arguments: "",
        level: AccessLevel::User,
        help: "close the connection",
        run: |session, _, _| end(session),
    },
    Command {
        words: &["get", "weight"],
        arguments: "<backend>/<server>",
        level: AccessLevel::User,
        help: "show the weight of a server",
        run: |_, source, rest| servers::weight(&source.status(), rest),
    },
    Command {
        words: &["help"],
        arguments: "[<command>]",
        level: AccessLevel::User,
        help: "list all commands, or those that begin so",
        run: |session, _, rest| {
            let title = "These commands are available at this level:";
            list(title, rest, session.level)
        },
    },
    Command {
        words: &["operator"],
        arguments: "",
        level: AccessLevel::Operator,
        help: "lower the level of this connection to operator",
        run: |session, _, _| lower(session, AccessLevel::Operator),
    },
    Command {
        words: &["prompt"],
        arguments: "",
        level: AccessLevel::User,
        help: "keep the connection open and prompt, or no longer",
        run: |session, _, _| {
            session.interactive = !session.interactive;
            String::new()
        },
    },
    Command {
        words: &["quit"],
        arguments: "",
        level: AccessLevel::User,
        help: "close the connection",
        run: |session, _, _| end(session),
    },
    Command {
        words: &["set", "timeout", "cli"],
        arguments: "<delay>",
        level: AccessLevel::User,
        help: "how long this connection may be idle, in seconds",
        run: |session, _, rest| set_timeout(session, rest),
    },
    Command {
        words: &["show", "backend"],
        arguments: "",
        level: AccessLevel::User,
        help: "list the backends",
        run: |_, source, _| servers::backends(&source.status()),
    },
    Command {
        words: &["show", "cli", "level"],
        arguments: "",
        level: AccessLevel::User,
        help: "show the level of this connection",
        run: |session, _, _| format!("{}\n", level_word(session.level)),
    },
    Command {
        words: &["show", "env"],
        arguments: "[<variable>]",
        // HAProxy lets an operator read it; variables may hold passwords.
        level: AccessLevel::Admin,
        help: "show the environment of the process",
        run: |_, _, rest| environment(rest),
    },
    Command {
        words: &["show", "info"],
        arguments: "[typed|json] [desc] [float]",
        level: AccessLevel::User,
        help: "describe the process",
        run: |_, source, rest| info::answer(source, rest),
    },
    Command {
        words: &["show", "servers", "state"],
        arguments: "[<backend>]",
        level: AccessLevel::User,
        help: "show the servers as a state file does",
        run: |_, source, rest| servers::state(&source.status(), rest),
    },
    Command {
        words: &["show", "stat"],
        arguments: "[<proxy> <type> <sid>] [typed|json]",
        level: AccessLevel::User,
        help: "show states and counters",
        run: |session, source, rest| stat::answer(&source.status(), rest, session.level),
    },
    Command {
        words: &["show", "version"],
        arguments: "",
        level: AccessLevel::User,
        help: "show the version",
        run: |_, source, _| format!("{}\n", source.version()),
    },
    Command {
        words: &["user"],
        arguments: "",
        level: AccessLevel::User,
        help: "lower the level of this connection to user",
        run: |session, _, _| lower(session, AccessLevel::User),
    },
];

/// Runs one command and returns its answer, in whole lines or empty.
pub(super) fn run(session: &mut Session, source: &dyn Source, text: &str) -> String {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = COMMANDS
        .iter()
        .filter(|command| words.starts_with(command.words))
        .max_by_key(|command| command.words.len());
    match found {
        // The words "Permission denied" and "Unknown command" are what tools look for.
        Some(command) if session.level < command.level => "Permission denied\n".to_owned(),
        Some(command) => {
            let rest = words.get(command.words.len()..).unwrap_or_default();
            (command.run)(session, source, rest)
        }
        None => {
            let title = "Unknown command. These are available at this level:";
            list(title, &words, session.level)
        }
    }
}

/// Splits a line at each `;` that has no backslash before it. The backslashes stay.
pub(super) fn split(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        if byte == b';' && !escaped {
            parts.push(line.get(start..at).unwrap_or_default());
            start = at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    parts.push(line.get(start..).unwrap_or_default());
    parts
}

/// The words of a command. A backslash takes the meaning from the character behind it.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(characters.next()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The commands that begin with `words`, else with the first of them, else all.
fn list(title: &str, words: &[&str], level: AccessLevel) -> String {
    let allowed = || COMMANDS.iter().filter(|command| command.level <= level);
    let alike = |length: usize| -> Vec<&Command> {
        let head = words.get(..length).unwrap_or_default();
        allowed()
            .filter(|command| command.words.starts_with(head))
            .collect()
    };
    let commands = (0..=words.len())
        .rev()
        .map(alike)
        .find(|commands| !commands.is_empty())
        .unwrap_or_default();
    let mut out = format!("{title}\n");
    for command in commands {
        let usage = format!("{} {}", command.words.join(" "), command.arguments);
        let _ = writeln!(out, "  {:<40}: {}", usage.trim_end(), command.help);
    }
    out
}

fn end(session: &mut Session) -> String {
    session.ended = true;
    String::new()
}

fn lower(session: &mut Session, level: AccessLevel) -> String {
    session.level = session.level.min(level);
    String::new()
}

fn level_word(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::User => "user",
        AccessLevel::Operator => "operator",
        AccessLevel::Admin => "admin",
    }
}

fn set_timeout(session: &mut Session, arguments: &[&str]) -> String {
    let Some(text) = arguments.first() else {
        return "Expects an integer value.\n".to_owned();
    };
    match delay(text) {
        Some(timeout) => {
            session.timeout = timeout;
            String::new()
        }
        None => "Invalid timeout value.\n".to_owned(),
    }
}

/// A time with HAProxy's units (configuration manual, section 2.5), in seconds without one.
fn delay(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let micros = match unit {
        "us" => 1,
        "ms" => 1_000,
        "" | "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let delay = Duration::from_micros(number.checked_mul(micros)?);
    (!delay.is_zero() && delay <= LONGEST_TIMEOUT).then_some(delay)
}

fn environment(arguments: &[&str]) -> String {
    let mut out = String::new();
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if arguments.first().is_none_or(|wanted| *wanted == name) {
            let _ = writeln!(out, "{name}={value}");
        }
    }
    if out.is_empty() && !arguments.is_empty() {
        out.push_str("Variable not found\n");
    }
    out
}
