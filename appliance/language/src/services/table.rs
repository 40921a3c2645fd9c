//! Rows of the Services language: what each line is, for people and for reading it.

use std::collections::HashMap;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::Common;

use super::line::Line;
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::value::{shown, suggest};

/// Who made a word of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The ALOHA appliance has it, as far as its public documentation says.
    Aloha,
    /// Ours, because what ALOHA has is not public, or it has none.
    Own,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is applied.
    Applied,
    /// It is applied where Lanai is the whole system, on its own image; elsewhere the plan says that it is
    /// not.
    OnImage,
    /// It is read, checked and kept, and nothing is done about it: why, and what there is instead.
    Ignored(&'static str),
    /// It says more about another line, and what becomes of it is that one's.
    With(&'static str),
    /// It is refused; why, and what to write instead.
    Refused(&'static str),
}

/// What a row says to people, for help, completion and `docs/services.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectiveInfo {
    /// The words it starts with.
    pub name: &'static str,
    /// What follows; empty for nothing.
    pub arguments: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Who made it.
    pub source: Source,
    /// What becomes of it.
    pub status: Status,
    /// Whether a block may have it more than once.
    pub many: bool,
}

impl DirectiveInfo {
    /// How it is written.
    pub fn usage(&self) -> String {
        match self.arguments {
            "" => self.name.to_owned(),
            arguments => format!("{} {arguments}", self.name),
        }
    }
}

/// A row, and what is done with its lines.
pub(super) struct Row<T: 'static> {
    pub(super) info: DirectiveInfo,
    /// `None` where something is wrong, which was reported.
    handler: fn(&mut T, &mut Line<'_>) -> Option<()>,
}

impl<T> Row<T> {
    const fn new(
        source: Source,
        name: &'static str,
        arguments: &'static str,
        about: &'static str,
        handler: fn(&mut T, &mut Line<'_>) -> Option<()>,
    ) -> Self {
        let info = DirectiveInfo {
            name,
            arguments,
            about,
            source,
            status: Status::Applied,
            many: false,
        };
        Self { info, handler }
    }

    /// A line of ALOHA's.
    pub(super) const fn aloha(
        name: &'static str,
        arguments: &'static str,
        about: &'static str,
        handler: fn(&mut T, &mut Line<'_>) -> Option<()>,
    ) -> Self {
        Self::new(Source::Aloha, name, arguments, about, handler)
    }

    /// A line of our own.
    pub(super) const fn own(
        name: &'static str,
        arguments: &'static str,
        about: &'static str,
        handler: fn(&mut T, &mut Line<'_>) -> Option<()>,
    ) -> Self {
        Self::new(Source::Own, name, arguments, about, handler)
    }

    /// A line of ALOHA's that is refused.
    pub(super) const fn refused(
        name: &'static str,
        arguments: &'static str,
        about: &'static str,
        why: &'static str,
    ) -> Self {
        let mut row = Self::new(Source::Aloha, name, arguments, about, |_, _| None);
        row.info.status = Status::Refused(why);
        row
    }

    /// May be given more than once.
    pub(super) const fn many(mut self) -> Self {
        self.info.many = true;
        self
    }

    /// Applied on the image, where the whole system is ours.
    pub(super) const fn on_image(mut self) -> Self {
        self.info.status = Status::OnImage;
        self
    }

    /// Says more about another line.
    pub(super) const fn with(mut self, line: &'static str) -> Self {
        self.info.status = Status::With(line);
        self
    }

    /// Read, checked and kept, and nothing is done about it.
    pub(super) const fn ignored(mut self, why: &'static str) -> Self {
        self.info.status = Status::Ignored(why);
        self
    }
}

/// What every block may say.
pub(super) const AUTOSTART: [DirectiveInfo; 2] = [
    DirectiveInfo {
        name: "autostart",
        arguments: "",
        about: "Starts the service at boot, which is so unless the block says otherwise.",
        source: Source::Aloha,
        status: Status::Applied,
        many: false,
    },
    DirectiveInfo {
        name: "no autostart",
        arguments: "",
        about: "Keeps the block and starts nothing of it.",
        source: Source::Aloha,
        status: Status::Applied,
        many: false,
    },
];

/// A block that is being read.
pub(super) struct Block<T> {
    pub(super) common: Common,
    /// What names it: the interface of a network, the kind of another service.
    pub(super) span: Span,
    pub(super) body: T,
    /// The last good line of each name.
    seen: HashMap<&'static str, Span>,
}

impl<T> Block<T> {
    pub(super) fn new(common: Common, span: Span, body: T) -> Self {
        Self {
            common,
            span,
            body,
            seen: HashMap::new(),
        }
    }

    /// Where a line is, the last of those of one name.
    pub(super) fn place_of(&self, name: &str) -> Option<Span> {
        self.seen.get(name).copied()
    }

    /// Reads a line of the block.
    pub(super) fn read(&mut self, rows: &'static [Row<T>], statement: &Statement, sink: &mut Sink) {
        if self.autostart(&statement.words, sink) {
            return;
        }
        let words = &statement.words;
        let longest = rows
            .iter()
            .filter(|row| starts_with(words, row.info.name))
            .max_by_key(|row| row.info.name.len());
        let Some(row) = longest else {
            unknown(rows, words, sink);
            return;
        };
        let mut line = Line::new(&row.info, words, &statement.origin, sink);
        if let Status::Refused(why) = row.info.status {
            let message = format!("'{}' is not supported", row.info.name);
            let fault = Diagnostic::alert(codes::SERVICE_NOT_SUPPORTED, line.head, message);
            line.sink.push(fault.with_help(why));
            return;
        }
        if !row.info.many
            && let Some(before) = self.seen.get(row.info.name).copied()
        {
            let message = format!("'{}' is given twice in one block", row.info.name);
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, line.head, message);
            line.sink.push(fault.with_label(before, "first given here"));
            return;
        }
        let done = (row.handler)(&mut self.body, &mut line);
        if done.is_some() {
            line.end();
            let (name, head) = (row.info.name, line.head);
            let first = self.seen.insert(name, head).is_none();
            // Once for each kind of line: many lines would say no more.
            if let (Status::Ignored(why), true) = (row.info.status, first) {
                line.ignored(why);
            }
        }
    }

    /// Reads `autostart` and `no autostart`.
    pub(super) fn autostart(&mut self, words: &[Word], sink: &mut Sink) -> bool {
        let (value, used) = match words {
            [word, ..] if word.is("autostart") => (true, 1),
            [no, word, ..] if no.is("no") && word.is("autostart") => (false, 2),
            _ => return false,
        };
        let (head, rest) = words.split_at(used.min(words.len()));
        let head = span_of(head);
        if let Some(extra) = rest.first() {
            unexpected(extra, "[no] autostart", sink);
        }
        if let Some(before) = self.seen.insert("autostart", head) {
            let message = "'autostart' is given twice in one block";
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, head, message);
            sink.push(fault.with_label(before, "first given here"));
        }
        self.common.autostart = value;
        true
    }
}

/// From the first of these words to the last.
pub(super) fn span_of(words: &[Word]) -> Span {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

fn starts_with(words: &[Word], name: &str) -> bool {
    let names = name.split(' ');
    words.len() >= names.clone().count() && names.zip(words).all(|(name, word)| word.is(name))
}

/// An argument that does not belong there.
pub(super) fn unexpected(word: &Word, usage: &str, sink: &mut Sink) {
    let message = format!("unexpected argument '{}'", shown(&word.value));
    let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, word.span, message);
    sink.push(fault.with_help(format!("usage: {usage}")));
}

fn unknown<T>(rows: &'static [Row<T>], words: &[Word], sink: &mut Sink) {
    let Some(first) = words.first() else {
        return;
    };
    let names = || rows.iter().map(|row| row.info.name);
    // Names of several words that start with this one, as in `ip address`.
    let seconds: Vec<&'static str> = names()
        .filter_map(|name| name.split_once(' '))
        .filter(|(word, _)| first.is(word))
        .map(|(_, second)| second)
        .collect();
    let code = codes::UNKNOWN_SERVICE_WORD;
    let fault = match (words.get(1), seconds.is_empty()) {
        (Some(second), false) => {
            let (first, second_word) = (first.text(), shown(&second.value));
            let message = format!("unknown directive '{first} {second_word}'");
            let fault = Diagnostic::alert(code, second.span, message);
            suggest(fault, second, seconds)
        }
        (None, false) => {
            let expected = listed(&seconds);
            let message = format!("'{}' expects {expected}", first.text());
            Diagnostic::alert(code, first.span, message)
        }
        (_, true) => {
            let message = format!("unknown directive '{}'", shown(&first.value));
            let fault = Diagnostic::alert(code, first.span, message);
            let firsts = names().map(|name| name.split_once(' ').map_or(name, |(word, _)| word));
            suggest(fault, first, firsts.chain(["autostart", "service"]))
        }
    };
    sink.push(match fault.fix {
        Some(_) => fault,
        None => {
            let supported = |row: &&Row<T>| !matches!(row.info.status, Status::Refused(_));
            let known = || rows.iter().filter(supported).map(|row| row.info);
            let usages: Vec<_> = known().map(|info| info.usage()).collect();
            let names: Vec<_> = known().map(|info| info.name).collect();
            match usages.len() {
                0 => fault.with_help("known here: autostart; no autostart"),
                1..=4 => fault.with_help(format!("known here: {}", usages.join("; "))),
                _ => fault.with_help(format!("known here: {}", names.join(", "))),
            }
        }
    });
}

/// `'a', 'b' or 'c'`.
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
