//! `lanai check`: what is wrong with a configuration, without a daemon and without touching a thing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use lanai_control::CheckReport;
use lanai_language::{NamedFile, layer7};

use super::Shape;
use super::named::Named;
use crate::control;
use crate::control::render::{self, Paper};
use crate::proxy::sources;
use crate::{environment, facts};

/// What to check, and how to show what was found.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    alone: Named,
    /// Check this configuration directory
    #[arg(long, value_name = "DIR", default_value = "/etc/lanai", conflicts_with_all = ["files", "flagged"])]
    config: PathBuf,
    #[command(flatten)]
    form: Shape,
}

/// Why there is nothing to check.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    #[error(transparent)]
    Sources(#[from] sources::SourceError),
    #[error("cannot read the configuration")]
    Read(#[from] lanai_control::Error),
    #[error("cannot find {}", directory.display())]
    Directory {
        directory: PathBuf,
        source: std::io::Error,
    },
    #[error("there is no configuration in {}: neither services.cfg nor haproxy.cfg", .0.display())]
    Nothing(PathBuf),
}

/// Checks and prints what was found.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match check(arguments) {
        Ok(report) => {
            let reply = render::check(Paper::new(arguments.form.form()), &report);
            super::remote::show(&reply)
        }
        Err(error) => {
            eprintln!("lanai: {}", crate::chain(&error));
            ExitCode::from(2)
        }
    }
}

fn check(arguments: &Arguments) -> Result<CheckReport, CheckError> {
    if !arguments.alone.files.is_empty() {
        let files = sources::files(&arguments.alone.files)?;
        let texts = sources::read(&files)?;
        let environment = environment::inherited(None, &files);
        let ids: Vec<_> = texts.ids().collect();
        let (config, mut diagnostics) =
            layer7::understand(&texts, &ids, &environment, &facts::facts());
        if let Some(config) = &config {
            let now_s = lanai_control::Clock::system().now_ms() / 1000;
            let read = |named: &NamedFile| std::fs::read(&named.path).ok();
            let dates = lanai_control::certificate_dates(config, &texts, now_s, read);
            diagnostics.extend(dates);
        }
        return Ok(CheckReport {
            sources: Arc::new(texts),
            diagnostics,
        });
    }
    let directory = &arguments.config;
    let failed = |source| CheckError::Directory {
        directory: directory.clone(),
        source,
    };
    // Absolute, since configurations may name their files so.
    let root = std::path::absolute(directory).map_err(failed)?;
    let files = lanai_control::read_files(&root)?;
    if files.is_empty() {
        return Err(CheckError::Nothing(directory.clone()));
    }
    Ok(lanai_control::check_files(
        &control::settings(&root, Path::new("")),
        &files,
    ))
}
