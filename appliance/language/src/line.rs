//! Lines that count, one after the other: words cut, variables replaced, conditional blocks
//! decided (HAProxy manual, sections 2.2 to 2.4).

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, FileId, Severity, SourceMap, Span};
use lanai_model::Origin;

use crate::condition::{Joined, evaluate_joined, lex_message};
use crate::lexer::{self, LexErrorKind, Variables, Word};
use crate::outcome::Sink;
use crate::tree::{Dialect, RawLine, raw_lines, section_keyword};
use crate::value::shown;
use crate::{Environment, Facts, codes};

/// A line that counts, and has at least one word.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) words: Vec<Word>,
    pub(crate) origin: Origin,
    /// The section keyword that its first word is, in a Layer 7 text.
    pub(crate) section: Option<&'static str>,
}

impl Statement {
    /// The first word.
    pub(crate) fn keyword(&self) -> Option<&Word> {
        self.words.first()
    }

    /// All words.
    pub(crate) fn span(&self) -> Span {
        match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }
}

/// Longest text that is read, in bytes.
const MAX_FILE: usize = 16 << 20;

/// Bytes that variables may add to one text: a few lines can double a variable again and again.
const MAX_GROWTH: usize = 64 << 20;

/// `.if` inside one another, as in HAProxy.
const MAX_NESTED: usize = 100;

/// The lines of one text.
pub(crate) struct Lines<'a> {
    sources: &'a SourceMap,
    file: FileId,
    name: Arc<str>,
    dialect: Dialect,
    facts: &'a Facts,
    lines: Box<dyn Iterator<Item = RawLine> + 'a>,
    /// Nothing more is read.
    over: bool,
    blocks: Vec<Block>,
    /// Bytes that variables have added.
    growth: usize,
    /// For `.SECTION`.
    section: String,
}

/// An open `.if`.
struct Block {
    branch: Branch,
    after_else: bool,
    opened: Span,
}

#[derive(Clone, Copy, PartialEq)]
enum Branch {
    /// Its lines count.
    Taken,
    /// They do not, a later branch's may.
    Waiting,
    /// Neither these nor later ones.
    Over,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(
        sources: &'a SourceMap,
        file: FileId,
        dialect: Dialect,
        facts: &'a Facts,
        sink: &mut Sink,
    ) -> Self {
        let bytes = sources.bytes(file);
        let over = bytes.len() > MAX_FILE;
        if over {
            let message = format!("file too long, {MAX_FILE} bytes at most are read");
            sink.alert(codes::FILE_TOO_LONG, Span::new(file, 0, 0), message);
        }
        Self {
            sources,
            file,
            name: sources.name(file),
            dialect,
            facts,
            lines: Box::new(raw_lines(bytes)),
            over,
            blocks: Vec::new(),
            growth: 0,
            section: String::new(),
        }
    }

    /// The next line that counts; at the end, what is still open is reported.
    pub(crate) fn next(&mut self, env: &Environment, sink: &mut Sink) -> Option<Statement> {
        while !self.over
            && let Some(line) = self.lines.next()
        {
            if sink.full() {
                return None;
            }
            if let Some(statement) = self.line(&line, env, sink) {
                return Some(statement);
            }
        }
        for block in self.blocks.drain(..).rev() {
            let message = "non-terminated '.if' block.";
            sink.alert(codes::UNBALANCED_BLOCK, block.opened, message);
        }
        None
    }

