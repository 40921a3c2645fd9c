//! `lanai proxy` as scripts made for HAProxy drive it: exit codes, messages, signals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const LIMIT: Duration = Duration::from_secs(10);

fn lanai(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanai"));
    command
        .arg("proxy")
        .current_dir(directory)
        .stdin(Stdio::null())
        .env_remove("NOTIFY_SOCKET");
    command
}

fn run(directory: &Path, words: &str) -> Output {
    lanai(directory)
        .args(words.split_whitespace())
        .output()
        .unwrap()
}

/// A frontend that answers by itself, since it has no server that is up.
fn write_config(directory: &Path, address: SocketAddr) {
    let text = format!(
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n\
         frontend f\n bind {address}\n default_backend b\nbackend b\n"
    );
    fs::write(directory.join("a.cfg"), text).unwrap();
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// The first line of an answer, or nothing where nobody listens.
fn ask(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.lines().next().map(str::to_owned)
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < LIMIT, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tell(process: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(process.id()).unwrap()), signal).unwrap();
}

/// Ends the process when a test fails half-way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(directory: &Path, words: &str, address: SocketAddr) -> Running {
        let child = lanai(directory)
            .args(words.split_whitespace())
            .stderr(Stdio::null())
            .spawn();
        let running = Running(child.unwrap());
        wait_until("the frontend answers", || ask(address).is_some());
        running
    }
}

#[test]
fn exit_codes_of_checks() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    write_config(at, free_address());
    fs::write(at.join("empty.cfg"), "").unwrap();
    fs::write(at.join("bad.cfg"), "global\n maxconnn 5\n").unwrap();
    fs::write(at.join("odd.cfg"), "frontend f\n bind 127.0.0.1:9\n").unwrap();
    let code = |words: &str| run(at, words).status.code();
    assert_eq!(code("-c -f a.cfg"), Some(0));
    assert_eq!(code("-c -f empty.cfg"), Some(2));
    assert_eq!(code("-f empty.cfg"), Some(1));
    assert_eq!(code("-c -f bad.cfg"), Some(1));
    assert_eq!(code("-c -f missing.cfg"), Some(1));
    assert_eq!(code("-c -f odd.cfg"), Some(0));
    assert_eq!(code("-dW -c -f odd.cfg"), Some(1));
    assert_eq!(code("-zz"), Some(1));
    assert_eq!(code("-cc version_atleast(2.4)"), Some(0));
    assert_eq!(code("-cc version_atleast(9)"), Some(1));
    assert_eq!(code("-cc foo("), Some(2));
}

#[test]
fn messages_are_haproxys() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("bad.cfg"), "global\n maxconnn 5\n").unwrap();
    let output = run(directory.path(), "-c -f bad.cfg");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains(" : config : parsing [bad.cfg:2] : unknown keyword 'maxconnn'"),
        "{text}"
    );
    assert!(text.contains("did you mean 'maxconn'"), "{text}");
    assert!(
        text.ends_with(" : config : Fatal errors found in configuration.\n"),
        "{text}"
    );
    assert!(run(directory.path(), "-q -c -f bad.cfg").stderr.is_empty());
    let version = String::from_utf8(run(directory.path(), "-vv").stdout).unwrap();
    assert!(version.starts_with("HAProxy version 3.5-dev5"), "{version}");
    assert!(version.contains("TARGET  = linux-glibc"), "{version}");
}

#[test]
fn signals_end_it_as_they_end_haproxy() {
    let directory = tempfile::tempdir().unwrap();
    let address = free_address();
    write_config(directory.path(), address);
    for (signal, by, code) in [
        (Signal::SIGINT, Some(2), None),
        (Signal::SIGTERM, Some(15), None),
        (Signal::SIGUSR1, None, Some(0)),
    ] {
        let mut running = Running::start(directory.path(), "-d -f a.cfg", address);
        tell(&running.0, signal);
        let status = running.0.wait().unwrap();
        assert_eq!((status.signal(), status.code()), (by, code), "{signal}");
    }
}

#[test]
fn the_service_manager_is_told_and_a_reload_changes_the_listener() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let (first, second) = (free_address(), free_address());
    write_config(at, first);
    let manager = UnixDatagram::bind(at.join("notify")).unwrap();
    manager.set_read_timeout(Some(LIMIT)).unwrap();
    let mut command = lanai(at);
    command
        .args(["-Ws", "-f", "a.cfg", "-p", "pid"])
        .env("NOTIFY_SOCKET", at.join("notify"));
    let running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    let mut word = [0; 128];
    let heard = |word: &mut [u8]| {
        let length = manager.recv(word).unwrap();
        String::from_utf8(word[..length].to_vec()).unwrap()
    };
    assert!(heard(&mut word).contains("READY=1"));
    let pid = fs::read_to_string(at.join("pid")).unwrap();
    assert_eq!(pid.trim(), running.0.id().to_string());

    write_config(at, second);
    tell(&running.0, Signal::SIGUSR2);
    assert!(heard(&mut word).contains("RELOADING=1"));
    assert!(heard(&mut word).contains("READY=1"));
    assert!(ask(second).is_some());
    wait_until("the old listener closes", || ask(first).is_none());

    // A configuration that is refused changes nothing.
    fs::write(at.join("a.cfg"), "junk\n").unwrap();
    tell(&running.0, Signal::SIGUSR2);
    assert!(heard(&mut word).contains("RELOADING=1"));
    assert!(heard(&mut word).contains("Reload failed"));
    assert!(ask(second).is_some());
}

#[test]
fn it_leaves_the_terminal_once_it_listens_and_is_succeeded() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let address = free_address();
    write_config(at, address);
    let pid = || {
        fs::read_to_string(at.join("pid"))
            .unwrap()
            .trim()
            .parse::<i32>()
            .unwrap()
    };
    assert_eq!(run(at, "-D -f a.cfg -p pid").status.code(), Some(0));
    // No waiting: the first process ends when the second one listens.
    assert!(ask(address).is_some());
    let old = pid();
    assert_eq!(
        run(at, &format!("-D -f a.cfg -p pid -sf {old}"))
            .status
            .code(),
        Some(0)
    );
    assert!(ask(address).is_some());
    let new = pid();
    assert_ne!(old, new);
    let alive = |pid: i32| kill(Pid::from_raw(pid), None).is_ok();
    wait_until("the old one ends", || !alive(old) || is_zombie(old));
    // The address is taken now, and the first process says so.
    assert_eq!(run(at, "-D -f a.cfg").status.code(), Some(1));
    kill(Pid::from_raw(new), Signal::SIGTERM).unwrap();
}

/// Ended, and nobody has asked how: in a container there may be no init to do so.
fn is_zombie(pid: i32) -> bool {
    let about = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    about
        .rsplit(')')
        .next()
        .is_some_and(|rest| rest.trim_start().starts_with('Z'))
}
