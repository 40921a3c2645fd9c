//! The sections besides `global` and the proxies. Nothing that runs comes of them yet: their lines
//! are checked by the tables' grammar, and a section whose row says so is refused as a whole.

use std::collections::HashMap;
use std::sync::LazyLock;

use lanai_diagnostics::{Diagnostic, Span};

use super::args::{Args, Modifier};
use super::dispatch::{Place, dispatch};
use super::draft::Draft;
use super::keyword::{Keyword, Sections};
use super::rules::stick;
use super::table::{Found, Readers, Table};
use super::tables;
use crate::codes;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::value::{invalid_name_character, shown};

/// An open section of another kind.
pub(super) struct Other {
    kind: Sections,
    seen: HashMap<&'static str, Span>,
}

impl Draft for Other {
    fn scratch(&self) -> Self {
        Self {
            kind: self.kind,
            seen: HashMap::new(),
        }
    }

    fn seen(&mut self) -> &mut HashMap<&'static str, Span> {
        &mut self.seen
    }
}

/// The words that start sections.
static STARTS: LazyLock<Table<()>> = LazyLock::new(|| Table::new(tables::SECTIONS, &[]));

/// The keywords of each kind of section.
static KEYWORDS: LazyLock<HashMap<Sections, Table<Other>>> = LazyLock::new(|| {
    let kinds = Sections::EACH.iter().map(|(kind, _)| *kind);
    kinds
        .map(|kind| {
            let readers: &[Readers<Other>] = match kind {
                Sections::PEERS => &[PEERS],
                _ => &[],
            };
            (kind, Table::of(kind, tables::OTHERS, readers))
        })
        .collect()
});

/// What the rows' grammar cannot say of a `peers` section.
const PEERS: Readers<Other> = &[("table", |_, args| stick::shared_table(args))];

impl Other {
    /// Starts a section with the line that says so.
    pub(super) fn start(kind: Sections, statement: &Statement, sink: &mut Sink) -> Self {
        if let (Found::Row(row, _), Some((head, arguments))) =
            (STARTS.find(&statement.words), statement.words.split_first())
        {
            let mut args = Args::new(
                row.keyword.name,
                head.span,
                arguments,
                Modifier::None,
                &statement.origin,
                sink,
            );
            check_name(row.keyword, &mut args);
            row.read_line(&mut (), &mut args);
        }
        Self {
            kind,
            seen: HashMap::new(),
        }
    }

    /// Checks a line of the section.
    pub(super) fn line(&mut self, statement: &Statement, sink: &mut Sink) {
        let Some(table) = KEYWORDS.get(&self.kind) else {
            return;
        };
        let place = Place {
            kind: self.kind,
            word: self.kind.names().next().unwrap_or_default(),
            name: "",
        };
        dispatch(table, &place, statement, self, sink);
    }

    /// Whether a keyword of this section starts with this word.
    pub(super) fn knows(&self, first: &str) -> bool {
        KEYWORDS
            .get(&self.kind)
            .is_some_and(|table| table.knows(first))
    }
}

fn check_name(keyword: &Keyword, args: &mut Args<'_>) {
    let Some(name) = args.peek() else {
        return;
    };
    if let Some(wrong) = invalid_name_character(&name.text()) {
        let message = format!(
            "character '{}' is not permitted in '{}' name '{}'.",
            wrong.escape_debug(),
            keyword.name,
            shown(&name.value)
        );
        let fault = Diagnostic::alert(codes::BAD_SECTION_NAME, name.span, message);
        args.sink.push(fault);
    }
}
