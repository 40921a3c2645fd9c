//! What a health check expects (HAProxy manual, section 4.2, `http-check expect` and `tcp-check
//! expect`).

use lanai_model::layer7::{
    CheckExpect, CheckPattern, CheckStatuses, CheckStep, Format, HeaderMatch,
};

use super::header::header_match;
use super::steps::{Faulty, fault, lf, literal, sample_of, value};
use crate::layer7::acl::regex;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::sample::binary;
use crate::lexer::Word;
use crate::value::shown;

pub(super) fn http(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    expect(draft, args, true)
}

pub(super) fn tcp(draft: &mut ProxyDraft, args: &mut Args<'_>) -> Faulty<CheckStep> {
    expect(draft, args, false)
}

/// What is read so far.
#[derive(Default)]
struct Found {
    negated: bool,
    pattern: Option<CheckPattern>,
    min_recv: Option<i64>,
    statuses: CheckStatuses,
    on_success: Option<Format>,
    on_error: Option<Format>,
    status_code: Option<lanai_model::layer7::Expression>,
    comment: Option<std::sync::Arc<str>>,
}

fn expect(draft: &mut ProxyDraft, args: &mut Args<'_>, http: bool) -> Faulty<CheckStep> {
    let mut found = Found::default();
    while let Some(word) = args.take() {
        if word.is("!") {
            found.negated = !found.negated;
            continue;
        }
        if option(draft, args, word, &mut found)? {
            continue;
        }
        let text = word.text();
        let name = text.strip_prefix('!').unwrap_or(&text);
        let read = pattern(draft, args, word, name, http)?;
        if found.pattern.is_some() {
            return fault(word.span, "only on pattern expected");
        }
        found.negated ^= name.len() < text.len();
        found.pattern = Some(read);
    }
    let Some(pattern) = found.pattern else {
        return fault(
            args.end(),
            "expects at least a matching pattern as arguments",
        );
    };
    Ok(CheckStep::Expect(CheckExpect {
        negated: found.negated,
        pattern,
        min_recv: found.min_recv,
        statuses: found.statuses,
        on_success: found.on_success,
        on_error: found.on_error,
        status_code: found.status_code,
        comment: found.comment,
    }))
}

/// Reads an option, and says whether the word is one.
fn option(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    word: &Word,
    found: &mut Found,
) -> Faulty<bool> {
    match word.text().as_ref() {
        "comment" => {
            found.comment = Some(value(args, word, "a string")?.text().as_ref().into());
        }
        "min-recv" => {
            let value = value(args, word, "a integer")?;
            // As in HAProxy, what is no number is none.
            found.min_recv = value.text().parse().ok().filter(|bytes| *bytes >= -1);
        }
        "on-success" => {
            let value = value(args, word, "a string")?;
            found.on_success = Some(lf(draft, value)?);
        }
        "on-error" => {
            let value = value(args, word, "a string")?;
            found.on_error = Some(lf(draft, value)?);
        }
        "status-code" => {
            let value = value(args, word, "an expression")?;
            found.status_code = Some(sample_of(draft, args, value)?);
        }
        "ok-status" => {
            let known = ["L4OK", "L6OK", "L7OK", "L7OKC"];
            found.statuses.ok = Some(status(args, word, &known)?);
        }
        "error-status" => {
            let known = ["L4CON", "L6RSP", "L7RSP", "L7STS", "L7OKC"];
            found.statuses.error = Some(status(args, word, &known)?);
        }
        "tout-status" => {
            let known = ["L4TOUT", "L6TOUT", "L7TOUT"];
            found.statuses.timeout = Some(status(args, word, &known)?);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn status(args: &mut Args<'_>, option: &Word, known: &[&str]) -> Faulty<std::sync::Arc<str>> {
    let word = value(args, option, "a status")?;
    if let Some(status) = known.iter().find(|status| word.is(status)) {
        return Ok((*status).into());
    }
    let known: Vec<_> = known.iter().map(|status| format!("'{status}'")).collect();
    let message = format!(
        "'{}' only supports {} status (got '{}')",
        option.text(),
        known.join(", "),
        shown(&word.value)
    );
    fault(word.span, message)
}

fn pattern(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    word: &Word,
    name: &str,
    http: bool,
) -> Faulty<CheckPattern> {
    let known = match name {
        "string" | "rstring" | "string-lf" => true,
        "status" | "rstatus" | "hdr" | "fhdr" => http,
        "binary" | "rbinary" | "binary-lf" => !http,
        _ => false,
    };
    if !known {
        let patterns = match http {
            true => "[!]string, [!]rstring, [!]string-lf, [!]status, [!]rstatus, [!]hdr, [!]fhdr",
            false => "[!]binary, [!]string, [!]rstring, [!]string-lf, [!]rbinary, [!]binary-lf",
        };
        let message = format!(
            "only supports min-recv, {patterns} or comment but got '{}' as argument",
            shown(&word.value)
        );
        return fault(word.span, message);
    }
    if name == "hdr" || name == "fhdr" {
        return header(draft, args, word, name == "fhdr");
    }
    let Some(value) = args.take() else {
        return fault(
            word.span,
            format!("'{name}' expects a <pattern> as argument"),
        );
    };
    let checked = |value: &Word| -> Faulty<std::sync::Arc<[u8]>> {
        match regex::check(&value.value) {
            Ok(()) => Ok(value.value.as_slice().into()),
            Err(message) => fault(value.span, message),
        }
    };
    Ok(match name {
        "string" => CheckPattern::Text(value.value.as_slice().into()),
        "rstring" => CheckPattern::Regex(checked(value)?),
        "rstatus" => CheckPattern::StatusRegex(checked(value)?),
        "rbinary" => CheckPattern::BytesRegex(checked(value)?),
        "string-lf" => CheckPattern::Format(lf(draft, value)?),
        "binary-lf" => CheckPattern::BytesFormat(lf(draft, value)?),
        "binary" => match binary(&value.value) {
            Ok(bytes) => CheckPattern::Bytes(bytes.into()),
            Err(message) => {
                return fault(value.span, format!("invalid binary string ({message})"));
            }
        },
        _ => CheckPattern::Status(statuses(value)?),
    })
}

/// `CODE[-CODE],...`
fn statuses(word: &Word) -> Faulty<Vec<(u16, u16)>> {
    let text = word.text();
    let wrong = text
        .chars()
        .find(|letter| !letter.is_ascii_digit() && *letter != ',' && *letter != '-');
    if let Some(wrong) = wrong {
        let message = format!(
            "invalid character '{}' in the list of status codes",
            wrong.escape_debug()
        );
        return fault(word.span, message);
    }
    let ranges = text.split(',').map(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) if low <= high => Ok((low, high)),
            _ => fault(
                word.span,
                format!("invalid range of status codes '{}'", shown(part.as_bytes())),
            ),
        }
    });
    ranges.collect()
}