    fn line(&mut self, line: &RawLine, env: &Environment, sink: &mut Sink) -> Option<Statement> {
        if self.dialect == Dialect::Layer7 && !line.ended && !line.range.is_empty() {
            let end = Span::new(self.file, line.range.end, line.range.end);
            let position = line.range.len() + 1;
            let message = format!(
                "Missing LF on last line, file might have been truncated at position {position}."
            );
            let fault = Diagnostic::alert(codes::NO_LINE_END, end, message);
            sink.push(fault.with_fix(end, "\n", "end the last line with a line feed"));
        }
        let words = self.words(line, env, sink)?;
        let first = words.first()?;
        let mut section = None;
        if self.dialect == Dialect::Layer7 {
            if first.value.starts_with(b".") {
                self.directive(&words, env, sink);
                return None;
            }
            if self.masked() {
                return None;
            }
            section = section_keyword(&first.value);
            if section.is_some() {
                self.section = words.get(1).unwrap_or(first).text().into_owned();
            }
            if let Some((at, word)) = words
                .iter()
                .enumerate()
                .find(|(_, word)| word.value.is_empty())
            {
                let message =
                    format!("argument number {at} is empty and marks the end of the argument list");
                let help = "leave it out, or give its variable a value or a default: \
                            \"${NAME-default}\"";
                let fault = Diagnostic::alert(codes::EMPTY_ARGUMENT, word.span, message);
                sink.push(fault.with_help(help));
                return None;
            }
        }
        Some(Statement {
            words,
            origin: Origin {
                file: self.name.clone(),
                line: line.number,
            },
            section,
        })
    }

    fn words(&mut self, line: &RawLine, env: &Environment, sink: &mut Sink) -> Option<Vec<Word>> {
        let text = self.sources.bytes(self.file).get(line.range.clone())?;
        let variables = (self.dialect == Dialect::Layer7).then_some(Variables {
            environment: env,
            file: &self.name,
            line: line.number,
            section: &self.section,
        });
        match lexer::words(text, self.file, line.range.start, variables) {
            Ok(words) => {
                let length: usize = words.iter().map(|word| word.value.len()).sum();
                self.growth += length.saturating_sub(line.range.len());
                if self.growth > MAX_GROWTH {
                    let span = Span::new(self.file, line.range.start, line.range.end);
                    let message = "file too long once variables are replaced";
                    sink.alert(codes::FILE_TOO_LONG, span, message);
                    self.over = true;
                    self.blocks.clear();
                    return None;
                }
                Some(words)
            }
            Err(error) => {
                let position = error.at.start + 1;
                let what = lex_message(error.kind);
                let message = match error.kind {
                    LexErrorKind::TooManyWords => {
                        format!("{what}, a line has {} at most", lexer::MAX_WORDS)
                    }
                    LexErrorKind::TooLong => what.to_owned(),
                    _ => format!("{what} at position {position}"),
                };
                let start = line.range.start;
                let span = Span::new(self.file, start + error.at.start, start + error.at.end);
                sink.alert(codes::BAD_LINE, span, message);
                None
            }
        }
    }

