//! `lanai upgrade`: new processes from the program file, under load.

use std::time::Duration;

use lanai_tests::{Lab, until, within};

use crate::load::{Clients, Kind, Load, Mix};
use crate::stage::{CLIENTS, Size, Stage, quiet};

#[test]
fn an_upgrade_is_noticed_by_nobody() {
    let size = Size::or(2);
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let (parent, first) = (stage.appliance.daemon().id(), stage.engine());
    let load = stage.load(size.mix(size.rounds * 4));
    for round in 0..size.rounds {
        let engines = stage.pids("lanai-engine");
        let control = stage.one("lanai-control");
        stage.appliance.lanai(&["upgrade"]).ok();
        let now = stage.pids("lanai-engine");
        let new = now.iter().filter(|pid| !engines.contains(pid)).count();
        assert_eq!(new, 1, "round {round}: {engines:?}, then {now:?}");
        assert_ne!(stage.one("lanai-control"), control, "round {round}");
        assert_eq!(stage.lasting_sockets(), sockets, "round {round}");
        // The same unit goes on, for whoever started it.
        assert!(stage.appliance.daemon().alive());
        assert_eq!(stage.appliance.daemon().id(), parent);
        // The tunnels live on in the first one.
        assert!(
            now.contains(&first),
            "round {round}: {first} has gone: {now:?}"
        );
        // Every kind of client works on the new engine for a while.
        std::thread::sleep(Duration::from_secs(1));
    }
    let report = load.finish();
    println!(
        "{} upgrades\n{report}{}",
        size.rounds,
        report.first_failures()
    );
    report.nothing_dropped();
    until(
        "the former engines to end with their last connections",
        within(),
        || (stage.pids("lanai-engine").len() == 1).then_some(()),
    );
    stage
        .appliance
        .lanai(&["apply", "--comment", "after the upgrade"])
        .ok();
}

/// What concerns a process as a whole needs another process, and the same road.
#[test]
fn a_change_of_the_whole_process_is_noticed_by_nobody() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let (first, sockets) = (stage.engine(), stage.lasting_sockets());
    let load = stage.load(
        Size {
            rounds: 1,
            rate: 500,
        }
        .mix(5),
    );
    let text = stage
        .site
        .text("    nbthread 1")
        .replace("maxconn 2000", "maxconn 1500");
    stage.appliance.write("haproxy.cfg", &text);
    stage.appliance.apply("one thread, fewer connections");
    until("an engine with other settings", within(), || {
        (stage.pids("lanai-engine").len() > 1).then_some(())
    });
    assert_eq!(stage.lasting_sockets(), sockets);
    let done = load.ledger.report().of(Kind::Fresh).done;
    until("requests on the new engine", within(), || {
        (load.ledger.report().of(Kind::Fresh).done > done + 20).then_some(())
    });
    let report = load.finish();
    println!("{report}{}", report.first_failures());
    report.nothing_dropped();
    until("the former engine to end", within(), || {
        (!stage.pids("lanai-engine").contains(&first)).then_some(())
    });
}

#[test]
fn a_former_engine_ends_after_hard_stop_after() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let text = stage.site.text("    hard-stop-after 2s");
    stage.appliance.write("haproxy.cfg", &text);
    stage.appliance.apply("a limit for the former engine");
    let tunnel = Mix {
        tunnels: Clients {
            connections: 1,
            per_second: 50,
        },
        ..quiet()
    };
    let load = Load::start(&lab.namespace(CLIENTS), tunnel);
    let first = stage.engine();
    stage.appliance.lanai(&["upgrade"]).ok();
    assert!(stage.pids("lanai-engine").contains(&first));
    assert_eq!(load.ledger.report().failed(), 0);
    until("the former engine to end", within(), || {
        (!stage.pids("lanai-engine").contains(&first)).then_some(())
    });
    let report = load.finish();
    assert_eq!(report.of(Kind::Tunnel).failures(), 1, "{report}");
}
