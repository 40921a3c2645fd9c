//! Something fails at a message of an apply, whichever it is: what was there stays, and nobody waits.
//!
//! The faults are real ones, made by `strace`: a call that sends fails, a call that receives fails after
//! the kernel did what it was asked for, and a message becomes one that the kernel refuses.

#![allow(
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "what is not there must end the test; figures are for people"
)]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use lanai_kernel::Ledger;
use lanai_network::Step;
use support::random::LargeChange;
use support::{apply, ledger_path, steps};

/// Nobody waits longer than this for what cannot come.
const NO_WAIT: Duration = Duration::from_secs(10);

/// Executes the steps of a file, in a process of its own so that `strace` may look at it.
#[test]
#[ignore = "what the others run under strace"]
fn executes_the_steps_of_a_file() {
    let path = |name: &str| std::env::var_os(name).expect("given by the test");
    let text = std::fs::read(path("LANAI_STEPS")).expect("the steps");
    let steps: Vec<Step> = serde_json::from_slice(&text).expect("steps");
    let ledger = Ledger::at(path("LANAI_LEDGER"));
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(lanai_kernel::execute(&ledger, &steps));
    let said = match &done {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{} {error}", error.not_undone.len()),
    };
    std::fs::write(path("LANAI_SAID"), said).expect("written");
}

/// A large change, and its steps in a file.
struct Rig {
    change: LargeChange,
    directory: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let change = LargeChange::new();
        let directory = tempfile::tempdir().expect("a directory");
        let text = serde_json::to_vec(&steps(&change.planned)).expect("steps");
        std::fs::write(directory.path().join("steps"), text).expect("written");
        Self { change, directory }
    }

    /// Executes the steps with this fault (none if empty). Gives what was said and what `strace` saw.
    fn execute(&self, fault: &str) -> (String, String) {
        let at = |name: &str| self.directory.path().join(name);
        let ledger = self.change.namespace.enter(|| async { ledger_path() });
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new("ip");
        command
            .args([
                "netns",
                "exec",
                self.change.namespace.name(),
                "strace",
                "-f",
                "-qq",
                "-s32",
            ])
            .args(["-e", "signal=none", "-e", "trace=sendto,recvfrom", "-o"])
            .arg(at("trace"));
        if !fault.is_empty() {
            command.arg("-e").arg(format!("inject={fault}"));
        }
        command
            .arg(this)
            .args(["--ignored", "--exact", "executes_the_steps_of_a_file"])
            .env("LANAI_STEPS", at("steps"))
            .env("LANAI_LEDGER", ledger)
            .env("LANAI_SAID", at("said"));
        let output = command.output().expect("the package strace");
        assert!(output.status.success(), "{fault}: {output:?}");
        let read = |name: &str| std::fs::read_to_string(at(name)).expect(name);
        (read("said"), read("trace"))
    }
}

/// `LANAI_FAULTS` says how many of each kind, spread over the apply; all of them if it is 0.
fn places(all: usize) -> Vec<usize> {
    let few = std::env::var("LANAI_FAULTS").map_or(8, |n| n.parse().expect("a number"));
    if few == 0 || few >= all {
        return (1..=all).collect();
    }
    (1..=few)
        .map(|n| 1 + (n - 1) * (all - 1) / (few - 1))
        .collect()
}

#[test]
fn a_fault_at_any_message_leaves_what_was_there() {
    let rig = Rig::new();
    let LargeChange { namespace, one, .. } = &rig.change;
    let before = namespace.dump();
    let (said, trace) = rig.execute("");
    assert_eq!(said, "done");
    namespace.enter(|| async { apply(one).await });
    assert_eq!(namespace.changes_since(&before), [""; 0]);
    let calls = |name: &str| -> Vec<&str> {
        let lines = trace.lines().filter(|line| line.contains(name));
        lines.collect()
    };
    let (sent, received) = (calls("sendto("), calls("recvfrom("));
    assert!(sent.len() > 25, "{trace}");
    let mut faults = Vec::new();
    for n in places(sent.len()) {
        faults.push(format!("sendto:error=ENOBUFS:when={n}"));
        // The same length, and a type that no part of the kernel knows.
        let length = length(sent[n - 1]);
        let poke: String = length
            .to_ne_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        faults.push(format!("sendto:poke_enter=@arg2={poke}ff00:when={n}"));
    }
    for n in places(received.len()) {
        faults.push(format!("recvfrom:error=ENOMEM:when={n}"));
    }
    let mut slowest = Duration::ZERO;
    for fault in &faults {
        let begin = Instant::now();
        let (said, _) = rig.execute(fault);
        slowest = slowest.max(begin.elapsed());
        assert!(said.starts_with("0 "), "{fault}: {said}");
        let changes = namespace.changes_since(&before);
        assert_eq!(changes, [""; 0], "{fault}: {said}");
    }
    eprintln!(
        "{} messages, {} reads, {} faults; the slowest took {slowest:?}",
        sent.len(),
        received.len(),
        faults.len()
    );
    assert!(slowest < NO_WAIT, "{slowest:?}");
}

/// `nlmsg_len` of the first message of a datagram, as `strace` shows it.
fn length(line: &str) -> u32 {
    let (_, rest) = line.split_once("nlmsg_len=").expect("a netlink message");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}
