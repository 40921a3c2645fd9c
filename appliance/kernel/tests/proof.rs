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

use lanai_model::layer7::Config;
use lanai_model::services::{Address, Route, Services, Via};
use lanai_network::{Desired, Step};
use support::random::{LargeChange, Numbers, namespace, origin, random};
use support::{Namespace, apply, ledger, plan, services, steps};

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
    let change = LargeChange::new();
    let (namespace, planned) = (&change.namespace, &change.planned);
    let before = namespace.dump();
    let good = steps(planned);
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
    namespace.enter(|| async { apply(&change.other).await });
}

#[test]
fn many_are_applied_as_fast_as_by_ip_batch() {
    let host = |number: u32| {
        let (first, second) = (100 + number / 65_536, number / 256 % 256);
        format!("10.{first}.{second}.{}/32", number % 256)
    };
    many(["10.0.0.2/24", "10.0.0.1"], host);
}

#[test]
fn many_of_ipv6_are_applied_as_fast_as_by_ip_batch() {
    let host = |number: u32| format!("fd00:1::{:x}:{:x}/128", number >> 16, number & 0xffff);
    many(["fd00::2/64", "fd00::1"], host);
}

/// Many addresses and as many routes, beside `ip -batch`. `LANAI_MANY` says how many, and asks for the
/// promise: few take longer to look at than to apply, and tests run beside each other.
fn many([own, gateway]: [&str; 2], host: impl Fn(u32) -> String) {
    let many = std::env::var("LANAI_MANY").map(|n| n.parse::<u32>().expect("a number"));
    let (many, promise) = many.map_or((1000, 20), |many| (many, 2));
    let mut batch = String::new();
    let mut text: Services = services(&[("eth0", &[own], &[])]);
    for number in 0..many {
        let (address, destination) = (host(number), host(number + 1_000_000));
        writeln!(batch, "addr add {address} dev eth0 nodad").expect("a string");
        text.networks[0].addresses.push(Address {
            net: address.parse().expect("an address"),
            origin: origin(2),
        });
        text.networks[0].routes.push(Route {
            destination: destination.parse().expect("a network"),
            via: Via::Gateway(gateway.parse().expect("a gateway")),
            metric: None,
            table: 254,
            origin: origin(3),
        });
    }
    for number in 0..many {
        let destination = host(number + 1_000_000);
        writeln!(batch, "route add {destination} via {gateway}").expect("a string");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), batch).expect("written");
    let theirs = namespace();
    theirs.ip(&format!("addr add {own} dev eth0 nodad"));
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
        "{many} beside {own}: ip -batch {theirs:?}; ours {executed:?}, of it observing and planning {planned:?}; again {:?}",
        begin.elapsed() - executed
    );
    assert!(executed < theirs * promise, "{executed:?} and {theirs:?}");
}
