//! Under which addresses somebody who may use the web UI reaches it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use lanai_model::services::AllowedNetwork;
use lanai_network::{InterfaceAddress, Observed, way};

use crate::control::Control;

/// Where the web UI is, for a link that somebody is to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiLinks {
    /// Where those are that it lets in, the nearest first, and IPv4 before IPv6.
    pub open: Vec<SocketAddr>,
    /// The rest: `allow` of `service wui` keeps out whoever would come there.
    pub shut: Vec<SocketAddr>,
    /// The port of all of them.
    pub port: u16,
    /// The lines that keep them out, such as `services.cfg:12: allow 10.2.0.0/24`.
    pub lines: Vec<String>,
}

impl Control {
    /// Where the web UI is by the configuration that is in effect; `default` if it does not say.
    pub async fn ui_links(&self, default: SocketAddr) -> UiLinks {
        let at = self.watch_ui().now().await.0.unwrap_or(default);
        let running = self.inner.watch_running().borrow().clone();
        let wui = running.model.services.wui.iter();
        let wui = wui.filter(|wui| wui.common.autostart);
        let allow: Vec<AllowedNetwork> = wui.flat_map(|wui| wui.allow.clone()).collect();
        let status = self.status().await.ok();
        let network = status.and_then(|status| status.network.ok());
        found(at, &allow, &network.unwrap_or_default())
    }
}

fn found(at: SocketAddr, allow: &[AllowedNetwork], observed: &Observed) -> UiLinks {
    let takes = |ip: IpAddr| {
        at.ip() == ip
            || (at.ip().is_unspecified() && (at.is_ipv6() || ip.is_ipv4()) && is_for_others(ip))
    };
    let mut ranked: Vec<(Option<Distance>, SocketAddr)> = observed
        .addresses
        .iter()
        .map(|one| &one.address)
        .filter(|address| takes(address.net.addr()))
        .map(|address| {
            let place = SocketAddr::new(address.net.addr(), at.port());
            (distance(address, allow, observed), place)
        })
        .collect();
    if ranked.is_empty() && !at.ip().is_unspecified() {
        // The address that it listens on is still to come.
        let far = !allow.is_empty() && !at.ip().is_loopback();
        ranked.push(((!far).then_some(Distance::Here), at));
    }
    ranked.sort_by_key(|(distance, place)| (*distance, place.is_ipv6()));
    let (open, shut): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(at, _)| at.is_some());
    let places =
        |ranked: Vec<(_, SocketAddr)>| ranked.into_iter().map(|(_, place)| place).collect();
    let line = |it: &AllowedNetwork| format!("{}: allow {}", it.origin, it.net);
    UiLinks {
        open: places(open),
        shut: places(shut),
        port: at.port(),
        lines: allow.iter().map(line).collect(),
    }
}

/// How far somebody who may use the UI is from an address of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// In the address's own network.
    Here,
    /// Behind a router there.
    Beyond,
}

/// `None` when nobody comes to this address who may use the UI: a zone reaches only its own.
fn distance(
    address: &InterfaceAddress,
    allow: &[AllowedNetwork],
    observed: &Observed,
) -> Option<Distance> {
    let own = address.net.trunc();
    let here = |it: &AllowedNetwork| it.net.contains(&own) || own.contains(&it.net);
    // The box itself is never kept out.
    if own.addr().is_loopback() || allow.is_empty() || allow.iter().any(here) {
        return Some(Distance::Here);
    }
    let beyond = |it: &AllowedNetwork| {
        let leaves_there = |net: IpNet| {
            way(observed, net.addr()).is_some_and(|way| way.interface == address.interface)
        };
        it.net.addr().is_ipv4() == own.addr().is_ipv4() && leaves_there(it.net)
    };
    allow.iter().any(beyond).then_some(Distance::Beyond)
}

/// Whether others than the box itself can reach an address.
fn is_for_others(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !link_local
}

#[cfg(test)]
mod tests {
    use lanai_model::Origin;
    use lanai_network::{ObservedAddress, ObservedLink, ObservedRoute, Route, RouteKind};

    use super::*;

