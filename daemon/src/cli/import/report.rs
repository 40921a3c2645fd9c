//! What an import says: what became of every file, and of every line.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lanai_control::{CheckReport, LAYER7};
use lanai_diagnostics::Severity;
use lanai_language::layer7::{self, Idle};
use lanai_language::{codes, tree};
use serde_json::{Value, json};

use super::take::Taken;
use crate::control::render::{self, Paper};
use crate::wire::shell::Reply;

/// All there is to say.
pub(super) struct Report<'a> {
    /// The foreign files.
    pub(super) names: &'a [PathBuf],
    pub(super) taken: &'a Taken,
    pub(super) check: &'a CheckReport,
    /// Numbers of foreign files that begin with lines of no section.
    pub(super) starts: Vec<usize>,
}

/// Lines of the text by what becomes of them.
#[derive(Default)]
struct Lines {
    works: usize,
    /// Lines with their keywords, and why that they have no effect harms nobody.
    ignored: Vec<Idle>,
    /// How many more a message of the check is about.
    told_idle: usize,
    refused: usize,
}

impl Report<'_> {
    /// Whether all that the text names could be had, so that nothing would be lost.
    pub(super) fn is_whole(&self) -> bool {
        self.taken.missing.is_empty() && self.starts.is_empty()
    }

    /// The foreign files in words.
    pub(super) fn origin(&self) -> String {
        let names = self.names.iter().map(|path| path.display().to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    /// `into` is where it was written.
    pub(super) fn reply(&self, paper: Paper, into: Option<&Path>) -> Reply {
        let done = self.is_whole() && !self.check.is_refused();
        let text = || self.text(paper, into);
        paper.reply(done, text, || self.value(into))
    }

    fn lines(&self) -> Lines {
        let sources = &self.check.sources;
        let Some(file) = sources.find(LAYER7) else {
            return Lines::default();
        };
        let (mut refused, mut idle) = (BTreeSet::new(), BTreeSet::new());
        for found in self
            .check
            .diagnostics
            .iter()
            .filter(|found| found.span.file == file)
        {
            let line = sources.position(file, found.span.start).line;
            match found.severity {
                Severity::Alert => refused.insert(line),
                _ if found.code == codes::WITHOUT_EFFECT => idle.insert(line),
                _ => false,
            };
        }
        let mut ignored = layer7::without_effect(sources.bytes(file));
        ignored.retain(|idle| !refused.contains(&idle.line));
        // Those that a message is about already are counted, and not said again.
        idle.retain(|line| !refused.contains(line) && !ignored.iter().any(|it| it.line == *line));
        let tree = tree::parse(sources.bytes(file));
        let says = |line: &&tree::Line| {
            let mut tokens = tree.tokens(line).iter();
            tokens.any(|token| matches!(token.kind, tree::TokenKind::Word | tree::TokenKind::Junk))
        };
        let all = tree.all_lines().iter().filter(says).count();
        Lines {
            works: all.saturating_sub(ignored.len() + idle.len() + refused.len()),
            ignored,
            told_idle: idle.len(),
            refused: refused.len(),
        }
    }

    fn text(&self, paper: Paper, into: Option<&Path>) -> String {
        let mut out = render::check(paper, self.check).text;
        let put = |out: &mut String, line: String| {
            out.push_str(&line);
            out.push('\n');
        };
        put(&mut out, format!("\n{} from {}", LAYER7, self.origin()));
        for (from, to) in &self.taken.copied {
            let secret = self.taken.files.is_secret(to);
            let note = if secret { " (for its owner alone)" } else { "" };
            put(&mut out, format!("{to} from {}{note}", from.display()));
        }
        for (line, word, why) in &self.taken.left {
            put(
                &mut out,
                format!("line {line}: '{word}' stays as it is: {why}"),
            );
        }
        for (line, path, why) in &self.taken.missing {
            put(
                &mut out,
                format!("line {line}: {} cannot be read: {why}", path.display()),
            );
        }
        for at in &self.starts {
            let name = self
                .names
                .get(at - 1)
                .map(|path| path.display().to_string());
            let name = name.unwrap_or_default();
            put(
                &mut out,
                format!("{name} begins with lines of no section: start it with one"),
            );
        }
        let Lines {
            works,
            ignored,
            told_idle,
            refused,
        } = self.lines();
        for Idle { line, keyword, why } in &ignored {
            put(
                &mut out,
                format!("line {line}: '{keyword}' has no effect here: {why}"),
            );
        }
        let idle = ignored.len() + told_idle;
        let _ = writeln!(
            out,
            "lines: {works} work, {idle} have no effect here, {refused} are refused"
        );
        let end = match (self.is_whole(), into, self.check.is_refused()) {
            (false, ..) => "nothing was written: what is named above is needed first".to_owned(),
            (true, Some(into), false) => {
                format!(
                    "written to {}: `lanai apply` puts it into effect",
                    into.display()
                )
            }
            (true, Some(into), true) => format!(
                "written to {}: change the lines that are refused, then `lanai apply`",
                into.display()
            ),
            (true, None, true) => {
                "nothing was changed: with --into DIR it is written, so that the \
                                   lines that are refused can be changed"
                    .to_owned()
            }
            (true, None, false) => return out,
        };
        put(&mut out, end);
        out
    }

    fn value(&self, into: Option<&Path>) -> Value {
        let Lines {
            works,
            ignored,
            told_idle,
            refused,
        } = self.lines();
        let idle =
            |idle: &Idle| json!({ "line": idle.line, "word": idle.keyword, "why": idle.why });
        let named = |(line, word, why): &(u32, String, &str)| json!({ "line": line, "word": word, "why": why });
        let missing = |(line, path, why): &(u32, PathBuf, String)| json!({ "line": line, "path": path.to_string_lossy(), "why": why });
        let copied =
            |(from, to): &(PathBuf, String)| json!({ "from": from.to_string_lossy(), "to": to });
        let badly = |at: &usize| self.names.get(at - 1).map(|path| path.to_string_lossy());
        json!({
            "whole": self.is_whole(),
            "written": into.map(|path| path.to_string_lossy()),
            "lines": { "work": works, "ignored": ignored.len() + told_idle, "refused": refused },
            "ignored": ignored.iter().map(idle).collect::<Vec<_>>(),
            "files": self.taken.copied.iter().map(copied).collect::<Vec<_>>(),
            "left": self.taken.left.iter().map(named).collect::<Vec<_>>(),
            "missing": self.taken.missing.iter().map(missing).collect::<Vec<_>>(),
            "without_section": self.starts.iter().map(badly).collect::<Vec<_>>(),
            "check": render::check_value(self.check),
        })
    }
}
