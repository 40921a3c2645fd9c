//! For programs: `--json` and the web UI's editor.

use std::sync::Arc;

use serde::Serialize;

use crate::{Diagnostic, Severity, SourceMap, Span};

/// A [`Diagnostic`] with its places spelled out. Lines and columns count from 1; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JsonDiagnostic {
    /// Stable name of the kind of message.
    pub code: &'static str,
    /// `alert`, `warning`, `notice` or `diag`.
    pub severity: Severity,
    /// Name of the text.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last.
    pub end_column: u32,
    /// The message.
    pub message: String,
    /// Other places.
    pub labels: Vec<JsonLabel>,
    /// What to do next.
    pub help: Option<String>,
    /// An edit that would mend it.
    pub fix: Option<JsonFix>,
}

/// Another place of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JsonLabel {
    /// Name of the text.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last.
    pub end_column: u32,
    /// What it has to do with the matter.
    pub text: String,
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JsonFix {
    /// The offer in words.
    pub title: String,
    /// First byte to take out, counted from 0.
    pub start: u32,
    /// The byte after the last to take out.
    pub end: u32,
    /// What to put in its place.
    pub replacement: String,
}

/// Spells out one message.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> JsonDiagnostic {
    let place = Place::of(diagnostic.span, sources);
    JsonDiagnostic {
        code: diagnostic.code.0,
        severity: diagnostic.severity,
        file: place.file,
        line: place.line,
        column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        message: diagnostic.message.clone(),
        labels: diagnostic
            .labels
            .iter()
            .map(|label| {
                let place = Place::of(label.span, sources);
                JsonLabel {
                    file: place.file,
                    line: place.line,
                    column: place.column,
                    end_line: place.end_line,
                    end_column: place.end_column,
                    text: label.text.clone(),
                }
            })
            .collect(),
        help: diagnostic.help.clone(),
        fix: diagnostic.fix.as_ref().map(|fix| JsonFix {
            title: fix.title.clone(),
            start: fix.span.start,
            end: fix.span.end,
            replacement: fix.replacement.clone(),
        }),
    }
}

/// All messages as one JSON array.
pub fn to_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let all: Vec<_> = diagnostics.iter().map(|d| json(d, sources)).collect();
    serde_json::to_string(&all).expect("strings, numbers and lists always have a JSON form")
}

struct Place {
    file: Arc<str>,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

impl Place {
    fn of(span: Span, sources: &SourceMap) -> Self {
        let start = sources.position(span.file, span.start);
        let end = sources.position(span.file, span.end.max(span.start));
        Self {
            file: sources.name(span.file),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Span};

    #[test]
    fn names_every_place() {
        let mut sources = SourceMap::new();
        let file = sources.add("x.cfg", *b"one\n two\n");
        let span = Span::new(file, 5, 8);
        let diagnostic = Diagnostic::alert(Code("K001"), span, "a \"b\"")
            .with_label(Span::new(file, 0, 3), "first")
            .with_help("help")
            .with_fix(span, "three", "did you mean 'three' maybe ?");
        assert_eq!(
            to_json(&[diagnostic], &sources),
            concat!(
                r#"[{"code":"K001","severity":"alert","file":"x.cfg","line":2,"column":2,"#,
                r#""end_line":2,"end_column":5,"message":"a \"b\"","labels":[{"file":"x.cfg","#,
                r#""line":1,"column":1,"end_line":1,"end_column":4,"text":"first"}],"#,
                r#""help":"help","fix":{"title":"did you mean 'three' maybe ?","start":5,"#,
                r#""end":8,"replacement":"three"}}]"#
            )
        );
        assert_eq!(to_json(&[], &sources), "[]");
    }
}
