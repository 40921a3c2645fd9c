//! Diagnostics as a list in which each shows its line and points at the place.

use lanai_diagnostics::{Diagnostic, Severity, SourceMap};

use super::numbers::plural;

/// More than these are counted, not shown: a page of ten thousand helps nobody.
const SHOWN: usize = 100;
/// Columns of an excerpt at most, and columns kept before the place in a longer line.
const WIDTH: usize = 160;
const BEFORE: usize = 60;

/// What a check says.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// "2 alerts, 1 warning".
    pub(crate) title: String,
    /// Whether it refuses the configuration.
    pub(crate) errors: bool,
    /// The worst first, then in the order of the text.
    pub(crate) items: Vec<Finding>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// One diagnostic.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) class: &'static str,
    pub(crate) word: &'static str,
    /// `haproxy.cfg:12:5`, or the name of what it is about.
    pub(crate) place: String,
    /// Whether it is in the text that the page edits.
    pub(crate) here: bool,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) excerpt: Option<Excerpt>,
    pub(crate) labels: Vec<Label>,
    pub(crate) help: Option<String>,
}

/// A source line and what points at the place in it.
#[derive(Debug)]
pub(crate) struct Excerpt {
    pub(crate) number: String,
    /// As wide as the number.
    pub(crate) blank: String,
    pub(crate) text: String,
    pub(crate) caret: String,
}

/// Another place that belongs to it.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// The list for a page that edits the text `here` (empty: none).
pub(crate) fn findings(diagnostics: &[Diagnostic], sources: &SourceMap, here: &str) -> Findings {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|one| (one.severity, one.span));
    let number = |severity| sorted.iter().filter(|one| one.severity == severity).count();
    let alerts = number(Severity::Alert);
    let counted = [
        (alerts, "alert", "alerts"),
        (number(Severity::Warning), "warning", "warnings"),
        (
            number(Severity::Notice) + number(Severity::Diag),
            "notice",
            "notices",
        ),
    ];
    let counted = counted.into_iter().filter(|(number, ..)| *number > 0);
    let title: Vec<String> = counted
        .map(|(number, one, many)| plural(number, one, many))
        .collect();
    let items = sorted.iter().take(SHOWN);
    Findings {
        title: title.join(", "),
        errors: alerts > 0,
        items: items.map(|one| finding(one, sources, here)).collect(),
        more: sorted.len().saturating_sub(SHOWN),
    }
}

/// A list of sentences that belong to no line, all of them alerts.
pub(crate) fn refusals(sentences: impl IntoIterator<Item = (String, String)>) -> Findings {
    let items: Vec<Finding> = sentences
        .into_iter()
        .take(SHOWN)
        .map(|(place, message)| Finding {
            class: "bad",
            word: "Alert",
            place,
            here: false,
            line: 0,
            column: 0,
            code: "apply".to_owned(),
            message,
            excerpt: None,
            labels: Vec::new(),
            help: None,
        })
        .collect();
    Findings {
        title: plural(items.len(), "alert", "alerts"),
        errors: !items.is_empty(),
        items,
        more: 0,
    }
}

fn finding(one: &Diagnostic, sources: &SourceMap, here: &str) -> Finding {
    let (class, word) = match one.severity {
        Severity::Alert => ("bad", "Alert"),
        Severity::Warning => ("warn", "Warning"),
        Severity::Notice => ("", "Notice"),
        Severity::Diag => ("", "Diag"),
    };
    let start = sources.position(one.span.file, one.span.start);
    let end = sources.position(one.span.file, one.span.end);
    let file = sources.name(one.span.file);
    let mut message = one.message.clone();
    if let Some(fix) = &one.fix {
        message = format!("{message}; {}", fix.title);
    }
    let line = String::from_utf8_lossy(sources.line_text(one.span.file, start.line));
    let until = if end.line == start.line {
        index(end.column)
    } else {
        usize::MAX
    };
    let labels = one.labels.iter().map(|label| Label {
        place: place(sources, label.span.file, label.span.start),
        text: label.text.clone(),
    });
    Finding {
        class,
        word,
        place: place(sources, one.span.file, one.span.start),
        here: *file == *here,
        line: start.line,
        column: start.column,
        code: one.code.to_string(),
        message,
        excerpt: excerpt(&line, start.line, index(start.column), until),
        labels: labels.collect(),
        help: one.help.clone(),
    }
}

