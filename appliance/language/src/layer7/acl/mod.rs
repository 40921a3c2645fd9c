//! ACLs and conditions (HAProxy manual, sections 7.1, 7.2 and 7.4).

mod condition;
pub(crate) mod criteria;
pub(crate) mod pattern;
pub(crate) mod predefined;
pub(crate) mod regex;
pub(crate) mod test;

use std::collections::HashMap;
use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{Acl, Test};

use super::args::Args;
use super::rules::{Pending, Rules};
use super::sample::Fault;
use super::sample::types::{Places, Sources};
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::{invalid_name_character, shown};
use crate::{codes, suggest};

pub(crate) use condition::{condition, polarity};

/// ACLs of one section.
#[derive(Clone, Default)]
pub(crate) struct Acls {
    list: Vec<Entry>,
    /// Those that this section's own lines may name: not those of its `defaults`.
    names: HashMap<Arc<str>, usize>,
}

#[derive(Clone)]
struct Entry {
    name: Arc<str>,
    tests: Vec<Arc<Test>>,
    reach: Reach,
}

/// What a test, or all tests of an ACL, draw on.
#[derive(Clone, Copy, Debug)]
struct Reach {
    sources: Sources,
    places: Places,
    /// The last one's fetch or criterion.
    keyword: &'static str,
}

/// A test as read.
struct Read {
    test: Arc<Test>,
    reach: Reach,
    references: Vec<Pending>,
}

impl Acls {
    /// Those of a `defaults` section stay with the rules it hands on, and cannot be named any more.
    pub(crate) fn inherited(&self) -> Self {
        Self {
            list: self.list.clone(),
            names: HashMap::new(),
        }
    }

    /// The ACLs that rules refer to by their places.
    pub(crate) fn finish(self) -> Vec<Acl> {
        self.list
            .into_iter()
            .map(|entry| Acl {
                name: entry.name,
                tests: entry.tests,
            })
            .collect()
    }

    /// Names this section's own lines may use.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Own names, with the nearest to an unknown one to be offered.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    fn add(&mut self, name: &Word, read: Read) {
        let text: Arc<str> = name.text().into();
        if let Some(entry) = self.names.get(&text).and_then(|at| self.list.get_mut(*at)) {
            entry.reach = Reach {
                sources: entry.reach.sources.and(read.reach.sources),
                places: entry.reach.places.and(read.reach.places),
                ..read.reach
            };
            entry.tests.push(read.test);
            return;
        }
        self.names.insert(text.clone(), self.list.len());
        self.list.push(Entry {
            name: text,
            tests: vec![read.test],
            reach: read.reach,
        });
    }
}

/// `acl NAME CRITERION [FLAGS] [--] PATTERNS...`
pub(super) fn line(rules: &mut Rules, args: &mut Args<'_>) {
    let Some(name) = args.require("a name and a criterion") else {
        return;
    };
    if let Some(wrong) = invalid_name_character(&name.text()) {
        let message = format!(
            "character '{}' is not permitted in acl name '{}'.",
            wrong.escape_debug(),
            shown(&name.value)
        );
        args.alert(codes::BAD_NAME, name.span, message);
    }
    if name.value.eq_ignore_ascii_case(b"or") {
        let text = shown(&name.value);
        let message = format!(
            "acl name '{text}' will never match. 'or' is used to express a logical disjunction \
             within a condition."
        );
        args.alert(codes::BAD_NAME, name.span, message);
    }
    let words = args.rest();
    let context = format!("error detected while parsing ACL '{}'", shown(&name.value));
    let read = test::test(words, name.span, args.origin, args.sink);
    let Some(mut read) = read
        .map_err(|fault| report(fault, &context, args.sink))
        .ok()
    else {
        return;
    };
    suspicious_space(name, words, args.sink);
    rules.references.append(&mut read.references);
    rules.acls.add(name, read);
}

/// What is wrong, with the words it is about.
#[derive(Debug)]
pub(crate) struct WordFault {
    pub(crate) span: Span,
    pub(crate) message: String,
    /// What was likely meant, and the words it would stand for.
    pub(crate) near: Option<(Span, String)>,
}

impl WordFault {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            near: None,
        }
    }

    /// A mistake in the text of a word.
    pub(crate) fn of(word: &Word, fault: Fault) -> Self {
        let length = word.value.len();
        let at = fault.at.start.min(length)..fault.at.end.min(length);
        let span = match at.is_empty() {
            true => word.span,
            false => word.span_of(at),
        };
        Self {
            span,
            message: fault.message,
            near: fault.near.map(|near| (span, near.to_owned())),
        }
    }
}

/// Reports a mistake, with what was being read before it.
pub(crate) fn report(fault: WordFault, context: &str, sink: &mut Sink) {
    let message = format!("{context} : {}.", fault.message.trim_end_matches('.'));
    let found = Diagnostic::alert(codes::BAD_EXPRESSION, fault.span, message);
    sink.push(match fault.near {
        Some((span, near)) => {
            let title = suggest::did_you_mean(&near);
            found.with_fix(span, near, title)
        }
        None => found,
    });
}

/// A parenthesis that stands alone after a criterion was likely meant for its arguments.
fn suspicious_space(name: &Word, words: &[Word], sink: &mut Sink) {
    let [criterion, pattern, ..] = words else {
        return;
    };
    if pattern.value.first() != Some(&b'(') || criterion.value.contains(&b'(') {
        return;
    }
    let message = format!(
        "parsing acl '{}' : matching '{}' for pattern '{}' is likely a mistake",
        shown(&name.value),
        shown(&criterion.value),
        shown(&pattern.value)
    );
    let fault = Diagnostic::warning(codes::PART_WITHOUT_EFFECT, pattern.span, message);
    sink.push(fault.with_help(
        "an argument stands right after its criterion, without a space; if the parenthesis is \
         part of the pattern, write '--' before it",
    ));
}

#[cfg(test)]
mod tests;
