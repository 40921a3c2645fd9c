//! What becomes of a packet that is the first of its connection, by our rules alone.
//!
//! For telling before a change whether somebody would be shut out by it. A rule with something in it
//! that is not ours is taken for one that does not match.

use std::net::IpAddr;

use super::build::{NFPROTO_IPV4, NFPROTO_IPV6, RTN_LOCAL, RTN_UNICAST, octets, padded};
use super::{Chain, Comparison, Expression, Header, Meta, Policy, Protocol, Rule, Verdict};
use crate::state::InterfaceName;

/// A packet for the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The interface it comes in by.
    pub interface: InterfaceName,
    /// Sender.
    pub from: IpAddr,
    /// The box's address, of the sender's family.
    pub to: IpAddr,
    /// Whether the interface has that address.
    pub own: bool,
    /// TCP, UDP, ...
    pub protocol: Protocol,
    /// Its destination port.
    pub port: u16,
}

impl Chain {
    /// Whether it lets the packet through.
    pub fn lets_in(&self, packet: &Packet) -> bool {
        let decided = self.rules.iter().find_map(|rule| rule.decides(packet));
        match decided {
            Some(verdict) => verdict == Verdict::Accept,
            None => {
                let base = self.base.as_ref();
                base.is_none_or(|base| base.policy == Policy::Accept)
            }
        }
    }
}

impl Rule {
    /// What it does with the packet; `None` if it does not match.
    fn decides(&self, packet: &Packet) -> Option<Verdict> {
        let mut register: Vec<u8> = Vec::new();
        for expression in &self.expressions {
            match expression {
                Expression::Compare { comparison, value } => {
                    let equal = register == *value;
                    if equal != (*comparison == Comparison::Equal) {
                        return None;
                    }
                }
                Expression::Range { from, to } => {
                    if register < *from || register > *to {
                        return None;
                    }
                }
                Expression::Bitwise { mask, xor } => {
                    let bits = register.iter().zip(mask).zip(xor);
                    register = bits
                        .map(|((byte, mask), xor)| (byte & mask) ^ xor)
                        .collect();
                }
                Expression::Counter | Expression::SetMeta(_) => {}
                Expression::Verdict(verdict) => return Some(*verdict),
                other => register = packet.load(other)?,
            }
        }
        None
    }
}

impl Packet {
    /// What an expression loads; `None` for what cannot be known.
    fn load(&self, expression: &Expression) -> Option<Vec<u8>> {
        let v4 = self.to.is_ipv4();
        Some(match expression {
            Expression::Meta(Meta::InterfaceIn) => padded(&self.interface),
            Expression::Meta(Meta::Protocol) => vec![self.protocol.0],
            Expression::Meta(Meta::Family) => vec![if v4 { NFPROTO_IPV4 } else { NFPROTO_IPV6 }],
            Expression::Meta(Meta::Mark) => vec![0; 4],
            Expression::ConnectionState => CT_NEW.to_ne_bytes().to_vec(),
            Expression::Socket(_) => vec![0],
            Expression::DestinationType => {
                let kind = if self.own { RTN_LOCAL } else { RTN_UNICAST };
                kind.to_ne_bytes().to_vec()
            }
            Expression::Payload {
                base: Header::Network,
                offset,
                ..
            } => match (v4, offset) {
                (true, 12) | (false, 8) => octets(self.from),
                (true, 16) | (false, 24) => octets(self.to),
                _ => return None,
            },
            Expression::Payload {
                base: Header::Transport,
                offset: 2,
                length: 2,
            } => self.port.to_be_bytes().to_vec(),
            _ => return None,
        })
    }
}

/// `NF_CT_STATE_BIT(IP_CT_NEW)`, `linux/netfilter/nf_conntrack_common.h`.
const CT_NEW: u32 = 1 << 3;
