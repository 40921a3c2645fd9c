//! The keyword tables: plain rows, one file per kind of line.

mod bind;
mod global;
mod proxy;
mod rules;
mod server;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::keyword::Keyword;

pub(super) use bind::BIND;
pub(super) use global::GLOBAL;
pub(super) use proxy::PROXY;
pub(super) use rules::RULES;
pub(super) use server::SERVER;

/// Every table there is. Whoever adds one adds it here, and completion, hover, `explain` and the
/// documentation have it.
const ALL: &[&[Keyword]] = &[GLOBAL, PROXY, RULES, BIND, SERVER];

/// Rows of one table: name, arguments, first version, sentence, and what else is to be said.
macro_rules! table {
    ($table:ident: $kind:ident, $sections:expr;
     $($name:literal $arguments:literal $since:literal $about:literal
       $(.$more:ident($($value:expr),*))*;)*) => {
        pub(in crate::layer7) const $table: &[Keyword] = &[$(
            Keyword::new(Kind::$kind, $name, $sections, $arguments, $about)
                .since($since)
                $(.$more($($value),*))*,
        )*];
    };
}
use table;

/// All rows of all tables.
pub fn keywords() -> impl Iterator<Item = &'static Keyword> {
    ALL.iter()
        .copied()
        .flatten()
        .chain(super::vocabulary::rows())
}

/// The rows with this name: one word may be a keyword, an option and a sample fetch.
pub fn find(name: &str) -> &'static [&'static Keyword] {
    static BY_NAME: LazyLock<HashMap<&str, Vec<&Keyword>>> = LazyLock::new(|| {
        let mut rows: HashMap<&str, Vec<&Keyword>> = HashMap::new();
        for keyword in keywords() {
            rows.entry(keyword.name).or_default().push(keyword);
        }
        rows
    });
    BY_NAME.get(name).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
