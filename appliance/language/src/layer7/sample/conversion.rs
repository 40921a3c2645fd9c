//! What a converter asks of its arguments beyond their types.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use lanai_model::layer7::Argument;

use super::argument::number;
use super::check::{
    Checked, binary, empty_or, int, number_among, one_of, pattern_file, unit, variable_at,
};
use super::expression::text_of;
use super::{Reference, Wants};
use crate::value::shown;

/// Checks a converter's arguments, and turns what stands for something else into that.
pub(super) fn converter(
    name: &str,
    arguments: &mut [Argument],
    references: &mut Vec<Reference>,
    places: &[Range<usize>],
) -> Checked {
    match name {
        "add" | "sub" | "mul" | "div" | "mod" | "and" | "or" | "xor" => operand(arguments, 0),
        "bytes" => bytes(arguments),
        "field" | "word" => field(arguments),
        "concat" => optional_variable(arguments, 1),
        "add_item" => add_item(arguments),
        "strcmp" | "secure_memcmp" => compared(arguments),
        "set-var" => set_variable(arguments),
        "unset-var" => variable_at(arguments, 0),
        "when" => when(arguments, references, places),
        "be2hex" | "be2dec" | "le2dec" => chunks(arguments, name),
        "json" => empty_or(
            arguments,
            0,
            &["ascii", "utf8", "utf8s", "utf8p", "utf8ps"],
            "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and \
             'utf8ps'",
        ),
        "json_query" if text_of(arguments, 0).is_empty() => {
            Err("json_path must not be empty".to_owned())
        }
        "json_query" | "jwt_header_query" | "jwt_payload_query" => empty_or(
            arguments,
            1,
            &["int"],
            "output_type only supports \"int\" as argument",
        ),
        "jwt_verify" | "jwt_verify_cert" => token(arguments, name),
        "url_enc" => empty_or(
            arguments,
            0,
            &["query"],
            "Unexpected encode type. Allowed value is 'query'",
        ),
        "http_date" => unit(arguments, 1, &["s", "ms", "us"]),
        "sha2" => number_among(
            arguments,
            &[224, 256, 384, 512],
            "Unsupported number of bits: ",
        ),
        "digest" | "hmac" => digest(arguments),
        "regsub" => substitution(arguments),
        "param" => delimiter(arguments),
        "protobuf" | "ungrpc" => {
            let given = shown(text_of(arguments, 1));
            let message = format!("Wrong protocol buffer type '{given}'");
            empty_or(arguments, 1, PROTOBUF_TYPES, &message)
        }
        "fix_tag_value" | "mqtt_field_value" => super::fields::check(name, arguments),
        _ if name.starts_with("aes_") => cipher(arguments, name),
        _ if name == "map" || name.starts_with("map_") => map(arguments, references, places, name),
        _ => Ok(()),
    }
}

/// Types of Protocol Buffers' fields.
const PROTOBUF_TYPES: &[&str] = &[
    "int32", "uint32", "sint32", "int64", "uint64", "sint64", "bool", "enum", "fixed64",
    "sfixed64", "double", "string", "bytes", "message", "fixed32", "sfixed32", "float",
];

fn optional_variable(arguments: &mut [Argument], at: usize) -> Checked {
    let text = shown(text_of(arguments, at));
    if text.is_empty() {
        return Ok(());
    }
    variable_at(arguments, at).map_err(|_| format!("failed to register variable name '{text}'"))
}

fn compared(arguments: &mut [Argument]) -> Checked {
    match text_of(arguments, 0).is_empty() {
        true => Err("missing variable name".to_owned()),
        false => optional_variable(arguments, 0),
    }
}

fn add_item(arguments: &mut [Argument]) -> Checked {
    let none = text_of(arguments, 1).is_empty() && text_of(arguments, 2).is_empty();
    optional_variable(arguments, 1)?;
    match none {
        true => Err("one of the optional arguments has to be nonempty".to_owned()),
        false => Ok(()),
    }
}

/// A number or a variable.
fn operand(arguments: &mut [Argument], at: usize) -> Checked {
    if variable_at(arguments, at).is_ok() {
        return Ok(());
    }
    let Some(found) = number(text_of(arguments, at)) else {
        return Err("expects an integer or a variable name".to_owned());
    };
    if let Some(argument) = arguments.get_mut(at) {
        *argument = Argument::Int(found);
    }
    Ok(())
}

