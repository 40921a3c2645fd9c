//! Kernel settings.

use ipnet::IpNet;
use lanai_model::Origin;
use lanai_model::layer7::{self, ListenAddress, SourcePorts};
use lanai_model::services::{self, Network, Services, TABLE_MAIN, Via};

use super::filter::Forwarding;
use super::transparent::Transparent;
use super::{Need, WantedSysctl};
use crate::ports::{PortSet, Ports};
use crate::state::Family;
use crate::sysctl::{Sysctl, Tuning};

/// What lines of `service sysctl` ask for.
pub(super) fn asked(services: &Services) -> Vec<WantedSysctl> {
    let block = services.sysctls.iter().filter(|it| it.common.autostart);
    let lines = block.flat_map(|it| &it.settings);
    let wanted = lines.map(|line| WantedSysctl {
        need: Need::Asked(Sysctl::asked(&line.key), line.value.to_string()),
        why: "a line asks for it".to_owned(),
        origin: Some(line.origin.clone()),
    });
    wanted.collect()
}

pub(super) fn sysctls(
    services: &Services,
    config: &layer7::Config,
    transparent: &Transparent,
    forwarding: &Forwarding,
) -> Vec<WantedSysctl> {
    let mut wanted = Vec::new();
    for family in [Family::V4, Family::V6] {
        wanted.push(self::forwarding(family, forwarding));
        if let Some(origin) = transparent.line(family) {
            wanted.push(WantedSysctl {
                need: Need::NonlocalBind(family),
                why: "transparent mode uses addresses that the box does not have".to_owned(),
                origin: Some(origin.clone()),
            });
        }
    }
    let binds = bound(config);
    for network in services.active_networks() {
        if let Some((why, origin)) = asymmetric(network, services, &binds) {
            wanted.push(WantedSysctl {
                need: Need::NoStrictReversePath(network.interface.clone()),
                why,
                origin: Some(origin),
            });
        }
        if let Some(firewall) = services.firewall.as_ref().filter(|it| it.common.autostart) {
            let why = "a zone learns of its own addresses only";
            let arp = [
                Need::OwnArpAnswers(network.interface.clone()),
                Need::OwnArpQuestions(network.interface.clone()),
            ];
            wanted.extend(arp.map(|need| WantedSysctl {
                need,
                why: why.to_owned(),
                origin: Some(firewall.common.origin.clone()),
            }));
        }
        // Else changing the first address of a network would take the others along, and with them
        // those that keepalived put there.
        if let Some(address) = network.addresses.iter().find(|a| is_v4(a.net)) {
            wanted.push(WantedSysctl {
                need: Need::PromoteSecondaries(network.interface.clone()),
                why: "the other addresses of a network must outlive the removal of its first"
                    .to_owned(),
                origin: Some(address.origin.clone()),
            });
        }
    }
    if !config.proxies.is_empty() {
        wanted.extend(profile(config));
    }
    wanted
}

fn forwarding(family: Family, forwarding: &Forwarding) -> WantedSysctl {
    match forwarding.line(family) {
        Some(origin) => WantedSysctl {
            need: Need::Forwarding { family, on: true },
            why: "packets are sent on where the filter allows it".to_owned(),
            origin: Some(origin.clone()),
        },
        None => WantedSysctl {
            need: Need::Forwarding { family, on: false },
            why: "no host may use this box as a gateway into another network".to_owned(),
            origin: None,
        },
    }
}

/// What a proxy with many connections needs of the kernel: `docs/network.md`, "For many
/// connections".
fn profile(config: &layer7::Config) -> Vec<WantedSysctl> {
    let local = LOCAL_PORTS;
    let first = config.proxies.first().map(|proxy| &proxy.origin);
    let wanted = |need, why: &str| WantedSysctl {
        need,
        why: why.to_owned(),
        origin: first.cloned(),
    };
    let mut profile = vec![
        wanted(
            Need::LocalPorts(local),
            "every connection to a server takes a source port",
        ),
        wanted(
            Need::Exactly(Tuning::TimeWaitReuse, 1),
            "a source port is free again before its minute in TIME_WAIT is over",
        ),
        wanted(
            Need::AtLeast(Tuning::TimeWaitBuckets, 1 << 19),
            "more connections end in a minute than the kernel remembers by default",
        ),
        wanted(
            Need::AtLeast(Tuning::AcceptQueue, 65_535),
            "it is the limit of every frontend's backlog",
        ),
        wanted(
            Need::AtLeast(Tuning::SynQueue, 65_535),
            "a wave of new clients is not taken for an attack",
        ),
    ];
    profile.extend(reserved(config).need);
    profile
}

/// Ports that the kernel does not pick for others.
pub(super) struct Reserved {
    need: Option<WantedSysctl>,
    /// Ranges of source ports that would have to be, and the lines.
    pub(super) left_out: Vec<(Ports, Origin)>,
}

