//! Addresses of keywords that only check them: of all of HAProxy's families, each keyword with what it
//! wants of an address.

use std::ops::Range;

use super::scheme::{Family, Over, Scheme, scheme};
use super::{
    AddressError, descriptor, invalid, ip, is_host_name, port_number, split_port, text, unix, wrong,
};
use crate::value::shown;

/// An address that something connects to, as far as its port is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// An address of IP, or a name, and whether a port is written behind it.
    Inet {
        /// Whether there is one.
        port: bool,
    },
    /// A socket that has no port.
    Local,
}

/// What a keyword wants of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    over: Over,
    /// It has a port.
    port: bool,
    /// Several ports at once.
    range: bool,
    /// A port counted from another one.
    offset: bool,
    /// Sockets without a port.
    local: bool,
    /// A socket that is open already.
    fd: bool,
}

impl Wants {
    /// `addr` of a health check.
    pub(crate) const CHECK: Self = Self {
        over: Over::Streams,
        port: false,
        range: false,
        offset: false,
        local: true,
        fd: false,
    };
    /// Something that is connected to, with or without a port.
    pub(crate) const ADDRESS: Self = Self {
        over: Over::StreamsAndQuic,
        offset: true,
        ..Self::CHECK
    };
    /// A server of a ring: messages go over either transport.
    pub(crate) const TARGET: Self = Self {
        over: Over::Any,
        ..Self::ADDRESS
    };
    /// Something that is connected to, with a port.
    pub(crate) const ENDPOINT: Self = Self {
        over: Over::StreamsAndQuic,
        port: true,
        ..Self::CHECK
    };
    /// A mail server.
    pub(crate) const TCP: Self = Self {
        over: Over::Tcp,
        port: true,
        local: false,
        ..Self::CHECK
    };
    /// A name server.
    pub(crate) const NAME_SERVER: Self = Self {
        over: Over::Both,
        port: true,
        ..Self::CHECK
    };
    /// `bind`.
    pub(crate) const LISTEN: Self = Self {
        over: Over::StreamsAndQuic,
        port: true,
        range: true,
        fd: true,
        ..Self::CHECK
    };
    /// `dgram-bind`.
    pub(crate) const LISTEN_DATAGRAMS: Self = Self {
        over: Over::Datagrams,
        ..Self::LISTEN
    };
}

/// `ADDRESS[:PORT]`.
pub(crate) fn destination(value: &[u8], wants: Wants) -> Result<Destination, AddressError> {
    one(value, 0..value.len(), wants)
}

/// `ADDRESS[,ADDRESS]...` of a keyword that listens.
pub(crate) fn any_listen_address(value: &[u8], wants: Wants) -> Result<(), AddressError> {
    let mut start = 0;
    for part in value.split(|byte| *byte == b',') {
        let at = start..start + part.len();
        start = at.end + 1;
        one(part, at, wants)?;
    }
    Ok(())
}

fn one(value: &[u8], whole: Range<usize>, wants: Wants) -> Result<Destination, AddressError> {
    let found = scheme(value);
    found.suits(wants.over, value, &whole)?;
    match found.family {
        Family::Any | Family::V4 | Family::V6 => inet(value, found, whole, wants),
        // A ring is what log lines name, by their own reader.
        Family::Ring => Err(not_acceptable("a ring", value, whole)),
        Family::Fd if !wants.fd => Err(not_acceptable("a file descriptor", value, whole)),
        Family::Fd | Family::SocketPair => {
            let at = whole.end.saturating_sub(found.rest.len())..whole.end;
            descriptor(found.rest, value, at).map(|_| Destination::Local)
        }
        _ if !wants.local => Err(not_acceptable("a UNIX socket", value, whole)),
        Family::Unix => unix(found.rest, whole).map(|_| Destination::Local),
        Family::Abstract | Family::Reverse => Ok(Destination::Local),
    }
}

fn inet(
    value: &[u8],
    found: Scheme<'_>,
    whole: Range<usize>,
    wants: Wants,
) -> Result<Destination, AddressError> {
    let offset = whole.end.saturating_sub(found.rest.len());
    let (host, written) = split_port(text(found.rest, &whole)?, offset);
    let least = u16::from(wants.port);
    let port = match written.filter(|(digits, _)| !digits.is_empty()) {
        None => false,
        Some((digits, at)) if digits.starts_with(['+', '-']) => {
            if !wants.offset {
                return Err(not_here("offset", value, at));
            }
            port_number(digits.get(1..).unwrap_or_default(), at, 0)? > 0
        }
        Some((digits, at)) => match digits.split_once('-') {
            Some(_) if !wants.range => return Err(not_here("range", value, at)),
            Some((low, high)) => {
                let low = port_number(low, at.clone(), least)?;
                let high = port_number(high, at.clone(), least)?;
                if low > high {
                    return Err(wrong(format!("invalid port range '{digits}'"), at));
                }
                true
            }
            None => port_number(digits, at, least)? > 0,
        },
    };
    // A number alone is an address to HAProxy, and easily meant as a port: it has none.
    let number = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit());
    if !(matches!(host, "" | "*")
        || number
        || ip(host, found.family).is_some()
        || is_host_name(host))
    {
        return Err(invalid(host, value, offset));
    }
    match port || !wants.port {
        true => Ok(Destination::Inet { port }),
        false => Err(AddressError {
            help: Some("write the port behind the address and a colon"),
            ..wrong(
                format!("missing port specification in '{}'", shown(value)),
                whole,
            )
        }),
    }
}

fn not_here(what: &str, value: &[u8], at: Range<usize>) -> AddressError {
    let message = format!("port {what} not permitted here in '{}'", shown(value));
    AddressError {
        help: Some("write one port, as a number"),
        ..wrong(message, at)
    }
}

pub(super) fn not_acceptable(what: &str, value: &[u8], at: Range<usize>) -> AddressError {
    let message = format!("{what} is not acceptable here in '{}'", shown(value));
    AddressError {
        help: Some("write an address or a name, and a port if it needs one"),
        ..wrong(message, at)
    }
}
