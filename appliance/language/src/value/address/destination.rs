//! Where a health check connects to: `addr` of a server, and of a `connect` step.

use super::{
    AddressError, Family, family, invalid, ip, is_host_name, port_number, split_port, text, unix,
    wrong,
};
use crate::value::shown;

/// An address that checks connect to, as far as its port is concerned.
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

/// `ADDRESS[:PORT]` of a health check.
pub(crate) fn destination(value: &[u8]) -> Result<Destination, AddressError> {
    let whole = 0..value.len();
    if value.starts_with(b"abns@") || value.starts_with(b"abnsz@") {
        return Ok(Destination::Local);
    }
    let (family, rest) = family(value, &whole)?;
    let offset = value.len() - rest.len();
    match family {
        Family::Unix => return unix(rest, whole).map(|_| Destination::Local),
        Family::Fd => {
            let message = format!(
                "a file descriptor is not acceptable here in '{}'",
                shown(value)
            );
            return Err(wrong(message, whole));
        }
        Family::Any | Family::V4 | Family::V6 => {}
    }
    let (host, port) = split_port(text(rest, &whole)?, offset);
    let port = match port {
        None | Some(("", _)) => false,
        Some((digits, at)) if digits.contains(['+', '-']) => {
            let what = match digits.starts_with(['+', '-']) {
                true => "offset",
                false => "range",
            };
            let message = format!("port {what} not permitted here in '{}'", shown(value));
            return Err(wrong(message, at));
        }
        Some((digits, at)) => port_number(digits, at, 0)? > 0,
    };
    // A number alone is an address to HAProxy, and easily meant as a port: it has none.
    let number = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit());
    match matches!(host, "" | "*") || number || ip(host, family).is_some() || is_host_name(host) {
        true => Ok(Destination::Inet { port }),
        false => Err(invalid(host, value, offset)),
    }
}
