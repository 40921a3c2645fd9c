//! Actions on addresses and packets.

use lanai_model::layer7::{Action, AddressPart};

use super::reading::Reading;
use crate::value::shown;

pub(super) fn source(reading: &mut Reading<'_, '_>) -> Option<Action> {
    address(reading, AddressPart::Source)
}

pub(super) fn source_port(reading: &mut Reading<'_, '_>) -> Option<Action> {
    address(reading, AddressPart::SourcePort)
}

pub(super) fn destination(reading: &mut Reading<'_, '_>) -> Option<Action> {
    address(reading, AddressPart::Destination)
}

pub(super) fn destination_port(reading: &mut Reading<'_, '_>) -> Option<Action> {
    address(reading, AddressPart::DestinationPort)
}

fn address(reading: &mut Reading<'_, '_>, which: AddressPart) -> Option<Action> {
    Some(Action::SetAddress {
        which,
        value: reading.expression()?,
    })
}

/// The mark or the type of service of packets to the client or to the server.
pub(super) fn packet(
    reading: &mut Reading<'_, '_>,
    server_side: bool,
    mark: bool,
) -> Option<Action> {
    let expects = "expects exactly 1 argument (integer/hex value)";
    // The old names take no expression.
    let text = reading.word.text();
    let constant_only = text == "set-mark" || text == "set-tos";
    if constant_only
        && let Some(word) = reading.args.peek()
        && number(&word.text()).is_none()
    {
        let text = shown(&word.value);
        let message =
            format!("invalid character starting at '{text}' (integer/hex value expected)");
        return reading.fault(word.span, message);
    }
    Some(Action::SetPacket {
        server_side,
        mark,
        value: reading.figure(expects, number)?,
    })
}

/// Decimal, octal with a leading zero, or hexadecimal with `0x`.
fn number(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        Some(digits) => u32::from_str_radix(digits, 8).ok(),
        None => text.parse().ok(),
    }
}

pub(super) fn silent_drop(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let rst_ttl = match reading.args.take_if("rst-ttl") {
        Some(option) => {
            let expects = "'rst-ttl' expects a number of hops between 1 and 255";
            let word = reading.option(option, expects)?;
            let hops = word.text().parse().ok().filter(|hops| *hops > 0);
            match hops {
                Some(hops) => Some(hops),
                None => return reading.fault(word.span, expects),
            }
        }
        None => None,
    };
    Some(Action::SilentDrop { rst_ttl })
}
