//! The arguments of one keyword, taken one by one; whatever is wrong with one is reported here.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use lanai_diagnostics::{Code, Diagnostic, Severity, Span};
use lanai_model::Origin;
use lanai_model::layer7::FileKind;

use super::grammar::Grammar;
use crate::codes;
use crate::files::{Base, FileWord};
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::value::{self, AddressError, NumberError, shown};

/// What stands before a keyword.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Modifier {
    #[default]
    None,
    /// `no`
    No,
    /// `default`
    Default,
}

impl Modifier {
    /// Whether there is one.
    pub(crate) fn is_some(self) -> bool {
        self != Self::None
    }
}

/// Arguments of a keyword.
pub(crate) struct Args<'a> {
    /// The keyword, all its words.
    pub(crate) name: &'a str,
    /// Where it is.
    pub(crate) head: Span,
    /// The last word of a line's own keyword, with what stands in parentheses behind it.
    pub(crate) keyword: Option<&'a Word>,
    pub(crate) modifier: Modifier,
    pub(crate) origin: &'a Origin,
    /// What the table says of the arguments of the line's own keyword.
    pub(super) grammar: Option<&'a Grammar>,
    /// Whether the line has no effect where it stands: then nothing of it has to be run.
    pub(super) idle: bool,
    /// Starts each message: the line whose word the keyword is. Empty for a line's own keyword.
    pub(crate) context: String,
    pub(crate) sink: &'a mut Sink,
    words: &'a [Word],
    at: usize,
}

impl<'a> Args<'a> {
    pub(crate) fn new(
        name: &'a str,
        head: Span,
        words: &'a [Word],
        modifier: Modifier,
        origin: &'a Origin,
        sink: &'a mut Sink,
    ) -> Self {
        Self {
            name,
            head,
            keyword: None,
            modifier,
            origin,
            grammar: None,
            idle: false,
            context: String::new(),
            sink,
            words,
            at: 0,
        }
    }

    /// The next argument.
    pub(crate) fn take(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next argument, left where it is.
    pub(crate) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    /// Takes the next argument if it is this word.
    pub(crate) fn take_if(&mut self, keyword: &str) -> Option<&'a Word> {
        let word = self.peek().filter(|word| word.is(keyword))?;
        self.at += 1;
        Some(word)
    }

    /// Leaves out what follows an unknown word: likely its arguments, up to a word that is known.
    pub(crate) fn skip_to(&mut self, known: impl Fn(&Word) -> bool) {
        while self.peek().is_some_and(|word| !known(word)) {
            self.at += 1;
        }
    }

