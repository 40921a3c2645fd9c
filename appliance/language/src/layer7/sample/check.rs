//! What a fetch asks of its arguments beyond their types, and what converters ask too.

use std::ops::Range;

use lanai_model::layer7::{Argument, PatternFile, PatternFileKind, Scope, Variable};

use super::argument::number;
use super::expression::text_of;
use super::{Reference, Wants};
use crate::value::shown;

pub(super) type Checked = Result<(), String>;

/// Header values that are counted from the end, at most.
const MOST_FROM_THE_END: i64 = 10;

/// Checks a fetch's arguments, and turns what stands for something else into that.
pub(super) fn fetch(
    name: &str,
    arguments: &mut [Argument],
    references: &mut Vec<Reference>,
    places: &[Range<usize>],
) -> Checked {
    match name {
        "accept_date" | "request_date" => unit(arguments, 0, &["s", "ms", "us"]),
        "date" => unit(arguments, 1, &["s", "ms", "us"]),
        "bc_rtt" | "bc_rttvar" | "fc_rtt" | "fc_rttvar" => unit(arguments, 0, &["us", "ms"]),
        "bin" => constant_bytes(arguments),
        "bool" => one_of(
            arguments,
            0,
            &["true", "false", "1", "0"],
            "Expects 'true', 'false', '0' or '1'",
        ),
        "meth" => method(arguments),
        "var" => variable_at(arguments, 0),
        "uuid" => number_among(arguments, &[4, 7], "Unsupported UUID version: "),
        "fc_pp_tlv" => tlv(arguments),
        "query" => empty_or(
            arguments,
            0,
            &["with_qm"],
            "supported options are: 'with_qm'",
        ),
        "dump_all_vars" => {
            let scopes = ["sess", "txn", "req", "res", "proc"];
            let given = shown(text_of(arguments, 0));
            let message =
                format!("invalid scope '{given}', must be one of: sess, txn, req, res, proc");
            empty_or(arguments, 0, &scopes, &message)
        }
        "capture.req.hdr" | "capture.res.hdr" => match arguments.first() {
            Some(Argument::Int(id)) if *id < 0 => Err("capture identifier must be >= 0".to_owned()),
            _ => Ok(()),
        },
        "distcc_body" | "distcc_param" => match text_of(arguments, 0).len() {
            4 => Ok(()),
            _ => Err("token name must be exactly 4 characters".to_owned()),
        },
        "payload_lv" | "req.payload_lv" | "res.payload_lv" => payload_lv(arguments),
        "acl" => acls(arguments, references, places),
        _ if name.starts_with("internal.htx_blk.") => block(arguments),
        _ if name.ends_with("_dn") => empty_or(
            arguments,
            2,
            &["rfc2253"],
            "only rfc2253 or a blank value are currently supported as the format argument.",
        ),
        "hdr" | "hdr_ip" | "hdr_val" | "shdr" | "shdr_ip" | "shdr_val" => occurrence(arguments),
        _ if name.contains(".hdr") || name.contains(".fhdr") => occurrence(arguments),
        _ => Ok(()),
    }
}

/// A word of a list.
pub(super) fn one_of(arguments: &[Argument], at: usize, words: &[&str], message: &str) -> Checked {
    let text = text_of(arguments, at);
    match words
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    {
        true => Ok(()),
        false => Err(message.to_owned()),
    }
}

/// Nothing, or a word of a list.
pub(super) fn empty_or(
    arguments: &[Argument],
    at: usize,
    words: &[&str],
    message: &str,
) -> Checked {
    let text = text_of(arguments, at);
    match text.is_empty() || words.iter().any(|word| text == word.as_bytes()) {
        true => Ok(()),
        false => Err(message.to_owned()),
    }
}

