//! TLS: settings of the process, and the words that `bind` lines share with them.

use lanai_model::layer7::{SslBindOptions, TlsVersion};

use super::args::Args;
use super::bind;
use super::draft::{BindDraft, GlobalDraft};
use super::table::Readers;
use crate::codes;
use crate::lexer::Word;
use crate::value::{shown, suggest};
use lanai_diagnostics::Diagnostic;

pub(super) const READERS: Readers<GlobalDraft> = &[
    ("ssl-default-bind-options", default_options),
    ("tune.ssl.cachesize", |draft, args| {
        if let Some(size) = args.only_number(0..=i32::MAX.cast_unsigned()) {
            draft.global.tune_ssl_cachesize = Some(size);
        }
    }),
];

/// Takes the value of `ssl-min-ver` or `ssl-max-ver`.
pub(super) fn version(args: &mut Args<'_>) -> Option<TlsVersion> {
    let word = args.value("TLS version (TLSv1.2 or TLSv1.3)")?;
    let text = shown(&word.value);
    if word.is("TLSv1.2") {
        return Some(TlsVersion::Tls12);
    }
    if word.is("TLSv1.3") {
        return Some(TlsVersion::Tls13);
    }
    let old = ["SSLv3", "TLSv1.0", "TLSv1.1"];
    if old.iter().any(|old| word.is(old)) {
        let instead = "write TLSv1.2 or TLSv1.3, or leave it out";
        args.not_run(
            word.span,
            &format!("'{text}'"),
            "RFC 7568 and RFC 8996 forbid it",
            instead,
        );
        return None;
    }
    let message = format!("'{text}' : unknown ssl/tls version");
    let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
    args.sink.push(suggest(fault, word, ["TLSv1.2", "TLSv1.3"]));
    None
}

fn default_options(draft: &mut GlobalDraft, args: &mut Args<'_>) {
    if args.peek().is_none() {
        args.require("an option as an argument");
    }
    while let Some(word) = args.take() {
        if !option(&mut draft.global.ssl_default_bind, word, args) {
            let text = shown(&word.value);
            let message =
                format!("unknown option '{text}' on global statement 'ssl-default-bind-options'.");
            let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
            args.sink
                .push(suggest(fault, word, bind::TABLE.first_words()));
        }
    }
}

/// Reads one option; whether it is one.
fn option<'a>(options: &mut SslBindOptions, word: &'a Word, args: &mut Args<'a>) -> bool {
    match word.text().as_ref() {
        "no-tls-tickets" => options.no_tls_tickets = true,
        "ssl-min-ver" => options.min_version = args.within(word, "ssl-min-ver", version),
        "ssl-max-ver" => options.max_version = args.within(word, "ssl-max-ver", version),
        // Older versions are off in any case.
        "no-sslv3" | "no-tlsv10" | "no-tlsv11" => {}
        "force-sslv3"
        | "force-tlsv10"
        | "force-tlsv11"
        | "force-tlsv12"
        | "force-tlsv13"
        | "no-tlsv12"
        | "no-tlsv13"
        | "tls-tickets"
        | "strict-sni"
        | "no-strict-sni"
        | "prefer-client-ciphers" => {
            if let Some(row) = bind::TABLE.word(word) {
                let name = row.keyword.name;
                args.within(word, name, |args| {
                    row.read_word(&mut BindDraft::default(), args)
                });
            }
        }
        _ => return false,
    }
    true
}