    /// Takes all that is left.
    pub(crate) fn rest(&mut self) -> &'a [Word] {
        let rest = self.words.get(self.at..).unwrap_or_default();
        self.at = self.words.len();
        rest
    }

    /// Checks what is left by the keyword's grammar.
    pub(super) fn check_rest(&mut self) {
        match self.grammar {
            Some(grammar) => grammar.check_line(self),
            None => self.end_of_line(),
        }
    }

    /// The next argument; `expected` ends the sentence "'KEYWORD' expects ...".
    pub(crate) fn require(&mut self, expected: &str) -> Option<&'a Word> {
        let word = self.take();
        if word.is_none() {
            let message = format!("'{}' expects {expected}.", self.name);
            self.alert(codes::MISSING_ARGUMENT, self.end(), message);
        }
        word
    }

    /// The value of a word of a `bind` or `server` line.
    pub(crate) fn value(&mut self, what: &str) -> Option<&'a Word> {
        let word = self.take();
        if word.is_none() {
            let message = format!("'{}' : missing {what}", self.name);
            self.alert(codes::MISSING_ARGUMENT, self.head, message);
        }
        word
    }

    /// Reports what is left over.
    pub(crate) fn end_of_line(&mut self) {
        if let Some(word) = self.take() {
            let message = format!(
                "'{}' cannot handle unexpected argument '{}'.",
                self.name,
                shown(&word.value)
            );
            self.alert(codes::UNEXPECTED_ARGUMENT, word.span, message);
        }
    }

    /// The only argument, as a decimal number.
    pub(crate) fn only_number(&mut self, range: RangeInclusive<u32>) -> Option<u32> {
        let word = self.require("an integer argument")?;
        self.end_of_line();
        self.number(word, range)
    }

    /// The only argument, as a time; zero is `None` ("no limit").
    pub(crate) fn only_time(&mut self) -> Option<Option<Duration>> {
        let word = self.require("an integer value (in milliseconds)")?;
        if let Some(extra) = self.take() {
            let message = format!(
                "'{}' : unexpected extra argument '{}' after value '{}'.",
                self.name,
                shown(&extra.value),
                shown(&word.value)
            );
            self.alert(codes::UNEXPECTED_ARGUMENT, extra.span, message);
        }
        let time = self.time(word)?;
        Some((!time.is_zero()).then_some(time))
    }

    /// An argument as a decimal number.
    pub(crate) fn number(&mut self, word: &Word, range: RangeInclusive<u32>) -> Option<u32> {
        let text = word.text();
        match value::integer(&text, range.clone()) {
            Ok(number) => Some(number),
            Err(error) => {
                self.bad_number(word, &word.text(), &error, Some(range));
                None
            }
        }
    }

    /// An argument as a number of bytes.
    pub(crate) fn size(&mut self, word: &Word, range: RangeInclusive<u32>) -> Option<u32> {
        match value::size(&word.text(), range.clone()) {
            Ok(size) => Some(size),
            Err(error) => {
                self.bad_number(word, &word.text(), &error, Some(range));
                None
            }
        }
    }

    /// An argument as a time.
    pub(crate) fn time(&mut self, word: &Word) -> Option<Duration> {
        match value::duration(&word.text()) {
            Ok(time) => Some(time),
            Err(error) => {
                self.bad_number(word, &word.text(), &error, None);
                None
            }
        }
    }

    /// One of several words; the message says which.
    pub(crate) fn one_of<V: Copy>(&mut self, word: &Word, values: &[(&str, V)]) -> Option<V> {
        let found = values.iter().find(|(name, _)| word.is(name));
        if let Some((_, value)) = found {
            return Some(*value);
        }
        let names: Vec<_> = values.iter().map(|(name, _)| format!("'{name}'")).collect();
        let message = format!(
            "'{}' only supports {} (got '{}')",
            self.name,
            names.join(", "),
            shown(&word.value)
        );
        let fault = Diagnostic::alert(codes::BAD_WORD, word.span, self.told(message));
        let known = values.iter().map(|(name, _)| *name);
        self.sink.push(value::suggest(fault, word, known));
        None
    }

    /// Reports an address that cannot be taken.
    pub(crate) fn bad_address(&mut self, word: &Word, error: AddressError) {
        let message = match self.context.is_empty() {
            true => format!("'{}' : {}", self.name, error.message),
            false => error.message,
        };
        let span = word.span_of(error.at);
        let code = match error.not_run {
            true => codes::NOT_SUPPORTED_YET,
            false => codes::BAD_ADDRESS,
        };
        let mut fault = Diagnostic::alert(code, span, self.told(message));
        fault.help = error.help.map(str::to_owned);
        self.sink.push(fault);
    }

    /// Notes the file that a word names.
    pub(crate) fn names_file(&mut self, kind: FileKind, base: Base, word: &Word) {
        self.sink.file(FileWord {
            kind,
            base,
            path: word.path(),
            span: word.span,
        });
    }

    pub(crate) fn alert(&mut self, code: Code, span: Span, message: impl Into<String>) {
        let message = self.told(message.into());
        self.sink.alert(code, span, message);
    }

    pub(crate) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) {
        let message = self.told(message.into());
        self.sink.warning(code, span, message);
    }

    /// Reports what HAProxy takes and this version cannot run. It is no mistake of who wrote the
    /// text, and has a code of its own.
    pub(crate) fn not_run(&mut self, span: Span, what: &str, why: &str, instead: &str) {
        if self.idle {
            return;
        }
        let message = self.told(format!("{what} cannot be run by this version: {why}"));
        let fault = Diagnostic::alert(codes::NOT_SUPPORTED_YET, span, message);
        self.sink.push(fault.with_help(instead));
    }

    /// Calls a handler for a word of this line, which takes its own arguments from what follows.
    pub(crate) fn within<T>(
        &mut self,
        word: &'a Word,
        name: &'a str,
        call: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let (outer, head) = (self.name, self.head);
        (self.name, self.head) = (name, word.span);
        let result = call(self);
        (self.name, self.head) = (outer, head);
        result
    }

    /// A message as it starts on this line.
    pub(crate) fn told(&self, message: String) -> String {
        match self.context.as_str() {
            "" => message,
            context => format!("{context} : {message}"),
        }
    }

    /// Reports a number that cannot be taken; `text` is the word, or the part of it that is the number.
    pub(super) fn bad_number(
        &mut self,
        word: &Word,
        text: &str,
        error: &NumberError,
        range: Option<RangeInclusive<u32>>,
    ) {
        let start = word.text().find(text).unwrap_or(0);
        let whole = start..start + text.len();
        let text = shown(text.as_bytes());
        let name = self.name;
        let (message, at): (String, Range<usize>) = match error {
            NumberError::NotANumber => (
                format!("'{name}' passed a missing or unparsable integer value in '{text}'"),
                whole,
            ),
            NumberError::Unexpected(wrong, at) => (
                format!(
                    "unexpected character '{}' in '{name}'",
                    wrong.escape_debug()
                ),
                start + at.start..start + at.end,
            ),
            NumberError::Overflow => (
                format!(
                    "timer overflow in argument '{text}' to '{name}' (maximum value is \
                     2147483647 ms or ~24.8 days)"
                ),
                whole,
            ),
            NumberError::OutOfRange => {
                let (least, most) = match &range {
                    Some(range) => (*range.start(), *range.end()),
                    None => (0, u32::MAX),
                };
                (
                    format!("'{name}' value must be between {least} and {most} (was {text})"),
                    whole,
                )
            }
        };
        let mut fault = Diagnostic::new(
            codes::BAD_NUMBER,
            Severity::Alert,
            word.span_of(at),
            self.told(message),
        );
        if range.is_none() && matches!(error, NumberError::Unexpected(..)) {
            fault.help = Some(
                "a time is a whole number and us, ms, s, m, h or d; ms if left out".to_owned(),
            );
        }
        self.sink.push(fault);
    }

    /// The place after the last word taken.
    pub(crate) fn end(&self) -> Span {
        let last = self
            .at
            .checked_sub(1)
            .and_then(|at| self.words.get(at))
            .map_or(self.head, |word| word.span);
        self.head.to(last)
    }
}
