//! Article 1's network, laid out by `scripts/netns` under a prefix of this test's own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;

use crate::appliance::project_root;
use crate::process::{Finished, Process, run};
use crate::wait::{until, within};

/// The appliance's interfaces with the role at the other end of the cable.
pub const INTERFACES: [(&str, &str); 5] = [
    ("eth0", "gw0"),
    ("eth1", "gw1"),
    ("eth2", "gw2"),
    ("eth3", "net3"),
    ("eth4", "net4"),
];

/// Fourteen hosts in namespaces and the cables between them (`scripts/netns` draws them). Removed
/// when dropped, with every process that is left in them.
pub struct Lab {
    prefix: String,
    dir: TempDir,
    serial: AtomicU32,
}

impl Lab {
    /// Lays the network out. Removes what a killed test left behind.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it lays out a network")]
    pub fn new() -> Lab {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("lanai-t{}-{count}-", std::process::id());
        netns(&["up", &prefix]).ok();
        Lab {
            prefix,
            dir: tempfile::Builder::new()
                .prefix("lanai-test-")
                .tempdir()
                .unwrap(),
            serial: AtomicU32::new(0),
        }
    }

    /// The namespace of a role.
    #[must_use]
    pub fn namespace(&self, role: &str) -> String {
        format!("{}{role}", self.prefix)
    }

    /// A prefix for namespaces that a program under test makes beside the lab's own. They are
    /// removed by a later test, should this one be killed.
    #[must_use]
    pub fn second_prefix(&self) -> String {
        format!("{}9-", self.prefix.trim_end_matches('-'))
    }

    /// A directory for this test's files; removed with the lab.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A fresh path in [`Lab::dir`].
    #[must_use]
    pub fn fresh(&self, name: &str) -> PathBuf {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        self.dir.path().join(format!("{serial:02}-{name}"))
    }

    /// Runs a command on a host, to its end.
    #[track_caller]
    pub fn run(&self, role: &str, argv: &[&str]) -> Finished {
        self.run_for(role, argv, Duration::from_secs(30))
    }

    /// [`Lab::run`] with a limit of its own; the exit code is 124 when it has passed.
    #[track_caller]
    pub fn run_for(&self, role: &str, argv: &[&str], limit: Duration) -> Finished {
        let namespace = self.namespace(role);
        run(&on(&namespace, argv), limit)
    }

    /// A shell line on a host that has to succeed; gives its standard output.
    #[track_caller]
    pub fn sh(&self, role: &str, line: &str) -> String {
        self.run(role, &["sh", "-ec", line]).ok()
    }

    /// Starts a command on a host, in the background.
    #[track_caller]
    pub fn start(&self, role: &str, argv: &[&str]) -> Process {
        let namespace = self.namespace(role);
        let name = Path::new(argv[0]).file_name().unwrap().to_string_lossy();
        Process::start(
            &on(&namespace, argv),
            &self.fresh(&format!("{role}-{name}.log")),
        )
    }

    /// Runs code of the test on a host. A socket that is made there stays there.
    #[track_caller]
    pub fn inside<T: Send>(&self, role: &str, body: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.namespace(role))).unwrap();
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
                body()
            });
            inside.join().unwrap()
        })
    }

    /// Starts a real nginx on a host, on port 80. It answers every request with its role's name.
    #[track_caller]
    pub fn web_server(&self, role: &str) -> Process {
        let root = self.fresh(role);
        let script = project_root().join("scripts/demo/web-server");
        let server = self.start(
            role,
            &[script.to_str().unwrap(), role, root.to_str().unwrap()],
        );
        self.listening(role, 80);
        server
    }

    /// Waits until something on the host listens on a TCP port.
    #[track_caller]
    pub fn listening(&self, role: &str, port: u16) {
        let filter = format!("sport = :{port}");
        until(
            &format!("{role} to listen on port {port}"),
            within(),
            || {
                let seen = self.run(role, &["ss", "-Htln", &filter]).ok();
                (!seen.is_empty()).then_some(())
            },
        );
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = netns(&["down", &self.prefix]);
    }
}

fn on<'a>(namespace: &'a str, argv: &[&'a str]) -> Vec<&'a str> {
    [&["ip", "netns", "exec", namespace], argv].concat()
}

fn netns(arguments: &[&str]) -> Finished {
    let script = project_root().join("scripts/netns");
    run(
        &[&[script.to_str().unwrap()], arguments].concat(),
        Duration::from_secs(60),
    )
}

/// Removes the networks of tests whose process is gone (killed before it could clean up).
fn remove_leftovers() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return;
    };
    let mut prefixes: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let rest = name.strip_prefix("lanai-t")?;
            let (pid, rest) = rest.split_once('-')?;
            let pid: u32 = pid.parse().ok()?;
            let (count, _) = rest.split_once('-')?;
            let gone = !Path::new(&format!("/proc/{pid}")).exists();
            gone.then(|| format!("lanai-t{pid}-{count}-"))
        })
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    for prefix in prefixes {
        let _ = netns(&["down", &prefix]);
    }
}
