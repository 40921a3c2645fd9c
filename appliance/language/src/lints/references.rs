//! Names of other sections; those in rules and expressions are looked up where rules are read.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use lanai_diagnostics::{Diagnostic, Span};

use super::book::{Book, Section};
use super::options::settings;
use crate::codes;
use crate::layer7::Kind;
use crate::lexer::Word;
use crate::line::Statement;
use crate::suggest::{did_you_mean, nearest};

/// What names may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    Cache,
    FcgiApp,
    HttpErrors,
    Mailers,
    Peers,
    Resolvers,
}

impl Thing {
    fn word(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::FcgiApp => "fcgi-app",
            Self::HttpErrors => "http-errors section",
            Self::Mailers => "mailers section",
            Self::Peers => "peers section",
            Self::Resolvers => "resolvers section",
        }
    }
}

/// Every name of a kind of thing.
type Names<'a> = HashMap<Thing, HashSet<&'a str>>;

/// A name, where it is asked for.
struct Asked<'a> {
    thing: Thing,
    name: &'a str,
    span: Span,
}

fn text(word: &Word) -> Option<&str> {
    std::str::from_utf8(&word.value).ok()
}

fn names(book: &Book) -> Names<'_> {
    let mut names: Names<'_> = HashMap::new();
    for section in book.sections() {
        let Some(name) = text(&section.name) else {
            continue;
        };
        let thing = match section.kind {
            "cache" => Thing::Cache,
            "fcgi-app" => Thing::FcgiApp,
            "http-errors" => Thing::HttpErrors,
            "mailers" => Thing::Mailers,
            "peers" => Thing::Peers,
            "resolvers" => Thing::Resolvers,
            _ => continue,
        };
        names.entry(thing).or_default().insert(name);
    }
    names
}

/// What a line asks for by name.
fn asked<'a>(section: &'a Section, line: &'a Statement) -> Vec<Asked<'a>> {
    let mut found = Vec::new();
    let mut ask = |thing, word: Option<&'a Word>| {
        if let Some(word) = word
            && let Some(name) = text(word)
        {
            let span = word.span;
            found.push(Asked { thing, name, span });
        }
    };
    let Some(first) = line.keyword() else {
        return found;
    };
    match first.value.as_slice() {
        b"use-fcgi-app" => ask(Thing::FcgiApp, line.word(1)),
        b"errorfiles" => ask(Thing::HttpErrors, line.word(1)),
        b"email-alert" if line.starts(&["email-alert", "mailers"]) => {
            ask(Thing::Mailers, line.word(2));
        }
        b"stick-table" => ask(Thing::Peers, line.after("peers")),
        b"filter" if line.starts(&["filter", "cache"]) => ask(Thing::Cache, line.word(2)),
        b"server" | b"server-template" | b"default-server"
            if section.kind != "peers" && line.mentions("resolvers") =>
        {
            let at = match first.value.as_slice() {
                b"server" => 3,
                b"server-template" => 4,
                _ => 1,
            };
            for setting in settings(line.from(at), Kind::Server) {
                if setting.is("resolvers") {
                    ask(Thing::Resolvers, setting.values.first());
                }
            }
        }
        _ => {}
    }
    found
}

/// Names of things that no section defines.
pub(super) fn unknown(book: &Book, found: &mut Vec<Diagnostic>) {
    let names = names(book);
    let none = HashSet::new();
    for section in book.sections() {
        for line in &section.lines {
            for asked in asked(section, line) {
                let known = names.get(&asked.thing).unwrap_or(&none);
                if known.contains(asked.name) {
                    continue;
                }
                let message = format!(
                    "{}: unable to find {} '{}'.",
                    section.called(),
                    asked.thing.word(),
                    asked.name
                );
                let fault = Diagnostic::alert(codes::UNKNOWN_SECTION, asked.span, message);
                found.push(match nearest(asked.name, known.iter().copied()) {
                    Some(near) => fault.with_fix(asked.span, near, did_you_mean(near)),
                    None => fault,
                });
            }
        }
    }
}

/// Backends that nothing sends requests to.
pub(super) fn unused_backends(book: &Book, found: &mut Vec<Diagnostic>) {
    // A text of backends alone is a part of a configuration.
    if !book.proxies().any(Section::is_front) {
        return;
    }
    let backends = book.of_kind("backend");
    let mut unused: HashSet<&[u8], RandomState> = backends
        .map(|section| section.name.value.as_slice())
        .collect();
    for section in book.sections() {
        for line in &section.lines {
            let Some(first) = line.keyword() else {
                continue;
            };
            match first.value.as_slice() {
                b"default_backend" => {
                    line.word(1)
                        .map(|word| unused.remove(word.value.as_slice()));
                }
                b"use_backend" => {
                    // A name that is worked out may be any.
                    if line.word(1).is_some_and(|word| word.value.contains(&b'%')) {
                        return;
                    }
                    line.word(1)
                        .map(|word| unused.remove(word.value.as_slice()));
                }
                // A server names another's state to follow it, and nothing else.
                b"server" if !line.mentions("track") => {}
                _ => {
                    for word in &line.words {
                        // Tables and counts are asked for by the backend's name, and logs are sent to it.
                        for name in word
                            .value
                            .split(|b| matches!(b, b'(' | b')' | b',' | b'/' | b'@'))
                        {
                            unused.remove(name);
                        }
                    }
                }
            }
        }
    }
    for section in book.of_kind("backend") {
        let table_only = section.starting("server").next().is_none();
        if table_only || !unused.contains(section.name.value.as_slice()) {
            continue;
        }
        let message = format!("nothing sends requests to {}", section.called());
        let warning = Diagnostic::warning(codes::UNUSED_BACKEND, section.name.span, message);
        found.push(
            warning.with_help("name it in a 'use_backend' or 'default_backend' line, or remove it"),
        );
    }
}

/// Passwords that everybody who sees the text can read.
pub(super) fn readable_passwords(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.of_kind("userlist") {
        for line in section.starting("user") {
            let Some(word) = line.words.iter().find(|w| w.is("insecure-password")) else {
                continue;
            };
            let message = format!(
                "the password of user '{}' can be read in this text and all its revisions",
                line.word(1).map(Word::text).unwrap_or_default()
            );
            let warning = Diagnostic::warning(codes::READABLE_PASSWORD, word.span, message);
            found.push(
                warning
                    .with_help("write 'password' and a hash, such as `mkpasswd -m sha-256` makes"),
            );
        }
    }
}
