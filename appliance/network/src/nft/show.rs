//! Rules for people, in the words of `nft(8)`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::build::{CT_ESTABLISHED, CT_RELATED, NFPROTO_IPV4, NFPROTO_IPV6, RTN_UNICAST};
use super::{
    Base, Chain, Comparison, Expression, Header, Hook, Meta, Policy, Protocol, Rule, SocketFact,
    Verdict,
};

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut register = Register::default();
        let mut words = Vec::new();
        for expression in &self.expressions {
            words.extend(register.take(expression));
        }
        f.write_str(&words.join(" "))?;
        match &self.comment {
            Some(comment) => write!(f, " comment \"{comment}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Some(base) => write!(f, "{} ({base})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            hook,
            priority,
            policy,
        } = self;
        write!(f, "type {kind} hook {hook} priority {priority}, {policy}")
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
            Self::Other(number) => return write!(f, "{number}"),
        })
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accept => "policy accept",
            Self::Drop => "policy drop",
        })
    }
}

/// What the register holds, in words.
#[derive(Default)]
struct Register {
    holds: Option<Holding>,
    mask: Option<Vec<u8>>,
    xor: Vec<u8>,
    /// The family and the protocol that were asked for before decide what bytes of a header are.
    protocol: Option<u8>,
}

#[derive(Clone, Copy)]
enum Holding {
    Meta(Meta),
    Socket(SocketFact),
    ConnectionState,
    DestinationType,
    Payload(Header, u32, u32),
}

impl Register {
    /// The words for what an expression does, where it is not only a preparation for the next one.
    fn take(&mut self, expression: &Expression) -> Option<String> {
        match expression {
            Expression::Meta(meta) => self.load(Holding::Meta(*meta)),
            Expression::Socket(fact) => self.load(Holding::Socket(*fact)),
            Expression::ConnectionState => self.load(Holding::ConnectionState),
            Expression::DestinationType => self.load(Holding::DestinationType),
            Expression::Payload {
                base,
                offset,
                length,
            } => self.load(Holding::Payload(*base, *offset, *length)),
            Expression::Bitwise { mask, xor } => {
                self.mask = Some(mask.clone());
                self.xor.clone_from(xor);
            }
            Expression::SetMeta(meta) => return Some(self.set(*meta)),
            Expression::Compare { comparison, value } => {
                return Some(self.compare(*comparison, value));
            }
            Expression::Range { from, to } => {
                let words = self.name();
                return Some(format!("{words} {}-{}", self.value(from), self.value(to)));
            }
            Expression::Counter => return Some("counter".to_owned()),
            Expression::Verdict(Verdict::Accept) => return Some("accept".to_owned()),
            Expression::Verdict(Verdict::Drop) => return Some("drop".to_owned()),
            Expression::Other { name, .. } => return Some(format!("({name})")),
        }
        None
    }

    fn load(&mut self, holding: Holding) {
        self.holds = Some(holding);
        self.mask = None;
    }

    fn set(&self, meta: Meta) -> String {
        let name = Holding::Meta(meta).name(self.protocol);
        format!("{name} set {name} | {}", number(&self.xor))
    }

    fn compare(&mut self, comparison: Comparison, value: &[u8]) -> String {
        if matches!(self.holds, Some(Holding::Meta(Meta::Protocol))) {
            self.protocol = value.first().copied();
        }
        let name = self.name();
        // `ct state & 6 != 0`, which is written as the states themselves.
        if let (Some(mask), Comparison::Different, Some(Holding::ConnectionState)) =
            (&self.mask, comparison, self.holds)
        {
            return format!("{name} {}", states(mask));
        }
        let not = match comparison {
            Comparison::Equal => "",
            Comparison::Different => "!= ",
        };
        let value = match (&self.mask, self.holds) {
            (Some(mask), Some(Holding::Payload(Header::Network, ..))) => {
                let bits: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
                format!("{}/{bits}", self.value(value))
            }
            (Some(mask), _) => format!("& {} == {}", number(mask), number(value)),
            (None, _) => self.value(value),
        };
        format!("{name} {not}{value}")
    }

