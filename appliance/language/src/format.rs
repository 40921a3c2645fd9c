//! A text in its usual shape, for those who ask for it (`lanai fmt`).
//!
//! Sections start at the left, their lines four spaces in, one space stands between words and two
//! before a comment, one empty line at most between lines and one above each section. Words stay as
//! they are written, comments and lines stay in their order, and a line that cannot be read is not
//! touched. Comments and directives at the left stay there: banners are, and so are lines that were
//! commented out.
//!
//! Invariants: what a text means does not change; formatting again changes nothing.

use crate::tree::{self, Dialect, Line, TokenKind, Tree};

/// The text in its usual shape.
pub fn format(bytes: &[u8], dialect: Dialect) -> Vec<u8> {
    let tree = tree::parse_as(bytes, dialect);
    let mut out = Vec::with_capacity(bytes.len());
    let mut above = Above::Nothing;
    for section in tree.sections() {
        let has_head = section.keyword.is_some();
        for (at, line) in tree.lines(section).iter().enumerate() {
            let head = has_head && at == 0;
            let tokens = tree.tokens(line);
            let junk = tokens.iter().any(|token| token.kind == TokenKind::Junk);
            let shown = match junk {
                // As it is, line end and all: carriage returns before that are a part of it.
                true => tokens
                    .iter()
                    .flat_map(|token| tree.bytes(token.range.clone()).to_vec())
                    .collect(),
                false => shape(&tree, line, head, dialect),
            };
            if shown.is_empty() {
                if above != Above::Nothing {
                    above = Above::Empty;
                }
                continue;
            }
            let comment = shown.starts_with(b"#") || shown.trim_ascii_start().starts_with(b"#");
            // A comment directly above a section is likely its own.
            let apart = head && above == Above::Words;
            if above == Above::Empty || apart {
                out.push(b'\n');
            }
            out.extend_from_slice(&shown);
            if !junk {
                out.push(b'\n');
            }
            above = if comment {
                Above::Comment
            } else {
                Above::Words
            };
        }
    }
    out
}

/// What the line above is.
#[derive(Clone, Copy, PartialEq)]
enum Above {
    /// There is none.
    Nothing,
    Empty,
    Comment,
    Words,
}

/// A line without its end, empty if nothing is on it.
fn shape(tree: &Tree, line: &Line, head: bool, dialect: Dialect) -> Vec<u8> {
    let tokens = tree.tokens(line);
    let mut out = Vec::new();
    let indented = tokens
        .first()
        .is_some_and(|token| token.kind == TokenKind::Blank);
    let said = tokens
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Comment));
    for (at, token) in said.enumerate() {
        let bytes = tree.bytes(token.range.clone());
        let comment = token.kind == TokenKind::Comment;
        let directive = dialect == Dialect::Layer7 && bytes.starts_with(b".");
        let before: &[u8] = match (at, comment) {
            // A backslash that stands for itself before a tab would make a space a part of its word.
            _ if out.ends_with(b"\\") => b"\t",
            (0, true) if indented => b"    ",
            (0, true) => b"",
            (0, false) if head || directive => b"",
            (0, false) => b"    ",
            (_, true) => b"  ",
            (_, false) => b" ",
        };
        out.extend_from_slice(before);
        out.extend_from_slice(if comment {
            bytes.trim_ascii_end()
        } else {
            bytes
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Environment, Facts, layer7};

    fn shaped(text: &str) -> String {
        String::from_utf8(format(text.as_bytes(), Dialect::Layer7)).unwrap()
    }

    #[test]
    fn lines_get_their_usual_shape() {
        assert_eq!(
            shaped(
                "\n\n# The site.  \r\nglobal\r\n\tmaxconn   10 #many\n\n\n\n   # why\n#daemon\nfrontend  f\n\
                 bind :80\n  .if defined(X)\n mode http\n.endif\nbackend b\n server s \"a b\" broken \"\n\n"
            ),
            "# The site.\nglobal\n    maxconn 10  #many\n\n    # why\n#daemon\nfrontend f\n    bind :80\n\
             .if defined(X)\n    mode http\n.endif\n\nbackend b\n server s \"a b\" broken \"\n"
        );
    }

    #[test]
    fn words_stay_as_they_are_written() {
        let text = "backend b\n    log-format \"%ci  %cp\" a\\ b 'c  d'\n";
        assert_eq!(shaped(text), text);
        assert_eq!(shaped(""), "");
        assert_eq!(shaped("\n \n"), "");
        assert_eq!(shaped("  a\\\tb\\\t \\ # c\n"), "    a\\\tb\\\t\\   # c\n");
        for unreadable in ["  x \r\r\r", "  x \"y\r\r\n", "x 'y"] {
            assert_eq!(shaped(unreadable), unreadable);
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = "( {0,3}|\t)(#c|\\.if true|\\.endif|global|backend b|frontend f|mode  http|bind :80|\
             server s 10\\.0\\.0\\.1:80 \\\\ x|x \"y|z'|retries 3 # n {0,2})?\r?";
        let lines = proptest::collection::vec(line, 0..12);
        prop_oneof![
            lines.prop_map(|lines| lines.join("\n").into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..80),
        ]
    }

    /// Every line's words, values and all, in their order.
    fn said(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let tree = tree::parse(bytes);
        let words = |line: &Line| -> Vec<Vec<u8>> {
            let tokens = tree.tokens(line).iter();
            let kinds = [TokenKind::Word, TokenKind::Junk, TokenKind::Comment];
            tokens
                .filter(|token| kinds.contains(&token.kind))
                .map(|token| tree.bytes(token.range.clone()).trim_ascii_end().to_vec())
                .collect()
        };
        let lines = tree.all_lines().iter().map(words);
        lines.filter(|words| !words.is_empty()).collect()
    }

    proptest! {
        #[test]
        fn formatting_again_changes_nothing(text in text(), services in any::<bool>()) {
            let dialect = if services { Dialect::Services } else { Dialect::Layer7 };
            let once = format(&text, dialect);
            prop_assert_eq!(format(&once, dialect), once);
        }

        #[test]
        fn the_same_is_said(text in text()) {
            prop_assert_eq!(said(&format(&text, Dialect::Layer7)), said(&text));
        }

        #[test]
        fn the_same_is_meant(text in text()) {
            let read = |bytes: &[u8]| {
                let mut sources = lanai_diagnostics::SourceMap::new();
                let id = sources.add("x.cfg", bytes);
                let outcome = layer7::read(&sources, &[id], &Environment::new(), &Facts::default());
                let names = outcome.value.map(|config| {
                    let proxies = config.proxies.iter();
                    proxies.map(|proxy| (proxy.name.clone(), proxy.servers.len())).collect::<Vec<_>>()
                });
                let found = outcome.diagnostics.iter().filter(|found| found.code.0 != "T002");
                (names.is_some(), names, found.map(|found| found.code).collect::<Vec<_>>())
            };
            // A text whose last line is unfinished is refused, and finished by formatting.
            let text = [text.as_slice(), b"\n"].concat();
            let (before, after) = (read(&text), read(&format(&text, Dialect::Layer7)));
            prop_assert_eq!(before, after);
        }
    }
}
