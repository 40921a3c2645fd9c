//! A small appliance in a network and a process namespace of its own, that can be put back to one and
//! the same start within a few hundredths of a second, and judged from outside.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lanai_tests::{Finished, Process, lanai, run, until, within};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Users of the two unprivileged processes.
const USERS: &str = "[ui]\nlisten = '127.0.0.1:4444'\n[users]\ncontrol = 61001\nengine = 61002\n";

/// What the kernel calls the three processes.
pub(crate) const PARENT: &str = "lanai";
pub(crate) const CONTROL: &str = "lanai-control";
pub(crate) const ENGINE: &str = "lanai-engine";

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A network namespace with two web servers, `old` on port 9001 and `new` on port 9002.
pub(crate) struct Site {
    namespace: String,
    dir: TempDir,
}

impl Site {
    #[track_caller]
    pub(crate) fn new() -> Site {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The name by which a later test's laboratory removes what a killed test left behind.
        let namespace = format!("lanai-t{}-9{count}-appliance", std::process::id());
        ip(&["netns", "add", &namespace]);
        ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        let dir = tempfile::Builder::new()
            .prefix("lanai-crash-")
            .tempdir()
            .unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let site = Site { namespace, dir };
        site.answer(9001, "old");
        site.answer(9002, "new");
        site
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    #[track_caller]
    pub(crate) fn run(&self, argv: &[&str]) -> Finished {
        let inside = ["ip", "netns", "exec", &self.namespace];
        run(&[&inside[..], argv].concat(), Duration::from_secs(30))
    }

    /// A web server that says one word, on a thread of its own until the end of the test.
    #[track_caller]
    fn answer(&self, port: u16, word: &'static str) {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.namespace)).unwrap();
        let (ready, listening) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
            ready.send(()).unwrap();
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else {
                    return;
                };
                let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
                let _ = connection.read(&mut [0; 4096]);
                let length = word.len();
                let _ = write!(
                    connection,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{word}"
                );
            }
        });
        listening.recv().unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = run(
            &["ip", "netns", "delete", &self.namespace],
            Duration::from_secs(10),
        );
    }
}

/// `lanai daemon` with its directories.
pub(crate) struct Rig<'site> {
    site: &'site Site,
    pub(crate) root: PathBuf,
    daemon: Option<Process>,
}

