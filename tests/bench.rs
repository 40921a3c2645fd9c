//! `scripts/bench` in a few seconds, on a busy machine and with an unfinished build: not whether Lanai
//! is fast enough, but whether it is slow out of all proportion, and whether the bench measures.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use lanai_tests::{Process, lanai, project_root, run, until, within};
use nix::sys::signal::Signal;
use serde_json::Value;

const LOAD: &str = env!("CARGO_BIN_EXE_bench-load");

/// Ten times what the bench itself allows.
const MOST: f64 = 10.0 * 0.90;

#[test]
fn keep_alive_requests_cost_no_multiple_of_haproxys() {
    let dir = tempfile::tempdir().unwrap();
    let samples = dir.path().join("samples.jsonl");
    let script = project_root().join("scripts/bench");
    let finished = run(
        &[
            "env",
            &format!("LANAI={}", lanai()),
            &format!("BENCH_LOAD={LOAD}"),
            script.to_str().unwrap(),
            "--quick",
            "-m",
            "a",
            "-o",
            samples.to_str().unwrap(),
            "haproxy26",
            "lanai",
        ],
        Duration::from_secs(60),
    );
    // 1 says that a bound does not hold, which is no wonder here.
    assert!(matches!(finished.code, 0 | 1), "{finished:#?}");
    let record: Value = serde_json::from_str(&std::fs::read_to_string(samples).unwrap()).unwrap();
    let cost = |peer: &str| median_cost(&record["samples"][peer]);
    let (haproxy, lanai) = (cost("haproxy26"), cost("lanai"));
    println!("microseconds a request: HAProxy {haproxy:.1}, Lanai {lanai:.1}");
    assert!(
        lanai < MOST * haproxy,
        "{lanai:.1} us a request, HAProxy {haproxy:.1} us\n{}",
        finished.stdout
    );
}

/// Of three rounds whose figures have to make sense.
fn median_cost(samples: &Value) -> f64 {
    let samples = samples.as_array().unwrap();
    assert_eq!(samples.len(), 3, "{samples:?}");
    let mut costs: Vec<f64> = samples
        .iter()
        .map(|sample| {
            assert_eq!(sample["errors"], 0, "{sample}");
            assert!(sample["rps"].as_f64().unwrap() > 100.0, "{sample}");
            let busy = sample["busy"].as_f64().unwrap();
            assert!(busy > 0.01 && busy < 1.2, "{sample}");
            sample["cpu_us"].as_f64().unwrap()
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    assert!(costs[0] > 1.0, "{costs:?}");
    costs[1]
}

/// `scripts/bench check` on a busy machine, with an unfinished build, and without the largest text.
#[test]
fn texts_are_checked_in_no_more_time_than_haproxy_takes() {
    let dir = tempfile::tempdir().unwrap();
    let samples = dir.path().join("samples.json");
    let script = project_root().join("scripts/bench");
    let finished = run(
        &[
            "env",
            &format!("LANAI={}", lanai()),
            script.to_str().unwrap(),
            "check",
            "-r",
            "5",
            "--most",
            "10000",
            "-o",
            samples.to_str().unwrap(),
        ],
        Duration::from_secs(60),
    );
    assert!(matches!(finished.code, 0 | 1), "{finished:#?}");
    let text = std::fs::read_to_string(samples).unwrap();
    let samples: Value = serde_json::from_str(&text).unwrap();
    let cost = |lines: &str, peer: &str| {
        let all = samples[lines][peer].as_array().unwrap();
        assert_eq!(all.len(), 5, "{all:?}");
        let mut costs: Vec<f64> = all
            .iter()
            .map(|one| one["cpu_ms"].as_f64().unwrap())
            .collect();
        costs.sort_by(f64::total_cmp);
        costs[2]
    };
    for lines in ["1000", "10000"] {
        let (haproxy, lanai) = (cost(lines, "haproxy"), cost(lines, "lanai"));
        assert!(
            lanai < haproxy,
            "{lines} lines: {lanai:.1} ms, HAProxy {haproxy:.1} ms"
        );
    }
    let growth = cost("10000", "lanai") / cost("1000", "lanai");
    assert!(
        growth < 20.0,
        "ten times the lines take {growth:.1} times as long"
    );
}

/// A server that stops for half a second of two delays a quarter of the requests that are due, and
/// all of those have to count, though a client that waits would have sent only a few in that time.
#[test]
fn load_at_a_constant_rate_omits_no_request_that_is_late() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let start = |name: &str, words: &[&str]| {
        let argv = [&[LOAD, name], words].concat();
        Process::start(&argv, &dir.path().join(format!("{name}.log")))
    };
    let origin = start("origin", &[&port]);
    until("the origin to listen", within(), || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).ok()
    });
    let mut pace = start("pace", &[&port, "1000", "2", "8"]);
    // The load is on its way when it has its connections.
    until("the load to begin", within(), || {
        let filter = format!("dport = :{port}");
        let seen = run(&["ss", "-Htn", "state", "established", &filter], within()).ok();
        (seen.lines().count() >= 8).then_some(())
    });
    origin.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_millis(500));
    origin.signal(Signal::SIGCONT);
    assert_eq!(pace.ended(within()), 0, "{}", pace.log());
    let figures: Value = serde_json::from_str(&pace.log()).unwrap();
    let figure = |name: &str| figures[name].as_f64().unwrap();
    assert_eq!(figures["requests"], 2_000, "{figures}");
    assert_eq!(figures["errors"], 0, "{figures}");
    // 10 % of all were due in the first 200 ms of the stop, and waited for the other 300 ms.
    assert!(figure("p90_us") > 200_000.0, "{figures}");
    assert!(figure("max_us") > 450_000.0, "{figures}");
    assert!(figure("p50_us") < figure("p90_us") / 2.0, "{figures}");
}

fn free_port() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}
