//! The validity of the certificates that a configuration names.

use lanai_diagnostics::{Diagnostic, SourceMap};
use lanai_language::{CertificateDates, FileKind, NamedFile};
use lanai_model::layer7::Config;

use crate::check::place;
use crate::pem;

/// Certificates of one file that are looked at: a chain has a few.
const MOST: usize = 32;

/// Warnings about certificates that are not valid at `now_s`, in seconds since 1970, or will not be for
/// long. `read` gives the content of a file that the configuration names; one that is not there is for
/// others to report.
pub fn certificate_dates(
    config: &Config,
    sources: &SourceMap,
    now_s: i64,
    mut read: impl FnMut(&NamedFile) -> Option<Vec<u8>>,
) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let named = lanai_language::files_named(config).into_iter();
    for named in named.filter(|named| named.kind == FileKind::Certificate) {
        let Some(bytes) = read(&named) else {
            continue;
        };
        let place = place(&named, sources);
        let certificates = pem::read(&bytes).certificates;
        for der in certificates.iter().take(MOST) {
            let Ok((_, parsed)) = x509_parser::parse_x509_certificate(der) else {
                continue;
            };
            let common_name = parsed.subject().iter_common_name().next();
            let subject = common_name.and_then(|name| name.as_str().ok());
            all.push(CertificateDates {
                file: named.path.display().to_string(),
                place,
                subject: subject.map_or_else(|| parsed.subject().to_string(), str::to_owned),
                not_before: parsed.validity().not_before.timestamp(),
                not_after: parsed.validity().not_after.timestamp(),
            });
        }
    }
    lanai_language::certificates(&all, now_s, sources)
}
