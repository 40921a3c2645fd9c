//! What programs that drive HAProxy (VTest, service managers, people) rely on in its binary.

mod running;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::engine::stand_in;
use running::{Running, Server, exchange, exchange_then_shut, half_closed, listener, plain};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 19] = [
        ("check_of_a_good_file_is_0", check_good),
        ("check_of_a_bad_file_is_1_and_names_all_lines", check_bad),
        ("check_without_a_listener_is_2", check_without_listener),
        ("check_of_a_missing_file_is_1", check_missing),
        ("check_reads_several_files_in_order", check_several),
        ("check_with_warnings_is_0_and_with_dw_1", check_warnings),
        ("conditions_answer_0_1_2", conditions),
        ("conditions_in_a_file_choose_lines", conditional_blocks),
        ("version_texts_are_found_by_tools", versions),
        ("vtest_preamble_and_inherited_sockets", vtest),
        ("unknown_debug_flags_are_taken", debug_flags),
        ("sigint_kills_at_once", || dies_of(Signal::SIGINT)),
        ("sigterm_ends_at_once", || dies_of(Signal::SIGTERM)),
        ("sigusr1_finishes_what_runs", soft_stop),
        ("systemd_mode_writes_its_pid_and_says_ready", systemd),
        ("daemon_mode_ends_with_the_verdict", daemon_mode),
        ("sf_takes_over", handover),
        ("an_address_in_use_is_1_and_names_the_line", address_in_use),
        (
            "command_socket_on_tcp_ends_after_half_close",
            command_socket,
        ),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(format!("contract::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    tests.into_iter().map(trial).collect()
}

const GOOD: &str = "\
defaults
    mode http
    timeout client 2s
    timeout server 2s
    timeout connect 1s
frontend fe
    bind 127.0.0.1:{port}
    default_backend be
backend be
    server s1 127.0.0.1:9
";

/// A finished command.
#[derive(Debug)]
struct Done {
    status: ExitStatus,
    text: String,
}

/// Runs the engine to its end; it must come within ten seconds.
fn run(directory: &Path, words: &[&str]) -> Done {
    let mut engine = Running::start(directory, words, None, &[]);
    let status = engine.ended(Duration::from_secs(10));
    Done {
        status,
        text: engine.output(),
    }
}

/// Writes a configuration and runs the engine with the words, `CFG` being the file.
fn with(config: &str, words: &[&str]) -> Done {
    let directory = tempfile::tempdir().unwrap();
    let file = write(&directory, "haproxy.cfg", config);
    let words: Vec<&str> = words
        .iter()
        .map(|w| if *w == "CFG" { file.as_str() } else { w })
        .collect();
    run(directory.path(), &words)
}

fn write(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, text.replace("{port}", &free_port().to_string())).unwrap();
    path.to_string_lossy().into_owned()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[track_caller]
fn code(done: &Done, wanted: i32) {
    assert_eq!(done.status.code(), Some(wanted), "{done:#?}");
}

fn check_good() {
    code(&with(GOOD, &["-c", "-f", "CFG"]), 0);
    code(&with(GOOD, &["-c", "-V", "-f", "CFG"]), 0);
    let quiet = with(GOOD, &["-q", "-c", "-f", "CFG"]);
    code(&quiet, 0);
    assert_eq!(quiet.text, "");
    // The file may also stand after `--`.
    code(&with(GOOD, &["-c", "--", "CFG"]), 0);
}

fn check_bad() {
    let bad = GOOD
        .replace("mode http", "mode http\n    foo bar\n    maxconnn 3")
        .replace("timeout server 2s", "timeout server 2x");
    let done = with(&bad, &["-c", "-f", "CFG"]);
    code(&done, 1);
    for part in [
        "haproxy.cfg:3]",
        "haproxy.cfg:4]",
        "haproxy.cfg:6]",
        "[ALERT]",
        "unknown keyword 'foo'",
    ] {
        assert!(done.text.contains(part), "no {part} in {}", done.text);
    }
    assert!(
        done.text.contains("did you mean 'maxconn'"),
        "{}",
        done.text
    );
    // Not running it either.
    code(&with(&bad, &["-db", "-f", "CFG"]), 1);
}

fn check_without_listener() {
    let done = with("global\n    maxconn 10\n", &["-c", "-f", "CFG"]);
    code(&done, 2);
}

fn check_missing() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory
        .path()
        .join("none.cfg")
        .to_string_lossy()
        .into_owned();
    let done = run(directory.path(), &["-c", "-f", &missing]);
    code(&done, 1);
    assert!(done.text.contains(&missing), "{}", done.text);
    // No file at all is a misuse, which HAProxy ends with 1 as well.
    code(&run(directory.path(), &[]), 1);
    code(&run(directory.path(), &["-zz"]), 1);
}

fn check_several() {
    let directory = tempfile::tempdir().unwrap();
    let (front, back) = GOOD.split_at(GOOD.find("\nbackend be\n").unwrap() + 1);
    let first = write(&directory, "a.cfg", front);
    let second = write(&directory, "b.cfg", back);
    code(
        &run(directory.path(), &["-c", "-f", &first, "-f", &second]),
        0,
    );
    // The backend is missing without the second file.
    code(&run(directory.path(), &["-c", "-f", &first]), 1);
}

fn check_warnings() {
    // A frontend without `timeout client` is what everyone warns about.
    let warns = GOOD.replace("    timeout client 2s\n", "");
    let done = with(&warns, &["-c", "-f", "CFG"]);
    code(&done, 0);
    assert!(done.text.contains("[WARNING]"), "{}", done.text);
    code(&with(&warns, &["-c", "-dW", "-f", "CFG"]), 1);
    code(&with(GOOD, &["-c", "-dW", "-f", "CFG"]), 0);
}

fn conditions() {
    let mut table = vec![
        ("version_atleast(2.4)", 0),
        ("version_atleast(9.9)", 1),
        ("version_before(9.9)", 0),
        ("feature(OPENSSL)", 0),
        ("feature(NOTHING_LIKE_IT)", 1),
        ("defined(PATH)", 0),
        ("!defined(PATH)", 1),
        ("streq(a,b)", 1),
        ("strneq(a,b)", 0),
        ("streq(\"$LANAI_TEST\",\"a b\")", 0),
        ("version_atleast(2.0) && feature(OPENSSL)", 0),
        ("version_atleast(9.0) || !(streq(a,b))", 0),
        ("(version_atleast(2.0))", 0),
        ("1", 0),
        ("0", 1),
        ("", 1),
        ("nope", 2),
        ("feature(OPENSSL", 2),
        ("nope(1)", 2),
    ];
    if !stand_in() {
        // Newer than the stand-in.
        table.extend([
            ("strstr(abc,b)", 0),
            ("strstr(abc,d)", 1),
            ("enabled(NO_SUCH)", 1),
        ]);
    }
    let directory = tempfile::tempdir().unwrap();
    for (text, wanted) in table {
        let done = run(directory.path(), &["-cc", text]);
        assert_eq!(
            done.status.code(),
            Some(wanted),
            "-cc '{text}': {}",
            done.text
        );
    }
}

fn conditional_blocks() {
    let chosen = |condition: &str| {
        let text = format!(
            "global\n.if {condition}\n    nonsense\n.elif version_atleast(9.9)\n    nonsense\n.else\n    maxconn 5\n.endif\n{GOOD}"
        );
        with(&text, &["-c", "-f", "CFG"]).status.code()
    };
    assert_eq!(chosen("feature(NOTHING_LIKE_IT)"), Some(0));
    assert_eq!(chosen("feature(OPENSSL)"), Some(1));
    assert_eq!(chosen("streq(\"$LANAI_TEST\",\"a b\")"), Some(1));
}

fn versions() {
    let directory = tempfile::tempdir().unwrap();
    let done = run(directory.path(), &["-vv"]);
    code(&done, 0);
    let line = done
        .text
        .lines()
        .find(|l| l.starts_with("HAProxy version") || l.starts_with("HA-Proxy version"));
    let version = line.and_then(|l| l.split(' ').nth(2)).unwrap_or_default();
    assert!(
        version.starts_with(|c: char| c.is_ascii_digit()),
        "{}",
        done.text
    );
    assert!(
        done.text
            .lines()
            .any(|l| l.trim() == "TARGET  = linux-glibc"),
        "{}",
        done.text
    );
    let short = run(directory.path(), &["-v"]);
    code(&short, 0);
    assert!(short.text.contains(version), "{}", short.text);
}

/// The text that VTest puts before a test's own, with everything it hands over.
fn vtest() {
    let directory = tempfile::tempdir().unwrap();
    let config = "\
    global
\tstats socket \"{dir}/stats.sock\" level admin mode 600
    stats socket \"fd@${cli}\" level admin

global
.if feature(THREAD)
    thread-groups 1
.endif

defaults
    mode http
    timeout connect \"${HAPROXY_TEST_TIMEOUT-5s}\"
    timeout client  \"${HAPROXY_TEST_TIMEOUT-5s}\"
    timeout server  \"${HAPROXY_TEST_TIMEOUT-5s}\"

frontend fe1
    bind \"fd@${fe1}\"
    default_backend be1

backend be1
    server s1 {s1}
";
    let config = if stand_in() {
        config.replace("    thread-groups 1\n", "")
    } else {
        config.to_owned()
    };
    let server = Server::start(Duration::ZERO);
    let config = config
        .replace("{dir}", &directory.path().to_string_lossy())
        .replace("{s1}", &format!("127.0.0.1:{}", server.port));
    let file = write(&directory, "cfg", &config);
    let (cli, fe) = (listener(), listener());
    let mut engine = Running::start(
        directory.path(),
        &["-d", "-dM", "-dI", "-f", &file],
        None,
        &[("cli", &cli), ("fe1", &fe)],
    );
    // No readiness to wait for: the listeners are VTest's, so the first client waits in the queue.
    let answer = exchange(
        fe.local_addr().unwrap().port(),
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    );
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok"),
        "{answer:?}"
    );
    let info = half_closed(cli.local_addr().unwrap().port(), "show info");
    let pid = format!("Pid: {}\n", engine.child.id());
    assert!(
        info.contains(&pid),
        "the engine must not fork: no {pid:?} in {info}"
    );
    engine.signal(Signal::SIGINT);
    let status = engine.ended(Duration::from_secs(2));
    assert!(
        status.code() == Some(0) || status.signal() == Some(Signal::SIGINT as i32),
        "{status}"
    );
    assert!(!status.core_dumped());
}

