//! Captures and delays (HAProxy manual, section 4.2).

use lanai_model::layer7::{CaptureCookie, CaptureSlot};

use crate::codes;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::lexer::Word;
use crate::value;

/// `capture cookie NAME len N`
pub(super) fn cookie(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let expects = "'capture' expects 'cookie' <cookie_name> 'len' <len>.";
    let Some((name, len)) = named(args, expects) else {
        return;
    };
    draft.settings.rules.sets.capture_cookie = Some(CaptureCookie {
        name: name.text().as_ref().into(),
        len,
    });
}

/// `capture request header NAME len N`
pub(super) fn request(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(slot) = header(args, "request") {
        draft.settings.rules.sets.request_captures.push(slot);
    }
}

/// `capture response header NAME len N`
pub(super) fn response(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(slot) = header(args, "response") {
        draft.settings.rules.sets.response_captures.push(slot);
    }
}

fn header(args: &mut Args<'_>, side: &str) -> Option<CaptureSlot> {
    let expects = format!("'capture {side}' expects 'header' <header_name> 'len' <len>.");
    if args.take_if("header").is_none() {
        return wrong(args, &expects);
    }
    let (name, len) = named(args, &expects)?;
    Some(CaptureSlot {
        header: Some(name.text().as_ref().into()),
        len,
    })
}

/// `NAME len N` up to the end of the line.
fn named<'a>(args: &mut Args<'a>, expects: &str) -> Option<(&'a Word, u32)> {
    let Some(name) = args.take() else {
        return wrong(args, expects);
    };
    if args.take_if("len").is_none() {
        return wrong(args, expects);
    }
    let Some(word) = args.take() else {
        return wrong(args, expects);
    };
    args.end_of_line();
    let len = args.number(word, 0..=65_535)?;
    Some((name, len))
}

fn wrong<T>(args: &mut Args<'_>, message: &str) -> Option<T> {
    let span = args.peek().map_or(args.end(), |word| word.span);
    args.alert(codes::MISSING_ARGUMENT, span, message);
    args.rest();
    None
}

/// `declare capture {request|response} len N`
pub(super) fn declare(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let response = if args.take_if("request").is_some() {
        false
    } else if args.take_if("response").is_some() {
        true
    } else {
        let message = "'declare capture' requires a direction ('request' or 'response')";
        return wrong(args, message).unwrap_or_default();
    };
    if args.take_if("len").is_none() {
        let message = "'declare capture' requires a capture length ('len')";
        return wrong(args, message).unwrap_or_default();
    }
    let Some(word) = args.require("a length in bytes") else {
        return;
    };
    args.end_of_line();
    let len = word.text().parse().ok().filter(|len| *len > 0);
    let Some(len) = len else {
        args.alert(codes::BAD_NUMBER, word.span, "length must be > 0");
        return;
    };
    let sets = &mut draft.settings.rules.sets;
    let slots = match response {
        true => &mut sets.response_captures,
        false => &mut sets.request_captures,
    };
    slots.push(CaptureSlot { header: None, len });
}

/// `tcp-request inspect-delay TIME`
pub(super) fn request_delay(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    draft.settings.rules.sets.tcp_request_inspect_delay = delay(draft, args);
}

/// `tcp-response inspect-delay TIME`
pub(super) fn response_delay(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    draft.settings.rules.sets.tcp_response_inspect_delay = delay(draft, args);
}

fn delay(draft: &ProxyDraft, args: &mut Args<'_>) -> Option<std::time::Duration> {
    let place = format!("in {} '{}'", draft.kind_word(), draft.name());
    let name = args.name;
    let Some(word) = args.take() else {
        let message = format!("'{name}' expects a positive delay in milliseconds, {place}");
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return None;
    };
    // As in HAProxy, what follows is left alone.
    args.rest();
    match value::duration(&word.text()) {
        Ok(time) => Some(time),
        Err(_) => {
            let message = format!("'{name}' expects a positive delay in milliseconds, {place}");
            args.alert(codes::BAD_NUMBER, word.span, message);
            None
        }
    }
}
