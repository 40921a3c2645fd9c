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
use crate::site::{BOX, SERVERS};
use crate::stage::{CLIENTS, Stage, quiet};

/// Servers of the backend that nobody asks, and is only set.
const MANY: usize = 4_000;
/// From the engine's death to the first answer of the next one that has so much to set again.
const SERVES_AGAIN: Duration = Duration::from_secs(2);

/// Where a frontend listens that comes late.
const LATE: u16 = 9998;

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

    /// Sends a line for each number.
    #[track_caller]
    fn ask_for_each(&self, count: usize, line: impl Fn(usize) -> String) {
        let lines: Vec<String> = (0..count).map(line).collect();
        // A line has at most 16 kB.
        for some in lines.chunks(100) {
            self.ask(&some.join(";"));
        }
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

/// The name of the backend whose servers are set, and the site's lines for it.
fn noted() -> String {
    let port = origin::WEB[0];
    let line = |n| format!("    server s{n} {SERVERS}:{port} weight 10 maxconn 50\n");
    let lines: String = (1..=6).map(line).collect();
    format!("\nfrontend hidden\n    bind {BOX}:9999\n\nbackend noted\n{lines}")
}

/// What is set of them before a successor comes, and while it does.
const BEFORE: [&str; 6] = [
    "set server noted/s1 state maint",
    "set weight noted/s2 9",
    "set server noted/s3 state drain",
    "set maxconn server noted/s4 5",
    "set server noted/s5 health down",
    "set server noted/s6 addr 10.3.0.77",
];
const MEANWHILE: [&str; 9] = [
    "set server noted/s1 state ready",
    "set weight noted/s2 100%",
    "set server noted/s3 state maint",
    "set maxconn server noted/s4 50",
    "set server noted/s5 health up",
    "set server noted/s6 addr 10.3.0.1",
    "set server noted/s2 state drain",
    "set weight noted/s5 77",
    "disable frontend hidden",
];

/// Waits for the engine that is to succeed this one to have what that one has left so far: its
/// listening sockets come with it. Then it does nothing more before it is told to.
#[track_caller]
fn stop_successor(stage: &Stage<'_>, engine: i32) -> i32 {
    let listening = &stage.lasting_sockets()[0];
    let socket = format!("socket:[{listening}]");
    let has_it = |pid: &i32| {
        let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let mut targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets.any(|target| target.as_os_str() == socket.as_str())
    };
    let successor = until("a successor with the sockets", within(), || {
        let pids = stage.pids("lanai-engine");
        pids.into_iter().filter(|pid| *pid != engine).find(has_it)
    });
    kill(Pid::from_raw(successor), Signal::SIGSTOP).unwrap();
    successor
}

/// What is set of the servers, and of the frontend.
#[track_caller]
fn set(api: &Api) -> Vec<String> {
    let state = api.ask("show servers state noted");
    let mut set: Vec<String> = state
        .lines()
        .skip(2)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            // Name, address, operation, what is wanted, weight; port.
            format!("{} {}", words[3..8].join(" "), words[18])
        })
        .collect();
    let stat = api.ask("show stat");
    let rows = stat
        .lines()
        .filter(|line| line.starts_with("noted,s") || line.starts_with("hidden,FRONTEND"));
    // The limit, and the status.
    set.extend(rows.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("{} {} {} {}", cells[0], cells[1], cells[6], cells[17])
    }));
    set
}

fn answers(stage: &Stage<'_>, port: u16) -> bool {
    let url = format!("http://{BOX}:{port}/");
    let curl = ["curl", "-so", "/dev/null", "-m", "1", &url];
    stage.lab.run(CLIENTS, &curl).code == 0
}

#[track_caller]
fn pid(api: &Api) -> String {
    let info = api.ask("show info");
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid: "));
    pid.unwrap_or_else(|| panic!("{info}")).to_owned()
}

