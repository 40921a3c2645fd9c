//! `balance`, `hash-type` and `cookie` (HAProxy manual, section 4.2).

use std::sync::Arc;
use std::time::Duration;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{Balance, CookieMode, HashFunction, HashType, PersistenceCookie};

use super::reading::expression;
use crate::codes;
use crate::layer7::acl::report;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::value::{self, shown, suggest};

const NOT_YET: &str = "it is not built yet";

const ALGORITHMS: [&str; 13] = [
    "roundrobin",
    "static-rr",
    "leastconn",
    "first",
    "source",
    "uri",
    "url_param",
    "hdr",
    "hash",
    "random",
    "rdp-cookie",
    "log-hash",
    "sticky",
];

type Faulty<T> = Result<T, (Span, String)>;

/// `balance ALGORITHM [ARGUMENTS]`
pub(super) fn line(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    // As in HAProxy, nothing is round robin.
    let Some(word) = args.take() else {
        draft.settings.proxy.balance = Balance::RoundRobin;
        return;
    };
    let text = word.text().into_owned();
    let (name, inner) = match text.split_once('(') {
        Some((name, inner)) => (name, Some(inner)),
        None => (text.as_str(), None),
    };
    let read = match name {
        // As in HAProxy, what follows these is left alone.
        "roundrobin" | "static-rr" | "leastconn" | "first" | "source" | "sticky" => {
            args.rest();
            Ok(match name {
                "roundrobin" => Balance::RoundRobin,
                "static-rr" => Balance::StaticRoundRobin,
                "leastconn" => Balance::LeastConnections,
                "first" => Balance::First,
                "source" => Balance::Source,
                _ => Balance::Sticky,
            })
        }
        "uri" => uri(args),
        "url_param" => url_param(args, word),
        "hdr" => hdr(args, word, inner),
        "random" => random(args, word, inner),
        "rdp-cookie" => rdp_cookie(args, word, inner),
        "log-hash" => {
            let words = args.rest().iter();
            let converters: Vec<_> = words.map(|word| word.text().into_owned()).collect();
            Ok(Balance::LogHash(converters.join(" ").as_str().into()))
        }
        "hash" => match hash(draft, args, word) {
            Some(balance) => Ok(balance),
            None => return,
        },
        _ => {
            args.rest();
            let message = format!(
                "balance only supports {} (got '{}')",
                ALGORITHMS.map(|name| format!("'{name}'")).join(", "),
                shown(&word.value)
            );
            let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
            args.sink.push(suggest(fault, word, ALGORITHMS));
            return;
        }
    };
    match read {
        Ok(balance) => {
            if balance != Balance::RoundRobin {
                let instead = "use 'roundrobin', or leave it out";
                args.not_run(word.span, &format!("'balance {name}'"), NOT_YET, instead);
            }
            draft.settings.proxy.balance = balance;
        }
        Err((span, message)) => {
            args.alert(codes::BAD_WORD, span, format!("{message}."));
            args.rest();
        }
    }
}

fn uri(args: &mut Args<'_>) -> Faulty<Balance> {
    let (mut len, mut depth, mut path_only, mut whole) = (None, None, false, false);
    while let Some(word) = args.take() {
        match word.text().as_ref() {
            "whole" => whole = true,
            "path-only" => path_only = true,
            option @ ("len" | "depth") => {
                let value = args.take();
                let text = value.map(|word| word.text()).unwrap_or_default();
                let number = text.parse::<u32>().ok().filter(|number| *number > 0);
                let Some(number) = number else {
                    let span = value.map_or(word.span, |word| word.span);
                    let message = format!(
                        "balance uri : '{option}' expects a positive integer (got '{}')",
                        shown(text.as_bytes())
                    );
                    return Err((span, message));
                };
                match option {
                    "len" => len = Some(number),
                    _ => depth = Some(number),
                }
            }
            _ => {
                let message = format!(
                    "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' \
                     (got '{}')",
                    shown(&word.value)
                );
                return Err((word.span, message));
            }
        }
    }
    Ok(Balance::Uri {
        len,
        depth,
        path_only,
        whole,
    })
}

fn url_param(args: &mut Args<'_>, word: &Word) -> Faulty<Balance> {
    let Some(name) = args.take() else {
        let message = "balance url_param requires an URL parameter name".to_owned();
        return Err((word.span, message));
    };
    let mut check_post = None;
    if let Some(option) = args.take() {
        if !option.is("check_post") {
            let message = format!(
                "balance url_param only accepts 'check_post' modifier (got '{}')",
                shown(&option.value)
            );
            return Err((option.span, message));
        }
        let size = args.take().and_then(|word| word.text().parse().ok());
        check_post = Some(size.unwrap_or(48));
    }
    Ok(Balance::UrlParam {
        name: name.text().as_ref().into(),
        check_post,
    })
}

