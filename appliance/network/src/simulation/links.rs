//! Interfaces.

use super::Done;
use crate::LINK_GROUP;
use crate::link::{LinkKind, LinkMode};
use crate::observed::{Observed, ObservedLink, ObservedSysctl};
use crate::state::{InterfaceName, NextHop};

pub(super) fn add(observed: &mut Observed, name: &InterfaceName, kind: &LinkKind) -> Done {
    if observed.link(name).is_some() {
        return Err("it exists");
    }
    match kind {
        LinkKind::Found => return Err("it cannot be made"),
        LinkKind::Vlan { parent, .. } => {
            observed.link(parent).ok_or("there is nothing to be on")?;
        }
        LinkKind::Bond(_) | LinkKind::Bridge { .. } | LinkKind::Dummy => {}
    }
    let mtu = first_mtu(observed, kind);
    let last = observed.links.iter().map(|link| link.index).max();
    observed.links.push(ObservedLink {
        index: last.unwrap_or(0) + 1,
        name: name.clone(),
        up: false,
        carrier: false,
        kind: kind.clone(),
        group: LINK_GROUP,
        mode: None,
        mtu,
        master: None,
        primary: None,
        loopback: false,
    });
    let settings = observed.sysctls.iter().filter_map(|other| {
        Some(ObservedSysctl {
            sysctl: other.sysctl.started_with(name)?,
            value: other.value.clone(),
            held: None,
        })
    });
    let settings: Vec<_> = settings.collect();
    observed.sysctls.extend(settings);
    Ok(())
}

/// The MTU that a new interface starts with: a VLAN's is that of what it is on.
pub(crate) fn first_mtu(observed: &Observed, kind: &LinkKind) -> u32 {
    let parent = match kind {
        LinkKind::Vlan { parent, .. } => observed.link(parent),
        _ => None,
    };
    parent.map_or(ETHERNET_MTU, |parent| parent.mtu)
}

/// Takes with it its addresses, its routes and the VLANs on it.
pub(super) fn remove(observed: &mut Observed, name: &InterfaceName) -> Done {
    let link = observed.link(name).ok_or("no such interface")?;
    if !link.is_ours() {
        return Err("it is not ours");
    }
    let on_it = |link: &&ObservedLink| matches!(&link.kind, LinkKind::Vlan { parent, .. } if parent == name);
    let on_it: Vec<InterfaceName> = observed
        .links
        .iter()
        .filter(on_it)
        .map(|link| link.name.clone())
        .collect();
    for other in on_it {
        remove(observed, &other)?;
    }
    observed.links.retain(|link| link.name != *name);
    for member in &mut observed.links {
        if member.master.as_ref() == Some(name) {
            member.master = None;
        }
    }
    observed
        .addresses
        .retain(|other| other.address.interface != *name);
    forget_routes(observed, name);
    observed
        .sysctls
        .retain(|other| other.sysctl.interface() != Some(name));
    Ok(())
}

/// A bond takes a link that is down, and brings it up; it leaves one down that it lets go.
pub(super) fn join(
    observed: &mut Observed,
    name: &InterfaceName,
    to: Option<&InterfaceName>,
) -> Done {
    let is_bond = |observed: &Observed, name: Option<&InterfaceName>| {
        let link = name.and_then(|name| observed.link(name));
        link.is_some_and(|link| matches!(link.kind, LinkKind::Bond(_)))
    };
    let link = observed.link(name).ok_or("no such interface")?;
    let (up, from) = (link.up, link.master.clone());
    if to.is_some_and(|to| observed.link(to).is_none()) {
        return Err("no such bond or bridge");
    }
    let (leaves, enters) = (is_bond(observed, from.as_ref()), is_bond(observed, to));
    if enters && up {
        return Err("the interface is up");
    }
    if leaves {
        set_up(observed, name, false)?;
    }
    find(observed, name)?.master = to.cloned();
    if let Some(from) = from.filter(|_| leaves) {
        let bond = find(observed, &from)?;
        bond.primary = bond.primary.take().filter(|primary| primary != name);
    }
    if enters {
        set_up(observed, name, true)?;
    }
    Ok(())
}

pub(super) fn lead(
    observed: &mut Observed,
    bond: &InterfaceName,
    to: Option<&InterfaceName>,
) -> Done {
    if let Some(to) = to
        && observed.link(to).and_then(|link| link.master.as_ref()) != Some(bond)
    {
        return Err("it is no part of the bond");
    }
    find(observed, bond)?.primary = to.cloned();
    Ok(())
}

pub(super) fn set_mtu(observed: &mut Observed, name: &InterfaceName, mtu: u32) -> Done {
    find(observed, name)?.mtu = mtu;
    Ok(())
}

pub(super) fn set_mode(observed: &mut Observed, name: &InterfaceName, to: LinkMode) -> Done {
    let link = find(observed, name)?;
    let mode = link.mode.as_mut().filter(|mode| mode.settable);
    let mode = mode.ok_or("its driver has one mode only")?;
    mode.autonegotiation = to.autonegotiation;
    mode.speed = to.speed.or(mode.speed);
    mode.full_duplex = to.full_duplex.or(mode.full_duplex);
    Ok(())
}

pub(super) fn set_up(observed: &mut Observed, name: &InterfaceName, up: bool) -> Done {
    find(observed, name)?.up = up;
    if !up {
        forget_routes(observed, name);
        observed
            .addresses
            .retain(|other| other.address.interface != *name || other.address.net.addr().is_ipv4());
    }
    Ok(())
}

fn forget_routes(observed: &mut Observed, name: &InterfaceName) {
    let leaves_by = |hop: &NextHop| hop.interface.as_ref() == Some(name);
    observed.routes.retain(|other| {
        other.route.interface.as_ref() != Some(name) && !other.further.iter().any(leaves_by)
    });
}

fn find<'a>(
    observed: &'a mut Observed,
    name: &InterfaceName,
) -> Result<&'a mut ObservedLink, &'static str> {
    let mut links = observed.links.iter_mut();
    links
        .find(|link| link.name == *name)
        .ok_or("no such interface")
}

/// What `ether_setup` gives a new interface.
const ETHERNET_MTU: u32 = 1500;