/// `{name | name-lf} [-m METHOD] NAME [{value | value-lf} [-m METHOD] VALUE]`
fn header(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    word: &Word,
    whole: bool,
) -> Faulty<CheckPattern> {
    let keyword = word.text();
    let missing =
        format!("'{keyword}' expects at the name keyword as first argument followed by a pattern");
    let Some(option) = one_of(args, ["name", "name-lf"]) else {
        return fault(word.span, missing);
    };
    let (name_match, name) = side(draft, args, word, option, &missing)?;
    let missing = format!("'{keyword}' expect a pattern with the value keyword");
    let value = match one_of(args, ["value", "value-lf"]) {
        Some(option) => Some(side(draft, args, word, option, &missing)?),
        None => None,
    };
    Ok(CheckPattern::Header {
        whole,
        name_match,
        name,
        value,
    })
}

fn one_of<'a>(args: &mut Args<'a>, options: [&str; 2]) -> Option<&'a Word> {
    options.into_iter().find_map(|option| args.take_if(option))
}

/// A header's name or value: how it is compared, and with what.
fn side(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    word: &Word,
    option: &Word,
    missing: &str,
) -> Faulty<(HeaderMatch, Format)> {
    let how = how(args, word)?;
    let Some(text) = args.take() else {
        return fault(option.span, missing);
    };
    let is_format = option.text().ends_with("-lf");
    if how == HeaderMatch::Regex {
        if is_format {
            let message = format!(
                "'{}': log-format string is not supported with a regex matching method",
                word.text()
            );
            return fault(text.span, message);
        }
        regex::check(&text.value).or_else(|message| fault(text.span, message))?;
    }
    let pattern = match is_format {
        true => lf(draft, text)?,
        false => literal(text),
    };
    Ok((how, pattern))
}

fn how(args: &mut Args<'_>, word: &Word) -> Faulty<HeaderMatch> {
    let Some(flag) = args.take_if("-m") else {
        return Ok(HeaderMatch::default());
    };
    let keyword = word.text();
    let Some(method) = args.take() else {
        let message = format!(
            "'{keyword}' : '-m' expects at a matching pattern ('str', 'beg', 'end', 'sub' or 'reg')"
        );
        return fault(flag.span, message);
    };
    header_match(method).map_or_else(
        || {
            let message = format!(
                "'{keyword}' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '{}')",
                shown(&method.value)
            );
            fault(method.span, message)
        },
        Ok,
    )
}
