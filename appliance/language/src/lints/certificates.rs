//! Certificates that are no longer, or not yet, valid. Who reads files says what is in them.

use lanai_diagnostics::{Diagnostic, SourceMap, Span};

use super::silence;
use crate::codes;
use crate::tree::Dialect;

/// The validity of a certificate in a file that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDates {
    /// The file, as the configuration names it.
    pub file: String,
    /// Where the configuration names it.
    pub place: Span,
    /// Who it is for, as the certificate says.
    pub subject: String,
    /// First second of its validity, in seconds since 1970.
    pub not_before: i64,
    /// Last second of its validity.
    pub not_after: i64,
}

/// Days before the end at which it is time to renew.
const SOON: i64 = 14;

const DAY: i64 = 86_400;

/// Warnings about certificates at a time, in seconds since 1970; `sources` are the texts that name them.
pub fn certificates(all: &[CertificateDates], now: i64, sources: &SourceMap) -> Vec<Diagnostic> {
    let warnings = all.iter().filter_map(|one| {
        let (when, help) = if one.not_after < now {
            let days = now.saturating_sub(one.not_after) / DAY;
            (
                format!("expired {}", ago(days)),
                "browsers refuse it: put a new one in its place",
            )
        } else if one.not_before > now {
            let days = one.not_before.saturating_sub(now) / DAY;
            (
                format!("is not valid yet, {}", ahead(days)),
                "is the clock of this box right?",
            )
        } else if one.not_after.saturating_sub(now) < SOON * DAY {
            let days = one.not_after.saturating_sub(now) / DAY;
            (format!("expires {}", ahead(days)), "it is time to renew it")
        } else {
            return None;
        };
        let message = format!(
            "the certificate of '{}' in '{}' {when}",
            one.subject, one.file
        );
        let warning = Diagnostic::warning(codes::CERTIFICATE_DATES, one.place, message);
        Some(warning.with_help(help))
    });
    let mut found = warnings.collect();
    silence::quieten(&mut found, sources, Dialect::Layer7);
    found
}

fn ago(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn ahead(days: i64) -> String {
    match days {
        0 => "within a day".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    }
}
