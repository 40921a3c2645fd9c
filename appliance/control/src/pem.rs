//! What control needs to know of PEM files (RFC 7468): is there a key, is there a certificate, what
//! is its fingerprint.

use rustls_pki_types::pem::{self, SectionKind};

use crate::digest::sha256_hex;

/// Labels of what may be shown to anybody.
const PUBLIC: [&str; 8] = [
    "CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "X509 CERTIFICATE",
    "X509 CRL",
    "CERTIFICATE REQUEST",
    "DH PARAMETERS",
    "EC PARAMETERS",
    "PUBLIC KEY",
];

/// Whether there is a private key in these bytes, or what is left of one.
pub(crate) fn mentions_private_key(bytes: &[u8]) -> bool {
    let needle = b"PRIVATE KEY";
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Whether these bytes are PEM and each section of them may be shown to anybody.
pub(crate) fn is_public(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut labels = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-----BEGIN "))
        .peekable();
    let known = |label: &str| {
        label
            .strip_suffix("-----")
            .is_some_and(|label| PUBLIC.contains(&label))
    };
    labels.peek().is_some() && labels.all(known)
}

/// What a PEM file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Certificates, DER.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// Private keys.
    pub(crate) keys: usize,
    /// A private key is there, and it is locked with a password.
    pub(crate) encrypted: bool,
    /// The first section that is broken, in words.
    pub(crate) broken: Option<String>,
}

/// Reads a PEM file as far as it goes; sections of other kinds are skipped.
pub(crate) fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents {
        encrypted: String::from_utf8_lossy(bytes).contains("ENCRYPTED"),
        ..Contents::default()
    };
    let mut rest = bytes;
    loop {
        match pem::from_buf(&mut rest) {
            Ok(Some((SectionKind::Certificate, der))) => contents.certificates.push(der),
            Ok(Some((
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey,
                _,
            ))) => contents.keys += 1,
            Ok(Some(_)) => {}
            Ok(None) => return contents,
            Err(error) => {
                contents.broken = Some(error.to_string());
                return contents;
            }
        }
    }
}

/// How a file that must not be shown is named in a diff: by the SHA-256 of its first certificate,
/// as browsers show it, or of the whole file if it has none.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    match read(bytes).certificates.first() {
        Some(der) => format!("certificate SHA-256 {}", colons(&sha256_hex(der))),
        None => format!("SHA-256 {}", sha256_hex(bytes)),
    }
}

/// Groups of two digits in capitals.
fn colons(hex: &str) -> String {
    let mut out = String::with_capacity(hex.len() * 3 / 2);
    for (at, digit) in hex.chars().enumerate() {
        if at > 0 && at % 2 == 0 {
            out.push(':');
        }
        out.push(digit.to_ascii_uppercase());
    }
    out
}
