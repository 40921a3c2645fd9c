//! Network namespaces of a test's own, and `ip` and `sysctl` as witnesses that know nothing of us.
#![allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test file uses its part of this; what is not there must end the test"
)]

pub(crate) mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use lanai_kernel::Ledger;
use lanai_model::Origin;
use lanai_model::layer7::{
    Balance, Bind, Config, HttpConnectionMode, HttpReuse, ListenAddress, LogFormat, Mode, Proxy,
    ProxyKind, Timeouts,
};
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

    /// Its name, as `ip netns` knows it.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

    /// Runs `nft -j` in the namespace and gives what it prints, without its version and its handles.
    pub(crate) fn nft_json(&self, arguments: &str) -> Vec<serde_json::Value> {
        let text = self.exec("nft", &format!("-j {arguments}"));
        let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let mut all = all["nftables"].as_array().expect("a list").clone();
        all.retain(|item| item.get("metainfo").is_none());
        for item in &mut all {
            for thing in item.as_object_mut().expect("an object").values_mut() {
                thing.as_object_mut().expect("an object").remove("handle");
            }
        }
        all
    }

    /// Gives `nft` a text.
    pub(crate) fn nft(&self, text: &str) {
        self.exec("nft", text);
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

    /// One with so many interfaces, `eth0` and on, as [`Namespace::quiet_veth`] makes them.
    pub(crate) fn with_links(count: u32) -> Self {
        let namespace = Self::new();
        for index in 0..count {
            namespace.quiet_veth(&format!("eth{index}"));
        }
        namespace
    }

    /// As [`Namespace::veth`], and neither end gets a link-local address by itself a moment later: dumps
    /// are compared.
    pub(crate) fn quiet_veth(&self, name: &str) {
        self.veth(name);
        for end in ["", "p-"] {
            self.ip(&format!("link set {end}{name} addrgenmode none"));
            self.ip(&format!("-6 addr flush dev {end}{name}"));
        }
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
        // Whether there is a carrier follows from both ends being up, up to a second later.
        for arguments in [
            "-br link",
            "-6 -o addr",
            "-4 route show table all",
            "-6 route show table all",
            "-4 rule",
            "-6 rule",
        ] {
            let text = self.ip(arguments);
            let lines = text.lines().filter(|line| !line.contains("ff00::/8"));
            dump.extend(lines.map(without_carrier));
        }
        // Each with its place in its network: the box sends from the first.
        let mut places: BTreeMap<String, u32> = BTreeMap::new();
        for line in self.ip("-4 -o addr").lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let net: IpNet = words[3].parse().expect("an address");
            let place = places
                .entry(format!("{} {}", words[1], net.trunc()))
                .or_default();
            *place += 1;
            dump.insert(format!("{place}. {line}"));
        }
        let settings = "-a -r ^net.(core.somaxconn|ipv[46].(conf|ip_|tcp_tw|tcp_max_))";
        let settings = self.exec("sysctl", settings);
        dump.extend(settings.lines().map(str::to_owned));
        let tables = self.exec("nft", "list ruleset");
        dump.extend(tables.lines().map(str::to_owned));
        dump
    }

    /// What differs from an earlier dump, for good: the kernel tells the carrier of a link that came
    /// up again in its own time (link watch), and nothing announces that to `ip`.
    pub(crate) fn changes_since(&self, before: &BTreeSet<String>) -> Vec<String> {
        self.changes_since_but(before, |_| true)
    }

    /// As [`Namespace::changes_since`], of the lines that count.
    pub(crate) fn changes_since_but(
        &self,
        before: &BTreeSet<String>,
        counts: impl Fn(&String) -> bool,
    ) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(3);
        loop {
            let now = self.dump();
            let changes = now.symmetric_difference(before);
            let changes: Vec<String> = changes.filter(|line| counts(line)).cloned().collect();
            if changes.is_empty() || Instant::now() >= end {
                return changes;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A line of `ip` without the words that tell of the carrier: the kernel changes them on its own time.
fn without_carrier(line: &str) -> String {
    let mut line = line.replace(" linkdown", "");
    for flag in ["NO-CARRIER,", ",LOWER_UP"] {
        line = line.replace(flag, "");
    }
    for state in ["LOWERLAYERDOWN", "DORMANT", "UNKNOWN", "DOWN", "UP"] {
        // The column of `ip -br link`, which is padded; the flag UP has no space beside it.
        if let Some((name, rest)) = line.split_once(&format!(" {state} ")) {
            line = format!("{} {}", name.trim_end(), rest.trim_start());
        }
    }
    line
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The file of a namespace has the number of the link that a thread inside of it sees.
        if let Ok(file) = std::fs::metadata(Path::new("/run/netns").join(&self.name)) {
            let ledger = ledger_of(file.ino());
            let _ = std::fs::remove_file(ledger.with_extension("next"));
            let _ = std::fs::remove_file(ledger);
        }
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.name])
            .status();
    }
}

