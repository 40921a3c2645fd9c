//! `# lanai: allow L012`: a warning that its author knows of.
//!
//! The comment stands at the end of the line, or alone on the line before. It names one or more codes,
//! separated by spaces or commas; anything after a further word is for people. It silences warnings and
//! notices; an alert cannot be silenced.

use lanai_diagnostics::{Code, Diagnostic, FileId, Severity, SourceMap, Span};

use crate::codes;
use crate::tree::{self, Dialect, TokenKind};

/// What starts the words.
const MARK: &[u8] = b"lanai: allow ";

/// Takes out what is silenced, and says where a comment names a code that does not exist.
pub(crate) fn apply(
    diagnostics: &mut Vec<Diagnostic>,
    sources: &SourceMap,
    files: &[FileId],
    dialect: Dialect,
) {
    let marked = marked(sources, files.iter().copied());
    retain(diagnostics, sources, &marked, dialect);
    for file in marked {
        unknown_codes(sources, file, dialect, diagnostics);
    }
}

/// Takes out what is silenced, of messages about texts whose comments were read before.
pub(crate) fn quieten(diagnostics: &mut Vec<Diagnostic>, sources: &SourceMap, dialect: Dialect) {
    let marked = marked(sources, sources.ids());
    retain(diagnostics, sources, &marked, dialect);
}

/// The texts with such a comment: most have none.
fn marked(sources: &SourceMap, files: impl Iterator<Item = FileId>) -> Vec<FileId> {
    let has_one = |file: &FileId| memchr::memmem::find(sources.bytes(*file), MARK).is_some();
    files.filter(has_one).collect()
}

fn retain(
    diagnostics: &mut Vec<Diagnostic>,
    sources: &SourceMap,
    marked: &[FileId],
    dialect: Dialect,
) {
    if marked.is_empty() {
        return;
    }
    diagnostics.retain(|found| {
        let file = found.span.file;
        found.severity == Severity::Alert
            || !marked.contains(&file)
            || !is_allowed(found, sources, dialect)
    });
}

fn is_allowed(found: &Diagnostic, sources: &SourceMap, dialect: Dialect) -> bool {
    let file = found.span.file;
    let line = sources.position(file, found.span.start).line;
    let names = |line: u32, alone: bool| {
        let comment = comment(sources, file, line, dialect);
        comment.is_some_and(|comment| {
            (comment.alone || !alone)
                && allowed(&comment.text).any(|(_, name)| is_code(name, found.code))
        })
    };
    names(line, false) || line > 1 && names(line - 1, true)
}

fn is_code(name: &str, code: Code) -> bool {
    name.eq_ignore_ascii_case(code.0)
}

struct Comment {
    text: Vec<u8>,
    start: usize,
    /// Whether nothing else is on its line.
    alone: bool,
}

fn comment(sources: &SourceMap, file: FileId, line: u32, dialect: Dialect) -> Option<Comment> {
    let span = sources.line_span(file, line)?;
    let text = sources.slice(span);
    memchr::memmem::find(text, MARK)?;
    let tree = tree::parse_as(text, dialect);
    let tokens = tree.tokens(tree.all_lines().first()?);
    let comment = tokens
        .iter()
        .find(|token| token.kind == TokenKind::Comment)?;
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    Some(Comment {
        text: tree.bytes(comment.range.clone()).to_vec(),
        start: start.saturating_add(comment.range.start),
        alone: !tokens.iter().any(|token| token.kind == TokenKind::Word),
    })
}

/// The codes that a comment names, each with its place in it.
fn allowed(comment: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    let after = memchr::memmem::find(comment, MARK).map(|at| at + MARK.len());
    let words = after.and_then(|at| Some((at, std::str::from_utf8(comment.get(at..)?).ok()?)));
    let (start, words) = words.unwrap_or_default();
    let names = words
        .split([' ', ',', '\t'])
        .scan(0, |at, name| {
            let place = *at;
            *at += name.len() + 1;
            Some((place, name))
        })
        .filter(|(_, name)| !name.is_empty())
        .take_while(|(_, name)| looks_like_a_code(name));
    names.map(move |(at, name)| (start + at, name))
}

fn looks_like_a_code(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && name.len() > 1
        && letters.all(|digit| digit.is_ascii_digit())
}

/// Where a comment allows what is no code, its author is mistaken about what is silenced.
fn unknown_codes(
    sources: &SourceMap,
    file: FileId,
    dialect: Dialect,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for at in memchr::memmem::find_iter(sources.bytes(file), MARK).take(MOST) {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let line = sources.position(file, at).line;
        let Some(comment) = comment(sources, file, line, dialect) else {
            continue;
        };
        for (place, name) in allowed(&comment.text) {
            if codes::ALL.iter().any(|code| is_code(name, *code)) {
                continue;
            }
            let start = comment.start.saturating_add(place);
            let span = Span::new(file, start, start.saturating_add(name.len()));
            let message = format!("there is no message '{name}' to allow");
            diagnostics.push(Diagnostic::warning(codes::UNKNOWN_ALLOWANCE, span, message));
        }
    }
}

/// Comments of one text whose codes are looked at.
const MOST: usize = 1_000;
