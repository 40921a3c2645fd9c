//! HAProxy's message grammar, as 2.6.12 prints it (seen, not copied): a bracketed severity padded
//! to eleven columns, the process number, then `config : `.

use std::fmt::Write;

use crate::{Diagnostic, Severity, SourceMap};

/// What `-c` says when nothing is wrong, on standard output.
pub const VALID: &str = "Configuration file is valid";

/// What `-c` says before [`VALID`] when there were warnings.
pub const WARNINGS_FOUND: &str = "Warnings were found.";

/// A message as HAProxy would print it, with a line end:
/// `[ALERT]    (12) : config : parsing [haproxy.cfg:2] : unknown keyword ...`.
///
/// A fix is added to the message, help follows on continuation lines.
pub fn haproxy(diagnostic: &Diagnostic, sources: &SourceMap, pid: u32) -> String {
    let at = sources.position(diagnostic.span.file, diagnostic.span.start);
    let mut text = format!(
        "config : parsing [{}:{}] : {}",
        sources.name(diagnostic.span.file),
        at.line,
        diagnostic.message
    );
    if let Some(fix) = &diagnostic.fix {
        let _ = write!(text, "; {}", fix.title);
    }
    for label in &diagnostic.labels {
        let at = sources.position(label.span.file, label.span.start);
        let file = sources.name(label.span.file);
        let _ = write!(text, "\n   | [{file}:{}] : {}", at.line, label.text);
    }
    for line in diagnostic.help.iter().flat_map(|help| help.lines()) {
        let _ = write!(text, "\n   | {line}");
    }
    haproxy_line(diagnostic.severity, pid, &text)
}

/// One line of HAProxy's grammar with any text.
pub fn haproxy_line(severity: Severity, pid: u32, text: &str) -> String {
    let bracketed = format!("[{}]", severity.word());
    format!("{bracketed:<11}({pid}) : {text}\n")
}

/// The line that closes the messages about one file that has errors.
pub fn errors_in_file(file: &str, pid: u32) -> String {
    let text = format!("config : Error(s) found in configuration file : {file}");
    haproxy_line(Severity::Alert, pid, &text)
}

/// The very last line when a configuration is refused.
pub fn fatal_errors(pid: u32) -> String {
    haproxy_line(
        Severity::Alert,
        pid,
        "config : Fatal errors found in configuration.",
    )
}

/// What `-c` says, with exit code 2, about a configuration without anything to listen on.
pub fn will_not_start() -> &'static str {
    "Configuration file has no error but will not start (no listener) => exit(2)."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Span};

    #[test]
    fn looks_as_haproxy_2_6_prints_it() {
        let mut sources = SourceMap::new();
        let file = sources.add("x.cfg", *b"global\n maxconnn 5\n");
        let span = Span::new(file, 8, 16);
        let diagnostic = Diagnostic::alert(
            Code("K001"),
            span,
            "unknown keyword 'maxconnn' in 'global' section",
        )
        .with_fix(span, "maxconn", "did you mean 'maxconn' maybe ?");
        assert_eq!(
            haproxy(&diagnostic, &sources, 8359),
            "[ALERT]    (8359) : config : parsing [x.cfg:2] : unknown keyword 'maxconnn' in \
             'global' section; did you mean 'maxconn' maybe ?\n"
        );
        assert_eq!(
            errors_in_file("x.cfg", 8359),
            "[ALERT]    (8359) : config : Error(s) found in configuration file : x.cfg\n"
        );
        assert_eq!(
            fatal_errors(8359),
            "[ALERT]    (8359) : config : Fatal errors found in configuration.\n"
        );
    }

    #[test]
    fn pads_each_severity_alike_and_continues_help() {
        let mut sources = SourceMap::new();
        let file = sources.add("x.cfg", *b"a\nb\n");
        let diagnostic = Diagnostic::warning(Code("X001"), Span::new(file, 2, 3), "odd")
            .with_label(Span::new(file, 0, 1), "first here")
            .with_help("do this\nor that");
        assert_eq!(
            haproxy(&diagnostic, &sources, 1),
            "[WARNING]  (1) : config : parsing [x.cfg:2] : odd\n   | [x.cfg:1] : first here\n   \
             | do this\n   | or that\n"
        );
        assert_eq!(
            haproxy_line(Severity::Notice, 7, "haproxy"),
            "[NOTICE]   (7) : haproxy\n"
        );
    }
}
