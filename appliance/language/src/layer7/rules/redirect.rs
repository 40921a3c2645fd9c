//! Redirections, as an action and as a line of their own.

use lanai_model::layer7::{Action, Format, Redirect, RedirectCookie, RedirectTarget, Rule};

use super::Pending;
use super::places;
use super::reading::Reading;
use crate::layer7::acl::{WordFault, condition, polarity, report};
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::format;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::value::shown;

/// `http-request redirect ...`
pub(super) fn action(reading: &mut Reading<'_, '_>) -> Option<Action> {
    match read(reading.draft, reading.args, reading.places) {
        Ok(redirect) => Some(Action::Redirect(redirect)),
        Err(fault) => reading.report(fault),
    }
}

/// `redirect ... [{if|unless} CONDITION]`
pub(super) fn line(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let kind = draft.kind_word();
    let context = format!(
        "error detected in {kind} '{}' while parsing redirect rule",
        draft.name()
    );
    let at = places(
        draft,
        Places::FE_REQUEST_HEADERS,
        Places::BE_REQUEST_HEADERS,
    );
    let redirect = match read(draft, args, at) {
        Ok(redirect) => redirect,
        Err(fault) => {
            report(fault, &context, args.sink);
            args.rest();
            return;
        }
    };
    let rules = &mut draft.settings.rules;
    let mut when = None;
    if let Some(unless) = polarity(args) {
        let context = format!("{context} : error in condition");
        let Some(read) = condition(rules, args, unless, at, &context) else {
            return;
        };
        when = Some(read);
    }
    super::order::note(draft, args);
    draft.settings.needs_http.push(("redirect", args.head));
    draft.settings.rules.sets.redirect.push(Rule {
        action: Action::Redirect(redirect),
        condition: when,
        origin: args.origin.clone(),
    });
}

/// Reads a redirection up to its condition.
fn read(draft: &mut ProxyDraft, args: &mut Args<'_>, at: Places) -> Result<Redirect, WordFault> {
    let mut to = None;
    let mut redirect = Redirect {
        to: RedirectTarget::Location(Format::default()),
        code: 302,
        drop_query: false,
        append_slash: false,
        ignore_empty: false,
        keep_query: false,
        cookie: None,
    };
    while let Some(word) = args.peek() {
        if word.is("if") || word.is("unless") {
            break;
        }
        args.take();
        match word.text().as_ref() {
            "location" => to = Some(RedirectTarget::Location(target(draft, args, word, at)?)),
            "prefix" => to = Some(RedirectTarget::Prefix(target(draft, args, word, at)?)),
            "scheme" => to = Some(RedirectTarget::Scheme(target(draft, args, word, at)?)),
            "code" => redirect.code = code(argument(args, word)?)?,
            "drop-query" => redirect.drop_query = true,
            "append-slash" => redirect.append_slash = true,
            "ignore-empty" => redirect.ignore_empty = true,
            "keep-query" => redirect.keep_query = true,
            "set-cookie" | "clear-cookie" => {
                let cookie = argument(args, word)?;
                redirect.cookie = Some(RedirectCookie {
                    cookie: cookie.text().as_ref().into(),
                    clear: word.is("clear-cookie"),
                    format: None,
                });
            }
            "set-cookie-fmt" => {
                let cookie = argument(args, word)?;
                let format = target_of(draft, cookie, at)?;
                redirect.cookie = Some(RedirectCookie {
                    cookie: cookie.text().as_ref().into(),
                    clear: false,
                    format: Some(format),
                });
            }
            _ => {
                let message = format!(
                    "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', \
                     'clear-cookie', 'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' \
                     (was '{}')",
                    shown(&word.value)
                );
                return Err(WordFault::new(word.span, message));
            }
        }
    }
    match to {
        Some(to) => Ok(Redirect { to, ..redirect }),
        None => {
            let message = "redirection type expected ('prefix', 'location', or 'scheme')";
            let place = args.end();
            Err(WordFault::new(place, message))
        }
    }
}

fn argument<'a>(args: &mut Args<'a>, option: &Word) -> Result<&'a Word, WordFault> {
    args.take().ok_or_else(|| {
        let message = format!("missing argument for '{}'", option.text());
        WordFault::new(option.span, message)
    })
}

fn code(word: &Word) -> Result<u16, WordFault> {
    let code = word.text().parse().unwrap_or(0);
    match code {
        301 | 302 | 303 | 307 | 308 => Ok(code),
        _ => {
            let message = format!(
                "'code': unsupported HTTP code '{}' (must be one of 301, 302, 303, 307 or 308)",
                shown(&word.value)
            );
            Err(WordFault::new(word.span, message))
        }
    }
}

fn target(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    option: &Word,
    at: Places,
) -> Result<Format, WordFault> {
    let word = argument(args, option)?;
    target_of(draft, word, at)
}

fn target_of(draft: &mut ProxyDraft, word: &Word, at: Places) -> Result<Format, WordFault> {
    let read = format::parse(&word.value, at, false);
    let read = read.map_err(|fault| WordFault::of(word, fault))?;
    let context = "redirect format string";
    let found = Pending::all(word, read.references, context);
    draft.settings.rules.references.extend(found);
    Ok(read.format)
}
