//! Lines that need another mode, or another line, to have an effect.

use lanai_diagnostics::Diagnostic;

use super::book::{Book, Section};
use crate::codes;
use crate::line::Statement;

/// The nearest line that starts with these words, in a section or the `defaults` it inherits from.
fn nearest_line<'a>(book: &'a Book, section: &'a Section, words: &[&str]) -> Option<&'a Statement> {
    let mut sections = book.inherited(section);
    sections.find_map(|section| section.lines.iter().rev().find(|line| line.starts(words)))
}

/// Whether it passes bytes on: what was not written is `tcp`.
fn is_tcp(book: &Book, section: &Section) -> bool {
    let mode = nearest_line(book, section, &["mode"]).and_then(|line| line.word(1));
    mode.is_none_or(|mode| mode.is("tcp"))
}

/// Lines that only HTTP has a use for, in a proxy that passes bytes on.
pub(super) fn ignored_in_tcp(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.proxies().filter(|section| is_tcp(book, section)) {
        let called = section.called();
        let mut warn = |line: &Statement, message: String, help: &str| {
            let warning = Diagnostic::warning(codes::NEEDS_HTTP, line.span(), message);
            found.push(warning.with_help(help));
        };
        for (words, shown) in [
            (&["cookie"][..], "cookie"),
            (&["monitor-uri"], "monitor-uri"),
            (&["stats"], "'stats' statement"),
        ] {
            let own = section.lines.iter().find(|line| line.starts(words));
            if let Some(line) = own {
                let message = format!("{shown} will be ignored for {called} (needs 'mode http').");
                warn(line, message, "write 'mode http', or leave the line out");
            }
        }
        let balance = section
            .is_back()
            .then(|| nearest_line(book, section, &["balance"]));
        if let Some(line) = balance.flatten()
            && line.word(1).is_some_and(|word| {
                let text = word.text();
                matches!(text.as_ref(), "uri" | "url_param") || text.starts_with("hdr(")
            })
        {
            let message = format!("Layer 7 hash not possible for {called} (needs 'mode http').");
            warn(
                line,
                message,
                "the servers take turns, as with 'balance roundrobin'",
            );
        }
    }
}

/// Steps of checks, and no line that says to check in that way.
pub(super) fn steps_without_check(book: &Book, found: &mut Vec<Diagnostic>) {
    /// What may be said of checks without taking steps.
    const SETTINGS: [&str; 2] = ["disable-on-404", "send-state"];
    for section in book.proxies().filter(|section| section.is_back()) {
        for (steps, option) in [("http-check", "httpchk"), ("tcp-check", "tcp-check")] {
            let mut lines = section.starting(steps).filter(|line| {
                let word = line.word(1);
                word.is_none_or(|word| !SETTINGS.iter().any(|name| word.is(name)))
            });
            let Some(line) = lines.next() else {
                continue;
            };
            if book.has(section, &["option", option]) {
                continue;
            }
            let message = format!(
                "{} uses {steps} rules without 'option {option}', so the rules are ignored.",
                section.called()
            );
            let warning = Diagnostic::warning(codes::PART_WITHOUT_EFFECT, line.span(), message);
            found.push(warning.with_help(format!("add 'option {option}'")));
        }
    }
}
