//! `-sf` and `-st`: taking the place of processes that run already.

use std::time::{Duration, Instant};

use lanai_engine::{Engine, Files, PrepareError, Prepared};
use lanai_model::layer7::Config;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::arguments::Arguments;
use super::report::Report;

/// How long we wait for the others to let go of their sockets; they stop listening at once.
const LIMIT: Duration = Duration::from_secs(3);
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The processes to stop.
#[derive(Debug)]
pub(super) struct Previous<'a> {
    pids: &'a [i32],
    signal: Signal,
    told: bool,
}

impl<'a> Previous<'a> {
    /// Those that the command line names.
    pub(super) fn new(arguments: &'a Arguments) -> Previous<'a> {
        let signal = if arguments.previous_at_once {
            Signal::SIGTERM
        } else {
            Signal::SIGUSR1
        };
        Previous {
            pids: &arguments.previous,
            signal,
            told: false,
        }
    }

    /// Tells them to stop, once.
    pub(super) fn stop(&mut self, report: &mut Report) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        for &pid in self.pids {
            if let Err(error) = kill(Pid::from_raw(pid), self.signal) {
                let signal = self.signal.as_str();
                report.notice(&format!(
                    "process {pid} could not be sent {signal}: {}",
                    error.desc()
                ));
            }
        }
    }

    /// Prepares; where nothing but the others' sockets is in the way, they are told to stop before
    /// everything listens, and what they let go of is taken.
    pub(super) fn prepare(
        &mut self,
        engine: &Engine,
        config: &Config,
        files: &dyn Files,
        report: &mut Report,
    ) -> Result<Prepared, Vec<PrepareError>> {
        let mut result = engine.prepare(config, files);
        if self.pids.is_empty() {
            return result;
        }
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            match &result {
                Err(problems) if problems.iter().all(is_taken) => {
                    self.stop(report);
                    std::thread::sleep(PAUSE);
                    result = engine.prepare(config, files);
                }
                _ => break,
            }
        }
        result
    }
}

/// Whether the problem is that somebody listens there.
fn is_taken(problem: &PrepareError) -> bool {
    let words = nix::errno::Errno::EADDRINUSE.desc();
    problem.message.contains(words)
}
