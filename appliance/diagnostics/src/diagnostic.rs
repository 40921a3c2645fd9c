use std::fmt;

use serde::{Serialize, Serializer};

use crate::source::Span;

/// One message about one place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name of the kind of message.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One terse sentence that stands alone, because it may be all that is shown. In HAProxy's
    /// wording where HAProxy says the same.
    pub message: String,
    /// The words it is about.
    pub span: Span,
    /// Other places that belong to it, each with what it has to do with the matter.
    pub labels: Vec<Label>,
    /// What to do next.
    pub help: Option<String>,
    /// An edit that would mend it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A message without labels, help or fix.
    pub fn new(code: Code, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            span,
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// An [`Severity::Alert`]: the configuration is refused.
    pub fn alert(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Alert, span, message)
    }

    /// A [`Severity::Warning`].
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    /// A [`Severity::Notice`].
    pub fn notice(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Notice, span, message)
    }

    /// Adds another place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers an edit. The title is read after the message, such as "did you mean 'x' maybe ?".
    #[must_use]
    pub fn with_fix(
        mut self,
        span: Span,
        replacement: impl Into<String>,
        title: impl Into<String>,
    ) -> Self {
        self.fix = Some(Fix {
            span,
            replacement: replacement.into(),
            title: title.into(),
        });
        self
    }
}

/// Stable name of a kind of message, for searching and for tests: a letter for what it is
/// about and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// How bad it is, in HAProxy's words, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is refused.
    Alert,
    /// It is taken, and probably not what was meant.
    Warning,
    /// Something to know.
    Notice,
    /// Shown in diagnostic mode only (`-dD`).
    Diag,
}

impl Severity {
    /// HAProxy's word in capitals, as it stands in brackets at the start of its messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::Warning => "WARNING",
            Self::Notice => "NOTICE",
            Self::Diag => "DIAG",
        }
    }

    /// The same word in lower case.
    pub const fn lower(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Diag => "diag",
        }
    }
}

/// Another place of a [`Diagnostic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with the matter.
    pub text: String,
}

/// An edit that would mend what a [`Diagnostic`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to take out.
    pub span: Span,
    /// What to put in its place.
    pub replacement: String,
    /// The offer in words, without a full stop.
    pub title: String,
}

impl Fix {
    /// The text with the edit done. A span that is not in the text is taken as far as it is.
    pub fn apply(&self, text: &[u8]) -> Vec<u8> {
        let index = |at: u32| usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
        let (start, end) = (index(self.span.start), index(self.span.end));
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(end.max(start)..).unwrap_or_default();
        [before, self.replacement.as_bytes(), after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileId;

    #[test]
    fn a_fix_is_an_edit() {
        let fix = |start, end| Fix {
            span: Span::new(FileId(0), start, end),
            replacement: "x".to_owned(),
            title: String::new(),
        };
        assert_eq!(fix(1, 2).apply(b"abc"), b"axc");
        assert_eq!(fix(3, 3).apply(b"abc"), b"abcx");
        assert_eq!(fix(0, 0).apply(b""), b"x");
        assert_eq!(fix(2, 1).apply(b"abc"), b"abxc");
        assert_eq!(fix(9, 12).apply(b"abc"), b"abcx");
    }
}
