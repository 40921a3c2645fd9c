//! Real sockets, and a source made of constants.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lanai_model::layer7::{AccessLevel, Mode};
use lanai_traffic::condition::{Admin, Checks, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::{Source, serve};
use crate::overrides::Operator;
use crate::service::syslog::LogSender;
use crate::shared::Shared;
use crate::status::{BackendStatus, CheckResult, Counters, FrontendStatus, ServerStatus, Status};

struct Fake {
    cleared: RefCell<Vec<bool>>,
    /// Of an engine without a configuration.
    operator: Operator,
}

impl Default for Fake {
    fn default() -> Self {
        let (log, _) = LogSender::new();
        let shared = Shared::new(1, 100, 16_384, 15_360, log, None);
        let (service, _) = tokio::sync::mpsc::unbounded_channel();
        Self {
            cleared: RefCell::default(),
            operator: Operator::new(Arc::new(shared), Arc::default(), service),
        }
    }
}

impl Source for Fake {
    fn status(&self) -> Status {
        status()
    }

    fn version(&self) -> &'static str {
        "3.5-test"
    }

    fn pid(&self) -> u32 {
        4711
    }

    fn operator(&self) -> &Operator {
        &self.operator
    }

    fn clear_counters(&self, all: bool) {
        self.cleared.borrow_mut().push(all);
    }
}

fn status() -> Status {
    let counters = Counters {
        current: 1,
        max: 2,
        total: 3,
        bytes_in: 10,
        bytes_out: 20,
        requests: 4,
        responses: [0, 3, 0, 1, 0, 0],
        ..Counters::default()
    };
    Status {
        uptime: Duration::from_secs(93_784),
        threads: 2,
        maxconn: 100,
        hard_maxconn: 100,
        current_connections: 1,
        total_connections: 3,
        total_requests: 4,
        dropped_logs: 7,
        stopping: false,
        frontends: vec![FrontendStatus {
            name: "fe".into(),
            id: 2,
            mode: Mode::Http,
            limit: 100,
            paused: false,
            listeners: Vec::new(),
            counters,
        }],
        backends: vec![BackendStatus {
            name: "be".into(),
            id: 3,
            mode: Mode::Http,
            up: true,
            queued: 0,
            queued_max: 5,
            downs: 0,
            counters,
            servers: vec![
                server("s1", 1, "UP", "L4OK", ""),
                server("s2", 2, "DOWN", "L4CON", "Connection refused, \"twice\""),
            ],
            since_change: Duration::from_secs(9),
        }],
    }
}

fn server(name: &str, id: u32, state: &str, check: &'static str, said: &str) -> ServerStatus {
    ServerStatus {
        name: name.into(),
        id,
        address: format!("127.0.0.1:808{id}"),
        status: state.to_owned(),
        up: state == "UP",
        operation: if state == "UP" {
            Operation::Running
        } else {
            Operation::Stopped
        },
        admin: Admin::Ready,
        weight: 5,
        initial_weight: 5,
        limit: Some(20),
        counters: Counters::default(),
        idle_connections: 0,
        last_check: Some(CheckResult {
            status: check,
            description: said.to_owned(),
            duration: Duration::from_millis(3),
        }),
        check_failures: 1,
        downs: 1,
        downtime: Duration::from_secs(4),
        since_change: Duration::from_secs(6),
        checks: Checks::On,
        health: (2, 3, if state == "UP" { 4 } else { 0 }),
    }
}

struct Lab {
    path: tempdir::Place,
    fake: Rc<Fake>,
}

/// A path of its own for each socket.
mod tempdir {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    pub(super) struct Place(pub(super) PathBuf);

