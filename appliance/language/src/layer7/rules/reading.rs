//! What the readers of actions have in common.

use std::time::Duration;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{Action, Condition, Expression, Figure, Format, Rule};

use super::table::{ACTIONS, ActionRow, Sets, action};
use super::{Pending, places};
use crate::codes;
use crate::layer7::acl::{WordFault, condition, polarity};
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::format;
use crate::layer7::sample::types::Places;
use crate::layer7::sample::{self, Stop};
use crate::lexer::Word;
use crate::value::{self, shown, suggest};

/// An action that is being read.
pub(super) struct Reading<'r, 'a> {
    pub(super) draft: &'r mut ProxyDraft,
    pub(super) args: &'r mut Args<'a>,
    /// The word of the action.
    pub(super) word: &'a Word,
    pub(super) set: Sets,
    /// Where its expressions are evaluated.
    pub(super) places: Places,
    /// What was being read, for messages.
    pub(super) context: String,
}

/// Reads an action and its condition, and adds the rule to its set.
pub(super) fn rule(draft: &mut ProxyDraft, args: &mut Args<'_>, set: Sets) {
    let at = place(draft, set);
    if let Some((action, name)) = action_of(draft, args, set, at) {
        finish(draft, args, set, action, &name, at);
    }
}

/// `stats http-request ACTION [{if|unless} CONDITION]`: any action of a request, as in HAProxy.
pub(super) fn stats_rule(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let set = Sets::HTTP_REQUEST;
    let at = place(draft, set);
    let Some((action, name)) = action_of(draft, args, set, at) else {
        return;
    };
    let Some(condition) = ending(draft, args, &name, at) else {
        return;
    };
    let rules = &mut draft.settings.rules.sets.stats_http_request;
    if rules
        .last()
        .is_some_and(|before| before.condition.is_none())
    {
        let message =
            "this 'stats http-request' rule is never reached: the one before it always decides";
        args.sink
            .warning(codes::UNREACHABLE_RULE, args.head, message);
    }
    rules.push(Rule {
        action,
        condition,
        origin: args.origin.clone(),
    });
}

/// Reads the action of a rule, and what messages call it.
fn action_of(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    set: Sets,
    at: Places,
) -> Option<(Action, String)> {
    let line = args.name;
    let Some(word) = args.take() else {
        let message = format!("missing argument for '{line}': an action is expected");
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return None;
    };
    let text = word.text();
    let name = text.split_once('(').map_or(text.as_ref(), |(name, _)| name);
    let lua = text.strip_prefix("lua.").filter(|_| set != Sets::QUIC);
    let row = match (action(name), lua) {
        (Some(row), _) if row.sets.contains(set) => Some(row),
        (_, Some(_)) => None,
        (found, None) => {
            args.rest();
            unknown(word, name, found, line, set, args);
            return None;
        }
    };
    let kind = draft.kind_word();
    let kind = format!("{kind} '{}'", draft.name());
    let context = format!(
        "error detected in {kind} while parsing '{line} {}' rule",
        shown(&word.value)
    );
    let mut reading = Reading {
        draft,
        args,
        word,
        set,
        places: at,
        context,
    };
    let action = match (row, lua) {
        (Some(row), _) => (row.read)(&mut reading),
        (None, name) => Some(reading.lua(name.unwrap_or_default())),
    };
    if action.is_none() {
        args.rest();
    }
    Some((action?, format!("{line} {}", shown(&word.value))))
}

/// Reads the condition that ends a rule, if there is one.
fn ending(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    name: &str,
    at: Places,
) -> Option<Option<Condition>> {
    if let Some(unless) = polarity(args) {
        let context = format!("error detected while parsing an '{name}' condition");
        let rules = &mut draft.settings.rules;
        return condition(rules, args, unless, at, &context).map(Some);
    }
    let Some(extra) = args.take() else {
        return Some(None);
    };
    let message = format!(
        "'{name}' expects either 'if' or 'unless' followed by a condition but found '{}'.",
        shown(&extra.value)
    );
    args.alert(codes::UNEXPECTED_ARGUMENT, extra.span, message);
    args.rest();
    None
}

