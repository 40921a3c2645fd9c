//! Processes that end with the test, however it ends.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::wait::until;

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; 128 + signal for one that was killed, 124 when its time was up.
    pub code: i32,
    /// Standard output, lossy.
    pub stdout: String,
    /// Standard error, lossy.
    pub stderr: String,
}

impl Finished {
    /// The standard output of a command that had to succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.code == 0, "a command had to succeed: {self:#?}");
        self.stdout
    }

    /// Both outputs, for messages that may be on either.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a command to its end, at most `limit`.
#[track_caller]
pub fn run(argv: &[&str], limit: Duration) -> Finished {
    let output = Command::new("timeout")
        .args(["-k", "1"])
        .arg(format!("{}", limit.as_secs_f64()))
        .args(argv)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {argv:?}: {error}"));
    Finished {
        code: code_of(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A process in the background. Dropped, it and what it started are killed; its log is printed if
/// the test is failing.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `argv` with both outputs going to `log`.
    #[track_caller]
    pub fn start(argv: &[&str], log: &Path) -> Process {
        let out = File::create(log).unwrap();
        let mut command = Command::new(argv[0]);
        command
            .args(&argv[1..])
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .process_group(0);
        // SAFETY: between fork and exec only async-signal-safe functions may run; the closure makes
        // one system call, prctl, and allocates nothing.
        unsafe {
            command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?));
        }
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {argv:?}: {error}"));
        Process {
            child,
            name: argv.join(" "),
            log: log.to_owned(),
        }
    }

    /// Process id of the command itself.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal to the command (not to what it started).
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for the end and gives the exit code (128 + signal when killed).
    #[track_caller]
    pub fn ended(&mut self, limit: Duration) -> i32 {
        let what = format!("the end of {}", self.name);
        code_of(until(&what, limit, || self.child.try_wait().unwrap()))
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group is ours alone (process_group above), so this reaches its children too.
        let _ = killpg(self.pid(), Signal::SIGKILL);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.name, self.log());
        }
    }
}

fn code_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
