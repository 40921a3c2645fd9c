//! Hearing that the network has changed, whoever changed it.

use std::io;

use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket};

use crate::error::Error;

/// Listens for changes of links, addresses, routes, policy rules, settings of interfaces and
/// nftables, in the network namespace of the thread that opened it.
///
/// It tells that something changed, and not what: whoever wants to know observes. The kernel drops
/// what a slow listener does not fetch; that, too, counts as a change.
pub struct Monitor {
    network: TokioSocket,
    /// `None` on a kernel without nftables: nobody can change there what is not there.
    tables: Option<TokioSocket>,
}

impl Monitor {
    /// Starts to listen. Must be called inside of a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// If there is no netlink socket to be had.
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            network: listen(NETLINK_ROUTE, NETWORK).map_err(Error::Socket)?,
            tables: listen(NETLINK_NETFILTER, mask(NFNLGRP_NFTABLES)).ok(),
        })
    }

    /// Waits for the next change. Several that come together may be told as one.
    ///
    /// # Errors
    /// If a socket fails for good.
    pub async fn changed(&mut self) -> io::Result<()> {
        tokio::select! {
            heard = hear(&self.network) => heard,
            heard = hear_if(self.tables.as_ref()) => heard,
        }
    }
}

fn listen(protocol: isize, groups: u32) -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(protocol)?;
    socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
    Ok(socket)
}

/// Reads one datagram, and those that wait behind it: not without end, should somebody change things
/// faster than they are read.
async fn hear(socket: &TokioSocket) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(DATAGRAM);
    match socket.recv(&mut buffer).await {
        Ok(()) => {}
        Err(error) if overrun(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    for _ in 0..AT_ONCE {
        buffer.clear();
        match socket.socket_ref().recv(&mut buffer, 0) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if overrun(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn hear_if(socket: Option<&TokioSocket>) -> io::Result<()> {
    match socket {
        Some(socket) => hear(socket).await,
        None => std::future::pending().await,
    }
}

/// Some were dropped because we were slow (`netlink(7)`).
fn overrun(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

const fn mask(group: u32) -> u32 {
    1 << (group - 1)
}

/// Datagrams read without letting others go first.
const AT_ONCE: usize = 1000;

/// What the kernel cuts off of a longer one is not missed: nobody reads it.
const DATAGRAM: usize = 8192;

/// `enum rtnetlink_groups`, `linux/rtnetlink.h`. The two NETCONF groups tell of `forwarding` and
/// `rp_filter`; settings that no group tells of are found by looking from time to time.
const NETWORK: u32 = mask(1) // RTNLGRP_LINK
    | mask(5) // RTNLGRP_IPV4_IFADDR
    | mask(7) // RTNLGRP_IPV4_ROUTE
    | mask(8) // RTNLGRP_IPV4_RULE
    | mask(9) // RTNLGRP_IPV6_IFADDR
    | mask(11) // RTNLGRP_IPV6_ROUTE
    | mask(19) // RTNLGRP_IPV6_RULE
    | mask(24) // RTNLGRP_IPV4_NETCONF
    | mask(25); // RTNLGRP_IPV6_NETCONF

/// `enum nfnetlink_groups`, `linux/netfilter/nfnetlink.h`.
const NFNLGRP_NFTABLES: u32 = 7;
