//! The commands, and how a line becomes one.

use std::fmt::Write as _;
use std::time::Duration;

use lanai_model::layer7::AccessLevel;

use super::Source;
use super::table::{COMMANDS, Command, Run};
use crate::overrides::Operator;

/// The longest idle time a client may ask for (HAProxy's clock cannot say more than 24 days).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 86_400);

/// What an engine says that changes nothing any more.
const SUCCEEDED: &str = "Another process has taken over: connect again.\n";

/// What one connection may do and how it is talked to.
pub(super) struct Session {
    /// What it may do; a client can only lower it.
    pub(super) level: AccessLevel,
    /// How long it may be idle.
    pub(super) timeout: Duration,
    /// Whether it gets a prompt and stays open.
    pub(super) interactive: bool,
    /// Whether commands for experts are there.
    pub(super) expert: bool,
    /// Whether a command has changed something since this was last looked at.
    pub(super) changed: bool,
    /// Whether it asked to be closed.
    pub(super) ended: bool,
}

/// Runs one command and returns its answer, in whole lines or empty.
pub(super) fn run(session: &mut Session, source: &dyn Source, text: &str) -> String {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match find(&words) {
        // These words, "Permission denied" and "Unknown command" are what tools look for.
        Some(command) if command.expert && !session.expert => {
            "This command is restricted to expert mode only.\n".to_owned()
        }
        Some(command) if session.level < command.level => "Permission denied\n".to_owned(),
        Some(command) => {
            let rest = words.get(command.words.len()..).unwrap_or_default();
            match command.run {
                Run::Answer(run) => run(session, source, rest),
                Run::Change(run) => {
                    session.changed = true;
                    let operator = source.operator();
                    let _turn = operator.turn();
                    if operator.is_succeeded() {
                        return SUCCEEDED.to_owned();
                    }
                    run(operator, rest).unwrap_or_else(|refusal| refusal)
                }
            }
        }
        None => {
            let title = "Unknown command. These are available at this level:";
            list(title, &words, session)
        }
    }
}

/// Runs commands that change something, as an administrator, and returns those that were refused with
/// what they say then. Nobody else changes anything meanwhile.
pub(crate) fn replay(operator: &Operator, commands: &[String]) -> Vec<String> {
    let _turn = operator.turn();
    let run = |command: &String| {
        let outcome = replay_one(operator, command);
        outcome.err().map(|answer| format!("{command}: {answer}"))
    };
    operator.together(|| commands.iter().filter_map(run).collect())
}

/// Runs one of them. The caller has the turn.
pub(crate) fn replay_one(operator: &Operator, text: &str) -> Result<(), String> {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = find(&words).map(|command| (command.words.len(), &command.run));
    let Some((length, Run::Change(run))) = found else {
        return Err("this is no command that changes something".to_owned());
    };
    let outcome = run(operator, words.get(length..).unwrap_or_default());
    outcome
        .map(drop)
        .map_err(|refusal| refusal.trim_end().to_owned())
}

/// The row with the most words that these words begin with.
fn find(words: &[&str]) -> Option<&'static Command> {
    COMMANDS
        .iter()
        .filter(|command| words.starts_with(command.words))
        .max_by_key(|command| command.words.len())
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
pub(super) fn list(title: &str, words: &[&str], session: &Session) -> String {
    let allowed = || {
        COMMANDS.iter().filter(|command| {
            let shown = !command.help.is_empty() && (session.expert || !command.expert);
            shown && command.level <= session.level
        })
    };
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

pub(super) fn end(session: &mut Session) -> String {
    session.ended = true;
    String::new()
}

pub(super) fn lower(session: &mut Session, level: AccessLevel) -> String {
    session.level = session.level.min(level);
    session.expert = false;
    String::new()
}

pub(super) fn expert_mode(session: &mut Session, arguments: &[&str]) -> String {
    match arguments {
        [] => {
            let state = if session.expert { "ON" } else { "OFF" };
            format!("expert-mode is {state}\n")
        }
        [word, ..] => {
            session.expert = match *word {
                "on" => true,
                "off" => false,
                _ => session.expert,
            };
            String::new()
        }
    }
}

pub(super) fn level_word(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::User => "user",
        AccessLevel::Operator => "operator",
        AccessLevel::Admin => "admin",
    }
}

pub(super) fn set_timeout(session: &mut Session, arguments: &[&str]) -> String {
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

pub(super) fn environment(arguments: &[&str]) -> String {
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