    /// Whether a block around this line leaves it out.
    fn masked(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.branch != Branch::Taken)
    }

    fn directive(&mut self, words: &[Word], env: &Environment, sink: &mut Sink) {
        let Some((directive, arguments)) = words.split_first() else {
            return;
        };
        match directive.text().as_ref() {
            ".if" => self.open(directive, arguments, env, sink),
            ".elif" => self.elif(directive, arguments, env, sink),
            ".else" => {
                surplus(directive, arguments.first(), sink);
                if let Some(block) = self.innermost(directive, sink) {
                    block.after_else = true;
                    block.branch = match block.branch {
                        Branch::Waiting => Branch::Taken,
                        Branch::Taken | Branch::Over => Branch::Over,
                    };
                }
            }
            ".endif" => {
                surplus(directive, arguments.first(), sink);
                if self.blocks.pop().is_none() {
                    lone(directive, sink);
                }
            }
            _ if self.masked() => {}
            ".alert" => said(Severity::Alert, directive, arguments, sink),
            ".warning" => said(Severity::Warning, directive, arguments, sink),
            ".notice" => said(Severity::Notice, directive, arguments, sink),
            ".diag" => said(Severity::Diag, directive, arguments, sink),
            other => {
                let known = [
                    ".if", ".elif", ".else", ".endif", ".alert", ".warning", ".notice", ".diag",
                ];
                let message = format!("unknown directive '{}'.", shown(other.as_bytes()));
                let fault = Diagnostic::alert(codes::UNKNOWN_DIRECTIVE, directive.span, message);
                sink.push(crate::value::suggest(fault, directive, known));
            }
        }
    }

    fn open(&mut self, directive: &Word, arguments: &[Word], env: &Environment, sink: &mut Sink) {
        if self.blocks.len() + 1 >= MAX_NESTED {
            let message = format!("too many nested '.if', max is {MAX_NESTED}.");
            sink.alert(codes::UNBALANCED_BLOCK, directive.span, message);
            // A block more than allowed is still a block for its `.endif`; past any sensible
            // depth, they are not counted any more.
            if self.blocks.len() > 10 * MAX_NESTED {
                return;
            }
        }
        let branch = match self.masked() {
            true => Branch::Over,
            false => self.decide(directive, arguments, env, sink),
        };
        self.blocks.push(Block {
            branch,
            after_else: false,
            opened: directive.span,
        });
    }

    fn elif(&mut self, directive: &Word, arguments: &[Word], env: &Environment, sink: &mut Sink) {
        let Some(block) = self.innermost(directive, sink) else {
            return;
        };
        let waiting = block.branch == Branch::Waiting;
        block.branch = Branch::Over;
        if waiting && !self.masked_outside() {
            let branch = self.decide(directive, arguments, env, sink);
            if let Some(block) = self.blocks.last_mut() {
                block.branch = branch;
            }
        }
    }

    /// Whether a block around the innermost leaves it out.
    fn masked_outside(&self) -> bool {
        let outside = self.blocks.len().saturating_sub(1);
        self.blocks
            .iter()
            .take(outside)
            .any(|block| block.branch != Branch::Taken)
    }

    /// The innermost block, for a directive that continues it.
    fn innermost(&mut self, directive: &Word, sink: &mut Sink) -> Option<&mut Block> {
        let Some(block) = self.blocks.last_mut() else {
            lone(directive, sink);
            return None;
        };
        if block.after_else {
            let message = format!("'{}' after '.else' is not permitted.", directive.text());
            let fault = Diagnostic::alert(codes::UNBALANCED_BLOCK, directive.span, message);
            sink.push(fault.with_label(block.opened, "the block starts here"));
            return None;
        }
        Some(block)
    }

    /// A condition that cannot be read leaves out all branches, so that it is the one mistake shown.
    fn decide(
        &self,
        directive: &Word,
        arguments: &[Word],
        env: &Environment,
        sink: &mut Sink,
    ) -> Branch {
        let joined = Joined::new(arguments);
        match evaluate_joined(&joined.text, env, self.facts) {
            Ok(true) => Branch::Taken,
            Ok(false) => Branch::Waiting,
            Err(error) => {
                let message = format!(
                    "{} in '{}' at position {}",
                    error.message,
                    directive.text(),
                    error.at.start + 1
                );
                let span = joined.span(error.at).unwrap_or(directive.span);
                sink.alert(codes::BAD_CONDITION, span, message);
                Branch::Over
            }
        }
    }
}

fn surplus(directive: &Word, argument: Option<&Word>, sink: &mut Sink) {
    if let Some(argument) = argument {
        let message = format!(
            "Unexpected argument '{}' for '{}'.",
            shown(&argument.value),
            directive.text()
        );
        sink.alert(codes::DIRECTIVE_ARGUMENTS, argument.span, message);
    }
}

fn lone(directive: &Word, sink: &mut Sink) {
    let message = format!("lone '{}' with no matching '.if'.", directive.text());
    sink.alert(codes::UNBALANCED_BLOCK, directive.span, message);
}

fn said(severity: Severity, directive: &Word, arguments: &[Word], sink: &mut Sink) {
    if let Some(second) = arguments.get(1) {
        let message = format!(
            "Unexpected argument '{}' for '{}'.",
            shown(&second.value),
            directive.text()
        );
        let fault = Diagnostic::alert(codes::DIRECTIVE_ARGUMENTS, second.span, message);
        sink.push(fault.with_help("a message of several words needs quotes"));
        return;
    }
    let (text, span) = match arguments.first() {
        Some(message) => (shown(&message.value), message.span),
        None => (String::new(), directive.span),
    };
    let message = format!("'{text}'.");
    sink.push(Diagnostic::new(
        codes::SAID_BY_TEXT,
        severity,
        span,
        message,
    ));
}
