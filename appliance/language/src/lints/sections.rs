//! The sections that are neither `global` nor proxies: their names, and what each must have.

use std::collections::HashMap;

use lanai_diagnostics::{Diagnostic, Span};

use super::book::{Book, Section};
use crate::codes;
use crate::line::Statement;
use crate::value;

/// Kinds of sections of which one may have a name. A second user list of a name is ignored.
const NAMED: &[&str] = &[
    "cache",
    "fcgi-app",
    "healthcheck",
    "http-errors",
    "log-forward",
    "mailers",
    "peers",
    "program",
    "resolvers",
    "ring",
];

/// Two sections of one kind and name.
pub(super) fn twice(book: &Book, found: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(&str, &[u8]), Span> = HashMap::new();
    for section in book.sections() {
        if !NAMED.contains(&section.kind) {
            continue;
        }
        let key = (section.kind, section.name.value.as_slice());
        let place = *first.entry(key).or_insert(section.name.span);
        if place != section.name.span {
            let message = format!("{} has the same name as another one", section.called());
            found.push(again(section.name.span, place, message));
        }
    }
}

/// Two name servers of a `resolvers` section, or two servers of a ring, with one name.
pub(super) fn names_within(book: &Book, found: &mut Vec<Diagnostic>) {
    for (kind, keyword) in [("resolvers", "nameserver"), ("ring", "server")] {
        for section in book.of_kind(kind) {
            let mut first: HashMap<&[u8], Span> = HashMap::new();
            for name in section.starting(keyword).filter_map(|line| line.word(1)) {
                let place = *first.entry(name.value.as_slice()).or_insert(name.span);
                if place != name.span {
                    let message = format!(
                        "{}: {keyword} '{}' has the same name as another one",
                        section.called(),
                        name.text()
                    );
                    found.push(again(name.span, place, message));
                }
            }
        }
    }
}

fn again(span: Span, first: Span, message: String) -> Diagnostic {
    Diagnostic::alert(codes::DUPLICATE_NAME, span, message).with_label(first, "the first one")
}

/// A section without the line that makes it one.
pub(super) fn incomplete(book: &Book, found: &mut Vec<Diagnostic>) {
    let needed = [
        ("cache", "total-max-size", "its size"),
        ("fcgi-app", "docroot", "the root of its documents"),
        ("program", "command", "a command"),
    ];
    for (kind, keyword, what) in needed {
        for section in book.of_kind(kind) {
            if section.starting(keyword).next().is_none() {
                let message = format!("{} lacks {what}", section.called());
                found.push(
                    Diagnostic::alert(codes::INCOMPLETE_SECTION, section.name.span, message)
                        .with_help(format!("add a line '{keyword} ...'")),
                );
            }
        }
    }
}

/// Sections that are taken, and without effect as they stand.
pub(super) fn idle(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.of_kind("resolvers") {
        let filled = ["nameserver", "parse-resolv-conf"]
            .iter()
            .any(|keyword| section.starting(keyword).next().is_some());
        if !filled {
            let message = format!("{} has no nameservers configured", section.called());
            found.push(without_effect(section.name.span, message));
        }
    }
    for section in book.of_kind("mailers") {
        let name = Some(&section.name.value);
        let used = book.proxies().any(|proxy| {
            let mut lines = book.inherited(proxy).flat_map(|from| &from.lines);
            lines.any(|line| {
                line.starts(&["email-alert", "mailers"]) && line.word(2).map(|w| &w.value) == name
            })
        });
        if !used {
            let message = format!("no 'email-alert mailers' names {}", section.called());
            found.push(without_effect(section.name.span, message));
        }
    }
}

/// Lines of `email-alert` that do nothing without others.
pub(super) fn mails(book: &Book, found: &mut Vec<Diagnostic>) {
    for proxy in book.proxies() {
        let mut lines = proxy.starting("email-alert");
        let Some(first) = lines.next().and_then(Statement::keyword) else {
            continue;
        };
        let missing: Vec<&str> = ["mailers", "from", "to"]
            .into_iter()
            .filter(|word| !book.has(proxy, &["email-alert", word]))
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "'email-alert' will be ignored for {}: it lacks {}",
                proxy.called(),
                missing.join(" and ")
            );
            found.push(without_effect(first.span, message));
        }
    }
}

fn without_effect(span: Span, message: String) -> Diagnostic {
    Diagnostic::warning(codes::WITHOUT_EFFECT, span, message)
}

/// Boxes as peers are either `peer` lines or a `bind` line with `server` lines.
pub(super) fn peers(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.of_kind("peers") {
        let mut peers = section.starting("peer");
        // The address of this box's own line is what it binds.
        let peer = peers.find(|line| line.word(2).is_some());
        let bind = section.starting("bind").next();
        if let (Some(peer), Some(bind)) = (
            peer.and_then(Statement::keyword),
            bind.and_then(Statement::keyword),
        ) {
            let message = "mixing 'peer' and 'bind' lines is forbidden";
            found.push(
                Diagnostic::alert(codes::INCOMPLETE_SECTION, bind.span, message)
                    .with_label(peer.span, "the address of a 'peer' line is bound")
                    .with_help("write 'server' lines beside 'bind'"),
            );
        }
    }
}

/// A ring whose messages may be longer than itself.
pub(super) fn rings(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.of_kind("ring") {
        let (size, longest) = (size(section, "size"), size(section, "maxlen"));
        // What HAProxy makes it without the line.
        let size = size.map_or(16_384, |(size, _)| size);
        if let Some((longest, span)) = longest
            && longest > size
        {
            let message = format!(
                "{}: 'maxlen' {longest} is more than the size; it counts as {size}",
                section.called()
            );
            found.push(without_effect(span, message));
        }
    }
}

/// The size that the last line of this keyword says.
fn size(section: &Section, keyword: &str) -> Option<(u32, Span)> {
    let word = section.starting(keyword).last()?.word(1)?;
    let size = value::size(&word.text(), 0..=u32::MAX).ok()?;
    Some((size, word.span))
}
