//! `lanai import`: a foreign HAProxy configuration, with the files it names, into the appliance.
//!
//! Everything is read, named and checked first; then all is written or sent, or nothing is. In the
//! text paths change and nothing else.

mod report;
mod take;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lanai_control::{FileSet, LAYER7, Within};

use super::named::Named;
use super::{Reach, Shape};
use crate::control;
use crate::control::render::Paper;
use crate::ownership;
use crate::proxy::sources;
use report::Report;
use take::Taken;

/// What to take over, and where to.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("foreign").args(["files", "flagged"]).required(true).multiple(true))]
pub(super) struct Arguments {
    #[command(flatten)]
    foreign: Named,
    /// Write it into this configuration directory, for `lanai apply` later; without it, the running
    /// appliance applies it as a new revision
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Replace the haproxy.cfg that is in that directory
    #[arg(long, requires = "into")]
    replace: bool,
    /// Put it on trial: unless `lanai confirm` follows within this time, the previous revision comes
    /// back by itself
    #[arg(long, value_name = "TIME", conflicts_with = "into")]
    confirm_within: Option<Within>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    form: Shape,
}

/// Why nothing could be taken over.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Sources(#[from] sources::SourceError),
    #[error(transparent)]
    Edited(#[from] ownership::EditedError),
    #[error("cannot read or write {}", .0.display())]
    Directory(PathBuf, #[source] lanai_control::Error),
    #[error("cannot find {}", .0.display())]
    Path(PathBuf, #[source] io::Error),
    #[error("{} has a haproxy.cfg already: name another directory, or add --replace", .0.display())]
    Occupied(PathBuf),
}

/// Takes over, and says what came of it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match import(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lanai: {}", crate::chain(&error));
            ExitCode::from(2)
        }
    }
}

fn import(arguments: &Arguments) -> Result<ExitCode, ImportError> {
    let files = sources::files(&arguments.foreign.files)?;
    let texts = sources::read(&files)?;
    let parts: Vec<&[u8]> = texts.ids().map(|id| texts.bytes(id)).collect();
    let text = take::joined(&parts);

    let directory = arguments.into.as_ref().unwrap_or(&arguments.reach.config);
    let failed = |error| ImportError::Path(directory.clone(), error);
    let root = std::path::absolute(directory).map_err(failed)?;
    let before = existing(arguments, &root)?;
    let beside = files
        .first()
        .and_then(|file| file.parent())
        .unwrap_or(Path::new("."));
    let taken = take::take(&text, beside, &before);

    let check = lanai_control::check_files(&control::settings(&root, Path::new("")), &taken.files);
    let report = Report {
        names: &files,
        taken: &taken,
        check: &check,
        starts: take::second_starts(&parts),
    };
    let paper = Paper::new(arguments.form.form());
    let whole = report.is_whole();
    match &arguments.into {
        _ if !whole => Ok(super::remote::show(&report.reply(paper, None))),
        Some(_) => {
            write(&root, &before, &taken)?;
            Ok(super::remote::show(&report.reply(paper, Some(&root))))
        }
        None if check.is_refused() => Ok(super::remote::show(&report.reply(paper, None))),
        None => {
            super::remote::show(&report.reply(paper, None));
            let comment = format!("imported from {}", report.origin());
            Ok(super::remote::apply(
                &arguments.reach,
                arguments.form,
                taken.files,
                comment,
                arguments.confirm_within,
            ))
        }
    }
}

/// The files that are there.
fn existing(arguments: &Arguments, root: &Path) -> Result<FileSet, ImportError> {
    if arguments.into.is_none() {
        return Ok(ownership::read_edited(root)?);
    }
    let failed = |error| ImportError::Directory(root.to_owned(), error);
    let files = lanai_control::read_files(root).map_err(failed)?;
    let occupied = files
        .get(LAYER7)
        .is_some_and(|text| !text.trim_ascii().is_empty());
    if occupied && !arguments.replace {
        return Err(ImportError::Occupied(root.to_owned()));
    }
    Ok(files)
}

fn write(root: &Path, before: &FileSet, taken: &Taken) -> Result<(), ImportError> {
    let failed = |error| ImportError::Directory(root.to_owned(), error);
    lanai_control::write_files(root, before, &taken.files).map_err(failed)
}

#[cfg(test)]
mod tests;
