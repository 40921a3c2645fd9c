//! The steps: all that is ever asked of the kernel.

use std::fmt;

use ipnet::IpNet;
use lanai_model::Origin;
use serde::{Deserialize, Serialize};

use crate::link::{LinkKind, LinkMode};
use crate::nft;
use crate::rule::PolicyRule;
use crate::state::{InterfaceAddress, InterfaceName, Route};
use crate::sysctl::Sysctl;
use crate::system::{Part, Setting};

/// One change of the kernel's state. It says everything: who executes it decides nothing.
///
/// Routes are added with [`crate::ROUTE_PROTOCOL`], addresses with [`crate::ADDRESS_PROTOCOL`], rules
/// with [`crate::RULE_PROTOCOL`], and only what bears them is removed or replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Set a kernel setting.
    SetSysctl {
        /// Which.
        sysctl: Sysctl,
        /// The value it had, for undoing.
        from: String,
        /// The value it gets.
        to: String,
    },
    /// Make an interface, with [`crate::LINK_GROUP`].
    AddLink {
        /// Its name.
        interface: InterfaceName,
        /// What it is.
        kind: LinkKind,
    },
    /// Remove an interface that we made.
    RemoveLink {
        /// Its name.
        interface: InterfaceName,
        /// What it is, for undoing.
        kind: LinkKind,
    },
    /// Make an interface part of a bond or bridge, or take it out.
    SetMaster {
        /// Which.
        interface: InterfaceName,
        /// What it is part of, for undoing.
        from: Option<InterfaceName>,
        /// What it becomes part of.
        to: Option<InterfaceName>,
    },
    /// Say which link a bond uses while it works.
    SetPrimary {
        /// The bond.
        interface: InterfaceName,
        /// The link it was, for undoing.
        from: Option<InterfaceName>,
        /// The link it gets.
        to: Option<InterfaceName>,
    },
    /// Set the size of the largest packet.
    SetMtu {
        /// Which interface.
        interface: InterfaceName,
        /// The value it had, for undoing.
        from: u32,
        /// The value it gets.
        to: u32,
    },
    /// Set autonegotiation, or speed and duplex without it.
    SetMode {
        /// Which interface.
        interface: InterfaceName,
        /// The mode it had, for undoing.
        from: LinkMode,
        /// The mode it gets.
        to: LinkMode,
    },
    /// Bring an interface up or down.
    SetLink {
        /// Which.
        interface: InterfaceName,
        /// Up or down.
        up: bool,
    },
    /// Add an address; an IPv6 one without duplicate address detection, so that a listener can
    /// bind to it at once.
    AddAddress(InterfaceAddress),
    /// Remove an address.
    RemoveAddress(InterfaceAddress),
    /// Put addresses of ours of one IPv4 network in another order: the box sends from the first. Only
    /// those that [`moved`] names are taken away for a moment.
    OrderAddresses {
        /// The interface.
        interface: InterfaceName,
        /// The order that they have, for undoing.
        from: Vec<IpNet>,
        /// The order that they get.
        to: Vec<IpNet>,
    },
    /// Add a route.
    AddRoute(Route),
    /// Remove a route.
    RemoveRoute(Route),
    /// Put one route in the place of another of the same table, destination and metric, without a
    /// moment in between.
    ReplaceRoute {
        /// The one that is there.
        from: Route,
        /// The one that takes its place.
        to: Route,
    },
    /// Add a policy rule.
    AddRule(PolicyRule),
    /// Remove a policy rule.
    RemoveRule(PolicyRule),
    /// Put one set of rules in the place of another in our nftables table, in one transaction;
    /// `None` is no table.
    ReplaceTable {
        /// What is there.
        from: Option<nft::Table>,
        /// What takes its place.
        to: Option<nft::Table>,
    },
    /// Say what the box is in one respect beside its network, on the image only; `None` leaves it to
    /// the image.
    SetSystem {
        /// In which.
        part: Part,
        /// What it is, for undoing.
        from: Option<Setting>,
        /// What it becomes.
        to: Option<Setting>,
    },
}

impl Step {
    /// The step that takes this one back.
    #[must_use]
    pub fn undo(&self) -> Self {
        match self.clone() {
            Self::SetSysctl { sysctl, from, to } => Self::SetSysctl {
                sysctl,
                from: to,
                to: from,
            },
            Self::AddLink { interface, kind } => Self::RemoveLink { interface, kind },
            Self::RemoveLink { interface, kind } => Self::AddLink { interface, kind },
            Self::SetMaster {
                interface,
                from,
                to,
            } => Self::SetMaster {
                interface,
                from: to,
                to: from,
            },
            Self::SetPrimary {
                interface,
                from,
                to,
            } => Self::SetPrimary {
                interface,
                from: to,
                to: from,
            },
            Self::SetMtu {
                interface,
                from,
                to,
            } => Self::SetMtu {
                interface,
                from: to,
                to: from,
            },
            Self::SetMode {
                interface,
                from,
                to,
            } => Self::SetMode {
                interface,
                from: to,
                to: from,
            },
            Self::SetLink { interface, up } => Self::SetLink { interface, up: !up },
            Self::AddAddress(address) => Self::RemoveAddress(address),
            Self::RemoveAddress(address) => Self::AddAddress(address),
            Self::OrderAddresses {
                interface,
                from,
                to,
            } => Self::OrderAddresses {
                interface,
                from: to,
                to: from,
            },
            Self::AddRoute(route) => Self::RemoveRoute(route),
            Self::RemoveRoute(route) => Self::AddRoute(route),
            Self::ReplaceRoute { from, to } => Self::ReplaceRoute { from: to, to: from },
            Self::AddRule(rule) => Self::RemoveRule(rule),
            Self::RemoveRule(rule) => Self::AddRule(rule),
            Self::ReplaceTable { from, to } => Self::ReplaceTable { from: to, to: from },
            Self::SetSystem { part, from, to } => Self::SetSystem {
                part,
                from: to,
                to: from,
            },
        }
    }
}

