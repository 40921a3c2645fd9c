//! What the box is beside its network, on the image: files for the programs that do it.
//!
//! Each part has one file, which says in its first line what it was made of, so that it can be read
//! back: if the rest is not what that gives, somebody changed it. A file is whole or not there at all.
//! The programs are started by init and read the file at their start; they are ended here when it
//! changed, and init starts them again.

mod render;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use lanai_network::{ObservedSystem, Part, Setting, unfit};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{gethostname, sethostname};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Bytes of a file that are read: a thousand keys, twice.
const FILE_LIMIT: u64 = 4 << 20;

/// How long a program may take to end: rsyslogd passes on what it still holds.
const PATIENCE: Timespec = Timespec {
    tv_sec: 2,
    tv_nsec: 0,
};

/// What begins the first line.
const MARK: &str = "# lanai ";

/// The directory in which the image keeps what concerns it as a system.
#[derive(Clone, Debug)]
pub struct System {
    place: PathBuf,
}

impl System {
    /// The system in this directory: `/run/appliance` on the image.
    pub fn at(place: impl Into<PathBuf>) -> Self {
        Self {
            place: place.into(),
        }
    }

    /// What it is. What cannot be read is not as it should be.
    pub(crate) fn observe(&self) -> ObservedSystem {
        let mut observed = ObservedSystem::default();
        for part in Part::ALL {
            let text = read(&self.file(part));
            let setting = text.as_deref().and_then(made_of);
            let setting = setting.filter(|setting| setting.part() == part);
            let as_made = match (&text, &setting) {
                (None, _) => true,
                (Some(text), Some(setting)) => *text == render::file(setting),
                (Some(_), None) => false,
            };
            if !as_made || !self.follows(part, setting.as_ref()) {
                observed.altered.push(part);
            }
            observed.settings.extend(setting);
        }
        observed
    }

