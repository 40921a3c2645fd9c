//! The address of a `source` line.

use std::net::IpAddr;

use super::{
    AddressError, Family, family, invalid, is_host_name, not_run, port_number, split_port, text,
    unsupported, wrong,
};
use crate::value::shown;

/// `ADDRESS[:PORT]`; `None` is any.
pub(crate) fn source_address(value: &[u8]) -> Result<(Option<IpAddr>, Option<u16>), AddressError> {
    let whole = 0..value.len();
    let (family, rest) = family(value, &whole)?;
    let offset = value.len() - rest.len();
    match family {
        Family::Unix => return Err(unsupported("unix@", whole)),
        Family::Fd => return Err(unsupported("fd@", whole)),
        Family::Any | Family::V4 | Family::V6 => {}
    }
    let (host, port) = split_port(text(rest, &whole)?, offset);
    let port = match port {
        None | Some(("", _)) => None,
        Some((digits, at)) if digits.starts_with(['+', '-']) => {
            let message = format!("port offset not permitted here in '{}'", shown(value));
            return Err(wrong(message, at));
        }
        Some((digits, at)) if digits.contains('-') => {
            let message = format!(
                "ports to choose from, '{}', cannot be run by this version",
                shown(digits.as_bytes())
            );
            let mut error = not_run(message, at);
            error.help = Some("leave the ports out: the kernel picks one for each destination");
            return Err(error);
        }
        Some((digits, at)) => Some(port_number(digits, at, 0)?).filter(|port| *port > 0),
    };
    if matches!(host, "" | "*") {
        return Ok((None, port));
    }
    match super::ip(host, family) {
        Some(ip) => Ok((Some(ip).filter(|ip| !ip.is_unspecified()), port)),
        None => {
            let mut error = invalid(host, value, offset);
            if is_host_name(host) {
                error.help =
                    Some("write an address: where connections come from depends on no resolver");
            }
            Err(error)
        }
    }
}