    impl Place {
        pub(super) fn new() -> Self {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("lanai-api-{}-{number}.sock", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

impl Lab {
    fn start(level: AccessLevel, idle: Duration) -> Self {
        let path = tempdir::Place::new();
        let listener = std::os::unix::net::UnixListener::bind(&path.0).unwrap();
        let fake = Rc::new(Fake::default());
        let source: Rc<dyn Source> = fake.clone();
        let places = Arc::new(Semaphore::new(super::CONNECTIONS));
        tokio::task::spawn_local(serve(OwnedFd::from(listener), source, level, idle, places));
        Self { path, fake }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path.0).await.unwrap()
    }

    /// Sends, does not half-close, and reads until the other side closes.
    async fn ask(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

fn with_lab<F: Future>(level: AccessLevel, test: impl FnOnce(Lab) -> F) -> F::Output {
    timed_lab(level, Duration::from_secs(20), test)
}

fn timed_lab<F: Future>(
    level: AccessLevel,
    idle: Duration,
    test: impl FnOnce(Lab) -> F,
) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let test = test(Lab::start(level, idle));
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, test).await.expect("it hangs")
    })
}

/// The value of a column, by name.
fn column(csv: &str, row: usize, name: &str) -> String {
    let mut lines = csv.lines();
    let names = lines.next().unwrap().strip_prefix("# ").unwrap();
    let at = names.split(',').position(|n| n == name).unwrap();
    lines
        .nth(row)
        .unwrap()
        .split(',')
        .nth(at)
        .unwrap()
        .to_owned()
}

#[test]
fn one_line_is_answered_and_the_door_shut() {
    with_lab(AccessLevel::User, |lab| async move {
        assert_eq!(lab.ask("show version\n").await, "3.5-test\n\n");
        assert_eq!(lab.ask(" show   version \r\n").await, "3.5-test\n\n");
        let both = "3.5-test\n\nuser\n\n";
        assert_eq!(lab.ask("show version;show cli level\n").await, both);
        assert_eq!(lab.ask("show version\nshow cli level\n").await, both);
    });
}

#[test]
fn a_half_closed_client_is_answered_but_half_a_line_is_not_run() {
    with_lab(AccessLevel::Admin, |lab| async move {
        for (text, expected) in [
            ("show version\n", "3.5-test\n\n"),
            ("clear counters all", ""),
            ("", ""),
        ] {
            let mut stream = lab.connect().await;
            stream.write_all(text.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, expected, "{text:?}");
        }
        assert!(lab.fake.cleared.borrow().is_empty());
    });
}

#[test]
fn the_prompt_keeps_the_connection() {
    with_lab(AccessLevel::Admin, |lab| async move {
        let answer = lab.ask("prompt;show version;quit\n").await;
        assert_eq!(answer, "\n> 3.5-test\n\n> ");
        let answer = lab.ask("prompt\nprompt\nshow version\n").await;
        assert_eq!(answer, "\n> \n3.5-test\n\n");

        let mut stream = lab.connect().await;
        let mut answer = [0; 3];
        stream.write_all(b"prompt\n").await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"\n> ");
        stream
            .write_all(b"user\nclear counters\nexit\n")
            .await
            .unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "\n> Permission denied\n\n> ");
    });
}

#[test]
fn levels_are_kept() {
    with_lab(AccessLevel::Operator, |lab| async move {
        let denied = "Permission denied\n\n";
        assert_eq!(lab.ask("clear counters\n").await, "\n");
        assert_eq!(lab.ask("clear counters all\n").await, denied);
        assert_eq!(lab.ask("show env\n").await, denied);
        assert_eq!(
            lab.ask("user;clear counters\n").await,
            format!("\n{denied}")
        );
        assert_eq!(lab.ask("user;operator\n").await, format!("\n{denied}"));
        assert!(!lab.ask("help\n").await.contains("show env"));
        assert_eq!(*lab.fake.cleared.borrow(), [false]);
    });
    with_lab(AccessLevel::Admin, |lab| async move {
        assert_eq!(lab.ask("clear counters all\n").await, "\n");
        assert_eq!(*lab.fake.cleared.borrow(), [true]);
        assert!(lab.ask("show env PATH\n").await.starts_with("PATH="));
        let missing = "Variable not found\n\n";
        assert_eq!(lab.ask("show env NO_SUCH_ONE\n").await, missing);
    });
}