fn bytes(arguments: &mut [Argument]) -> Checked {
    operand(arguments, 0)?;
    if matches!(arguments.first(), Some(Argument::Int(offset)) if *offset < 0) {
        return Err("expects a non-negative integer".to_owned());
    }
    if arguments.len() < 2 {
        return Ok(());
    }
    operand(arguments, 1)?;
    match arguments.get(1) {
        Some(Argument::Int(length)) if *length <= 0 => Err("expects a positive integer".to_owned()),
        _ => Ok(()),
    }
}

fn field(arguments: &[Argument]) -> Checked {
    if arguments.first().and_then(int) == Some(0) {
        return Err("Unexpected value 0 for index".to_owned());
    }
    match text_of(arguments, 1).is_empty() {
        true => Err("Empty separators list".to_owned()),
        false => Ok(()),
    }
}

fn set_variable(arguments: &mut [Argument]) -> Checked {
    variable_at(arguments, 0)?;
    for at in 1..arguments.len() {
        set_condition(text_of(arguments, at))?;
    }
    Ok(())
}

/// A condition of setting a variable.
fn set_condition(text: &[u8]) -> Checked {
    const CONDITIONS: &[&str] = &[
        "ifexists",
        "ifnotexists",
        "ifempty",
        "ifnotempty",
        "ifset",
        "ifnotset",
        "ifgt",
        "iflt",
    ];
    match CONDITIONS.iter().any(|known| text == known.as_bytes()) {
        true => Ok(()),
        false => Err(format!("unknown condition \"{}\"", shown(text))),
    }
}

fn when(
    arguments: &mut [Argument],
    references: &mut Vec<Reference>,
    places: &[Range<usize>],
) -> Checked {
    const CONDITIONS: &[&str] = &[
        "stopping",
        "normal",
        "error",
        "forwarded",
        "toapplet",
        "processed",
        "acl",
    ];
    let text = text_of(arguments, 0);
    let word = text.strip_prefix(b"!").unwrap_or(text);
    if !CONDITIONS.iter().any(|known| word == known.as_bytes()) {
        return Err(format!(
            "expects a supported keyword among {{{}}} but got '{}'",
            CONDITIONS.join(","),
            shown(word)
        ));
    }
    if word != b"acl" {
        return Ok(());
    }
    let name = String::from_utf8_lossy(text_of(arguments, 1)).into_owned();
    if name.is_empty() {
        let message = "'acl' selector requires an extra argument with the ACL name";
        return Err(message.to_owned());
    }
    references.push(Reference {
        wants: Wants::Acl(name.clone()),
        at: places.get(1).cloned().unwrap_or_default(),
        whose: "in arg 2 of converter 'when'".to_owned(),
    });
    if let Some(argument) = arguments.get_mut(1) {
        *argument = Argument::Acl {
            name: name.into(),
            negated: false,
        };
    }
    Ok(())
}

fn chunks(arguments: &[Argument], name: &str) -> Checked {
    let separator = !text_of(arguments, 0).is_empty();
    let size = arguments.get(1).and_then(int).unwrap_or_default();
    let truncate = arguments.get(2).and_then(int).unwrap_or_default();
    if name == "be2hex" {
        if size <= 0 && (separator || truncate != 0) {
            return Err(format!("chunk_size needs to be positive ({size})"));
        }
    } else if !(1..=8).contains(&size) {
        return Err(format!("chunk_size out of [1..8] range ({size})"));
    }
    match truncate {
        0 | 1 => Ok(()),
        _ => Err(format!("Unsupported truncate value ({truncate})")),
    }
}

/// Algorithms of JSON Web Signatures.
const SIGNATURES: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
    "PS384", "PS512",
];

fn token(arguments: &mut [Argument], name: &str) -> Checked {
    let literal = variable_at(arguments, 0).is_err();
    let algorithm = text_of(arguments, 0).to_vec();
    if literal && !SIGNATURES.iter().any(|known| algorithm == known.as_bytes()) {
        return Err(format!("unknown JWT algorithm: {}", shown(&algorithm)));
    }
    let key_is_literal = variable_at(arguments, 1).is_err();
    if name == "jwt_verify_cert" && key_is_literal && algorithm.starts_with(b"HS") {
        return Err("HMAC-signed tokens can't be processed by this converter".to_owned());
    }
    Ok(())
}