/// A unit of time, if the argument is there.
pub(super) fn unit(arguments: &[Argument], at: usize, units: &[&str]) -> Checked {
    if arguments.get(at).is_none() {
        return Ok(());
    }
    let text = text_of(arguments, at);
    if units.iter().any(|unit| text == unit.as_bytes()) {
        return Ok(());
    }
    let quoted: Vec<_> = units.iter().map(|unit| format!("'{unit}'")).collect();
    let expected = match quoted.split_last() {
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    Err(format!("expects {expected}, got '{}'", shown(text)))
}

pub(super) fn number_among(arguments: &[Argument], known: &[i64], message: &str) -> Checked {
    match arguments.first() {
        Some(Argument::Int(number)) if !known.contains(number) => {
            Err(format!("{message}'{number}'"))
        }
        _ => Ok(()),
    }
}

fn occurrence(arguments: &[Argument]) -> Checked {
    match arguments.get(1) {
        Some(Argument::Int(place)) if *place < -MOST_FROM_THE_END => Err(format!(
            "header occurrence must be >= {}",
            -MOST_FROM_THE_END
        )),
        _ => Ok(()),
    }
}

/// Reads bytes written in hexadecimal, or text with `\x` escapes.
pub(crate) fn binary(text: &[u8]) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) {
        return Err("an even number of hex digit is expected".to_owned());
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = text.chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    bytes.ok_or_else(|| {
        let wrong = text.iter().find(|byte| digit(**byte).is_none());
        let wrong = wrong.copied().unwrap_or_default();
        format!("an hex digit is expected (found '{}')", shown(&[wrong]))
    })
}

fn constant_bytes(arguments: &mut [Argument]) -> Checked {
    let bytes = binary(text_of(arguments, 0))?;
    if let Some(first) = arguments.first_mut() {
        *first = Argument::Text(bytes.into());
    }
    Ok(())
}

fn method(arguments: &[Argument]) -> Checked {
    let text = text_of(arguments, 0);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    match !text.is_empty() && text.iter().all(token) {
        true => Ok(()),
        false => Err("expects valid method.".to_owned()),
    }
}

fn payload_lv(arguments: &mut [Argument]) -> Checked {
    let offset = arguments.first().and_then(int).unwrap_or_default();
    let length = arguments.get(1).and_then(int).unwrap_or_default();
    if offset < 0 {
        return Err("payload offset1 must be positive".to_owned());
    }
    if length == 0 {
        return Err("payload length must be > 0".to_owned());
    }
    let text = text_of(arguments, 2);
    if text.is_empty() {
        return Ok(());
    }
    let Some(second) = number(text) else {
        return Err("payload offset2 is not a number".to_owned());
    };
    match offset.saturating_add(length).saturating_add(second) < 0 {
        true => Err("payload offset2 too negative".to_owned()),
        false => Ok(()),
    }
}

pub(super) fn int(argument: &Argument) -> Option<i64> {
    match argument {
        Argument::Int(number) => Some(*number),
        _ => None,
    }
}

fn tlv(arguments: &mut [Argument]) -> Checked {
    const NAMES: &[(&str, i64)] = &[
        ("ALPN", 0x01),
        ("AUTHORITY", 0x02),
        ("CRC32C", 0x03),
        ("NOOP", 0x04),
        ("UNIQUE_ID", 0x05),
        ("SSL", 0x20),
        ("SSL_VERSION", 0x21),
        ("SSL_CN", 0x22),
        ("SSL_CIPHER", 0x23),
        ("SSL_SIG_ALG", 0x24),
        ("SSL_KEY_ALG", 0x25),
        ("NETNS", 0x30),
    ];
    let text = String::from_utf8_lossy(text_of(arguments, 0)).into_owned();
    let named = NAMES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    let kind = match (named, text.strip_prefix("0x")) {
        (Some((_, kind)), _) => Some(*kind),
        (None, Some(digits)) => i64::from_str_radix(digits, 16).ok(),
        (None, None) => text.parse().ok(),
    };
    let Some(kind) = kind else {
        return Err(format!(
            "Could not convert type '{}'",
            shown(text.as_bytes())
        ));
    };
    if !(0..=255).contains(&kind) {
        return Err(format!("Invalid TLV Type '{}'", shown(text.as_bytes())));
    }
    if let Some(first) = arguments.first_mut() {
        *first = Argument::Int(kind);
    }
    Ok(())
}

