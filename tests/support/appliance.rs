//! The appliance under test: `lanai daemon` in its namespace, driven as a person would.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::lab::Lab;
use crate::process::{Finished, Process, run};

/// The folder this project is checked out in.
#[must_use]
pub fn project_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// `lanai` with a configuration of its own, in the lab's namespace `appliance`.
pub struct Appliance<'lab> {
    lab: &'lab Lab,
    root: PathBuf,
    daemon: Option<Process>,
}

impl<'lab> Appliance<'lab> {
    /// The example configuration of `scripts/demo`, not started.
    #[track_caller]
    #[must_use]
    pub fn example(lab: &'lab Lab) -> Appliance<'lab> {
        let root = lab.fresh("appliance");
        std::fs::create_dir(&root).unwrap();
        // Lanai's two unprivileged processes have to pass through to their own directories.
        for directory in [lab.dir(), &root] {
            std::fs::set_permissions(directory, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let appliance = Appliance {
            lab,
            root,
            daemon: None,
        };
        let script = project_root().join("scripts/demo/configuration");
        let config = appliance.config();
        run(
            &[script.to_str().unwrap(), config.to_str().unwrap()],
            Duration::from_secs(20),
        )
        .ok();
        appliance
    }

    /// The example configuration, running.
    #[track_caller]
    #[must_use]
    pub fn running(lab: &'lab Lab) -> Appliance<'lab> {
        let mut appliance = Appliance::example(lab);
        appliance.start();
        appliance
    }

    /// The configuration directory.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("etc")
    }

    /// The directory of sockets and process ids.
    #[must_use]
    pub fn run_directory(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Reads a file of the configuration.
    #[track_caller]
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.config().join(name)).unwrap()
    }

    /// Writes a file of the configuration, as an administrator with an editor would.
    #[track_caller]
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.config().join(name), text).unwrap();
    }

    /// Replaces one piece of a file, which has to be there.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(
            text.contains(from),
            "{name} does not contain {from:?}:\n{text}"
        );
        self.write(name, &text.replacen(from, to, 1));
    }

    /// Starts the daemon and waits until it answers.
    #[track_caller]
    pub fn start(&mut self) {
        self.start_after(&[]);
    }

    /// The same, with these words before it: the command that runs it.
    #[track_caller]
    pub fn start_after(&mut self, before: &[&str]) {
        assert!(self.daemon.is_none(), "started twice");
        let [config, state, run] = self.directories();
        // systemd's own protocol: the daemon says when it is ready.
        let socket = self.lab.fresh("notify");
        let announced = UnixDatagram::bind(&socket).unwrap();
        announced
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let environment = format!("NOTIFY_SOCKET={}", socket.display());
        let daemon = ["env", &environment, lanai(), "daemon"];
        let directories = ["--config", &config, "--state", &state, "--run", &run];
        let daemon = self
            .lab
            .start("appliance", &[before, &daemon, &directories].concat());
        let mut message = [0; 1024];
        let ready = announced
            .recv(&mut message)
            .map(|length| message[..length].to_vec());
        let ready = ready.map(|message| String::from_utf8_lossy(&message).contains("READY=1"));
        assert!(
            ready.is_ok_and(|ready| ready),
            "lanai is not ready:\n{}",
            daemon.log()
        );
        // READY is about traffic; the web UI opens its own socket a moment later.
        self.lab.listening("appliance", 4444);
        self.daemon = Some(daemon);
    }

    /// Waits for the end of a daemon that was told to go, and gives its exit code.
    #[track_caller]
    pub fn stop(&mut self) -> i32 {
        let mut daemon = self.daemon.take().unwrap();
        daemon.signal(nix::sys::signal::Signal::SIGTERM);
        daemon.ended(Duration::from_secs(15))
    }

    /// Kills the daemon, without a chance to say goodbye to its children.
    #[track_caller]
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.signal(nix::sys::signal::Signal::SIGKILL);
        daemon.ended(Duration::from_secs(5));
    }

    /// The daemon's process.
    #[track_caller]
    pub fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().unwrap()
    }

    /// Runs one of `lanai`'s verbs against this appliance.
    #[track_caller]
    pub fn lanai(&self, arguments: &[&str]) -> Finished {
        self.lanai_after(&[], arguments)
    }

    /// The same, with these words before it: the command that runs it.
    #[track_caller]
    pub fn lanai_after(&self, before: &[&str], arguments: &[&str]) -> Finished {
        let [config, _, run] = self.directories();
        // A check needs no daemon.
        let run: &[&str] = if arguments[0] == "check" {
            &[]
        } else {
            &["--run", &run]
        };
        let argv = [before, &[lanai()], arguments, &["--config", &config], run].concat();
        self.lab.run("appliance", &argv)
    }

    /// `lanai apply`, which has to succeed.
    #[track_caller]
    pub fn apply(&self, comment: &str) {
        self.lanai(&["apply", "--comment", comment]).ok();
    }

    /// A one-time link to the web UI, as seen from the host at the other end of the `mgmt` link.
    #[track_caller]
    #[must_use]
    pub fn login_link(&self) -> String {
        let printed = self.lanai(&["user", "login-link", "admin"]).ok();
        let path = printed
            .lines()
            .next()
            .and_then(|link| link.splitn(4, '/').nth(3));
        let path = path.unwrap_or_else(|| panic!("no link in {printed:?}"));
        format!("https://169.254.44.2:4444/{path}")
    }

    /// What the kernel has and Lanai could have touched: addresses, routes, rules, listening
    /// sockets and reverse-path settings, as `ip`, `ss` and `/proc/sys` print them.
    #[track_caller]
    #[must_use]
    pub fn kernel_state(&self) -> String {
        self.lab.sh(
            "appliance",
            "ip -o link show up | cut -d: -f2; ip -o -4 address show; ip -4 route show table all | sort; ip rule show
             ip -o -6 address show scope global; ip -6 rule show
             ip -6 route show table all | sed -e /fe80/d -e /ff00/d -e '/proto kernel/d' | sort
             ss -Htln | tr -s ' ' | sort; sysctl -a 2>/dev/null | grep -e rp_filter -e 'ip_forward =' -e 'arp_[ai]' -e nonlocal_bind -e 'ipv6.conf.all.forwarding ='
             nft list tables | sort | while read -r _ family name; do nft list table $family $name; done",
        )
    }

    /// The files of the configuration with their bytes, by relative name.
    #[track_caller]
    #[must_use]
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.config(), &self.config(), &mut found);
        found.sort();
        found
    }

    fn directories(&self) -> [String; 3] {
        ["etc", "var", "run"].map(|name| self.root.join(name).to_str().unwrap().to_owned())
    }
}

/// The binary under test: `$LANAI_BIN`, or the one beside this test in the build directory.
#[track_caller]
pub fn lanai() -> &'static str {
    static PATH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PATH.get_or_init(|| {
        let path = std::env::var_os("LANAI_BIN").map_or_else(
            || {
                let test = std::env::current_exe().unwrap();
                test.ancestors().nth(2).unwrap().join("lanai")
            },
            PathBuf::from,
        );
        assert!(
            path.exists(),
            "{} is not there: build it with the tests' own profile, as scripts/test does",
            path.display()
        );
        path.into_os_string().into_string().unwrap()
    })
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
}
