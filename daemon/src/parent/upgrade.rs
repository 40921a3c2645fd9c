//! The program file, and how this process goes on with a new one.

use std::ffi::OsString;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::attendance::Attendance;
use super::place::Place;

/// How long the new program may take to say its version.
const TRY_LIMIT: Duration = Duration::from_secs(10);

/// The file this process was started from, and the words it was started with.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    words: Vec<OsString>,
}

impl Program {
    /// The program that runs now. To be asked at the start: a file that is replaced later keeps its
    /// path, which is what an upgrade wants.
    pub(super) fn present() -> std::io::Result<Program> {
        let words = std::env::args_os().skip(1);
        let inherited = |word: &OsString| word.as_encoded_bytes().starts_with(b"--inherited=");
        Ok(Program {
            path: std::env::current_exe()?,
            words: words.filter(|word| !inherited(word)).collect(),
        })
    }

    /// Goes on with the file that is at the path now. Returns only if that failed, with the reason;
    /// nothing has changed then.
    ///
    /// The process stays the same, and so do lock and sockets. The children find their parent gone
    /// and attend it again.
    pub(super) async fn renew(&self, place: &Place, attendance: &Attendance) -> String {
        let failed = |what: String| format!("{}: {what}", self.path.display());
        if let Err(what) = self.is_ours() {
            return failed(what);
        }
        if let Err(what) = self.try_out().await {
            return failed(what);
        }
        let left = place.leave(true).and_then(|numbers| {
            let wards = [&attendance.control, &attendance.engine];
            let estates = wards.map(|ward| ward.estate().leave());
            let [control, engine] = estates;
            Ok((numbers, [control?, engine?]))
        });
        let inherited = left.as_ref().map(|(numbers, [control, engine])| {
            format!("{numbers},{},{}", control.as_raw_fd(), engine.as_raw_fd())
        });
        let numbers = match inherited {
            Ok(numbers) => numbers,
            Err(error) => {
                stay(place, attendance);
                return failed(error.to_string());
            }
        };
        tracing::info!("going on with {}", self.path.display());
        let error = Command::new(&self.path)
            .arg0("lanai")
            .args(&self.words)
            .arg(format!("--inherited={numbers}"))
            .exec();
        stay(place, attendance);
        failed(error.to_string())
    }

    /// Whoever could write the file could run what they like as root.
    fn is_ours(&self) -> Result<(), String> {
        let about = fs::metadata(&self.path).map_err(|error| error.to_string())?;
        if !about.is_file() || about.uid() != 0 || about.mode() & 0o022 != 0 {
            return Err(
                "it must be a file of root that nobody else can write (chown root, chmod 755)"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// A file that is no program for this machine, or not Lanai, is found before it is too late.
    async fn try_out(&self) -> Result<(), String> {
        let run = tokio::process::Command::new(&self.path)
            .arg("--version")
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(TRY_LIMIT, run)
            .await
            .map_err(|_| format!("--version took more than {}s", TRY_LIMIT.as_secs()))?
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && said.starts_with("lanai ") {
            return Ok(());
        }
        Err(format!(
            "it does not run as lanai: --version ended with {} and said '{}'",
            output.status,
            said.trim()
        ))
    }
}

/// A child that is started later must not get what was to be left to the next program.
fn stay(place: &Place, attendance: &Attendance) {
    let wards = [&attendance.control, &attendance.engine];
    let closed = wards.map(|ward| ward.estate().keep_open(false));
    for outcome in closed.into_iter().chain([place.leave(false).map(drop)]) {
        if let Err(error) = outcome {
            tracing::error!(%error, "a socket stays inheritable");
        }
    }
}
