//! What an operator set at run time outlives the engine, however it dies and however much it is.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use lanai_tests::{Lab, until, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::load::{Clients, Mix};
use crate::origin;
use crate::site::SERVERS;
use crate::stage::{Stage, quiet};

/// Servers of the backend that nobody asks, and is only set.
const MANY: usize = 4_000;
/// From the engine's death to the first answer of the next one that has so much to set again.
const SERVES_AGAIN: Duration = Duration::from_secs(2);

/// The runtime API's socket, which the engine makes itself, with its own rights.
struct Api(PathBuf);

impl Api {
    /// Applies the site with the socket, and this text behind it.
    #[track_caller]
    fn of(stage: &Stage<'_>, behind: &str) -> Api {
        let directory = stage.lab.fresh("api");
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).unwrap();
        let api = Api(directory.join("stats.sock"));
        let path = api.0.display();
        let global = format!("    stats socket {path} mode 666 level admin\n");
        let text = stage.site.text(&global) + behind;
        stage.appliance.write("haproxy.cfg", &text);
        stage.appliance.apply("a runtime API");
        api
    }

    /// Sends a line, and waits for the whole answer.
    #[track_caller]
    fn ask(&self, line: &str) -> String {
        let mut stream = UnixStream::connect(&self.0).unwrap();
        stream.set_read_timeout(Some(within())).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// How many servers of a backend are drained.
    #[track_caller]
    fn drained(&self, backend: &str) -> usize {
        let answer = self.ask("show stat");
        let of = format!("{backend},s");
        let lines = answer.lines().filter(|line| line.starts_with(&of));
        lines.filter(|line| line.contains(",DRAIN,")).count()
    }
}

/// A backend that no frontend uses.
fn spare(servers: usize) -> String {
    let port = origin::WEB[0];
    let line = |n| format!("    server s{n} {SERVERS}:{port}\n");
    let lines: String = (0..servers).map(line).collect();
    format!("\nbackend spare\n{lines}")
}

#[test]
fn what_was_acknowledged_outlives_an_engine_that_dies_at_once() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let servers = 8;
    let api = Api::of(&stage, &spare(servers));
    for server in 0..servers {
        let engine = stage.engine();
        let answer = api.ask(&format!("set server spare/s{server} state drain"));
        kill(Pid::from_raw(engine), Signal::SIGKILL).unwrap();
        assert_eq!(answer.trim(), "");
        until("another engine at work", within(), || {
            let pids = stage.pids("lanai-engine");
            let other = !pids.is_empty() && !pids.contains(&engine);
            (other && UnixStream::connect(&api.0).is_ok()).then_some(())
        });
        assert_eq!(api.drained("spare"), server + 1);
    }
}

#[test]
fn many_overrides_hold_up_no_new_engine() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let api = Api::of(&stage, &spare(MANY));
    let servers: Vec<usize> = (0..MANY).collect();
    // A line has at most 16 kB.
    for some in servers.chunks(100) {
        let set = |n: &usize| {
            format!(
                "set server spare/s{n} state drain;set weight spare/s{n} 7;\
                 set maxconn server spare/s{n} 9"
            )
        };
        let lines: Vec<String> = some.iter().map(set).collect();
        api.ask(&lines.join(";"));
    }
    assert_eq!(api.drained("spare"), MANY);
    let clients = Clients {
        connections: 4,
        per_second: 100,
    };
    let load = stage.load(Mix {
        fresh: clients,
        ..quiet()
    });
    let engine = stage.engine();
    let killed = load.ledger.look_out();
    kill(Pid::from_raw(engine), Signal::SIGKILL).unwrap();
    let away = load.served_again(killed, within());
    println!("{MANY} servers with three overrides each: served again after {away:.0?}");
    load.finish();
    assert!(away <= SERVES_AGAIN, "{away:?}");
    let now = stage.engine();
    assert_eq!(api.drained("spare"), MANY);
    assert_eq!(stage.engine(), now, "it lives on");
}
