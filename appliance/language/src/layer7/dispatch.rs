//! From a line to its keyword's handler.

use std::sync::LazyLock;

use lanai_diagnostics::{Diagnostic, Span};

use super::args::{Args, Modifier};
use super::draft::{Draft, GlobalDraft, ProxyDraft};
use super::inherit::nameless;
use super::keyword::{Again, Keyword, Sections};
use super::table::{Found, Readers, Table};
use super::{
    bind, global, log, options, proxy, rules, server, source, ssl, stats, tables, timeouts,
};
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::tree::SECTIONS;
use crate::value::{shown, suggest};

/// Keywords of `global`.
pub(super) static GLOBAL: LazyLock<Table<GlobalDraft>> =
    LazyLock::new(|| Table::new(tables::GLOBAL, GLOBAL_READERS));

const GLOBAL_READERS: &[Readers<GlobalDraft>] = &[
    global::READERS,
    log::GLOBAL_READERS,
    ssl::READERS,
    stats::READERS,
];

/// Keywords of `defaults`, `frontend`, `listen` and `backend`.
pub(super) static PROXY: LazyLock<Table<ProxyDraft>> =
    LazyLock::new(|| Table::new(tables::PROXY, PROXY_READERS));

const PROXY_READERS: &[Readers<ProxyDraft>] = &[
    proxy::READERS,
    bind::READERS,
    server::READERS,
    source::READERS,
    timeouts::READERS,
    options::READERS,
    log::PROXY_READERS,
    rules::READERS,
];

/// A section as its lines see it.
pub(super) struct Place<'a> {
    pub(super) kind: Sections,
    /// `global`, `defaults`, `frontend`, ...
    pub(super) word: &'static str,
    pub(super) name: &'a str,
}

/// Has a line read by its keyword's handler.
pub(super) fn dispatch<T: Draft>(
    table: &'static Table<T>,
    place: &Place<'_>,
    statement: &Statement,
    draft: &mut T,
    sink: &mut Sink,
) {
    let (modifier, words) = modifier(&statement.words);
    let Some(first) = words.first() else {
        let message = "'no' and 'default' expect a keyword.";
        sink.alert(codes::BAD_MODIFIER, statement.span(), message);
        return;
    };
    let (row, used) = match table.find(words) {
        Found::Row(row, used) => (row, used),
        Found::Group => return unknown_in_group(table, words, sink),
        Found::Unknown => return unknown(table, place, first, sink),
    };
    let (head, arguments) = words.split_at(used.min(words.len()));
    let last = head.last();
    let head = last.map_or(first.span, |last| first.span.to(last.span));
    let keyword = row.keyword;
    let anonymous = place.kind == Sections::DEFAULTS && place.name.is_empty();
    if anonymous && nameless(keyword, head, sink) {
        return;
    }
    if modifier.is_some() && !keyword.negatable {
        let whole = statement.span().to(head);
        let name = keyword.name;
        let message = match name.strip_prefix("option ") {
            Some(option) => format!("negation/default is not supported for option '{option}'."),
            None => format!("negation/default is not supported for '{name}'."),
        };
        sink.alert(codes::BAD_MODIFIER, whole, message);
        return;
    }
    // A line without its arguments has specified nothing.
    if !arguments.is_empty() && repeats(keyword, head, draft, sink) {
        return;
    }
    let mut args = Args::new(
        keyword.name,
        head,
        arguments,
        modifier,
        &statement.origin,
        sink,
    );
    args.keyword = last;
    if keyword.sections.contains(place.kind) {
        row.read_line(draft, &mut args);
        return;
    }
    let refused = misplaced(keyword, place, head, args.sink);
    if !refused {
        args.idle = true;
        let mut scratch = draft.scratch();
        row.read_line(&mut scratch, &mut args);
        draft.learn(scratch);
    }
}

