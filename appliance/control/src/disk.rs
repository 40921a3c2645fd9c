//! The file set on disk: reading it, and putting another in its place.
//!
//! Putting in place has two halves. [`Disk::stage`] writes everything that is new beside its place
//! and makes it durable: what can fail for want of space or rights fails there, and dropping the
//! [`Staged`] leaves no trace. [`Staged::install`] renames. Several renames are not one, so the
//! store notes that they are under way, and a boot does them again.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{
    COUNT_LIMIT, FILE_LIMIT, FOLDERS, FileSet, LAYER7, SERVICES, check_name, is_secret,
};

/// Start of the names of files that are not in their place yet. No file of a set starts so.
const TEMPORARY: &str = ".lanai-";

/// Mode of a file that holds a private key.
const SECRET_MODE: u32 = 0o600;

/// Mode of any other file that is new: for the owner to write, for the group to read.
const PLAIN_MODE: u32 = 0o640;

/// The configuration directory.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    #[cfg(test)]
    pub(crate) faults: crate::tests::faults::Faults,
}

/// A failure with the path it is about.
#[derive(Debug)]
pub(crate) struct DiskError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl From<DiskError> for Error {
    fn from(DiskError { path, source }: DiskError) -> Self {
        Self::Io { path, source }
    }
}

impl Disk {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            #[cfg(test)]
            faults: crate::tests::faults::Faults::default(),
        }
    }

    /// Makes the directories that are missing and removes what a crash left unfinished.
    pub(crate) fn tidy(&self) -> Result<(), DiskError> {
        for directory in self.directories() {
            fs::create_dir_all(&directory).map_err(at(&directory))?;
            for entry in fs::read_dir(&directory).map_err(at(&directory))? {
                let path = entry.map_err(at(&directory))?.path();
                if is_temporary(&path) {
                    remove(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the file set. Files whose names cannot be in one (hidden files, sub-directories,
    /// editors' backups) are not looked at.
    pub(crate) fn read(&self) -> Result<FileSet, DiskError> {
        let mut files = FileSet::new();
        for name in [SERVICES, LAYER7] {
            self.read_one(name, &mut files)?;
        }
        for folder in FOLDERS {
            let directory = self.root.join(folder);
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(at(&directory))?,
            };
            for entry in entries {
                let plain = entry.map_err(at(&directory))?.file_name();
                let Some(plain) = plain.to_str() else {
                    continue;
                };
                let name = format!("{folder}/{plain}");
                if check_name(&name).is_ok() {
                    self.read_one(&name, &mut files)?;
                }
                if files.len() > COUNT_LIMIT {
                    let many = io::Error::other(format!("there are more than {COUNT_LIMIT} files"));
                    return Err(at(&directory)(many));
                }
            }
        }
        Ok(files)
    }

    /// Writes beside its place whatever of `after` is not on disk already. Names of `before` that
    /// `after` lacks will be removed; files that neither knows stay.
    pub(crate) fn stage(&self, before: &FileSet, after: &FileSet) -> Result<Staged, DiskError> {
        let disk = self.read().unwrap_or_default();
        let mut staged = Staged {
            disk: self.clone(),
            renames: Vec::new(),
            removals: Vec::new(),
        };
        for (name, bytes) in after.iter() {
            let place = self.root.join(name);
            let mode = self.mode(&place, name, bytes);
            if disk.get(name) == Some(bytes) && has_mode(&place, mode) {
                continue;
            }
            let temporary = temporary(&place);
            staged.renames.push((temporary.clone(), place));
            self.reach("stage", &temporary)?;
            write_durably(&temporary, bytes, mode).map_err(at(&temporary))?;
        }
        for name in before.names().filter(|name| after.get(name).is_none()) {
            let place = self.root.join(name);
            if place.exists() {
                staged.removals.push(place);
            }
        }
        Ok(staged)
    }

    fn read_one(&self, name: &str, files: &mut FileSet) -> Result<(), DiskError> {
        let path = self.root.join(name);
        let about = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(at(&path))?,
        };
        if !about.is_file() {
            return Ok(());
        }
        if about.len() > FILE_LIMIT as u64 {
            let large = format!("it has {} bytes; a file may have {FILE_LIMIT}", about.len());
            return Err(at(&path)(io::Error::other(large)));
        }
        let bytes = fs::read(&path).map_err(at(&path))?;
        files.insert(name, bytes);
        Ok(())
    }

    /// Secrets are for their owner alone; any other file keeps the mode it has.
    fn mode(&self, place: &Path, name: &str, bytes: &[u8]) -> u32 {
        if is_secret(name, bytes) {
            return SECRET_MODE;
        }
        let existing = fs::metadata(place).map(|about| about.permissions().mode() & 0o777);
        existing.unwrap_or(PLAIN_MODE)
    }

    fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let folders = FOLDERS.iter().map(|folder| self.root.join(folder));
        std::iter::once(self.root.clone()).chain(folders)
    }

    /// Where tests make the disk fail, or the process die.
    #[cfg_attr(
        not(test),
        expect(
            clippy::unused_self,
            clippy::unnecessary_wraps,
            reason = "only tests put faults here"
        )
    )]
    fn reach(&self, _step: &str, _path: &Path) -> Result<(), DiskError> {
        #[cfg(test)]
        self.faults.reach(_step).map_err(at(_path))?;
        Ok(())
    }
}

/// Files that are written but not in their place. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Staged {
    disk: Disk,
    /// From, to.
    renames: Vec<(PathBuf, PathBuf)>,
    removals: Vec<PathBuf>,
}

impl Staged {
    /// Puts the files in their places, durably.
    pub(crate) fn install(mut self) -> Result<(), DiskError> {
        // What is renamed is no longer ours to remove; the rest is, if one fails.
        while let Some((from, to)) = self.renames.last() {
            self.disk.reach("rename", to)?;
            fs::rename(from, to).map_err(at(to))?;
            self.renames.pop();
        }
        for path in &self.removals {
            self.disk.reach("remove", path)?;
            remove(path)?;
        }
        for directory in self.disk.directories() {
            File::open(&directory)
                .and_then(|file| file.sync_all())
                .map_err(at(&directory))?;
        }
        self.disk.reach("installed", &self.disk.root)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (temporary, _) in &self.renames {
            // It may never have come to exist; and what stays is removed at the next start.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    // The umask counted when the file was made.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn temporary(place: &Path) -> PathBuf {
    let mut name = OsString::from(TEMPORARY);
    name.push(place.file_name().unwrap_or_default());
    place.with_file_name(name)
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(TEMPORARY))
}

fn has_mode(path: &Path, mode: u32) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o777 == mode)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_owned();
    |source| DiskError { path, source }
}
