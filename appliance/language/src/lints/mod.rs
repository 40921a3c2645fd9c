//! Lints: what the language allows and probably nobody meant. And the few contradictions that no
//! line shows alone.
//!
//! Each is a small function over the [`Book`]: the lines as they count, by section. They need no
//! more of a line than its words, so that a lint also sees what the engine cannot run yet. They are
//! run when every line could be read: else what they miss may stand in a line that could not.
//!
//! An `L` is a warning and never refuses anything; a comment on its line silences it ([`silence`]).

mod acls;
mod book;
mod certificates;
mod filters;
mod frontends;
mod modes;
mod options;
mod references;
mod rules;
mod sections;
mod servers;
pub(crate) mod silence;
mod userlists;

use lanai_diagnostics::Diagnostic;

pub(crate) use book::Book;
pub use certificates::{CertificateDates, certificates};

use crate::outcome::Sink;

type Lint = fn(&Book, &mut Vec<Diagnostic>);

/// All of them, in the order of their codes.
const LINTS: &[Lint] = &[
    references::unknown,
    userlists::names,
    acls::unused,
    rules::all_must_fail,
    servers::cookie_without_cookie,
    servers::shared_source_ports,
    servers::wildcard_source_ports,
    frontends::optional_certificate_unused,
    frontends::weak_tls,
    frontends::open_statistics,
    references::unused_backends,
    servers::checks_without_check,
    servers::hidden_headers,
    acls::same_criterion,
    references::readable_passwords,
    modes::ignored_in_tcp,
    modes::steps_without_check,
    sections::twice,
    sections::names_within,
    sections::incomplete,
    sections::peers,
    sections::rings,
    sections::idle,
    sections::mails,
    filters::lines,
    servers::balance_factor,
    servers::external_check,
];

/// Runs them all.
pub(crate) fn check(book: &Book, sink: &mut Sink) {
    for lint in LINTS {
        let mut found = Vec::new();
        lint(book, &mut found);
        for diagnostic in found {
            sink.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests;
