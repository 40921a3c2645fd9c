//! Steps of health checks: `http-check` and `tcp-check` (HAProxy manual, section 4.2).

use std::sync::Arc;

use lanai_diagnostics::Span;
use lanai_model::layer7::{
    CheckConnect, CheckRequest, CheckStep, Expression, Figure, Format, FormatItem,
};

use super::Pending;
use super::reading::expression;
use super::sequence::{self, Method, Steps};
use crate::layer7::acl::WordFault;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::format;
use crate::layer7::sample::types::Places;
use crate::layer7::sample::{self, binary};
use crate::lexer::Word;
use crate::value::{Wants, destination, shown};

/// What is wrong, and where.
pub(super) type Faulty<T> = Result<T, WordFault>;

/// The reader of one kind of step.
type Read = fn(&mut ProxyDraft, &mut Args<'_>) -> Faulty<CheckStep>;

/// `http-check STEP ...`
pub(super) fn http(draft: &mut ProxyDraft, args: &mut Args<'_>, read: Read) {
    step(draft, args, Steps::Http, read);
}

/// `tcp-check STEP ...`
pub(super) fn tcp(draft: &mut ProxyDraft, args: &mut Args<'_>, read: Read) {
    step(draft, args, Steps::Tcp, read);
}

fn step(draft: &mut ProxyDraft, args: &mut Args<'_>, which: Steps, read: Read) {
    match read(draft, args) {
        Ok(step) => sequence::add(draft, args, which, step),
        Err(fault) => {
            let context = format!("'{}'", args.name);
            crate::layer7::acl::report(fault, &context, args.sink);
            args.rest();
        }
    }
}

pub(super) fn fault<T>(span: Span, message: impl Into<String>) -> Faulty<T> {
    Err(WordFault::new(span, message))
}

/// The value of an option.
pub(super) fn value<'a>(args: &mut Args<'a>, option: &Word, what: &str) -> Faulty<&'a Word> {
    match args.take() {
        Some(word) => Ok(word),
        None => fault(
            option.span,
            format!("'{}' expects {what} as argument", option.text()),
        ),
    }
}

/// A format in a word.
pub(super) fn lf(draft: &mut ProxyDraft, word: &Word) -> Faulty<Format> {
    let read = format::parse(&word.value, Places::CHECK, false).map_err(|fault| {
        let message = format!(
            "'{}' invalid log-format string ({})",
            shown(&word.value),
            fault.message
        );
        WordFault {
            message,
            ..WordFault::of(word, fault)
        }
    })?;
    let found = Pending::all(word, read.references, "tcp-check rule");
    draft.settings.rules.references.extend(found);
    Ok(read.format)
}

/// Text as a format that gives just that.
pub(super) fn literal(word: &Word) -> Format {
    Format {
        items: vec![FormatItem::Text(word.value.as_slice().into())],
        ..Format::default()
    }
}

/// The next words as an expression.
pub(super) fn sample_of<'a>(
    draft: &mut ProxyDraft,
    args: &mut Args<'a>,
    word: &'a Word,
) -> Faulty<Expression> {
    let (read, sources, mut references) = expression(args, word, "tcp-check rule")?;
    draft.settings.rules.references.append(&mut references);
    match sources.places().common(Places::CHECK).is_empty() {
        true => fault(
            word.span,
            format!(
                "fetch method '{}' extracts information from '{sources}', none of which is \
                 available here",
                read.fetch.name
            ),
        ),
        false => Ok(read),
    }
}

pub(super) fn comment(_: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let Some(word) = args.take() else {
        return fault(args.head, "expects a string as argument");
    };
    // As in HAProxy, what follows is left alone.
    args.rest();
    Ok(CheckStep::Comment(word.text().as_ref().into()))
}

pub(super) fn connect(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let mut found = CheckConnect::default();
    while let Some(word) = args.take() {
        let text = |args: &mut Args<'_>| -> Faulty<Option<Arc<str>>> {
            let value = value(args, word, "a string")?;
            Ok(Some(value.text().as_ref().into()))
        };
        match word.text().as_ref() {
            "default" => found.default = true,
            "send-proxy" => found.send_proxy = true,
            "via-socks4" => found.via_socks4 = true,
            "ssl" => found.ssl = true,
            "linger" => found.linger = true,
            "addr" => found.addr = Some(address(args, word)?),
            "sni" => found.sni = text(args)?,
            "alpn" => found.alpn = text(args)?,
            "proto" => found.proto = text(args)?,
            "comment" => found.comment = text(args)?,
            "port" => {
                let port = value(args, word, "a port number or a sample expression")?;
                found.port = Some(match port.text().parse::<u16>() {
                    Ok(number) if number > 0 => Figure::Constant(number),
                    _ if port.value.iter().all(u8::is_ascii_digit) => {
                        let message = "expects a valid TCP port (from range 1 to 65535)";
                        return fault(port.span, message);
                    }
                    _ => Figure::Expression(sample_of(draft, args, port).map_err(|fault| {
                        let message = format!(
                            "error detected while parsing port expression : {}",
                            fault.message
                        );
                        WordFault { message, ..fault }
                    })?),
                });
            }
            _ => {
                let message = format!(
                    "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn', \
                     'proto', 'via-socks4', 'linger' or 'default' but got '{}' as argument",
                    shown(&word.value)
                );
                return fault(word.span, message);
            }
        }
    }
    Ok(CheckStep::Connect(found))
}

