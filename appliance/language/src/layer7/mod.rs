//! The LB Layer7 tab: HAProxy's language.
//!
//! What is known of each word is a row of plain data in [`tables`](keywords); what is done with it
//! is a small function, in files by area, found by the keyword's name. A keyword without one is
//! checked by the [`grammar`] of its row: it has no effect, or cannot be run.

mod acl;
mod args;
mod bind;
mod checks;
mod dispatch;
mod draft;
mod finish;
mod format;
mod global;
mod grammar;
mod idle;
mod inherit;
mod keyword;
mod log;
mod options;
mod others;
mod proxy;
mod reference;
mod rules;
mod sample;
mod section;
mod server;
mod source;
mod ssl;
mod stats;
mod table;
mod tables;
mod timeouts;
mod vocabulary;

use lanai_diagnostics::{Diagnostic, FileId, SourceMap};
use lanai_model::layer7::Config;

use crate::line::Lines;
use crate::lints::{self, Book, silence};
use crate::outcome::Sink;
use crate::tree::Dialect;
use crate::{Environment, Facts, Outcome};
use section::Reader;

pub use idle::{Idle, without_effect};
pub use keyword::{Keyword, Kind, Modes, Sections, Status, Types};
pub use reference::{described, document, heading};
pub use tables::{find, keywords};

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
    let (config, sink) = lower(sources, files, environment, facts);
    let mut outcome = sink.outcome(config);
    silence::apply(&mut outcome.diagnostics, sources, files, Dialect::Layer7);
    outcome
}

/// What a text means, whether this version can run it or not: the model, if the text has no mistake
/// of who wrote it, and everything that [`read`] says.
///
/// For whoever builds what is not run yet, and for tools that only look at a configuration.
pub fn understand(
    sources: &SourceMap,
    files: &[FileId],
    environment: &Environment,
    facts: &Facts,
) -> (Option<Config>, Vec<Diagnostic>) {
    let (config, sink) = lower(sources, files, environment, facts);
    let mistaken = sink.mistaken();
    let mut diagnostics = sink.outcome(()).diagnostics;
    silence::apply(&mut diagnostics, sources, files, Dialect::Layer7);
    ((!mistaken).then_some(config), diagnostics)
}

fn lower(
    sources: &SourceMap,
    files: &[FileId],
    environment: &Environment,
    facts: &Facts,
) -> (Config, Sink) {
    let mut sink = Sink::default();
    let mut reader = Reader::new(environment.clone());
    let mut book = Book::default();
    for file in files {
        let mut lines = Lines::new(sources, *file, Dialect::Layer7, facts, &mut sink);
        reader.start_of_file();
        while let Some(statement) = lines.next(reader.environment(), &mut sink) {
            reader.statement(&statement, &mut sink);
            book.add(statement);
        }
    }
    let drafts = reader.finish();
    checks::check(&drafts, &mut sink);
    if !sink.mistaken() {
        lints::check(&book, &mut sink);
    }
    let config = finish::config(drafts, sources, &mut sink);
    (config, sink)
}

#[cfg(test)]
mod tests;
