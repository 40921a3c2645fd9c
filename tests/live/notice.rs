//! The load notices: every way in which an answer can fail has its name, without a proxy between.

use std::net::SocketAddr;
use std::time::Duration;

use lanai_tests::{Lab, until, within};

use crate::load::{Cause, Clients, Kind, Load, Mix};
use crate::origin::{self, Origin, Sin};
use crate::stage::quiet;

#[test]
fn every_way_to_fail_has_its_name() {
    let lab = Lab::new();
    let host = lab.namespace("web1");
    for (sin, cause) in [
        (Sin::Silence, Cause::NoAnswer),
        (Sin::Reset, Cause::Reset),
        (Sin::Cut, Cause::Short),
        (Sin::Garble, Cause::Wrong),
        (Sin::Error, Cause::Status),
        (Sin::Wait, Cause::Timeout),
    ] {
        let _origin = Origin::start(&host, "10.3.0.11".parse().unwrap(), Some(sin));
        let load = Load::begin(&host, mix());
        until(&format!("{sin:?} to be noticed"), within(), || {
            let report = load.ledger.report();
            let both = [Kind::Kept, Kind::Fresh];
            both.iter()
                .all(|kind| report.of(*kind).failed_by(cause) > 0)
                .then_some(())
        });
        let report = load.finish();
        for kind in [Kind::Kept, Kind::Fresh] {
            let tally = report.of(kind);
            assert_eq!(
                tally.failures(),
                tally.failed_by(cause),
                "{sin:?}\n{report}"
            );
            assert!(tally.done > tally.failures(), "{sin:?}\n{report}");
        }
    }
    let load = Load::begin(&host, mix());
    until("refused connections", within(), || {
        let report = load.ledger.report();
        (report.of(Kind::Kept).failed_by(Cause::Refused) > 0).then_some(())
    });
    assert_eq!(load.finish().of(Kind::Kept).done, 0);
}

fn mix() -> Mix {
    let clients = Clients {
        connections: 2,
        per_second: 100,
    };
    Mix {
        web: SocketAddr::new("10.3.0.11".parse().unwrap(), origin::WEB[0]),
        kept: clients,
        fresh: clients,
        patience: Duration::from_millis(300),
        ..quiet()
    }
}
