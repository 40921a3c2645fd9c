//! Answers in place of our own errors (HAProxy manual, section 4.2).

use lanai_model::layer7::{FileKind, HttpError, HttpErrorAnswer, Reply, ReplyBody};

use super::reading::Reading;
use super::{Named, Sets, answer};
use crate::codes;
use crate::files::Base;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::value::shown;

/// Statuses that there is an error page for.
pub(crate) const STATUSES: [u16; 21] = [
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502,
    503, 504,
];

/// An error may come before there is a response, and in its place.
const ANYWHERE: Places = Places::FE_REQUEST_HEADERS
    .and(Places::BE_REQUEST_HEADERS)
    .and(Places::FE_RESPONSE_HEADERS)
    .and(Places::BE_RESPONSE_HEADERS);

/// `http-error status CODE ...`
pub(super) fn http_error(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let head = args.head;
    let Some(first) = args.peek().filter(|word| word.is("status")) else {
        let message = "http-error : expects at least a <status> as arguments.";
        args.alert(codes::MISSING_ARGUMENT, head, message);
        args.rest();
        return;
    };
    let mut reading = Reading {
        draft,
        args,
        word: first,
        set: Sets::HTTP_RESPONSE,
        places: ANYWHERE,
        context: "http-error".to_owned(),
    };
    let Some(reply) = answer::reply(&mut reading, true) else {
        args.rest();
        return;
    };
    args.end_of_line();
    let Some(status) = reply.status else {
        return;
    };
    add(draft, args, status, HttpErrorAnswer::Reply(reply));
}

/// `errorfile CODE FILE`
pub(super) fn errorfile(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some((status, file)) = pair(args, "<file>") else {
        return;
    };
    args.names_file(FileKind::Page, Base::None, file);
    let body = ReplyBody::ErrorFile(file.path());
    add(
        draft,
        args,
        status,
        HttpErrorAnswer::Reply(reply(status, body)),
    );
}

/// `errorfiles NAME [CODE...]`
pub(super) fn errorfiles(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(name) = args.take() else {
        let message = "errorfiles : expects <name> as argument.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    let named = (Named::HttpErrors, name.text().into(), name.span);
    draft.settings.named.push(named);
    let mut statuses = Vec::new();
    while let Some(word) = args.take() {
        match status(args, word) {
            Some(status) => statuses.push(status),
            None => {
                args.rest();
                return;
            }
        }
    }
    if statuses.is_empty() {
        statuses.extend(STATUSES);
    }
    for status in statuses {
        let body = ReplyBody::ErrorFiles(name.text().as_ref().into());
        add(
            draft,
            args,
            status,
            HttpErrorAnswer::Reply(reply(status, body)),
        );
    }
}

/// `errorloc CODE URL` and `errorloc302 CODE URL`
pub(super) fn errorloc(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    redirect(draft, args, 302);
}

/// `errorloc303 CODE URL`
pub(super) fn errorloc303(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    redirect(draft, args, 303);
}

fn redirect(draft: &mut ProxyDraft, args: &mut Args<'_>, code: u16) {
    let Some((status, url)) = pair(args, "<url>") else {
        return;
    };
    let location = url.text().as_ref().into();
    add(
        draft,
        args,
        status,
        HttpErrorAnswer::Redirect { code, location },
    );
}

/// A status and a value, which are all there is.
fn pair<'a>(args: &mut Args<'a>, what: &str) -> Option<(u16, &'a Word)> {
    let (Some(word), Some(value)) = (args.take(), args.take()) else {
        let message = format!(
            "{} : expects <status_code> and {what} as arguments.",
            args.name
        );
        args.alert(codes::MISSING_ARGUMENT, args.end(), message);
        return None;
    };
    args.end_of_line();
    Some((status(args, word)?, value))
}

fn status(args: &mut Args<'_>, word: &Word) -> Option<u16> {
    let status = word.text().parse().ok();
    let known = status.filter(|status| STATUSES.contains(status));
    if known.is_none() {
        let message = format!(
            "{} : status code '{}' not handled.",
            args.name,
            shown(&word.value)
        );
        args.alert(codes::BAD_NUMBER, word.span, message);
    }
    known
}

fn reply(status: u16, body: ReplyBody) -> Reply {
    Reply {
        status: Some(status),
        content_type: None,
        body,
        headers: Vec::new(),
    }
}

fn add(draft: &mut ProxyDraft, args: &Args<'_>, status: u16, answer: HttpErrorAnswer) {
    draft.settings.rules.sets.http_errors.push(HttpError {
        status,
        answer,
        origin: args.origin.clone(),
    });
}
