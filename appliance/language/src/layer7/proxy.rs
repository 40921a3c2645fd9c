//! Keywords of proxies that belong to no larger area (HAProxy manual, section 4.2).

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{HttpReuse, Mode};

use super::args::Args;
use super::draft::ProxyDraft;
use super::global::MOST_CONNECTIONS;
use super::table::Readers;
use super::tables::NOT_YET;
use crate::codes;
use crate::value::{shown, suggest};

pub(super) const READERS: Readers<ProxyDraft> = &[
    ("mode", mode),
    ("default_backend", default_backend),
    ("maxconn", |draft, args| {
        if let Some(maxconn) = args.only_number(0..=MOST_CONNECTIONS) {
            draft.settings.proxy.maxconn = (maxconn > 0).then_some(maxconn);
        }
    }),
    ("backlog", |draft, args| {
        if let Some(backlog) = args.only_number(0..=MOST_CONNECTIONS) {
            draft.settings.proxy.backlog = (backlog > 0).then_some(backlog);
        }
    }),
    ("retries", |draft, args| {
        if let Some(retries) = args.only_number(0..=MOST_CONNECTIONS) {
            draft.settings.proxy.retries = Some(retries);
        }
    }),
    ("http-reuse", http_reuse),
];

fn mode(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let word = args.peek();
    let text = word.map(|word| word.text()).unwrap_or_default();
    if matches!(text.as_ref(), "log" | "spop") {
        args.check_rest();
        let what = format!("'mode {text}'");
        args.not_run(args.head, &what, NOT_YET, "use 'tcp' or 'http'");
        return;
    }
    let mode = match text.as_ref() {
        "http" => Mode::Http,
        "tcp" => Mode::Tcp,
        _ => {
            let span = word.map_or(args.head, |word| word.span);
            let message = format!("unknown proxy mode '{}'.", shown(text.as_bytes()));
            let fault = Diagnostic::alert(codes::BAD_WORD, span, message);
            let fault = match word {
                Some(word) => suggest(fault, word, ["http", "tcp"]),
                None => fault.with_help("write 'mode http' or 'mode tcp'"),
            };
            args.sink.push(fault);
            return;
        }
    };
    args.take();
    args.end_of_line();
    draft.settings.proxy.mode = mode;
    draft.settings.mode_at = Some(args.head);
}

fn default_backend(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(name) = args.require("a backend name") {
        args.end_of_line();
        draft.settings.default_backend = Some((name.text().into(), name.span));
    }
}

fn http_reuse(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(word) = args.require("'never', 'safe', 'aggressive' or 'always'") else {
        return;
    };
    args.end_of_line();
    let found = args.one_of(
        word,
        &[
            ("never", HttpReuse::Never),
            ("safe", HttpReuse::Safe),
            ("aggressive", HttpReuse::Aggressive),
            ("always", HttpReuse::Always),
        ],
    );
    if let Some(reuse) = found {
        draft.settings.proxy.http_reuse = reuse;
    }
}