fn block(arguments: &[Argument]) -> Checked {
    let text = text_of(arguments, 0);
    if text.is_empty() {
        let message =
            "a block position is expected (> 0) or a special block name (head, tail, first)";
        return Err(message.to_owned());
    }
    let named = [&b"head"[..], b"tail", b"first"].contains(&text);
    match named || text.iter().all(u8::is_ascii_digit) {
        true => Ok(()),
        false => Err("invalid block position".to_owned()),
    }
}

/// ACLs to look up once all are known.
fn acls(
    arguments: &mut [Argument],
    references: &mut Vec<Reference>,
    places: &[Range<usize>],
) -> Checked {
    for (at, argument) in arguments.iter_mut().enumerate() {
        let Argument::Text(text) = argument else {
            continue;
        };
        let text = String::from_utf8_lossy(text).into_owned();
        let name = text.strip_prefix('!').unwrap_or(&text);
        references.push(Reference {
            wants: Wants::Acl(name.to_owned()),
            at: places.get(at).cloned().unwrap_or_default(),
            whose: format!("in arg {} of sample fetch keyword 'acl'", at + 1),
        });
        *argument = Argument::Acl {
            name: name.into(),
            negated: name.len() < text.len(),
        };
    }
    Ok(())
}

/// Reads the name of a variable.
pub(crate) fn variable(text: &[u8]) -> Result<Variable, String> {
    if text.is_empty() {
        return Err("Empty variable name cannot be accepted".to_owned());
    }
    let whole = String::from_utf8_lossy(text);
    let scoped = whole.split_once('.').filter(|(_, name)| !name.is_empty());
    let known = scoped.and_then(|(scope, name)| {
        let (scope, parent) = match scope {
            "proc" => (Scope::Proc, false),
            "sess" => (Scope::Sess, false),
            "psess" => (Scope::Sess, true),
            "txn" => (Scope::Txn, false),
            "ptxn" => (Scope::Txn, true),
            "req" => (Scope::Req, false),
            "preq" => (Scope::Req, true),
            "res" => (Scope::Res, false),
            "pres" => (Scope::Res, true),
            "check" => (Scope::Check, false),
            _ => return None,
        };
        Some((scope, parent, name))
    });
    let Some((scope, parent, name)) = known else {
        return Err(format!(
            "invalid variable name '{}'. A variable name must be start by its scope. The scope can \
             be 'proc', 'sess', 'txn', 'req', 'res' or 'check'",
            shown(text)
        ));
    };
    let wrong = name
        .chars()
        .find(|letter| !letter.is_ascii_alphanumeric() && *letter != '_' && *letter != '.');
    match wrong {
        Some(wrong) => Err(format!("invalid syntax at char '{}'", wrong.escape_debug())),
        None => Ok(Variable {
            scope,
            parent,
            name: name.into(),
        }),
    }
}

pub(super) fn variable_at(arguments: &mut [Argument], at: usize) -> Checked {
    let found = variable(text_of(arguments, at))?;
    if let Some(argument) = arguments.get_mut(at) {
        *argument = Argument::Variable(found);
    }
    Ok(())
}

/// Reads the name of a file of patterns.
pub(crate) fn pattern_file(text: &[u8]) -> PatternFile {
    let text = String::from_utf8_lossy(text);
    let prefixes = [
        ("virt@", PatternFileKind::Virtual),
        ("opt@", PatternFileKind::Optional),
        ("file@", PatternFileKind::File),
    ];
    let found = prefixes
        .into_iter()
        .find_map(|(prefix, kind)| Some((text.strip_prefix(prefix)?, kind)));
    let (name, kind) = found.unwrap_or((&text, PatternFileKind::File));
    PatternFile {
        name: name.into(),
        kind,
    }
}
