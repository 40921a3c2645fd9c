//! Texts that nobody would write: `lanai check` ends, says where, and takes little time and memory.

use std::path::Path;
use std::time::{Duration, Instant};

use lanai_tests::{Finished, lanai, run};
use serde_json::Value;

/// Address space, several times what the largest of these texts needs.
const BYTES: &str = "--as=1500000000";
/// Time of the processor in seconds; none of these texts needs one.
const SECONDS: &str = "--cpu=8";
/// The longest that may be said of one text with one mistake.
const WORDS: usize = 20_000;

const MIB: usize = 1 << 20;

#[track_caller]
fn check(name: &str, text: &[u8], form: &[&str]) -> Finished {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("odd.cfg");
    std::fs::write(&path, text).unwrap();
    let argv = [
        "prlimit",
        BYTES,
        SECONDS,
        "--core=0",
        "/usr/bin/time",
        "-f",
        "rss %M KiB",
        lanai(),
        "check",
    ];
    let file = ["-f", path.to_str().unwrap()];
    let began = Instant::now();
    let ended = run(&[&argv[..], form, &file].concat(), Duration::from_secs(20));
    let took = began.elapsed();
    let memory = ended
        .stderr
        .lines()
        .rev()
        .find(|line| line.starts_with("rss "));
    println!(
        "{name}: {} bytes, {took:.2?}, {}",
        text.len(),
        memory.unwrap_or("?")
    );
    assert!([0, 1].contains(&ended.code), "{name}: {}", shown(&ended));
    ended
}

fn shown(ended: &Finished) -> String {
    let text = ended.text();
    format!(
        "exit {}: {}",
        ended.code,
        text.chars().take(4000).collect::<String>()
    )
}

/// Refused, at this line, in few words.
#[track_caller]
fn refused_at(line: u32, name: &str, text: &[u8]) {
    let ended = check(name, text, &[]);
    let place = format!("odd.cfg:{line}:");
    assert!(
        ended.code == 1 && ended.text().contains(&place),
        "{name}: {}",
        shown(&ended)
    );
    assert!(
        ended.text().len() < WORDS,
        "{name}: {} bytes are said",
        ended.text().len()
    );
    let json = check(name, text, &["--json"]);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["refused"], true, "{name}");
    assert!(
        json.stdout.len() < WORDS,
        "{name}: {} bytes of JSON",
        json.stdout.len()
    );
}

/// A mebibyte of a piece.
fn of(piece: &str) -> String {
    piece.repeat(MIB / piece.len())
}

#[test]
fn a_line_of_a_mebibyte() {
    let front = "frontend f\n    timeout client 1s\n";
    for (name, line) in [
        (
            "digits",
            format!("global\n{}\n    maxconn {}\n", "", of("9")),
        ),
        ("one word", format!("{front}    {}\n", of("x"))),
        ("words", format!("{front}    acl a path {}\n", of("/a "))),
        (
            "an open quote",
            format!("{front}    acl a path \"{}\n", of("a b")),
        ),
        (
            "backslashes",
            format!("{front}    log-format {}\\\n", of("\\ ")),
        ),
        (
            "hexadecimal",
            format!("{front}    log-format {}\\xZZ\n", of("\\x41")),
        ),
        (
            "a variable",
            format!("{front}    bind \"${{{}}}\"\n", of("NAME")),
        ),
        (
            "variables",
            format!("{front}    bind \"{}\"\n", of("${A-:1}")),
        ),
        ("addresses", format!("{front}    bind {}\n", of(":80,"))),
        ("aliases", format!("{front}    log-format {}%\n", of("%ci"))),
        (
            "an expression",
            format!("{front}    log-format %[{}\n", of("src,")),
        ),
        (
            "converters",
            format!(
                "{front}    http-request set-header X %[src{},nosuch]\n",
                of(",lower")
            ),
        ),
        (
            "parentheses",
            format!("{front}    http-request set-header X %[src{}]\n", of("((")),
        ),
        (
            "braces",
            format!("{front}    http-request deny if {}\n", of("{")),
        ),
        (
            "a regular expression",
            format!("{front}    acl a path_reg {}\n", of("(")),
        ),
        (
            "nested repetition",
            format!("{front}    acl a path_reg ({}\n", of("(a*)*")),
        ),
        ("time", format!("{front}    timeout connect {}\n", of("1"))),
        ("a name", format!("{front}backend {}/\n", of("b"))),
        (
            "a server",
            format!("{front}backend b\n    server {} nosuch:x\n", of("s")),
        ),
    ] {
        let number = u32::try_from(line.lines().count()).unwrap();
        refused_at(number, name, line.as_bytes());
    }
    let comment = format!("{front}    bind :80 #{}\n", of(" x"));
    let ended = check("a comment", comment.as_bytes(), &[]);
    assert_eq!(ended.code, 0, "{}", shown(&ended));
}

