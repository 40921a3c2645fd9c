//! Names in rules, looked up once all sections are known.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::PatternFileKind;

use crate::codes;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::sample::{Reference, Wants};
use crate::layer7::section::Drafts;
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::suggest::{did_you_mean, nearest};

/// A name that something must have.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) wants: Wants,
    pub(crate) span: Span,
    /// `arg 1 of sample fetch keyword 'nbsrv'`
    pub(crate) whose: String,
    /// ` in http-request expression`, or nothing.
    pub(crate) context: Arc<str>,
}

impl Pending {
    /// Those of an expression in a word.
    pub(crate) fn all<'a>(
        word: &'a Word,
        references: Vec<Reference>,
        context: &'a str,
    ) -> impl Iterator<Item = Self> + 'a {
        let context: Arc<str> = match context.is_empty() {
            true => "".into(),
            false => format!(" in {context}").into(),
        };
        references.into_iter().map(move |reference| Self {
            span: match reference.at.is_empty() {
                true => word.span,
                false => word.span_of(reference.at),
            },
            wants: reference.wants,
            whose: reference.whose,
            context: context.clone(),
        })
    }

    /// A name that is a word of its own. `whose` ends the sentence "unable to find ... referenced".
    pub(crate) fn named(word: &Word, wants: Wants, whose: &str) -> Self {
        Self {
            wants,
            span: word.span,
            whose: whose.to_owned(),
            context: "".into(),
        }
    }

    /// The file it is read from, which must be there, and where it is named.
    pub(crate) fn file(&self) -> Option<(&Arc<str>, Span)> {
        match &self.wants {
            Wants::Patterns(file) if file.kind == PatternFileKind::File => {
                Some((&file.name, self.span))
            }
            _ => None,
        }
    }

    /// Whether a section that inherits it has it too.
    pub(super) fn is_handed_on(&self) -> bool {
        self.is_relative() || matches!(self.wants, Wants::Patterns(_))
    }

    /// Whether what it means depends on the proxy it is evaluated in.
    fn is_relative(&self) -> bool {
        matches!(
            self.wants,
            Wants::Frontend(None)
                | Wants::Backend(None)
                | Wants::Table(None)
                | Wants::Server(None, _)
        )
    }
}

/// Everything that has a name.
struct Names<'a> {
    fronts: HashMap<&'a str, &'a ProxyDraft>,
    backs: HashMap<&'a str, &'a ProxyDraft>,
    /// Proxies with a stick table.
    tables: HashSet<String>,
    userlists: HashSet<&'a str>,
}

/// Looks up the names in all rules.
pub(crate) fn check(drafts: &Drafts, sink: &mut Sink) {
    let proxies = &drafts.proxies;
    let names = Names {
        fronts: by_name(proxies.iter().filter(|proxy| proxy.is_front())),
        backs: by_name(proxies.iter().filter(|proxy| proxy.is_back())),
        tables: tables(drafts),
        userlists: drafts.others.names("userlist").collect(),
    };
    for proxy in drafts.defaults.iter().chain(proxies) {
        super::named::check(proxy, &names.backs, &drafts.others, sink);
    }
    // What a `defaults` section hands on is said once.
    let mut told = HashSet::new();
    for proxy in drafts.defaults.iter().chain(proxies) {
        for pending in &proxy.settings.rules.references {
            if proxy.is_defaults() && pending.is_relative() {
                continue;
            }
            if let Some(fault) = names.look_up(pending, proxy)
                && told.insert((fault.span, fault.message.clone()))
            {
                sink.push(fault);
            }
        }
    }
}

fn by_name<'a>(proxies: impl Iterator<Item = &'a ProxyDraft>) -> HashMap<&'a str, &'a ProxyDraft> {
    proxies
        .map(|proxy| (proxy.name().as_ref(), proxy))
        .collect()
}

fn tables(drafts: &Drafts) -> HashSet<String> {
    let own = drafts.proxies.iter();
    let own = own.filter(|proxy| proxy.settings.rules.sets.stick_table.is_some());
    let own = own.map(|proxy| proxy.name().to_string());
    own.chain(drafts.others.tables().map(str::to_owned))
        .collect()
}

