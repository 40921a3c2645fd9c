//! The address of a `source` line.

use std::net::IpAddr;
use std::num::NonZero;
use std::ops::Range;

use lanai_model::layer7::SourcePorts;

use super::{
    AddressError, Family, Over, Scheme, Transport, invalid, is_host_name, port_number, run,
    split_port, text, unsupported, wrong,
};
use crate::value::shown;

/// `ADDRESS[:PORT]`, or where there may be `ranges` `ADDRESS[:LOW-HIGH]`; `None` is any.
pub(crate) fn source_address(
    value: &[u8],
    ranges: bool,
) -> Result<(Option<IpAddr>, Option<SourcePorts>), AddressError> {
    let whole = 0..value.len();
    let found = run(value, Over::Streams, Transport::Stream, &whole)?;
    let Scheme { family, rest, .. } = found;
    let offset = value.len() - rest.len();
    match family {
        Family::Any | Family::V4 | Family::V6 => {}
        Family::Unix => return Err(unsupported("unix@", whole)),
        _ => return Err(found.not_run(&whole)),
    }
    let (host, port) = split_port(text(rest, &whole)?, offset);
    let ports = match port {
        None | Some(("", _)) => None,
        Some((digits, at)) if digits.starts_with(['+', '-']) => {
            let message = format!("port offset not permitted here in '{}'", shown(value));
            return Err(wrong(message, at));
        }
        Some((digits, at)) => match digits.split_once('-') {
            Some((low, high)) if ranges => port_range(low, high, at)?,
            Some(_) => {
                let mut error = wrong(
                    format!("port range not permitted here in '{}'", shown(value)),
                    at,
                );
                error.help = Some(
                    "write it on the 'server' lines or on 'default-server': each server hands out \
                     ports of its own",
                );
                return Err(error);
            }
            None => NonZero::new(port_number(digits, at, 0)?).map(SourcePorts::One),
        },
    };
    if matches!(host, "" | "*") {
        return Ok((None, ports));
    }
    match super::ip(host, family) {
        Some(ip) => Ok((Some(ip).filter(|ip| !ip.is_unspecified()), ports)),
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

/// No connection comes from port 0, which HAProxy takes here too.
fn port_range(
    low: &str,
    high: &str,
    at: Range<usize>,
) -> Result<Option<SourcePorts>, AddressError> {
    let (first, last) = (
        port_number(low, at.clone(), 0)?,
        port_number(high, at.clone(), 0)?,
    );
    if first > last {
        return Err(wrong(format!("invalid port range '{low}-{high}'"), at));
    }
    let ports = first.max(1)..=last;
    Ok(match ports.clone().count() {
        0 => None,
        1 => NonZero::new(last).map(SourcePorts::One),
        _ => Some(SourcePorts::Range(ports)),
    })
}
