//! What the tables say, for people: one keyword (`lanai explain`, hover), or all of them
//! (`docs/keywords.md`).

use std::fmt::Write;

use super::grammar::Type;
use super::keyword::{Keyword, Kind, Modes, Sections};
use super::tables::keywords;

/// The keyword with its arguments, as on a line.
pub fn heading(keyword: &Keyword) -> String {
    let arguments = shown_arguments(keyword);
    let glue = match arguments.is_empty() || arguments.starts_with('(') {
        true => "",
        false => " ",
    };
    let percent = match keyword.kind {
        Kind::LogAlias if !keyword.name.starts_with('%') => "%",
        _ => "",
    };
    format!("{percent}{}{glue}{arguments}", keyword.name)
}

/// All that is known of a keyword, line by line.
pub fn described(keyword: &Keyword) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    say(heading(keyword));
    say(format!("  {}", keyword.about));
    say(format!("  {}", place(keyword)));
    if !keyword.types.takes.is_empty() {
        say(format!("  takes: {}", keyword.types.takes));
    }
    if !keyword.types.gives.is_empty() {
        say(format!("  gives: {}", keyword.types.gives));
    }
    for (label, what) in labels(keyword) {
        say(format!("  <{label}>: {what}"));
    }
    if !keyword.default.is_empty() {
        say(format!("  if left out: {}", keyword.default));
    }
    if keyword.negatable {
        say("  'no' before it takes it back".to_owned());
    }
    say(format!("  since HAProxy {}", keyword.since));
    if let Some(instead) = keyword.deprecated {
        say(format!("  deprecated: use {instead}"));
    }
    say(format!("  here: {}", keyword.status));
    text
}

/// `docs/keywords.md`.
pub fn document() -> String {
    let mut text = include_str!("reference/preface.md").to_owned();
    for kind in Kind::ALL {
        let rows: Vec<_> = keywords().filter(|row| row.kind == kind).collect();
        if rows.is_empty() {
            continue;
        }
        match kind {
            Kind::Line => {
                for (title, sections) in LINES {
                    let rows = rows.iter().copied();
                    let rows: Vec<_> = rows.filter(|row| belongs(row, *sections)).collect();
                    chapter(&mut text, title, &rows);
                }
            }
            _ => chapter(&mut text, title(kind), &rows),
        }
    }
    text
}

/// Chapters of keywords that start lines.
const LINES: &[(&str, Sections)] = &[
    ("`global`", Sections::GLOBAL),
    ("`defaults`, `frontend`, `listen`, `backend`", Sections::ALL),
    ("`peers`", Sections::PEERS),
    ("`resolvers`", Sections::RESOLVERS),
    ("`mailers`", Sections::MAILERS),
    ("`userlist`", Sections::USERLIST),
    ("`cache`", Sections::CACHE),
    ("`ring`", Sections::RING),
    ("`log-forward`", Sections::LOG_FORWARD),
    ("`log-profile`", Sections::LOG_PROFILE),
    ("`http-errors`", Sections::HTTP_ERRORS),
    ("`fcgi-app`", Sections::FCGI_APP),
    ("`program`", Sections::PROGRAM),
    ("`crt-store`", Sections::CRT_STORE),
    ("`traces`", Sections::TRACES),
    ("`acme`", Sections::ACME),
    ("`healthcheck`", Sections::HEALTHCHECK),
];

fn belongs(keyword: &Keyword, sections: Sections) -> bool {
    sections.contains(keyword.sections)
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "Sections",
        Kind::Line => "Lines",
        Kind::Bind => "Options of `bind` lines",
        Kind::Server => "Options of `server` lines",
        Kind::Load => "Options of `load` lines and of crt-lists",
        Kind::Action => "Actions of rules",
        Kind::AclFlag => "Flags of `acl` lines",
        Kind::AclMatch => "Ways to compare",
        Kind::Criterion => "Criteria of `acl` lines",
        Kind::Acl => "ACLs that are always there",
        Kind::Fetch => "Sample fetches",
        Kind::Converter => "Converters",
        Kind::LogAlias => "Aliases of log formats",
        Kind::Predicate => "Predicates of `.if`",
        Kind::Directive => "Conditional blocks",
    }
}