impl Names<'_> {
    /// What is wrong with a name, if anything is.
    fn look_up(&self, pending: &Pending, proxy: &ProxyDraft) -> Option<Diagnostic> {
        let own = proxy.name().as_ref();
        match &pending.wants {
            Wants::Frontend(name) => {
                let name = name.as_deref().unwrap_or(own);
                let missing = !self.fronts.contains_key(name);
                missing.then(|| missing_name("frontend", name, pending, own, self.fronts.keys()))
            }
            Wants::Backend(name) => {
                let name = name.as_deref().unwrap_or(own);
                let missing = !self.backs.contains_key(name);
                missing.then(|| missing_name("backend", name, pending, own, self.backs.keys()))
            }
            Wants::Table(name) => {
                let name = name.as_deref().unwrap_or(own);
                let missing = !self.tables.contains(name);
                missing.then(|| {
                    let known = self.tables.iter().map(String::as_str);
                    let fault = missing_name("table", name, pending, own, known);
                    match self.backs.contains_key(name) || self.fronts.contains_key(name) {
                        true => fault.with_help(format!("add a 'stick-table' line to '{name}'")),
                        false => fault,
                    }
                })
            }
            Wants::Server(backend, server) => {
                self.server(backend.as_deref(), server, pending, proxy)
            }
            Wants::Userlist(name) => {
                let missing = !self.userlists.contains(name.as_str());
                missing.then(|| missing_name("userlist", name, pending, own, self.userlists.iter()))
            }
            Wants::Acl(name) => {
                let known = proxy.settings.rules.acls.knows(name);
                let predefined = super::super::acl::predefined::PREDEFINED.iter();
                let found = known || predefined.clone().any(|row| row.name == name);
                (!found).then(|| {
                    let message = format!("ACL '{name}' not found ({})", pending.whose);
                    Diagnostic::alert(codes::UNKNOWN_REFERENCE, pending.span, message)
                })
            }
            // Files are read by whoever prepares the change.
            Wants::Patterns(_) => None,
        }
    }

    fn server(
        &self,
        backend: Option<&str>,
        server: &str,
        pending: &Pending,
        proxy: &ProxyDraft,
    ) -> Option<Diagnostic> {
        let own = proxy.name().as_ref();
        let place = format!("{}{} in proxy '{own}'.", pending.whose, pending.context);
        if server.is_empty() {
            let message = format!("missing server name {place}");
            return Some(Diagnostic::alert(
                codes::UNKNOWN_REFERENCE,
                pending.span,
                message,
            ));
        }
        let target = match backend {
            Some(name) => self.backs.get(name).copied(),
            None => Some(proxy),
        };
        let Some(target) = target else {
            let name = backend.unwrap_or_default();
            let message = format!("unable to find proxy '{name}' referenced {place}");
            let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, pending.span, message);
            return Some(offer(fault, name, self.backs.keys().copied()));
        };
        if target.has_server(server) {
            return None;
        }
        let message = format!(
            "unable to find server '{server}' in proxy '{}', referenced {place}",
            target.name()
        );
        let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, pending.span, message);
        let known = target.servers.iter().map(|other| other.name.as_ref());
        Some(offer(fault, server, known))
    }
}

fn missing_name<'a, K: AsRef<str> + ?Sized + 'a>(
    what: &str,
    name: &str,
    pending: &Pending,
    own: &str,
    known: impl Iterator<Item = &'a K>,
) -> Diagnostic {
    let message = format!(
        "unable to find {what} '{name}' referenced {}{} in proxy '{own}'.",
        pending.whose, pending.context
    );
    let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, pending.span, message);
    offer(fault, name, known.map(AsRef::as_ref))
}

/// Offers the nearest of the known names, where the name itself is what is written.
fn offer<'a>(fault: Diagnostic, name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    match nearest(name, known) {
        Some(near) => {
            let help = did_you_mean(near);
            fault.with_help(help)
        }
        None => fault,
    }
}
