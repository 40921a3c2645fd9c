//! ACLs.

use std::collections::{HashMap, HashSet};

use lanai_diagnostics::Diagnostic;

use super::book::{Book, Section};
use crate::codes;
use crate::lexer::Word;

/// An ACL that no condition of its section asks about. Those of a `defaults` section are not handed on.
pub(super) fn unused(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.sections() {
        if !section.has_rules() && section.kind != "fcgi-app" {
            continue;
        }
        if !has_acl(section) {
            continue;
        }
        let here: HashSet<&[u8]> = used(section).collect();
        let mut told = HashSet::new();
        for name in section.starting("acl").filter_map(|line| line.word(1)) {
            if here.contains(name.value.as_slice()) || !told.insert(name.value.as_slice()) {
                continue;
            }
            let message = format!(
                "ACL '{}' of {} is never used",
                name.text(),
                section.called()
            );
            let warning = Diagnostic::warning(codes::ACL_NEVER_USED, name.span, message);
            found.push(warning.with_help("use it in a condition, or remove its lines"));
        }
    }
}

fn has_acl(section: &Section) -> bool {
    section.starting("acl").next().is_some()
}

/// Every word of a section that may be an ACL's name: conditions have many places, and a name that
/// stands anywhere is taken for used. The sample fetch `acl()` names them inside a word.
fn used(section: &Section) -> impl Iterator<Item = &[u8]> {
    let lines = section.lines.iter().filter(|line| !line.starts(&["acl"]));
    let words = lines.flat_map(|line| line.from(1)).flat_map(names);
    let own = section.starting("acl").flat_map(|line| line.from(2));
    let fetched = own
        .filter(|word| contains(&word.value, b"acl("))
        .flat_map(names);
    words.chain(fetched)
}

fn names(word: &Word) -> impl Iterator<Item = &[u8]> {
    let value = word.value.as_slice();
    let plain = value.strip_prefix(b"!").unwrap_or(value);
    let inside = contains(value, b"acl(");
    let parts = value
        .split(|byte| matches!(byte, b'(' | b')' | b',' | b'!' | b'[' | b']'))
        .filter(move |_| inside);
    std::iter::once(plain).chain(parts)
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

/// Two names for one criterion: often a line that was copied and not changed.
pub(super) fn same_criterion(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.sections() {
        let mut seen: HashMap<Vec<&[u8]>, &Word> = HashMap::new();
        for line in section.starting("acl") {
            let Some(name) = line.word(1) else {
                continue;
            };
            let criterion: Vec<&[u8]> = line.from(2).iter().map(|w| w.value.as_slice()).collect();
            let before = *seen.entry(criterion).or_insert(name);
            if before.value == name.value || line.words.len() < 3 {
                continue;
            }
            let message = format!(
                "ACL '{}' asks what ACL '{}' asks already",
                name.text(),
                before.text()
            );
            let warning = Diagnostic::warning(codes::SAME_CRITERION, line.span_from(2), message);
            found.push(
                warning
                    .with_label(before.span, "the same criterion")
                    .with_help("was the line copied, and something left to change?"),
            );
        }
    }
}
