//! What must hold of every apply, shown with many of them: nothing is written twice, everything can
//! be taken back, and it is not slower than `ip -batch`.

#![allow(
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "what is not there must end the test; figures are for people"
)]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lanai_model::Origin;
use lanai_model::layer7::Config;
use lanai_model::services::{Route, Rule, Services, Via};
use lanai_network::{Desired, Step};
use support::{Block, Namespace, apply, frontend, ledger, plan, services, steps};

fn origin(line: u32) -> Origin {
    Origin {
        file: "services.cfg".into(),
        line,
    }
}

fn namespace() -> Namespace {
    let namespace = Namespace::new();
    for index in 0..3 {
        let name = format!("eth{index}");
        namespace.veth(&name);
        // No link-local addresses that come by themselves a moment later: dumps are compared.
        for end in ["", "p-"] {
            namespace.ip(&format!("link set {end}{name} addrgenmode none"));
            namespace.ip(&format!("-6 addr flush dev {end}{name}"));
        }
        namespace.ip(&format!("link set {name} up"));
    }
    namespace
}

/// Numbers that look random and are the same each time (a linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A random text: addresses, routes of both families, metrics, tables, rules, transparent binds.
fn random(numbers: &mut Numbers) -> Desired {
    let names = ["eth0", "eth1", "eth2"];
    let blocks: Vec<Block<'_>> = names.iter().map(|name| (*name, &[][..], &[][..])).collect();
    let mut text = services(&blocks);
    text.networks.retain(|_| numbers.below(4) > 0);
    for (index, network) in text.networks.iter_mut().enumerate() {
        let host = 2 + numbers.below(3);
        let (four, six) = (format!("10.{index}.0"), format!("fd00:{index}:"));
        let mut add = |net: String| {
            network.addresses.push(lanai_model::services::Address {
                net: net.parse().expect("a network"),
                origin: origin(2),
            });
        };
        add(format!("{four}.{host}/24"));
        add(format!("{six}:{host}/64"));
        if numbers.chance() {
            add(format!("10.{index}.7.{host}/32"));
        }
        for (gateway, everything, other) in [
            (format!("{four}.1"), "0.0.0.0/0", "192.0.2.0/24"),
            (format!("{six}:1"), "::/0", "2001:db8::/32"),
        ] {
            let via = Via::Gateway(gateway.parse().expect("a gateway"));
            for destination in [everything, other] {
                let table = if numbers.chance() { 254 } else { 1000 };
                let via = if numbers.below(5) == 0 {
                    Via::Blackhole
                } else {
                    via
                };
                if numbers.chance() {
                    network.routes.push(Route {
                        destination: destination.parse().expect("a destination"),
                        via,
                        metric: Some(u32::try_from(index).expect("few") * 10 + 1),
                        table,
                        origin: origin(3),
                    });
                }
            }
        }
        if numbers.chance() {
            network.rules.push(Rule {
                from: Some(format!("{four}.0/24").parse().expect("a network")),
                to: None,
                iif: numbers.chance().then(|| network.interface.clone()),
                fwmark: None,
                table: 1000,
                priority: None,
                origin: origin(4),
            });
        }
    }
    let transparent = numbers.chance();
    let binds = [
        ("198.51.100.7:8080", transparent),
        ("[2001:db8::7]:80", numbers.chance()),
    ];
    let config = if numbers.chance() {
        frontend(&binds)
    } else {
        Config::default()
    };
    lanai_network::desired(&text, &config)
}

/// `LANAI_PAIRS` says how many; the whole proof is a thousand.
#[test]
fn from_one_configuration_to_another_and_back_is_where_it_was() {
    let pairs = std::env::var("LANAI_PAIRS").map_or(20, |n| n.parse().expect("a number"));
    let namespace = namespace();
    let untouched = namespace.dump();
    let mut numbers = Numbers(76);
    for pair in 0..pairs {
        let (one, other) = (random(&mut numbers), random(&mut numbers));
        namespace.enter(|| async { apply(&one).await });
        let before = namespace.dump();
        namespace.enter(|| async { apply(&other).await });
        namespace.enter(|| async { apply(&one).await });
        assert_eq!(namespace.changes_since(&before), [""; 0], "pair {pair}");
    }
    namespace.enter(|| async { apply(&Desired::default()).await });
    let changes = namespace.changes_since(&untouched);
    assert_eq!(changes, [""; 0]);
}

/// What `ip monitor` and `nft monitor` hear.
struct Heard {
    programs: [Child; 2],
    lines: std::sync::mpsc::Receiver<String>,
}

impl Heard {
    fn start(namespace: &Namespace) -> Self {
        let (sender, lines) = std::sync::mpsc::channel();
        let programs = [["ip", "monitor", "all"], ["nft", "-n", "monitor"]].map(|program| {
            let mut child = Command::new("ip")
                .args(["netns", "exec", namespace.name()])
                .args(program)
                .stdout(Stdio::piped())
                .spawn()
                .expect("a monitor");
            let output = child.stdout.take().expect("its output");
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
            child
        });
        Self { programs, lines }
    }

