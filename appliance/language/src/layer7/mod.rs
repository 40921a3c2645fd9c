//! The LB Layer7 tab: HAProxy's language.
//!
//! One table per kind of line, in files by area; each row names a keyword, where it may stand, its
//! arguments, one sentence, what becomes of it, and the small function that reads it.

mod args;
mod bind;
mod checks;
mod dispatch;
mod draft;
mod finish;
mod global;
mod harmless;
mod keyword;
mod later;
mod log;
mod options;
mod proxy;
mod section;
mod server;
mod ssl;
mod stats;
mod timeouts;

use lanai_diagnostics::{FileId, SourceMap};
use lanai_model::layer7::Config;

use crate::line::Lines;
use crate::outcome::Sink;
use crate::tree::Dialect;
use crate::{Environment, Facts, Outcome};
use dispatch::{GLOBAL, PROXY};
use section::Reader;

pub use keyword::{KeywordInfo, Sections, Status};

/// Reads a configuration of one or several texts, in this order, as `haproxy -f A -f B` does.
///
/// `environment` is what variables and `defined()` see; `setenv` and its like in the texts change a
/// copy. `facts` is what the other predicates see.
pub fn read(
    sources: &SourceMap,
    files: &[FileId],
    environment: &Environment,
    facts: &Facts,
) -> Outcome<Config> {
    let mut sink = Sink::default();
    let mut reader = Reader::new(environment.clone());
    for file in files {
        let mut lines = Lines::new(sources, *file, Dialect::Layer7, facts, &mut sink);
        reader.start_of_file();
        while let Some(statement) = lines.next(reader.environment(), &mut sink) {
            reader.statement(&statement, &mut sink);
        }
    }
    let drafts = reader.finish();
    checks::check(&drafts, &mut sink);
    let config = finish::config(drafts, &mut sink);
    sink.outcome(config)
}

/// The keywords of `global`.
pub fn global_keywords() -> impl Iterator<Item = KeywordInfo> {
    GLOBAL.infos()
}

/// The keywords of `defaults`, `frontend`, `listen` and `backend`.
pub fn proxy_keywords() -> impl Iterator<Item = KeywordInfo> {
    PROXY.infos()
}

/// The words of a `bind` line after its addresses.
pub fn bind_keywords() -> impl Iterator<Item = KeywordInfo> {
    bind::TABLE.infos()
}

/// The words of a `server` line after its address, and of `default-server`.
pub fn server_keywords() -> impl Iterator<Item = KeywordInfo> {
    server::TABLE.infos()
}

#[cfg(test)]
mod tests;
