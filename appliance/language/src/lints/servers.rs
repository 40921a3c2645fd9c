//! Servers, their checks, and the ports they are reached from.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use lanai_diagnostics::{Diagnostic, Span};

use super::book::{Book, Section};
use super::options::{last, settings};
use crate::codes;
use crate::layer7::Kind;
use crate::lexer::Word;
use crate::line::Statement;

/// Where a line's options start, for the lines that have servers' options.
fn options_of(line: &Statement) -> Option<&[Word]> {
    let first = line.keyword()?;
    let at = match first.value.as_slice() {
        b"server" => 3,
        b"server-template" => 4,
        b"default-server" => 1,
        _ => return None,
    };
    Some(line.from(at))
}

/// `cookie VALUE` of a server is only used by a `cookie NAME` line of its backend.
pub(super) fn cookie_without_cookie(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.proxies().filter(|section| section.is_back()) {
        let lines = section.lines.iter().filter(|line| line.mentions("cookie"));
        let mut places = lines.filter_map(|line| {
            let settings = settings(options_of(line)?, Kind::Server);
            let setting = last(&settings, "cookie")?;
            let value = setting.values.first();
            Some(setting.word.span.to(value.unwrap_or(setting.word).span))
        });
        let Some(first) = places.next() else {
            continue;
        };
        if book.has(section, &["cookie"]) {
            continue;
        }
        let others = places.count();
        let servers = match others {
            0 => "a server".to_owned(),
            _ => format!("{} servers", others + 1),
        };
        let message = format!(
            "{} has no 'cookie' line: the 'cookie' of {servers} has no effect",
            section.called()
        );
        let warning = Diagnostic::warning(codes::COOKIE_WITHOUT_COOKIE, first, message);
        found.push(warning.with_help(
            "add a line such as 'cookie SRVID insert indirect nocache', or take the words off",
        ));
    }
}

/// `source ADDRESS:LOW-HIGH` of a server.
struct Source<'a> {
    word: &'a Word,
    address: &'a str,
    ports: RangeInclusive<u16>,
}

fn source(value: &Word) -> Option<Source<'_>> {
    let text = std::str::from_utf8(&value.value).ok()?;
    let (address, ports) = text.rsplit_once(':')?;
    let (low, high) = ports.split_once('-')?;
    Some(Source {
        word: value,
        address,
        ports: low.parse().ok()?..=high.parse().ok()?,
    })
}

/// The source of each server that has one with a range of ports, its own or by default.
fn sources<'a>(book: &'a Book, section: &'a Section) -> Vec<(&'a Statement, Source<'a>)> {
    let mut inherited = book
        .inherited(section)
        .skip(1)
        .flat_map(|section| section.lines.iter().rev())
        .filter(|line| line.starts(&["default-server"]))
        .find_map(last_source);
    let mut found = Vec::new();
    for line in &section.lines {
        if line.starts(&["default-server"]) {
            inherited = last_source(line).or(inherited);
        } else if line.starts(&["server"])
            && let Some(value) = last_source(line).or(inherited)
            && let Some(source) = source(value)
        {
            found.push((line, source));
        }
    }
    found
}

fn last_source(line: &Statement) -> Option<&Word> {
    let words = options_of(line)?;
    let at = words.iter().rposition(|word| word.is("source"))?;
    words.get(at + 1)
}

/// Two servers at one destination, reached from one address and from ports they share: each takes
/// ports from a ring of its own, so that there is no second connection from a port.
pub(super) fn shared_source_ports(book: &Book, found: &mut Vec<Diagnostic>) {
    type Users<'a> = Vec<(RangeInclusive<u16>, Span)>;
    let mut seen: HashMap<(&[u8], &str), Users<'_>> = HashMap::new();
    for section in book.proxies().filter(|section| section.is_back()) {
        for (line, source) in sources(book, section) {
            let Some(destination) = line.word(2) else {
                continue;
            };
            let users = seen
                .entry((destination.value.as_slice(), source.address))
                .or_default();
            let shared = users.iter().find(|(ports, _)| {
                ports.start() <= source.ports.end() && source.ports.start() <= ports.end()
            });
            if let Some((_, before)) = shared {
                let message = format!(
                    "another server at {} uses source ports of this range too",
                    destination.text()
                );
                let warning =
                    Diagnostic::warning(codes::SHARED_SOURCE_PORTS, source.word.span, message);
                found.push(
                    warning
                        .with_label(*before, "from these ports")
                        .with_help("a port that both pick has one connection only; divide the range, or use another source address"),
                );
            }
            // Many servers of one destination and range: the first few are enough to compare with.
            if users.len() < MOST_RANGES {
                users.push((source.ports, source.word.span));
            }
        }
    }
}

/// Ranges of one destination that are compared with.
const MOST_RANGES: usize = 64;

