//! Rules that say something else than was meant.

use std::collections::HashMap;

use lanai_diagnostics::Diagnostic;

use super::book::{Book, Section};
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;

/// The list of rules a line belongs to, as the words that start it, and its action.
fn rule(line: &Statement) -> Option<(&'static str, &Word)> {
    const LISTS: &[&[&str]] = &[
        &["tcp-request", "connection"],
        &["tcp-request", "session"],
        &["tcp-request", "content"],
        &["tcp-response", "content"],
        &["http-request"],
        &["http-response"],
        &["http-after-response"],
    ];
    const NAMES: &[&str] = &[
        "tcp-request connection",
        "tcp-request session",
        "tcp-request content",
        "tcp-response content",
        "http-request",
        "http-response",
        "http-after-response",
    ];
    let found = LISTS
        .iter()
        .zip(NAMES)
        .find(|(words, _)| line.starts(words));
    let (words, name) = found?;
    Some((name, line.word(words.len())?))
}

/// `deny if !a !b !c` refuses only what fails all of them; a list of demands wants `unless a b c`.
pub(super) fn all_must_fail(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.sections().iter().filter(|s| s.has_rules()) {
        let mut criteria = None;
        for line in &section.lines {
            let refuses = rule(line).is_some_and(|(_, action)| {
                ["deny", "reject", "tarpit", "silent-drop"]
                    .iter()
                    .any(|name| action.is(name))
            });
            if !refuses {
                continue;
            }
            let Some((word, terms)) = line.condition() else {
                continue;
            };
            let Some(names) = word.is("if").then(|| negated(terms)).flatten() else {
                continue;
            };
            if names.len() < 2 {
                continue;
            }
            let criteria = criteria.get_or_insert_with(|| asked(section));
            if is_alternatives(&names, criteria) {
                continue;
            }
            let message = format!(
                "this refuses only what fails all {} conditions; what passes one of them passes",
                names.len()
            );
            let span = word
                .span
                .to(terms.last().map_or(word.span, |last| last.span));
            let replacement = format!("unless {}", names.join(" "));
            let warning = Diagnostic::warning(codes::ALL_MUST_FAIL, span, message);
            found.push(
                warning
                    .with_fix(span, replacement.clone(), format!("did you mean '{replacement}' maybe ?"))
                    .with_help("'unless' refuses what fails any of them; conditions side by side are all required"),
            );
        }
    }
}

/// The names of a condition that only consists of negated ones.
fn negated(terms: &[Word]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut open = false;
    for term in terms {
        let text = term.text();
        if open {
            names.push(text.into_owned());
            open = false;
        } else if text == "!" {
            open = true;
        } else {
            let name = text.strip_prefix('!')?;
            names.push(name.to_owned());
        }
    }
    let plain = names.iter().all(|name| {
        !matches!(name.as_str(), "{" | "}" | "||" | "or") && !name.starts_with(['{', '!'])
    });
    (plain && !open).then_some(names)
}

/// What each ACL of a section asks about: its sample fetch.
fn asked(section: &Section) -> HashMap<&[u8], Vec<&[u8]>> {
    let mut criteria: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for line in section.starting("acl") {
        if let (Some(name), Some(criterion)) = (line.word(1), line.word(2)) {
            let fetch = criterion.value.split(|byte| *byte == b',').next();
            let all = criteria.entry(&name.value).or_default();
            all.push(fetch.unwrap_or_default());
        }
    }
    criteria
}

/// Whether the conditions are values of one thing, such as several networks of clients: then at most
/// one can hold, and that all fail is what is meant.
fn is_alternatives(names: &[String], criteria: &HashMap<&[u8], Vec<&[u8]>>) -> bool {
    let mut fetches = names
        .iter()
        .map(|name| match criteria.get(name.as_bytes()) {
            Some(fetches) => match fetches.split_first() {
                Some((first, rest)) if rest.iter().all(|other| other == first) => Some(*first),
                _ => None,
            },
            // ACLs that are always there: HTTP methods are alternatives.
            None => name.starts_with("METH_").then_some(b"method".as_slice()),
        });
    let first = fetches.next().flatten();
    first.is_some() && fetches.all(|fetch| fetch == first)
}
