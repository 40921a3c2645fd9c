//! One end of a connection under script: it sends, reads with limits, and remembers all it got.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::libc::linger as Linger;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};

use crate::bytes;

/// Patience for a step that should take no time, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How often a wait looks whether the case is over.
const SLICE: Duration = Duration::from_millis(20);

/// How a connection ended, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did not.
    Open,
    /// The peer finished.
    Finished,
    /// The peer reset it.
    Reset,
}

enum Link {
    Tcp(TcpStream),
    /// Closed by the script.
    Closed,
    /// `openssl s_client`: what goes in and comes out is the application's data.
    Tls(Tls),
}

struct Tls {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The scripted end.
pub(crate) struct Stream {
    link: Link,
    /// Everything received.
    pub(crate) received: Vec<u8>,
    /// How much of it the script has consumed.
    pub(crate) consumed: usize,
    /// How it ended.
    pub(crate) ending: Ending,
    /// Set when the case is over.
    stop: Arc<AtomicBool>,
}

/// Why a wait failed when the case was over: nobody's fault.
pub(crate) const STOPPED: &str = "the case is over";

impl Stream {
    /// A TCP connection.
    pub(crate) fn tcp(socket: TcpStream, stop: Arc<AtomicBool>) -> Stream {
        // A test that sends two pieces wants two segments.
        let _ = socket.set_nodelay(true);
        Stream::new(Link::Tcp(socket), stop)
    }

    /// A TLS connection by way of a running `openssl s_client -quiet`.
    pub(crate) fn tls(mut child: Child, stop: Arc<AtomicBool>) -> Stream {
        let input = child.stdin.take();
        let output = child.stdout.take().expect("its output is piped");
        Stream::new(
            Link::Tls(Tls {
                child,
                input,
                output,
            }),
            stop,
        )
    }

    fn new(link: Link, stop: Arc<AtomicBool>) -> Stream {
        Stream {
            link,
            received: Vec::new(),
            consumed: 0,
            ending: Ending::Open,
            stop,
        }
    }

    /// Sends everything, reading meanwhile so that neither side can block the other.
    pub(crate) fn send(&mut self, data: &[u8]) -> Result<(), String> {
        let end = Instant::now() + PATIENCE.max(Duration::from_secs(30));
        if let Link::Tls(Tls { input, .. }) = &mut self.link {
            let input = input.as_mut().ok_or("its input was closed")?;
            let sent = input.write_all(data).and_then(|()| input.flush());
            return sent.map_err(|error| format!("send: {error}"));
        }
        let mut rest = data;
        while !rest.is_empty() {
            if Instant::now() > end {
                return Err(format!(
                    "send: {} of {} bytes unsent",
                    rest.len(),
                    data.len()
                ));
            }
            match self.send_some(rest) {
                Ok(0) => self.pump(Duration::from_millis(5)),
                Ok(sent) => rest = &rest[sent..],
                Err(error) => return Err(format!("send: {:?}", error.kind())),
            }
        }
        Ok(())
    }

    fn send_some(&mut self, data: &[u8]) -> io::Result<usize> {
        let Link::Tcp(socket) = &mut self.link else {
            return Ok(0);
        };
        socket.set_nonblocking(true)?;
        let sent = match socket.write(data) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            other => other,
        };
        socket.set_nonblocking(false)?;
        sent
    }

    /// Reads what comes within `limit`, once; returns at once when something came.
    pub(crate) fn pump(&mut self, limit: Duration) {
        if self.ending != Ending::Open {
            return;
        }
        let fd = match &self.link {
            Link::Tcp(socket) => socket.as_fd(),
            Link::Tls(tls) => tls.output.as_fd(),
            Link::Closed => return,
        };
        // Rounded up: a poll that returns early would make waits look shorter than they were.
        let wait = u16::try_from(limit.as_millis() + 1).unwrap_or(u16::MAX);
        let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
        if !matches!(poll(&mut fds, PollTimeout::from(wait)), Ok(1..)) {
            return;
        }
        let mut buffer = vec![0; 65_536];
        let got = match &mut self.link {
            Link::Tcp(socket) => socket.read(&mut buffer),
            Link::Tls(tls) => tls.output.read(&mut buffer),
            Link::Closed => return,
        };
        match got {
            Ok(0) => self.ending = Ending::Finished,
            Ok(count) => self.received.extend_from_slice(&buffer[..count]),
            Err(_) => self.ending = Ending::Reset,
        }
    }