/// The ports of all binds that could be taken for a source port, and those that servers' lines hand out.
///
/// Article 6's range leaves next to none to the kernel, which every other connection of the box depends
/// on. Such a range is not reserved: where somebody has one of its ports, the server's next one does.
pub(super) fn reserved(config: &layer7::Config) -> Reserved {
    let mut ports = listening(config);
    let mut why = "a listener's port is not taken by a connection to a server";
    let mut origin = config.proxies.first().map(|proxy| &proxy.origin);
    let mut left_out = Vec::new();
    let mut ranges = 0;
    for (range, line) in source_ranges(config) {
        let both = ports.with(&PortSet::from_iter([range]));
        if PortSet::from_iter([LOCAL_PORTS]).len() < both.len() + KERNEL_KEEPS {
            left_out.push((range, line.clone()));
            continue;
        }
        ports = both;
        if ranges == 0 {
            why = "a server's source ports, and listeners' ports, are taken by no other connection";
            origin = Some(line);
        }
        ranges += 1;
    }
    let need = (!ports.is_empty()).then(|| WantedSysctl {
        need: Need::ReservedPorts(ports),
        why: why.to_owned(),
        origin: origin.cloned(),
    });
    Reserved { need, left_out }
}

/// The ports of `source ADDRESS:LOW-HIGH` that the kernel could pick, each range once.
fn source_ranges(config: &layer7::Config) -> Vec<(Ports, &Origin)> {
    let servers = config.proxies.iter().flat_map(|proxy| &proxy.servers);
    let mut found: Vec<(Ports, &Origin)> = Vec::new();
    for source in servers.filter_map(|server| server.source.as_deref()) {
        let Some(SourcePorts::Range(range)) = &source.ports else {
            continue;
        };
        let ports = Ports {
            first: LOCAL_PORTS.first.max(*range.start()),
            last: LOCAL_PORTS.last.min(*range.end()),
        };
        if ports.first <= ports.last && found.iter().all(|(other, _)| *other != ports) {
            found.push((ports, &source.origin));
        }
    }
    found
}

/// As many as IANA leaves to be picked (RFC 6335, section 6).
const KERNEL_KEEPS: usize = 16_384;

/// The ports of all binds that could be taken for a source port.
fn listening(config: &layer7::Config) -> PortSet {
    let local = LOCAL_PORTS.first..=LOCAL_PORTS.last;
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    let ports = binds.filter_map(|bind| match &bind.address {
        ListenAddress::Inet(address) => local
            .contains(&address.port())
            .then(|| Ports::one(address.port())),
        ListenAddress::Fd(_) | ListenAddress::Unix(_) => None,
    });
    ports.collect()
}

/// What article 6 recommends: all but the privileged ones and a few at the end.
const LOCAL_PORTS: Ports = Ports {
    first: 1025,
    last: 65_000,
};

/// A bind that names an interface.
struct Bound<'a> {
    interface: &'a str,
    address: &'a ListenAddress,
    origin: &'a Origin,
}

fn bound(config: &layer7::Config) -> Vec<Bound<'_>> {
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    let bound = binds.filter_map(|bind| {
        Some(Bound {
            interface: bind.interface.as_deref()?,
            address: &bind.address,
            origin: &bind.origin,
        })
    });
    bound.collect()
}

/// Why packets may rightly come in by this interface although the best way back to their sender is
/// another one; `None` if nothing says so. IPv6 has no reverse path filter of this kind.
fn asymmetric(
    network: &Network,
    services: &Services,
    binds: &[Bound<'_>],
) -> Option<(String, Origin)> {
    let gateways = services
        .active_networks()
        .filter(|n| default_v4(n).is_some());
    if let Some(route) = default_v4(network)
        && gateways.count() > 1
    {
        let why = "one of several interfaces with a default gateway: clients of each come in by \
                   it, the kernel's best way back is only one of them";
        return Some((why.to_owned(), route.origin.clone()));
    }
    let mut binds = binds.iter();
    let bind =
        binds.find(|bind| *bind.interface == *network.interface && takes_v4(bind.address))?;
    let why = format!(
        "a bind answers by {} whatever the best way back is",
        network.interface
    );
    Some((why, bind.origin.clone()))
}

fn default_v4(network: &Network) -> Option<&services::Route> {
    let mut routes = network.routes.iter();
    routes.find(|route| {
        is_v4(route.destination)
            && route.destination.prefix_len() == 0
            && route.table == TABLE_MAIN
            && route.via != Via::Blackhole
    })
}

fn is_v4(net: IpNet) -> bool {
    Family::of(net) == Family::V4
}

/// Whether IPv4 packets can reach a listener; `[::]` takes both unless told otherwise.
fn takes_v4(address: &ListenAddress) -> bool {
    match address {
        ListenAddress::Inet(address) => address.is_ipv4() || address.ip().is_unspecified(),
        ListenAddress::Fd(_) => true,
        ListenAddress::Unix(_) => false,
    }
}