/// `source 0.0.0.0:LOW-HIGH`: HAProxy ignores the range without a word.
pub(super) fn wildcard_source_ports(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book
        .sections()
        .iter()
        .filter(|s| s.is_back() || s.kind == "defaults")
    {
        for line in &section.lines {
            let Some(source) = last_source(line).and_then(source) else {
                continue;
            };
            let any = matches!(source.address, "0.0.0.0" | "*" | "" | "::" | "[::]");
            if !any {
                continue;
            }
            let message = format!(
                "'source {}' names no address, and HAProxy ignores its range of ports",
                source.word.text()
            );
            let warning =
                Diagnostic::warning(codes::WILDCARD_SOURCE_PORTS, source.word.span, message);
            found
                .push(warning.with_help("name the address of this box that connections come from"));
        }
    }
}

/// `hash-balance-factor` is a share of the average load, or 0 for none: up to 100 no server could take more
/// than it has.
pub(super) fn balance_factor(book: &Book, found: &mut Vec<Diagnostic>) {
    let sections = book.sections().iter().filter(|section| section.has_rules());
    for line in sections.flat_map(|section| section.starting("hash-balance-factor")) {
        let Some(word) = line.word(1) else {
            continue;
        };
        if word
            .text()
            .parse()
            .is_ok_and(|n: u32| (1..=100).contains(&n))
        {
            let message = "'hash-balance-factor' must be 0 or greater than 100.";
            let fault = Diagnostic::alert(codes::BAD_NUMBER, word.span, message);
            found.push(fault.with_help("150 lets a server have half as much again as the average"));
        }
    }
}

/// A check by a program needs the program, and the line of `global` that allows it.
pub(super) fn external_check(book: &Book, found: &mut Vec<Diagnostic>) {
    let mut global = book.of_kind("global");
    let allowed = global.any(|section| section.starting("external-check").next().is_some());
    for section in book.proxies().filter(|section| section.is_back()) {
        let mut lines = section.starting("option");
        let Some(line) = lines.find(|line| line.starts(&["option", "external-check"])) else {
            continue;
        };
        let command = book.has(section, &["external-check", "command"]);
        let missing = [
            (!allowed).then_some("'external-check' in 'global'"),
            (!command).then_some("'external-check command'"),
        ];
        for missing in missing.into_iter().flatten() {
            let message = format!(
                "{}: 'option external-check' needs a line {missing}",
                section.called()
            );
            found.push(Diagnostic::alert(
                codes::INCOMPLETE_SECTION,
                line.span(),
                message,
            ));
        }
    }
}

/// A backend that says how to check servers, and none of them is checked.
pub(super) fn checks_without_check(book: &Book, found: &mut Vec<Diagnostic>) {
    const METHODS: &[&str] = &[
        "httpchk",
        "tcp-check",
        "external-check",
        "ldap-check",
        "mysql-check",
        "pgsql-check",
        "redis-check",
        "smtpchk",
        "ssl-hello-chk",
        "spop-check",
    ];
    for section in book.proxies().filter(|section| section.is_back()) {
        let method = section.lines.iter().find(|line| {
            line.starts(&["option"])
                && line
                    .word(1)
                    .is_some_and(|word| METHODS.iter().any(|name| word.is(name)))
        });
        let Some(method) = method else {
            continue;
        };
        let servers = section
            .lines
            .iter()
            .any(|line| line.starts(&["server"]) || line.starts(&["server-template"]));
        let checked = book.inherited(section).flat_map(|s| &s.lines).any(|line| {
            options_of(line).is_some_and(|words| words.iter().any(|word| word.is("check")))
        });
        if !servers || checked {
            continue;
        }
        let message = format!(
            "{} says how to check its servers, and no server has 'check'",
            section.called()
        );
        let warning = Diagnostic::warning(codes::NO_SERVER_CHECKED, method.span(), message);
        found.push(warning.with_help(
            "a server that fails would still be used; add 'check', or 'default-server check'",
        ));
    }
}

/// Headers behind the version of `option httpchk`.
pub(super) fn hidden_headers(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.sections().iter().filter(|s| s.has_rules()) {
        for line in section
            .starting("option")
            .filter(|l| l.starts(&["option", "httpchk"]))
        {
            let Some(version) = line.from(2).iter().find(|w| w.value.contains(&b'\n')) else {
                continue;
            };
            let message = "'option httpchk' : hiding headers or body at the end of the version \
                           string is deprecated.";
            let warning = Diagnostic::warning(codes::HIDDEN_HEADERS, version.span, message);
            found.push(warning.with_help(
                "write them on a line of their own: 'http-check send meth GET uri / ver HTTP/1.1 \
                 hdr Host www.example'",
            ));
        }
    }
}
