//! Names inside `userlist` sections.

use std::collections::{HashMap, HashSet};

use lanai_diagnostics::{Diagnostic, Span};

use super::book::Book;
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::suggest::{did_you_mean, nearest};

/// A user list, as far as its names go.
struct Userlist {
    name: String,
    users: Entries,
    groups: Entries,
}

/// Users or groups by name, and what each asks for.
#[derive(Default)]
struct Entries {
    places: HashMap<String, Span>,
    asked: Vec<Asked>,
}

/// A user's group, or a group's user.
struct Asked {
    by: String,
    name: String,
    span: Span,
}

/// Names that are given twice, of which the first one counts, and names that are not given.
pub(super) fn names(book: &Book, found: &mut Vec<Diagnostic>) {
    let mut known: HashMap<String, Span> = HashMap::new();
    let mut lists: Vec<Userlist> = Vec::new();
    for section in book.of_kind("userlist") {
        let name = section.name.text().into_owned();
        match known.get(&name) {
            Some(before) => {
                let what = format!("userlist '{name}'");
                found.push(ignored(&what, section.name.span, *before));
            }
            None => {
                known.insert(name.clone(), section.name.span);
                lists.push(Userlist {
                    name,
                    users: Entries::default(),
                    groups: Entries::default(),
                });
            }
        }
        // As in HAProxy, lines behind a name that is ignored belong to the list before.
        let Some(list) = lists.last_mut() else {
            continue;
        };
        for line in &section.lines {
            list.read(line, found);
        }
    }
    for list in &lists {
        list.check(found);
    }
}

impl Userlist {
    fn read(&mut self, line: &Statement, found: &mut Vec<Diagnostic>) {
        let (Some(keyword), Some(name)) = (line.keyword(), line.word(1)) else {
            return;
        };
        let (what, entries, option) = match keyword.value.as_slice() {
            b"user" => ("user", &mut self.users, "groups"),
            b"group" => ("group", &mut self.groups, "users"),
            _ => return,
        };
        let text = name.text();
        if let Some(before) = entries.places.get(text.as_ref()) {
            let what = format!("{what} '{text}' in userlist '{}'", self.name);
            found.push(ignored(&what, name.span, *before));
            return;
        }
        entries.places.insert(text.clone().into_owned(), name.span);
        let options = line.from(2);
        let pairs = options
            .iter()
            .step_by(2)
            .zip(options.iter().skip(1).step_by(2));
        for (_, value) in pairs.filter(|(word, _)| word.is(option)) {
            entries.asked.extend(parts(value).map(|(part, span)| Asked {
                by: text.clone().into_owned(),
                name: part,
                span,
            }));
        }
    }

    fn check(&self, found: &mut Vec<Diagnostic>) {
        for (what, entries, wanted, others) in [
            ("user", &self.users, "group", &self.groups),
            ("group", &self.groups, "user", &self.users),
        ] {
            let mut told = HashSet::new();
            for Asked { by, name, span } in &entries.asked {
                if others.places.contains_key(name) || !told.insert(name) {
                    continue;
                }
                let message = format!(
                    "userlist '{}': no such {wanted} '{name}' specified in {what} '{by}'",
                    self.name
                );
                let fault = Diagnostic::alert(codes::UNKNOWN_REFERENCE, *span, message);
                let known = others.places.keys().map(String::as_str);
                found.push(match nearest(name, known) {
                    Some(near) => fault.with_fix(*span, near, did_you_mean(near)),
                    None => fault.with_help(format!("add a line '{wanted} {name}'")),
                });
            }
        }
    }
}

/// The names of a list, each with its place.
fn parts(value: &Word) -> impl Iterator<Item = (String, Span)> + '_ {
    let mut start = 0;
    value
        .value
        .split(|byte| *byte == b',')
        .filter_map(move |part| {
            let at = start..start + part.len();
            start = at.end + 1;
            let text = String::from_utf8_lossy(part).into_owned();
            (!part.is_empty()).then(|| (text, value.span_of(at)))
        })
}

fn ignored(what: &str, span: Span, before: Span) -> Diagnostic {
    let message = format!("ignoring duplicated {what}.");
    Diagnostic::warning(codes::WITHOUT_EFFECT, span, message).with_label(before, "this one counts")
}
