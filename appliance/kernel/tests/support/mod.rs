//! Network namespaces of a test's own, and `ip` and `sysctl` as witnesses that know nothing of us.

use std::collections::BTreeSet;
use std::fs::File;
use std::future::Future;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use lanai_model::Origin;
use lanai_model::layer7::Config;
use lanai_model::services::{Address, Network, Route, Services, TABLE_MAIN, Via};
use lanai_network::{Desired, Plan, Step};
use nix::sched::{CloneFlags, setns};

/// A namespace, deleted with everything in it when the value goes.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one with an `lo` that is up. Names do not clash between tests and their processes.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests make network namespaces: run them as root, for example with `sudo -E cargo test`"
        );
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lanai-net-{}-{count}", std::process::id());
        run("ip", &["netns", "add", &name]);
        let namespace = Self { name };
        namespace.ip("link set lo up");
        namespace
    }

    /// Runs `ip` in the namespace and gives what it prints.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments.split_whitespace());
        run("ip", &all)
    }

    /// Runs `ip -j` in the namespace and gives what it prints.
    pub(crate) fn ip_json(&self, arguments: &str) -> serde_json::Value {
        let text = self.ip(&format!("-j {arguments}"));
        serde_json::from_str(&text).expect("JSON")
    }

    /// Runs another program in the namespace and gives what it prints.
    pub(crate) fn exec(&self, program: &str, arguments: &str) -> String {
        let mut all = vec!["netns", "exec", &self.name, program];
        all.extend(arguments.split_whitespace());
        run("ip", &all)
    }

    /// A setting as `sysctl` prints it; a dot in an interface is written as `/`.
    pub(crate) fn sysctl(&self, name: &str) -> String {
        self.exec("sysctl", &format!("-n {name}")).trim().to_owned()
    }

    /// Makes an interface, down, whose other end is up in the same namespace.
    pub(crate) fn veth(&self, name: &str) {
        let peer = format!("p-{name}");
        self.ip(&format!("link add {name} type veth peer name {peer}"));
        self.ip(&format!("link set {peer} up"));
    }

    /// Runs `body` on a thread inside of the namespace.
    pub(crate) fn enter<T, F>(&self, body: impl FnOnce() -> F + Send) -> T
    where
        T: Send,
        F: Future<Output = T>,
    {
        let path = format!("/var/run/netns/{}", self.name);
        let file = File::open(&path).expect("the namespace's file");
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(file, CloneFlags::CLONE_NEWNET).expect("entering the namespace");
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(body())
            });
            inside
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Everything of the namespace's network that we might change, as the witnesses see it.
    pub(crate) fn dump(&self) -> BTreeSet<String> {
        let mut dump = BTreeSet::new();
        // Of the links only name, address and flags: that an interface was up once changes its
        // queueing discipline for good. The kernel has IPv6's multicast route while a link is up.
        for arguments in [
            "-br link",
            "-o addr",
            "-4 route show table all",
            "-6 route show table all",
        ] {
            let text = self.ip(arguments);
            let lines = text.lines().filter(|line| !line.contains("ff00::/8"));
            dump.extend(lines.map(str::to_owned));
        }
        let settings = self.exec("sysctl", "-a -r ^net.ipv[46].(conf|ip_forward)");
        dump.extend(settings.lines().map(str::to_owned));
        dump
    }

    /// What differs from an earlier dump, for good: the kernel tells the carrier of a link that came
    /// up again in its own time (link watch), and nothing announces that to `ip`.
    pub(crate) fn changes_since(&self, before: &BTreeSet<String>) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(3);
        loop {
            let now = self.dump();
            let changes: Vec<String> = now.symmetric_difference(before).cloned().collect();
            if changes.is_empty() || Instant::now() >= end {
                return changes;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.name])
            .status();
    }
}

/// Runs a program to its end, and gives what it prints.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect("these tests need the packages iproute2 and procps");
    assert!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// What a Services text would ask for: blocks of an interface, its addresses, and its routes as
/// `(destination, gateway, metric)`.
pub(crate) type Block<'a> = (
    &'a str,
    &'a [&'a str],
    &'a [(&'a str, &'a str, Option<u32>)],
);

/// The network that these blocks ask for.
pub(crate) fn desired(blocks: &[Block<'_>]) -> Desired {
    let origin = |line| Origin {
        file: "services.cfg".into(),
        line,
    };
    let networks = blocks.iter().map(|(interface, addresses, routes)| Network {
        addresses: addresses
            .iter()
            .map(|net| Address {
                net: net.parse().expect("an address"),
                origin: origin(2),
            })
            .collect(),
        routes: routes
            .iter()
            .map(|(destination, gateway, metric)| Route {
                destination: destination.parse::<IpNet>().expect("a destination"),
                via: Via::Gateway(gateway.parse().expect("a gateway")),
                metric: *metric,
                table: TABLE_MAIN,
                origin: origin(3),
            })
            .collect(),
        ..Network::new(*interface, origin(1))
    });
    let services = Services {
        networks: networks.collect(),
        ..Services::default()
    };
    lanai_network::desired(&services, &Config::default())
}

/// The steps of a plan in order.
pub(crate) fn steps(plan: &Plan) -> Vec<Step> {
    plan.steps().map(|planned| planned.step.clone()).collect()
}

/// Observes, plans, executes; then observes and plans again, and demands that nothing is left.
pub(crate) async fn apply(desired: &Desired) -> Plan {
    let plan = plan(desired).await;
    let done = lanai_kernel::execute(&steps(&plan)).await;
    assert!(done.is_ok(), "{done:?}\nin\n{plan}");
    let again = self::plan(desired).await;
    assert!(again.is_empty(), "{plan}then again\n{again}");
    plan
}

/// Observes and plans.
pub(crate) async fn plan(desired: &Desired) -> Plan {
    let observed = lanai_kernel::observe().await.expect("observing");
    lanai_network::plan(desired, &observed)
}
