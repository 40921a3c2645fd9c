//! The first of the README's two commands, as a newcomer runs it. The lab's host `desk` stands in
//! for the newcomer's machine, so that not even the UI's link touches the real one.

use std::time::Duration;

use lanai_tests::{Finished, Lab, Process, lanai, project_root, run, until};
use nix::sys::signal::Signal;

#[test]
fn the_demonstration_shows_itself_and_leaves_nothing() {
    let demo = Demo::new();
    let shown = demo.run(&["--once"]);
    assert_eq!(shown.code, 0, "{shown:#?}");
    let text = &shown.stdout;
    let routes: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("   default via"))
        .collect();
    assert_eq!(routes.len(), 5, "{text}");
    for (route, metric) in routes[1..].iter().zip(1..) {
        assert!(
            route.trim_end().ends_with(&format!("metric {metric}")),
            "{text}"
        );
    }
    for (request, answer) in [
        ("www       internet", "eth0"),
        ("Exchange  internet", "eth0"),
        ("Exchange  LAN", "eth2"),
        ("Sharepoint partner", "eth1"),
        ("forward   internet", "blocked"),
    ] {
        let line = text.lines().find(|line| line.starts_with(request));
        assert!(
            line.is_some_and(|line| line.contains(answer)),
            "{request}: {text}"
        );
    }
    // The desk has the first of the link-local networks itself: the next free one is taken.
    assert!(text.contains("https://169.254.44.6:4444"), "{text}");
    let fingerprint = text
        .split("certificate  SHA-256 ")
        .nth(1)
        .unwrap_or_default();
    assert_eq!(
        fingerprint.lines().next().unwrap_or_default().len(),
        32 * 3 - 1,
        "{text}"
    );
    assert!(!shown.stderr.contains("Killed"), "{shown:#?}");
    demo.nothing_is_left();
}

#[test]
fn servers_are_stopped_and_started_from_another_terminal() {
    let demo = Demo::new();
    let mut running = demo.start(&["--listen", "127.0.0.1"]);
    demo.says(&running, "things to try");
    let listening = demo.on_desk(&["curl", "-sk", "https://127.0.0.1:4444/", "-o", "/dev/null"]);
    assert_eq!(
        listening.code, 0,
        "the web UI is not reachable at --listen's address"
    );
    let link = running
        .log()
        .lines()
        .find_map(|line| line.strip_prefix("one login ").map(str::to_owned));
    let link = link.unwrap_or_else(|| panic!("no login link in {}", running.log()));
    let page = demo.on_desk(&[
        "curl",
        "-skL",
        "-c",
        "/dev/null",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        link.trim(),
    ]);
    assert_eq!(page.stdout, "200", "{link} does not log in");

    let second = demo.run(&[]);
    assert_eq!(second.code, 1, "{second:#?}");
    assert!(second.stderr.contains("running already"), "{second:#?}");

    demo.run(&["stop", "web1"]).ok();
    demo.says(&running, "DOWN");
    demo.run(&["start", "web1"]).ok();
    until("web1 to be UP again", Duration::from_secs(20), || {
        let log = running.log();
        let last = log.lines().rev().find(|line| line.contains("web1"))?;
        last.contains(" UP").then_some(())
    });
    demo.run(&["requests"]).ok();
    let status = demo.run(&["lanai", "status"]).ok();
    assert!(status.contains("bk_web"), "{status}");

    running.signal(Signal::SIGINT);
    assert_eq!(running.ended(Duration::from_secs(10)), 130);
    demo.nothing_is_left();
}

#[test]
fn what_a_killed_run_left_is_cleared_by_the_next() {
    let demo = Demo::new();
    let mut first = demo.start(&[]);
    demo.says(&first, "things to try");
    first.signal(Signal::SIGKILL);
    first.ended(Duration::from_secs(5));
    assert!(std::fs::exists(format!("/run/netns/{}appliance", demo.prefix)).unwrap());
    let second = demo.run(&["--once"]);
    assert_eq!(second.code, 0, "{second:#?}");
    demo.nothing_is_left();
}

