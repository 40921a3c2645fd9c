//! What is set at run time: it is told to the owner, replayed into a new engine, and gives way to the
//! text. Real engines, servers and clients; the owner is the test.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use lanai_engine::{Override, OverrideReceiver};
use proptest::prelude::*;

use crate::support::{Lab, Server, TwoServers, get, next_told, until};

/// What a journal holds: the latest command of each key.
#[derive(Debug, Default)]
struct Journal(BTreeMap<String, String>);

impl Journal {
    fn note(&mut self, receiver: &mut OverrideReceiver) {
        while let Some(Override { key, command }) = next_told(receiver) {
            match command {
                Some(command) => self.0.insert(key, command),
                None => self.0.remove(&key),
            };
        }
    }

    fn commands(&self) -> Vec<String> {
        self.0.values().cloned().collect()
    }
}

#[test]
fn every_change_is_told_as_the_command_that_makes_it_again() {
    let servers = TwoServers::start();
    let (lab, mut owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    assert_eq!(
        next_told(&mut owner),
        None,
        "a configuration changes nothing"
    );
    for (command, key, told) in [
        (
            "set server be/s1 state drain",
            "server be/s1 state",
            Some("set server be/s1 state drain"),
        ),
        (
            "disable server be/s1",
            "server be/s1 state",
            Some("set server be/s1 state maint"),
        ),
        ("enable server be/s1", "server be/s1 state", None),
        (
            "set weight be/s1 50%",
            "server be/s1 weight",
            Some("set server be/s1 weight 5"),
        ),
        ("set weight be/s1 100%", "server be/s1 weight", None),
        (
            "set maxconn server be/s1 3",
            "server be/s1 maxconn",
            Some("set maxconn server be/s1 3"),
        ),
        ("set maxconn server be/s1 0", "server be/s1 maxconn", None),
        (
            "set server be/s1 addr 127.0.0.7 port 81",
            "server be/s1 addr",
            Some("set server be/s1 addr 127.0.0.7 port 81"),
        ),
        (
            "set server be/s1 health down",
            "health be/s1",
            Some("set server be/s1 health down"),
        ),
        ("set server be/s1 health up", "health be/s1", None),
        (
            "disable frontend fe",
            "frontend fe state",
            Some("disable frontend fe"),
        ),
        ("enable frontend fe", "frontend fe state", None),
        (
            "set maxconn frontend fe 4",
            "frontend fe maxconn",
            Some("set maxconn frontend fe 4"),
        ),
        (
            "set maxconn global 9",
            "maxconn global",
            Some("set maxconn global 9"),
        ),
        ("set maxconn global 0", "maxconn global", None),
    ] {
        lab.ask(command);
        let expected = Override {
            key: key.to_owned(),
            command: told.map(str::to_owned),
        };
        assert_eq!(next_told(&mut owner), Some(expected), "{command}");
        assert_eq!(next_told(&mut owner), None, "{command} is told once");
    }
    let refused = lab.ask("set weight be/s1 300");
    assert!(refused.starts_with("Absolute weight"), "{refused}");
    lab.ask("set server be/s1 state ready");
    assert_eq!(
        next_told(&mut owner),
        None,
        "what changes nothing is not told"
    );
}

#[test]
fn a_new_engine_goes_on_where_the_old_one_was() {
    let servers = TwoServers::start();
    let (old, mut owner) = Lab::start();
    let mut journal = Journal::default();
    old.apply(&servers.config(&old));
    for command in [
        "set server be/s1 state drain",
        "set weight be/s2 7",
        "set maxconn server be/s2 9",
        "set maxconn frontend fe 5",
        "set maxconn global 8",
        "set server other/s1 state maint",
    ] {
        assert_eq!(old.ask(command), "\n", "{command}");
    }
    journal.note(&mut owner);
    assert_eq!(journal.0.len(), 6, "{journal:?}");

    let (new, mut owner) = Lab::start();
    let failed = new.apply_replaying(&servers.config_without_other(&new), &journal.commands());
    // The backend `other` is gone: a line of one's own, and no more.
    let [line] = failed.as_slice() else {
        panic!("{failed:?}");
    };
    assert_eq!(line, "set server other/s1 state maint: No such backend.");
    let status = new.engine.status();
    let [s1, s2] = status.backends[0].servers.as_slice() else {
        panic!("two servers");
    };
    assert_eq!((&*s1.status, s2.weight, s2.limit), ("DRAIN", 7, Some(9)));
    assert_eq!((status.frontends[0].limit, status.maxconn), (5, 8));
    for _ in 0..4 {
        assert_eq!(get(new.port), "s2");
    }
    // The new engine's own journal would say the same.
    let mut again = Journal::default();
    again.note(&mut owner);
    journal.0.remove("server other/s1 state");
    assert_eq!(again.0, journal.0);
    let nonsense = ["show info".to_owned(), "no such thing".to_owned()];
    assert_eq!(new.engine.replay(&nonsense).len(), 2);
}

/// What can be set, of a server that is checked, of one that is not, and of the rest. `OTHER` is another
/// server's port.
fn commands() -> impl Strategy<Value = String> {
    let of_server = [
        "set server S state ready",
        "set server S state drain",
        "set server S state maint",
        "set weight S 3",
        "set weight S 100%",
        "set maxconn server S 4",
        "set maxconn server S 0",
        "set server S addr 127.0.0.1 port OTHER",
        "set server S addr 127.0.0.1 port OWN",
        "set server S health down",
        "set server S health up",
        "disable health S",
        "enable health S",
    ];
    // A check that succeeds would make more of it, in its own time.
    let of_unchecked = "set server be/s2 health stopping";
    let of_others = [
        "disable frontend fe",
        "enable frontend fe",
        "set maxconn frontend fe 5",
        "set maxconn frontend fe 50",
        "set maxconn global 8",
        "set maxconn global 0",
    ];
    let server = prop_oneof![Just("be/s1"), Just("be/s2")];
    let of_server = (prop::sample::select(of_server.to_vec()), server)
        .prop_map(|(command, server)| command.replace('S', server));
    let of_others = prop::sample::select(of_others.to_vec()).prop_map(str::to_owned);
    prop_oneof![6 => of_server, 1 => Just(of_unchecked.to_owned()), 2 => of_others]
}

/// All that can be set, as the engine has it.
fn set_in(lab: &Lab) -> String {
    let status = lab.engine.status();
    let servers: Vec<_> = status.backends[0]
        .servers
        .iter()
        .map(|s| {
            (
                &s.name,
                s.admin,
                s.operation,
                s.checks,
                s.up,
                s.weight,
                s.limit,
                &s.address,
            )
        })
        .collect();
    let frontend = &status.frontends[0];
    format!(
        "{servers:?} {} {} {}",
        frontend.paused, frontend.limit, status.maxconn
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Whatever was set at an engine before its successor was started, and from then on until it took
    /// over, counts there and is in its journal, and nothing else.
    #[test]
    fn a_successor_follows_what_is_set_while_it_gets_ready(
        first in prop::collection::vec(commands(), 0..8),
        then in prop::collection::vec(commands(), 0..16),
    ) {
        let servers = TwoServers::start();
        let checked = "weight 10 check inter 60s rise 99 fall 99";
        let text = |lab: &Lab| servers.config(lab).replacen("weight 10", checked, 1);
        let (old, mut owner) = Lab::start();
        old.apply(&text(&old));
        let mut journal = Journal::default();
        let mut set = |commands: &[String]| {
            for command in commands {
                let first = command.contains("be/s1");
                let [own, other] = if first { ["s1", "s2"] } else { ["s2", "s1"] };
                let command = command.replace("OWN", &servers.port_of(own).to_string());
                let command = command.replace("OTHER", &servers.port_of(other).to_string());
                // What is set already is refused in part.
                let _ = old.engine.replay(&[command]);
            }
            journal.note(&mut owner);
            journal.0.clone()
        };
        let before = set(&first);
        let now = set(&then);
        let (new, mut owner) = Lab::start();
        let before_lines: Vec<String> = before.values().cloned().collect();
        prop_assert_eq!(new.apply_replaying(&text(&new), &before_lines), [""; 0]);
        prop_assert_eq!(new.engine.follow(&before, &now), [""; 0]);
        prop_assert_eq!(set_in(&new), set_in(&old));
        let mut own = Journal::default();
        own.note(&mut owner);
        prop_assert_eq!(own.0, now);
    }
}

#[test]
fn a_server_known_to_be_down_gets_nothing_from_a_new_engine() {
    let servers = TwoServers::start();
    let (old, mut owner) = Lab::start();
    old.apply(
        &servers
            .config(&old)
            .replace("weight 10", "check inter 50ms"),
    );
    let s1 = servers.port_of("s1");
    servers.s1.stop();
    let mut journal = Journal::default();
    until("s1 is found down", || {
        journal.note(&mut owner);
        journal.0.contains_key("health be/s1")
    });
    assert_eq!(
        journal.commands(),
        ["set server be/s1 health down if-checked"]
    );

    // Its checks come once a minute: only the replay can know.
    let (new, _) = Lab::start();
    let text = servers.config(&new);
    let text = text.replace("weight 10", "check inter 60s");
    assert!(new.apply_replaying(&text, &journal.commands()).is_empty());
    for _ in 0..4 {
        assert_eq!(get(new.port), "s2");
    }
    // A server that is not checked could never come up again.
    let (unchecked, _) = Lab::start();
    let failed = unchecked.apply_replaying(&servers.config(&unchecked), &journal.commands());
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(unchecked.server("s1").status, "no check");

    // Up again, and the journal knows.
    let _back = Server::on_port("s1", s1);
    until("s1 is found up", || {
        journal.note(&mut owner);
        journal.0.is_empty()
    });
}

#[test]
fn overrides_stay_until_the_text_says_something_else_of_that_kind() {
    let servers = TwoServers::start();
    let (lab, mut owner) = Lab::start();
    let mut journal = Journal::default();
    let text = servers.config(&lab);
    lab.apply(&text);
    for command in [
        "set server be/s1 state drain",
        "set weight be/s1 3",
        "set maxconn server be/s1 4",
        "set server be/s1 addr 127.0.0.7",
        "set maxconn frontend fe 5",
    ] {
        lab.ask(command);
    }
    let state = |lab: &Lab| {
        let server = lab.server("s1");
        let address = server.address.split(':').next().unwrap().to_owned();
        let limit = lab.engine.status().frontends[0].limit;
        (server.status, server.weight, server.limit, address, limit)
    };
    let expected = |status: &str, weight, limit: Option<u32>, address: &str, frontend| {
        (
            status.to_owned(),
            weight,
            limit,
            address.to_owned(),
            frontend,
        )
    };
    let here = "127.0.0.1";
    let there = "127.0.0.7";
    assert_eq!(state(&lab), expected("DRAIN", 3, Some(4), there, 5));

    // The same text again, and one that changes other things.
    lab.apply(&text);
    lab.apply(&text.replace("timeout client 5s", "timeout client 6s"));
    assert_eq!(state(&lab), expected("DRAIN", 3, Some(4), there, 5));

    // Another weight: that override goes, the others stay.
    let text = text.replacen("weight 10", "weight 20", 1);
    lab.apply(&text);
    assert_eq!(state(&lab), expected("DRAIN", 20, Some(4), there, 5));
    let text = text.replacen("weight 20", "weight 20 maxconn 6", 1);
    lab.apply(&text);
    assert_eq!(state(&lab), expected("DRAIN", 20, Some(6), there, 5));
    let text = text.replace("maxconn 50", "maxconn 60");
    lab.apply(&text);
    assert_eq!(state(&lab), expected("DRAIN", 20, Some(6), there, 60));
    let (own, other) = (servers.address("s1"), servers.address("s2"));
    lab.apply(&text.replace(&own, &other));
    assert_eq!(state(&lab), expected("DRAIN", 20, Some(6), here, 60));
    journal.note(&mut owner);
    assert_eq!(journal.commands(), ["set server be/s1 state drain"]);

    // A server that leaves the configuration takes its overrides along.
    let without: String = text
        .lines()
        .filter(|line| !line.contains("server s1"))
        .map(|line| format!("{line}\n"))
        .collect();
    lab.apply(&without);
    journal.note(&mut owner);
    assert!(journal.0.is_empty(), "{journal:?}");
    lab.apply(&text);
    assert_eq!(state(&lab), expected("no check", 20, Some(6), here, 60));
}

#[test]
fn health_gives_way_when_checks_come_or_go() {
    let servers = TwoServers::start();
    let (lab, mut owner) = Lab::start();
    let mut journal = Journal::default();
    let unchecked = servers.config(&lab);
    let checked = unchecked.replace("weight 10", "weight 10 check inter 60s");
    lab.apply(&unchecked);
    lab.ask("set server be/s1 health down");
    lab.apply(&unchecked);
    assert_eq!(lab.server("s1").status, "DOWN", "nothing has changed");
    lab.apply(&checked);
    assert_eq!(lab.server("s1").status, "UP 1/3");
    lab.ask("disable health be/s1");
    lab.ask("set server be/s1 health down");
    journal.note(&mut owner);
    assert_eq!(journal.0.len(), 2, "{journal:?}");
    lab.apply(&checked);
    assert_eq!(lab.server("s1").status, "DOWN");
    lab.apply(&unchecked);
    assert_eq!(lab.server("s1").status, "no check");
    journal.note(&mut owner);
    assert!(journal.0.is_empty(), "{journal:?}");
}

#[test]
fn a_drained_server_finishes_what_runs() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    let mut slow = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
    slow.write_all(
        b"POST /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
    )
    .unwrap();
    until("the request is at s1", || {
        lab.server("s1").counters.current == 1
    });
    lab.ask("set server be/s1 state drain");
    for _ in 0..3 {
        assert_eq!(get(lab.port), "s2");
    }
    assert_eq!(lab.server("s1").counters.current, 1);
    slow.write_all(b"ok").unwrap();
    assert_eq!(crate::support::body(slow), "s1");
}

#[test]
fn a_disabled_frontend_refuses_and_comes_back() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    let text = servers.config(&lab);
    lab.apply(&text);
    let mut kept = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
    crate::support::request(&mut kept);
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port));
    // Somebody else may hold the socket, as the daemon's parent does.
    assert_eq!(lab.ask("disable frontend fe"), "\n");
    assert!(connect().is_err());
    assert_eq!(
        lab.ask("disable frontend fe"),
        "All sockets are already disabled.\n\n"
    );
    lab.apply(&text);
    assert!(
        connect().is_err(),
        "a change of the configuration does not enable it"
    );
    // What was connected goes on.
    crate::support::request(&mut kept);
    // Paused again by a configuration that takes effect, and by a former engine.
    lab.apply(&text);
    assert_eq!(lab.ask("enable frontend fe"), "\n");
    get(lab.port);
    // One who is silent at first is not taken for one who has nothing to say.
    let mut late = connect().unwrap();
    let soon = Duration::from_millis(100);
    late.set_read_timeout(Some(soon)).unwrap();
    assert!(
        crate::support::read_some(&mut late).is_err(),
        "it is waited for"
    );
    late.set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    crate::support::request(&mut late);
    assert_eq!(
        lab.ask("enable frontend fe"),
        "All sockets are already enabled.\n\n"
    );
}

