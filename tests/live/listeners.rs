//! Listening sockets that change hands, or have another address in front of them.

use lanai_tests::Lab;

use crate::load::{Clients, Kind, Mix};
use crate::site::BOX;
use crate::stage::{CLIENTS, Stage, quiet};

/// A port that no frontend of the site has.
const PORT: u16 = 8085;

#[test]
fn a_frontend_that_is_renamed_loses_no_connection_that_waits() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let sockets = stage.lasting_sockets();
    let load = stage.load(Mix {
        fresh: Clients {
            connections: 20,
            per_second: 2_000,
        },
        ..quiet()
    });
    let text = stage.site.text("");
    for round in 0..20 {
        let renamed = text.replace("frontend web\n", &format!("frontend web{round}\n"));
        assert_ne!(renamed, text);
        stage.appliance.write("haproxy.cfg", &renamed);
        stage.appliance.apply(&format!("called web{round}"));
        assert_eq!(stage.lasting_sockets(), sockets);
    }
    let report = load.finish();
    println!("20 renames\n{report}");
    assert_eq!(report.failed(), 0, "{}", report.first_failures());
    assert!(report.of(Kind::Fresh).done > 100, "{report}");
}

/// HAProxy takes it in a reload.
#[test]
fn an_address_makes_room_for_all_addresses_and_back() {
    let lab = Lab::new();
    let stage = Stage::lanai(&lab);
    let [one, all] = [format!("{BOX}:{PORT}"), format!(":{PORT}")];
    for address in [&one, &all, &one] {
        let more = format!("\nfrontend more\n    bind {address}\n    default_backend items\n");
        stage
            .appliance
            .write("haproxy.cfg", &(stage.site.text("") + &more));
        stage.appliance.apply(&format!("at {address}"));
        let answer = lab
            .client(CLIENTS)
            .get(&format!("http://{BOX}:{PORT}/item/1"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let there = stage.sockets().contains_key(&one);
        assert_eq!(there, address == &one, "{:?}", stage.sockets());
    }
}
