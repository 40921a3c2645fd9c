//! Sections: where they start, what they inherit, and which table reads their lines.

use std::collections::HashMap;
use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};

use super::dispatch::{GLOBAL, PROXY, Place, dispatch};
use super::draft::{GlobalDraft, ProxyDraft};
use super::inherit::Heirs;
use super::keyword::Sections;
use super::others::Other;
use super::rules::Others;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::suggest::nearest;
use crate::tree::SECTIONS;
use crate::value::{invalid_name_character, shown, suggest};
use crate::{Environment, codes};

/// All sections of a configuration.
pub(super) struct Drafts {
    pub(super) global: GlobalDraft,
    /// `defaults` sections, for what must be right of them alone.
    pub(super) defaults: Vec<ProxyDraft>,
    pub(super) others: Others,
    pub(super) proxies: Vec<ProxyDraft>,
}

/// Listeners of one configuration: a port range may ask for many at once.
const MOST_LISTENERS: usize = 65_536;

/// Proxies of one configuration.
const MOST_PROXIES: usize = 100_000;

/// Reads lines into sections.
pub(super) struct Reader {
    global: GlobalDraft,
    defaults: Vec<Defaults>,
    /// Places in `defaults` by name.
    named: HashMap<Arc<str>, Vec<usize>>,
    proxies: Vec<ProxyDraft>,
    current: Current,
    /// Front halves by name, and back halves: an index into `proxies`.
    others: Others,
    fronts: HashMap<Arc<str>, usize>,
    backs: HashMap<Arc<str>, usize>,
}

struct Defaults {
    draft: ProxyDraft,
    /// Used by a proxy that names it.
    named: bool,
    /// Used by a proxy that follows it and names none.
    unnamed: bool,
    /// Who has its rules.
    heirs: Heirs,
}

enum Current {
    None,
    Global,
    Defaults,
    Proxy,
    Other(Other),
    /// A section that is not read: there are too many.
    Skipped,
}

impl Reader {
    pub(super) fn new(environment: Environment) -> Self {
        Self {
            global: GlobalDraft::new(environment),
            defaults: Vec::new(),
            named: HashMap::new(),
            proxies: Vec::new(),
            current: Current::None,
            others: Others::default(),
            fronts: HashMap::new(),
            backs: HashMap::new(),
        }
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.global.environment
    }

    /// A section does not go on in the next file.
    pub(super) fn start_of_file(&mut self) {
        self.current = Current::None;
    }

    pub(super) fn finish(self) -> Drafts {
        Drafts {
            global: self.global,
            defaults: self.defaults.into_iter().map(|d| d.draft).collect(),
            proxies: self.proxies,
            others: self.others,
        }
    }

    pub(super) fn statement(&mut self, statement: &Statement, sink: &mut Sink) {
        let Some(keyword) = statement.keyword() else {
            return;
        };
        let text = keyword.text();
        self.others.note(statement);
        if let Some(section) = statement.section {
            self.start(section, statement, sink);
            return;
        }
        match &mut self.current {
            Current::None => out_of_section(keyword, sink),
            Current::Skipped => {}
            Current::Other(other) if other.knows(&text) => other.line(statement, sink),
            Current::Other(_) => {
                if !self.looks_like_section(keyword, statement, sink)
                    && let Current::Other(other) = &mut self.current
                {
                    other.line(statement, sink);
                }
            }
            Current::Global => {
                if self.looks_like_section(keyword, statement, sink) {
                    return;
                }
                let place = Place {
                    kind: Sections::GLOBAL,
                    word: "global",
                    name: "",
                };
                dispatch(&GLOBAL, &place, statement, &mut self.global, sink);
            }
            Current::Defaults | Current::Proxy => {
                if self.looks_like_section(keyword, statement, sink) {
                    return;
                }
                let draft = match self.current {
                    Current::Defaults => self.defaults.last_mut().map(|d| &mut d.draft),
                    _ => self.proxies.last_mut(),
                };
                let Some(draft) = draft else {
                    return;
                };
                let name = draft.name().clone();
                let place = Place {
                    kind: draft.section,
                    word: draft.section.names().next().unwrap_or_default(),
                    name: &name,
                };
                dispatch(&PROXY, &place, statement, draft, sink);
            }
        }
    }