#[test]
fn a_condition_of_a_mebibyte() {
    for (name, text) in [
        ("predicates", format!(".if {}\n.endif\n", of("("))),
        ("negations", format!(".if {}\n.endif\n", of("!"))),
        ("conjunctions", format!(".if 1{}\n.endif\n", of("&&1"))),
        ("strings", format!(".if streq({}\n.endif\n", of("a,"))),
    ] {
        let ended = check(name, text.as_bytes(), &[]);
        assert!(
            ended.text().len() < WORDS,
            "{name}: {} bytes are said",
            ended.text().len()
        );
        assert!(
            ended.code == 0 || ended.text().contains("odd.cfg:1:"),
            "{name}: {}",
            shown(&ended)
        );
    }
}

#[test]
fn every_byte() {
    let all: Vec<u8> = (0..=255).collect();
    refused_at(1, "all 256", &all);
    let mut lines = Vec::new();
    for byte in 0..=255_u8 {
        // Each in a word, alone, and in quotes.
        for line in [&b"maxconn 1"[..], b"", b"maxconn \"1"] {
            lines.extend_from_slice(line);
            lines.push(byte);
            lines.extend_from_slice(if line.ends_with(b"\"1") {
                b"\"\n"
            } else {
                b"\n"
            });
        }
    }
    let ended = check("each of 256", &lines, &["--json"]);
    assert_eq!(ended.code, 1);
    let value: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(value["diagnostics"].as_array().unwrap().len() > 300);
}

#[test]
fn nul_bytes() {
    refused_at(1, "nothing else", &vec![0; MIB]);
    refused_at(2, "in a word", b"global\n    maxconn 1\x000\n");
    refused_at(2, "in a comment's place", b"global\n\0# x\n");
    refused_at(1, "in a section", b"glo\0bal\n    maxconn 10\n");
}

#[test]
fn two_hundred_thousand_lines() {
    let many = |line: &str| line.repeat(200_000);
    for (name, text) in [
        (
            "unknown keywords",
            format!("global\n{}", many("nosuch 1\n")),
        ),
        ("unknown sections", many("nosuch\n")),
        ("open quotes", many("\"\n")),
        ("empty conditions", many(".if\n")),
        (
            "bad servers",
            format!("backend b\n{}", many("  server a 1.2.3.4.5:x check\n")),
        ),
    ] {
        let ended = check(name, text.as_bytes(), &["--json"]);
        assert_eq!(ended.code, 1, "{name}: {}", shown(&ended));
        let value: Value = serde_json::from_str(&ended.stdout).unwrap();
        let all = value["diagnostics"].as_array().unwrap();
        // After a thousand the rest is not said, and that it is not said is.
        assert!(all.len() <= 2002, "{name}: {}", all.len());
        let codes: Vec<_> = all
            .iter()
            .map(|found| found["code"].as_str().unwrap())
            .collect();
        assert!(
            all.len() < 1000 || codes.contains(&"T005"),
            "{name}: {}",
            all.len()
        );
    }
    let servers = |backend: String, count: u32| {
        let one = |at: u32| format!("    server s{at} 127.0.0.1:80 check weight 5\n");
        let all: String = (0..count).map(one).collect();
        format!("{backend}    timeout connect 1s\n    timeout server 1s\n{all}")
    };
    for (name, text) in [
        ("nothing", many("\n")),
        ("comments", many("# nothing\n")),
        ("servers", servers("backend b\n".to_owned(), 200_000)),
        (
            "sections",
            (0..50_000)
                .map(|at| servers(format!("backend b{at}\n"), 1))
                .collect(),
        ),
    ] {
        let ended = check(name, text.as_bytes(), &[]);
        assert_eq!(ended.code, 0, "{name}: {}", shown(&ended));
    }
}