fn debug_flags() {
    for flags in [
        &["-dM"][..],
        &["-dI"],
        &["-dZ"],
        &["-dM0x50"],
        &["-dr", "-dV"],
        &["-L", "peer"],
        &["-m", "200"],
        &["-n", "100"],
    ] {
        let words = [&["-c"], flags, &["-f", "CFG"]].concat();
        // The stand-in is older than some of them.
        if stand_in() && words.iter().any(|w| ["-dI", "-dZ"].contains(w)) {
            continue;
        }
        let done = with(GOOD, &words);
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", done.text);
    }
}

fn dies_of(signal: Signal) {
    let server = Server::start(Duration::from_secs(20));
    let (mut engine, port, _directory) = plain(&server, &["-db"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    server.asked();
    engine.signal(signal);
    let status = engine.ended(Duration::from_secs(2));
    let code = (signal == Signal::SIGTERM).then_some(143);
    assert!(
        status.signal() == Some(signal as i32) || (code.is_some() && status.code() == code),
        "{status}"
    );
    // Nothing holds the pipe open any longer: a driver waits for its end.
    assert!(
        engine.pipe_ended(Duration::from_secs(2)),
        "something still holds standard output"
    );
    client
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let ended = client.read(&mut [0; 16]);
    assert!(
        matches!(ended, Ok(0))
            || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
    );
}

fn soft_stop() {
    let server = Server::start(Duration::from_millis(700));
    let (mut engine, port, _directory) = plain(&server, &["-db"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    server.asked();
    engine.signal(Signal::SIGUSR1);
    let end = Instant::now() + Duration::from_millis(600);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        assert!(Instant::now() < end, "still takes connections");
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut answer = String::new();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
    );
    let status = engine.ended(Duration::from_secs(5));
    assert_eq!(status.code(), Some(0), "{status}");
}

fn systemd() {
    let directory = tempfile::tempdir().unwrap();
    let (pid_file, notify) = (
        directory.path().join("pid"),
        directory.path().join("notify"),
    );
    let socket = UnixDatagram::bind(&notify).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let file = write(&directory, "haproxy.cfg", GOOD);
    let pid_words = pid_file.to_string_lossy().into_owned();
    let mut engine = Running::start(
        directory.path(),
        &["-Ws", "-f", &file, "-p", &pid_words],
        Some(&notify),
        &[],
    );
    let mut buffer = [0; 1_000];
    let mut next = || {
        let count = socket
            .recv(&mut buffer)
            .unwrap_or_else(|e| panic!("no notification: {e}; {}", engine.output()));
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let mut text = next();
    // The stand-in's older master says something else first.
    if stand_in() && !text.contains("READY=1") {
        text = next();
    }
    assert!(text.contains("READY=1"), "{text}");
    let written = fs::read_to_string(&pid_file).unwrap();
    assert_eq!(written.trim(), engine.child.id().to_string());
    engine.signal(Signal::SIGINT);
    let status = engine.ended(Duration::from_secs(2));
    let good = [Some(0), Some(130)].contains(&status.code())
        || status.signal() == Some(Signal::SIGINT as i32);
    assert!(good, "{status}");
}

fn daemon_mode() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    let pid_file = directory.path().join("pid");
    let pid_words = pid_file.to_string_lossy().into_owned();
    let config = GOOD.replace("{port}", &port.to_string());
    let file = write(&directory, "haproxy.cfg", &config);
    let done = run(directory.path(), &["-D", "-f", &file, "-p", &pid_words]);
    code(&done, 0);
    // The first process ends when the second one listens, not before.
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    let pid: i32 = fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        assert!(Instant::now() < end, "process {pid} did not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    // What cannot start does not look started.
    let taken = listener();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = write(&directory, "taken.cfg", &GOOD.replace("{port}", &port));
    code(&run(directory.path(), &["-D", "-f", &file]), 1);
}

fn handover() {
    let server = Server::start(Duration::from_millis(500));
    let (mut old, port, directory) = plain(&server, &["-db"]);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    server.asked();
    let file = directory
        .path()
        .join("haproxy.cfg")
        .to_string_lossy()
        .into_owned();
    let second = tempfile::tempdir().unwrap();
    let pid = old.child.id().to_string();
    let _new = Running::start(second.path(), &["-db", "-f", &file, "-sf", &pid], None, &[]);
    // The running request does not notice. A new connection may, for a moment: docs/differences.md.
    let gap = Duration::from_millis(if stand_in() { 0 } else { 500 });
    let (started, mut answered) = (Instant::now(), Instant::now());
    let status = loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => answered = Instant::now(),
            Err(error) => assert!(answered.elapsed() <= gap, "nobody listens: {error}"),
        }
        if let Some(status) = old.child.try_wait().unwrap() {
            break status;
        }
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the old process does not end"
        );
        std::thread::sleep(Duration::from_millis(5));
    };
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the new process listens");
    assert_eq!(status.code(), Some(0), "{status}");
    let mut answer = String::new();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

fn address_in_use() {
    let taken = listener();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = write(&directory, "haproxy.cfg", &GOOD.replace("{port}", &port));
    let done = run(directory.path(), &["-db", "-f", &file]);
    code(&done, 1);
    assert!(
        done.text.contains("[ALERT]") && done.text.contains("haproxy.cfg:7"),
        "{}",
        done.text
    );
    assert!(done.text.contains(&port), "{}", done.text);
}

fn command_socket() {
    let directory = tempfile::tempdir().unwrap();
    let stats = "global\n    stats socket \"fd@${cli}\" level admin\n    stats timeout 2s\n";
    let file = write(&directory, "haproxy.cfg", &format!("{stats}{GOOD}"));
    let cli = listener();
    let port = cli.local_addr().unwrap().port();
    let _engine = Running::start(
        directory.path(),
        &["-db", "-f", &file],
        None,
        &[("cli", &cli)],
    );
    let backends = half_closed(port, "show backend");
    assert_eq!(backends, "# name\nbe\n\n");
    // Several commands, by semicolon and by line.
    assert_eq!(
        half_closed(port, "show backend;show backend"),
        format!("{backends}{backends}")
    );
    assert_eq!(
        half_closed(port, "show backend\nshow backend"),
        format!("{backends}{backends}")
    );
    let unknown = half_closed(port, "no such thing");
    assert!(
        unknown.starts_with("Unknown command") && unknown.ends_with('\n'),
        "{unknown}"
    );
    // Without a half close one line is answered and the connection ended all the same.
    assert_eq!(exchange(port, b"show backend\n"), backends);
    // Interactive: a prompt after each answer, until `quit`.
    let talk = exchange(port, b"prompt\nshow backend\nquit\n");
    assert_eq!(talk, "\n> # name\nbe\n\n> ");
    // A line without its end is no command.
    assert_eq!(exchange_then_shut(port, b"show backend"), "");
    // A line without end is no way to fill memory, nor to hold the socket (as it is with the stand-in).
    if !stand_in() {
        let endless = exchange_then_shut(port, &vec![b'x'; 1_000_000]);
        assert!(endless.len() < 10_000, "{} bytes", endless.len());
    }
}