    /// Makes the box so in this respect, or leaves it to the image.
    ///
    /// # Errors
    /// Names the file, or what the kernel refused.
    pub(crate) fn set(&self, part: Part, to: Option<&Setting>) -> io::Result<()> {
        if let Some(wrong) = to.and_then(unfit) {
            let text = format!("'{}' must not get into a file", wrong.escape_debug());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        if to.is_some_and(|setting| setting.part() != part) {
            let text = "what is to be set is something else";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let file = self.file(part);
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory).map_err(|error| of(directory, &error))?;
        }
        match to {
            Some(setting) => replace(&file, &render::file(setting), mode(part))?,
            None => match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(of(&file, &error));
                }
                _ => {}
            },
        }
        match part {
            Part::Name => self.take_name(to),
            Part::Resolver => self.compose_resolver(),
            Part::Time | Part::Log | Part::Shell => {
                self.end_program(part);
                Ok(())
            }
        }
    }

    /// Makes `resolv.conf` of what is configured and of what DHCP servers said.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn compose_resolver(&self) -> io::Result<()> {
        // Whoever gives names and whoever gets leases are two processes.
        let path = self.place.join("resolver.lock");
        let lock = File::create(&path).map_err(|error| of(&path, &error))?;
        let _held = Flock::lock(lock, FlockArg::LockExclusive)
            .map_err(|(_, error)| of(&path, &error.into()))?;
        let resolver = self.place.join("resolv.conf");
        let text = self.resolver();
        if read(&resolver).as_deref() == Some(text.as_str()) {
            return Ok(());
        }
        replace(&resolver, &text, 0o644)
    }

    /// Notes the name servers that a DHCP server said, and uses them unless others are configured.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn lease_resolvers(&self, servers: &[std::net::Ipv4Addr]) -> io::Result<()> {
        let lines: String = servers
            .iter()
            .map(|server| format!("nameserver {server}\n"))
            .collect();
        replace(&self.place.join("resolv.lease"), &lines, 0o644)?;
        self.compose_resolver()
    }

    fn resolver(&self) -> String {
        let file = read(&self.file(Part::Resolver));
        let setting = file.as_deref().and_then(made_of);
        let lease = read(&self.place.join("resolv.lease")).unwrap_or_default();
        render::resolver(setting.as_ref(), &lease)
    }

    /// Whether what follows from a file is so.
    fn follows(&self, part: Part, setting: Option<&Setting>) -> bool {
        match part {
            Part::Name => {
                let name = self.name(setting);
                let now = gethostname().ok();
                now.is_some_and(|now| *now == *name)
                    && read(&self.place.join("hosts")) == Some(render::hosts(&name))
            }
            Part::Resolver => {
                read(&self.place.join("resolv.conf")).unwrap_or_default() == self.resolver()
            }
            Part::Time | Part::Log | Part::Shell => !self.is_stale(part),
        }
    }

    /// The name that the box has with this setting; else the image's.
    fn name(&self, setting: Option<&Setting>) -> String {
        if let Some(Setting::Name(name)) = setting {
            return name.clone();
        }
        let own = read(&self.place.join("hostname")).unwrap_or_default();
        match own.trim() {
            "" => "lanai".to_owned(),
            own => own.to_owned(),
        }
    }

    fn take_name(&self, setting: Option<&Setting>) -> io::Result<()> {
        let name = self.name(setting);
        sethostname(&name).map_err(|error| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("cannot name the box {name}: {error}"))
        })?;
        replace(&self.place.join("hosts"), &render::hosts(&name), 0o644)
    }

    /// Whether a program is at work that was started before its file changed.
    fn is_stale(&self, part: Part) -> bool {
        let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let note = self.note(part);
        match (changed(&self.file(part)), changed(&note)) {
            (Some(file), Some(started)) => file > started && self.at_work(part).is_some(),
            _ => false,
        }
    }

    /// Ends the program that read the file, if it is at work, and waits for its end: the next look would
    /// find it at work still. init starts it again.
    fn end_program(&self, part: Part) {
        let Some(pid) = self.at_work(part) else {
            return;
        };
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        // The number may have become somebody else's before it was held.
        if self.at_work(part) != Some(pid) {
            return;
        }
        for signal in [Signal::TERM, Signal::KILL] {
            // Gone already is as good.
            let _ = pidfd_send_signal(&process, signal);
            if has_ended(&process) {
                return;
            }
        }
    }

    /// The process that the image's start noted, if it is that program still, and has not ended.
    fn at_work(&self, part: Part) -> Option<Pid> {
        let pid: i32 = read(&self.note(part))?.trim().parse().ok()?;
        // Number, name in parentheses, state (proc_pid_stat(5)).
        let stat = read(&PathBuf::from(format!("/proc/{pid}/stat")))?;
        let (program, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let programs: &[&str] = match part {
            Part::Name | Part::Resolver => &[],
            Part::Time => &["chronyd"],
            Part::Log => &["syslogd", "rsyslogd"],
            Part::Shell => &["dropbear"],
        };
        let ended = rest.starts_with(['Z', 'X']);
        let pid = Pid::from_raw(pid).filter(|pid| !pid.is_init())?;
        (!ended && programs.contains(&program)).then_some(pid)
    }

    fn note(&self, part: Part) -> PathBuf {
        self.place.join("running").join(word(part))
    }

    fn file(&self, part: Part) -> PathBuf {
        self.place.join("system").join(word(part))
    }
}

fn word(part: Part) -> &'static str {
    match part {
        Part::Name => "name",
        Part::Resolver => "resolver",
        Part::Time => "chrony.conf",
        Part::Log => "rsyslog.conf",
        Part::Shell => "sshd",
    }
}

/// Names and servers are everybody's to read; who has a key need not be.
fn mode(part: Part) -> u32 {
    match part {
        Part::Name | Part::Resolver | Part::Time | Part::Log => 0o644,
        Part::Shell => 0o600,
    }
}

/// What a file says it was made of.
fn made_of(text: &str) -> Option<Setting> {
    let first = text.lines().next()?.strip_prefix(MARK)?;
    serde_json::from_str(first).ok()
}

/// Waits for a process to end, but not for long.
fn has_ended(process: &OwnedFd) -> bool {
    // A pidfd is readable once the process has ended (pidfd_open(2)).
    let mut ends = [PollFd::new(process, PollFlags::IN)];
    matches!(poll(&mut ends, Some(&PATIENCE)), Ok(1))
}

/// A file that is not there, or no text, or too long to be ours, says nothing.
fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(FILE_LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Puts a file in the place of another: written, on its medium, and then called so.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let next = path.with_extension("next");
    let written = (|| {
        // One that was left half-way may have another mode.
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&next)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, path)?;
        match path.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    })();
    written.map_err(|error| of(path, &error))
}

fn of(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
