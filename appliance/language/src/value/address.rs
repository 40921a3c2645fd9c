//! Addresses (HAProxy manual, section 2.9).

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use lanai_model::layer7::{ListenAddress, LogAddress, ServerAddress};

use destination::not_acceptable;
use scheme::{Family, Over, Scheme, Transport, scheme};

/// An address that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressError {
    /// What is wrong, in HAProxy's words where it has some.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<&'static str>,
    /// Bytes of the value it is about.
    pub(crate) at: Range<usize>,
    /// HAProxy takes it: it is no mistake, and this version cannot run it.
    pub(crate) not_run: bool,
}

/// What a keyword that listens allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenOptions {
    /// Port ranges, one listener each.
    pub(crate) ranges: bool,
    /// Listeners the line may still open.
    pub(crate) room: usize,
}

/// `{ADDRESS}[,ADDRESS]...` of `bind` and `stats socket`, each with its bytes of the value.
pub(crate) fn listen_addresses(
    value: &[u8],
    options: ListenOptions,
) -> Result<Vec<(ListenAddress, Range<usize>)>, AddressError> {
    let mut found = Vec::new();
    let mut start = 0;
    for part in value.split(|byte| *byte == b',') {
        let at = start..start + part.len();
        start = at.end + 1;
        listen(part, at.clone(), options, &mut found)?;
        if found.len() > options.room {
            return Err(wrong("too many listeners", at));
        }
    }
    Ok(found)
}

/// The address of a `server`.
pub(crate) fn server_address(value: &[u8]) -> Result<ServerAddress, AddressError> {
    let whole = 0..value.len();
    // In `mode log`, servers are reached over UDP too.
    let found = run(value, Over::Any, Transport::Stream, &whole)?;
    let Scheme { family, rest, .. } = found;
    let offset = value.len() - rest.len();
    match family {
        Family::Unix => return unix(rest, whole).map(ServerAddress::Unix),
        Family::Any | Family::V4 | Family::V6 => {}
        _ => return Err(found.not_run(&whole)),
    }
    let text = text(rest, &whole)?;
    let (host, port) = split_port(text, offset);
    let port = match port {
        None | Some(("", _)) => None,
        Some((digits, at)) if digits.contains('-') && !digits.starts_with('-') => {
            let message = format!("port range not permitted here in '{}'", super::shown(value));
            return Err(wrong(message, at));
        }
        Some((digits, at)) if digits.starts_with(['+', '-']) => {
            return Err(AddressError {
                help: Some("write the port's number"),
                ..not_run(
                    format!(
                        "port '{}', counted from the client's, cannot be run by this version",
                        super::shown(digits.as_bytes())
                    ),
                    at,
                )
            });
        }
        Some((digits, at)) => match port_number(digits, at, 0)? {
            0 => None,
            port => Some(port),
        },
    };
    if host.is_empty() || host == "*" {
        return Err(unspecified(whole));
    }
    match ip(host, family) {
        Some(ip) if ip.is_unspecified() => Err(unspecified(whole)),
        Some(ip) => Ok(ServerAddress::Ip(ip, port)),
        None if family == Family::Any && is_host_name(host) => {
            Ok(ServerAddress::Name(host.into(), port))
        }
        None => Err(invalid(host, value, offset)),
    }
}

/// The target of a `log` line.
pub(crate) fn log_address(value: &[u8]) -> Result<LogAddress, AddressError> {
    let whole = 0..value.len();
    match value {
        b"stdout" => return Ok(LogAddress::Fd(1)),
        b"stderr" => return Ok(LogAddress::Fd(2)),
        _ => {}
    }
    let found = run(value, Over::Both, Transport::Datagram, &whole)?;
    let Scheme { family, rest, .. } = found;
    let offset = value.len() - rest.len();
    match family {
        Family::Unix => return unix(rest, whole).map(LogAddress::Unix),
        Family::Fd => return descriptor(rest, value, offset..whole.end).map(LogAddress::Fd),
        Family::Any | Family::V4 | Family::V6 => {}
        _ => return Err(found.not_run(&whole)),
    }
    let text = text(rest, &whole)?;
    let (host, port) = split_port(text, offset);
    let port = match port {
        None | Some(("", _)) => 514,
        Some((digits, at)) => port_number(digits, at, 1)?,
    };
    match ip(host, family) {
        Some(ip) => Ok(LogAddress::Udp(SocketAddr::new(ip, port))),
        None => Err(invalid(host, value, offset)),
    }
}

/// Takes off what stands in front of an address that is run, and refuses what cannot be reached so.
fn run<'a>(
    value: &'a [u8],
    over: Over,
    transport: Transport,
    at: &Range<usize>,
) -> Result<Scheme<'a>, AddressError> {
    let found = scheme(value);
    found.suits(over, value, at)?;
    if found.family == Family::Ring && transport != Transport::Datagram {
        return Err(not_acceptable("a ring", value, at.clone()));
    }
    found.is_carried_by(transport, at)?;
    Ok(found)
}