/// Reads the condition that ends a rule, and takes the rule.
fn finish(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    set: Sets,
    action: Action,
    name: &str,
    at: Places,
) {
    let Some(when) = ending(draft, args, name, at) else {
        return;
    };
    if set.is_http()
        && !draft
            .settings
            .needs_http
            .iter()
            .any(|(line, _)| *line == args.name)
    {
        draft.settings.needs_http.push((set.line(), args.head));
    }
    let rule = Rule {
        action,
        condition: when,
        origin: args.origin.clone(),
    };
    super::order::note(draft, args);
    unreachable(draft, args, set, name);
    let ends = rule.condition.is_none() && is_final(&rule.action);
    if ends {
        draft.settings.decided.push((set, args.head));
    }
    let sets = &mut draft.settings.rules.sets;
    let rules = match set {
        Sets::QUIC => &mut sets.quic_initial,
        Sets::CONNECTION => &mut sets.tcp_request_connection,
        Sets::SESSION => &mut sets.tcp_request_session,
        Sets::CONTENT => &mut sets.tcp_request_content,
        Sets::RESPONSE => &mut sets.tcp_response_content,
        Sets::HTTP_REQUEST => &mut sets.http_request,
        Sets::HTTP_RESPONSE => &mut sets.http_response,
        _ => &mut sets.http_after_response,
    };
    rules.push(rule);
}

/// Whether no rule of the same set is evaluated after it.
fn is_final(action: &Action) -> bool {
    matches!(
        action,
        Action::Accept
            | Action::Reject
            | Action::Close
            | Action::DropDatagram
            | Action::SendRetry
            | Action::SilentDrop { .. }
            | Action::Deny(_)
            | Action::Tarpit(_)
            | Action::Return(_)
            | Action::Auth { .. }
            | Action::UseService(_)
    )
}

fn unreachable(draft: &ProxyDraft, args: &mut Args<'_>, set: Sets, name: &str) {
    let decided = draft
        .settings
        .decided
        .iter()
        .find(|(other, _)| *other == set);
    let Some((_, before)) = decided else { return };
    let message = format!("'{name}' is never reached");
    let fault = Diagnostic::warning(codes::UNREACHABLE_RULE, args.head, message);
    let label = "this rule without a condition always decides";
    args.sink.push(fault.with_label(*before, label));
}

fn place(draft: &ProxyDraft, set: Sets) -> Places {
    let (front, back) = match set {
        Sets::QUIC | Sets::CONNECTION => (Places::FE_CONNECTION, Places::NONE),
        Sets::SESSION => (Places::FE_SESSION, Places::NONE),
        Sets::CONTENT => (Places::FE_REQUEST_CONTENT, Places::BE_REQUEST_CONTENT),
        Sets::RESPONSE => (Places::FE_RESPONSE_CONTENT, Places::BE_RESPONSE_CONTENT),
        Sets::HTTP_REQUEST => (Places::FE_REQUEST_HEADERS, Places::BE_REQUEST_HEADERS),
        _ => (Places::FE_RESPONSE_HEADERS, Places::BE_RESPONSE_HEADERS),
    };
    places(draft, front, back)
}

/// An action that this set of rules does not have.
fn unknown(
    word: &Word,
    name: &str,
    found: Option<&'static ActionRow>,
    line: &str,
    set: Sets,
    args: &mut Args<'_>,
) {
    let text = shown(name.as_bytes());
    if let Some(row) = found {
        let message = format!("'{line}' does not support the action '{text}'");
        let fault = Diagnostic::alert(codes::BAD_ACTION, word.span, message);
        let others: Vec<_> = row.sets.names().map(|name| format!("'{name}'")).collect();
        args.sink
            .push(fault.with_help(format!("it belongs to {}", others.join(", "))));
        return;
    }
    let message = format!("unknown '{line}' action '{text}'");
    let fault = Diagnostic::alert(codes::BAD_ACTION, word.span, message);
    let known = ACTIONS.iter().filter(|row| row.sets.contains(set));
    args.sink
        .push(suggest(fault, word, known.map(|row| row.name)));
}

