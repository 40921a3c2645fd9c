//! What a DHCP server lent: an address and a way out, apart from what a plan owns. They bear marks of
//! their own, so that no plan removes them, and a default route of the configuration goes before
//! theirs.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use lanai_network::{InterfaceAddress, InterfaceName, ObservedLink, Route, RouteKind, TABLE_MAIN};
use libc::{EADDRNOTAVAIL, EEXIST, ENODEV, ESRCH};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkMessage};
use netlink_packet_route::route::{RouteMessage, RouteProtocol};

use crate::error::{Cause, Error};
use crate::execute::words;
use crate::netlink::Failure;
use crate::socket::Socket;
use crate::{cause, message, observe};

/// The price of a lent default route, plus the interface's index: more than anybody configures.
const METRIC: u32 = 1_000_000;

/// An address that a DHCP server lent, and the router it named (RFC 2131, RFC 2132 section 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The interface it is for.
    pub interface: InterfaceName,
    /// Address and network.
    pub net: Ipv4Net,
    /// The way out.
    pub router: Option<Ipv4Addr>,
}

/// The interfaces of the network namespace of the calling thread, by index. To be called inside of a
/// tokio runtime with I/O and time, as all of these are.
///
/// # Errors
/// If they cannot be read.
pub async fn links() -> Result<Vec<ObservedLink>, Error> {
    let mut socket = Socket::open().map_err(Error::Socket)?;
    observe::links(&mut socket).await
}

/// Brings an interface up: nothing is heard on one that is down.
///
/// # Errors
/// Names what the kernel refused.
pub async fn link_up(interface: &InterfaceName) -> Result<(), Cause> {
    let mut kernel = Kernel::open(interface).await?;
    let mut message = LinkMessage::default();
    message.header.index = kernel.index;
    message.header.change_mask = LinkFlags::Up;
    message.header.flags = LinkFlags::Up;
    let message = RouteNetlinkMessage::SetLink(message);
    kernel.change(message, 0, &[]).await
}

/// Puts a lease to use, in the network namespace of the calling thread. Doing it again is fine, and
/// so is an address that is there already.
///
/// # Errors
/// Names what the kernel refused.
pub async fn use_lease(lease: &Lease) -> Result<(), Cause> {
    let mut kernel = Kernel::open(&lease.interface).await?;
    let address = RouteNetlinkMessage::NewAddress(kernel.address(lease));
    let flags = NLM_F_CREATE | NLM_F_EXCL;
    kernel.change(address, flags, &[EEXIST]).await?;
    if let Some(route) = kernel.route(lease) {
        let route = RouteNetlinkMessage::NewRoute(route);
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        kernel.change(route, flags, &[]).await?;
    }
    Ok(())
}

/// Takes a lease out of use. The address stays if it is one of `keep`: somebody else wants it now.
///
/// # Errors
/// Names what the kernel refused; that it is gone already is fine.
pub async fn drop_lease(lease: &Lease, keep: &[IpNet]) -> Result<(), Cause> {
    let mut kernel = Kernel::open(&lease.interface).await?;
    if let Some(route) = kernel.route(lease) {
        let route = RouteNetlinkMessage::DelRoute(route);
        kernel.change(route, 0, &[ESRCH, ENODEV]).await?;
    }
    if keep.contains(&IpNet::V4(lease.net)) {
        return Ok(());
    }
    let address = RouteNetlinkMessage::DelAddress(kernel.address(lease));
    kernel.change(address, 0, &[EADDRNOTAVAIL, ENODEV]).await
}

struct Kernel {
    socket: Socket,
    index: u32,
}

impl Kernel {
    async fn open(interface: &InterfaceName) -> Result<Self, Cause> {
        let mut socket = Socket::open().map_err(|error| words(Error::Socket(error)))?;
        let links = observe::links(&mut socket).await.map_err(words)?;
        let link = links.iter().find(|link| link.name == *interface);
        let link = link.ok_or_else(|| cause::no_interface(interface))?;
        Ok(Self {
            index: link.index,
            socket,
        })
    }

    fn address(&self, lease: &Lease) -> AddressMessage {
        let address = InterfaceAddress {
            interface: lease.interface.clone(),
            net: lease.net.into(),
        };
        let mut message = message::of_address(&address, self.index);
        // Without our mark it is nobody's whom a plan looks after.
        let ours = |one: &AddressAttribute| matches!(one, AddressAttribute::Protocol(_));
        message.attributes.retain(|one| !ours(one));
        message
    }

    fn route(&self, lease: &Lease) -> Option<RouteMessage> {
        let route = Route {
            table: TABLE_MAIN,
            destination: Ipv4Net::default().into(),
            metric: METRIC.saturating_add(self.index),
            kind: RouteKind::Unicast,
            gateway: Some(lease.router?.into()),
            interface: Some(lease.interface.clone()),
        };
        let mut message = message::of_route(&route, Some(self.index));
        message.header.protocol = RouteProtocol::Dhcp;
        Some(message)
    }

    async fn change(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
        fine: &[i32],
    ) -> Result<(), Cause> {
        match self.socket.change(message, flags).await {
            Err(Failure::Refused { errno, .. }) if fine.contains(&errno) => Ok(()),
            Err(failure) => Err(cause::of_failure(failure)),
            Ok(()) => Ok(()),
        }
    }
}
