//! The directories, the lock and the sockets: all that the parent makes ready while it still may do
//! anything.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, Uid, chown};

use crate::ownership;
use crate::rights::Identity;
use crate::wire::{engine, parent, shell};

/// The parent's process id, and the lock that keeps a second parent away.
const PID_FILE: &str = "daemon.pid";

/// The directories and what the parent holds open in them.
#[derive(Debug)]
pub(super) struct Place {
    config: PathBuf,
    state: PathBuf,
    run: PathBuf,
    /// Held for its lock.
    pid_file: Flock<File>,
    /// A former parent ended without clearing up.
    orphaned: bool,
    parent: UnixListener,
    control: UnixListener,
    engine: UnixListener,
}

/// Why a directory or a socket could not be made ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// The kernel said no.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another parent has it.
    #[error(
        "another lanai daemon{} uses {}: stop it, or choose another directory with --run",
        owner(pid.as_deref()),
        run.display()
    )]
    Taken {
        /// The directory.
        run: PathBuf,
        /// Its process id, as its pid file says.
        pid: Option<String>,
    },
    /// What a former program of this process left is not what it should be.
    #[error("--inherited={0} names no lock and sockets: only an upgrade gives it")]
    Inherited(String),
    /// A directory whose owner must not be changed.
    #[error("{} is a directory of the system: choose one of Lanai's own", .0.display())]
    System(PathBuf),
}

impl Place {
    /// Makes the directories with their owners, takes the lock, and opens the sockets.
    pub(super) fn prepare(
        config: &Path,
        state: &Path,
        run: &Path,
        control: Identity,
        engine: Identity,
    ) -> Result<Place, PlaceError> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| io_error("find", path, source))
        };
        let (config, state, run) = (absolute(config)?, absolute(state)?, absolute(run)?);
        // The engine may add sockets of its own to the run directory and touch no others'.
        let shared = Identity {
            uid: Uid::from_raw(0),
            gid: engine.gid,
        };
        directory(&run, shared, 0o1775)?;
        let (pid_file, orphaned) = lock(&run)?;
        directory(&config, control, 0o750)?;
        directory(&state, control, 0o700)?;
        ownership::give_configuration(&config, control)
            .map_err(|source| io_error("change the owner of what is in", &config, source))?;
        Ok(Place {
            parent: socket(&run.join(parent::SOCKET), control, engine.gid)?,
            // Root asks there too, on the image without the right to pass over modes.
            control: socket(&run.join(shell::SOCKET), control, Gid::from_raw(0))?,
            // And so does the parent here.
            engine: socket(&run.join(engine::SOCKET), control, Gid::from_raw(0))?,
            config,
            state,
            run,
            pid_file,
            orphaned,
        })
    }

    /// Takes over what the program that this process ran before an upgrade had open: lock and sockets
    /// by number, as [`Place::leave`] wrote them. What follows those is returned as it is.
    pub(super) fn inherit(
        config: &Path,
        state: &Path,
        run: &Path,
        numbers: &str,
    ) -> Result<(Place, Vec<OwnedFd>), PlaceError> {
        let wrong = || PlaceError::Inherited(numbers.to_owned());
        let each: Vec<RawFd> = numbers
            .split(',')
            .map_while(|number| number.parse().ok())
            .collect();
        let Some(([lock, parent, control, engine], estates)) = each.split_first_chunk() else {
            return Err(wrong());
        };
        let (lock, estates) = (*lock, estates.iter().map(|number| take(*number, false)));
        let listener = |number: &RawFd| take(*number, true).map(UnixListener::from);
        let sockets = [listener(parent), listener(control), listener(engine)];
        let [Some(parent), Some(control), Some(engine)] = sockets else {
            return Err(wrong());
        };
        let lock = File::from(take(lock, false).ok_or_else(wrong)?);
        // It is the same open file, so the lock is held already.
        let pid_file = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|_| wrong())?;
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| io_error("find", path, source))
        };
        let place = Place {
            config: absolute(config)?,
            state: absolute(state)?,
            run: absolute(run)?,
            pid_file,
            orphaned: true,
            parent,
            control,
            engine,
        };
        Ok((place, estates.flatten().collect()))
    }

    /// Makes lock and sockets outlive this program, for [`Place::inherit`]; with `false`, no longer.
    pub(super) fn leave(&self, open: bool) -> io::Result<String> {
        let all = [
            self.pid_file.as_fd(),
            self.parent.as_fd(),
            self.control.as_fd(),
            self.engine.as_fd(),
        ];
        for descriptor in all {
            keep_open(descriptor, open)?;
        }
        Ok(all.map(|one| one.as_raw_fd().to_string()).join(","))
    }

    /// The configuration directory.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// The state directory.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// The run directory.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }

    /// The listening socket that the control process answers on.
    pub(super) fn control_listener(&self) -> io::Result<UnixListener> {
        self.control.try_clone()
    }

    /// The listening socket that the engine answers on.
    pub(super) fn engine_listener(&self) -> io::Result<UnixListener> {
        self.engine.try_clone()
    }

    /// The parent's own.
    pub(super) fn parent_listener(&self) -> io::Result<tokio::net::UnixListener> {
        let listener = self.parent.try_clone()?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    }

    /// Whether children of a former parent may be about.
    pub(super) fn is_orphaned(&self) -> bool {
        self.orphaned
    }

    /// Where the id of a child is noted.
    pub(super) fn note(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.pid"))
    }

    /// Removes the sockets and the pid file.
    pub(super) fn clear(self) {
        let notes = ["control.pid", "engine.pid"];
        for name in [parent::SOCKET, shell::SOCKET, engine::SOCKET, PID_FILE]
            .iter()
            .chain(&notes)
        {
            // What is left over is removed at the next start.
            let _ = fs::remove_file(self.run.join(name));
        }
    }
}