#[test]
fn what_is_missing_is_said_at_once_with_the_remedy() {
    let demo = Demo::new();
    let copy = demo.lab.fresh("clone");
    std::fs::create_dir(&copy).unwrap();
    let (root, copy) = (project_root().display(), copy.display());
    demo.lab.sh(
        "desk",
        &format!(
            "cp -r {root}/scripts {root}/Cargo.toml {copy}; chmod 755 {copy}/.. {copy}
             mkdir {copy}/bin; for tool in bash env dirname readlink id; do
             ln -s $(command -v $tool) {copy}/bin; done"
        ),
    );
    let script = format!("{copy}/scripts/run");
    let soon = Duration::from_secs(2);

    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        script.as_str(),
    ];
    let refused = run(&nobody, soon);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains("sudo "), "{refused:#?}");

    let path = format!("PATH={copy}/bin");
    let refused = run(&["env", &path, script.as_str(), "--once"], soon);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains("not Debian"), "{refused:#?}");

    let _busy = demo.lab.start(
        "desk",
        &["socat", "TCP-LISTEN:4444,fork,bind=127.0.0.1", "PIPE"],
    );
    demo.lab.listening("desk", 4444);
    let refused = demo.run_for(&["--listen", "127.0.0.1"], soon);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("--listen 127.0.0.1:4445"),
        "{refused:#?}"
    );
    demo.nothing_is_left();
}

/// `scripts/run` with names of its own, on the lab's desk.
struct Demo {
    lab: Lab,
    prefix: String,
}

impl Demo {
    fn new() -> Demo {
        let lab = Lab::new();
        let prefix = lab.second_prefix();
        Demo { lab, prefix }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Finished {
        self.run_for(arguments, Duration::from_secs(40))
    }

    #[track_caller]
    fn run_for(&self, arguments: &[&str], limit: Duration) -> Finished {
        let argv = self.argv(arguments);
        run(&argv.iter().map(String::as_str).collect::<Vec<_>>(), limit)
    }

    #[track_caller]
    fn start(&self, arguments: &[&str]) -> Process {
        let argv = self.argv(arguments);
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        Process::start(&argv, &self.lab.fresh("demo.log"))
    }

    #[track_caller]
    fn on_desk(&self, argv: &[&str]) -> Finished {
        self.lab.run("desk", argv)
    }

    #[track_caller]
    fn says(&self, running: &Process, words: &str) {
        until(
            &format!("the demonstration to say {words:?}"),
            Duration::from_secs(40),
            || running.log().contains(words).then_some(()),
        );
    }

    /// `nsenter` and not `ip netns exec`: that one also hides the namespaces it makes.
    fn argv(&self, arguments: &[&str]) -> Vec<String> {
        let network = format!("--net=/run/netns/{}", self.lab.namespace("desk"));
        let binary = format!("LANAI_BIN={}", lanai());
        let script = project_root().join("scripts/run").display().to_string();
        let words = [
            "nsenter",
            &network,
            "env",
            &binary,
            &script,
            "--prefix",
            &self.prefix,
        ];
        words
            .iter()
            .chain(arguments)
            .map(|&word| word.to_owned())
            .collect()
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        for directory in ["/run/netns", "/run"] {
            for entry in std::fs::read_dir(directory).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(
                    !name.starts_with(&self.prefix),
                    "{directory}/{name} is left"
                );
            }
        }
        let links = self.lab.sh("desk", "ip -o link show");
        assert!(!links.contains(": lu"), "the UI's link is left: {links}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A test that fails in the middle: what the script would have removed.
        let script = project_root().join("scripts/netns").display().to_string();
        let _ = run(&[&script, "down", &self.prefix], Duration::from_secs(20));
        let pointer = format!("/run/{}demo", self.prefix);
        if let Ok(directory) = std::fs::read_link(&pointer) {
            let _ = std::fs::remove_dir_all(directory);
        }
        let _ = std::fs::remove_file(&pointer);
        let _ = std::fs::remove_file(format!("{pointer}.lock"));
    }
}
