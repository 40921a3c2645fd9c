//! What needs no running appliance: `lanai check`, and reading the files somebody edited.

use std::path::Path;

use crate::check::{Surroundings, check};
use crate::disk::Disk;
use crate::error::Error;
use crate::files::FileSet;
use crate::report::CheckReport;
use crate::settings::Settings;

/// As [`crate::Control::check`], for a box that may be another one.
pub fn check_files(settings: &Settings, files: &FileSet) -> CheckReport {
    let around = Surroundings {
        root: &settings.config_dir,
        environment: &settings.environment,
        facts: &settings.facts,
        ui: settings.ui,
    };
    check(files, around).0
}

/// The file set in a configuration directory, with the caller's rights.
///
/// # Errors
/// If a file cannot be read or is too large.
pub fn read_files(directory: &Path) -> Result<FileSet, Error> {
    Ok(Disk::new(directory.to_owned()).read()?)
}