    /// A misspelt section keyword is reported once, and its section read under the right one: else
    /// each of its lines would be reported too.
    fn looks_like_section(
        &mut self,
        keyword: &Word,
        statement: &Statement,
        sink: &mut Sink,
    ) -> bool {
        let text = keyword.text();
        let known = GLOBAL.knows(&text) || PROXY.knows(&text);
        if known || text == "no" || text == "default" {
            return false;
        }
        let words = GLOBAL.first_words().chain(PROXY.first_words());
        let words = words.chain(SECTIONS.iter().copied());
        let Some(section) = nearest(&text, words).filter(|word| SECTIONS.contains(word)) else {
            return false;
        };
        let message = format!("unknown keyword '{}'", shown(&keyword.value));
        let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, keyword.span, message);
        sink.push(suggest(fault, keyword, [section]));
        self.start(section, statement, sink);
        true
    }

    fn start(&mut self, section: &str, statement: &Statement, sink: &mut Sink) {
        let section = match section {
            "global" => {
                self.current = Current::Global;
                if let Some(extra) = statement.words.get(1) {
                    unexpected("global", extra, sink);
                }
                return;
            }
            "defaults" => Sections::DEFAULTS,
            "frontend" => Sections::FRONTEND,
            "listen" => Sections::LISTEN,
            "backend" => Sections::BACKEND,
            other => {
                self.current = match Sections::of(other) {
                    Some(kind) => Current::Other(Other::start(kind, statement, sink)),
                    None => Current::Skipped,
                };
                return;
            }
        };
        if self.proxies.len() + self.defaults.len() >= MOST_PROXIES {
            let message = format!("too many sections, {MOST_PROXIES} at most");
            sink.alert(codes::TOO_MANY_ERRORS, statement.span(), message);
            self.current = Current::Skipped;
            return;
        }
        self.proxy(section, statement, sink);
    }

    fn proxy(&mut self, section: Sections, statement: &Statement, sink: &mut Sink) {
        let Some((keyword, arguments)) = statement.words.split_first() else {
            return;
        };
        let kind = section.names().next().unwrap_or_default();
        let is_defaults = section == Sections::DEFAULTS;
        let (name, arguments) = match arguments.split_first() {
            Some((first, rest)) if !(is_defaults && first.is("from")) => (Some(first), rest),
            _ => (None, arguments),
        };
        if name.is_none() && !is_defaults {
            let message = format!("'{kind}' expects an <id> argument");
            sink.alert(codes::BAD_SECTION_NAME, keyword.span, message);
        }
        if let Some(name) = name
            && let Some(wrong) = invalid_name_character(&name.text())
        {
            let message = format!(
                "character '{}' is not permitted in '{kind}' name '{}'.",
                wrong.escape_debug(),
                shown(&name.value)
            );
            sink.alert(codes::BAD_SECTION_NAME, name.span, message);
        }
        let from = self.from(kind, name, arguments, sink);
        if let Some(defaults) = from.and_then(|at| self.defaults.get_mut(at)) {
            let place = name.map_or(keyword.span, |name| name.span);
            let Defaults { draft, heirs, .. } = defaults;
            heirs.add(draft, section, place, sink);
        }
        let inherited = from.and_then(|at| self.defaults.get(at));
        let inherited = inherited.map(|defaults| &defaults.draft.settings);
        let span = name.map_or(keyword.span, |name| name.span);
        let text: Arc<str> = name.map_or_else(|| "".into(), |name| name.text().into());
        let origin = statement.origin.clone();
        let mut draft = ProxyDraft::new(section, text, span, origin, inherited);
        draft.room = self.proxies.last().map_or(MOST_LISTENERS, |last| last.room);
        if is_defaults {
            self.current = Current::Defaults;
            if name.is_some() {
                let places = self.named.entry(draft.name().clone()).or_default();
                places.push(self.defaults.len());
            }
            self.defaults.push(Defaults {
                draft,
                named: false,
                unnamed: false,
                heirs: Heirs::default(),
            });
            return;
        }
        self.current = Current::Proxy;
        self.register(&draft, kind, sink);
        self.proxies.push(draft);
    }

    /// The `defaults` a section inherits from: those named after `from`, else, for a proxy, the last
    /// ones before it. A `defaults` section without `from` starts afresh.
    fn from(
        &mut self,
        kind: &str,
        name: Option<&Word>,
        arguments: &[Word],
        sink: &mut Sink,
    ) -> Option<usize> {
        let Some((from, rest)) = arguments.split_first() else {
            let last = self.defaults.len().checked_sub(1)?;
            if kind == "defaults" {
                return None;
            }
            let defaults = self.defaults.get_mut(last)?;
            if defaults.named && !defaults.unnamed {
                ambiguous(
                    &defaults.draft,
                    name.map_or(defaults.draft.span, |n| n.span),
                    sink,
                );
            }
            defaults.unnamed = true;
            return Some(last);
        };
        if !from.is("from") {
            let message = format!(
                "'{kind}' cannot handle unexpected argument '{}'.",
                shown(&from.value)
            );
            let fault = Diagnostic::alert(codes::UNEXPECTED_ARGUMENT, from.span, message);
            let address = from.value.contains(&b':');
            sink.push(match address && kind != "backend" {
                true => fault.with_help("please use the 'bind' keyword for listening addresses"),
                false => fault,
            });
            return None;
        }
        let Some((wanted, rest)) = rest.split_first() else {
            let message = "'from' expects the name of a defaults section";
            sink.alert(codes::MISSING_ARGUMENT, from.span, message);
            return None;
        };
        if let Some(extra) = rest.first() {
            unexpected(kind, extra, sink);
        }
        let text = wanted.text();
        let mut found = self
            .named
            .get(text.as_ref())
            .into_iter()
            .flat_map(|places| places.iter().rev().copied());
        let Some(at) = found.next() else {
            let names = self.defaults.iter().map(|d| d.draft.name().as_ref());
            let message = format!(
                "defaults section '{}' not found for {kind} '{}'.",
                shown(&wanted.value),
                name.map_or(String::new(), |name| shown(&name.value))
            );
            let fault = Diagnostic::alert(codes::BAD_DEFAULTS, wanted.span, message);
            sink.push(suggest(fault, wanted, names));
            return None;
        };
        if let Some(other) = found.next() {
            let message = format!("ambiguous defaults section name '{}'", shown(&wanted.value));
            let mut fault = Diagnostic::alert(codes::BAD_DEFAULTS, wanted.span, message);
            for at in [other, at] {
                if let Some(defaults) = self.defaults.get(at) {
                    fault = fault.with_label(defaults.draft.span, "declared here");
                }
            }
            sink.push(fault);
        }
        let defaults = self.defaults.get_mut(at)?;
        if defaults.unnamed && !defaults.named {
            ambiguous(&defaults.draft, wanted.span, sink);
        }
        defaults.named = true;
        Some(at)
    }

    /// Frontends have names of their own, and so have backends; a `listen` has one of each.
    fn register(&mut self, draft: &ProxyDraft, kind: &str, sink: &mut Sink) {
        let index = self.proxies.len();
        let name = draft.name();
        if name.is_empty() {
            return;
        }
        let mut before = None;
        if draft.is_front() {
            before = self.fronts.insert(name.clone(), index);
        }
        if draft.is_back() {
            before = self.backs.insert(name.clone(), index).or(before);
        }
        let Some(other) = before.and_then(|at| self.proxies.get(at)) else {
            return;
        };
        let what = if kind == "listen" { "proxy" } else { kind };
        let origin = &other.settings.proxy.origin;
        let message = format!(
            "{what} '{name}' has the same name as {} '{name}' declared at {origin}.",
            other.word()
        );
        let fault = Diagnostic::alert(codes::DUPLICATE_NAME, draft.span, message);
        sink.push(fault.with_label(other.span, "declared here"));
    }
}

