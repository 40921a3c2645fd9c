//! `option ...` (HAProxy manual, section 4.2).

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{ForwardFor, HttpConnectionMode, LogFormat};

use super::args::{Args, Modifier};
use super::draft::ProxyDraft;
use super::keyword::{Keyword, Sections};
use crate::codes;
use crate::lexer::Word;
use crate::value::{network, shown, suggest};

const FRONT: Sections = Sections::FRONT;
const ALL: Sections = Sections::ALL;

type Row = Keyword<ProxyDraft>;

pub(super) const KEYWORDS: &[Row] = &[
    Row::new(
        "option forwardfor",
        ALL,
        "[except <network>] [header <name>] [if-none]",
        "Tells servers the client's address in a header.",
        forwardfor,
    ),
    Row::new(
        "option http-keep-alive",
        ALL,
        "",
        "Keeps both connections open after a response.",
        |draft, args| connection(draft, args, HttpConnectionMode::KeepAlive),
    )
    .modifiers(),
    Row::new(
        "option http-server-close",
        ALL,
        "",
        "Closes the server's connection after a response, and keeps the client's.",
        |draft, args| connection(draft, args, HttpConnectionMode::ServerClose),
    )
    .modifiers(),
    Row::new(
        "option httpclose",
        ALL,
        "",
        "Closes both connections after a response.",
        |draft, args| connection(draft, args, HttpConnectionMode::Close),
    )
    .modifiers(),
    Row::new(
        "option httplog",
        ALL,
        "",
        "Logs each request with its timers and status.",
        |draft, args| log_format(draft, args, LogFormat::Http),
    ),
    Row::new(
        "option tcplog",
        ALL,
        "",
        "Logs each connection with its timers.",
        |draft, args| log_format(draft, args, LogFormat::Tcp),
    ),
    Row::new(
        "option dontlognull",
        FRONT,
        "",
        "Does not log connections that carried nothing.",
        |draft, args| {
            draft.settings.proxy.dontlognull = args.modifier == Modifier::None;
            args.end_of_line();
        },
    )
    .modifiers(),
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
                if is_token(&name) {
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

/// A token of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
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
        let message = format!("'{} clf' is not supported yet", args.name);
        args.alert(codes::NOT_SUPPORTED_YET, word.span, message);
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
