//! The terminal under the console: lines in, text out.

use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Bytes of a line at most; what is longer is cut.
const LINE_LIMIT: usize = 400;

/// A terminal that hands over whole lines.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    /// Typed, and not handed over yet.
    typed: Vec<u8>,
}

/// What came of waiting for a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// This, without its end.
    Line(String),
    /// Not yet.
    Nothing,
    /// The terminal is not there any more.
    Gone,
}

impl Terminal {
    /// The process's own.
    pub(super) fn new() -> Terminal {
        Terminal::default()
    }

    /// Clears the screen and writes this.
    pub(super) fn paint(&self, text: &str) {
        self.write(&format!("\x1b[2J\x1b[H{text}"));
    }

    /// Writes a paragraph, and waits until it was read.
    pub(super) fn tell(&mut self, text: &str) {
        self.write(&format!("\n{}\n\nEnter goes on. ", text.trim_end()));
        let _ = self.line();
    }

    /// Asks for a line; `None` if nobody is there any more.
    pub(super) fn ask(&mut self, question: &str) -> Option<String> {
        self.write(&format!("{question}: "));
        self.line().map(|line| line.trim().to_owned())
    }

    pub(super) fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        // A terminal that is gone is noticed where it is read.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn line(&mut self) -> Option<String> {
        loop {
            match self.line_within(Duration::from_secs(3600)) {
                Typed::Line(line) => return Some(line),
                Typed::Nothing => {}
                Typed::Gone => return None,
            }
        }
    }

    /// A line, if one is there in time.
    pub(super) fn line_within(&mut self, limit: Duration) -> Typed {
        let until = Instant::now() + limit;
        loop {
            if let Some(line) = self.typed_line() {
                return Typed::Line(line);
            }
            let left = until.saturating_duration_since(Instant::now());
            let input = io::stdin();
            let mut wait = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut wait, timeout) {
                Ok(0) if left.is_zero() => return Typed::Nothing,
                Ok(0) | Err(Errno::EINTR) => continue,
                Ok(_) => {}
                Err(_) => return Typed::Gone,
            }
            let mut some = [0; 256];
            match nix::unistd::read(input.as_fd(), &mut some) {
                Ok(0) => return Typed::Gone,
                Ok(count) => self.take(some.get(..count).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                Err(_) => return Typed::Gone,
            }
        }
    }

    fn take(&mut self, some: &[u8]) {
        for byte in some {
            let end = matches!(byte, b'\n' | b'\r');
            if end || self.typed.len() < LINE_LIMIT {
                self.typed.push(*byte);
            }
        }
    }

    fn typed_line(&mut self) -> Option<String> {
        let end = self
            .typed
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let rest = self.typed.split_off(end);
        let line = std::mem::replace(&mut self.typed, rest);
        self.typed.drain(..1);
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_over_whole_and_bounded() {
        let mut terminal = Terminal::new();
        terminal.take(b"1\nne");
        assert_eq!(terminal.typed_line().as_deref(), Some("1"));
        assert_eq!(terminal.typed_line(), None);
        terminal.take(b"xt\r");
        assert_eq!(terminal.typed_line().as_deref(), Some("next"));
        terminal.take(&[b'x'; 10_000]);
        terminal.take(b"\n");
        assert_eq!(
            terminal.typed_line().map(|line| line.len()),
            Some(LINE_LIMIT)
        );
    }
}
