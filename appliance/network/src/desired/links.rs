//! Interfaces.

use std::time::Duration;

use lanai_model::services::{self, Duplex, Member, Network, Services};

use super::WantedLink;
use crate::link::{Bond, LinkKind, LinkMode};

/// Those with a block, then members of bonds and bridges that have none.
pub(super) fn links(services: &Services) -> Vec<WantedLink> {
    let networks = services.active_networks();
    let mut links: Vec<WantedLink> = networks.clone().map(link).collect();
    for network in networks {
        for member in members(network) {
            let master = Some(network.interface.clone());
            match links.iter_mut().find(|link| link.name == member.interface) {
                Some(link) => link.master = master,
                None => links.push(WantedLink {
                    name: member.interface.clone(),
                    kind: LinkKind::Found,
                    master,
                    primary: None,
                    mtu: None,
                    mode: None,
                    origin: member.origin.clone(),
                }),
            }
        }
    }
    links
}

fn link(network: &Network) -> WantedLink {
    let settings = &network.link;
    let kind = match &settings.kind {
        services::LinkKind::Hardware | services::LinkKind::Loopback => LinkKind::Found,
        services::LinkKind::Vlan { parent, id } => LinkKind::Vlan {
            parent: parent.clone(),
            id: *id,
        },
        services::LinkKind::Bond(bond) => LinkKind::Bond(Bond {
            mode: bond.mode as u8,
            miimon: bond.miimon.map(milliseconds),
            updelay: bond.updelay.map(milliseconds),
            downdelay: bond.downdelay.map(milliseconds),
            lacp_rate: bond.lacp_rate.map(|rate| rate as u8),
            xmit_hash_policy: bond.xmit_hash_policy.map(|policy| policy as u8),
        }),
        services::LinkKind::Bridge(bridge) => LinkKind::Bridge { stp: bridge.stp },
        services::LinkKind::Dummy => LinkKind::Dummy,
    };
    let primary = match &settings.kind {
        services::LinkKind::Bond(bond) => bond.primary.clone(),
        _ => None,
    };
    WantedLink {
        name: network.interface.clone(),
        kind,
        master: None,
        primary,
        mtu: settings.mtu,
        mode: settings.autonegotiation.map(|autonegotiation| LinkMode {
            autonegotiation,
            speed: settings.speed,
            full_duplex: settings.duplex.map(|duplex| duplex == Duplex::Full),
            settable: true,
        }),
        origin: network.origin.clone(),
    }
}

fn members(network: &Network) -> &[Member] {
    match &network.link.kind {
        services::LinkKind::Bond(bond) => &bond.members,
        services::LinkKind::Bridge(bridge) => &bridge.ports,
        _ => &[],
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