/// What stands in the parentheses; `None` where they are not closed or empty.
fn closed(inner: Option<&str>) -> Option<&str> {
    inner?.strip_suffix(')').filter(|inner| !inner.is_empty())
}

fn hdr(args: &mut Args<'_>, word: &Word, inner: Option<&str>) -> Faulty<Balance> {
    let Some(name) = closed(inner) else {
        let message = "balance hdr requires an http header field name".to_owned();
        return Err((word.span, message));
    };
    let mut domain_only = false;
    if let Some(option) = args.take() {
        if !option.is("use_domain_only") {
            let message = format!(
                "balance hdr({name}) only accepts 'use_domain_only' modifier (got '{}')",
                shown(&option.value)
            );
            return Err((option.span, message));
        }
        domain_only = true;
    }
    Ok(Balance::Header {
        name: name.into(),
        domain_only,
    })
}

fn random(args: &mut Args<'_>, word: &Word, inner: Option<&str>) -> Faulty<Balance> {
    args.rest();
    let Some(inner) = inner else {
        return Ok(Balance::Random { draws: 2 });
    };
    let draws = inner.strip_suffix(')').and_then(|draws| draws.parse().ok());
    match draws {
        Some(0) => {
            let message = "balance random : number of draws must be at least 1".to_owned();
            Err((word.span, message))
        }
        Some(draws) => Ok(Balance::Random { draws }),
        None => {
            let message = format!(
                "balance random : unexpected argument '{}'",
                shown(inner.as_bytes())
            );
            Err((word.span, message))
        }
    }
}

fn rdp_cookie(args: &mut Args<'_>, word: &Word, inner: Option<&str>) -> Faulty<Balance> {
    args.rest();
    let name = match inner {
        None => "msts",
        Some(_) => match closed(inner) {
            Some(name) => name,
            None => {
                let message = "balance rdp-cookie : missing cookie name".to_owned();
                return Err((word.span, message));
            }
        },
    };
    Ok(Balance::RdpCookie { name: name.into() })
}

fn hash(draft: &mut ProxyDraft, args: &mut Args<'_>, word: &Word) -> Option<Balance> {
    let Some(first) = args.take() else {
        let message = "balance hash : missing sample expression.";
        args.alert(codes::MISSING_ARGUMENT, word.span, message);
        return None;
    };
    let (read, sources, mut references) = match expression(args, first, "balance expression") {
        Ok(read) => read,
        Err(fault) => {
            report(fault, "balance hash", args.sink);
            args.rest();
            return None;
        }
    };
    args.end_of_line();
    if sources.places().common(Places::BE_SET_SERVER).is_empty() {
        let message = format!(
            "balance hash : fetch method '{}' extracts information from '{sources}', none of which \
             is available here.",
            read.fetch.name
        );
        args.alert(codes::BAD_EXPRESSION, first.span, message);
        return None;
    }
    draft.settings.rules.references.append(&mut references);
    Some(Balance::Hash(read))
}

/// `hash-type METHOD [FUNCTION [avalanche]]`
pub(super) fn hash_type(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let expects = "'hash-type' only supports 'consistent' and 'map-based'.";
    let Some(word) = args.take() else {
        args.alert(codes::MISSING_ARGUMENT, args.head, expects);
        return;
    };
    let consistent = match word.text().as_ref() {
        "consistent" => true,
        "map-based" => false,
        _ => {
            let fault = Diagnostic::alert(codes::BAD_WORD, word.span, expects);
            args.sink
                .push(suggest(fault, word, ["consistent", "map-based"]));
            args.rest();
            return;
        }
    };
    let mut function = HashFunction::default();
    if let Some(word) = args.take() {
        function = match word.text().as_ref() {
            "sdbm" => HashFunction::Sdbm,
            "djb2" => HashFunction::Djb2,
            "wt6" => HashFunction::Wt6,
            "crc32" => HashFunction::Crc32,
            "none" => HashFunction::None,
            _ => {
                let message = "'hash-type' only supports 'sdbm', 'djb2', 'crc32', 'wt6' or 'none' \
                               hash functions.";
                let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
                let known = ["sdbm", "djb2", "crc32", "wt6", "none"];
                args.sink.push(suggest(fault, word, known));
                args.rest();
                return;
            }
        };
    }
    let avalanche = args.take_if("avalanche").is_some();
    if let Some(extra) = args.take() {
        let message = "'hash-type' only supports 'avalanche' as a modifier for hash functions.";
        args.alert(codes::UNEXPECTED_ARGUMENT, extra.span, message);
        args.rest();
        return;
    }
    draft.settings.rules.sets.hash_type = Some(HashType {
        consistent,
        function,
        avalanche,
    });
}

