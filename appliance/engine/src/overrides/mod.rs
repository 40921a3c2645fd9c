//! What an operator changes at run time: states, weights, limits, addresses (management guide,
//! section 9.3), and what checks found.
//!
//! Every such change stands beside the configuration, by name, and is told to the engine's owner as
//! the command that makes it again ([`Override`]). It lasts until the server or frontend leaves the
//! configuration, or until the configuration's own value of that kind changes.
//!
//! Invariant: the road of a request reads the outcome from atomics; the locks here are only taken by
//! commands, checks and changes of the configuration.

mod channel;
mod follow;
mod frontends;
mod journal;
mod operator;
mod servers;
mod settle;

use std::net::IpAddr;

use lanai_model::layer7::ServerAddress;

pub use channel::{Override, OverrideReceiver, OverrideSender, Told, channel};
pub(crate) use journal::{IF_CHECKED, tell_server};
pub(crate) use operator::{Operator, Outcome, Place};
pub(crate) use servers::publish;
pub(crate) use settle::{apply_targets, forget, open_or_close, settle};

/// What was set of a server at run time.
#[derive(Debug, Default)]
pub(crate) struct ServerOverrides {
    /// What the configuration says; `None` before it took effect for the first time.
    pub(crate) configured: Option<ConfiguredServer>,
    pub(crate) weight: Option<u16>,
    /// 0 is no limit.
    pub(crate) maxconn: Option<u32>,
    pub(crate) address: Option<(IpAddr, Option<u16>)>,
    /// The commands that the owner knows of, by kind.
    told: [Option<String>; journal::SERVER_KINDS],
}

/// What a configuration says of a server that can be set at run time too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfiguredServer {
    pub(crate) weight: u16,
    pub(crate) maxconn: Option<u32>,
    pub(crate) address: ServerAddress,
    pub(crate) is_checked: bool,
}

/// What was set of a frontend at run time.
#[derive(Debug, Default)]
pub(crate) struct FrontendOverrides {
    /// `maxconn` of the configuration; `None` before it took effect for the first time.
    pub(crate) configured: Option<Option<u32>>,
    pub(crate) maxconn: Option<u32>,
    /// It takes no connections.
    pub(crate) paused: bool,
    told: [Option<String>; journal::FRONTEND_KINDS],
}