/// Digests OpenSSL knows by name; letters of either case.
const DIGESTS: &[&str] = &[
    "blake2b512",
    "blake2s256",
    "md4",
    "md5",
    "md5-sha1",
    "mdc2",
    "ripemd",
    "ripemd160",
    "rmd160",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512-224",
    "sha512-256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "shake128",
    "shake256",
    "sm3",
    "whirlpool",
];

fn digest(arguments: &mut [Argument]) -> Checked {
    let message = "algorithm must be a valid OpenSSL message digest name.";
    one_of(arguments, 0, DIGESTS, message)?;
    encoded(arguments, 1, "key")
}

/// Base64, or a variable that holds the bytes.
fn encoded(arguments: &mut [Argument], at: usize, what: &str) -> Checked {
    let text = text_of(arguments, at).to_vec();
    if text.is_empty() || variable_at(arguments, at).is_ok() {
        return Ok(());
    }
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"="));
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/';
    match text.len().is_multiple_of(4) && body.unwrap_or(&text).iter().all(letter) {
        true => Ok(()),
        false => Err(format!(
            "failed to parse {what} : argument needs to be base64 encoded, and can either be a \
             string or a variable"
        )),
    }
}

fn cipher(arguments: &mut [Argument], name: &str) -> Checked {
    if !matches!(arguments.first(), Some(Argument::Int(128 | 192 | 256))) {
        return Err("key size must be 128, 192 or 256 (bits).".to_owned());
    }
    encoded(arguments, 1, "nonce")?;
    encoded(arguments, 2, "key")?;
    match name {
        "aes_gcm_enc" => variable_at(arguments, 3)
            .map_err(|message| format!("failed to parse aead_tag : {message}"))?,
        "aes_gcm_dec" => encoded(arguments, 3, "aead_tag")?,
        _ => return encoded(arguments, 3, "aad"),
    }
    encoded(arguments, 4, "aad")
}

fn substitution(arguments: &[Argument]) -> Checked {
    let flags = text_of(arguments, 2);
    match flags.iter().find(|flag| !b"ig".contains(flag)) {
        Some(wrong) => Err(format!(
            "invalid regex flag '{}', only 'i' and 'g' are supported",
            shown(&[*wrong])
        )),
        None => Ok(()),
    }
}

fn delimiter(arguments: &mut [Argument]) -> Checked {
    if arguments.len() < 2 {
        return Ok(());
    }
    let text = text_of(arguments, 1);
    let byte = match (text, text.strip_prefix(b"0x")) {
        ([byte], _) => Some(*byte),
        (_, Some(digits)) if digits.len() == 2 => {
            binary(digits).ok().and_then(|bytes| bytes.first().copied())
        }
        _ => None,
    };
    let Some(byte) = byte else {
        let message = "Delimiter must be either exactly 1 character, or 0xHH for an ASCII code .";
        return Err(message.to_owned());
    };
    if let Some(argument) = arguments.get_mut(1) {
        *argument = Argument::Text(Arc::from([byte]));
    }
    Ok(())
}

fn map(
    arguments: &mut [Argument],
    references: &mut Vec<Reference>,
    places: &[Range<usize>],
    name: &str,
) -> Checked {
    let file = pattern_file(text_of(arguments, 0));
    references.push(Reference {
        wants: Wants::Patterns(file.clone()),
        at: places.first().cloned().unwrap_or_default(),
        whose: format!("in arg 1 of converter '{name}'"),
    });
    if let Some(first) = arguments.first_mut() {
        *first = Argument::Map(file);
    }
    let ends_in_address = name.ends_with("_ip") && name != "map_ip";
    if !ends_in_address || arguments.len() < 2 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(text_of(arguments, 1)).into_owned();
    let default = match text.parse() {
        Ok(IpAddr::V4(address)) => Argument::Ipv4(address),
        Ok(IpAddr::V6(address)) => Argument::Ipv6(address),
        Err(_) => {
            let text = shown(text.as_bytes());
            return Err(format!("map: cannot parse default ip <{text}>."));
        }
    };
    if let Some(argument) = arguments.get_mut(1) {
        *argument = default;
    }
    Ok(())
}