/// The address of a connection, as written.
fn address(args: &mut Args<'_>, option: &Word) -> Faulty<Arc<str>> {
    let word = value(args, option, "an address")?;
    match destination(&word.value, Wants::CHECK) {
        Err(error) => fault(
            word.span_of(error.at),
            format!("'{}' : {}", option.text(), error.message),
        ),
        Ok(_) => Ok(word.text().as_ref().into()),
    }
}

/// `option httpchk ...`
pub(super) fn option_http(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    args.check_rest();
    sequence::option(draft, Method::Http);
}

/// `option tcp-check`
pub(super) fn option_tcp(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    args.check_rest();
    sequence::option(draft, Method::Tcp);
}

/// Another `option` that says how servers are checked.
pub(super) fn option_other(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    args.check_rest();
    sequence::option(draft, Method::Other);
}

/// `http-check send ...`
pub(super) fn send_request(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let mut found = CheckRequest::default();
    while let Some(word) = args.take() {
        match word.text().as_ref() {
            "meth" => {
                let value = value(args, word, "a string")?;
                found.method = Some(value.text().as_ref().into());
            }
            "uri" => found.uri = Some(literal(value(args, word, "a string")?)),
            "uri-lf" => {
                let value = value(args, word, "a string")?;
                found.uri = Some(lf(draft, value)?);
            }
            "ver" => {
                let value = value(args, word, "a string")?;
                found.version = Some(value.text().as_ref().into());
            }
            "hdr" => {
                let (Some(name), Some(value)) = (args.take(), args.take()) else {
                    return fault(word.span, "'hdr' expects <name> and <value> as arguments");
                };
                let value = lf(draft, value)?;
                found.headers.push((name.text().as_ref().into(), value));
            }
            "body" => found.body = Some(literal(value(args, word, "a string")?)),
            "body-lf" => {
                let value = value(args, word, "a string")?;
                found.body = Some(lf(draft, value)?);
            }
            "comment" => {
                let value = value(args, word, "a string")?;
                found.comment = Some(value.text().as_ref().into());
            }
            _ => {
                let message = format!(
                    "expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' \
                     but got '{}' as argument",
                    shown(&word.value)
                );
                return fault(word.span, message);
            }
        }
    }
    Ok(CheckStep::SendRequest(found))
}

/// `tcp-check send`
pub(super) fn send(_: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let data = data(args)?;
    Ok(CheckStep::Send(data.value.as_slice().into()))
}

/// `tcp-check send-binary`
pub(super) fn send_binary(_: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let data = data(args)?;
    match binary(&data.value) {
        Ok(bytes) => Ok(CheckStep::Send(bytes.into())),
        Err(message) => {
            let text = shown(&data.value);
            fault(
                data.span,
                format!("'{text}' invalid binary string ({message})"),
            )
        }
    }
}

/// `tcp-check send-lf`
pub(super) fn send_format(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let data = data(args)?;
    Ok(CheckStep::SendFormat {
        format: lf(draft, data)?,
        hexadecimal: false,
    })
}

/// `tcp-check send-binary-lf`
pub(super) fn send_binary_format(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let data = data(args)?;
    Ok(CheckStep::SendFormat {
        format: lf(draft, data)?,
        hexadecimal: true,
    })
}

/// What is sent, and a comment.
fn data<'a>(args: &mut Args<'a>) -> Faulty<&'a Word> {
    let Some(data) = args.take() else {
        return fault(args.head, "expects a <string> as argument");
    };
    if let Some(option) = args.take() {
        if !option.is("comment") {
            let message = format!(
                "expects 'comment' but got '{}' as argument",
                shown(&option.value)
            );
            return fault(option.span, message);
        }
        value(args, option, "a string")?;
    }
    Ok(data)
}

pub(super) fn set_var(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let variable = variable(args)?;
    let Some(word) = args.take() else {
        return fault(args.end(), "missing fetch method");
    };
    let value = sample_of(draft, args, word)?;
    Ok(CheckStep::SetVar(variable, value))
}

pub(super) fn set_var_format(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let variable = variable(args)?;
    let Some(word) = args.take() else {
        return fault(args.end(), "expects a format");
    };
    let value = lf(draft, word)?;
    Ok(CheckStep::SetVarFormat(variable, value))
}

pub(super) fn unset_var(_: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    let variable = variable(args)?;
    args.rest();
    Ok(CheckStep::UnsetVar(variable))
}

/// The variable in the parentheses of the step's word.
fn variable(args: &Args<'_>) -> Faulty<lanai_model::layer7::Variable> {
    let text = args.keyword.map(|word| word.text()).unwrap_or_default();
    let inner = text
        .split_once('(')
        .and_then(|(_, inner)| inner.strip_suffix(')'))
        .unwrap_or_default();
    let name = inner.split(',').next().unwrap_or_default();
    sample::variable(name.as_bytes()).or_else(|message| fault(args.head, message))
}

/// `http-check disable-on-404`
pub(super) fn disable_on_404(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    args.end_of_line();
    draft.settings.rules.sets.disable_on_404 = true;
}

/// `http-check send-state`
pub(super) fn send_state(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    args.end_of_line();
    draft.settings.rules.sets.send_state = true;
}
