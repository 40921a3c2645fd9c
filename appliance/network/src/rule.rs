//! Policy rules: which routing table a packet's route is looked up in.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::state::{Family, InterfaceName};

/// A policy rule (`ip-rule(8)`). All of it is its identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyRule {
    /// Family.
    pub family: Family,
    /// Rules are asked in ascending order.
    pub priority: u32,
    /// The packet's source.
    pub from: Option<IpNet>,
    /// The packet's destination.
    pub to: Option<IpNet>,
    /// The interface it came in by.
    pub interface: Option<InterfaceName>,
    /// The packet's mark.
    pub mark: Option<Mark>,
    /// What is done with one to which all of that applies.
    pub action: RuleAction,
}

/// A packet's mark, compared under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The mark.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
}

/// What a policy rule does (`FR_ACT_*`, `linux/fib_rules.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// Looks the route up in this table; if there is none, the next rule is asked.
    Lookup(u32),
    /// Something else, by its number.
    Other(u8),
}

/// As `ip rule` prints it.
impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: from ", self.priority)?;
        net(f, self.from)?;
        if self.to.is_some() {
            f.write_str(" to ")?;
            net(f, self.to)?;
        }
        if let Some(mark) = self.mark {
            write!(f, " fwmark {:#x}/{:#x}", mark.value, mark.mask)?;
        }
        if let Some(interface) = &self.interface {
            write!(f, " iif {interface}")?;
        }
        match self.action {
            RuleAction::Lookup(table) => write!(f, " lookup {table}")?,
            RuleAction::Other(number) => write!(f, " action {number}")?,
        }
        match self.family {
            Family::V4 => Ok(()),
            Family::V6 => f.write_str(" (IPv6)"),
        }
    }
}

fn net(f: &mut fmt::Formatter<'_>, net: Option<IpNet>) -> fmt::Result {
    match net {
        None => f.write_str("all"),
        Some(net) => write!(f, "{net}"),
    }
}
