//! Actions that answer the client.

use lanai_diagnostics::Span;
use lanai_model::layer7::{Action, FileKind, Reply, ReplyBody};

use super::Named;
use super::reading::Reading;
use crate::codes;
use crate::files::Base;
use crate::lexer::Word;
use crate::value::shown;

pub(super) fn deny(reading: &mut Reading<'_, '_>) -> Option<Action> {
    reply(reading, true).map(Action::Deny)
}

pub(super) fn tarpit(reading: &mut Reading<'_, '_>) -> Option<Action> {
    reply(reading, true).map(Action::Tarpit)
}

/// `return`.
pub(super) fn answer(reading: &mut Reading<'_, '_>) -> Option<Action> {
    reply(reading, false).map(Action::Return)
}

pub(super) fn auth(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let realm = match reading.args.take_if("realm") {
        Some(option) => {
            let word = reading.option(option, "missing realm value")?;
            Some(reading.format(word)?)
        }
        None => None,
    };
    Some(Action::Auth { realm })
}

/// Where the body was given.
struct Given {
    keyword: String,
    span: Span,
}

/// Reads an answer. An error has the proxy's error page if nothing else is said.
pub(crate) fn reply(reading: &mut Reading<'_, '_>, error: bool) -> Option<Reply> {
    let mut found = Reply {
        status: None,
        content_type: None,
        body: match error {
            true => ReplyBody::Default,
            false => ReplyBody::Empty,
        },
        headers: Vec::new(),
    };
    let mut given: Option<Given> = None;
    let mut type_at = None;
    while let Some(option) = reading.args.peek() {
        match option.text().as_ref() {
            "status" | "deny_status" => {
                reading.args.take();
                found.status = Some(status(reading, option)?);
            }
            "content-type" => {
                reading.args.take();
                let word = reading.option(option, "'content-type' expects <ctype> as argument")?;
                found.content_type = Some(word.text().as_ref().into());
                type_at = Some(word);
            }
            "hdr" => {
                reading.args.take();
                let expects = "'hdr' expects <name> and <value> as arguments";
                let [name, value] = reading.words(expects)?;
                let value = reading.format(value)?;
                found.headers.push((name.text().as_ref().into(), value));
            }
            keyword @ ("errorfile" | "errorfiles" | "default-errorfiles" | "file" | "string"
            | "lf-file" | "lf-string") => {
                reading.args.take();
                let keyword = keyword.to_owned();
                if let Some(before) = &given {
                    let message = format!(
                        "unexpected '{keyword}' argument, '{}' already defined",
                        before.keyword
                    );
                    return reading.fault(option.span, message);
                }
                found.body = body(reading, option, &keyword)?;
                given = Some(Given {
                    keyword,
                    span: option.span,
                });
            }
            _ => break,
        }
    }
    content_type(reading, &found, given.as_ref(), type_at)?;
    Some(found)
}

fn status(reading: &mut Reading<'_, '_>, option: &Word) -> Option<u16> {
    let expects = format!("'{}' expects <status_code> as argument", option.text());
    let word = reading.option(option, &expects)?;
    let status = word.text().parse().ok();
    match status.filter(|status| (200..=599).contains(status)) {
        Some(status) => Some(status),
        None => {
            let message = format!("Unexpected status code '{}'", shown(&word.value));
            reading.fault(word.span, message)
        }
    }
}

fn body(reading: &mut Reading<'_, '_>, option: &Word, keyword: &str) -> Option<ReplyBody> {
    if keyword == "default-errorfiles" {
        return Some(ReplyBody::Default);
    }
    let what = match keyword {
        "errorfiles" => "<name>",
        "file" => "<file>",
        "string" => "<str>",
        _ => "<fmt>",
    };
    let expects = format!("'{keyword}' expects {what} as argument");
    let word = reading.option(option, &expects)?;
    if matches!(keyword, "errorfile" | "file" | "lf-file") {
        reading.args.names_file(FileKind::Page, Base::None, word);
    }
    Some(match keyword {
        "errorfile" => ReplyBody::ErrorFile(word.path()),
        "errorfiles" => {
            let name = word.text().into();
            reading
                .draft
                .settings
                .named
                .push((Named::HttpErrors, name, word.span));
            ReplyBody::ErrorFiles(word.text().as_ref().into())
        }
        "file" => ReplyBody::File(word.path()),
        "string" => ReplyBody::Text(word.value.as_slice().into()),
        "lf-file" => ReplyBody::FormatFile(word.path()),
        _ => ReplyBody::Format(reading.format(word)?),
    })
}

/// A body needs a type, and a type a body.
fn content_type(
    reading: &mut Reading<'_, '_>,
    found: &Reply,
    given: Option<&Given>,
    type_at: Option<&Word>,
) -> Option<()> {
    let span = given.map_or(reading.word.span, |given| given.span);
    match (&found.body, &found.content_type) {
        (ReplyBody::Format(_) | ReplyBody::FormatFile(_), None) => reading.fault(
            span,
            "a content type must be defined with a log-format payload",
        ),
        (ReplyBody::Text(text), None) if !text.is_empty() => reading.fault(
            span,
            "a content type must be defined when non-empty payload is configured",
        ),
        // Only an empty file needs none, and files are read by whoever prepares the change.
        (ReplyBody::File(_), None) => {
            let message = "a content type must be defined unless the file is empty";
            reading
                .args
                .warning(codes::PART_WITHOUT_EFFECT, span, message);
            Some(())
        }
        (
            ReplyBody::Default
            | ReplyBody::ErrorFile(_)
            | ReplyBody::ErrorFiles(_)
            | ReplyBody::Empty,
            Some(kind),
        ) => {
            let at = type_at.map_or(span, |word| word.span);
            let message = format!(
                "content-type '{kind}' ignored by the http reply because neither errorfile nor \
                 payload defined."
            );
            reading
                .args
                .warning(codes::PART_WITHOUT_EFFECT, at, message);
            Some(())
        }
        _ => Some(()),
    }
}