    fn name(&self) -> String {
        self.holds
            .map_or_else(|| "?".to_owned(), |holding| holding.name(self.protocol))
    }

    fn value(&self, value: &[u8]) -> String {
        match (self.holds, value) {
            (Some(Holding::Meta(Meta::InterfaceIn | Meta::InterfaceOut)), name) => {
                let text = String::from_utf8_lossy(name);
                format!("\"{}\"", text.trim_end_matches('\0'))
            }
            (Some(Holding::Meta(Meta::Family)), [NFPROTO_IPV4]) => "ipv4".to_owned(),
            (Some(Holding::Meta(Meta::Family)), [NFPROTO_IPV6]) => "ipv6".to_owned(),
            (Some(Holding::Meta(Meta::Protocol)), [protocol]) => Protocol(*protocol).to_string(),
            (Some(Holding::Payload(Header::Network, _, 4)), bytes) => match bytes.try_into() {
                Ok::<[u8; 4], _>(bytes) => IpAddr::V4(Ipv4Addr::from(bytes)).to_string(),
                Err(_) => number(bytes),
            },
            (Some(Holding::Payload(Header::Network, _, 16)), bytes) => match bytes.try_into() {
                Ok::<[u8; 16], _>(bytes) => IpAddr::V6(Ipv6Addr::from(bytes)).to_string(),
                Err(_) => number(bytes),
            },
            (Some(Holding::Payload(Header::Transport, ..)), [high, low]) => {
                u16::from_be_bytes([*high, *low]).to_string()
            }
            (Some(Holding::DestinationType), bytes) if *bytes == RTN_UNICAST.to_ne_bytes() => {
                "unicast".to_owned()
            }
            (_, bytes) => number(bytes),
        }
    }
}

impl Holding {
    fn name(self, protocol: Option<u8>) -> String {
        let name = match self {
            Self::Meta(Meta::Mark) => "meta mark",
            Self::Meta(Meta::InterfaceIn) => "iifname",
            Self::Meta(Meta::InterfaceOut) => "oifname",
            Self::Meta(Meta::Family) => "meta nfproto",
            Self::Meta(Meta::Protocol) => "meta l4proto",
            Self::Socket(SocketFact::Transparent) => "socket transparent",
            Self::Socket(SocketFact::Wildcard) => "socket wildcard",
            Self::ConnectionState => "ct state",
            Self::DestinationType => "fib daddr . iif type",
            Self::Payload(Header::Network, 12, 4) => "ip saddr",
            Self::Payload(Header::Network, 16, 4) => "ip daddr",
            Self::Payload(Header::Network, 8, 16) => "ip6 saddr",
            Self::Payload(Header::Network, 24, 16) => "ip6 daddr",
            Self::Payload(Header::Transport, offset, _) => {
                let above =
                    protocol.map_or_else(|| "th".to_owned(), |number| Protocol(number).to_string());
                let icmp = above.contains("icmp");
                return match offset {
                    0 if icmp => format!("{above} type"),
                    0 => format!("{above} sport"),
                    2 if !icmp => format!("{above} dport"),
                    _ => format!("@th,{offset}"),
                };
            }
            Self::Payload(Header::Network, offset, length) => {
                return format!("@nh,{offset},{length}");
            }
        };
        name.to_owned()
    }
}

fn states(mask: &[u8]) -> String {
    match mask.try_into().map(u32::from_ne_bytes) {
        Ok(mask) if mask == CT_ESTABLISHED | CT_RELATED => "established,related".to_owned(),
        _ => number(mask),
    }
}

/// Up to four bytes as the box's number, more as they are.
fn number(bytes: &[u8]) -> String {
    match *bytes {
        [a] => a.to_string(),
        [a, b, c, d] => format!("{:#x}", u32::from_ne_bytes([a, b, c, d])),
        _ => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("0x{}", digits.concat())
        }
    }
}
