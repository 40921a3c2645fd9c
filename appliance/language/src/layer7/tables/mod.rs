//! The keyword tables: plain rows, one file per kind of line.

mod bind;
mod conditional;
mod global;
mod proxy;
mod rules;
mod sections;
mod server;
mod why;

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::keyword::Keyword;

pub(super) use why::NOT_YET;

/// Keywords of `global`.
pub(super) const GLOBAL: &[&[Keyword]] = &[
    global::PROCESS,
    global::DEVICES,
    global::TLS,
    global::TUNE,
    global::TUNE_PROTOCOLS,
    global::RECENT,
    global::RECENT_QUIC,
];

/// Keywords of `defaults`, `frontend`, `listen` and `backend`.
pub(super) const PROXY: &[&[Keyword]] = &[
    proxy::GENERAL,
    proxy::PERSISTENCE,
    proxy::TIMEOUTS,
    proxy::OPTIONS,
    proxy::CHECKS,
    proxy::STATISTICS,
    proxy::SAMPLES,
    rules::RULES,
];

/// Words of a `bind` line.
pub(super) const BIND: &[&[Keyword]] = &[bind::BIND, bind::BIND_TLS];

/// Words of a `server` line.
pub(super) const SERVER: &[&[Keyword]] = &[server::SERVER, server::SERVER_TLS];

/// Words that start sections.
pub(super) const SECTIONS: &[&[Keyword]] = &[sections::SECTIONS];

/// Keywords of all other sections.
pub(super) const OTHERS: &[&[Keyword]] = &[sections::PEERS, sections::RESOLVERS, sections::OTHERS];

/// What stands outside of sections.
const CONDITIONAL: &[&[Keyword]] = &[conditional::DIRECTIVES, conditional::PREDICATES];

/// Words of a `load` line.
const LOAD: &[&[Keyword]] = &[sections::LOAD];

/// Every table there is. Whoever adds one adds it here, and completion, hover, `explain` and the
/// documentation have it.
const ALL: &[&[&[Keyword]]] = &[
    SECTIONS,
    GLOBAL,
    PROXY,
    BIND,
    SERVER,
    LOAD,
    OTHERS,
    CONDITIONAL,
];

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
        .copied()
        .flatten()
        .chain(super::vocabulary::rows())
}

/// The rows with this name: one word may be a keyword, an option and a sample fetch.
pub fn find(name: &str) -> &'static [&'static Keyword] {
    static BY_NAME: LazyLock<HashMap<&str, Vec<&Keyword>, RandomState>> = LazyLock::new(|| {
        let mut rows: HashMap<&str, Vec<&Keyword>, RandomState> = HashMap::default();
        for keyword in keywords() {
            rows.entry(keyword.name).or_default().push(keyword);
        }
        rows
    });
    BY_NAME.get(name).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