impl<'a> Reading<'_, 'a> {
    /// Reports what is wrong at a place. Gives `None`, so that a reader can end with it.
    pub(super) fn fault<T>(&mut self, span: Span, message: impl AsRef<str>) -> Option<T> {
        self.report(WordFault::new(span, message.as_ref()))
    }

    /// Reports a mistake. Gives `None`, as [`Self::fault`] does.
    pub(super) fn report<T>(&mut self, fault: WordFault) -> Option<T> {
        let message = format!(
            "{} : {}.",
            self.context,
            fault.message.trim_end_matches('.')
        );
        let found = Diagnostic::alert(codes::BAD_ACTION, fault.span, message);
        self.args.sink.push(match fault.near {
            Some((span, near)) => {
                let title = crate::suggest::did_you_mean(&near);
                found.with_fix(span, near, title)
            }
            None => found,
        });
        None
    }

    /// The next words, as many as asked for; else the message says what is expected.
    pub(super) fn words<const N: usize>(&mut self, expects: &str) -> Option<[&'a Word; N]> {
        let mut found = Vec::with_capacity(N);
        for _ in 0..N {
            match self.args.take() {
                Some(word) => found.push(word),
                None => return self.fault(self.args.end(), expects),
            }
        }
        found.try_into().ok()
    }

    /// The value of an option.
    pub(super) fn option(&mut self, option: &Word, expects: &str) -> Option<&'a Word> {
        match self.args.take() {
            Some(word) => Some(word),
            None => self.fault(option.span, expects),
        }
    }

    /// A format in a word.
    pub(super) fn format(&mut self, word: &Word) -> Option<Format> {
        match format::parse(&word.value, self.places, false) {
            Ok(read) => {
                let context = self.expressions();
                let found = Pending::all(word, read.references, context);
                self.draft.settings.rules.references.extend(found);
                Some(read.format)
            }
            Err(fault) => self.report(WordFault::of(word, fault)),
        }
    }

    /// The next words as an expression.
    pub(super) fn expression(&mut self) -> Option<Expression> {
        let Some(word) = self.args.take() else {
            return self.fault(self.args.end(), "missing fetch method");
        };
        self.expression_from(word)
    }

    /// An expression in a word, and in those after it that are converters.
    pub(super) fn expression_from(&mut self, word: &'a Word) -> Option<Expression> {
        let context = self.expressions();
        match expression(self.args, word, context) {
            Ok((found, sources, mut references)) => {
                self.draft.settings.rules.references.append(&mut references);
                if sources.places().common(self.places).is_empty() {
                    let message = format!(
                        "fetch method '{}' extracts information from '{sources}', none of which is \
                         available here",
                        found.fetch.name
                    );
                    return self.fault(word.span, message);
                }
                Some(found)
            }
            Err(fault) => self.report(fault),
        }
    }

    /// A number, or the expression that gives it.
    pub(super) fn figure<T>(
        &mut self,
        expects: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Figure<T>> {
        let Some(word) = self.args.take() else {
            return self.fault(self.args.end(), expects);
        };
        if let Some(constant) = read(&word.text()) {
            return Some(Figure::Constant(constant));
        }
        if word.value.first().is_some_and(u8::is_ascii_digit) {
            let message = format!("invalid value '{}': {expects}", shown(&word.value));
            return self.fault(word.span, message);
        }
        self.expression_from(word).map(Figure::Expression)
    }

    /// A time.
    pub(super) fn time(&mut self, word: &Word) -> Option<Duration> {
        match value::duration(&word.text()) {
            Ok(time) => Some(time),
            Err(_) => {
                let message = format!("unexpected value '{}' for a time", shown(&word.value));
                self.fault(word.span, message)
            }
        }
    }

    /// What stands in the parentheses of the action's word, and where that starts.
    pub(super) fn inner(&self) -> Option<(&'a [u8], usize)> {
        let text = self.word.value.as_slice();
        let start = text.iter().position(|byte| *byte == b'(')? + 1;
        let inner = text.get(start..)?.strip_suffix(b")")?;
        Some((inner, start))
    }

    /// What messages call expressions of this set of rules.
    fn expressions(&self) -> &'static str {
        match self.set {
            Sets::HTTP_REQUEST => "http-request expression",
            Sets::HTTP_RESPONSE => "http-response expression",
            Sets::AFTER => "http-after-response expression",
            Sets::CONNECTION => "tcp-request connection expression",
            Sets::SESSION => "tcp-request session expression",
            Sets::CONTENT => "tcp-request content expression",
            Sets::RESPONSE => "tcp-response content expression",
            _ => "quic-initial expression",
        }
    }

    fn lua(&mut self, name: &str) -> Action {
        let mut arguments = Vec::new();
        while let Some(word) = self.args.peek() {
            if word.is("if") || word.is("unless") {
                break;
            }
            self.args.take();
            arguments.push(word.value.as_slice().into());
        }
        Action::Lua {
            name: name.into(),
            arguments,
        }
    }
}

/// Reads an expression that starts in a word; words after it that are converters belong to it.
pub(crate) fn expression<'a>(
    args: &mut Args<'a>,
    word: &'a Word,
    context: &str,
) -> Result<(Expression, sample::types::Sources, Vec<Pending>), WordFault> {
    let parsed = sample::parse(&word.value, 0, Stop::End);
    let mut parsed = parsed.map_err(|fault| WordFault::of(word, fault))?;
    let references = std::mem::take(&mut parsed.references);
    let mut found: Vec<_> = Pending::all(word, references, context).collect();
    while let Some(next) = args.peek() {
        match sample::more(&next.value, &mut parsed) {
            Ok(true) => args.take(),
            Ok(false) => break,
            Err(fault) => return Err(WordFault::of(next, fault)),
        };
        let references = std::mem::take(&mut parsed.references);
        found.extend(Pending::all(next, references, context));
    }
    Ok((parsed.expression, parsed.fetch.sources, found))
}
