//! Log lines on their way to syslog servers (HAProxy manual, section 3.1, `log`).

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::ZonedDateTime;
use lanai_model::layer7::{LogAddress, LogTarget, LogTransport};
use tokio::sync::mpsc;

/// Syslog severities (RFC 5424, section 6.2.1).
pub(crate) const EMERG: u8 = 0;
pub(crate) const ALERT: u8 = 1;
pub(crate) const ERR: u8 = 3;
pub(crate) const WARNING: u8 = 4;
pub(crate) const NOTICE: u8 = 5;
pub(crate) const INFO: u8 = 6;

/// Lines that may wait to be sent. More are dropped and counted: logging must not slow traffic down.
const QUEUE: usize = 16 * 1024;

/// Where workers put lines.
#[derive(Clone)]
pub(crate) struct LogSender {
    queue: mpsc::Sender<Line>,
    dropped: Arc<AtomicU64>,
}

pub(crate) struct Line {
    targets: Arc<[LogTarget]>,
    level: u8,
    message: Vec<u8>,
}

impl LogSender {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Line>) {
        let (queue, lines) = mpsc::channel(QUEUE);
        (
            Self {
                queue,
                dropped: Arc::default(),
            },
            lines,
        )
    }

    /// Hands over a line without its header.
    pub(crate) fn send(&self, targets: &Arc<[LogTarget]>, level: u8, message: Vec<u8>) {
        let line = Line {
            targets: targets.clone(),
            level,
            message,
        };
        if self.queue.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were dropped because too many waited.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The local time `ago_ms` ago, as access logs have it.
pub(crate) fn date(ago_ms: u64) -> String {
    let then = ZonedDateTime::now().saturating_sub(Duration::from_millis(ago_ms));
    then.strftime("%d/%b/%Y:%H:%M:%S.%3f").to_string()
}

/// Sends lines until all senders are gone.
pub(crate) async fn run(mut lines: mpsc::Receiver<Line>, tag: String) {
    let mut sockets = Sockets::default();
    let mut out = Vec::new();
    let pid = std::process::id();
    while let Some(line) = lines.recv().await {
        for target in line.targets.iter().filter(|t| line.level <= t.max_level) {
            out.clear();
            header(
                target,
                line.level.max(target.min_level),
                &tag,
                pid,
                &mut out,
            );
            out.extend_from_slice(&line.message);
            // The length counts the line's end.
            out.truncate(usize::from(target.len).saturating_sub(1));
            out.push(b'\n');
            sockets.send(&target.address, &out);
        }
    }
}

fn header(target: &LogTarget, level: u8, tag: &str, pid: u32, out: &mut Vec<u8>) {
    let priority = u16::from(target.facility) * 8 + u16::from(level);
    let old = || ZonedDateTime::now().strftime("%b %e %H:%M:%S").to_string();
    let written = match target.format {
        LogTransport::Local => write!(out, "<{priority}>{} {tag}[{pid}]: ", old()),
        LogTransport::Rfc3164 => write!(out, "<{priority}>{} localhost {tag}[{pid}]: ", old()),
        LogTransport::Rfc5424 => {
            let time = ZonedDateTime::now()
                .strftime("%Y-%m-%dT%H:%M:%S.%6f%:z")
                .to_string();
            write!(out, "<{priority}>1 {time} - {tag} {pid} - - ")
        }
        LogTransport::Priority => write!(out, "<{priority}>"),
        LogTransport::Short => write!(out, "<{level}>"),
        LogTransport::Raw => Ok(()),
    };
    written.expect("writing to a Vec cannot fail");
}

/// One socket of each kind. What cannot be sent at once is lost, as with any datagram.
#[derive(Default)]
struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    unix: Option<UnixDatagram>,
    fds: std::collections::HashMap<i32, Option<OwnedFd>>,
}

impl Sockets {
    fn send(&mut self, address: &LogAddress, line: &[u8]) {
        match address {
            LogAddress::Udp(address) => self.send_udp(*address, line),
            LogAddress::Unix(path) => self.send_unix(path, line),
            LogAddress::Fd(number) => self.send_fd(*number, line),
        }
    }

    fn send_udp(&mut self, address: SocketAddr, line: &[u8]) {
        let (slot, any) = match address {
            SocketAddr::V4(_) => (&mut self.v4, "0.0.0.0:0"),
            SocketAddr::V6(_) => (&mut self.v6, "[::]:0"),
        };
        if slot.is_none() {
            *slot = UdpSocket::bind(any)
                .and_then(|s| s.set_nonblocking(true).map(|()| s))
                .ok();
        }
        if let Some(socket) = slot {
            let _ = socket.send_to(line, address);
        }
    }

    fn send_unix(&mut self, path: &Path, line: &[u8]) {
        if self.unix.is_none() {
            self.unix = UnixDatagram::unbound()
                .and_then(|s| s.set_nonblocking(true).map(|()| s))
                .ok();
        }
        if let Some(socket) = &self.unix {
            let _ = socket.send_to(line, path);
        }
    }

    fn send_fd(&mut self, number: i32, line: &[u8]) {
        let fd = self.fds.entry(number).or_insert_with(|| {
            // SAFETY: the number is not negative where it is parsed, and it is only used to duplicate
            // the descriptor here; that fails if it is not open.
            let borrowed = (number >= 0).then(|| unsafe { BorrowedFd::borrow_raw(number) });
            borrowed.and_then(|fd| fd.try_clone_to_owned().ok())
        });
        if let Some(fd) = fd {
            let _ = rustix::io::write(fd, line);
        }
    }
}
