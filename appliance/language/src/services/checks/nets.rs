//! Which network holds an address.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::services::network::NetworkDraft;

/// Networks that can be asked for one that holds an address, without looking at each: there may be
/// ten thousand addresses and as many routes.
#[derive(Default)]
pub(super) struct Nets<'a> {
    /// By family (IPv4 or not) and prefix length.
    by_length: BTreeMap<(bool, u8), HashMap<IpNet, &'a str>>,
    own: HashMap<IpAddr, IpNet>,
    v4: bool,
    v6: bool,
}

impl<'a> Nets<'a> {
    /// Adds the networks of an interface's addresses.
    pub(super) fn add(&mut self, network: &'a NetworkDraft) {
        for (address, _) in &network.addresses {
            let net = address.net;
            self.add_reachable(net.trunc(), &network.interface);
            self.own.insert(net.addr(), net);
            match net {
                IpNet::V4(_) => self.v4 = true,
                IpNet::V6(_) => self.v6 = true,
            }
        }
    }

    /// Adds a network whose hosts are neighbours.
    pub(super) fn add_reachable(&mut self, net: IpNet, interface: &'a str) {
        let key = (net.addr().is_ipv4(), net.prefix_len());
        let nets = self.by_length.entry(key).or_default();
        nets.entry(net).or_insert(interface);
    }

    /// The box's own address, with its network.
    pub(super) fn own(&self, address: IpAddr) -> Option<IpNet> {
        self.own.get(&address).copied()
    }

    /// The interface of a network that holds the address.
    pub(super) fn holds(&self, address: IpAddr) -> Option<&'a str> {
        let of_family = (address.is_ipv4(), 0)..=(address.is_ipv4(), u8::MAX);
        self.by_length
            .range(of_family)
            .find_map(|((_, length), nets)| {
                let net = IpNet::new(address, *length).ok()?.trunc();
                nets.get(&net).copied()
            })
    }

    /// Whether an address of this one's family is there.
    pub(super) fn has_family_of(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.v4,
            IpAddr::V6(_) => self.v6,
        }
    }
}
