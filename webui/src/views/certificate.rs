//! What a PEM file says of itself. Only certificates are read; a key is seen, never looked at.

use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use crate::page::State;

use super::numbers::instant;

/// Days before the end at which people should act.
const SOON: i64 = 30;

/// The first certificate of a file.
pub(crate) struct Certificate {
    /// Its common name, or its whole subject.
    pub(crate) subject: String,
    /// The names it is good for.
    pub(crate) names: String,
    /// Its end in words.
    pub(crate) expiry: State,
    /// The day of its end.
    pub(crate) expires: String,
}

/// The first certificate in `bytes`, if there is one.
pub(crate) fn certificate(bytes: &[u8], now_ms: i64) -> Option<Certificate> {
    let pem = Pem::iter_from_buffer(bytes)
        .filter_map(Result::ok)
        .find(|pem| pem.label == "CERTIFICATE")?;
    let parsed = pem.parse_x509().ok()?;
    let end_ms = parsed.validity().not_after.timestamp().saturating_mul(1000);
    let common_name = parsed.subject().iter_common_name().next();
    let subject = common_name.and_then(|name| name.as_str().ok());
    Some(Certificate {
        subject: subject.map_or_else(|| parsed.subject().to_string(), str::to_owned),
        names: names(&parsed),
        expiry: expiry(end_ms, now_ms),
        expires: instant(end_ms).when.chars().take(10).collect(),
    })
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return String::new();
    };
    let names = &extension.value.general_names;
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let shown: Vec<&str> = dns.clone().take(5).collect();
    match dns.count().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn expiry(end_ms: i64, now_ms: i64) -> State {
    let days = end_ms.saturating_sub(now_ms) / 86_400_000;
    match days {
        _ if end_ms <= now_ms => State::new("bad", "expired"),
        0 => State::new("bad", "today"),
        1 => State::new("warn", "in 1 day"),
        days if days < SOON => State::new("warn", format!("in {days} days")),
        days if days < 1000 => State::new("good", format!("in {days} days")),
        days => State::new("good", format!("in {} years", days / 365)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_said_in_time() {
        let day = 86_400_000;
        assert_eq!(expiry(0, 1), State::new("bad", "expired"));
        assert_eq!(expiry(day, 1), State::new("bad", "today"));
        assert_eq!(expiry(3 * day, 0), State::new("warn", "in 3 days"));
        assert_eq!(expiry(3651 * day, 0), State::new("good", "in 10 years"));
        assert_eq!(expiry(90 * day, 0), State::new("good", "in 90 days"));
    }

    #[test]
    fn reads_what_is_a_certificate_and_nothing_else() {
        let made = rcgen::generate_simple_self_signed(vec!["www.example.org".to_owned()]).unwrap();
        let both = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem());
        let read = certificate(both.as_bytes(), 0).unwrap();
        assert_eq!(read.names, "www.example.org");
        assert!(certificate(made.signing_key.serialize_pem().as_bytes(), 0).is_none());
        assert!(certificate(b"-----BEGIN CERTIFICATE-----\nAA\n", 0).is_none());
        assert!(certificate(b"\xff\x00", 0).is_none());
    }
}