/// Those of `to` that go to the end, one after the other, to turn the order `from` into it. The first of
/// `to` is never one of them, so that the network is never without an address.
pub fn moved<'a>(from: &[IpNet], to: &'a [IpNet]) -> &'a [IpNet] {
    let mut rest = from.iter();
    let stay = to.iter().take_while(|net| rest.any(|other| other == *net));
    to.get(stay.count()..).unwrap_or_default()
}

/// More addresses than these are not named when they are put in order.
const ORDER_SHOWN: usize = 4;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetSysctl { sysctl, from, to } if from == to => {
                write!(f, "keep {sysctl} at {}", said(to))
            }
            Self::SetSysctl { sysctl, from, to } => {
                write!(f, "set {sysctl} to {} (was {})", said(to), said(from))
            }
            Self::AddLink { interface, kind } => write!(f, "add {interface}, {kind}"),
            Self::RemoveLink { interface, kind } => write!(f, "remove {interface}, {kind}"),
            Self::SetMaster {
                interface,
                from,
                to,
            } => match (from, to) {
                (Some(from), None) => write!(f, "take {interface} out of {from}"),
                (_, to) => write!(
                    f,
                    "make {interface} part of {}",
                    to.as_deref().unwrap_or("none")
                ),
            },
            Self::SetPrimary { interface, to, .. } => {
                let to = to.as_deref().unwrap_or("none");
                write!(f, "set the primary link of {interface} to {to}")
            }
            Self::SetMtu {
                interface,
                from,
                to,
            } => write!(f, "set the MTU of {interface} to {to} (was {from})"),
            Self::SetMode {
                interface,
                from,
                to,
            } => write!(f, "set {interface} to {to} (was {from})"),
            Self::SetLink {
                interface,
                up: true,
            } => write!(f, "bring {interface} up"),
            Self::SetLink {
                interface,
                up: false,
            } => write!(f, "bring {interface} down"),
            Self::AddAddress(address) => {
                write!(f, "add address {} to {}", address.net, address.interface)
            }
            Self::RemoveAddress(address) => {
                write!(
                    f,
                    "remove address {} from {}",
                    address.net, address.interface
                )
            }
            Self::OrderAddresses { interface, to, .. } => {
                write!(f, "put addresses of {interface} in order: {}", in_order(to))
            }
            Self::AddRoute(route) => write!(f, "add route {route}"),
            Self::RemoveRoute(route) => write!(f, "remove route {route}"),
            Self::ReplaceRoute { from, to } => write!(f, "replace route {from} by {to}"),
            Self::AddRule(rule) => write!(f, "add rule {rule}"),
            Self::RemoveRule(rule) => write!(f, "remove rule {rule}"),
            Self::ReplaceTable { from, to } => {
                let verb = match (from, to) {
                    (None, _) => "add",
                    (_, None) => "remove",
                    (Some(_), Some(_)) => "change",
                };
                write!(f, "{verb} nftables table inet {}", nft::TABLE)
            }
            Self::SetSystem {
                to: Some(setting), ..
            } => setting.fmt(f),
            Self::SetSystem { part, to: None, .. } => f.write_str(part.without()),
        }
    }
}

/// The first addresses, and how many more there are.
fn in_order(addresses: &[IpNet]) -> String {
    let first = addresses.iter().take(ORDER_SHOWN).map(IpNet::to_string);
    let first = first.collect::<Vec<_>>().join(", ");
    match addresses.len().saturating_sub(ORDER_SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A setting's value in a sentence; a list such as `ip_local_reserved_ports` may be empty.
fn said(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

/// A step with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What is done.
    pub step: Step,
    /// Why, as a clause for people: "eth1 was down", "no longer in the configuration".
    pub why: String,
    /// The configuration line that asks for it, if one does.
    pub origin: Option<Origin>,
    /// What it consists of, where one step does many things: a line for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// One of the things that a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What is done.
    pub what: String,
    /// The configuration line that asks for it, if one does.
    pub origin: Option<Origin>,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.origin {
            Some(origin) => write!(f, " ({origin})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PlannedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.why)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysctl::Tuning;

    #[test]
    fn an_empty_list_is_said_in_a_word() {
        let sysctl = Sysctl::Tuning(Tuning::ReservedPorts);
        let (from, to) = (String::new(), "8080".to_owned());
        let set = Step::SetSysctl { sysctl, from, to };
        let name = "net.ipv4.ip_local_reserved_ports";
        assert_eq!(set.to_string(), format!("set {name} to 8080 (was nothing)"));
        assert_eq!(
            set.undo().to_string(),
            format!("set {name} to nothing (was 8080)")
        );
    }
}