#[test]
fn a_frontend_that_shares_its_port_comes_back_too() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    let all = format!(
        "frontend all\n    bind :{}\n    default_backend be\n",
        lab.port
    );
    lab.apply(&(servers.config(&lab) + &all));
    let connect = |host: [u8; 4]| TcpStream::connect((Ipv4Addr::from(host), lab.port));
    for _ in 0..2 {
        assert_eq!(lab.ask("disable frontend fe"), "\n");
        assert!(connect([127, 0, 0, 9]).is_ok(), "the other goes on");
        assert_eq!(lab.ask("enable frontend fe"), "\n");
        get(lab.port);
    }
}

#[test]
fn a_higher_limit_lets_those_in_who_wait() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    for (lower, higher) in [
        ("set maxconn frontend fe 1", "set maxconn frontend fe 2"),
        ("set maxconn global 1", "set maxconn global 0"),
    ] {
        lab.ask(lower);
        let mut first = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
        crate::support::request(&mut first);
        let mut second = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
        second.write_all(crate::support::GET).unwrap();
        second
            .set_read_timeout(Some(Duration::from_millis(150)))
            .unwrap();
        assert!(
            crate::support::read_some(&mut second).is_err(),
            "{lower}: it must wait"
        );
        lab.ask(higher);
        second
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert!(crate::support::read_some(&mut second).is_ok(), "{higher}");
        drop((first, second));
        until("both are gone", || {
            lab.engine.status().current_connections == 0
        });
    }
}

#[test]
fn a_server_that_moved_is_reached_where_it_is() {
    let servers = TwoServers::start();
    let (lab, _owner) = Lab::start();
    lab.apply(&servers.config(&lab));
    lab.ask("set server be/s2 state maint");
    assert_eq!(get(lab.port), "s1");
    let (ip, port) = (Ipv4Addr::LOCALHOST, servers.port_of("s2"));
    let answer = lab.ask(&format!("set server be/s1 addr {ip} port {port}"));
    assert!(
        answer.starts_with("no need to change the addr, port changed from"),
        "{answer}"
    );
    // An idle connection to the old address was there.
    assert_eq!(get(lab.port), "s2");
    until("the idle connection is closed", || servers.s1.open() == 0);
    let own = servers.port_of("s1");
    lab.ask(&format!("set server be/s1 addr {ip} port {own}"));
    assert_eq!(get(lab.port), "s1");
}