fn listen(
    part: &[u8],
    at: Range<usize>,
    options: ListenOptions,
    found: &mut Vec<(ListenAddress, Range<usize>)>,
) -> Result<(), AddressError> {
    if part.is_empty() {
        return Err(AddressError {
            message: "'' resolves to an empty address (environment variable missing?)".to_owned(),
            help: None,
            at,
            not_run: false,
        });
    }
    let scheme = run(part, Over::StreamsAndQuic, Transport::Stream, &at)?;
    let Scheme { family, rest, .. } = scheme;
    let offset = at.start + part.len() - rest.len();
    match family {
        Family::Unix => {
            found.push((ListenAddress::Unix(unix(rest, at.clone())?), at));
            return Ok(());
        }
        Family::Fd => {
            let number = descriptor(rest, part, offset..at.end)?;
            found.push((ListenAddress::Fd(number), at));
            return Ok(());
        }
        Family::Any | Family::V4 | Family::V6 => {}
        _ => return Err(scheme.not_run(&at)),
    }
    let text = text(rest, &at)?;
    let (host, port) = split_port(text, offset);
    let Some((port, port_at)) = port.filter(|(port, _)| !port.is_empty()) else {
        let message = format!("missing port specification in '{}'", super::shown(part));
        return Err(wrong(message, at));
    };
    let ports = match port.split_once('-') {
        Some((low, high)) if options.ranges && !low.is_empty() => {
            let low = port_number(low, port_at.clone(), 1)?;
            let high = port_number(high, port_at.clone(), 1)?;
            if low > high {
                return Err(wrong(format!("invalid port range '{port}'"), port_at));
            }
            low..=high
        }
        _ => {
            let port = port_number(port, port_at, 1)?;
            port..=port
        }
    };
    let ip = match (host, family) {
        ("" | "*", Family::V6) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ("" | "*", _) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        (host, family) => match ip(host, family) {
            Some(ip) => ip,
            None => {
                let mut error = invalid(host, part, offset);
                if is_host_name(host) {
                    error.help = Some("write an address: a listener does not depend on a resolver");
                }
                return Err(error);
            }
        },
    };
    if ports.len() > options.room.saturating_sub(found.len()) {
        return Err(wrong("too many listeners", at));
    }
    found.extend(ports.map(|port| (ListenAddress::Inet(SocketAddr::new(ip, port)), at.clone())));
    Ok(())
}

/// Cuts at the last colon, unless it is inside brackets. Positions are bytes of the value.
fn split_port(text: &str, offset: usize) -> (&str, Option<(&str, Range<usize>)>) {
    let from = text.rfind(']').unwrap_or(0);
    let colon = text.rfind(':').filter(|at| *at >= from);
    let (host, port) = match colon {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..)
                .map(|port| (port, offset + at + 1..offset + text.len())),
        ),
        None => (text, None),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    (bare.unwrap_or(host), port)
}

fn port_number(digits: &str, at: Range<usize>, least: u16) -> Result<u16, AddressError> {
    let bad = || {
        wrong(
            format!("invalid port '{}'", super::shown(digits.as_bytes())),
            at.clone(),
        )
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(bad());
    }
    match digits.parse::<u16>() {
        Ok(port) if port >= least => Ok(port),
        _ => Err(bad()),
    }
}

fn ip(host: &str, family: Family) -> Option<IpAddr> {
    match family {
        Family::V4 => host.parse().ok().map(IpAddr::V4),
        Family::V6 => host.parse().ok().map(IpAddr::V6),
        _ => host.parse().ok(),
    }
}

/// Linux' limit on a UNIX socket's path: 108 bytes with the final NUL. HAProxy also needs room for
/// a suffix while it replaces a socket, which leaves 97.
const LONGEST_UNIX_PATH: usize = 97;

fn unix(path: &[u8], at: Range<usize>) -> Result<PathBuf, AddressError> {
    if path.is_empty() {
        return Err(wrong("missing path of the UNIX socket", at));
    }
    if path.len() > LONGEST_UNIX_PATH {
        let message = format!(
            "socket path '{}' too long (max {LONGEST_UNIX_PATH})",
            super::shown(path)
        );
        return Err(wrong(message, at));
    }
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

fn descriptor(digits: &[u8], whole: &[u8], at: Range<usize>) -> Result<i32, AddressError> {
    let number = str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        let message = format!(
            "file descriptor '{}' is not a valid integer in '{}'",
            super::shown(digits),
            super::shown(whole)
        );
        wrong(message, at)
    })
}

fn text<'a>(value: &'a [u8], at: &Range<usize>) -> Result<&'a str, AddressError> {
    str::from_utf8(value).map_err(|_| {
        let message = format!("invalid address: '{}'", super::shown(value));
        wrong(message, at.clone())
    })
}

/// RFC 1123 host names, and the underscores people use.
fn is_host_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
        && !host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn invalid(host: &str, whole: &[u8], offset: usize) -> AddressError {
    let message = format!(
        "invalid address: '{}' in '{}'",
        super::shown(host.as_bytes()),
        super::shown(whole)
    );
    let bare_v6 = str::from_utf8(whole).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    AddressError {
        message,
        help: bare_v6
            .then_some("the last colon separates the port; put an IPv6 address in brackets"),
        at: offset..offset + host.len(),
        not_run: false,
    }
}

fn unspecified(at: Range<usize>) -> AddressError {
    AddressError {
        help: Some("write the server's address"),
        ..not_run(
            "an unspecified address, which forwards to where the client connected to, cannot be \
             run by this version"
                .to_owned(),
            at,
        )
    }
}

fn unsupported(prefix: &str, at: Range<usize>) -> AddressError {
    not_run(
        format!("addresses with '{prefix}' cannot be run by this version"),
        at,
    )
}

fn not_run(message: String, at: Range<usize>) -> AddressError {
    AddressError {
        not_run: true,
        ..wrong(message, at)
    }
}

fn wrong(message: impl Into<String>, at: Range<usize>) -> AddressError {
    AddressError {
        message: message.into(),
        help: None,
        at,
        not_run: false,
    }
}

mod destination;
mod scheme;
mod source;

pub(crate) use destination::{Destination, Wants, any_listen_address, destination};
pub(crate) use source::source_address;

#[cfg(test)]
mod tests;
