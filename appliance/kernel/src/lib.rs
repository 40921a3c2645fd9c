//! The one place that talks to the kernel about the network: [`observe`] reads, [`execute`] does,
//! [`Monitor`] hears that something changed.
//!
//! Two storeys: `netlink` is a connection that sends one message and collects the answers, `socket`
//! (links, addresses, routes, rules) and `nft` speak over it; `observe` and `execute` are the verbs of
//! `network`'s vocabulary on top, with `message` for the translation and `sysctl` for the settings. Which step is to be done, and in what order, was
//! decided by `network::plan`; here is no choice left.
//!
//! What the box is beside its network ([`System`]) is done here too, since it is part of the same steps.
//!
//! A lease of a DHCP server is put to use by [`use_lease`], beside the plan.
//!
//! Invariants: nothing outside of this crate knows `netlink-packet-route`, whose interface changes with each of
//! its releases. Both verbs work in the network namespace of the calling thread.

mod cause;
mod error;
mod ethtool;
mod execute;
mod lease;
mod ledger;
mod message;
mod monitor;
mod netlink;
mod nft;
mod observe;
mod probe;
mod socket;
mod sysctl;
mod system;

pub use error::{Cause, Error, ExecuteError};
pub use execute::execute;
pub use lease::{Lease, drop_lease, link_up, links, use_lease};
pub use ledger::Ledger;
pub use monitor::Monitor;
pub use observe::{observe, observe_with};
pub use probe::probe;
pub use system::System;
