use super::*;
use crate::Code;

fn sources(text: &str) -> (SourceMap, crate::FileId) {
    let mut sources = SourceMap::new();
    let id = sources.add("haproxy.cfg", text.as_bytes());
    (sources, id)
}

#[test]
fn shows_the_line_a_caret_and_help() {
    let (sources, file) = sources("global\n\tmaxconnn 5\n");
    let span = Span::new(file, 8, 16);
    let diagnostic = Diagnostic::alert(Code("K001"), span, "unknown keyword 'maxconnn'").with_fix(
        span,
        "maxconn",
        "did you mean 'maxconn' maybe ?",
    );
    assert_eq!(
        rich(&diagnostic, &sources, Style::Plain),
        "\
alert[K001]: unknown keyword 'maxconnn'
 --> haproxy.cfg:2:2
  |
2 |     maxconnn 5
  |     ^^^^^^^^
  = help: did you mean 'maxconn' maybe ?
"
    );
}

#[test]
fn labels_follow_with_their_text() {
    let (sources, file) = sources("one\ntwo\n");
    let diagnostic = Diagnostic::warning(Code("S001"), Span::new(file, 4, 7), "again")
        .with_label(Span::new(file, 0, 3), "first here")
        .with_help("remove one\nof them");
    assert_eq!(
        rich(&diagnostic, &sources, Style::Plain),
        "\
warning[S001]: again
 --> haproxy.cfg:2:1
  |
2 | two
  | ^^^
 ::: haproxy.cfg:1:1
  |
1 | one
  | --- first here
  = help: remove one
  =       of them
"
    );
}

#[test]
fn long_lines_are_cut_around_the_words() {
    let text = format!("{}BAD{}", "a".repeat(500), "z".repeat(500));
    let (sources, file) = sources(&text);
    let diagnostic = Diagnostic::alert(Code("K001"), Span::new(file, 500, 503), "m");
    let shown = rich(&diagnostic, &sources, Style::Plain);
    let line = shown.lines().nth(3).expect("the source line");
    assert_eq!(line.chars().count(), "1 | ".len() + WIDTH);
    let caret = shown.lines().nth(4).expect("the caret line");
    let column = caret.find('^').expect("a caret");
    let under: String = line.chars().skip(column).take(3).collect();
    assert_eq!(under, "BAD");
}

#[test]
fn a_terminal_is_safe_from_the_source() {
    let (sources, file) = sources("\x1b[2J bad\n");
    let diagnostic = Diagnostic::alert(Code("K001"), Span::new(file, 5, 8), "m");
    assert!(!rich(&diagnostic, &sources, Style::Plain).contains('\x1b'));
    assert!(rich(&diagnostic, &sources, Style::Ansi).contains("\x1b[1;31m"));
}

#[test]
fn spans_that_fit_nowhere_do_no_harm() {
    let (sources, file) = sources("");
    for span in [
        Span::new(file, 7, 3),
        Span::new(crate::FileId(9), 1, 2),
        Span::new(file, 0, 0),
    ] {
        let diagnostic = Diagnostic::alert(Code("K001"), span, "m");
        assert!(rich(&diagnostic, &sources, Style::Plain).contains('^'));
    }
}