#[test]
fn texts_that_are_too_long() {
    // Sparse: nobody writes these bytes.
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("odd.cfg");
    let limits = [
        "prlimit",
        BYTES,
        SECONDS,
        "--core=0",
        lanai(),
        "check",
        "-f",
    ];
    for (length, code, said) in [
        (17_u64 << 20, 1, "odd.cfg:1:1"),
        (257 << 20, 2, "has more than 268435456 bytes"),
    ] {
        std::fs::File::create(&path)
            .unwrap()
            .set_len(length)
            .unwrap();
        let argv = [&limits[..], &[path.to_str().unwrap()]].concat();
        let ended = run(&argv, Duration::from_secs(20));
        assert_eq!(ended.code, code, "{}", shown(&ended));
        assert!(ended.text().contains(said), "{}", shown(&ended));
    }
    // And one that never ends.
    let ended = run(
        &[&limits[..], &["/dev/zero"]].concat(),
        Duration::from_secs(20),
    );
    assert_eq!(ended.code, 2, "{}", shown(&ended));
}

/// At the limits that HAProxy documents the verdict is HAProxy's own, one below and one above.
#[test]
fn haproxys_limits_are_ours() {
    let nested = |deep: usize| {
        let open: String = (0..deep).map(|_| ".if 1\n").collect();
        format!("{open}global\n    maxconn 10\n{}", ".endif\n".repeat(deep))
    };
    let words = |count: usize| {
        let options = " check".repeat(count - 3);
        format!(
            "backend b\n    timeout connect 1s\n    timeout server 1s\n    server s 127.0.0.1:80{options}\n"
        )
    };
    let section = |length: usize| {
        let name = "n".repeat(length);
        format!(
            "backend {name}\n    timeout connect 1s\n    timeout server 1s\n    server {name} 127.0.0.1:80\n"
        )
    };
    for (name, text) in [
        ("98 conditions", nested(98)),
        ("99 conditions", nested(99)),
        ("100 conditions", nested(100)),
        ("101 conditions", nested(101)),
        ("63 words", words(63)),
        ("64 words", words(64)),
        ("65 words", words(65)),
        ("66 words", words(66)),
        ("a name of 255", section(255)),
        ("a name of 5000", section(5000)),
        ("a name of 70000", section(70_000)),
        (
            "a long line",
            format!("global\n    description {}\n", "x".repeat(16_000)),
        ),
    ] {
        let ours = check(name, text.as_bytes(), &[]);
        let theirs = haproxy(text.as_bytes());
        assert_eq!(
            ours.code == 0,
            theirs.code != 1,
            "{name}: {}\n{}",
            shown(&ours),
            shown(&theirs)
        );
    }
}

#[track_caller]
fn haproxy(text: &[u8]) -> Finished {
    let root = tempfile::tempdir().unwrap();
    let path: &Path = &root.path().join("odd.cfg");
    std::fs::write(path, text).unwrap();
    let argv = ["/usr/sbin/haproxy", "-c", "-f", path.to_str().unwrap()];
    run(&argv, Duration::from_secs(20))
}
