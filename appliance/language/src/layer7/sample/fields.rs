//! Names of fields of FIX and MQTT messages, for the converters that look into them.

use lanai_model::layer7::Argument;

use super::expression::text_of;
use crate::value::shown;

/// Checks the field that `fix_tag_value` or `mqtt_field_value` asks for.
pub(super) fn check(converter: &str, arguments: &mut [Argument]) -> Result<(), String> {
    match converter {
        "fix_tag_value" => fix(arguments),
        _ => mqtt(arguments),
    }
}

/// Tags of FIX that have a name here (FIX 5.0, volume 1).
const FIX_TAGS: &[(&str, i64)] = &[
    ("BeginString", 8),
    ("BodyLength", 9),
    ("CheckSum", 10),
    ("MsgType", 35),
    ("SenderCompID", 49),
    ("TargetCompID", 56),
];

fn fix(arguments: &mut [Argument]) -> Result<(), String> {
    let text = String::from_utf8_lossy(text_of(arguments, 0)).into_owned();
    let named = FIX_TAGS
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    let tag = match named {
        Some((_, tag)) => Some(*tag),
        None => text.parse().ok().filter(|tag| *tag > 0),
    };
    let Some(tag) = tag else {
        return Err(format!("Unknown FIX tag name '{}'", shown(text.as_bytes())));
    };
    if let Some(first) = arguments.first_mut() {
        *first = Argument::Int(tag);
    }
    Ok(())
}

/// Packet types of MQTT in the order of their numbers, from 1 on, each with the names of its fields
/// and the numbers of its properties (MQTT 5.0, sections 2.1.2 and 2.2.2.2).
const MQTT_PACKETS: &[(&str, &str)] = &[
    (
        "CONNECT",
        "flags protocol_name protocol_version client_identifier will_topic will_payload username \
         password keepalive 1 2 3 8 9 17 21 22 23 24 25 33 34 38 39",
    ),
    (
        "CONNACK",
        "flags reason_code protocol_version 17 18 19 21 22 26 28 31 33 34 36 37 38 39 40 41 42",
    ),
    ("PUBLISH", "1 2 3 8 9 11 35 38"),
    ("PUBACK", "reason_code 31 38"),
    ("PUBREC", "reason_code 31 38"),
    ("PUBREL", "reason_code 31 38"),
    ("PUBCOMP", "reason_code 31 38"),
    ("SUBSCRIBE", "11 38"),
    ("SUBACK", "31 38"),
    ("UNSUBSCRIBE", "38"),
    ("UNSUBACK", "31 38"),
    ("PINGREQ", ""),
    ("PINGRESP", ""),
    ("DISCONNECT", "reason_code 17 28 31 38"),
    ("AUTH", "21 22 31 38"),
];

fn mqtt(arguments: &[Argument]) -> Result<(), String> {
    let packet = String::from_utf8_lossy(text_of(arguments, 0)).into_owned();
    let field = String::from_utf8_lossy(text_of(arguments, 1)).into_owned();
    let numbered = packet.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let found = match numbered {
        Some(at) => MQTT_PACKETS.get(at),
        None => MQTT_PACKETS
            .iter()
            .find(|(name, _)| packet.eq_ignore_ascii_case(name)),
    };
    let Some((_, fields)) = found else {
        return Err(format!("Unknown MQTT type '{}'", shown(packet.as_bytes())));
    };
    match fields
        .split(' ')
        .any(|known| known.eq_ignore_ascii_case(&field))
        && !field.is_empty()
    {
        true => Ok(()),
        false => Err(format!(
            "Unknown MQTT field name '{}' for packet type '{}'",
            shown(field.as_bytes()),
            shown(packet.as_bytes())
        )),
    }
}
