//! Our nftables table as a value: chains of rules, a rule as the kernel's own expressions.
//!
//! A [`Rule`] is made from [`Condition`]s and an [`Action`]. What is kept, sent, read back and
//! compared are [`Expression`]s, so that any change that somebody makes inside of the table is seen,
//! and an undo puts back exactly what was there. There is no text on the way to the kernel; what
//! [`Rule`] displays is for people, in the words of `nft(8)`.

mod build;
mod judge;
mod show;

use serde::{Deserialize, Serialize};

pub use build::{Action, Condition, Protocol};
pub use judge::Packet;

/// Name of our table, of family `inet`. The name is the mark: everything in it is ours, nothing
/// outside of it is.
pub const TABLE: &str = "lanai";

/// The rules of our table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its chains, in the order in which they were made.
    pub chains: Vec<Chain>,
}

impl Table {
    /// The chain of this name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    /// This table, and what lets traffic through in `old`: what is to be in force while a change is
    /// under way, so that nothing which was served before or is served after it is dropped.
    ///
    /// A chain that only `old` has stays: a guard leaves after what it guards.
    #[must_use]
    pub fn with_what_passes_in(&self, old: &Self) -> Self {
        let mut both = self.clone();
        for theirs in &old.chains {
            let mut chains = both.chains.iter_mut();
            let Some(ours) = chains.find(|chain| chain.name == theirs.name) else {
                both.chains.push(theirs.clone());
                continue;
            };
            if ours.drops_by_default() && theirs.drops_by_default() {
                let passing = theirs.rules.iter().filter(|rule| rule.accepts());
                let further: Vec<Rule> = passing
                    .filter(|rule| !ours.rules.contains(rule))
                    .cloned()
                    .collect();
                ours.rules.extend(further);
            } else if theirs.drops_by_default() {
                // It would let everything through now, and is to do so afterwards only.
                *ours = theirs.clone();
            }
        }
        both
    }
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where the kernel enters it; `None` is a chain that only rules jump to.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

impl Chain {
    fn drops_by_default(&self) -> bool {
        let base = self.base.as_ref();
        base.is_some_and(|base| base.policy == Policy::Drop)
    }
}

/// Where the kernel enters a chain, and what becomes of a packet that no rule decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// `type`: `filter` for all of ours.
    pub kind: String,
    /// `hook`.
    pub hook: Hook,
    /// `priority`: chains of one hook run in ascending order.
    pub priority: i32,
    /// `policy`.
    pub policy: Policy,
}

/// `enum nf_inet_hooks`, `linux/netfilter.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// Every packet that comes in, before it is known whether it is for this box.
    Prerouting,
    /// A packet for this box.
    Input,
    /// A packet that is to be sent on.
    Forward,
    /// A packet of this box.
    Output,
    /// Every packet that leaves.
    Postrouting,
    /// Another one.
    Other(u32),
}

/// What becomes of a packet that no rule decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It goes on.
    Accept,
    /// It is dropped.
    Drop,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What the kernel evaluates, in order, until one does not hold.
    pub expressions: Vec<Expression>,
    /// `comment`: what the rule is for, at most 127 bytes.
    pub comment: Option<String>,
}

impl Rule {
    /// Whether it ends with letting a packet through.
    pub fn accepts(&self) -> bool {
        self.expressions.last() == Some(&Expression::Verdict(Verdict::Accept))
    }
}

/// One operation of the kernel's rule machine (`linux/netfilter/nf_tables.h`).
///
/// All of ours work on one register, the first one of 16 bytes; one that uses another is
/// [`Expression::Other`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// Loads a fact about the packet.
    Meta(Meta),
    /// Sets a fact about the packet from the register.
    SetMeta(Meta),
    /// Loads a fact about the socket that the packet would be given to.
    Socket(SocketFact),
    /// Loads the state of the connection that the packet belongs to, as bits.
    ConnectionState,
    /// Loads what the destination is to the interface that the packet came in by (`enum` of
    /// `rtm_type`, `linux/rtnetlink.h`): local, broadcast, multicast, or unicast for one that this
    /// interface does not have.
    DestinationType,
    /// Loads bytes of the packet.
    Payload {
        /// From where they are counted.
        base: Header,
        /// The first one.
        offset: u32,
        /// How many.
        length: u32,
    },
    /// `register = (register & mask) ^ xor`.
    Bitwise {
        /// Bits that stay.
        mask: Vec<u8>,
        /// Bits that are turned over then.
        xor: Vec<u8>,
    },
    /// Goes on if the register compares so.
    Compare {
        /// How.
        comparison: Comparison,
        /// With what.
        value: Vec<u8>,
    },
    /// Goes on if the register is between the two, or is one of them.
    Range {
        /// Lowest.
        from: Vec<u8>,
        /// Highest.
        to: Vec<u8>,
    },
    /// Counts packets and bytes. What it has counted is no part of the rule.
    Counter,
    /// Decides.
    Verdict(Verdict),
    /// Something else, as the kernel has it: its name, and its attributes as bytes.
    Other {
        /// `lookup`, `limit`, `log`, ...
        name: String,
        /// Attributes.
        data: Vec<u8>,
    },
}

/// A fact about a packet (`enum nft_meta_keys`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meta {
    /// Its mark, 32 bits.
    Mark,
    /// Name of the interface it came in by, 16 bytes.
    InterfaceIn,
    /// Name of the interface it leaves by, 16 bytes.
    InterfaceOut,
    /// IPv4 or IPv6, one byte.
    Family,
    /// Protocol above IP, one byte.
    Protocol,
}

/// A fact about a socket (`enum nft_socket_keys`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketFact {
    /// Whether it has `IP_TRANSPARENT`, one byte.
    Transparent,
    /// Whether it listens on every address, one byte.
    Wildcard,
}

/// Where bytes of a packet are counted from (`enum nft_payload_bases`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// IPv4 or IPv6.
    Network,
    /// TCP, UDP, ICMP.
    Transport,
}

/// How a register is compared (`enum nft_cmp_ops`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Not equal.
    Different,
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The packet goes on.
    Accept,
    /// It is dropped.
    Drop,
}

#[cfg(test)]
mod tests;