/// Runs a program to its end, and gives what it prints.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect("these tests need the packages iproute2, nftables and procps");
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
    lanai_network::desired(&services(blocks), &Config::default())
}

/// A Services text of these blocks.
pub(crate) fn services(blocks: &[Block<'_>]) -> Services {
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
    Services {
        networks: networks.collect(),
        ..Services::default()
    }
}

/// A configuration with one frontend that listens on these addresses.
pub(crate) fn frontend(binds: &[(&str, bool)]) -> Config {
    let bind = |(address, transparent): &(&str, bool)| Bind {
        address: ListenAddress::Inet(address.parse().expect("an address")),
        name: None,
        interface: None,
        transparent: *transparent,
        freebind: false,
        backlog: None,
        maxconn: None,
        ssl: None,
        origin: Origin {
            file: "haproxy.cfg".into(),
            line: 7,
        },
    };
    let proxy = Proxy {
        name: "www".into(),
        kind: ProxyKind::Frontend,
        mode: Mode::Tcp,
        binds: binds.iter().map(bind).collect(),
        maxconn: None,
        backlog: None,
        default_backend: None,
        balance: Balance::RoundRobin,
        servers: Vec::new(),
        timeouts: Timeouts::default(),
        forwardfor: None,
        http_connection_mode: HttpConnectionMode::default(),
        http_reuse: HttpReuse::default(),
        log: Vec::new(),
        log_format: LogFormat::default(),
        dontlognull: false,
        retries: None,
        rules: Default::default(),
        origin: Origin {
            file: "haproxy.cfg".into(),
            line: 6,
        },
    };
    Config {
        proxies: vec![proxy],
        ..Config::default()
    }
}

/// The steps of a plan in order.
pub(crate) fn steps(plan: &Plan) -> Vec<Step> {
    plan.steps().map(|planned| planned.step.clone()).collect()
}

/// Observes, plans, executes; then observes and plans again, and demands that nothing is left.
pub(crate) async fn apply(desired: &Desired) -> Plan {
    let plan = plan(desired).await;
    let done = lanai_kernel::execute(&ledger(), &steps(&plan)).await;
    assert!(done.is_ok(), "{done:?}\nin\n{plan}");
    let again = self::plan(desired).await;
    assert!(again.is_empty(), "{plan}then again\n{again}");
    plan
}

/// The ledger of the calling thread's namespace.
pub(crate) fn ledger() -> Ledger {
    Ledger::at(ledger_path())
}

/// Its file.
pub(crate) fn ledger_path() -> PathBuf {
    let namespace = std::fs::metadata("/proc/thread-self/ns/net").expect("/proc");
    ledger_of(namespace.ino())
}

fn ledger_of(namespace: u64) -> PathBuf {
    let name = format!("lanai-net-{}-{namespace}", std::process::id());
    std::env::temp_dir().join(name)
}

/// Observes and plans.
pub(crate) async fn plan(desired: &Desired) -> Plan {
    let observed = lanai_kernel::observe(&ledger()).await.expect("observing");
    lanai_network::plan(desired, &observed)
}
