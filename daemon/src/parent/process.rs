//! A process of ours: started by us, or by the parent before us.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A running process that the kernel tells us the end of, whoever its father is.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    descriptor: AsyncFd<OwnedFd>,
    /// When it was started, or found.
    pub(super) since: Instant,
    /// When it last gave a sign of life.
    pub(super) heard: Instant,
    /// It has attended.
    pub(super) attends: bool,
}

impl Process {
    /// Starts the program that this process runs, under the name `lanai`.
    pub(super) fn start(arguments: &[std::ffi::OsString]) -> io::Result<Process> {
        let mut command = Command::new("/proc/self/exe");
        // Nothing of whoever started the service leaks in, save what is for us.
        command
            .arg0("lanai")
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for name in ["LANAI_LOG", "TZ", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // A group of its own: Ctrl-C is for the parent, which then stops its children in order.
        let mut child = command
            .stdin(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()?;
        // It cannot have been reaped: that is done below, by us.
        Process::find(child.id()).inspect_err(|_| {
            // Nobody would see its end.
            let _ = child.kill();
            let _ = child.wait();
        })
    }

    /// Takes up a process that runs.
    pub(super) fn find(pid: u32) -> io::Result<Process> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        let descriptor = pidfd_open(pid, PidfdFlags::empty())?;
        // SAFETY: the value owns the descriptor, and neither it nor we close or replace it before it
        // is dropped.
        let descriptor =
            unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
        let now = Instant::now();
        Ok(Process {
            pid,
            descriptor,
            since: now,
            heard: now,
            attends: false,
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits for its end, and tells how it came.
    pub(super) async fn ended(&self) -> String {
        // A pidfd is readable once the process has ended, and stays so (pidfd_open(2)).
        if let Err(error) = self.descriptor.readable().await {
            return error.to_string();
        }
        let pid = nix::unistd::Pid::from_raw(self.pid.as_raw_nonzero().get());
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => format!("exit status: {code}"),
            Ok(WaitStatus::Signaled(_, signal, _)) => format!("signal: {signal}"),
            // Not our child, but an adopted one.
            _ => "its status is its former parent's".to_owned(),
        }
    }

    /// Sends a signal. A process that has ended just now needs none.
    pub(super) fn signal(&self, signal: Signal) {
        let signal = rustix::process::Signal::from_named_raw(signal as i32);
        if let Some(signal) = signal {
            let _ = pidfd_send_signal(self.descriptor.get_ref(), signal);
        }
    }

    /// Leaves its id in a file, so that the next parent knows whom to wait for.
    pub(super) fn note(&self, path: &Path) {
        let text = format!("{} {}\n", self.pid(), birth(self.pid()).unwrap_or_default());
        // There is a whole note at any time, whenever we die.
        let beside = path.with_extension("pid.new");
        let written = write_new(&beside, &text).and_then(|()| fs::rename(&beside, path));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write {}", path.display());
            // The next parent waits for one that nobody noted, and not where the note names another.
            for wrong in [beside.as_path(), path] {
                let _ = fs::remove_file(wrong);
            }
        }
    }
}

/// Whom a former parent noted.
#[derive(Debug)]
pub(super) enum Noted {
    /// It still runs.
    Running(Process),
    /// It has ended.
    Ended,
    /// Nobody, or nobody knows.
    Nobody,
}

impl Noted {
    /// Reads a note.
    pub(super) fn read(path: &Path) -> Noted {
        let Some((pid, born)) = noted(path) else {
            return Noted::Nobody;
        };
        match Process::find(pid) {
            Ok(process) if birth(pid).as_ref() == Some(&born) => Noted::Running(process),
            Ok(_) => Noted::Ended,
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Noted::Ended,
            Err(_) => Noted::Nobody,
        }
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    // What a parent left that died while it wrote.
    fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Process id and birth.
fn noted(path: &Path) -> Option<(u32, String)> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .ok()?;
    // The engine may make files in this directory; only root's count.
    if file.metadata().ok()?.uid() != 0 {
        return None;
    }
    let text = io::read_to_string(file).ok()?;
    let (pid, born) = text.trim().split_once(' ')?;
    Some((pid.parse().ok()?, born.to_owned()))
}

/// When a process was started, in ticks since the boot (field 22 of /proc/PID/stat, proc(5)): with
/// its id it names it for good.
fn birth(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_note_is_whole_or_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.pid");
        assert!(matches!(Noted::read(&path), Noted::Nobody));
        fs::write(&path, "1 never\n").unwrap();
        assert!(matches!(Noted::read(&path), Noted::Ended));
        let own = Process::find(std::process::id()).unwrap();
        own.note(&path);
        let noted = Noted::read(&path);
        assert!(matches!(noted, Noted::Running(same) if same.pid() == own.pid()));
        fs::write(&path, "").unwrap();
        assert!(matches!(Noted::read(&path), Noted::Nobody));
    }

    #[tokio::test]
    async fn a_note_that_cannot_be_written_leaves_none_of_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.pid");
        fs::write(&path, "1 never\n").unwrap();
        // Nothing can be written where a directory is.
        let beside = directory.path().join("engine.pid.new/in the way");
        fs::create_dir_all(beside).unwrap();
        Process::find(std::process::id()).unwrap().note(&path);
        assert!(matches!(Noted::read(&path), Noted::Nobody));
    }
}
