//! Interfaces (`linux/if_link.h`).

use lanai_network::{Bond, InterfaceName, LINK_GROUP, LinkKind, ObservedLink};
use netlink_packet_route::link::{
    BridgeStpState, InfoBond, InfoBridge, InfoData, InfoKind, InfoVlan, LinkAttribute, LinkFlags,
    LinkInfo, LinkMessage,
};

use super::Names;

/// The name of an interface by its index; `None` for one without a name, which no kernel sends.
pub(crate) fn name(message: &LinkMessage) -> Option<(u32, InterfaceName)> {
    let name = message.attributes.iter().find_map(|a| match a {
        LinkAttribute::IfName(name) => Some(name.as_str().into()),
        _ => None,
    })?;
    Some((message.header.index, name))
}

/// An interface.
pub(crate) fn link(message: &LinkMessage, names: &Names) -> Option<ObservedLink> {
    let (index, name) = name(message)?;
    let flags = message.header.flags;
    let mut link = ObservedLink {
        index,
        name,
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        loopback: flags.contains(LinkFlags::Loopback),
        ..ObservedLink::default()
    };
    let mut below = None;
    let mut info: &[LinkInfo] = &[];
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::Group(group) => link.group = *group,
            LinkAttribute::Controller(master) => link.master = names.get(master).cloned(),
            LinkAttribute::Link(index) => below = names.get(index).cloned(),
            LinkAttribute::LinkInfo(all) => info = all,
            _ => {}
        }
    }
    for item in info {
        match item {
            LinkInfo::Kind(InfoKind::Dummy) => link.kind = LinkKind::Dummy,
            LinkInfo::Data(InfoData::Vlan(data)) => {
                if let Some(kind) = vlan(data, below.as_ref()) {
                    link.kind = kind;
                }
            }
            LinkInfo::Data(InfoData::Bridge(data)) => link.kind = bridge(data),
            LinkInfo::Data(InfoData::Bond(data)) => {
                link.kind = LinkKind::Bond(bond(data));
                link.primary = data.iter().find_map(|item| match item {
                    InfoBond::Primary(index) => names.get(index).cloned(),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Some(link)
}

/// `None` if what it is on is in another namespace.
fn vlan(data: &[InfoVlan], below: Option<&InterfaceName>) -> Option<LinkKind> {
    let id = data.iter().find_map(|item| match item {
        InfoVlan::Id(id) => Some(*id),
        _ => None,
    })?;
    Some(LinkKind::Vlan {
        parent: below?.clone(),
        id,
    })
}

fn bridge(data: &[InfoBridge]) -> LinkKind {
    let stp = data.iter().any(
        |item| matches!(item, InfoBridge::StpState(state) if *state != BridgeStpState::Disabled),
    );
    LinkKind::Bridge { stp }
}

fn bond(data: &[InfoBond]) -> Bond {
    let mut bond = Bond::default();
    for item in data {
        match item {
            InfoBond::Mode(mode) => bond.mode = (*mode).into(),
            InfoBond::MiiMon(time) => bond.miimon = Some(*time),
            InfoBond::UpDelay(time) => bond.updelay = Some(*time),
            InfoBond::DownDelay(time) => bond.downdelay = Some(*time),
            InfoBond::AdLacpRate(rate) => bond.lacp_rate = Some((*rate).into()),
            InfoBond::XmitHashPolicy(policy) => bond.xmit_hash_policy = Some((*policy).into()),
            _ => {}
        }
    }
    bond
}

/// The message that makes an interface; `below` is the index of what a VLAN is on.
pub(crate) fn of_link(name: &str, kind: &LinkKind, below: Option<u32>) -> LinkMessage {
    let (word, data) = match kind {
        LinkKind::Found => (InfoKind::Other(String::new()), None),
        LinkKind::Vlan { id, .. } => {
            let data = InfoData::Vlan(vec![InfoVlan::Id(*id)]);
            (InfoKind::Vlan, Some(data))
        }
        LinkKind::Bond(bond) => (InfoKind::Bond, Some(InfoData::Bond(of_bond(bond)))),
        LinkKind::Bridge { stp } => {
            let state = if *stp {
                BridgeStpState::KernelStp
            } else {
                BridgeStpState::Disabled
            };
            let data = InfoData::Bridge(vec![InfoBridge::StpState(state)]);
            (InfoKind::Bridge, Some(data))
        }
        LinkKind::Dummy => (InfoKind::Dummy, None),
    };
    let mut info = vec![LinkInfo::Kind(word)];
    info.extend(data.map(LinkInfo::Data));
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Group(LINK_GROUP),
        LinkAttribute::LinkInfo(info),
    ];
    message.attributes.extend(below.map(LinkAttribute::Link));
    message
}

/// The mode first: what else may be set depends on it.
fn of_bond(bond: &Bond) -> Vec<InfoBond> {
    let mut data = vec![InfoBond::Mode(bond.mode.into())];
    data.extend(bond.miimon.map(InfoBond::MiiMon));
    data.extend(bond.updelay.map(InfoBond::UpDelay));
    data.extend(bond.downdelay.map(InfoBond::DownDelay));
    data.extend(bond.lacp_rate.map(|rate| InfoBond::AdLacpRate(rate.into())));
    let policy = bond.xmit_hash_policy;
    data.extend(policy.map(|policy| InfoBond::XmitHashPolicy(policy.into())));
    data
}

/// The message that says which link a bond uses; index 0 is none.
pub(crate) fn of_primary(bond: u32, primary: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = bond;
    let data = InfoData::Bond(vec![InfoBond::Primary(primary)]);
    let info = vec![LinkInfo::Kind(InfoKind::Bond), LinkInfo::Data(data)];
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::BondMode;

    use super::*;

    fn names() -> Names {
        Names::from([(2, "eth0".into()), (3, "eth1".into()), (9, "bond0".into())])
    }

    /// What the kernel tells of an interface that was made by our message.
    fn read_back(kind: &LinkKind, below: Option<u32>) -> ObservedLink {
        let message = of_link("new0", kind, below);
        link(&message, &names()).unwrap()
    }

    #[test]
    fn every_kind_is_read_as_it_was_made_and_bears_our_mark() {
        let bond = Bond {
            mode: 4,
            miimon: Some(100),
            updelay: Some(200),
            downdelay: Some(300),
            lacp_rate: Some(1),
            xmit_hash_policy: Some(1),
        };
        let vlan = LinkKind::Vlan {
            parent: "eth0".into(),
            id: 100,
        };
        for (kind, below) in [
            (vlan, Some(2)),
            (LinkKind::Bond(bond), None),
            (LinkKind::Bond(Bond::default()), None),
            (LinkKind::Bridge { stp: true }, None),
            (LinkKind::Bridge { stp: false }, None),
            (LinkKind::Dummy, None),
        ] {
            let link = read_back(&kind, below);
            assert_eq!((&link.kind, link.is_ours()), (&kind, true));
        }
    }

    #[test]
    fn a_bonds_mode_comes_before_what_depends_on_it() {
        let bond = Bond {
            mode: 1,
            miimon: Some(100),
            ..Bond::default()
        };
        let data = of_bond(&bond);
        let wanted = [
            InfoBond::Mode(BondMode::ActiveBackup),
            InfoBond::MiiMon(100),
        ];
        assert_eq!(data, wanted);
    }

    #[test]
    fn members_and_what_others_made_are_seen() {
        let mut message = LinkMessage::default();
        message.header.index = 3;
        message.attributes = vec![
            LinkAttribute::IfName("eth1".to_owned()),
            LinkAttribute::Mtu(9000),
            LinkAttribute::Controller(9),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)]),
        ];
        let seen = link(&message, &names()).unwrap();
        assert_eq!(seen.master.as_deref(), Some("bond0"));
        assert_eq!((seen.mtu, &seen.kind), (9000, &LinkKind::Found));
        assert!(!seen.is_ours());
        // A VLAN whose parent is in another namespace.
        let vlan = LinkKind::Vlan {
            parent: "eth7".into(),
            id: 7,
        };
        assert_eq!(read_back(&vlan, Some(77)).kind, LinkKind::Found);
    }
}
