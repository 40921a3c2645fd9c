//! Commands that change something (management guide, section 9.3). Words become values here; the
//! refusals are HAProxy's, since tools read them.

use std::net::IpAddr;
use std::time::Duration;

use lanai_traffic::condition::{Admin, Operation};

use crate::overrides::{IF_CHECKED, Operator, Outcome, Place};
use crate::state::Target;

/// How long `debug dev loop` takes when it is not told, and at most.
const LOOP: Duration = Duration::from_secs(1);
const LONGEST_LOOP: Duration = Duration::from_secs(3_600);

/// `enable|disable server B/S`
pub(super) fn admin(operator: &Operator, words: &[&str], admin: Admin) -> Outcome {
    let place = operator.server(words.first())?;
    operator.set_admin(&place, admin);
    Ok(String::new())
}

/// `enable|disable health B/S`
pub(super) fn checks(operator: &Operator, words: &[&str], on: bool) -> Outcome {
    let place = operator.server(words.first())?;
    if operator.set_checks(&place, on) {
        Ok(String::new())
    } else {
        Err("Health check was not configured on this server, cannot enable.\n".to_owned())
    }
}

/// `set server B/S addr|health|state|weight ...`
pub(super) fn server(operator: &Operator, words: &[&str]) -> Outcome {
    let place = operator.server(words.first())?;
    let rest = words.get(2..).unwrap_or_default();
    match words.get(1).copied() {
        Some("addr") => address(operator, &place, rest),
        Some("health") => health(operator, &place, rest),
        Some("state") => {
            let admin = match rest.first().copied() {
                Some("ready") => Admin::Ready,
                Some("drain") => Admin::Drain,
                Some("maint") => Admin::Maint,
                _ => {
                    let text = "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
                    return Err(text.to_owned());
                }
            };
            operator.set_admin(&place, admin);
            Ok(String::new())
        }
        Some("weight") => set_weight(operator, &place, rest),
        // True of every server: there are no agents, no TLS to servers and no resolvers yet.
        Some("agent" | "agent-addr" | "agent-port" | "agent-send") => {
            Err("agent checks are not enabled on this server.\n".to_owned())
        }
        Some("ssl") => Err(
            "'set server <srv> ssl' cannot be set.  default-server should define ssl \
                            settings\n"
                .to_owned(),
        ),
        Some("fqdn") => {
            Err("set server <b>/<s> fqdn failed because no resolution is configured.\n".to_owned())
        }
        _ => {
            Err("usage: set server <backend>/<server> addr | health | state | weight\n".to_owned())
        }
    }
}

/// `set weight B/S WEIGHT[%]`
pub(super) fn weight(operator: &Operator, words: &[&str]) -> Outcome {
    let place = operator.server(words.first())?;
    set_weight(operator, &place, words.get(1..).unwrap_or_default())
}

/// `set maxconn server B/S N`
pub(super) fn server_maxconn(operator: &Operator, words: &[&str]) -> Outcome {
    let place = operator.server(words.first())?;
    let word = words.get(1).ok_or("Require <maxconn>.\n")?;
    let (number, rest) = number(word).ok_or("maxconn string empty or preceded by garbage")?;
    if !rest.is_empty() {
        return Err("Trailing garbage in maxconn string".to_owned());
    }
    operator.set_server_maxconn(&place, in_range(number)?);
    Ok(String::new())
}

/// `set maxconn frontend F N`
pub(super) fn frontend_maxconn(operator: &Operator, words: &[&str]) -> Outcome {
    operator.set_frontend_maxconn(words.first(), || {
        let word = words.get(1).ok_or("Integer value expected.\n")?;
        match number(word) {
            Some((number, "")) => in_range(number),
            _ => Err("Integer value expected.\n".to_owned()),
        }
    })
}

/// `set maxconn global N`
pub(super) fn global_maxconn(operator: &Operator, words: &[&str]) -> Outcome {
    match words.first().and_then(|word| number(word)) {
        Some((number, "")) => operator.set_global_maxconn(in_range(number)?),
        _ => Err("Expects an integer value.\n".to_owned()),
    }
}

/// `shutdown sessions server B/S`
pub(super) fn shutdown_sessions(operator: &Operator, words: &[&str]) -> Outcome {
    let place = operator.server(words.first())?;
    operator.shutdown_sessions(&place);
    Ok(String::new())
}

/// `debug dev loop [MS]`
pub(super) fn keep_busy(operator: &Operator, words: &[&str]) -> String {
    let time = match words.first() {
        None => LOOP,
        Some(word) => Duration::from_millis(word.parse().unwrap_or(0)).min(LONGEST_LOOP),
    };
    operator.keep_busy(time);
    String::new()
}

