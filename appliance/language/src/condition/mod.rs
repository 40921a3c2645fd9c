//! Conditions of `.if`, `.elif` and `-cc` (HAProxy manual, section 2.4).
//!
//! `||` binds weaker than `&&`, which binds weaker than `!`; terms are integers (zero is false),
//! predicates with arguments, and conditions in parentheses. Nothing at all is false.

mod arguments;
mod joined;
mod predicate;

use std::ops::Range;

use crate::lexer::{self, LexErrorKind, Variables};
use crate::{Environment, Facts};
use arguments::arguments;

pub(crate) use joined::Joined;
#[cfg(test)]
pub(crate) use predicate::predicates;

/// A condition that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// What is wrong, in HAProxy's words.
    pub message: String,
    /// Bytes of the condition it is about.
    pub at: Range<usize>,
}

impl std::fmt::Display for ConditionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConditionError {}

/// Evaluates the argument of `-cc`: words are cut and variables replaced first, as on an `.if` line.
///
/// # Errors
/// What HAProxy reports with exit code 2: the condition cannot be read.
pub fn evaluate(
    text: &str,
    environment: &Environment,
    facts: &Facts,
) -> Result<bool, ConditionError> {
    let variables = Variables {
        environment,
        file: "",
        line: 0,
        section: "",
    };
    let file = lanai_diagnostics::FileId::default();
    let words = lexer::words(text.as_bytes(), file, 0, Some(variables)).map_err(|error| {
        ConditionError {
            message: lex_message(error.kind).to_owned(),
            at: error.at,
        }
    })?;
    let joined = words
        .iter()
        .map(|word| word.text())
        .collect::<Vec<_>>()
        .join(" ");
    evaluate_joined(&joined, environment, facts)
}

/// Evaluates a condition whose words were already cut and joined with single spaces.
pub(crate) fn evaluate_joined(
    text: &str,
    environment: &Environment,
    facts: &Facts,
) -> Result<bool, ConditionError> {
    if text.is_empty() {
        return Ok(false);
    }
    let mut parser = Parser {
        text,
        at: 0,
        environment,
        facts,
    };
    let value = parser.any(MAX_DEPTH)?;
    parser.blanks();
    match parser.rest().chars().next() {
        None => Ok(value),
        Some(character) => Err(parser.error(
            format!("unexpected character '{character}' at the end of conditional expression"),
            parser.at,
        )),
    }
}

/// What a lexical error is called.
pub(crate) fn lex_message(kind: LexErrorKind) -> &'static str {
    match kind {
        LexErrorKind::BadHex => "truncated or invalid hexadecimal sequence",
        LexErrorKind::BadExpansion => "truncated or invalid word expansion sequence",
        LexErrorKind::BadVariable => "forbidden first char in environment variable name",
        LexErrorKind::TooLong => "line too long once variables are replaced",
        LexErrorKind::TooManyWords => "too many words",
        LexErrorKind::UnmatchedBrace => "unmatched brace in environment variable name",
        LexErrorKind::UnmatchedQuote => "unmatched quote",
        LexErrorKind::StrayCarriageReturn => "stray carriage return",
        LexErrorKind::StrayNul => "Stray NUL character",
    }
}

/// Parentheses inside one another. HAProxy has a limit of about the same effect.
const MAX_DEPTH: usize = 100;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    environment: &'a Environment,
    facts: &'a Facts,
}

impl<'a> Parser<'a> {
    /// Terms joined by `||`.
    fn any(&mut self, depth: usize) -> Result<bool, ConditionError> {
        let mut value = self.all(depth)?;
        while self.take("||") {
            value |= self.all(depth)?;
        }
        Ok(value)
    }

    /// Terms joined by `&&`.
    fn all(&mut self, depth: usize) -> Result<bool, ConditionError> {
        let mut value = self.term(depth)?;
        while self.take("&&") {
            value &= self.term(depth)?;
        }
        Ok(value)
    }

    fn term(&mut self, depth: usize) -> Result<bool, ConditionError> {
        self.blanks();
        let start = self.at;
        let mut negated = false;
        while self.take("!") {
            negated = !negated;
        }
        self.blanks();
        let value = match self.integer() {
            Some(integer) => integer,
            None if self.rest().starts_with('(') && depth > 0 => self.group(start, depth)?,
            None => self.predicate(start)?,
        };
        Ok(value != negated)
    }

    fn group(&mut self, start: usize, depth: usize) -> Result<bool, ConditionError> {
        self.at += 1;
        let value = self.any(depth - 1)?;
        if !self.take(")") {
            return Err(self.error(
                "expected ')' after conditional expression".to_owned(),
                start,
            ));
        }
        Ok(value)
    }

    fn predicate(&mut self, start: usize) -> Result<bool, ConditionError> {
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest().len());
        let name = self.rest().get(..end).unwrap_or_default();
        let Some(predicate) = predicate::find(name) else {
            return Err(self.error("unparsable conditional expression".to_owned(), start));
        };
        self.at += end;
        let (found, length) =
            arguments(self.rest(), predicate.arguments).map_err(|problem| ConditionError {
                message: format!(
                    "{} of predicate '{name}' used in conditional expression",
                    problem.message
                ),
                at: self.at + problem.at..self.at + problem.at + 1,
            })?;
        let value = (predicate.answer)(&found, self.environment, self.facts);
        let value = value.ok_or_else(|| {
            let given = found.first().map_or("", String::as_str);
            ConditionError {
                message: format!(
                    "invalid argument to conditional expression predicate '{name}': '{}'",
                    crate::value::shown(given.as_bytes())
                ),
                at: start..self.at + length,
            }
        })?;
        self.at += length;
        Ok(value)
    }

    /// A decimal, `0x` hexadecimal or `0` octal number: whether it is not zero.
    fn integer(&mut self) -> Option<bool> {
        let rest = self.rest();
        let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let hexadecimal = unsigned
            .strip_prefix("0x")
            .or_else(|| unsigned.strip_prefix("0X"))
            .filter(|digits| digits.starts_with(|c: char| c.is_ascii_hexdigit()));
        let (digits, radix) = match hexadecimal {
            Some(digits) => (digits, 16),
            None if unsigned.starts_with('0') => (unsigned, 8),
            None => (unsigned, 10),
        };
        let length = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        if length == 0 {
            return None;
        }
        let (number, after) = digits.split_at(length);
        self.at = self.text.len() - after.len();
        Some(number.bytes().any(|digit| digit != b'0'))
    }

    /// Takes an operator, with the white space around it.
    fn take(&mut self, operator: &str) -> bool {
        let rest = self.rest().trim_start_matches([' ', '\t']);
        match rest.strip_prefix(operator) {
            Some(after) => {
                self.at = self.text.len() - after.len();
                self.blanks();
                true
            }
            None => false,
        }
    }

    fn blanks(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t']);
        self.at = self.text.len() - rest.len();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, what: String, start: usize) -> ConditionError {
        ConditionError {
            message: format!("{what} '{}'", crate::value::shown(self.text.as_bytes())),
            at: start..self.text.len(),
        }
    }
}

#[cfg(test)]
mod tests;