impl<'site> Rig<'site> {
    /// With these files, not started. Nothing is remembered.
    #[track_caller]
    pub(crate) fn fresh(site: &'site Site, name: &str, files: &Files) -> Rig<'site> {
        let root = site.dir().join(name);
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o755)).unwrap();
        let rig = Rig {
            site,
            root,
            daemon: None,
        };
        put(&rig.config(), files);
        std::fs::write(rig.config().join("lanai.toml"), USERS).unwrap();
        rig
    }

    /// With the configuration and the memory of another, which does not run.
    #[track_caller]
    pub(crate) fn like(other: &Rig<'site>, name: &str) -> Rig<'site> {
        let root = other.site.dir().join(name);
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o755)).unwrap();
        for part in ["etc", "var"] {
            let (from, to) = (other.root.join(part), root.join(part));
            let copied = Command::new("cp").arg("-a").args([from, to]).status();
            assert!(copied.unwrap().success());
        }
        Rig {
            site: other.site,
            root,
            daemon: None,
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("etc")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("var/lanai.db")
    }

    /// Starts the daemon and waits until it serves and its web UI is up.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        self.start_with(|_| ());
    }

    /// As [`Rig::start`]; `attach` gets the process id before the daemon's program begins.
    #[track_caller]
    pub(crate) fn start_with<T>(&mut self, attach: impl FnOnce(i32) -> T) -> T {
        let socket = self.root.join("notify");
        let _ = std::fs::remove_file(&socket);
        let announced = UnixDatagram::bind(&socket).unwrap();
        announced.set_read_timeout(Some(within())).unwrap();
        let [etc, var, run] = self.directories();
        // The first process of the namespace is an init: it starts the service again when that dies.
        let init = "until \"$@\"; do sleep 0.02; done";
        let line = format!(
            "kill -STOP $$; exec ip netns exec {} unshare --pid --fork --kill-child --mount-proc env \
             NOTIFY_SOCKET={} sh -c '{init}' init {} daemon --config {etc} --state {var} --run {run}",
            self.site.namespace,
            socket.display(),
            lanai(),
        );
        let daemon = Process::start(&["sh", "-c", &line], &self.root.join("log"));
        let pid = i32::try_from(daemon.id()).unwrap();
        until("the shell to stop", within(), || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit_once(')')?.1.starts_with(" T").then_some(())
        });
        let attached = attach(pid);
        daemon.signal(Signal::SIGCONT);
        self.daemon = Some(daemon);
        let mut message = [0; 1024];
        let ready = announced.recv(&mut message);
        let ready = ready.map(|length| message[..length].to_vec());
        assert!(
            ready.is_ok_and(|ready| String::from_utf8_lossy(&ready).contains("READY=1")),
            "not ready:\n{}",
            self.log()
        );
        self.settled(1);
        attached
    }

    /// Ends all processes at once, as a power failure does.
    #[track_caller]
    pub(crate) fn crash(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        // The first process of the namespace takes all others with it, and is waited for.
        for pid in children(i32::try_from(daemon.id()).unwrap()) {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        }
        daemon.ended(within());
    }

    /// Ends the service in order.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        kill(Pid::from_raw(self.parent()), Signal::SIGTERM).unwrap();
        self.daemon.take().unwrap().ended(within());
    }

    /// The process of this name that runs now.
    #[track_caller]
    pub(crate) fn process(&self, name: &str) -> i32 {
        let init = children(i32::try_from(self.daemon.as_ref().unwrap().id()).unwrap())[0];
        // Init's own children are the parent, and whoever outlived one.
        let mut all = children(init);
        all.extend(all.clone().into_iter().flat_map(children));
        let mut named = all.into_iter().filter(|pid| {
            let found = std::fs::read_to_string(format!("/proc/{pid}/comm"));
            found.is_ok_and(|found| found.trim() == name)
        });
        let found = named.next();
        found.unwrap_or_else(|| panic!("no {name} runs:\n{}", self.log()))
    }

    /// The parent of the others.
    #[track_caller]
    pub(crate) fn parent(&self) -> i32 {
        self.process(PARENT)
    }

    /// The control process that runs now.
    #[track_caller]
    pub(crate) fn control(&self) -> i32 {
        self.process(CONTROL)
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.root.join("log")).unwrap_or_default())
            .into_owned()
    }

    /// Waits until the control process has been started so many times, and the last has brought its
    /// configuration into effect and opened its web UI.
    #[track_caller]
    pub(crate) fn settled(&self, starts: usize) {
        let end = Instant::now() + within();
        loop {
            let log = self.log();
            let last = log.rsplit("started control").next().unwrap_or_default();
            if log.matches("started control").count() >= starts
                && last.contains("action=\"boot\"")
                && last.contains("the web UI is at")
            {
                return;
            }
            assert!(Instant::now() < end, "control is not up again:\n{log}");
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// One of `lanai`'s verbs, against this appliance.
    #[track_caller]
    pub(crate) fn lanai(&self, arguments: &[&str]) -> Finished {
        let [etc, _, run] = self.directories();
        self.ask(&etc, &run, arguments)
    }

    /// Applies the files of a directory that is not the appliance's own, as the web UI does.
    #[track_caller]
    pub(crate) fn apply(&self, draft: &Path) -> Finished {
        self.apply_with(draft, &[])
    }

    #[track_caller]
    pub(crate) fn apply_with(&self, draft: &Path, more: &[&str]) -> Finished {
        let [_, _, run] = self.directories();
        self.ask(draft.to_str().unwrap(), &run, &[&["apply"], more].concat())
    }

    fn ask(&self, config: &str, socket: &str, arguments: &[&str]) -> Finished {
        let argv = [
            &[lanai()],
            arguments,
            &["--config", config, "--run", socket],
        ];
        run(&argv.concat(), Duration::from_secs(30))
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.try_json(arguments).unwrap()
    }

    /// The same where the one that answers may have died.
    pub(crate) fn try_json(&self, arguments: &[&str]) -> Result<Value, String> {
        let text = self.lanai(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text.stdout)
            .map_err(|error| format!("{arguments:?}: {error}: {text:?}"))
    }

    /// The files of the configuration directory, `lanai.toml` apart.
    #[track_caller]
    pub(crate) fn files(&self) -> Files {
        let mut found = Files::new();
        collect(&self.config(), "", &mut found);
        found.remove("lanai.toml").unwrap();
        found
    }

    #[track_caller]
    pub(crate) fn run(&self, argv: &[&str]) -> Finished {
        self.site.run(argv)
    }

    fn directories(&self) -> [String; 3] {
        ["etc", "var", "run"].map(|name| self.root.join(name).to_str().unwrap().to_owned())
    }
}

impl Drop for Rig<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}", self.root.display(), self.log());
        }
        self.crash();
    }
}

/// Writes files below a directory.
#[track_caller]
pub(crate) fn put(directory: &Path, files: &Files) {
    std::fs::create_dir_all(directory).unwrap();
    for (name, bytes) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn collect(directory: &Path, prefix: &str, found: &mut Files) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Direct children of a process.
fn children(pid: i32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let pids = text.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.collect()
}

#[track_caller]
fn ip(arguments: &[&str]) {
    run(&[&["ip"], arguments].concat(), Duration::from_secs(10)).ok();
}
