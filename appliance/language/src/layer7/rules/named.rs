//! What rules name that is no proxy: other sections, filters, capture slots, and backends and servers
//! that are named without an expression.

use std::collections::{HashMap, HashSet};

use lanai_diagnostics::{Diagnostic, Span};

use lanai_model::layer7::Mode;

use super::Named;
use crate::codes;
use crate::layer7::draft::ProxyDraft;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::suggest::{did_you_mean, nearest};

/// Sections that are no proxies, as far as rules may name them.
#[derive(Default)]
pub(crate) struct Others {
    /// The section a line belongs to.
    current: &'static str,
    name: String,
    /// Names by kind.
    sections: HashMap<&'static str, HashSet<String>>,
    /// Tables of `peers` sections, as `PEERS/TABLE`.
    tables: HashSet<String>,
}

impl Others {
    /// Notes a line if it starts such a section, or says something of one.
    pub(crate) fn note(&mut self, statement: &Statement) {
        let mut words = statement.words.iter();
        let Some(keyword) = words.next() else {
            return;
        };
        let mut name = || words.next().map(Word::text).unwrap_or_default();
        if let Some(section) = statement.section {
            self.current = section;
            self.name = name().into_owned();
            if !PROXIES.contains(&section) {
                let names = self.sections.entry(section).or_default();
                names.insert(self.name.clone());
            }
        } else if self.current == "peers" && keyword.is("table") {
            self.tables.insert(format!("{}/{}", self.name, name()));
        }
    }

    /// Names of sections of one kind.
    pub(super) fn names<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let of_kind = self.sections.get(kind).into_iter().flatten();
        of_kind.map(String::as_str)
    }

    /// Whether there is a section of this kind and name.
    fn has(&self, kind: &str, name: &str) -> bool {
        self.sections
            .get(kind)
            .is_some_and(|names| names.contains(name))
    }

    /// Tables of `peers` sections.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(String::as_str)
    }
}

const PROXIES: [&str; 5] = ["global", "defaults", "frontend", "listen", "backend"];

/// Checks what the rules of a proxy name without an expression.
pub(super) fn check(
    proxy: &ProxyDraft,
    backs: &HashMap<&str, &ProxyDraft>,
    others: &Others,
    sink: &mut Sink,
) {
    let own = proxy.name();
    for (name, span, keyword) in proxy.settings.targets.iter().filter(|_| proxy.is_front()) {
        if !backs.contains_key(name.as_ref()) {
            let message = format!("Proxy '{own}': unable to find required {keyword}: '{name}'.");
            sink.push(missing(*span, name, &message, backs.keys().copied()));
        }
    }
    let targets = proxy.settings.server_targets.iter();
    let targets: Vec<_> = targets.filter(|_| proxy.is_back()).collect();
    let known = proxy.servers.iter().map(|server| server.name.as_ref());
    let servers: HashSet<&str> = match targets.is_empty() {
        true => HashSet::new(),
        false => known.clone().collect(),
    };
    for (name, span) in targets {
        if !servers.contains(name.as_ref()) && !proxy.has_server(name) {
            let message = format!(
                "{} '{own}' : unable to find server '{name}' referenced in a 'use-server' rule.",
                proxy.word()
            );
            sink.push(missing(*span, name, &message, known.clone()));
        }
    }
    for (what, name, span) in &proxy.settings.named {
        let (kind, message) = match what {
            Named::Cache => (
                "cache",
                format!(
                    "{} '{own}': unable to find the cache '{name}' referenced by the filter 'cache'.",
                    proxy.word()
                ),
            ),
            Named::Resolvers => (
                "resolvers",
                format!(
                    "Proxy '{own}': Can't find resolvers section '{name}' for do-resolve action."
                ),
            ),
            Named::Peers => (
                "peers",
                format!("Proxy '{own}': unable to find sync peers '{name}'."),
            ),
            Named::HttpErrors => (
                "http-errors",
                format!(
                    "Proxy '{own}': unknown http-errors section '{name}' referenced by an http reply."
                ),
            ),
        };
        if !others.has(kind, name) {
            sink.push(missing(*span, name, &message, others.names(kind)));
        }
    }
    only_http(proxy, sink);
    slots(proxy, sink);
}

/// Rules that need HTTP, in a proxy that does not speak it.
fn only_http(proxy: &ProxyDraft, sink: &mut Sink) {
    let own = proxy.name();
    if proxy.settings.proxy.mode == Mode::Tcp && !proxy.is_defaults() {
        for (line, span) in &proxy.settings.needs_http {
            let message = format!(
                "'{line}' rules ignored for {} '{own}' as they require HTTP mode.",
                proxy.word()
            );
            sink.warning(codes::NEEDS_HTTP, *span, message);
        }
    }
}

/// Capture slots that rules name.
fn slots(proxy: &ProxyDraft, sink: &mut Sink) {
    let own = proxy.name();
    let sets = &proxy.settings.rules.sets;
    for (responses, slot, span) in &proxy.settings.slots {
        let (slots, set) = match responses {
            true => (&sets.response_captures, "http-response"),
            false => (&sets.request_captures, "http-request"),
        };
        if proxy.is_front() && *slot >= slots.len() {
            let message = format!(
                "Proxy '{own}': unable to find capture id '{slot}' referenced by {set} capture rule."
            );
            let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, *span, message);
            sink.push(fault.with_help("slots are numbered from 0; 'declare capture' makes one"));
        }
    }
}

fn missing<'a>(
    span: Span,
    name: &str,
    message: &str,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, span, message);
    match nearest(name, known) {
        Some(near) => fault.with_help(did_you_mean(near)),
        None => fault,
    }
}
