//! For people: the source line with a caret under the words, then what to do.

use std::fmt::Write;

use crate::{Diagnostic, Severity, SourceMap, Span};

/// Whether terminal colours are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    #[default]
    Plain,
    /// With ANSI escape sequences.
    Ansi,
}

/// A message as a block of lines, ending in a line end.
///
/// Characters of the source that could move a terminal's cursor are replaced, tabs become spaces,
/// and a long line is cut to the part around the words.
pub fn rich(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let paint = Paint(style);
    let mut places: Vec<(Span, Option<&str>)> = vec![(diagnostic.span, None)];
    places.extend(
        diagnostic
            .labels
            .iter()
            .map(|label| (label.span, Some(label.text.as_str()))),
    );
    let last = places
        .iter()
        .map(|(span, _)| sources.position(span.file, span.start).line)
        .max()
        .unwrap_or(1);
    let gutter = last.to_string().len();

    let severity = diagnostic.severity;
    let head = format!("{}[{}]", severity.lower(), diagnostic.code);
    let mut out = format!(
        "{}: {}\n",
        paint.severity(severity, &head),
        paint.bold(&diagnostic.message)
    );
    for (span, label) in places {
        place(&mut out, sources, span, label, gutter, severity, paint);
    }
    let mut note = |word: &str, text: &str| {
        for (number, line) in text.lines().enumerate() {
            let word = if number == 0 { word } else { "     " };
            let _ = writeln!(out, "{:gutter$} {} {word} {line}", "", paint.dim("="));
        }
    };
    if let Some(fix) = &diagnostic.fix {
        note("help:", &fix.title);
    }
    if let Some(help) = &diagnostic.help {
        note("help:", help);
    }
    out
}

/// Longest part of a source line that is shown, in characters.
const WIDTH: usize = 120;

/// Characters shown before the words when a line is cut.
const BEFORE: usize = 40;

fn place(
    out: &mut String,
    sources: &SourceMap,
    span: Span,
    label: Option<&str>,
    gutter: usize,
    severity: Severity,
    paint: Paint,
) {
    let at = sources.position(span.file, span.start);
    let arrow = if label.is_some() { ":::" } else { "-->" };
    let _ = writeln!(
        out,
        "{:gutter$}{} {}:{}:{}",
        "",
        paint.dim(arrow),
        sources.name(span.file),
        at.line,
        at.column
    );
    let excerpt = Excerpt::new(sources, span, at.line);
    let bar = paint.dim("|");
    let line = format!("{:>gutter$}", at.line);
    let _ = writeln!(out, "{:gutter$} {bar}", "");
    let _ = writeln!(out, "{} {bar} {}", paint.dim(&line), excerpt.text);
    let mark = if label.is_some() { "-" } else { "^" }.repeat(excerpt.width);
    let mark = match label {
        Some(text) => paint.dim(&format!("{mark} {text}")),
        None => paint.severity(severity, &mark),
    };
    let _ = writeln!(out, "{:gutter$} {bar} {:2$}{mark}", "", "", excerpt.column);
}

/// What is shown of a source line.
struct Excerpt {
    text: String,
    /// Characters before the marked words.
    column: usize,
    /// Marked characters, at least one.
    width: usize,
}

impl Excerpt {
    fn new(sources: &SourceMap, span: Span, line: u32) -> Self {
        let whole = sources.line_span(span.file, line).unwrap_or(Span {
            end: span.start,
            ..span
        });
        let start = span.start.clamp(whole.start, whole.end);
        let end = span.end.clamp(start, whole.end);
        let part = |start, end| {
            let span = Span {
                start,
                end,
                ..whole
            };
            printable(sources.slice(span))
        };
        let mut before = part(whole.start, start);
        let mut marked = part(start, end);
        let mut after = part(end, whole.end);
        if before.len() + marked.len() + after.len() > WIDTH {
            if before.len() > BEFORE {
                before.drain(..before.len() - BEFORE);
                before.splice(0..1, ['…']);
            }
            let room = WIDTH - before.len();
            if marked.len() > room {
                marked.truncate(room - 1);
                marked.push('…');
                after.clear();
            } else if after.len() > room - marked.len() {
                after.truncate((room - marked.len()).saturating_sub(1));
                after.push('…');
            }
        }
        let text: String = before.iter().chain(&marked).chain(&after).collect();
        Self {
            text: text.trim_end().to_owned(),
            column: before.len(),
            width: marked.len().max(1),
        }
    }
}

/// Characters that take one column each.
fn printable(bytes: &[u8]) -> Vec<char> {
    let mut out = Vec::with_capacity(bytes.len().min(4 * WIDTH));
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '\t' => out.extend([' '; 4]),
            c if c.is_control() => out.push('·'),
            c => out.push(c),
        }
    }
    out
}

#[derive(Clone, Copy)]
struct Paint(Style);

impl Paint {
    fn severity(self, severity: Severity, text: &str) -> String {
        let colour = match severity {
            Severity::Alert => "1;31",
            Severity::Warning => "1;33",
            Severity::Notice | Severity::Diag => "1;36",
        };
        self.wrap(colour, text)
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    fn wrap(self, colour: &str, text: &str) -> String {
        match self.0 {
            Style::Plain => text.to_owned(),
            Style::Ansi => format!("\x1b[{colour}m{text}\x1b[0m"),
        }
    }
}

#[cfg(test)]
mod tests;