/// The same engine serves until its successor does: what is set and applied in between is not lost with
/// it, however long that takes.
#[test]
fn what_is_set_while_a_successor_comes_counts_there() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    // So many overrides that it can be stopped while it sets them.
    let api = Api::of(&stage, &(noted() + &spare(MANY)));
    api.ask_for_each(MANY, |n| format!("set server spare/s{n} state drain"));
    for line in BEFORE {
        api.ask(line);
    }
    let clients = Clients {
        connections: 4,
        per_second: 100,
    };
    // The tunnels keep the former engine alive.
    let load = stage.load(Mix {
        kept: clients,
        fresh: clients,
        tunnels: clients,
        ..quiet()
    });
    let mut former = UnixStream::connect(&api.0).unwrap();
    former.write_all(b"prompt\n").unwrap();
    former.read_exact(&mut [0; 3]).unwrap();

    let engine = stage.engine();
    let successor = std::thread::scope(|scope| {
        let upgrade = scope.spawn(|| stage.appliance.lanai(&["upgrade"]));
        let successor = stop_successor(&stage, engine);
        assert_eq!(pid(&api), engine.to_string());
        for line in MEANWHILE {
            for _ in 0..2 {
                // All that is asked meanwhile reaches the one that serves.
                assert_eq!(pid(&api), engine.to_string());
            }
            api.ask(line);
        }
        let late = format!("\nfrontend late\n    bind {BOX}:{LATE}\n    default_backend items\n");
        let text = stage.appliance.read("haproxy.cfg") + &late;
        stage.appliance.write("haproxy.cfg", &text);
        until("control, which is another one too", within(), || {
            (stage.appliance.lanai(&["apply"]).code == 0).then_some(())
        });
        let set_now = set(&api);
        kill(Pid::from_raw(successor), Signal::SIGCONT).unwrap();
        upgrade.join().unwrap().ok();
        assert_eq!(set(&api), set_now);
        successor
    });
    for _ in 0..50 {
        assert_eq!(pid(&api), successor.to_string());
        assert!(answers(&stage, LATE));
    }
    former
        .write_all(b"set server noted/s1 state maint;quit\n")
        .unwrap();
    let mut answer = String::new();
    former.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("Another process has taken over"),
        "{answer}"
    );
    assert!(stage.pids("lanai-engine").contains(&engine), "it finishes");
    let report = load.finish();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{}", report.first_failures());

    let set_now = set(&api);
    kill(Pid::from_raw(successor), Signal::SIGKILL).unwrap();
    until("another engine at work", within(), || {
        let other = |found: String| (found != successor.to_string()).then_some(());
        UnixStream::connect(&api.0)
            .ok()
            .and_then(|_| other(pid(&api)))
    });
    assert_eq!(set(&api), set_now);
    assert!(answers(&stage, LATE));
}

/// A trial that ends is as if it had not been: what an operator had taken out of service stays so.
#[test]
fn a_change_that_is_taken_back_brings_back_what_gave_way_to_it() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let api = Api::of(&stage, &noted());
    for line in BEFORE {
        api.ask(line);
    }
    api.ask("disable frontend hidden");
    let (set_before, text) = (set(&api), stage.appliance.read("haproxy.cfg"));
    let renamed = text
        .replace(
            "server s1 10.3.0.1:8001 weight 10 maxconn",
            "server t1 10.3.0.1:8001 maxconn",
        )
        .replace(
            "server s2 10.3.0.1:8001 weight 10 maxconn",
            "server s2 10.3.0.1:8001 weight 20 maxconn",
        )
        .replace("frontend hidden", "frontend shown");
    stage.appliance.write("haproxy.cfg", &renamed);
    let trial = ["apply", "--confirm-within", "5m"];
    stage.appliance.lanai(&trial).ok();
    let on_trial = set(&api);
    assert!(
        on_trial.iter().any(|line| line == "t1 10.3.0.1 2 0 1 8001"),
        "{on_trial:?}"
    );
    assert!(
        on_trial
            .iter()
            .any(|line| line.starts_with("s2 10.3.0.1 2 0 20 ")),
        "{on_trial:?}"
    );
    stage.appliance.lanai(&["rollback"]).ok();
    assert_eq!(set(&api), set_before);
    // The next engine knows, too.
    let engine = stage.engine();
    kill(Pid::from_raw(engine), Signal::SIGKILL).unwrap();
    until("another engine at work", within(), || {
        let other = !stage.pids("lanai-engine").contains(&engine);
        (other && UnixStream::connect(&api.0).is_ok()).then_some(())
    });
    assert_eq!(set(&api), set_before);
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
    api.ask_for_each(MANY, |n| {
        format!(
            "set server spare/s{n} state drain;set weight spare/s{n} 7;\
             set maxconn server spare/s{n} 9"
        )
    });
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