    /// Three zones, and a router in the third one that leads to 172.16.0.0/12.
    fn observed() -> Observed {
        let address = |(interface, net): (&str, &str)| ObservedAddress {
            address: InterfaceAddress {
                interface: interface.into(),
                net: net.parse().unwrap(),
            },
            protocol: None,
            tentative: false,
            duplicate: false,
        };
        let link = |(index, name): (u32, &str)| ObservedLink {
            index,
            name: name.into(),
            up: true,
            ..ObservedLink::default()
        };
        let route = Route {
            table: 254,
            destination: "172.16.0.0/12".parse().unwrap(),
            metric: 0,
            kind: RouteKind::Unicast,
            gateway: Some("10.2.0.254".parse().unwrap()),
            interface: Some("eth2".into()),
        };
        Observed {
            links: [(1, "lo"), (2, "eth0"), (3, "eth1"), (4, "eth2")]
                .map(link)
                .into(),
            addresses: [
                ("lo", "127.0.0.1/8"),
                ("eth0", "2001:db8::10/64"),
                ("eth0", "198.51.100.10/24"),
                ("eth0", "fe80::1/64"),
                ("eth1", "10.1.0.10/24"),
                ("eth2", "10.2.0.10/24"),
            ]
            .map(address)
            .into(),
            routes: vec![ObservedRoute {
                route,
                protocol: 76,
                further: Vec::new(),
                selective: false,
                source: None,
            }],
            ..Observed::default()
        }
    }

    /// The addresses that are open, and those that are not.
    fn of(at: &str, allow: &[&str]) -> (Vec<String>, Vec<String>) {
        let allow = allow.iter().map(|net| AllowedNetwork {
            net: net.parse().unwrap(),
            origin: Origin {
                file: "services.cfg".into(),
                line: 7,
            },
        });
        let links = found(at.parse().unwrap(), &allow.collect::<Vec<_>>(), &observed());
        assert_eq!(links.port, 4444);
        let texts = |all: Vec<SocketAddr>| all.iter().map(|at| at.ip().to_string()).collect();
        (texts(links.open), texts(links.shut))
    }

    #[test]
    fn those_who_are_let_in_are_led_to_their_own_side() {
        let (open, shut) = of("[::]:4444", &[]);
        let all = ["198.51.100.10", "10.1.0.10", "10.2.0.10", "2001:db8::10"];
        assert_eq!(
            (open.as_slice(), shut.len()),
            (&all.map(str::to_owned)[..], 0)
        );
        assert_eq!(of("0.0.0.0:4444", &[]).0, all[..3]);

        assert_eq!(of("0.0.0.0:4444", &["10.2.0.0/24"]).0, ["10.2.0.10"]);
        assert_eq!(of("0.0.0.0:4444", &["10.2.0.7/32"]).0, ["10.2.0.10"]);
        assert_eq!(of("0.0.0.0:4444", &["10.0.0.0/8"]).0, all[1..3]);
        assert_eq!(of("[::]:4444", &["2001:db8::/32"]).0, ["2001:db8::10"]);
        // Behind a router, and both.
        assert_eq!(of("0.0.0.0:4444", &["172.16.9.0/24"]).0, ["10.2.0.10"]);
        let both = of("0.0.0.0:4444", &["172.16.9.0/24", "10.1.0.0/16"]);
        assert_eq!(
            both,
            (
                vec!["10.1.0.10".into(), "10.2.0.10".into()],
                vec![all[0].into()]
            )
        );
    }

    #[test]
    fn nobody_is_let_in_where_no_way_leads_to() {
        let (open, shut) = of("0.0.0.0:4444", &["192.0.2.0/24", "2001:db8::/64"]);
        assert_eq!((open.len(), shut.len()), (0, 3));
        // One address only, which is there, which is not there yet, and the box's own.
        assert_eq!(of("10.1.0.10:4444", &["10.2.0.0/24"]).1, ["10.1.0.10"]);
        assert_eq!(of("10.9.0.10:4444", &["10.2.0.0/24"]).1, ["10.9.0.10"]);
        assert_eq!(of("10.9.0.10:4444", &[]).0, ["10.9.0.10"]);
        assert_eq!(of("127.0.0.1:4444", &["10.2.0.0/24"]).0, ["127.0.0.1"]);
    }
}
