//! `option ...` (HAProxy manual, section 4.2).

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{ForwardFor, HttpConnectionMode, LogFormat};

use super::args::{Args, Modifier};
use super::draft::ProxyDraft;
use super::keyword::Sections;
use super::table::Readers;
use super::tables::NOT_YET;
use crate::codes;
use crate::lexer::Word;
use crate::value::{is_header_name, network, shown, suggest};

pub(super) const READERS: Readers<ProxyDraft> = &[
    ("option forwardfor", forwardfor),
    ("option http-keep-alive", |draft, args| {
        connection(draft, args, HttpConnectionMode::KeepAlive)
    }),
    ("option http-server-close", |draft, args| {
        connection(draft, args, HttpConnectionMode::ServerClose)
    }),
    ("option httpclose", |draft, args| {
        connection(draft, args, HttpConnectionMode::Close)
    }),
    ("option httplog", |draft, args| {
        log_format(draft, args, LogFormat::Http)
    }),
    ("option tcplog", |draft, args| {
        log_format(draft, args, LogFormat::Tcp)
    }),
    ("option dontlognull", |draft, args| {
        draft.settings.proxy.dontlognull = args.modifier == Modifier::None;
        args.end_of_line();
    }),
];

fn forwardfor(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let mut found = ForwardFor {
        header: "x-forwarded-for".into(),
        except: None,
        if_none: false,
    };
    while let Some(word) = args.take() {
        match word.text().as_ref() {
            "except" => {
                let Some(value) = option_value(args, word, "<address>[/mask]") else {
                    continue;
                };
                found.except = network(&value.text());
                if found.except.is_none() {
                    let message =
                        "'option forwardfor except' expects <address>[/mask] as argument.";
                    args.alert(codes::BAD_ADDRESS, value.span, message);
                }
            }
            "header" => {
                let Some(value) = option_value(args, word, "<header_name>") else {
                    continue;
                };
                let name = value.text().to_ascii_lowercase();
                if is_header_name(&name) {
                    found.header = name.into();
                } else {
                    let text = shown(&value.value);
                    let message = format!("'{text}' cannot be a header's name");
                    args.alert(codes::BAD_NAME, value.span, message);
                }
            }
            "if-none" => found.if_none = true,
            _ => {
                let message = "'option forwardfor' only supports optional values: 'except', \
                               'header' and 'if-none'.";
                let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
                args.sink
                    .push(suggest(fault, word, ["except", "header", "if-none"]));
            }
        }
    }
    draft.settings.forwardfor_at = Some(args.head);
    draft.settings.proxy.forwardfor = Some(found);
}

fn option_value<'a>(args: &mut Args<'a>, word: &Word, what: &str) -> Option<&'a Word> {
    let value = args.take();
    if value.is_none() {
        let message = format!(
            "'{} {}' expects {what} as argument.",
            args.name,
            word.text()
        );
        args.alert(codes::MISSING_ARGUMENT, word.span, message);
    }
    value
}

/// Of the three modes the last one given counts; `no` takes back only the one it names.
fn connection(draft: &mut ProxyDraft, args: &mut Args<'_>, mode: HttpConnectionMode) {
    args.end_of_line();
    let current = &mut draft.settings.proxy.http_connection_mode;
    match args.modifier {
        Modifier::None => *current = mode,
        Modifier::No | Modifier::Default if *current == mode => {
            *current = HttpConnectionMode::default();
        }
        Modifier::No | Modifier::Default => {}
    }
}

fn log_format(draft: &mut ProxyDraft, args: &mut Args<'_>, format: LogFormat) {
    if let Some(word) = args.take_if("clf") {
        let what = format!("'{} clf'", args.name);
        args.not_run(word.span, &what, NOT_YET, "leave 'clf' out");
    } else if format == LogFormat::Http
        && let Some(word) = args.peek()
    {
        let message = "keyword 'httplog' only supports option 'clf'.";
        args.alert(codes::BAD_WORD, word.span, message);
    } else {
        args.end_of_line();
    }
    if draft.section == Sections::BACKEND {
        let message = format!(
            "backend '{}' : '{}' directive is ignored in backends.",
            draft.name(),
            args.name
        );
        args.warning(codes::WITHOUT_EFFECT, args.head, message);
        return;
    }
    draft.settings.proxy.log_format = format;
    draft.settings.log_format_at = Some(args.head);
}
