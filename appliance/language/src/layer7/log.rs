//! `log` (HAProxy manual, sections 3.1 and 4.2).

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{LogTarget, LogTransport};

use super::args::{Args, Modifier};
use super::draft::{GlobalDraft, LogLine, ProxyDraft};
use super::table::Readers;
use super::tables::NOT_YET;
use crate::codes;
use crate::lexer::Word;
use crate::value::{log_address, shown, suggest};

pub(super) const GLOBAL_READERS: Readers<GlobalDraft> = &[("log", |draft, args| {
    if args.modifier != Modifier::None {
        args.end_of_line();
        draft.global.log.clear();
    } else if room(draft.global.log.len(), args)
        && let Some(target) = target(args)
    {
        draft.global.log.push(target);
    }
})];

pub(super) const PROXY_READERS: Readers<ProxyDraft> = &[("log", proxy_log)];

/// Targets of one section. Each is copied to every proxy that inherits it.
const MOST_TARGETS: usize = 32;

/// Facilities of RFC 5424, by HAProxy's names; the place is the number.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
    "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Levels of RFC 5424, by HAProxy's names; the place is the number.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

fn proxy_log(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if args.modifier != Modifier::None {
        args.end_of_line();
        draft.settings.log.clear();
        return;
    }
    if !room(draft.settings.log.len(), args) {
        return;
    }
    if args.take_if("global").is_some() {
        args.end_of_line();
        draft.settings.log.push(LogLine::Global);
    } else if let Some(target) = target(args) {
        draft.settings.log.push(LogLine::Target(target));
    }
}

fn room(targets: usize, args: &mut Args<'_>) -> bool {
    let room = targets < MOST_TARGETS;
    if !room {
        let message = format!("log : too many targets, {MOST_TARGETS} at most");
        args.alert(codes::UNEXPECTED_ARGUMENT, args.head, message);
    }
    room
}

fn target(args: &mut Args<'_>) -> Option<LogTarget> {
    let Some(word) = args.take().filter(|_| args.peek().is_some()) else {
        let message = "log : expects <address> and <facility> as arguments";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return None;
    };
    if word.value.starts_with(b"backend@") {
        let help = "name the servers' own addresses, on a 'log' line each";
        args.not_run(word.span, "log : 'backend@'", NOT_YET, help);
        args.rest();
        return None;
    }
    let address = match log_address(&word.value) {
        Ok(address) => Some(address),
        Err(error) => {
            args.bad_address(word, error);
            None
        }
    };
    let mut len = Some(1024);
    if let Some(keyword) = args.take_if("len") {
        len = args.within(keyword, "log len", |args| {
            let word = args.value("length")?;
            u16::try_from(args.number(word, 80..=65_535)?).ok()
        });
    }
    let mut format = Some(LogTransport::default());
    if let Some(keyword) = args.take_if("format") {
        format = args.within(keyword, "log format", log_format);
    }
    if let Some(word) = args
        .peek()
        .filter(|word| word.is("sample") || word.is("profile"))
    {
        let what = format!("'{}'", word.text());
        args.not_run(word.span, &format!("log : {what}"), NOT_YET, "leave it out");
        args.rest();
        return None;
    }
    let Some(word) = args.take() else {
        let message = "log : expects <address> and <facility> as arguments";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return None;
    };
    let facility = place(word, &FACILITIES, "unknown log facility", args);
    let mut level = |default| match args.take() {
        Some(word) => place(word, &LEVELS, "unknown optional log level", args),
        None => Some(default),
    };
    let max_level = level(7);
    let min_level = level(0);
    if let Some(extra) = args.take() {
        let message = format!(
            "log : cannot handle unexpected argument '{}'",
            shown(&extra.value)
        );
        args.alert(codes::UNEXPECTED_ARGUMENT, extra.span, message);
    }
    Some(LogTarget {
        address: address?,
        len: len?,
        format: format?,
        facility: facility?,
        max_level: max_level?,
        min_level: min_level?,
    })
}

fn log_format(args: &mut Args<'_>) -> Option<LogTransport> {
    let word = args.value("format")?;
    if word.is("timed") || word.is("iso") {
        let what = format!("log : format '{}'", word.text());
        args.not_run(
            word.span,
            &what,
            NOT_YET,
            "write 'format raw', or leave it out",
        );
        return None;
    }
    args.one_of(
        word,
        &[
            ("local", LogTransport::Local),
            ("rfc3164", LogTransport::Rfc3164),
            ("rfc5424", LogTransport::Rfc5424),
            ("priority", LogTransport::Priority),
            ("short", LogTransport::Short),
            ("raw", LogTransport::Raw),
        ],
    )
}

fn place(word: &Word, names: &[&str], what: &str, args: &mut Args<'_>) -> Option<u8> {
    let place = names.iter().position(|name| word.is(name));
    if place.is_none() {
        let message = format!("log : {what} '{}'", shown(&word.value));
        let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
        args.sink.push(suggest(fault, word, names.iter().copied()));
    }
    u8::try_from(place?).ok()
}