fn set_weight(operator: &Operator, place: &Place, words: &[&str]) -> Outcome {
    let word = words.first().ok_or("Require <weight> or <weight%>.\n")?;
    let initial = place.conf().map_or(1, |conf| conf.weight);
    operator.set_weight(place, parse_weight(word, initial)?);
    Ok(String::new())
}

fn parse_weight(word: &str, initial: u16) -> Result<u16, &'static str> {
    let garbage = "Empty weight string empty or preceded by garbage";
    let (value, rest) = number(word).ok_or(garbage)?;
    let absolute = match rest {
        "%" if value < 0 => return Err("Relative weight must be positive.\n"),
        "%" => (i64::from(initial).saturating_mul(value) / 100).min(256),
        _ => value,
    };
    match u16::try_from(absolute) {
        Ok(weight @ 0..=256) if rest.is_empty() || rest == "%" => Ok(weight),
        Ok(0..=256) => Err("Trailing garbage in weight string"),
        _ => Err("Absolute weight can only be between 0 and 256 inclusive.\n"),
    }
}

fn health(operator: &Operator, place: &Place, words: &[&str]) -> Outcome {
    let operation = match words.first().copied() {
        Some("up") => Operation::Running,
        Some("stopping") => Operation::Stopping,
        Some("down") => Operation::Stopped,
        _ => {
            let text = "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n";
            return Err(text.to_owned());
        }
    };
    // What an engine reports of a check that failed is for servers that are checked.
    if words.get(1) == Some(&IF_CHECKED) && !operator.is_checked(place) {
        return Err("health checks are not enabled on this server".to_owned());
    }
    operator.force(place, operation);
    Ok(String::new())
}

fn address(operator: &Operator, place: &Place, words: &[&str]) -> Outcome {
    let word = words
        .first()
        .ok_or("set server <b>/<s> addr requires an address and optionally a port.\n")?;
    let by = "by 'stats socket command'\n";
    let ip: IpAddr = word
        .parse()
        .map_err(|_| format!("Invalid addr '{word}' {by}"))?;
    // Where HAProxy says that it changed the address before it saw the port, we change nothing.
    let same = matches!(&place.server().target, Target::Inet(before, _) if *before == ip);
    let first = if same {
        "no need to change the addr, "
    } else {
        ""
    };
    let port = match (words.get(1).copied(), words.get(2).copied().unwrap_or("")) {
        (Some("port"), word) if word.starts_with(['+', '-']) => {
            return Err(format!(
                "{first}can't change <port> to port map because it is incompatible with current health \
                 check port configuration (use 'port' statement from the 'server' directive. {by}"
            ));
        }
        (Some("port"), word) => {
            let port = word.parse().ok().filter(|port| *port > 0);
            let text = format!("{first}problem converting port '{word}' to an int {by}");
            Some(port.ok_or(text)?)
        }
        _ => None,
    };
    operator.set_address(place, ip, port)
}

/// A number at the start of a word, and the rest of the word.
fn number(word: &str) -> Option<(i64, &str)> {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split_at_checked(word.len() - unsigned.len() + digits)?;
    Some((number.parse().ok()?, rest))
}

fn in_range(number: i64) -> Result<u32, String> {
    // The highest value stands for no limit inside.
    u32::try_from(number)
        .ok()
        .filter(|number| *number < u32::MAX)
        .ok_or_else(|| "Value out of range.\n".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_absolute_or_relative() {
        for (word, weight) in [
            ("0", 0),
            ("256", 256),
            ("+7", 7),
            ("50%", 5),
            ("100%", 10),
            ("99%", 9),
            ("9223372036854775807%", 256),
            ("0%", 0),
        ] {
            assert_eq!(parse_weight(word, 10), Ok(weight), "{word}");
        }
        let range = "Absolute weight can only be between 0 and 256 inclusive.\n";
        let garbage = "Empty weight string empty or preceded by garbage";
        for (word, refusal) in [
            ("257", range),
            ("-1", range),
            ("300x", range),
            ("5x", "Trailing garbage in weight string"),
            ("5%x", "Trailing garbage in weight string"),
            ("-5%", "Relative weight must be positive.\n"),
            ("", garbage),
            ("%", garbage),
            ("x5", garbage),
            ("99999999999999999999", garbage),
        ] {
            assert_eq!(parse_weight(word, 10), Err(refusal), "{word}");
        }
    }
}
