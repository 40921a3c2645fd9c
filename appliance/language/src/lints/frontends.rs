//! What is open to clients.

use lanai_diagnostics::Diagnostic;

use super::book::{Book, Section};
use super::options::{Setting, last, settings};
use crate::codes;
use crate::layer7::Kind;
use crate::lexer::Word;
use crate::line::Statement;

/// The bind lines of a section, each with its addresses and options.
fn binds(section: &Section) -> impl Iterator<Item = (&Word, Vec<Setting<'_>>)> {
    let lines = section.lines.iter().filter(|line| line.starts(&["bind"]));
    lines.filter_map(|line| Some((line.word(1)?, settings(line.from(2), Kind::Bind))))
}

/// With `verify optional` a client without a certificate comes in too; `ssl_c_verify` is 0 for it as
/// for a good one.
pub(super) fn optional_certificate_unused(book: &Book, found: &mut Vec<Diagnostic>) {
    let mut asked = None;
    for section in book.proxies().filter(|section| section.is_front()) {
        for (_, settings) in binds(section) {
            let Some(verify) = last(&settings, "verify") else {
                continue;
            };
            let Some(optional) = verify.values.first().filter(|word| word.is("optional")) else {
                continue;
            };
            if *asked.get_or_insert_with(|| asks_for_certificates(book)) {
                return;
            }
            let message =
                "clients without a certificate come in too, and no rule asks 'ssl_c_used'";
            let warning = Diagnostic::warning(codes::OPTIONAL_CERTIFICATE, optional.span, message);
            found.push(warning.with_help(
                "'ssl_c_verify' is 0 without a certificate as well; ask for both, such as \
                 'http-request deny unless { ssl_c_used } { ssl_c_verify 0 }', or write 'verify required'",
            ));
        }
    }
}

/// Whether any line asks if a client has a certificate.
fn asks_for_certificates(book: &Book) -> bool {
    let lines = book.sections().iter().flat_map(|section| &section.lines);
    lines.flat_map(|line| &line.words).any(|word| {
        ["ssl_c_used", "ssl_fc_has_crt"]
            .iter()
            .any(|fetch| word.text().contains(fetch))
    })
}

/// Ciphers and versions that were given up.
pub(super) fn weak_tls(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.sections() {
        for line in &section.lines {
            for word in tls_words(section, line) {
                let text = word.text();
                let version = weak_version(&text).map(str::to_owned);
                let Some(weak) = version.or_else(|| weak_cipher(&text)) else {
                    continue;
                };
                let message = format!("{weak} is no longer safe");
                let warning = Diagnostic::warning(codes::WEAK_TLS, word.span, message);
                found.push(warning.with_help(
                    "TLS 1.2 with ECDHE and AES-GCM or ChaCha20, and TLS 1.3, are what clients of \
                     today speak: 'ssl-min-ver TLSv1.2'",
                ));
            }
        }
    }
}

/// The values of a line that choose ciphers and versions.
fn tls_words<'a>(section: &'a Section, line: &'a Statement) -> Vec<&'a Word> {
    let (words, kind) = match line.keyword() {
        Some(word) if word.is("bind") => (line.from(2), Kind::Bind),
        Some(word) if word.is("server") => (line.from(3), Kind::Server),
        Some(word) if word.is("default-server") => (line.from(1), Kind::Server),
        Some(word)
            if section.kind == "global"
                && (word.is("ssl-default-bind-ciphers")
                    || word.is("ssl-default-server-ciphers")) =>
        {
            return line.from(1).iter().collect();
        }
        Some(word)
            if section.kind == "global"
                && (word.is("ssl-default-bind-options")
                    || word.is("ssl-default-server-options")) =>
        {
            (line.from(1), Kind::Bind)
        }
        _ => return Vec::new(),
    };
    // Most lines choose neither, and need not be cut into options.
    const STARTS: [&[u8]; 3] = [b"ciphers", b"ssl-m", b"force-"];
    let chooses = |word: &Word| STARTS.iter().any(|start| word.value.starts_with(start));
    if !words.iter().any(chooses) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for setting in settings(words, kind) {
        match setting.word.value.as_slice() {
            b"ciphers" | b"ssl-min-ver" | b"ssl-max-ver" => found.extend(setting.values),
            b"force-tlsv10" | b"force-tlsv11" | b"force-sslv3" => found.push(setting.word),
            _ => {}
        }
    }
    found
}

fn weak_version(word: &str) -> Option<&'static str> {
    match word {
        "SSLv3" | "force-sslv3" => Some("SSL 3.0 (RFC 7568)"),
        "TLSv1.0" | "force-tlsv10" => Some("TLS 1.0 (RFC 8996)"),
        "TLSv1.1" | "force-tlsv11" => Some("TLS 1.1 (RFC 8996)"),
        _ => None,
    }
}

/// The first name of an OpenSSL cipher list that adds something weak. `!` and `-` take away.
fn weak_cipher(list: &str) -> Option<String> {
    let mut names = list.split([':', ',', ' ']);
    let weak = names.find(|name| {
        let adds = !name.starts_with(['!', '-', '+', '@']);
        let parts = name.split(['-', '+']);
        adds && parts.into_iter().any(|part| {
            matches!(
                part,
                "RC4" | "DES" | "3DES" | "MD5" | "NULL" | "eNULL" | "aNULL" | "ADH"
            ) || matches!(part, "EXPORT" | "EXP" | "LOW" | "CBC3")
        })
    })?;
    Some(match weak.contains("RC4") {
        true => "RC4 (RFC 7465)".to_owned(),
        false => format!("'{weak}'"),
    })
}

/// Statistics that everybody may read, or change servers' states with.
pub(super) fn open_statistics(book: &Book, found: &mut Vec<Diagnostic>) {
    for section in book.proxies().filter(|section| section.is_front()) {
        let shown = section
            .lines
            .iter()
            .find(|line| line.starts(&["stats", "enable"]) || line.starts(&["stats", "uri"]));
        let Some(line) = shown else {
            continue;
        };
        let guarded = book.has(section, &["stats", "auth"])
            || book.has(section, &["stats", "http-request"])
            || book.has(section, &["http-request", "auth"])
            || book.has(section, &["http-request", "deny"]);
        if guarded {
            continue;
        }
        let admin = section
            .starting("stats")
            .any(|line| line.starts(&["stats", "admin"]) && line.is_unconditional());
        let what = match admin {
            true => "may stop and start servers",
            false => "can see every server and how it fares",
        };
        let message = format!("everybody who reaches {} {what}", section.called());
        let warning = Diagnostic::warning(codes::OPEN_STATISTICS, line.span(), message);
        found.push(warning.with_help(
            "add 'stats auth USER:PASSWORD', or a rule such as 'stats http-request deny unless { src 10.0.0.0/8 }'",
        ));
    }
}
