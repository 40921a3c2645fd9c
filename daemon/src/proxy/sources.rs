//! The configuration files that `-f` names, in the order they are read.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use lanai_diagnostics::SourceMap;

use super::run::system_words;

/// One configuration file may have this many bytes.
const FILE_LIMIT: u64 = 256 << 20;

/// Why a file of the configuration cannot be read, in HAProxy's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// It cannot be opened.
    #[error("config : Cannot open configuration file/directory {} : {}", path.display(), system_words(source))]
    Open {
        /// As named on the command line.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than a configuration can be.
    #[error("config : configuration file {} has more than {FILE_LIMIT} bytes", .0.display())]
    TooLong(PathBuf),
}

/// The files behind `paths`: directories stand for their `*.cfg`, in order of name, without the
/// hidden ones.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |source| SourceError::Open {
            path: path.clone(),
            source,
        };
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if !is_configuration(&path) {
                continue;
            }
            // A link that leads nowhere is a file that is missing, and not one that is not meant.
            match fs::metadata(&path) {
                Ok(about) if about.is_file() => inside.push(path),
                Ok(_) => {}
                Err(source) => return Err(SourceError::Open { path, source }),
            }
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

/// Reads the files.
pub(crate) fn read(files: &[PathBuf]) -> Result<SourceMap, SourceError> {
    let mut sources = SourceMap::new();
    for path in files {
        sources.add(path.to_string_lossy().as_ref(), read_file(path)?);
    }
    Ok(sources)
}

fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    use std::io::Read;
    let failed = |source| SourceError::Open {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    // One byte more than the limit tells "too long" from "just fits"; pipes have no length.
    file.take(FILE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(SourceError::TooLong(path.to_owned()));
    }
    Ok(bytes)
}

fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().map_or(&[][..], OsStr::as_bytes);
    !name.starts_with(b".") && name.ends_with(b".cfg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_its_cfg_files_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.cfg", "a.cfg", ".hidden.cfg", "c.txt"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        fs::create_dir(directory.path().join("d.cfg")).unwrap();
        let found = files(&[directory.path().join("c.txt"), directory.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["c.txt", "a.cfg", "b.cfg"]);
        assert_eq!(read(&found).unwrap().ids().count(), 3);
    }

    #[test]
    fn a_missing_file_is_named_in_haproxys_words() {
        let error = files(&[PathBuf::from("/nonexistent")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "config : Cannot open configuration file/directory /nonexistent : \
             No such file or directory"
        );
    }
}