#[test]
fn what_is_unknown_gets_the_commands_that_are_near() {
    with_lab(AccessLevel::User, |lab| async move {
        for text in ["\n", "frobnicate\n"] {
            let answer = lab.ask(text).await;
            assert!(answer.starts_with("Unknown command"), "{answer}");
            assert!(answer.contains("\n  show version                            : "));
            assert!(answer.contains("\n  quit"));
            assert!(answer.ends_with("\n\n"));
        }
        let answer = lab.ask("show versio\n").await;
        assert!(answer.contains("\n  show version"));
        assert!(!answer.contains("quit"));
        // An escaped `;` belongs to the word.
        let answer = lab.ask("show version\\;x\n").await;
        assert_eq!(answer.matches("Unknown command").count(), 1, "{answer}");
        assert_eq!(lab.ask("show version x\\\\;quit\n").await, "3.5-test\n\n");
    });
}

#[test]
fn a_payload_is_not_run() {
    with_lab(AccessLevel::Admin, |lab| async move {
        let text = "add map x <<\nclear counters all\n\nshow version\n";
        let answer = lab.ask(text).await;
        assert!(answer.starts_with("Unknown command"), "{answer}");
        assert!(answer.ends_with("\n\n3.5-test\n\n"));
        let answer = lab.ask("show version <<EOF\nclear counters\n\nEOF\n").await;
        assert_eq!(answer, "3.5-test\n\n");
        let endless = format!("show version <<\n{}", "clear counters all\n".repeat(20_000));
        let mut stream = lab.connect().await;
        // The other side may have shut the door before all is written.
        let _ = stream.write_all(endless.as_bytes()).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert!(lab.fake.cleared.borrow().is_empty());
    });
}

#[test]
fn a_line_has_a_limit() {
    with_lab(AccessLevel::User, |lab| async move {
        let fits = format!("show version {}\n", "x".repeat(16_384 - 13));
        assert_eq!(lab.ask(&fits).await, "3.5-test\n\n");
        let answer = lab.ask(&fits.replace("show", "show ")).await;
        assert_eq!(answer, "The line is longer than 16384 bytes.\n\n");
        let answer = lab.ask(&"x".repeat(20_000)).await;
        assert_eq!(answer, "The line is longer than 16384 bytes.\n\n");
    });
}

#[test]
fn an_idle_client_is_let_go_in_its_own_time() {
    timed_lab(
        AccessLevel::User,
        Duration::from_millis(50),
        |lab| async move {
            let mut rest = Vec::new();
            let mut stream = lab.connect().await;
            stream.write_all(b"prompt\n").await.unwrap();
            stream.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"\n> ");

            // Longer for who asks: it must still be open when the first one has been closed.
            let mut patient = lab.connect().await;
            patient
                .write_all(b"prompt;set timeout cli 1h\n")
                .await
                .unwrap();
            let mut answer = [0; 6];
            patient.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"\n> \n> ");
            let mut other = lab.connect().await;
            other.read_to_end(&mut rest).await.unwrap();
            patient.write_all(b"show version\n").await.unwrap();
            patient.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"3.5-te");
        },
    );
}

#[test]
fn timeouts_that_make_no_sense_are_refused() {
    with_lab(AccessLevel::User, |lab| async move {
        for good in ["10", "1us", "5ms", "24d"] {
            let command = format!("set timeout cli {good}\n");
            assert_eq!(lab.ask(&command).await, "\n", "{good}");
        }
        for bad in ["0", "x", "-1", "25d", "10y", "99999999999999999999", "é"] {
            let command = format!("set timeout cli {bad}\n");
            assert_eq!(
                lab.ask(&command).await,
                "Invalid timeout value.\n\n",
                "{bad}"
            );
        }
        let answer = lab.ask("set timeout cli\n").await;
        assert_eq!(answer, "Expects an integer value.\n\n");
    });
}

