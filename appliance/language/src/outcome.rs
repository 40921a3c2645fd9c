use lanai_diagnostics::{Code, Diagnostic, Severity, Span};

use crate::codes;
use crate::files::FileWord;

/// A value, or every reason why there is none.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// There is a value if and only if no diagnostic is an [`Severity::Alert`].
    pub value: Option<T>,
    /// All that was found, in the order of the text as far as each stage knows it.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Outcome<T> {
    /// What is wrong with the text: HAProxy would refuse it too.
    pub fn mistakes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.alerts()
            .filter(|found| found.code != codes::NOT_SUPPORTED_YET)
    }

    /// What HAProxy takes and this version cannot run: no mistake of who wrote the text.
    pub fn not_run(&self) -> impl Iterator<Item = &Diagnostic> {
        self.alerts()
            .filter(|found| found.code == codes::NOT_SUPPORTED_YET)
    }

    fn alerts(&self) -> impl Iterator<Item = &Diagnostic> {
        let all = self.diagnostics.iter();
        all.filter(|found| found.severity == Severity::Alert)
    }
}

/// Alerts that are reported for one reading. Past that, a text is not a configuration at all.
pub(crate) const MAX_ALERTS: usize = 1000;

/// Warnings and notices that are kept of one reading.
const MAX_OTHERS: usize = 1000;

/// Where the stages leave what they find.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    diagnostics: Vec<Diagnostic>,
    alerts: usize,
    files: Vec<FileWord>,
}

impl Sink {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity != Severity::Alert {
            if !self.deaf() {
                self.diagnostics.push(diagnostic);
            }
            return;
        }
        if self.full() {
            return;
        }
        let span = diagnostic.span;
        self.alerts += 1;
        self.diagnostics.push(diagnostic);
        if self.full() {
            self.alerts += 1;
            self.diagnostics.push(Diagnostic::alert(
                codes::TOO_MANY_ERRORS,
                span,
                format!("too many fatal errors ({MAX_ALERTS}), stopping now."),
            ));
        }
    }

    pub(crate) fn alert(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::alert(code, span, message));
    }

    pub(crate) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::warning(code, span, message));
    }

    /// Notes a file that is named.
    pub(crate) fn file(&mut self, file: FileWord) {
        self.files.push(file);
    }

    /// The files that were named.
    pub(crate) fn take_files(&mut self) -> Vec<FileWord> {
        std::mem::take(&mut self.files)
    }

    /// Whether nothing more is taken.
    pub(crate) fn full(&self) -> bool {
        self.alerts >= MAX_ALERTS
    }

    /// Whether no more warnings and notices are taken: what takes time to word need not be worded.
    pub(crate) fn deaf(&self) -> bool {
        self.diagnostics.len() - self.alerts >= MAX_OTHERS
    }

    /// How many alerts were found.
    pub(crate) fn alerts(&self) -> usize {
        self.alerts
    }

    /// Whether an alert was found.
    pub(crate) fn refused(&self) -> bool {
        self.alerts > 0
    }

    /// Whether an alert was found that is a mistake of who wrote the text.
    pub(crate) fn mistaken(&self) -> bool {
        self.diagnostics.iter().any(|found| {
            found.severity == Severity::Alert && found.code != codes::NOT_SUPPORTED_YET
        })
    }

    /// The value counts only if no alert was found.
    pub(crate) fn outcome<T>(mut self, value: T) -> Outcome<T> {
        self.diagnostics.sort_by_key(|found| {
            let span = found.span;
            (span.file, span.start)
        });
        Outcome {
            value: (self.alerts == 0).then_some(value),
            diagnostics: self.diagnostics,
        }
    }
}
