//! The engines that are compared: Debian's HAProxy and `lanai proxy`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use crate::cli;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The oracle: `$LANAI_ORACLE`, or `/usr/sbin/haproxy`.
    Haproxy,
    /// The engine under test: `$LANAI_BIN proxy`, or the binary built beside this test.
    Lanai,
}

impl Kind {
    /// Program and first arguments.
    pub(crate) fn command(self) -> Command {
        match self {
            Kind::Haproxy => {
                let oracle = std::env::var_os("LANAI_ORACLE").unwrap_or("/usr/sbin/haproxy".into());
                Command::new(oracle)
            }
            Kind::Lanai => {
                // `LANAI_SUBJECT` takes a whole other engine: HAProxy against itself proves the tests.
                if let Some(other) = std::env::var_os("LANAI_SUBJECT") {
                    return Command::new(other);
                }
                let mut command = Command::new(lanai());
                command.arg("proxy");
                command
            }
        }
    }
}

/// Whether another engine stands in for Lanai.
pub(crate) fn stand_in() -> bool {
    std::env::var_os("LANAI_SUBJECT").is_some()
}

fn lanai() -> PathBuf {
    let beside = || {
        let test = std::env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().join("lanai")
    };
    let path = std::env::var_os("LANAI_BIN").map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "{} is not built", path.display());
    path
}

/// A running engine. Dropped, it is killed.
pub(crate) struct Engine {
    /// The process.
    pub(crate) child: Child,
    /// Where its frontend listens.
    pub(crate) port: u16,
    /// Its stats socket.
    pub(crate) stats: PathBuf,
    /// Where its log lines arrive.
    pub(crate) log: UdpSocket,
    directory: PathBuf,
}

impl Engine {
    /// Starts an engine on `config`, in which `{log}` and `{dir}` are replaced and `${fe}` is an
    /// inherited listener, and waits until it answers.
    pub(crate) fn start(kind: Kind, directory: &Path, config: &str) -> Result<Engine, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let log = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut text = config
            .replace("{log}", &log.local_addr().unwrap().to_string())
            .replace("{dir}", &directory.to_string_lossy());
        if text.contains("{cert}") {
            text = text.replace("{cert}", &certificate(directory));
        }
        let file = directory.join("haproxy.cfg");
        fs::write(&file, text).unwrap();
        let out = File::create(directory.join("out")).unwrap();
        let mut command = kind.command();
        command
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .env_remove("NOTIFY_SOCKET");
        inherit(&mut command, "fe", &listener);
        let child = command
            .spawn()
            .map_err(|e| format!("cannot start {kind:?}: {e}"))?;
        let mut engine = Engine {
            child,
            port: listener.local_addr().unwrap().port(),
            stats: directory.join("stats.sock"),
            log,
            directory: directory.to_owned(),
        };
        engine.ready()?;
        Ok(engine)
    }

    /// What it printed.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.directory.join("out")).unwrap_or_default()
    }

    fn ready(&mut self) -> Result<(), String> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(format!("did not start, {status}: {}", self.output()));
            }
            let error = match cli::ask(&self.stats, "show info") {
                Ok(answer) if answer.starts_with("Name: ") => return Ok(()),
                Ok(answer) => format!("show info answered '{answer}'"),
                Err(error) => error,
            };
            if Instant::now() > end {
                return Err(format!("not ready after 10 s: {error}; {}", self.output()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets the command inherit a listener, whose number it finds in the variable `name`, and die with
/// this thread.
pub(crate) fn inherit(command: &mut Command, name: &str, listener: &TcpListener) {
    let copy = listener.try_clone().unwrap();
    command.env(name, copy.as_raw_fd().to_string());
    // SAFETY: between fork and exec only async-signal-safe functions may run; the closure makes two
    // system calls, fcntl and prctl, and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            fcntl(&copy, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(set_pdeathsig(Signal::SIGKILL)?)
        });
    }
}

/// Makes a certificate with its key in `directory` and gives the PEM file's path.
fn certificate(directory: &Path) -> String {
    let (key, chain) = (directory.join("key.pem"), directory.join("chain.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=lanai.test", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
    let pem = fs::read_to_string(chain).unwrap() + &fs::read_to_string(key).unwrap();
    let path = directory.join("site.pem");
    fs::write(&path, pem).unwrap();
    path.to_string_lossy().into_owned()
}
