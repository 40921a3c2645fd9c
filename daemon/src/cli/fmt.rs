//! `lanai fmt`: configuration files in their usual shape, for those who ask for it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lanai_control::{LAYER7, SERVICES};
use lanai_language::format::format;
use lanai_language::tree::Dialect;

/// What to format.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files to format; services.cfg is read as the Services tab, others as HAProxy's language
    /// [default: both files of the configuration directory]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and end with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Configuration directory
    #[arg(long, value_name = "DIR", default_value = "/etc/lanai")]
    config: PathBuf,
}

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {} {}", .what, .path.display())]
struct FormatError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Formats, or says what formatting would change.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match shape_all(arguments) {
        Ok(changed) => {
            let word = if arguments.check {
                "would change"
            } else {
                "formatted"
            };
            for path in &changed {
                println!("{word}: {}", path.display());
            }
            ExitCode::from(u8::from(arguments.check && !changed.is_empty()))
        }
        Err(error) => {
            eprintln!("lanai: {}", crate::chain(&error));
            ExitCode::from(2)
        }
    }
}

/// The files that change. All are read before the first is written.
fn shape_all(arguments: &Arguments) -> Result<Vec<PathBuf>, FormatError> {
    let mut changed = Vec::new();
    for path in files(arguments) {
        let failed = |what, source| FormatError {
            what,
            path: path.clone(),
            source,
        };
        let before = fs::read(&path).map_err(|error| failed("read", error))?;
        let services = path.file_name().is_some_and(|name| name == SERVICES);
        let dialect = if services {
            Dialect::Services
        } else {
            Dialect::Layer7
        };
        let after = format(&before, dialect);
        if after != before {
            changed.push((path, after));
        }
    }
    if !arguments.check {
        for (path, text) in &changed {
            replace(path, text).map_err(|source| FormatError {
                what: "write",
                path: path.clone(),
                source,
            })?;
        }
    }
    Ok(changed.into_iter().map(|(path, _)| path).collect())
}

fn files(arguments: &Arguments) -> Vec<PathBuf> {
    if !arguments.files.is_empty() {
        return arguments.files.clone();
    }
    let both = [SERVICES, LAYER7].map(|name| arguments.config.join(name));
    both.into_iter().filter(|path| path.exists()).collect()
}

/// Puts a text in the place of a file, whole or not at all; owner and mode stay.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // The file itself, should the path be a link to it.
    let path = fs::canonicalize(path)?;
    let about = fs::metadata(&path)?;
    let mut name = std::ffi::OsString::from(".lanai-fmt-");
    name.push(path.file_name().unwrap_or_default());
    let temporary = path.with_file_name(name);
    let written = write(&temporary, &about, text).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // It may never have come to exist.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, like: &fs::Metadata, text: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    let mode = like.permissions().mode() & 0o7777;
    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    // After the owner, since changing that takes special bits away.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(directory: &Path, check: bool) -> Arguments {
        Arguments {
            files: Vec::new(),
            check,
            config: directory.to_owned(),
        }
    }

    #[test]
    fn files_are_formatted_once_and_keep_their_mode() {
        let directory = tempfile::tempdir().unwrap();
        let (services, layer7) = (
            directory.path().join(SERVICES),
            directory.path().join(LAYER7),
        );
        fs::write(
            &services,
            "service network eth0\nip   address 10.0.0.2/24\n",
        )
        .unwrap();
        fs::write(&layer7, "global\n    maxconn 10\n").unwrap();
        fs::set_permissions(&services, fs::Permissions::from_mode(0o604)).unwrap();

        let would = shape_all(&arguments(directory.path(), true)).unwrap();
        assert_eq!(would, std::slice::from_ref(&services));
        assert!(
            fs::read_to_string(&services)
                .unwrap()
                .contains("ip   address")
        );

        let done = shape_all(&arguments(directory.path(), false)).unwrap();
        assert_eq!(done, std::slice::from_ref(&services));
        let text = fs::read_to_string(&services).unwrap();
        assert_eq!(text, "service network eth0\n    ip address 10.0.0.2/24\n");
        assert_eq!(fs::metadata(&services).unwrap().mode() & 0o777, 0o604);
        let again = shape_all(&arguments(directory.path(), true)).unwrap();
        assert!(again.is_empty());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let mut arguments = arguments(directory.path(), false);
        arguments.files.push(directory.path().join("none.cfg"));
        let error = shape_all(&arguments).unwrap_err();
        assert!(error.to_string().contains("none.cfg"), "{error}");
    }
}