/// Notes that a keyword is given, and reports it if that makes once too often: then the line is not read.
fn repeats<T: Draft>(keyword: &Keyword, head: Span, draft: &mut T, sink: &mut Sink) -> bool {
    let called = match keyword.again {
        Again::Taken => return false,
        Again::Ignored(called) => called,
        Again::Refused => keyword.name,
    };
    let seen = draft.seen();
    let Some(before) = seen.get(called).copied() else {
        seen.insert(called, head);
        return false;
    };
    let message = format!("'{called}' already specified.");
    sink.push(match keyword.again {
        Again::Refused => Diagnostic::alert(codes::ALREADY_SPECIFIED, head, message)
            .with_label(before, "first given here"),
        _ => Diagnostic::warning(codes::ALREADY_SPECIFIED, head, message)
            .with_label(before, "this one counts")
            .with_help("remove one of the two"),
    });
    true
}

/// Reports a keyword of another kind of proxy, and says whether that is an error.
fn misplaced(keyword: &Keyword, place: &Place<'_>, head: Span, sink: &mut Sink) -> bool {
    let name = keyword.name;
    if place.kind == Sections::DEFAULTS {
        let message = format!("'{name}' not allowed in 'defaults' section.");
        sink.alert(codes::MISPLACED_KEYWORD, head, message);
        return true;
    }
    let capability = match place.kind == Sections::BACKEND {
        true => "frontend",
        false => "backend",
    };
    let (verb, code) = match keyword.strict {
        true => ("not allowed", codes::MISPLACED_KEYWORD),
        false => ("ignored", codes::MISPLACED_KEYWORD),
    };
    let message = format!(
        "'{name}' {verb} because {} '{}' has no {capability} capability.",
        place.word,
        shown(place.name.as_bytes())
    );
    match keyword.strict {
        true => sink.alert(code, head, message),
        false => sink.warning(code, head, message),
    }
    keyword.strict
}

fn unknown<T>(table: &Table<T>, place: &Place<'_>, word: &Word, sink: &mut Sink) {
    let text = shown(&word.value);
    let message = format!("unknown keyword '{text}' in '{}' section", place.word);
    let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, word.span, message);
    let fault = suggest(
        fault,
        word,
        table.first_words().chain(SECTIONS.iter().copied()),
    );
    let first = word.text();
    let elsewhere = if place.kind != Sections::GLOBAL && GLOBAL.knows(&first) {
        Some("it belongs into the 'global' section")
    } else if !Sections::ALL.contains(place.kind) && PROXY.knows(&first) {
        Some("it belongs into a proxy or a 'defaults' section")
    } else {
        None
    };
    sink.push(match elsewhere {
        Some(help) => fault.with_help(help),
        None => fault,
    });
}

/// The first word starts several keywords, and the second is of none.
fn unknown_in_group<T>(table: &Table<T>, words: &[Word], sink: &mut Sink) {
    let Some(first) = words.first() else {
        return;
    };
    let group = first.text();
    let Some(second) = words.get(1) else {
        let message = match group.as_ref() {
            "option" => "'option' expects an option name.".to_owned(),
            _ => format!("'{group}' supports {} (got '')", list(table, &group)),
        };
        sink.alert(codes::MISSING_ARGUMENT, first.span, message);
        return;
    };
    let text = shown(&second.value);
    let message = match group.as_ref() {
        "option" => format!("unknown option '{text}'."),
        _ => format!("'{group}' supports {} (got '{text}')", list(table, &group)),
    };
    let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, second.span, message);
    sink.push(suggest(fault, second, table.group(&group)));
}

fn list<T>(table: &Table<T>, group: &str) -> String {
    let words: Vec<_> = table.group(group).map(|word| format!("'{word}'")).collect();
    words.join(", ")
}

fn modifier(words: &[Word]) -> (Modifier, &[Word]) {
    match words.split_first() {
        Some((first, rest)) if first.is("no") => (Modifier::No, rest),
        Some((first, rest)) if first.is("default") => (Modifier::Default, rest),
        _ => (Modifier::None, words),
    }
}

/// Rows without their reader and readers without their row.
#[cfg(test)]
pub(super) fn mismatches() -> Vec<&'static str> {
    let global = GLOBAL_READERS.iter().flat_map(|some| GLOBAL.strays(some));
    let proxy = PROXY_READERS.iter().flat_map(|some| PROXY.strays(some));
    let unread = GLOBAL.unread().chain(PROXY.unread());
    unread.chain(global).chain(proxy).collect()
}
