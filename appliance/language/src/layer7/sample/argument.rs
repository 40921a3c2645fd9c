//! The arguments in parentheses after a fetch's or converter's name.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::Arc;

use lanai_model::layer7::Argument;

use super::types::Argument as Type;
use super::{Fault, Reference, Wants};
use crate::value::shown;

/// Most arguments a fetch or converter has.
const MOST: usize = 12;

/// Arguments as read.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) values: Vec<Argument>,
    /// Where each was written; empty where it was left out.
    pub(super) places: Vec<Range<usize>>,
    pub(super) references: Vec<Reference>,
    /// First byte after them.
    pub(super) end: usize,
}

/// Reads the arguments that start at a byte of a text, if there is a parenthesis.
///
/// `owner` is the fetch or converter, as messages name it.
pub(super) fn arguments(
    text: &[u8],
    start: usize,
    required: usize,
    types: &[Type],
    owner: &str,
) -> Result<Arguments, Fault> {
    let written = text.get(start) == Some(&b'(');
    let mut found = Arguments {
        end: start + usize::from(written),
        ..Arguments::default()
    };
    if types.is_empty() || (!written && required == 0) {
        return close(text, found, written);
    }
    for (at, wanted) in types.iter().take(MOST).enumerate() {
        let (value, place, end) = match written {
            true => unquote(text, found.end),
            false => (Vec::new(), start..start, start),
        };
        if value.is_empty() && !may_be_empty(*wanted) {
            // Empty where a number is expected: there is no argument here.
            if at >= required {
                break;
            }
            let message = format!(
                "expected type '{}' at position {}, but got nothing",
                wanted.name(),
                at + 1
            );
            return Err(Fault::new(message, place));
        }
        let argument = typed(&value, *wanted, at, place.clone(), owner, &mut found)?;
        found.values.push(argument);
        found.places.push(place);
        found.end = end;
        if text.get(end) != Some(&b',') || at + 1 >= types.len() || !written {
            break;
        }
        found.end = end + 1;
    }
    if found.values.len() < required {
        let wanted = types.get(found.values.len()).map_or("", |kind| kind.name());
        let message = format!(
            "missing arguments (got {}/{required}), type '{wanted}' expected",
            found.values.len()
        );
        return Err(Fault::new(message, start..found.end.max(start)));
    }
    close(text, found, written)
}

fn close(text: &[u8], mut found: Arguments, written: bool) -> Result<Arguments, Fault> {
    if !written {
        return Ok(found);
    }
    match text.get(found.end) {
        Some(b')') => {
            found.end += 1;
            Ok(found)
        }
        None => Err(Fault::new("expected ')'", found.end..found.end)),
        Some(_) => {
            let rest = text.get(found.end..).unwrap_or_default();
            let message = format!("expected ')' before '{}'", shown(rest));
            Err(Fault::new(message, found.end..text.len()))
        }
    }
}

/// Types of which an empty argument is one.
fn may_be_empty(kind: Type) -> bool {
    matches!(
        kind,
        Type::Text
            | Type::Frontend
            | Type::Backend
            | Type::Table
            | Type::Server
            | Type::Userlist
            | Type::Regex
    )
}

/// One argument's bytes without quotes and escapes, where it was written, and where it ends.
fn unquote(text: &[u8], start: usize) -> (Vec<u8>, Range<usize>, usize) {
    let mut value = Vec::new();
    let mut quote = None;
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'"' | b'\'', Some(open)) if open == byte => quote = None,
            (b'\\', None | Some(b'"')) if next.is_some() => {
                let (escaped, took) = match next {
                    Some(same @ (b'\\' | b' ' | b'"' | b'\'')) => (same, 2),
                    Some(b'r') => (b'\r', 2),
                    Some(b'n') => (b'\n', 2),
                    Some(b't') => (b'\t', 2),
                    _ => (b'\\', 1),
                };
                value.push(escaped);
                at += took;
                continue;
            }
            (b',' | b')', None) => break,
            _ => value.push(byte),
        }
        at += 1;
    }
    (value, start..at, at)
}

fn typed(
    value: &[u8],
    wanted: Type,
    at: usize,
    place: Range<usize>,
    owner: &str,
    found: &mut Arguments,
) -> Result<Argument, Fault> {
    let text = String::from_utf8_lossy(value);
    let mut refer = |wants| {
        found.references.push(Reference {
            wants,
            at: place.clone(),
            whose: format!("in arg {} of {owner}", at + 1),
        });
    };
    let name = (!value.is_empty()).then(|| text.clone().into_owned());
    let shared = name.as_deref().map(Arc::<str>::from);
    let argument = match wanted {
        Type::Text => Some(Argument::Text(value.into())),
        Type::Int => number(value).map(Argument::Int),
        Type::Ipv4 => text.parse().ok().map(Argument::Ipv4),
        Type::Ipv6 => text.parse().ok().map(Argument::Ipv6),
        Type::Mask4 => mask4(&text).map(Argument::Ipv4),
        Type::Mask6 => mask6(&text).map(Argument::Ipv6),
        Type::FieldNumber => field_numbers(&text).map(Argument::FieldNumbers),
        Type::Regex => Some(Argument::Regex(value.into())),
        Type::Frontend => {
            refer(Wants::Frontend(name));
            Some(Argument::Frontend(shared))
        }
        Type::Backend => {
            refer(Wants::Backend(name));
            Some(Argument::Backend(shared))
        }
        Type::Table => {
            refer(Wants::Table(name));
            Some(Argument::Table(shared))
        }
        Type::Userlist => {
            refer(Wants::Userlist(text.clone().into_owned()));
            Some(Argument::Userlist(text.as_ref().into()))
        }
        Type::Server => {
            let (backend, server) = match text.split_once('/') {
                Some((backend, server)) => (Some(backend), server),
                None => (None, text.as_ref()),
            };
            refer(Wants::Server(backend.map(str::to_owned), server.to_owned()));
            Some(Argument::Server {
                backend: backend.map(Arc::from),
                server: server.into(),
            })
        }
    };
    argument.ok_or_else(|| {
        let message = format!(
            "failed to parse '{}' as type '{}' at position {}",
            shown(value),
            wanted.name(),
            at + 1
        );
        Fault::new(message, place)
    })
}

/// A decimal number with an optional sign. HAProxy stops at the largest number; so do we.
pub(crate) fn number(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, value),
    };
    let mut number: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        number = match negative {
            true => number.saturating_mul(10).saturating_sub(digit),
            false => number.saturating_mul(10).saturating_add(digit),
        };
    }
    Some(number)
}

/// A mask as an address or as a number of bits.
pub(crate) fn mask4(text: &str) -> Option<Ipv4Addr> {
    if text.contains('.') {
        return text.parse().ok();
    }
    let bits: u32 = text.parse().ok().filter(|bits| *bits <= 32)?;
    Some(Ipv4Addr::from_bits(
        u32::MAX.checked_shl(32 - bits).unwrap_or(0),
    ))
}

/// A mask as an address or as a number of bits.
pub(crate) fn mask6(text: &str) -> Option<Ipv6Addr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let bits: u32 = text.parse().ok().filter(|bits| *bits <= 128)?;
    Some(Ipv6Addr::from_bits(
        u128::MAX.checked_shl(128 - bits).unwrap_or(0),
    ))
}

/// Numbers with dots between them, as far as Protocol Buffers go.
fn field_numbers(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}