    /// Makes a change that each of the two is to hear, and gives what they heard before it.
    fn until_marked(&self, namespace: &Namespace, mark: u8) -> Vec<String> {
        namespace.ip(&format!("addr add 127.9.9.{mark}/32 dev lo"));
        namespace.nft(&format!("add table ip marked{mark}"));
        let end = Instant::now() + Duration::from_secs(20);
        let (mut address, mut table, mut others) = (false, false, Vec::new());
        while !(address && table) {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .expect("the monitors hear a change");
            let own = |word: &str| line.contains(word);
            address |= own(&format!("127.9.9.{mark}/32"));
            table |= own(&format!("marked{mark}"));
            if !own("127.9.9.") && !own("marked") && !own("new generation") && !own("valid_lft") {
                others.push(line);
            }
        }
        others
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

#[test]
fn a_hundred_applies_write_once() {
    let namespace = namespace();
    let wanted = random(&mut Numbers(3));
    namespace.enter(|| async { apply(&wanted).await });
    let settings = namespace.dump();
    let heard = Heard::start(&namespace);
    // Both listen once they have heard of a change.
    let listening = |mark| {
        namespace.ip(&format!("addr add 127.9.8.{mark}/32 dev lo"));
        namespace.nft(&format!("add table ip early{mark}"));
        let wait = Duration::from_millis(100);
        let heard: Vec<String> =
            std::iter::from_fn(|| heard.lines.recv_timeout(wait).ok()).collect();
        let all = heard.join("\n");
        all.contains("127.9.8.") && all.contains("early")
    };
    assert!((1..100).any(listening), "the monitors hear nothing");
    for _ in 0..100 {
        let done = namespace.enter(|| async { apply(&wanted).await });
        assert!(done.is_empty(), "{done}");
    }
    assert_eq!(heard.until_marked(&namespace, 1), [""; 0]);
    let own = |line: &String| {
        line.contains("127.9.") || line.contains("marked") || line.contains("early")
    };
    let changes = namespace.changes_since(&settings);
    let changes: Vec<&String> = changes.iter().filter(|l| !own(l) && l.len() > 1).collect();
    assert_eq!(changes, [""; 0]);
}

/// After each of the steps of a large change something fails.
#[test]
fn a_failure_anywhere_leaves_what_was_there() {
    let namespace = namespace();
    namespace.exec(
        "sysctl",
        "-w net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.eth2.forwarding=1",
    );
    let one = random(&mut Numbers(3));
    namespace.enter(|| async { apply(&one).await });
    let before = namespace.dump();
    // The first of the others that is far away and in which everything changes.
    let far = |steps: &[Step]| {
        let any = |wanted: fn(&Step) -> bool| steps.iter().any(wanted);
        steps.len() > 25
            && any(|step| matches!(step, Step::ReplaceTable { .. }))
            && any(|step| matches!(step, Step::RemoveRule(_) | Step::AddRule(_)))
            && any(|step| matches!(step, Step::SetSysctl { .. }))
    };
    let others = (4..300).map(|seed| random(&mut Numbers(seed)));
    let mut planned = others.map(|other| {
        let planned = namespace.enter(|| async { plan(&other).await });
        (other, planned)
    });
    let (other, planned) = planned
        .find(|(_, planned)| far(&steps(planned)))
        .expect("one of them");
    let good = steps(&planned);
    let bad = Step::SetLink {
        interface: "eth9".into(),
        up: true,
    };
    for place in 0..=good.len() {
        let mut steps = good.clone();
        steps.insert(place, bad.clone());
        let error = namespace.enter(|| async { lanai_kernel::execute(&ledger(), &steps).await });
        let error = error.expect_err("it cannot work");
        assert_eq!((error.index, error.not_undone.len()), (place, 0), "{error}");
        let changes = namespace.changes_since(&before);
        assert_eq!(changes, [""; 0], "after a failure at {place} of\n{planned}");
    }
    namespace.enter(|| async { apply(&other).await });
}

/// 10,000 addresses and 10,000 routes, beside `ip -batch`.
#[test]
#[ignore = "measures: to be run alone, see docs/network.md"]
fn as_fast_as_ip_batch() {
    const MANY: u32 = 10_000;
    let host = |number: u32| {
        format!(
            "10.{}.{}.{}",
            100 + number / 65_536,
            number / 256 % 256,
            number % 256
        )
    };
    let mut batch = String::new();
    let mut text: Services = services(&[("eth0", &["10.0.0.2/24"], &[])]);
    for number in 0..MANY {
        let (address, destination) = (host(number), host(number + 1_000_000));
        writeln!(batch, "addr add {address}/32 dev eth0").expect("a string");
        text.networks[0]
            .addresses
            .push(lanai_model::services::Address {
                net: format!("{address}/32").parse().expect("an address"),
                origin: origin(2),
            });
        text.networks[0].routes.push(Route {
            destination: format!("{destination}/32").parse().expect("a network"),
            via: Via::Gateway("10.0.0.1".parse().expect("a gateway")),
            metric: None,
            table: 254,
            origin: origin(3),
        });
    }
    for number in 0..MANY {
        let destination = host(number + 1_000_000);
        writeln!(batch, "route add {destination}/32 via 10.0.0.1").expect("a string");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), batch).expect("written");
    let theirs = namespace();
    theirs.ip("addr add 10.0.0.2/24 dev eth0");
    let begin = Instant::now();
    theirs.ip(&format!("-batch {}", file.path().display()));
    let theirs = begin.elapsed();
    let ours = namespace();
    let wanted = lanai_network::desired(&text, &Config::default());
    let begin = Instant::now();
    let (planned, executed) = ours.enter(|| async {
        let planned = plan(&wanted).await;
        let steps = steps(&planned);
        let planned = begin.elapsed();
        lanai_kernel::execute(&ledger(), &steps)
            .await
            .expect("applied");
        (planned, begin.elapsed())
    });
    let again = ours.enter(|| async { plan(&wanted).await });
    assert!(again.is_empty(), "{again}");
    eprintln!(
        "ip -batch {theirs:?}; ours {executed:?}, of it observing and planning {planned:?}; again {:?}",
        begin.elapsed() - executed
    );
    assert!(executed < theirs * 2, "more than twice as long");
}
