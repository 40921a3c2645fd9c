//! Rules from conditions.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ports::Ports;

use super::{Comparison, Expression, Header, Meta, Rule, SocketFact, Verdict};
use crate::state::{Family, InterfaceName};

/// What a packet must be like for a rule to concern it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Of this family.
    Family(Family),
    /// Came in by this interface.
    InterfaceIn(InterfaceName),
    /// Leaves by this interface.
    InterfaceOut(InterfaceName),
    /// Sent from an address of this network.
    From(IpNet),
    /// Sent to an address of this network.
    To(IpNet),
    /// Of this protocol above IP.
    Protocol(Protocol),
    /// To one of these ports; must follow a [`Condition::Protocol`] that has ports.
    DestinationPort(Ports),
    /// From one of these ports; must follow a [`Condition::Protocol`] that has ports.
    SourcePort(Ports),
    /// An ICMP message of this type; must follow the [`Condition::Protocol`] of its family.
    IcmpType(u8),
    /// Of a connection that was let through before, or an error message about one.
    Established,
    /// To an address that the interface it came in by does not have; broadcast and multicast are not
    /// such.
    ToOtherInterface,
    /// For a socket with `IP_TRANSPARENT`. Holds for every packet of its connections, the handshake's
    /// and those after the end included.
    ForTransparentSocket,
    /// For a socket that listens on every address, at the connection's first packet. The kernel cannot
    /// tell for a handshake that is under way: the condition does not hold then, nor would its
    /// opposite.
    ForSocketOnEveryAddress,
}

/// A protocol above IP, by its number (IANA, "Assigned Internet Protocol Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP of IPv4, RFC 792.
    pub const ICMP: Self = Self(1);
    /// RFC 9293.
    pub const TCP: Self = Self(6);
    /// RFC 768.
    pub const UDP: Self = Self(17);
    /// ICMP of IPv6, RFC 4443.
    pub const ICMPV6: Self = Self(58);
    /// RFC 9568.
    pub const VRRP: Self = Self(112);
}

/// As `nft(8)` and `getent protocols` call it.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::ICMP => "icmp",
            Self::TCP => "tcp",
            Self::UDP => "udp",
            Self::ICMPV6 => "ipv6-icmp",
            Self::VRRP => "vrrp",
            Self(number) => return write!(f, "{number}"),
        })
    }
}

/// What becomes of a packet that meets the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Accept,
    /// It is dropped, and counted.
    Drop,
    /// It gets these bits of its mark set beside those it has, and goes on.
    MarkAndAccept(u32),
}

impl Rule {
    /// The rule that does `action` with what meets all `conditions`. The comment is cut to what the
    /// kernel keeps.
    pub fn new(conditions: &[Condition], action: Action, comment: &str) -> Self {
        let mut expressions = Vec::new();
        for condition in conditions {
            condition.lower(&mut expressions);
        }
        match action {
            Action::Accept => {}
            Action::Drop => expressions.push(Expression::Counter),
            Action::MarkAndAccept(bits) => expressions.extend([
                Expression::Meta(Meta::Mark),
                // The register has the byte order of the box.
                Expression::Bitwise {
                    mask: (!bits).to_ne_bytes().to_vec(),
                    xor: bits.to_ne_bytes().to_vec(),
                },
                Expression::SetMeta(Meta::Mark),
            ]),
        }
        expressions.push(Expression::Verdict(match action {
            Action::Drop => Verdict::Drop,
            Action::Accept | Action::MarkAndAccept(_) => Verdict::Accept,
        }));
        Self {
            expressions,
            comment: Some(cut(comment).to_owned()),
        }
    }
}