fn place(sources: &SourceMap, file: lanai_diagnostics::FileId, offset: u32) -> String {
    let at = sources.position(file, offset);
    format!("{}:{}:{}", sources.name(file), at.line, at.column)
}

/// `from` and `until` are columns, counted from 1; `until` is the one after the last.
fn excerpt(line: &str, number: u32, from: usize, until: usize) -> Option<Excerpt> {
    let characters: Vec<char> = line.chars().collect();
    if characters.is_empty() && from <= 1 {
        return None;
    }
    let from = from.saturating_sub(1).min(characters.len());
    let until = until
        .saturating_sub(1)
        .min(characters.len())
        .max(from.saturating_add(1));
    let skipped = if characters.len() > WIDTH {
        from.saturating_sub(BEFORE)
    } else {
        0
    };
    let shown = characters.iter().skip(skipped).take(WIDTH);
    // A tab is shown as one column, so that the caret stands below its place.
    let visible = |c: &char| if c.is_control() { ' ' } else { *c };
    let text: String = shown.map(visible).collect();
    let carets = (until - from)
        .min(WIDTH.saturating_sub(from - skipped))
        .max(1);
    let number = number.to_string();
    Some(Excerpt {
        blank: " ".repeat(number.len()),
        number,
        text,
        caret: format!("{}{}", " ".repeat(from - skipped), "^".repeat(carets)),
    })
}

fn index(column: u32) -> usize {
    usize::try_from(column).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use lanai_diagnostics::{Code, Span};

    use super::*;

    #[test]
    fn the_caret_stands_below_the_words() {
        let mut sources = SourceMap::new();
        let text = "frontend www\n\tbind *:80 nmae x\n";
        let id = sources.add("haproxy.cfg", text.as_bytes());
        let at = text.find("nmae").unwrap();
        let diagnostics = [
            Diagnostic::notice(Code("L001"), Span::new(id, 0, 1), "later"),
            Diagnostic::alert(
                Code("K001"),
                Span::new(id, at, at + 4),
                "unknown keyword 'nmae'",
            )
            .with_fix(
                Span::new(id, at, at + 4),
                "name",
                "did you mean 'name' maybe ?",
            )
            .with_help("see the manual"),
        ];
        let found = findings(&diagnostics, &sources, "haproxy.cfg");
        assert_eq!(found.title, "1 alert, 1 notice");
        assert!(found.errors);
        let first = &found.items[0];
        assert_eq!(first.place, "haproxy.cfg:2:12");
        assert_eq!((first.line, first.column, first.here), (2, 12, true));
        assert_eq!(
            first.message,
            "unknown keyword 'nmae'; did you mean 'name' maybe ?"
        );
        let excerpt = first.excerpt.as_ref().unwrap();
        assert_eq!(excerpt.text, " bind *:80 nmae x");
        assert_eq!(excerpt.caret, "           ^^^^");
    }

    #[test]
    fn long_lines_and_odd_spans_stay_small() {
        let long = "x".repeat(100_000);
        let shown = excerpt(&long, 1, 50_000, usize::MAX).unwrap();
        assert!(shown.text.len() <= WIDTH && shown.caret.len() <= WIDTH);
        assert_eq!(shown.caret.find('^'), Some(BEFORE));
        assert!(excerpt("", 1, 1, 1).is_none());
        assert_eq!(excerpt("ab", 1, 99, 3).unwrap().caret, "  ^");
    }

    #[test]
    fn thousands_are_counted_not_shown() {
        let mut sources = SourceMap::new();
        let id = sources.add("haproxy.cfg", *b"x\n");
        let one = Diagnostic::alert(Code("L001"), Span::new(id, 0, 1), "no");
        let found = findings(&vec![one; 1000], &sources, "");
        assert_eq!((found.items.len(), found.more), (SHOWN, 900));
    }
}
