//! Conditions: `if` or `unless`, and ACLs.

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{AclUse, Condition, Term};

use super::predefined::{PREDEFINED, predefined};
use super::test::test;
use super::{Reach, WordFault, report};
use crate::codes;
use crate::layer7::args::Args;
use crate::layer7::rules::Rules;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::suggest::nearest;
use crate::value::shown;

/// Takes `if` or `unless`, and says whether it is the latter; `None` where neither is next.
pub(crate) fn polarity(args: &mut Args<'_>) -> Option<bool> {
    if args.take_if("if").is_some() {
        Some(false)
    } else {
        args.take_if("unless").map(|_| true)
    }
}

/// Reads the condition that the rest of a line is, after `if` or `unless`.
///
/// `context` starts messages: what was being read. `at` is where it is evaluated.
pub(crate) fn condition(
    rules: &mut Rules,
    args: &mut Args<'_>,
    unless: bool,
    at: Places,
    context: &str,
) -> Option<Condition> {
    let words = args.rest();
    let mut reading = Reading {
        any: Vec::new(),
        open: false,
        negated: false,
    };
    let mut next = 0;
    while next < words.len() {
        match reading.word(rules, args, words, next, at) {
            Ok(used) => next += used,
            Err(fault) => {
                report(fault, context, args.sink);
                return None;
            }
        }
    }
    Some(Condition {
        unless,
        any: reading.any,
    })
}

struct Reading {
    any: Vec<Vec<Term>>,
    /// Whether the last group takes more terms.
    open: bool,
    negated: bool,
}

impl Reading {
    /// Reads a word, or words in braces, and says how many they are.
    fn word(
        &mut self,
        rules: &mut Rules,
        args: &mut Args<'_>,
        words: &[Word],
        at: usize,
        places: Places,
    ) -> Result<usize, WordFault> {
        let Some(word) = words.get(at) else {
            return Ok(1);
        };
        let marks = word.value.iter().take_while(|byte| **byte == b'!').count();
        self.negated ^= marks % 2 == 1;
        let name = word.value.get(marks..).unwrap_or_default();
        if name.is_empty() {
            return Ok(1);
        }
        if name.eq_ignore_ascii_case(b"or") || name == b"||" {
            self.open = false;
            self.negated = false;
            return Ok(1);
        }
        if name == b"{" {
            let inner = words.get(at + 1..).unwrap_or_default();
            let Some(length) = inner.iter().position(|word| word.is("}")) else {
                return Err(WordFault::new(
                    word.span,
                    "missing closing '}' in condition",
                ));
            };
            let inner = inner.get(..length).unwrap_or_default();
            let mut read = test(inner, word.span, args.origin, args.sink)?;
            rules.references.append(&mut read.references);
            let span = inner.first().map_or(word.span, |first| first.span);
            anonymous_conflict(read.reach, places, span, args);
            self.push(AclUse::Inline(read.test));
            return Ok(length + 2);
        }
        let name = String::from_utf8_lossy(name);
        if let Some(&place) = rules.acls.names.get(name.as_ref()) {
            if let Some(entry) = rules.acls.list.get(place) {
                named_conflict(&entry.name.clone(), entry.reach, places, word.span, args);
            }
            self.push(AclUse::Named(place));
            return Ok(1);
        }
        let Some(read) = predefined(&name) else {
            return Err(unknown(rules, word, marks, &name));
        };
        named_conflict(&name, read.reach, places, word.span, args);
        self.push(AclUse::Inline(Arc::clone(&read.test)));
        Ok(1)
    }

    fn push(&mut self, acl: AclUse) {
        let term = Term {
            negated: std::mem::take(&mut self.negated),
            acl,
        };
        match self.any.last_mut().filter(|_| self.open) {
            Some(group) => group.push(term),
            None => self.any.push(vec![term]),
        }
        self.open = true;
    }
}

fn unknown(rules: &Rules, word: &Word, marks: usize, name: &str) -> WordFault {
    let span = word.span_of(marks..word.value.len());
    let known = rules
        .acls
        .names()
        .chain(PREDEFINED.iter().map(|row| row.name));
    let near = nearest(name, known).map(|near| (span, near.to_owned()));
    WordFault {
        near,
        ..WordFault::new(span, format!("no such ACL : '{}'", shown(name.as_bytes())))
    }
}

/// A test in braces that has nothing to look at here.
fn anonymous_conflict(reach: Reach, places: Places, span: Span, args: &mut Args<'_>) {
    if !reach.places.common(places).is_empty() {
        return;
    }
    let message = format!(
        "anonymous acl will never match because it uses keyword '{}' which is incompatible with \
         '{places}'",
        reach.keyword
    );
    conflict(message, reach, span, args);
}

fn named_conflict(name: &str, reach: Reach, places: Places, span: Span, args: &mut Args<'_>) {
    if !reach.places.common(places).is_empty() {
        return;
    }
    let message = format!(
        "acl '{name}' will never match because it only involves keywords that are incompatible \
         with '{places}'"
    );
    conflict(message, reach, span, args);
}

fn conflict(message: String, reach: Reach, span: Span, args: &mut Args<'_>) {
    let help = format!("it needs '{}', which is not available here", reach.sources);
    let fault = Diagnostic::warning(codes::NEVER_MATCHES, span, message);
    args.sink.push(fault.with_help(help));
}