#[test]
fn more_clients_than_allowed_wait_for_a_place() {
    with_lab(AccessLevel::User, |lab| async move {
        let mut inside = Vec::new();
        for _ in 0..super::CONNECTIONS {
            let mut stream = lab.connect().await;
            stream.write_all(b"prompt\n").await.unwrap();
            stream.read_exact(&mut [0; 3]).await.unwrap();
            inside.push(stream);
        }
        let waiting = lab.ask("show version\n");
        tokio::pin!(waiting);
        let pause = tokio::time::timeout(Duration::from_millis(50), &mut waiting);
        assert!(pause.await.is_err(), "served although all places are taken");
        inside.pop();
        assert_eq!(waiting.await, "3.5-test\n\n");
    });
}

#[test]
fn tcp_is_served_too() {
    with_lab(AccessLevel::User, |lab| async move {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let source: Rc<dyn Source> = lab.fake.clone();
        let level = AccessLevel::Operator;
        let places = Arc::new(Semaphore::new(1));
        let served = serve(
            listener.into(),
            source,
            level,
            Duration::from_secs(9),
            places,
        );
        let served = tokio::task::spawn_local(served);
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"show cli level\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "operator\n\n");

        // A connection outlives it.
        let mut open = tokio::net::TcpStream::connect(address).await.unwrap();
        open.write_all(b"prompt\n").await.unwrap();
        open.read_exact(&mut [0; 3]).await.unwrap();
        served.abort();
        assert!(served.await.unwrap_err().is_cancelled());
        open.write_all(b"show cli level;quit\n").await.unwrap();
        let mut answer = String::new();
        open.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "operator\n\n> ");
        tokio::net::TcpStream::connect(address).await.unwrap_err();
    });
}

#[test]
fn stat_names_its_columns() {
    with_lab(AccessLevel::Operator, |lab| async move {
        let csv = lab.ask("show stat\n").await;
        assert!(csv.starts_with("# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,"));
        let counts: Vec<_> = csv.lines().map(|line| line.matches(',').count()).collect();
        // The third has a comma in quotes; the last line is empty.
        assert_eq!(counts, [144, 144, 144, 145, 144, 0]);
        for (row, name, expected) in [
            (0, "svname", "FRONTEND"),
            (0, "status", "OPEN"),
            (0, "hrsp_2xx", "3"),
            (0, "req_tot", "4"),
            (0, "slim", "100"),
            (1, "svname", "s1"),
            (1, "check_status", "L4OK"),
            (1, "addr", "127.0.0.1:8081"),
            (1, "weight", "5"),
            (1, "lastsess", "-1"),
            (2, "status", "DOWN"),
            (3, "svname", "BACKEND"),
            (3, "act", "1"),
            (3, "qmax", "5"),
        ] {
            assert_eq!(column(&csv, row, name), expected, "{row} {name}");
        }
        assert!(csv.contains(",\"Connection refused, \"\"twice\"\"\","));
    });
    with_lab(AccessLevel::User, |lab| async move {
        let csv = lab.ask("show stat\n").await;
        assert_eq!(column(&csv, 1, "addr"), "");
    });
}

#[test]
fn stat_selects_rows() {
    with_lab(AccessLevel::User, |lab| async move {
        for (arguments, expected) in [
            ("", "FRONTEND s1 s2 BACKEND"),
            ("fe", "FRONTEND s1 s2 BACKEND"),
            ("-1 4 -1", "s1 s2"),
            ("be 4 2", "s2"),
            ("3 6 -1", "s1 s2 BACKEND"),
            ("be 7 0", "BACKEND"),
            ("-1 1 -1", "FRONTEND"),
            ("99 7 -1", ""),
            ("be abc -1", ""),
            ("up", "FRONTEND s1 BACKEND"),
            ("domain proxy", "FRONTEND s1 s2 BACKEND"),
        ] {
            let csv = lab.ask(&format!("show stat {arguments}\n")).await;
            let names: Vec<_> = csv
                .lines()
                .skip(1)
                .filter_map(|line| line.split(',').nth(1))
                .collect();
            assert_eq!(names.join(" "), expected, "{arguments}");
        }
        assert_eq!(lab.ask("show stat no 1 -1\n").await, "No such proxy.\n\n");
        let answer = lab.ask("show stat domain no\n").await;
        assert_eq!(answer, "Invalid statistics domain.\n\n");
    });
}

