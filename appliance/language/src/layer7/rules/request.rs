//! Actions on the start line of messages.

use lanai_model::layer7::{Action, RequestPart, UriNormalizer};

use super::reading::Reading;
use crate::layer7::acl::regex;
use crate::value::shown;

pub(super) fn method(reading: &mut Reading<'_, '_>) -> Option<Action> {
    set(reading, RequestPart::Method)
}

pub(super) fn path(reading: &mut Reading<'_, '_>) -> Option<Action> {
    set(reading, RequestPart::Path)
}

pub(super) fn pathq(reading: &mut Reading<'_, '_>) -> Option<Action> {
    set(reading, RequestPart::PathAndQuery)
}

pub(super) fn query(reading: &mut Reading<'_, '_>) -> Option<Action> {
    set(reading, RequestPart::Query)
}

pub(super) fn uri(reading: &mut Reading<'_, '_>) -> Option<Action> {
    set(reading, RequestPart::Uri)
}

fn set(reading: &mut Reading<'_, '_>, part: RequestPart) -> Option<Action> {
    let [value] = reading.words("expects exactly 1 argument <format>")?;
    Some(Action::SetLine {
        part,
        value: reading.format(value)?,
    })
}

pub(super) fn replace_path(reading: &mut Reading<'_, '_>) -> Option<Action> {
    replace(reading, RequestPart::Path)
}

pub(super) fn replace_pathq(reading: &mut Reading<'_, '_>) -> Option<Action> {
    replace(reading, RequestPart::PathAndQuery)
}

pub(super) fn replace_uri(reading: &mut Reading<'_, '_>) -> Option<Action> {
    replace(reading, RequestPart::Uri)
}

fn replace(reading: &mut Reading<'_, '_>, part: RequestPart) -> Option<Action> {
    let expects = "expects exactly 2 arguments <match-regex> and <replace-format>";
    let [pattern, value] = reading.words(expects)?;
    if let Err(message) = regex::check(&pattern.value) {
        return reading.fault(
            pattern.span,
            format!("failed to parse the regex : {message}"),
        );
    }
    Some(Action::ReplaceLine {
        part,
        regex: pattern.value.as_slice().into(),
        value: reading.format(value)?,
    })
}

pub(super) fn normalize(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [word] = reading.words("missing argument <normalizer>")?;
    let strict = |reading: &mut Reading<'_, '_>, word: &str| reading.args.take_if(word).is_some();
    Some(Action::NormalizeUri(match word.text().as_ref() {
        "fragment-encode" => UriNormalizer::FragmentEncode,
        "fragment-strip" => UriNormalizer::FragmentStrip,
        "path-merge-slashes" => UriNormalizer::MergeSlashes,
        "path-strip-dot" => UriNormalizer::StripDot,
        "path-strip-dotdot" => UriNormalizer::StripDotDot {
            full: strict(reading, "full"),
        },
        "percent-decode-unreserved" => UriNormalizer::DecodeUnreserved {
            strict: strict(reading, "strict"),
        },
        "percent-to-uppercase" => UriNormalizer::PercentUppercase {
            strict: strict(reading, "strict"),
        },
        "query-sort-by-name" => UriNormalizer::SortQuery,
        _ => {
            let message = format!("unknown normalizer '{}'", shown(&word.value));
            return reading.fault(word.span, message);
        }
    }))
}

pub(super) fn status(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>";
    let [word] = reading.words(expects)?;
    let number = word.text().parse().ok();
    let Some(status) = number.filter(|status| (100..=999).contains(status)) else {
        let message = "expects an integer status code between 100 and 999";
        return reading.fault(word.span, message);
    };
    let reason = match reading.args.take_if("reason") {
        Some(option) => {
            let word = reading.option(option, expects)?;
            Some(word.text().as_ref().into())
        }
        None => None,
    };
    Some(Action::SetStatus { status, reason })
}

pub(super) fn strict_mode(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [word] = reading.words("expects exactly 1 arguments")?;
    match word.text().as_ref() {
        "on" => Some(Action::StrictMode(true)),
        "off" => Some(Action::StrictMode(false)),
        _ => {
            let text = shown(&word.value);
            let message = format!("Unexpected value '{text}'. Only 'on' and 'off' are supported");
            reading.fault(word.span, message)
        }
    }
}
