//! The box's network as a value: what the configuration wants, what the kernel has, and the steps
//! from one to the other.
//!
//! [`desired`] reads the model, [`plan`] compares it with an [`Observed`] that `kernel` took, and
//! the [`Plan`] is shown to people and executed by `kernel` unchanged. Nothing is decided later.
//!
//! Invariants:
//! - This crate touches nothing: no tokio, sockets, files, environment or clock.
//! - A route, an address, a policy rule or an interface is removed or replaced only if it bears our mark
//!   ([`ROUTE_PROTOCOL`], [`ADDRESS_PROTOCOL`], [`RULE_PROTOCOL`], [`LINK_GROUP`]), a packet filter rule only in our
//!   own table ([`nft::TABLE`]), a setting is put back only if we changed it ([`Held`]). What others
//!   put there is left alone, and if it stands in the way it is reported as a [`Problem`].
//! - Planning again after a plan was executed gives an empty plan; [`simulation`] proves it in tests.
//!
//! `docs/network.md` explains the choices to people.

mod desired;
mod doctor;
mod facts;
mod link;
pub mod nft;
mod observed;
mod plan;
mod ports;
mod problem;
mod reach;
mod rule;
pub mod simulation;
mod state;
mod step;
mod sysctl;
mod system;
#[cfg(test)]
mod testing;

pub use desired::{
    Desired, Need, WantedAddress, WantedChain, WantedFilter, WantedLink, WantedRoute, WantedRule,
    WantedSysctl, desired, desired_with_ui,
};
pub use doctor::{Finding, Health, Stage, examine};
pub use facts::{Capabilities, Capability, Facts, Feature, Presence, Tried};
pub use lanai_model::services::SysctlKey;
pub use link::{Bond, LinkKind, LinkMode};
pub use observed::{
    Nftables, Observed, ObservedAddress, ObservedLink, ObservedRoute, ObservedRule, ObservedSysctl,
};
pub use plan::{Plan, plan};
pub use ports::{PortSet, Ports};
pub use problem::{Note, Problem};
pub use reach::{Cut, Visitor, Way, cuts, way};
pub use rule::{Mark, PolicyRule, RuleAction};
pub use state::{
    Family, InterfaceAddress, InterfaceName, NextHop, Route, RouteKind, effective_metric,
};
pub use step::{Detail, PlannedStep, Step, moved};
pub use sysctl::{Held, Scope, Sysctl, Tuning};
pub use system::{Key, LogServer, ObservedSystem, Part, Setting, TimeServer, WantedSetting, unfit};

/// `rtm_protocol` of every route we add: 76, the letter L.
///
/// Free in `linux/rtnetlink.h` (0-4, 8-18, 42, 99, 186-189, 192), in iproute2's `rt_protos`, and not
/// among those that FRR (190-198) and Calico (80) took for themselves. The kernel does not interpret
/// it; `ip route show proto 76` lists what is ours.
pub const ROUTE_PROTOCOL: u8 = 76;

/// `IFA_PROTO` of every address we add: 76, as for routes.
///
/// The kernel itself uses 1 to 3 (`linux/if_addr.h`). Kept by Linux 5.18 and later; an older kernel
/// forgets it, and then an address that is no longer wanted cannot be told from somebody else's and
/// stays until it is removed by hand.
pub const ADDRESS_PROTOCOL: u8 = 76;

/// `IFLA_GROUP` of every interface we make: 76, as for routes. `ip link show group 76` lists them.
///
/// The one mark that is set in the same message that makes an interface: an alias would come a moment
/// later.
pub const LINK_GROUP: u32 = 76;

/// `FRA_PROTOCOL` of every policy rule we add: 76, as for routes. Kept by Linux 4.17 and later.
pub const RULE_PROTOCOL: u8 = 76;

/// Priorities of our policy rules, before the kernel's for table `main` (32766).
///
/// The first are the appliance's own, then come those that lines ask for, then those of lines that
/// ask for none.
pub const RULE_PRIORITIES: std::ops::RangeInclusive<u32> = 7600..=9599;

/// The kernel's main routing table, which `ip route show` prints.
pub const TABLE_MAIN: u32 = 254;