#[test]
fn stat_has_other_forms() {
    with_lab(AccessLevel::User, |lab| async move {
        let typed = lab.ask("show stat be 4 1 typed\n").await;
        assert!(typed.starts_with("S.3.1.0.pxname.1:KNS:str:be\n"));
        assert!(typed.contains("\nS.3.1.55.lastsess.1:MAP:s32:-1\n"));
        assert!(typed.contains("\nS.3.1.18.weight.1:MaP:u32:5\n"));
        let typed = lab.ask("show stat typed desc\n").await;
        assert!(typed.contains("F.2.0.48.req_tot.1:MCP:u64:4:\"requests so far\"\n"));
        let json = lab.ask("show stat be 4 2 json\n").await;
        let first = "[[{\"objType\":\"Server\",\"proxyId\":3,\"id\":2,\
            \"field\":{\"pos\":0,\"name\":\"pxname\"},\"processNum\":1,\
            \"tags\":{\"origin\":\"Key\",\"nature\":\"Name\",\"scope\":\"Service\"},\
            \"value\":{\"type\":\"str\",\"value\":\"be\"}},";
        assert!(json.starts_with(first), "{json}");
        assert!(json.contains("\"Connection refused, \\\"twice\\\"\""));
        assert!(json.ends_with("}}]]\n\n"));
        assert_eq!(lab.ask("show stat 99 1 -1 json\n").await, "[]\n\n");
    });
}

#[test]
fn info_tells_of_the_process() {
    with_lab(AccessLevel::User, |lab| async move {
        let info = lab.ask("show info\n").await;
        assert!(info.starts_with("Name: HAProxy\nVersion: 3.5-test\nRelease_date: 2"));
        for line in [
            "Pid: 4711",
            "Nbthread: 2",
            "Uptime: 1d 2h03m04s",
            "Uptime_sec: 93784",
            "CurrConns: 1",
            "CumReq: 4",
            "TotalBytesOut: 20",
            "DroppedLogs: 7",
            "Tasks: 0",
            "Stopping: 0",
        ] {
            assert!(info.lines().any(|l| l == line), "{line} is not in\n{info}");
        }
        assert!(info.ends_with("\n\n"));
        let typed = lab.ask("show info typed desc\n").await;
        assert!(typed.contains("17.CurrConns.1:MGP:u32:1:\"client connections now\"\n"));
        let json = lab.ask("show info json\n").await;
        assert!(json.starts_with("[{\"field\":{\"pos\":0,\"name\":\"Name\"},"));
        assert!(json.ends_with("}}]\n\n"));
        assert!(
            lab.ask("show info float\n")
                .await
                .contains("Uptime_sec: 93784.000000\n")
        );
    });
}

#[test]
fn servers_can_be_listed() {
    with_lab(AccessLevel::User, |lab| async move {
        let state = lab.ask("show servers state be\n").await;
        let lines: Vec<_> = state.lines().collect();
        assert_eq!(lines[0], "1");
        let columns = lines[1].split(' ').count() - 1;
        assert_eq!(columns, 25);
        assert_eq!(lines[2].split(' ').count(), columns);
        assert_eq!(
            lines[2],
            "3 be 1 s1 127.0.0.1 2 0 5 5 6 6 3 4 6 0 0 0 - 8081 - 0 0 - - 0"
        );
        assert_eq!(
            lines[3],
            "3 be 2 s2 127.0.0.1 0 0 5 5 6 8 2 0 6 0 0 0 - 8082 - 0 0 - - 0"
        );
        let none = lab.ask("show servers state no\n").await;
        assert_eq!(none, "Can't find backend.\n\n");
        assert_eq!(lab.ask("show backend\n").await, "# name\nbe\n\n");
        assert_eq!(lab.ask("get weight no/s1\n").await, "No such backend.\n\n");
    });
}
