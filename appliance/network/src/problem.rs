//! What keeps a wanted thing from being done without harm.

use std::fmt;
use std::net::IpAddr;

use lanai_model::Origin;
use serde::{Deserialize, Serialize};

use crate::link::{LinkKind, LinkMode};
use crate::observed::ObservedRoute;
use crate::ports::Ports;
use crate::state::{InterfaceAddress, InterfaceName, Route};
use crate::sysctl::Sysctl;

/// Something wanted that the plan leaves out, because it cannot work or would destroy what is not
/// ours. A plan with problems is still safe to execute; whether to go on with the rest is decided
/// by who asked for it (an `apply` is refused, a boot goes on).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The box has no interface of this name. Everything written for it is left out.
    NoSuchInterface {
        /// The name.
        interface: InterfaceName,
        /// Names that exist, for a hint; at most 16.
        existing: Vec<InterfaceName>,
        /// The `service network` line.
        origin: Origin,
    },
    /// Somebody else's route has the table, destination and metric of a wanted one.
    RouteTaken {
        /// What is wanted.
        wanted: Route,
        /// What is there.
        existing: ObservedRoute,
        /// The line.
        origin: Origin,
    },
    /// Two wanted routes have one table, destination and metric. The first is kept.
    RouteTwice {
        /// The second of them.
        wanted: Route,
        /// The first one's line.
        first: Origin,
        /// The second one's line.
        origin: Origin,
    },
    /// The destination is the network of an address of the box, for which the kernel has a route of
    /// its own with the same metric.
    RouteToOwnNetwork {
        /// The route.
        wanted: Route,
        /// The address.
        address: InterfaceAddress,
        /// Whether the address is no longer wanted, so that the route can be had afterwards.
        leaving: bool,
        /// The line.
        origin: Origin,
    },
    /// The gateway is on no network of the interface, so the kernel would refuse the route.
    GatewayUnreachable {
        /// The gateway.
        gateway: IpAddr,
        /// The interface.
        interface: InterfaceName,
        /// The route.
        wanted: Route,
        /// The line.
        origin: Origin,
    },
    /// An IPv6 address is wanted twice on an interface, with different prefix lengths. The first is
    /// kept.
    AddressTwice {
        /// The second.
        wanted: InterfaceAddress,
        /// The first one's line.
        first: Origin,
        /// The second one's line.
        origin: Origin,
    },
    /// Somebody else's IPv6 address is the wanted one with another prefix length; the kernel keeps
    /// an IPv6 address only once on an interface.
    AddressTaken {
        /// What is wanted.
        wanted: InterfaceAddress,
        /// What is there.
        existing: InterfaceAddress,
        /// The line.
        origin: Origin,
    },
    /// Something else has the name of an interface that is to be made.
    LinkTaken {
        /// The name.
        interface: InterfaceName,
        /// What is wanted.
        wanted: LinkKind,
        /// What is there.
        existing: LinkKind,
        /// The `service network` line.
        origin: Origin,
    },
    /// A line asks for a setting that this kernel lacks.
    NoSetting {
        /// The setting.
        sysctl: Sysctl,
        /// The line.
        origin: Origin,
    },
    /// A packet filter is needed, and this kernel has none.
    NoNftables {
        /// The line that needs it.
        origin: Origin,
    },
}

