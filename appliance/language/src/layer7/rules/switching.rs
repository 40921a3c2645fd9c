//! Rules that choose a backend or a server, and that set persistence and monitoring aside.

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{PersistRule, Target, UseBackend, UseServer};

use super::{Pending, Rules};
use crate::codes;
use crate::layer7::acl::{WordFault, condition, polarity, report};
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::format;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::value::shown;

/// `use_backend NAME [{if|unless} CONDITION]`
pub(super) fn use_backend(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(name) = args.require("a backend name") else {
        return;
    };
    let rules = &mut draft.settings.rules;
    let Some(target) = target(rules, args, name, "use_backend", Places::FE_SET_BACKEND) else {
        args.rest();
        return;
    };
    let when = match polarity(args) {
        Some(unless) => {
            let context = "error detected while parsing switching rule";
            let read = condition(rules, args, unless, Places::FE_SET_BACKEND, context);
            let Some(read) = read else { return };
            Some(read)
        }
        None => {
            if let Some(word) = args.take() {
                let message = format!(
                    "unexpected keyword '{}' after switching rule, only 'if' and 'unless' are \
                     allowed.",
                    shown(&word.value)
                );
                args.alert(codes::UNEXPECTED_ARGUMENT, word.span, message);
                args.rest();
                return;
            }
            None
        }
    };
    super::order::note(draft, args);
    if let Target::Name(target) = &target {
        draft
            .settings
            .targets
            .push((target.clone(), name.span, "use_backend"));
    }
    draft.settings.rules.sets.use_backend.push(UseBackend {
        target,
        condition: when,
        origin: args.origin.clone(),
    });
}

/// A name, or a format that gives one.
pub(super) fn target(
    rules: &mut Rules,
    args: &mut Args<'_>,
    name: &Word,
    line: &str,
    at: Places,
) -> Option<Target> {
    if !name.value.contains(&b'%') {
        return Some(Target::Name(name.text().into()));
    }
    match format::parse(&name.value, at, false) {
        Ok(read) => {
            let context = match line {
                "use-server" => "use-server expression",
                _ => "use-backend expression",
            };
            let found = Pending::all(name, read.references, context);
            rules.references.extend(found);
            Some(Target::Format(read.format))
        }
        Err(fault) => {
            let context = format!("failed to parse {line} rule '{}'", shown(&name.value));
            report(WordFault::of(name, fault), &context, args.sink);
            None
        }
    }
}

/// `use-server NAME {if|unless} CONDITION`
pub(super) fn use_server(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(name) = args.require("a server name") else {
        return;
    };
    let rules = &mut draft.settings.rules;
    let Some(target) = target(rules, args, name, "use-server", Places::BE_SET_SERVER) else {
        args.rest();
        return;
    };
    let Some(unless) = expected_polarity(args, "use-server") else {
        return;
    };
    let context = "error detected while parsing switching rule";
    let Some(when) = condition(rules, args, unless, Places::BE_SET_SERVER, context) else {
        return;
    };
    if let Target::Name(target) = &target {
        draft
            .settings
            .server_targets
            .push((target.clone(), name.span));
    }
    draft.settings.rules.sets.use_server.push(UseServer {
        target,
        condition: when,
        origin: args.origin.clone(),
    });
    super::order::note(draft, args);
}

/// Takes the `if` or `unless` that must be there.
fn expected_polarity(args: &mut Args<'_>, line: &str) -> Option<bool> {
    let found = polarity(args);
    if found.is_none() {
        let message = format!("'{line}' requires either 'if' or 'unless' followed by a condition.");
        let next = args.peek().map_or(args.head, |word| word.span);
        let fault = Diagnostic::alert(codes::MISSING_ARGUMENT, next, message);
        args.sink.push(fault);
        args.rest();
    }
    found
}

/// `force-persist {if|unless} CONDITION`
pub(super) fn force_persist(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    persist(draft, args, "force-persist", false);
}

/// `ignore-persist {if|unless} CONDITION`
pub(super) fn ignore_persist(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    persist(draft, args, "ignore-persist", true);
}

fn persist(draft: &mut ProxyDraft, args: &mut Args<'_>, line: &str, ignore: bool) {
    let Some(unless) = expected_polarity(args, line) else {
        return;
    };
    let context = format!("error detected while parsing a '{line}' rule");
    let at = Places::BE_REQUEST_CONTENT;
    let rules = &mut draft.settings.rules;
    let Some(when) = condition(rules, args, unless, at, &context) else {
        return;
    };
    rules.sets.persist.push(PersistRule {
        ignore,
        condition: when,
        origin: args.origin.clone(),
    });
}

/// `monitor fail {if|unless} CONDITION`
pub(super) fn monitor_fail(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(unless) = expected_polarity(args, "monitor fail") else {
        return;
    };
    let context = "error detected while parsing a 'monitor fail' condition";
    let at = Places::FE_REQUEST_HEADERS;
    let rules = &mut draft.settings.rules;
    if let Some(when) = condition(rules, args, unless, at, context) {
        rules.sets.monitor_fail.push(when);
        super::order::note(draft, args);
    }
}

/// `stats admin {if|unless} CONDITION`
pub(super) fn stats_admin(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(unless) = expected_polarity(args, "stats admin") else {
        return;
    };
    let context = "error detected while parsing a 'stats admin' rule";
    let at = Places::FE_REQUEST_HEADERS.and(Places::BE_REQUEST_HEADERS);
    let rules = &mut draft.settings.rules;
    if let Some(when) = condition(rules, args, unless, at, context) {
        rules.sets.stats_admin.push(when);
    }
}
