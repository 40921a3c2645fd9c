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
        now_s: settings.clock.now_ms() / 1000,
    };
    check(files, around).0
}

/// Puts a file set in the place of the one in a configuration directory, with the caller's rights:
/// files of both that differ are replaced, files of neither stay. What is missing of the directory is
/// made; private keys are for their owner alone. All is written before the first file is renamed.
///
/// # Errors
/// If a file cannot be written.
pub fn write_files(directory: &Path, before: &FileSet, after: &FileSet) -> Result<(), Error> {
    let disk = Disk::new(directory.to_owned());
    disk.tidy()?;
    disk.stage(before, after)?.install()?;
    Ok(())
}

/// The file set in a configuration directory, with the caller's rights.
///
/// # Errors
/// If a file cannot be read or is too large.
pub fn read_files(directory: &Path) -> Result<FileSet, Error> {
    Ok(Disk::new(directory.to_owned()).read()?)
}
