use lanai_model::layer7::Config;
use lanai_model::services::Services;

use super::*;
use crate::testing::{add_foreign_address, add_foreign_route, kernel, network, services, via};
use crate::{desired, plan};

fn visitor(peer: &str, local: &str) -> Visitor {
    Visitor {
        peer: peer.parse().unwrap(),
        local: local.parse().unwrap(),
        port: 4444,
    }
}

/// A box that runs `before`, and the plan that leads to `after`.
fn change(before: &Services, after: &Services) -> (Observed, Plan) {
    let mut observed = kernel(&["eth0", "eth1", "mgmt"]);
    for planned in plan(&desired(before, &Config::default()), &observed).steps() {
        simulation::apply(&mut observed, &planned.step).unwrap();
    }
    let plan = plan(&desired(after, &Config::default()), &observed);
    (observed, plan)
}

fn told(visitor: Visitor, before: &Services, after: &Services) -> Vec<String> {
    let (observed, plan) = change(before, after);
    let cuts = cuts(visitor, &observed, &plan);
    cuts.iter().map(Cut::to_string).collect()
}

fn both_sides(net: &str, gateway: &str, metric: u32) -> Services {
    let default = if net.contains(':') {
        "::/0"
    } else {
        "0.0.0.0/0"
    };
    let other = if net.contains(':') {
        ("2001:db8:9::1/64", "2001:db8:9::254")
    } else {
        ("10.9.0.1/24", "10.9.0.254")
    };
    services([
        network("eth0")
            .address(net)
            .route(default, gateway, Some(metric)),
        network("eth1")
            .address(other.0)
            .route(default, other.1, Some(50)),
    ])
}

#[test]
fn the_address_one_is_connected_to() {
    for (net, moved, gateway, peer, local) in [
        (
            "10.0.0.1/24",
            "10.0.0.2/24",
            "10.0.0.254",
            "10.0.0.77",
            "10.0.0.1",
        ),
        (
            "2001:db8::1/64",
            "2001:db8::2/64",
            "2001:db8::254",
            "2001:db8::77",
            "2001:db8::1",
        ),
    ] {
        let (before, after) = (both_sides(net, gateway, 7), both_sides(moved, gateway, 7));
        let said = told(visitor(peer, local), &before, &after);
        let text = format!(
            "the box will not have the address {local} any more, which you are connected to"
        );
        assert_eq!(said, [text]);
        let another = visitor(
            peer,
            if net.contains(':') {
                "2001:db8:9::1"
            } else {
                "10.9.0.1"
            },
        );
        assert_eq!(told(another, &before, &after), Vec::<String>::new());
    }
}

#[test]
fn the_way_back() {
    let far = visitor("203.0.113.5", "10.0.0.1");
    let before = both_sides("10.0.0.1/24", "10.0.0.254", 7);
    let dearer = both_sides("10.0.0.1/24", "10.0.0.254", 70);
    assert_eq!(
        told(far, &before, &dearer),
        [
            "answers to you at 203.0.113.5 will leave by eth1 via 10.9.0.254, not by eth0 via \
          10.0.0.254 as now"
        ]
    );
    let none = services([network("eth0").address("10.0.0.1/24")]);
    assert_eq!(
        told(far, &before, &none),
        ["no route will lead back to you at 203.0.113.5 any more"]
    );
    // Somebody on the same network needs no gateway.
    let near = visitor("10.0.0.77", "10.0.0.1");
    assert_eq!(told(near, &before, &dearer), Vec::<String>::new());
    assert_eq!(told(near, &before, &none), Vec::<String>::new());
}

#[test]
fn what_is_no_news_is_not_told() {
    let before = both_sides("10.0.0.1/24", "10.0.0.254", 7);
    let after = both_sides("10.0.0.2/24", "10.0.0.253", 70);
    let nothing = Vec::<String>::new();
    assert_eq!(
        told(visitor("127.0.0.1", "127.0.0.1"), &before, &after),
        nothing
    );
    assert_eq!(
        told(visitor("10.9.0.1", "10.9.0.1"), &before, &after),
        nothing
    );
    let six = visitor("2001:db8::7", "2001:db8::1");
    assert_eq!(told(six, &before, &after), nothing, "there never was a way");
}

#[test]
fn a_way_of_somebody_elses_counts() {
    let before = both_sides("10.0.0.1/24", "10.0.0.254", 7);
    let (mut observed, _) = change(&before, &before);
    add_foreign_address(&mut observed, "mgmt", "192.0.2.2/24");
    add_foreign_route(&mut observed, via("203.0.113.0/24", "192.0.2.1", "mgmt", 9));
    let after = services([network("eth1").address("10.9.0.1/24")]);
    let plan = plan(&desired(&after, &Config::default()), &observed);
    let managed = visitor("203.0.113.5", "192.0.2.2");
    assert_eq!(cuts(managed, &observed, &plan), []);
    let other = visitor("198.51.100.5", "10.0.0.1");
    assert_eq!(cuts(other, &observed, &plan).len(), 2);
}
