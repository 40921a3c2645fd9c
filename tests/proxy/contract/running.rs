//! Processes and sockets of the contract's tests.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{GOOD, free_port, write};
use crate::engine::{Kind, inherit};
use crate::stage::REPLY;

/// An engine under the test's hand.
pub(super) struct Running {
    pub(super) child: Child,
    out: PathBuf,
    pipe: std::io::PipeReader,
}

impl Running {
    /// Starts it with its standard output on a pipe that tells when nobody holds it any longer, as
    /// VTest does, and its messages in a file.
    pub(super) fn start(
        directory: &Path,
        words: &[&str],
        notify: Option<&Path>,
        fds: &[(&str, &TcpListener)],
    ) -> Running {
        let (pipe, writer) = std::io::pipe().unwrap();
        let out = directory.join("messages");
        // One program for what comes over the pipe: standard output is copied behind the messages.
        let messages = File::create(&out).unwrap();
        let mut command: Command = Kind::Lanai.command();
        command
            .args(words)
            .env("LANAI_TEST", "a b")
            .stdin(Stdio::piped());
        let printing = words
            .iter()
            .any(|w| ["-c", "-v", "-vv", "-cc", "-zz"].contains(w))
            || words.is_empty();
        match printing {
            true => command.stdout(messages.try_clone().unwrap()),
            false => command.stdout(writer.try_clone().unwrap()),
        };
        command.stderr(messages).env_remove("NOTIFY_SOCKET");
        if let Some(path) = notify {
            command.env("NOTIFY_SOCKET", path);
        }
        for (name, listener) in fds {
            inherit(&mut command, name, listener);
        }
        let child = command.spawn().unwrap();
        drop(writer);
        drop(command);
        Running { child, out, pipe }
    }

    pub(super) fn output(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    #[track_caller]
    pub(super) fn ended(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < end,
                "not ended within {limit:?}: {}",
                self.output()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the pipe's other end is closed.
    pub(super) fn pipe_ended(&mut self, limit: Duration) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let end = Instant::now() + limit;
        let mut buffer = [0; 4_096];
        while Instant::now() < end {
            let mut fds = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
            if matches!(poll(&mut fds, PollTimeout::from(100_u8)), Ok(1..))
                && matches!(self.pipe.read(&mut buffer), Ok(0))
            {
                return true;
            }
        }
        false
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running engine with one frontend on a port of its own, and that port.
pub(super) fn plain(server: &Server, words: &[&str]) -> (Running, u16, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = GOOD
        .replace("{port}", &port.to_string())
        .replace("127.0.0.1:9\n", &format!("127.0.0.1:{}\n", server.port));
    let file = write(&directory, "haproxy.cfg", &config);
    let mut engine = Running::start(
        directory.path(),
        &[words, &["-f", &file]].concat(),
        None,
        &[],
    );
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = engine.child.try_wait().unwrap();
        assert!(
            ended.is_none() && Instant::now() < end,
            "does not listen: {}",
            engine.output()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    (engine, port, directory)
}

/// A server that answers one request after a pause.
pub(super) struct Server {
    pub(super) port: u16,
    asked: std::sync::mpsc::Receiver<()>,
}

impl Server {
    pub(super) fn start(pause: Duration) -> Server {
        let listener = listener();
        let port = listener.local_addr().unwrap().port();
        let (told, asked) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let Ok((mut socket, _)) = listener.accept() else {
                return;
            };
            let _ = socket.read(&mut [0; 4_096]);
            let _ = told.send(());
            std::thread::sleep(pause);
            let _ = socket.write_all(REPLY);
            let _ = socket.read(&mut [0; 4_096]);
        });
        Server { port, asked }
    }

    /// Waits until a request arrived.
    pub(super) fn asked(&self) {
        self.asked
            .recv_timeout(Duration::from_secs(10))
            .expect("a request for the server");
    }
}

pub(super) fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

/// Sends bytes and reads to the end.
pub(super) fn exchange(port: u16, data: &[u8]) -> String {
    talk(port, data, false)
}

pub(super) fn exchange_then_shut(port: u16, data: &[u8]) -> String {
    talk(port, data, true)
}

/// As VTest does: a command, a line feed, half close, read to the end.
pub(super) fn half_closed(port: u16, command: &str) -> String {
    talk(port, format!("{command}\n").as_bytes(), true)
}

pub(super) fn talk(port: u16, data: &[u8], shut: bool) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    // A peer that had enough may close before all was sent; what it said is what counts.
    let _ = stream.write_all(data);
    if shut {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => {
            panic!(
                "the connection did not end: {error}; it said {:?}",
                String::from_utf8_lossy(&answer)
            )
        }
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}
