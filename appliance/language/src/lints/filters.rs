//! The lines that put filters in the way of bytes (HAProxy manual, section 9).

use lanai_diagnostics::Diagnostic;

use super::book::Book;
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::suggest::{did_you_mean, nearest};

/// The filters of HAProxy 3.2.
const KNOWN: &[&str] = &[
    "bwlim-in",
    "bwlim-out",
    "cache",
    "compression",
    "fcgi-app",
    "opentracing",
    "spoe",
    "trace",
];

/// Filters that no version has, that lack what they need, or that may be there once.
pub(super) fn lines(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.proxies() {
        let mut compression = None;
        for line in section.starting("filter") {
            let Some(kind) = line.word(1) else {
                continue;
            };
            found.extend(unfit(kind, line));
            if kind.is("compression") {
                let first = *compression.get_or_insert(kind.span);
                if first != kind.span {
                    let message = "a proxy supports only one compression filter";
                    found.push(
                        Diagnostic::alert(codes::ALREADY_SPECIFIED, kind.span, message)
                            .with_label(first, "first given here"),
                    );
                }
            }
        }
    }
}

fn unfit(kind: &Word, line: &Statement) -> Option<Diagnostic> {
    let name = kind.text();
    match &*name {
        "cache" | "fcgi-app" if line.word(2).is_none() => Some(missing(
            kind,
            format!("'filter {name}' expects the name of a '{name}' section"),
        )),
        "spoe" if line.after("config").is_none() => Some(missing(
            kind,
            "'filter spoe' expects 'config' and a file".to_owned(),
        )),
        "bwlim-in" | "bwlim-out" if line.word(2).is_none() => Some(missing(
            kind,
            format!("'filter {name}' expects a name for itself"),
        )),
        "trace" => trace(line),
        known if KNOWN.contains(&known) => None,
        _ => {
            let message = format!("'filter' : unknown keyword '{name}'.");
            let fault = Diagnostic::alert(codes::BAD_WORD, kind.span, message);
            Some(match nearest(&name, KNOWN.iter().copied()) {
                Some(near) => fault.with_fix(kind.span, near, did_you_mean(near)),
                None => fault.with_help(format!("filters are {}", KNOWN.join(", "))),
            })
        }
    }
}

/// `filter trace [name <name>] [random-forwarding] [hexdump] [quiet]`; the old `random-parsing` is taken
/// as HAProxy takes it.
fn trace(line: &Statement) -> Option<Diagnostic> {
    const WORDS: &[&str] = &["random-forwarding", "random-parsing", "hexdump", "quiet"];
    let mut words = line.from(2).iter();
    while let Some(word) = words.next() {
        if word.is("name") {
            if words.next().is_none() {
                return Some(missing(word, "'name' expects a name".to_owned()));
            }
        } else if !WORDS.iter().any(|known| word.is(known)) {
            let message = format!("'filter trace' : unknown keyword '{}'.", word.text());
            return Some(Diagnostic::alert(codes::BAD_WORD, word.span, message));
        }
    }
    None
}

fn missing(at: &Word, message: String) -> Diagnostic {
    Diagnostic::alert(codes::MISSING_ARGUMENT, at.span, message)
}