fn io_error(what: &'static str, path: &Path, source: impl Into<io::Error>) -> PlaceError {
    PlaceError::Io {
        what,
        path: path.to_owned(),
        source: source.into(),
    }
}

fn owner(pid: Option<&str>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// Makes `path` if need be, and gives it its owner. The mode is set only on a new one, save for the
/// run directory's sticky bit: an administrator may have had reasons.
fn directory(path: &Path, owner: Identity, mode: u32) -> Result<(), PlaceError> {
    // `/`, `/etc` and their like have at most one name.
    if path.components().count() <= 2 {
        return Err(PlaceError::System(path.to_owned()));
    }
    let is_new = !path.exists();
    fs::create_dir_all(path).map_err(|source| io_error("create", path, source))?;
    ownership::give_directory(path, owner)
        .map_err(|source| io_error("change the owner of", path, source))?;
    if is_new || mode & 0o1000 != 0 {
        let mode = Permissions::from_mode(mode);
        fs::set_permissions(path, mode)
            .map_err(|source| io_error("change the mode of", path, source))?;
    }
    Ok(())
}

/// Takes the lock; tells too whether who had it last did not clear up.
fn lock(run: &Path) -> Result<(Flock<File>, bool), PlaceError> {
    let path = run.join(PID_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path);
    let file = file.map_err(|source| io_error("open", &path, source))?;
    let mut file =
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
            Errno::EWOULDBLOCK => PlaceError::Taken {
                run: run.to_owned(),
                pid: fs::read_to_string(&path)
                    .ok()
                    .map(|text| text.trim().to_owned()),
            },
            error => io_error("lock", &path, error),
        })?;
    let left = file.metadata().is_ok_and(|about| about.len() > 0);
    // Never empty once it was written: that tells the next one that there may be children.
    let text = format!("{}\n", std::process::id());
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.set_len(text.len() as u64));
    written.map_err(|source| io_error("write", &path, source))?;
    Ok((file, left))
}

/// Opens a listening socket that `owner` and `group` may connect to.
fn socket(path: &Path, owner: Identity, group: Gid) -> Result<UnixListener, PlaceError> {
    // The lock says that whoever left this one is gone.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("remove", path, error));
        }
        _ => {}
    }
    let listener =
        UnixListener::bind(path).map_err(|source| io_error("listen on", path, source))?;
    let mode = Permissions::from_mode(0o660);
    fs::set_permissions(path, mode)
        .map_err(|source| io_error("change the mode of", path, source))?;
    chown(path, Some(owner.uid), Some(group))
        .map_err(|source| io_error("change the owner of", path, source))?;
    Ok(listener)
}

/// Whether a descriptor stays open when this process goes on with another program.
pub(super) fn keep_open(descriptor: BorrowedFd<'_>, open: bool) -> io::Result<()> {
    let flag = if open {
        FdFlag::empty()
    } else {
        FdFlag::FD_CLOEXEC
    };
    fcntl(descriptor, FcntlArg::F_SETFD(flag))?;
    Ok(())
}

/// Takes a descriptor over by its number.
pub(super) fn take(number: RawFd, listens: bool) -> Option<OwnedFd> {
    if number < 3 {
        return None;
    }
    // SAFETY: the number comes from the command line that an upgrade gave to this process as its
    // first act, where nothing else in it knows the number yet. One that is not open is found right
    // below and forgotten, not closed.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    let open = fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).is_ok();
    if open && (!listens || getsockopt(&descriptor, sockopt::AcceptConn) == Ok(true)) {
        return Some(descriptor);
    }
    if !open {
        std::mem::forget(descriptor);
    }
    None
}
