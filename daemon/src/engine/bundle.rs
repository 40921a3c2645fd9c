//! A file set as the engine reads it.

use std::io;
use std::path::Path;

use lanai_control::{FileSet, LAYER7, PrepareError, PrepareProblem, SERVICES, resolve};
use lanai_diagnostics::{Diagnostic, Severity, SourceMap};
use lanai_language::{layer7, services};
use lanai_model::Origin;
use lanai_model::layer7::Config;

use crate::{environment, facts};

/// Reads the proxies' configuration, and of the Services text which of its addresses come and go. What
/// the control process has checked is checked again: it is the same code, and text is all that comes
/// over.
pub(super) fn read(files: &FileSet) -> Result<Config, PrepareError> {
    let mut sources = SourceMap::new();
    let ids = [sources.add(LAYER7, files.get(LAYER7).unwrap_or_default())];
    let outcome = layer7::read(&sources, &ids, &environment::appliance(), &facts::facts());
    let services = [sources.add(SERVICES, files.get(SERVICES).unwrap_or_default())];
    let services = services::read(&sources, &services);
    let refused = |diagnostics: &[Diagnostic]| {
        let alerts = diagnostics
            .iter()
            .filter(|one| one.severity == Severity::Alert);
        let problems = alerts.map(|one| PrepareProblem {
            origin: Some(Origin {
                file: sources.name(one.span.file),
                line: sources.position(one.span.file, one.span.start).line,
            }),
            message: one.message.clone(),
        });
        PrepareError {
            problems: problems.collect(),
        }
    };
    let mut config = outcome.value.ok_or_else(|| refused(&outcome.diagnostics))?;
    let services = services
        .value
        .ok_or_else(|| refused(&services.diagnostics))?;
    config.stand_by(&services);
    Ok(config)
}

/// The files of a set by the paths that a configuration calls them.
pub(super) struct Inside<'a> {
    /// The set.
    pub(super) files: &'a FileSet,
    /// The configuration directory.
    pub(super) root: &'a Path,
}

impl lanai_engine::Files for Inside<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // The engine reads certificates only; other kinds come with the keywords that name them.
        let name = resolve(self.files, self.root, "ssl", path);
        let bytes = name.and_then(|name| self.files.get(name));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| {
            let text = format!(
                "there is no such file in the configuration: put it under ssl/ in {}",
                self.root.display()
            );
            io::Error::new(io::ErrorKind::NotFound, text)
        })
    }
}
