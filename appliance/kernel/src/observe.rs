//! What the kernel has.

use std::collections::BTreeSet;
use std::io;

use lanai_network::{
    Observed, ObservedAddress, ObservedLink, ObservedRoute, ObservedRule, ObservedSysctl, Sysctl,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;

use crate::error::{Cause, Error};
use crate::ledger::Ledger;
use crate::message::{self, Names, UnknownInterface};
use crate::netlink::Failure;
use crate::socket::Socket;
use crate::system::System;
use crate::{cause, ethtool, nft, sysctl};

/// Reads links, addresses, routes of all tables, policy rules, our nftables table and the settings
/// that `network` cares about, in the network namespace of the calling thread.
///
/// Must be called inside of a tokio runtime with I/O and time enabled. Each list is
/// consistent in itself. If an address or a route is on an interface that came after the list of
/// interfaces was read, all is read again.
pub async fn observe(ledger: &Ledger) -> Result<Observed, Error> {
    observe_with(ledger, &[]).await
}

/// As [`observe`], with settings that lines ask for and nobody else looks at.
pub async fn observe_with(ledger: &Ledger, asked: &[Sysctl]) -> Result<Observed, Error> {
    let mut socket = Socket::open().map_err(Error::Socket)?;
    for _ in 0..ATTEMPTS {
        let mut links = links(&mut socket).await?;
        modes(&mut links).await?;
        let names: Names = links.iter().map(|l| (l.index, l.name.clone())).collect();
        let addresses = addresses(&mut socket, &names).await?;
        let routes = routes(&mut socket, &names).await?;
        let rules = rules(&mut socket).await?;
        if let (Ok(addresses), Ok(routes)) = (addresses, routes) {
            let nftables = nft::read().await?;
            let sysctls = sysctls(&links, ledger, asked)?;
            return Ok(Observed {
                links,
                addresses,
                routes,
                rules,
                nftables,
                sysctls,
                system: ledger.system().map(System::observe),
            });
        }
    }
    Err(Error::Unsteady { attempts: ATTEMPTS })
}

/// The interfaces, by index.
pub(crate) async fn links(socket: &mut Socket) -> Result<Vec<ObservedLink>, Error> {
    let mut question = LinkMessage::default();
    // The statistics are half of the bytes, and nobody asked.
    let without = vec![LinkExtentMask::SkipStats];
    question.attributes.push(LinkAttribute::ExtMask(without));
    let answers = dump(socket, "links", RouteNetlinkMessage::GetLink(question)).await?;
    let messages = answers.iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewLink(message) => Some(message),
        _ => None,
    });
    let names: Names = messages.clone().filter_map(message::name).collect();
    let links = messages.filter_map(|message| message::link(message, &names));
    let mut links: Vec<_> = links.collect();
    links.sort_by_key(|link| link.index);
    Ok(links)
}

/// Adds how fast they are.
async fn modes(links: &mut [ObservedLink]) -> Result<(), Error> {
    let modes = ethtool::modes().await.map_err(|failure| Error::Dump {
        what: "speeds of links",
        cause: cause::of_failure(failure),
    })?;
    for (index, mode) in modes {
        let link = links.iter_mut().find(|link| link.index == index);
        if let Some(link) = link {
            link.mode = Some(mode);
        }
    }
    Ok(())
}

/// The addresses, in the kernel's order, which for IPv4 tells the first of a network.
pub(crate) async fn addresses(
    socket: &mut Socket,
    names: &Names,
) -> Result<Result<Vec<ObservedAddress>, UnknownInterface>, Error> {
    let question = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let answers = dump(socket, "addresses", question).await?;
    let addresses = answers.iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewAddress(message) => message::address(message, names).transpose(),
        _ => None,
    });
    Ok(addresses.collect())
}

/// The routes of all tables, in the kernel's order.
pub(crate) async fn routes(
    socket: &mut Socket,
    names: &Names,
) -> Result<Result<Vec<ObservedRoute>, UnknownInterface>, Error> {
    let question = RouteNetlinkMessage::GetRoute(RouteMessage::default());
    let answers = dump(socket, "routes", question).await?;
    let routes = answers.iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewRoute(message) => message::route(message, names).transpose(),
        _ => None,
    });
    Ok(routes.collect())
}

/// The policy rules of both families, in the kernel's order.
pub(crate) async fn rules(socket: &mut Socket) -> Result<Vec<ObservedRule>, Error> {
    let question = RouteNetlinkMessage::GetRule(RuleMessage::default());
    let answers = dump(socket, "policy rules", question).await?;
    let rules = answers.iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewRule(message) => message::rule(message),
        _ => None,
    });
    Ok(rules.collect())
}

async fn dump(
    socket: &mut Socket,
    what: &'static str,
    question: RouteNetlinkMessage,
) -> Result<Vec<RouteNetlinkMessage>, Error> {
    let answers = socket.dump(question).await;
    answers.map_err(|failure| match failure {
        Failure::Unsteady => Error::Unsteady { attempts: ATTEMPTS },
        other => Error::Dump {
            what,
            cause: cause::of_failure(other),
        },
    })
}

fn sysctls(
    links: &[ObservedLink],
    ledger: &Ledger,
    asked: &[Sysctl],
) -> Result<Vec<ObservedSysctl>, Error> {
    let holdings = ledger.read();
    let mut sysctls = Vec::new();
    for sysctl in Sysctl::all(links.iter().map(|link| link.name.clone())) {
        let value = sysctl::read(&sysctl).map_err(|error| unreadable(&sysctl, &error))?;
        if let Some(value) = value {
            let held = holdings.of(&sysctl, &value);
            sysctls.push(ObservedSysctl {
                sysctl,
                value,
                held,
            });
        }
    }
    let mut asked: BTreeSet<Sysctl> = asked.iter().cloned().chain(holdings.asked()).collect();
    let starts: Vec<Sysctl> = asked.iter().filter_map(Sysctl::start).collect();
    asked.extend(starts);
    for sysctl in asked {
        // One that only takes, and tells nothing, is as good as none: whether it was set is not to be known.
        if let Ok(Some(value)) = sysctl::read(&sysctl) {
            let held = holdings.of(&sysctl, &value);
            sysctls.push(ObservedSysctl {
                sysctl,
                value,
                held,
            });
        }
    }
    Ok(sysctls)
}

fn unreadable(sysctl: &Sysctl, error: &io::Error) -> Error {
    Error::Sysctl {
        name: sysctl.to_string(),
        cause: Cause {
            words: format!("{error}; is /proc mounted and readable?"),
            errno: error.raw_os_error().unwrap_or(0),
        },
    }
}

const ATTEMPTS: u32 = 8;