fn chapter(text: &mut String, title: &str, rows: &[&Keyword]) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n## {title}\n\n| Keyword | Where | Since | What | Here |\n| --- | --- | --- | --- | --- |\n"
    );
    let mut rows: Vec<_> = rows.iter().map(|row| (heading(row), *row)).collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    for (heading, row) in rows {
        let mut about = row.about.to_owned();
        if !row.default.is_empty() {
            let _ = write!(about, " If left out: {}.", row.default);
        }
        if let Some(instead) = row.deprecated {
            let _ = write!(about, " Deprecated: use {instead}.");
        }
        let types = match (row.types.takes, row.types.gives) {
            ("", "") => String::new(),
            ("", gives) => format!(" Gives {gives}."),
            (takes, "") => format!(" Takes {takes}."),
            (takes, gives) => format!(" Takes {takes}, gives {gives}."),
        };
        let _ = writeln!(
            text,
            "| `` {} `` | {} | {} | {}{types} | {} |",
            cell(&heading),
            cell(&short_place(row)),
            row.since,
            cell(&about),
            cell(&row.status.to_string()),
        );
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Where it may stand, in one sentence.
fn place(keyword: &Keyword) -> String {
    let place = short_place(keyword);
    match place.is_empty() {
        true => keyword.kind.name().to_owned(),
        false => format!("{} in {place}", keyword.kind.name()),
    }
}

fn short_place(keyword: &Keyword) -> String {
    let sections: Vec<_> = keyword.sections.names().collect();
    let mut place = sections.join(", ");
    if keyword.modes != Modes::ANY && !place.is_empty() {
        let modes: Vec<_> = keyword.modes.names().collect();
        let _ = write!(place, " (mode {})", modes.join(", "));
    }
    place
}

/// Arguments as people read them: labels without their types.
fn shown_arguments(keyword: &Keyword) -> String {
    let mut shown = String::new();
    let mut rest = keyword.arguments;
    while let Some((before, inside, after)) = next_label(rest) {
        shown.push_str(before);
        let label = inside.split([':', ' ']).next().unwrap_or(inside);
        let _ = write!(shown, "<{label}>");
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Each label with what it stands for, where the label alone does not say it.
fn labels(keyword: &Keyword) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut rest = keyword.arguments;
    while let Some((_, inside, after)) = next_label(rest) {
        rest = after;
        let (name, range) = inside.split_once(' ').unwrap_or((inside, ""));
        let (label, kind) = name.split_once(':').unwrap_or((name, name));
        let Some(kind) = Type::of(kind) else {
            continue;
        };
        let range = range.split_once("..").map(|(least, most)| match kind {
            Type::Time => format!(", from {least} to {most} ms"),
            _ => format!(", from {least} to {most}"),
        });
        let what = format!("{}{}", kind.shown(), range.unwrap_or_default());
        if !found.iter().any(|(known, _)| *known == label) {
            found.push((label, what));
        }
    }
    found
}

fn next_label(text: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = text.split_once('<')?;
    let (inside, after) = rest.split_once('>')?;
    Some((before, inside, after))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::layer7::find;

    #[test]
    fn a_keyword_is_described() {
        let [row] = find("fastinter") else {
            panic!("one row")
        };
        assert_eq!(
            described(row),
            "fastinter <time>\n  \
             Time between checks while a server's state is changing.\n  \
             server option in defaults, listen, backend, peers, ring\n  \
             <time>: a whole number with us, ms, s, m, h or d; ms if left out, from 1 to 2147483647 ms\n  \
             if left out: inter\n  \
             since HAProxy 1.3\n  \
             here: works\n"
        );
    }

    #[test]
    fn labels_are_shown_without_their_types() {
        let rows = find("maxcompcpuusage");
        let shown: Vec<_> = rows.iter().map(|row| heading(row)).collect();
        assert_eq!(shown, ["maxcompcpuusage <percent>"]);
    }

    #[test]
    fn every_row_is_in_the_document() {
        let text = document();
        let rows = text
            .lines()
            .filter(|line| line.starts_with("| `` "))
            .count();
        assert_eq!(rows, keywords().count());
    }

    /// `UPDATE_EXPECT=1` writes the document.
    #[test]
    fn the_document_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keywords.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, document()).expect("the document can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == document(),
            "docs/keywords.md is not what the tables say (UPDATE_EXPECT=1 rewrites it)"
        );
    }
}
