//! Values of arguments: numbers, times, sizes, names, addresses.

mod address;
mod network;
mod number;

pub(crate) use address::{
    AddressError, Destination, ListenOptions, Wants, any_listen_address, destination,
    listen_addresses, log_address, server_address, source_address,
};
pub(crate) use network::{host_network, network};
pub(crate) use number::{NumberError, duration, integer, size};

use lanai_diagnostics::Diagnostic;

use crate::lexer::Word;
use crate::suggest::{did_you_mean, nearest};

/// Bytes of a text as they may stand in a message: one line, no control characters, not too long.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    let head = bytes.get(..4 * LONGEST_SHOWN).unwrap_or(bytes);
    for (count, character) in String::from_utf8_lossy(head).chars().enumerate() {
        if count == LONGEST_SHOWN {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

const LONGEST_SHOWN: usize = 200;

/// Adds "did you mean" if one of the known words is near.
pub(crate) fn suggest<'a>(
    diagnostic: Diagnostic,
    word: &Word,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(&word.text(), known) {
        Some(near) => diagnostic.with_fix(word.span, near, did_you_mean(near)),
        None => diagnostic,
    }
}

/// The first character that a name of a proxy or server may not have.
pub(crate) fn invalid_name_character(name: &str) -> Option<char> {
    name.chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')))
}

/// A token of RFC 9110, section 5.6.2.
pub(crate) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether the kernel takes this as a device's name: 1 to 15 bytes, no `/`, no white space, and not
/// `.` or `..`.
pub(crate) fn is_interface_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name
            .chars()
            .any(|c| c == '/' || c == ':' || c.is_whitespace() || c.is_control())
}
