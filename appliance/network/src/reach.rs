//! Whether whoever asks for a change can still reach the box after it.
//!
//! A plan is tried on the observed network ([`simulation`]), and the way between the box and the
//! visitor is compared before and after. Only what gets worse is told: who was never reached by the
//! rules of this page (by another routing table, say) is no news.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::desired::INPUT;
use crate::nft::{Packet, Protocol};
use crate::observed::{Observed, ObservedRoute};
use crate::plan::Plan;
use crate::state::{InterfaceName, RouteKind};
use crate::{TABLE_MAIN, simulation};

/// The two ends of the connection over which somebody asks for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Their address.
    pub peer: IpAddr,
    /// The box's address that they are connected to.
    pub local: IpAddr,
    /// And its port.
    pub port: u16,
}

/// Something a change takes away that the visitor's connection needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The box has the address no more.
    Address {
        /// The address.
        local: IpAddr,
    },
    /// Nothing leads back to the visitor.
    Route {
        /// The visitor.
        peer: IpAddr,
    },
    /// The firewall lets no new connection in.
    Firewall {
        /// The visitor.
        peer: IpAddr,
        /// The port that they are connected to.
        port: u16,
    },
    /// The web UI listens elsewhere.
    Moved {
        /// Where the visitor is connected to.
        from: SocketAddr,
        /// Where it will be.
        to: SocketAddr,
    },
    /// Answers leave by another way.
    Detour {
        /// The visitor.
        peer: IpAddr,
        /// How answers leave now.
        before: Way,
        /// How they would.
        after: Way,
    },
}

/// How packets leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// By this interface.
    pub interface: InterfaceName,
    /// To this router; `None` to a neighbour.
    pub gateway: Option<IpAddr>,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gateway {
            Some(gateway) => write!(f, "{} via {gateway}", self.interface),
            None => f.write_str(&self.interface),
        }
    }
}

/// A sentence, without the full stop.
impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { local } => write!(
                f,
                "the box will not have the address {local} any more, which you are connected to"
            ),
            Self::Route { peer } => {
                write!(f, "no route will lead back to you at {peer} any more")
            }
            Self::Firewall { peer, port } => write!(
                f,
                "you at {peer} will not be let in to port {port} any more"
            ),
            Self::Moved { from, to } => write!(
                f,
                "the web UI will not be at {from} any more, which you are connected to, but at {to}"
            ),
            Self::Detour {
                peer,
                before,
                after,
            } => write!(
                f,
                "answers to you at {peer} will leave by {after}, not by {before} as now"
            ),
        }
    }
}

/// What `plan`, carried out on `before`, takes from the visitor.
pub fn cuts(visitor: Visitor, before: &Observed, plan: &Plan) -> Vec<Cut> {
    // The way to itself is nothing a plan of ours changes.
    if visitor.peer.is_loopback() || has(before, visitor.peer) {
        return Vec::new();
    }
    let mut after = before.clone();
    for planned in plan.steps() {
        // What the kernel would refuse is refused later, with its reason.
        let _ = simulation::apply(&mut after, &planned.step);
    }
    let mut cuts = Vec::new();
    if has(before, visitor.local) && !has(&after, visitor.local) {
        cuts.push(Cut::Address {
            local: visitor.local,
        });
    }
    match (way(before, visitor.peer), way(&after, visitor.peer)) {
        (Some(_), None) => cuts.push(Cut::Route { peer: visitor.peer }),
        (Some(before), Some(after)) if before != after => cuts.push(Cut::Detour {
            peer: visitor.peer,
            before,
            after,
        }),
        _ => {}
    }
    if is_let_in(visitor, before) && !is_let_in(visitor, &after) {
        cuts.push(Cut::Firewall {
            peer: visitor.peer,
            port: visitor.port,
        });
    }
    cuts
}

/// Whether the filter lets a new connection of the visitor in, by the interface whose address they are
/// connected to.
fn is_let_in(visitor: Visitor, observed: &Observed) -> bool {
    let table = observed.nftables.table();
    let Some(chain) = table.and_then(|table| table.chain(INPUT)) else {
        return true;
    };
    let mut addresses = observed.addresses.iter();
    let own = addresses.find(|other| other.address.net.addr() == visitor.local);
    let interface = match own {
        Some(own) => own.address.interface.clone(),
        None => match way(observed, visitor.peer) {
            Some(way) => way.interface,
            // Nobody gets there anyway.
            None => return true,
        },
    };
    chain.lets_in(&Packet {
        interface,
        from: visitor.peer,
        to: visitor.local,
        own: own.is_some(),
        protocol: Protocol::TCP,
        port: visitor.port,
    })
}

/// Whether the box has an address, on an interface that is up.
fn has(observed: &Observed, address: IpAddr) -> bool {
    let mut addresses = observed.addresses.iter();
    addresses.any(|other| {
        other.address.net.addr() == address && is_up(observed, &other.address.interface)
    })
}

fn is_up(observed: &Observed, interface: &str) -> bool {
    observed.link(interface).is_some_and(|link| link.up)
}

/// How packets to `peer` leave by the main table: by the narrowest route, and of those by the
/// cheapest.
pub fn way(observed: &Observed, peer: IpAddr) -> Option<Way> {
    let peer = IpNet::from(peer);
    let fits = |route: &&ObservedRoute| {
        let route = &route.route;
        route.table == TABLE_MAIN
            && route.destination.contains(&peer)
            && route
                .interface
                .as_ref()
                .is_none_or(|name| is_up(observed, name))
    };
    let routes = observed.routes.iter().filter(|route| !route.selective);
    let best = routes.filter(fits).min_by_key(|route| {
        let route = &route.route;
        (u8::MAX - route.destination.prefix_len(), route.metric)
    })?;
    if best.route.kind != RouteKind::Unicast {
        return None;
    }
    Some(Way {
        interface: best.route.interface.clone()?,
        gateway: best.route.gateway,
    })
}

#[cfg(test)]
mod tests;
