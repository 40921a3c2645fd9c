//! Who owns the configuration's files: the control process's user, which reads them at a boot and
//! renames new ones into place.
//!
//! The directory belongs to that user, so root takes care here: it follows no link below it, and
//! reads with that user's rights.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use lanai_control::{COUNT_LIMIT, FOLDERS, FileSet, LAYER7, SERVICES};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{Gid, Uid, fchownat, setegid, seteuid, setgroups};

use crate::rights::Identity;

/// Entries of a folder that are looked at; a file set has fewer, and editors leave some beside.
const ENTRIES: usize = 4 * COUNT_LIMIT;

/// Why an edited configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditedError {
    /// The files could not be given to the owner of the directory.
    #[error("cannot give the files to the owner of the configuration directory")]
    Give(#[source] io::Error),
    /// They cannot be read.
    #[error("cannot read the configuration")]
    Read(#[from] lanai_control::Error),
}

/// Reads the file set that somebody edited in `directory`. Root gives files of its own to the
/// directory's owner first: the control process could not read them at the next boot otherwise.
pub(crate) fn read_edited(directory: &Path) -> Result<FileSet, EditedError> {
    let owner = fs::metadata(directory).map(|about| Identity {
        uid: Uid::from_raw(about.uid()),
        gid: Gid::from_raw(about.gid()),
    });
    match owner {
        Ok(owner) if Uid::effective().is_root() && !owner.uid.is_root() => {
            give_configuration(directory, owner).map_err(EditedError::Give)?;
            as_user(owner, || lanai_control::read_files(directory))
                .map_err(|error| EditedError::Give(error.into()))?
                .map_err(EditedError::from)
        }
        _ => Ok(lanai_control::read_files(directory)?),
    }
}

/// Gives everything that makes up a configuration to `owner`. What is not there is not missed.
pub(crate) fn give_configuration(directory: &Path, owner: Identity) -> io::Result<()> {
    let root = open_directory(nix::fcntl::AT_FDCWD, directory)?;
    for name in [SERVICES, LAYER7] {
        give_file(&root, Path::new(name), owner)?;
    }
    for name in FOLDERS {
        let folder = match open_directory(root.as_fd(), Path::new(name)) {
            Ok(folder) => folder,
            // A link to a directory is left to its owner, who may have had reasons.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => continue,
            Err(error) => return Err(error.into()),
        };
        give(folder.as_fd(), owner)?;
        let mut entries = Dir::from_fd(folder.try_clone()?)?;
        for entry in entries.iter().take(ENTRIES) {
            use std::os::unix::ffi::OsStrExt;
            let name = entry?.file_name().to_bytes().to_vec();
            give_file(
                &folder,
                Path::new(std::ffi::OsStr::from_bytes(&name)),
                owner,
            )?;
        }
    }
    Ok(())
}

/// Gives one directory.
pub(crate) fn give_directory(path: &Path, owner: Identity) -> Result<(), Errno> {
    give(open_directory(nix::fcntl::AT_FDCWD, path)?.as_fd(), owner)
}

fn open_directory(at: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

/// Gives a plain file: no link, no device, and no file with a second name, for it might be somebody
/// else's under that one.
fn give_file(folder: &OwnedFd, name: &Path, owner: Identity) -> Result<(), Errno> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other?,
    };
    let about = fstat(&file)?;
    let kind = SFlag::from_bits_truncate(about.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG || about.st_nlink != 1 {
        return Ok(());
    }
    give(file.as_fd(), owner)
}

fn give(file: impl AsFd, owner: Identity) -> Result<(), Errno> {
    fchownat(
        file,
        "",
        Some(owner.uid),
        Some(owner.gid),
        AtFlags::AT_EMPTY_PATH,
    )
}

/// Does something with another user's rights, and no other.
fn as_user<T>(user: Identity, work: impl FnOnce() -> T) -> Result<T, Errno> {
    setgroups(&[])?;
    setegid(user.gid)?;
    seteuid(user.uid)?;
    let result = work();
    seteuid(Uid::current())?;
    setegid(Gid::current())?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_second_names_are_not_given() {
        if !Uid::effective().is_root() {
            return;
        }
        let outside = tempfile::tempdir().unwrap();
        let theirs = outside.path().join("theirs");
        fs::write(&theirs, "x").unwrap();
        let linked = outside.path().join("linked");
        fs::write(&linked, "x").unwrap();

        let config = tempfile::tempdir().unwrap();
        let at = |name: &str| config.path().join(name);
        fs::create_dir(at("ssl")).unwrap();
        fs::write(at("haproxy.cfg"), "").unwrap();
        fs::write(at("ssl/plain.pem"), "").unwrap();
        symlink(&theirs, at("services.cfg")).unwrap();
        symlink(&theirs, at("ssl/link.pem")).unwrap();
        symlink(outside.path(), at("maps")).unwrap();
        fs::hard_link(&linked, at("ssl/second.pem")).unwrap();

        let owner = Identity {
            uid: Uid::from_raw(61_001),
            gid: Gid::from_raw(61_001),
        };
        give_configuration(config.path(), owner).unwrap();
        let uid = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        assert_eq!(uid(&at("haproxy.cfg")), 61_001);
        assert_eq!(uid(&at("ssl")), 61_001);
        assert_eq!(uid(&at("ssl/plain.pem")), 61_001);
        for path in [
            &theirs,
            &linked,
            &at("ssl/link.pem"),
            &outside.path().to_owned(),
        ] {
            assert_eq!(uid(path), 0, "{}", path.display());
        }
    }
}