impl Condition {
    fn lower(&self, to: &mut Vec<Expression>) {
        match self {
            Self::Family(family) => to.extend([
                Expression::Meta(Meta::Family),
                equal(vec![match family {
                    Family::V4 => NFPROTO_IPV4,
                    Family::V6 => NFPROTO_IPV6,
                }]),
            ]),
            Self::InterfaceIn(name) => {
                to.extend([Expression::Meta(Meta::InterfaceIn), equal(padded(name))])
            }
            Self::InterfaceOut(name) => {
                to.extend([Expression::Meta(Meta::InterfaceOut), equal(padded(name))])
            }
            Self::From(net) => address(*net, [12, 8], to),
            Self::To(net) => address(*net, [16, 24], to),
            Self::Protocol(protocol) => {
                to.extend([Expression::Meta(Meta::Protocol), equal(vec![protocol.0])])
            }
            Self::SourcePort(ports) => port(*ports, 0, to),
            Self::DestinationPort(ports) => port(*ports, 2, to),
            Self::IcmpType(number) => to.extend([
                Expression::Payload {
                    base: Header::Transport,
                    offset: 0,
                    length: 1,
                },
                equal(vec![*number]),
            ]),
            Self::Established => to.extend([
                Expression::ConnectionState,
                Expression::Bitwise {
                    mask: (CT_ESTABLISHED | CT_RELATED).to_ne_bytes().to_vec(),
                    xor: vec![0; 4],
                },
                Expression::Compare {
                    comparison: Comparison::Different,
                    value: vec![0; 4],
                },
            ]),
            Self::ToOtherInterface => to.extend([
                Expression::DestinationType,
                equal(RTN_UNICAST.to_ne_bytes().to_vec()),
            ]),
            Self::ForTransparentSocket => {
                to.extend([Expression::Socket(SocketFact::Transparent), equal(vec![1])])
            }
            Self::ForSocketOnEveryAddress => {
                to.extend([Expression::Socket(SocketFact::Wildcard), equal(vec![1])])
            }
        }
    }
}

/// Source or destination address; its place is at `offsets` in an IPv4 and in an IPv6 header.
fn address(net: IpNet, [v4, v6]: [u32; 2], to: &mut Vec<Expression>) {
    Condition::Family(Family::of(net)).lower(to);
    if net.prefix_len() == 0 {
        return;
    }
    let (offset, bytes) = match net {
        IpNet::V4(_) => (v4, octets(net.network())),
        IpNet::V6(_) => (v6, octets(net.network())),
    };
    to.push(Expression::Payload {
        base: Header::Network,
        offset,
        length: u32::try_from(bytes.len()).unwrap_or(16),
    });
    if net.prefix_len() < net.max_prefix_len() {
        to.push(Expression::Bitwise {
            mask: octets(net.netmask()),
            xor: vec![0; bytes.len()],
        });
    }
    to.push(equal(bytes));
}

fn port(ports: Ports, offset: u32, to: &mut Vec<Expression>) {
    to.push(Expression::Payload {
        base: Header::Transport,
        offset,
        length: 2,
    });
    let bytes = |port: u16| port.to_be_bytes().to_vec();
    to.push(if ports.first == ports.last {
        equal(bytes(ports.first))
    } else {
        Expression::Range {
            from: bytes(ports.first),
            to: bytes(ports.last),
        }
    });
}

fn equal(value: Vec<u8>) -> Expression {
    Expression::Compare {
        comparison: Comparison::Equal,
        value,
    }
}

pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// A name as the kernel compares it: zeros up to `IFNAMSIZ`.
pub(super) fn padded(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(IFNAMSIZ, 0);
    bytes
}

fn cut(comment: &str) -> &str {
    let end = comment.floor_char_boundary(COMMENT_BYTES);
    comment.get(..end).unwrap_or_default()
}

/// `IFNAMSIZ`, `linux/if.h`.
pub(super) const IFNAMSIZ: usize = 16;

/// What `nft(8)` reads of a comment (`NFTNL_UDATA_COMMENT_MAXLEN`), without the zero at its end.
const COMMENT_BYTES: usize = 127;

/// `linux/netfilter.h`.
pub(super) const NFPROTO_IPV4: u8 = 2;
pub(super) const NFPROTO_IPV6: u8 = 10;

/// `NF_CT_STATE_BIT`, `linux/netfilter/nf_conntrack_common.h`.
pub(super) const CT_ESTABLISHED: u32 = 1 << 1;
pub(super) const CT_RELATED: u32 = 1 << 2;

/// `linux/rtnetlink.h`.
pub(super) const RTN_UNICAST: u32 = 1;
pub(super) const RTN_LOCAL: u32 = 2;
