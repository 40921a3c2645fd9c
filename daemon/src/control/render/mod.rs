//! Outcomes for a shell: text for people, or JSON for programs.

mod change;
mod doctor;
mod history;
mod state;

use lanai_control::CheckReport;
use lanai_diagnostics::{Severity, render};
use serde_json::{Value, json};

use crate::wire::shell::{Form, Reply};

pub(super) use change::{applied, confirmed, not_applied, plan, taken_back};
pub(super) use doctor::doctor;
pub(super) use history::{diff, login_link, revisions, users};
pub(super) use state::{part, status};

/// What an outcome is written on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paper {
    form: Form,
}

/// Colours by meaning.
#[derive(Clone, Copy, Debug)]
enum Ink {
    Good,
    Bad,
    Warning,
    Faint,
    Strong,
}

impl Paper {
    /// Paper for one form.
    pub(crate) fn new(form: Form) -> Paper {
        Paper { form }
    }

    /// A short success.
    pub(super) fn done(self, text: &str) -> Reply {
        self.reply(true, || format!("{text}\n"), || json!({ "done": text }))
    }

    /// A refusal for a reason of its own.
    pub(super) fn refused(self, reason: &str) -> Reply {
        self.reply(
            false,
            || format!("{}: {reason}\n", self.ink(Ink::Bad, "refused")),
            || json!({ "error": reason }),
        )
    }

    /// A refusal because of an error.
    pub(super) fn failed(self, error: &(dyn std::error::Error + 'static)) -> Reply {
        self.refused(&crate::chain(error))
    }

    pub(crate) fn reply(
        self,
        done: bool,
        text: impl FnOnce() -> String,
        data: impl FnOnce() -> Value,
    ) -> Reply {
        let text = match self.form {
            Form::Json => format!("{:#}\n", data()),
            Form::Plain | Form::Coloured => text(),
        };
        Reply { done, text }
    }

    fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Good => 32,
            Ink::Bad => 31,
            Ink::Warning => 33,
            Ink::Faint => 2,
            Ink::Strong => 1,
        };
        match self.form {
            Form::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
            Form::Plain | Form::Json => text.to_owned(),
        }
    }

    fn heading(self, text: &str) -> String {
        format!("{}\n", self.ink(Ink::Strong, text))
    }
}

/// A check: every message with its line, then the verdict.
pub(crate) fn check(paper: Paper, report: &CheckReport) -> Reply {
    let verdict = || match (
        report.count(Severity::Alert),
        report.count(Severity::Warning),
    ) {
        (0, 0) => paper.ink(Ink::Good, "valid"),
        (0, warnings) => paper.ink(
            Ink::Warning,
            &format!("valid, with {}", counted(warnings, "warning")),
        ),
        (alerts, _) => paper.ink(Ink::Bad, &format!("refused: {}", counted(alerts, "error"))),
    };
    paper.reply(
        !report.is_refused(),
        || format!("{}{}\n", messages(paper, report), verdict()),
        || check_value(report),
    )
}

/// The messages of a check as blocks of text.
fn messages(paper: Paper, report: &CheckReport) -> String {
    let style = match paper.form {
        Form::Coloured => render::Style::Ansi,
        Form::Plain | Form::Json => render::Style::Plain,
    };
    let blocks = report
        .diagnostics
        .iter()
        .map(|one| render::rich(one, &report.sources, style) + "\n");
    blocks.collect()
}

pub(crate) fn check_value(report: &CheckReport) -> Value {
    let messages = report
        .diagnostics
        .iter()
        .map(|one| render::json(one, &report.sources));
    json!({ "refused": report.is_refused(), "diagnostics": messages.collect::<Vec<_>>() })
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Columns as wide as their widest cell; the last one is as long as it is.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// A moment in the box's own time zone.
fn moment(unix_ms: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| unix_ms.to_string(),
        |moment| {
            moment
                .to_zoned_datetime(zone)
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

/// A span of time as people say it.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".to_owned(), "bb".to_owned()],
            vec!["ccc".to_owned(), "d".to_owned()],
        ];
        assert_eq!(table(&rows), "a    bb\nccc  d\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn spans_of_time() {
        let said: Vec<String> = [5, 61, 3_700, 90_000].into_iter().map(lasting).collect();
        assert_eq!(said, ["5s", "1m01s", "1h01m", "1d01h"]);
    }

    #[test]
    fn programs_get_json_and_people_get_text() {
        let reply = Paper::new(Form::Json).refused("no");
        assert!(!reply.done);
        assert_eq!(
            serde_json::from_str::<Value>(&reply.text).unwrap(),
            json!({ "error": "no" })
        );
        assert_eq!(Paper::new(Form::Plain).refused("no").text, "refused: no\n");
        assert!(
            Paper::new(Form::Coloured)
                .refused("no")
                .text
                .contains("\x1b[31m")
        );
    }
}