    /// Reads until `ready` finds what it wants in the unconsumed bytes and says how many to consume.
    pub(crate) fn wait(&mut self, ready: impl Fn(&[u8]) -> Option<usize>) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(count) = ready(&self.received[self.consumed..]) {
                self.consumed += count;
                return Ok(());
            }
            if self.ending != Ending::Open {
                return Err(format!("{:?} before it came", self.ending));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("did not come within {PATIENCE:?}"));
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err(STOPPED.to_owned());
            }
            self.pump(left.min(SLICE));
        }
    }

    /// Reads a whole message: a head, and the body its fields announce.
    pub(crate) fn message(&mut self) -> Result<(), String> {
        self.wait(message_length)
    }

    /// Reads for `limit` or until the peer ends.
    pub(crate) fn linger(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.ending == Ending::Open {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.load(Ordering::Relaxed) {
                return;
            }
            self.pump(left.min(SLICE));
        }
    }

    /// Ends the sending direction.
    pub(crate) fn shut(&mut self) {
        match &mut self.link {
            Link::Tcp(socket) => drop(socket.shutdown(Shutdown::Write)),
            Link::Tls(tls) => drop(tls.input.take()),
            Link::Closed => {}
        }
    }

    /// Closes the connection; what was received stays.
    pub(crate) fn hang_up(&mut self) {
        self.link = Link::Closed;
    }

    /// Makes the next close a reset.
    pub(crate) fn reset(&mut self) {
        if let Link::Tcp(socket) = &self.link {
            let linger = Linger {
                l_onoff: 1,
                l_linger: 0,
            };
            let _ = setsockopt(socket, sockopt::Linger, &linger);
        }
    }
}

/// Length of the message at the start of `data`, once all of it is there.
pub(crate) fn message_length(data: &[u8]) -> Option<usize> {
    let head = bytes::find(data, b"\r\n\r\n")? + 4;
    let lower = data[..head].to_ascii_lowercase();
    let field = |name: &[u8]| {
        let start = bytes::find(&lower, name)? + name.len();
        let length = lower[start..].iter().position(|&b| b == b'\r')?;
        Some(
            String::from_utf8_lossy(&lower[start..start + length])
                .trim()
                .to_owned(),
        )
    };
    let status = lower
        .starts_with(b"http/")
        .then(|| lower.get(9..12))
        .flatten();
    if status.is_some_and(|s| s.starts_with(b"1") || s == b"204" || s == b"304") {
        return Some(head);
    }
    if field(b"\r\ntransfer-encoding:").is_some_and(|coding| coding.ends_with("chunked")) {
        return chunked_length(&data[head..]).map(|body| head + body);
    }
    match field(b"\r\ncontent-length:").map(|n| n.parse::<usize>()) {
        Some(Ok(body)) => (data.len() >= head + body).then_some(head + body),
        _ => Some(head),
    }
}

fn chunked_length(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = bytes::find(&data[at..], b"\r\n")?;
        let digits = String::from_utf8_lossy(&data[at..at + line]).into_owned();
        let digits = digits
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let size = usize::from_str_radix(&digits, 16).ok()?;
        at += line + 2;
        if size == 0 {
            // Trailers, if any, end with an empty line.
            let rest = &data[at..];
            if rest.starts_with(b"\r\n") {
                return Some(at + 2);
            }
            return bytes::find(rest, b"\r\n\r\n").map(|end| at + end + 4);
        }
        at += size + 2;
        if data.len() < at {
            return None;
        }
    }
}
