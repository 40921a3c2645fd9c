//! The three processes in a network namespace of their own: rights, refusals, and a child that dies.
//! Root is needed; without it there is nothing to test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

const LIMIT: Duration = Duration::from_secs(20);
const CONTROL: u32 = 61_001;
const ENGINE: u32 = 61_002;

struct Daemon {
    process: Child,
    log: Receiver<String>,
    at: PathBuf,
}

impl Daemon {
    fn start(at: &Path) -> Daemon {
        let mut command = Command::new("unshare");
        command
            .args(["--net", env!("CARGO_BIN_EXE_lanai"), "daemon"])
            .args(directories(at));
        command
            .arg("--state")
            .arg(at.join("state"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.env_remove("NOTIFY_SOCKET").spawn().unwrap();
        let (lines, log) = mpsc::channel();
        let errors = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        Daemon {
            process,
            log,
            at: at.to_owned(),
        }
    }

    /// Waits for a line of the log.
    fn wait_for(&self, text: &str) {
        let mut seen = Vec::new();
        loop {
            match self.log.recv_timeout(LIMIT) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no '{text}' in the log:\n{}", seen.join("\n")),
            }
        }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap()
    }

    fn child(&self, name: &str) -> i32 {
        let children = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = fs::read_to_string(children).unwrap();
        let mut children = children
            .split_whitespace()
            .map(|pid| pid.parse::<i32>().unwrap());
        let named = |pid: &i32| status(*pid, "Name") == name;
        children
            .find(named)
            .unwrap_or_else(|| panic!("no child is called {name}"))
    }

    fn ask(&self, verb: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanai"));
        command
            .args(verb.split_whitespace())
            .args(directories(&self.at))
            .output()
            .unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

fn directories(at: &Path) -> [PathBuf; 4] {
    [
        "--config".into(),
        at.join("etc"),
        "--run".into(),
        at.join("run"),
    ]
}

/// A line of `/proc/PID/status`.
fn status(pid: i32, key: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

fn prepare(at: &Path) {
    fs::create_dir(at.join("etc")).unwrap();
    let settings = format!(
        "[ui]\nlisten = '127.0.0.1:4444'\n[users]\ncontrol = {CONTROL}\nengine = {ENGINE}\n"
    );
    fs::write(at.join("etc/lanai.toml"), settings).unwrap();
    fs::write(
        at.join("etc/services.cfg"),
        "service network lo\n    ip address 10.1.2.3/32\n",
    )
    .unwrap();
    let proxies = "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n\
                   frontend f\n bind 10.1.2.3:80\n default_backend b\nbackend b\n";
    fs::write(at.join("etc/haproxy.cfg"), proxies).unwrap();
}

#[test]
fn three_processes_with_their_rights() {
    assert!(
        Uid::effective().is_root(),
        "this test starts the three processes under users of their own: run it as root"
    );
    let directory = tempfile::tempdir().unwrap();
    prepare(directory.path());
    // The unprivileged processes must get through to their directories.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(directory.path(), open).unwrap();
    let daemon = Daemon::start(directory.path());
    daemon.wait_for("the web UI is at");

    let (control, engine) = (daemon.child("lanai-control"), daemon.child("lanai-engine"));
    assert!(status(control, "Uid").starts_with(&CONTROL.to_string()));
    assert!(status(engine, "Uid").starts_with(&ENGINE.to_string()));
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(control, set), "0000000000000000", "{set} of control");
    }
    // CAP_NET_BIND_SERVICE and CAP_NET_RAW.
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(
            status(engine, set),
            "0000000000002400",
            "{set} of the engine"
        );
    }
    for pid in [control, engine] {
        assert_eq!(status(pid, "NoNewPrivs"), "1");
        assert_eq!(status(pid, "Seccomp"), "2", "a filter that denies execve");
        assert_eq!(status(pid, "Groups"), "");
    }

    // A key that root put there, readable for root alone, and a mistake.
    let key = directory.path().join("etc/ssl/key.pem");
    fs::write(&key, "-----BEGIN PRIVATE KEY-----\n").unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(daemon.ask("apply").status.code(), Some(0));
    let services = directory.path().join("etc/services.cfg");
    let good = fs::read_to_string(&services).unwrap();
    fs::write(&services, "service network lo\n    ip adress 10.1.2.3/32\n").unwrap();
    let refused = daemon.ask("apply");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("services.cfg:2:"), "{said}");
    fs::write(&services, good).unwrap();

    // A second daemon is refused by name.
    let second = Daemon::start(directory.path());
    second.wait_for("another lanai daemon");

    // An engine that dies is replaced, and gets the configuration.
    kill(Pid::from_raw(engine), Signal::SIGKILL).unwrap();
    daemon.wait_for("engine has ended by itself");
    daemon.wait_for("serving what the former engine served");
    let told = String::from_utf8(daemon.ask("show stat --json").stdout).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["frontends"][0]["status"], "OPEN", "{told}");

    // It ends in order, and its sockets are gone.
    kill(Pid::from_raw(daemon.pid()), Signal::SIGTERM).unwrap();
    daemon.wait_for("control has ended: exit status: 0");
    let mut daemon = daemon;
    assert_eq!(daemon.process.wait().unwrap().code(), Some(0));
    assert!(!directory.path().join("run/control.sock").exists());
}
