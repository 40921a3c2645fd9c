//! What a DHCP server lent, beside what a plan owns; `ip` is the witness.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod support;

use std::sync::Arc;

use lanai_kernel::{Lease, drop_lease, link_up, links, use_lease};
use support::Namespace;

fn lease() -> Lease {
    Lease {
        interface: Arc::from("eth0"),
        net: "192.0.2.7/24".parse().unwrap(),
        router: Some("192.0.2.1".parse().unwrap()),
    }
}

fn box_with_eth0() -> Namespace {
    let namespace = Namespace::new();
    namespace.veth("eth0");
    namespace.enter(async || link_up(&Arc::from("eth0")).await.unwrap());
    namespace
}

#[test]
fn a_lease_is_nobodys_but_the_dhcp_clients() {
    let namespace = box_with_eth0();
    namespace.enter(async || {
        use_lease(&lease()).await.unwrap();
        use_lease(&lease()).await.unwrap();
    });
    let address = namespace.ip("address show dev eth0");
    assert!(
        address.contains("192.0.2.7/24 brd 192.0.2.255"),
        "{address}"
    );
    assert!(!address.contains("proto"), "no plan owns it: {address}");
    let route = namespace.ip("route show default");
    assert!(
        route.contains("default via 192.0.2.1 dev eth0 proto dhcp metric 10000"),
        "{route}"
    );

    namespace.enter(async || {
        drop_lease(&lease(), &[]).await.unwrap();
        drop_lease(&lease(), &[]).await.unwrap();
    });
    assert_eq!(namespace.ip("route show"), "");
    assert!(!namespace.ip("address show dev eth0").contains("192.0.2.7"));
}

#[test]
fn an_address_that_the_configuration_wants_too_stays() {
    let namespace = box_with_eth0();
    namespace.enter(async || {
        use_lease(&lease()).await.unwrap();
        let wanted = ["192.0.2.7/24".parse().unwrap()];
        drop_lease(&lease(), &wanted).await.unwrap();
    });
    assert!(namespace.ip("address show dev eth0").contains("192.0.2.7"));
    assert_eq!(namespace.ip("route show default"), "");
}

#[test]
fn a_link_is_seen_up() {
    let namespace = box_with_eth0();
    let found = namespace.enter(async || links().await).unwrap();
    let eth0 = found.iter().find(|link| &*link.name == "eth0").unwrap();
    assert!(eth0.up && !eth0.loopback);
    assert!(namespace.ip("link show dev eth0").contains(",UP"));
}

#[test]
fn an_interface_that_is_gone_is_named() {
    let namespace = Namespace::new();
    let refused = namespace
        .enter(async || use_lease(&lease()).await)
        .unwrap_err();
    assert!(refused.to_string().contains("'eth0'"), "{refused}");
}