/// Something to know about a plan. It keeps nobody from anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// This kernel lacks a setting.
    NoSuchSetting {
        /// The setting.
        sysctl: Sysctl,
        /// What it was wanted for.
        why: String,
        /// The line that leads to it.
        origin: Option<Origin>,
    },
    /// A link's driver offers no choice of speed, duplex or autonegotiation.
    OneModeOnly {
        /// The link.
        interface: InterfaceName,
        /// What is wanted of it.
        wanted: LinkMode,
        /// The line of its block.
        origin: Origin,
    },
    /// A line is about something that is not Lanai's here.
    NotManaged {
        /// What it is: "the host name", a setting.
        what: String,
        /// The line.
        origin: Origin,
    },
    /// A listener starts without its address.
    Absent {
        /// The address.
        address: IpAddr,
        /// The `bind` line.
        origin: Origin,
    },
    /// Reserving a server's source ports would leave too few to everybody else.
    NotReserved {
        /// The ports.
        ports: Ports,
        /// The line with `source`.
        origin: Origin,
    },
    /// A setting comes with a module that is not loaded yet.
    NotYetThere {
        /// The setting.
        sysctl: Sysctl,
        /// The line.
        origin: Origin,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSetting {
                sysctl,
                why,
                origin,
            } => {
                write!(
                    f,
                    "this kernel has no {sysctl}, so it is left out; it was wanted for this: {why}"
                )?;
                match origin {
                    Some(origin) => write!(f, " ({origin})"),
                    None => Ok(()),
                }
            }
            Self::OneModeOnly {
                interface,
                wanted,
                origin,
            } => write!(
                f,
                "'{wanted}' is not supported by {interface}, whose driver has one mode only; it \
                 stays as it is ({origin})"
            ),
            Self::NotManaged { what, origin } => write!(
                f,
                "not managed here: {what} belongs to the whole machine, which is Lanai's on its own image \
                 only ({origin})"
            ),
            Self::Absent { address, origin } => write!(
                f,
                "no interface has {address} now; the listener starts all the same and serves nobody until \
                 one does ({origin})"
            ),
            Self::NotReserved { ports, origin } => write!(
                f,
                "source ports {ports} are not reserved: too few would be left for all other connections of \
                 the box; where one of these has a port, the server's connection takes the next ({origin})"
            ),
            Self::NotYetThere { sysctl, origin } => write!(
                f,
                "the kernel has no {sysctl} until the module that brings it is loaded; it is set then \
                 ({origin})"
            ),
        }
    }
}

impl Problem {
    /// The configuration line it is about.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::NoSuchInterface { origin, .. }
            | Self::RouteTaken { origin, .. }
            | Self::RouteTwice { origin, .. }
            | Self::GatewayUnreachable { origin, .. }
            | Self::AddressTwice { origin, .. }
            | Self::RouteToOwnNetwork { origin, .. }
            | Self::AddressTaken { origin, .. }
            | Self::LinkTaken { origin, .. }
            | Self::NoSetting { origin, .. }
            | Self::NoNftables { origin } => origin,
        }
    }
}

fn no_setting(sysctl: &Sysctl, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "this kernel has no setting {sysctl}; look for the right name in /proc/sys, or remove the line"
    )
}

/// A sentence with what to do next, without the origin.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface {
                interface,
                existing,
                ..
            } => {
                write!(f, "there is no interface '{interface}' on this box")?;
                if existing.is_empty() {
                    return f.write_str("; check the cabling and the driver");
                }
                write!(f, "; it has {}", existing.join(", "))
            }
            Self::RouteTaken {
                wanted, existing, ..
            } => write!(
                f,
                "the route {wanted} cannot be added: {} (protocol {}) has the same destination and \
                 metric and is not ours to remove; give ours another metric, or remove that one",
                existing.route, existing.protocol
            ),
            Self::RouteTwice { wanted, first, .. } => write!(
                f,
                "the route {wanted} has the destination and metric of the one in {first}; give one \
                 of them another metric"
            ),
            Self::RouteToOwnNetwork {
                wanted,
                address,
                leaving,
                ..
            } => write!(
                f,
                "the route {wanted} cannot be added: its destination is the network of the address \
                 {address}, which is reached without a gateway; {}, or give it a metric",
                if *leaving {
                    "remove the address in a change of its own before"
                } else {
                    "remove the line"
                }
            ),
            Self::GatewayUnreachable {
                gateway,
                interface,
                wanted,
                ..
            } => write!(
                f,
                "the route {wanted} cannot work: gateway {gateway} is not on a network of \
                 {interface}; add an address of the gateway's network to {interface}, or correct \
                 the gateway"
            ),
            Self::AddressTwice { wanted, first, .. } => write!(
                f,
                "the address {wanted} is in {first} with another prefix length; an interface has an \
                 IPv6 address only once, so keep one of the two lines"
            ),
            Self::AddressTaken {
                wanted, existing, ..
            } => write!(
                f,
                "the address {wanted} cannot be added: {} is there already and is not ours to \
                 remove; write the same prefix length, or remove that one",
                existing.net
            ),
            Self::LinkTaken {
                interface,
                wanted,
                existing,
                ..
            } => write!(
                f,
                "{interface} is to be a {wanted}, and there is a {existing} of that name that is \
                 not ours to remove; give it another name, or remove that one"
            ),
            Self::NoSetting { sysctl, .. } => no_setting(sysctl, f),
            Self::NoNftables { .. } => f.write_str(
                "this kernel has no nftables, without which the box would send on what nobody \
                 allowed; load the module nf_tables, or build it in (CONFIG_NF_TABLES_INET)",
            ),
        }
    }
}
