//! From the files on the command line to a configuration, with every message there is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lanai_diagnostics::{Diagnostic, Severity, SourceMap, render};
use lanai_language::{codes, files_named, layer7};
use lanai_model::layer7::Config;

use super::arguments::{Arguments, Master};
use super::report::Report;
use super::sources::{self, SourceError};
use crate::{environment, facts};

/// What came of reading. The messages were given.
pub(super) struct Loaded {
    /// The configuration, if it is one.
    pub(super) config: Option<Config>,
}

/// Reads the files that `arguments` name.
pub(super) fn load(arguments: &Arguments, report: &mut Report) -> Result<Loaded, SourceError> {
    let files = sources::files(&arguments.files)?;
    let sources = sources::read(&files)?;
    let environment = environment(arguments, &files);
    let ids: Vec<_> = sources.ids().collect();
    let outcome = layer7::read(&sources, &ids, &environment, &facts::facts());
    let refused = tell(&outcome.diagnostics, &sources, arguments, report);
    let config = outcome.value.filter(|_| !refused);
    let config = config.filter(|config| has_its_files(config, report));
    Ok(Loaded { config })
}

fn environment(arguments: &Arguments, files: &[PathBuf]) -> lanai_language::Environment {
    let mut environment = environment::inherited(arguments.local_peer.as_deref(), files);
    if arguments.master != Master::No {
        environment.set("HAPROXY_MWORKER", "1");
    }
    environment
}

/// Gives the messages; returns whether one of them forbids to go on.
fn tell(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    arguments: &Arguments,
    report: &mut Report,
) -> bool {
    let mut bad_files = BTreeSet::new();
    for diagnostic in diagnostics {
        if diagnostic.severity == Severity::Diag && !arguments.diagnostics {
            continue;
        }
        // With 'zero-warning' (`-dW`) a warning refuses to start: only what HAProxy warns of may.
        let mut diagnostic = diagnostic.clone();
        if codes::is_own_lint(diagnostic.code) {
            diagnostic.severity = Severity::Notice;
        }
        let line = render::haproxy(&diagnostic, sources, report.pid());
        report.rendered(diagnostic.severity, &line);
        if diagnostic.severity == Severity::Alert {
            bad_files.insert(diagnostic.span.file);
        }
    }
    for file in &bad_files {
        let line = render::errors_in_file(&sources.name(*file), report.pid());
        report.rendered(Severity::Alert, &line);
    }
    if !bad_files.is_empty() {
        report.rendered(Severity::Alert, &render::fatal_errors(report.pid()));
    }
    !bad_files.is_empty()
}

/// Whether all files that the configuration names can be read; says which cannot.
fn has_its_files(config: &Config, report: &mut Report) -> bool {
    let mut complete = true;
    for file in files_named(config) {
        if let Err(error) = std::fs::File::open(&file.path) {
            let reason = super::run::system_words(&error);
            report.alert(&format!(
                "config : parsing [{}] : cannot open file '{}' : {reason}.",
                file.origin,
                file.path.display(),
            ));
            complete = false;
        }
    }
    if !complete {
        report.rendered(Severity::Alert, &render::fatal_errors(report.pid()));
    }
    complete
}