fn ambiguous(defaults: &ProxyDraft, at: Span, sink: &mut Sink) {
    let name = defaults.name();
    let message = format!(
        "defaults section '{name}' is explicitly referenced by another proxy and implicitly used here."
    );
    let help = "add a last defaults section that nobody names, or name one everywhere";
    let fault = Diagnostic::warning(codes::BAD_DEFAULTS, at, message)
        .with_label(defaults.span, "declared here")
        .with_help(help);
    sink.push(fault);
}

fn unexpected(section: &str, word: &Word, sink: &mut Sink) {
    let message = format!(
        "'{section}' cannot handle unexpected argument '{}'.",
        shown(&word.value)
    );
    sink.alert(codes::UNEXPECTED_ARGUMENT, word.span, message);
}

fn out_of_section(keyword: &Word, sink: &mut Sink) {
    let message = format!(
        "unknown keyword '{}' out of section.",
        shown(&keyword.value)
    );
    let fault = Diagnostic::alert(codes::OUT_OF_SECTION, keyword.span, message);
    let fault = suggest(fault, keyword, SECTIONS.iter().copied());
    sink.push(match fault.fix {
        Some(_) => fault,
        None => {
            fault.with_help("start with a section: global, defaults, frontend, listen, backend")
        }
    });
}
