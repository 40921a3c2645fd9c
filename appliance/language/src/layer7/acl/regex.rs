//! Mistakes in regular expressions that no dialect of Perl's takes for anything else. What a dialect
//! adds is left to the engine that compiles them.

use crate::value::shown;

/// Refuses what cannot be a regular expression.
pub(crate) fn check(text: &[u8]) -> Result<(), String> {
    match mistake(text) {
        Some((what, at)) => Err(format!(
            "regex '{}' is invalid (error={what}, erroffset={at})",
            shown(text)
        )),
        None => Ok(()),
    }
}

fn mistake(text: &[u8]) -> Option<(&'static str, usize)> {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => {
                if at + 1 >= text.len() {
                    return Some(("\\ at end of pattern", text.len()));
                }
                // `\Q...\E` quotes all between them.
                if text.get(at + 1) == Some(&b'Q') {
                    let rest = text.get(at + 2..).unwrap_or_default();
                    match rest.windows(2).position(|pair| pair == b"\\E") {
                        Some(length) => at += length + 2,
                        None => return unclosed(open, text),
                    }
                }
                at += 1;
            }
            b'[' => match class_end(text, at) {
                Some(end) => at = end,
                None => {
                    return Some(("missing terminating ] for character class", text.len()));
                }
            },
            b'(' if text.get(at + 1..at + 3) == Some(b"?#") => {
                let rest = text.get(at..).unwrap_or_default();
                match rest.iter().position(|byte| *byte == b')') {
                    Some(length) => at += length,
                    None => return Some(("missing ) after (?# comment", text.len())),
                }
            }
            b'(' => open += 1,
            b')' => match open.checked_sub(1) {
                Some(fewer) => open = fewer,
                None => return Some(("unmatched closing parenthesis", at)),
            },
            b'*' | b'+' if at == 0 => {
                return Some(("quantifier does not follow a repeatable item", 0));
            }
            _ => {}
        }
        at += 1;
    }
    unclosed(open, text)
}

fn unclosed(open: usize, text: &[u8]) -> Option<(&'static str, usize)> {
    (open > 0).then_some(("missing closing parenthesis", text.len()))
}

/// The `]` that ends a class; one that comes first is part of it.
fn class_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    if text.get(at) == Some(&b'^') {
        at += 1;
    }
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' if text.get(at + 1) == Some(&b':') => {
                let rest = text.get(at + 2..).unwrap_or_default();
                if let Some(length) = rest.windows(2).position(|pair| pair == b":]") {
                    at += length + 3;
                }
            }
            b']' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