/// `cookie NAME [OPTIONS]`
pub(super) fn cookie(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(name) = args.take() else {
        let message = "'cookie' expects <cookie_name> as argument.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    let mut found = PersistenceCookie {
        name: name.text().as_ref().into(),
        mode: CookieMode::default(),
        indirect: false,
        nocache: false,
        postonly: false,
        preserve: false,
        httponly: false,
        secure: false,
        dynamic: false,
        domains: Vec::new(),
        attributes: Vec::new(),
        maxidle: None,
        maxlife: None,
    };
    while let Some(word) = args.take() {
        if let Err((span, message)) = cookie_option(&mut found, args, word) {
            args.alert(codes::BAD_WORD, span, format!("{message}."));
            args.rest();
            return;
        }
    }
    draft.settings.rules.sets.cookie = Some(found);
}

fn cookie_option(found: &mut PersistenceCookie, args: &mut Args<'_>, word: &Word) -> Faulty<()> {
    let mode = |found: &mut PersistenceCookie, mode| match found.mode {
        CookieMode::Passive => {
            found.mode = mode;
            Ok(())
        }
        other if other == mode => Ok(()),
        _ => {
            let message =
                "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible".to_owned();
            Err((word.span, message))
        }
    };
    match word.text().as_ref() {
        "rewrite" => mode(found, CookieMode::Rewrite)?,
        "insert" => mode(found, CookieMode::Insert)?,
        "prefix" => mode(found, CookieMode::Prefix)?,
        "indirect" => found.indirect = true,
        "nocache" => found.nocache = true,
        "postonly" => found.postonly = true,
        "preserve" => found.preserve = true,
        "httponly" => found.httponly = true,
        "secure" => found.secure = true,
        "dynamic" => found.dynamic = true,
        "domain" => {
            let value = option_value(args, word, "<domain>")?;
            let text = value.text();
            if !text.trim_start_matches('.').contains('.') {
                let message = format!(
                    "domain '{}' contains no embedded dot, this configuration may not work \
                     properly (see RFC6265#5.2.3).",
                    shown(&value.value)
                );
                args.warning(codes::PART_WITHOUT_EFFECT, value.span, message);
            }
            found.domains.push(text.as_ref().into());
        }
        "attr" => {
            let value = option_value(args, word, "<value>")?;
            let text: Arc<str> = value.text().as_ref().into();
            if text
                .bytes()
                .any(|byte| byte.is_ascii_control() || byte == b';')
            {
                let message = "character that is a control character or ';' is not permitted in \
                               attribute value"
                    .to_owned();
                return Err((value.span, message));
            }
            found.attributes.push(text);
        }
        "maxidle" => found.maxidle = Some(seconds(args, word, "idletime")?),
        "maxlife" => found.maxlife = Some(seconds(args, word, "lifetime")?),
        _ => {
            let message =
                "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', \
                           'postonly', 'domain', 'maxidle', 'dynamic', 'maxlife' and 'attr' options"
                    .to_owned();
            return Err((word.span, message));
        }
    }
    Ok(())
}

fn option_value<'a>(args: &mut Args<'a>, option: &Word, what: &str) -> Faulty<&'a Word> {
    args.take().ok_or_else(|| {
        let message = format!("'{}' expects {what} as argument", option.text());
        (option.span, message)
    })
}

/// A time of which the unit is seconds where none is written.
fn seconds(args: &mut Args<'_>, option: &Word, what: &str) -> Faulty<Duration> {
    let value = option_value(args, option, &format!("<{what}> in seconds"))?;
    let text = value.text();
    let plain = text.parse::<u64>().ok().map(Duration::from_secs);
    let read = plain.or_else(|| value::duration(&text).ok());
    read.ok_or_else(|| {
        let message = format!(
            "unexpected value '{}' in argument to <{}>",
            shown(&value.value),
            option.text()
        );
        (value.span, message)
    })
}
