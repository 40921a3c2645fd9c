//! Messages in HAProxy's grammar on standard error: `[ALERT]    (pid) : text`.

use std::io::Write;

use lanai_diagnostics::Severity;
use lanai_diagnostics::render::haproxy_line;

use crate::facts;

/// Writes messages and remembers whether any was a warning.
#[derive(Debug)]
pub(crate) struct Report {
    quiet: bool,
    announced: bool,
    warned: bool,
    pid: u32,
}

impl Report {
    /// Messages of this process, none of them shown if `quiet` (`-q`).
    pub(crate) fn new(quiet: bool) -> Report {
        Report {
            quiet,
            announced: false,
            warned: false,
            pid: std::process::id(),
        }
    }

    /// After a fork: messages carry the new process's id.
    pub(crate) fn renew_pid(&mut self) {
        self.pid = std::process::id();
    }

    /// The process id that messages carry.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether a warning was given, shown or not.
    pub(crate) fn warned(&self) -> bool {
        self.warned
    }

    /// `[ALERT]`.
    pub(crate) fn alert(&mut self, text: &str) {
        self.say(Severity::Alert, text);
    }

    /// `[WARNING]`.
    pub(crate) fn warning(&mut self, text: &str) {
        self.say(Severity::Warning, text);
    }

    /// `[NOTICE]`.
    pub(crate) fn notice(&mut self, text: &str) {
        self.say(Severity::Notice, text);
    }

    /// A message that a renderer has already put into the grammar.
    pub(crate) fn rendered(&mut self, severity: Severity, line: &str) {
        self.warned |= severity == Severity::Warning;
        self.announce();
        self.line(line);
    }

    fn say(&mut self, severity: Severity, text: &str) {
        self.warned |= severity == Severity::Warning;
        self.announce();
        self.line(&haproxy_line(
            severity,
            self.pid,
            &text.replace('\n', "\n   | "),
        ));
    }

    /// Before the first message HAProxy says who is speaking.
    fn announce(&mut self) {
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        let version = format!("haproxy version is {}", facts::version());
        self.line(&haproxy_line(Severity::Notice, self.pid, &version));
        if let Ok(path) = std::env::current_exe() {
            let path = format!("path to executable is {}", path.display());
            self.line(&haproxy_line(Severity::Notice, self.pid, &path));
        }
    }

    fn line(&self, line: &str) {
        if !self.quiet {
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}", line.trim_end_matches('\n'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_warning_is_still_a_warning() {
        let mut report = Report::new(true);
        report.notice("x");
        assert!(!report.warned());
        report.warning("x");
        assert!(report.warned());
    }
}
