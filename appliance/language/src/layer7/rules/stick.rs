//! Stick tables and sticking (HAProxy manual, sections 4.2 and 11.1).

use std::sync::Arc;
use std::time::Duration;

use lanai_diagnostics::Span;
use lanai_model::layer7::{ServerKey, StickKey, StickRule, StickTable, StickWay, StoredData};

use super::reading::expression;
use super::{Named, Pending};
use crate::codes;
use crate::layer7::acl::{condition, polarity, report};
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::sample::Wants;
use crate::layer7::sample::types::Places;
use crate::lexer::Word;
use crate::suggest::{did_you_mean, nearest};
use crate::value::{self, shown};

pub(super) fn on(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    rule(draft, args, StickWay::On);
}

pub(super) fn matching(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    rule(draft, args, StickWay::Match);
}

pub(super) fn store_request(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    rule(draft, args, StickWay::StoreRequest);
}

pub(super) fn store_response(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    rule(draft, args, StickWay::StoreResponse);
}

fn rule(draft: &mut ProxyDraft, args: &mut Args<'_>, way: StickWay) {
    let Some(word) = args.take() else {
        let message = "'stick' expects a fetch method.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    let response = way == StickWay::StoreResponse;
    let (at, when) = match response {
        true => (Places::BE_STORE, "response"),
        false => (Places::BE_SET_SERVER, "request"),
    };
    let (key, sources, mut references) = match expression(args, word, "sticking rule") {
        Ok(read) => read,
        Err(fault) => {
            report(fault, "'stick'", args.sink);
            args.rest();
            return;
        }
    };
    if sources.places().common(at).is_empty() {
        let message = format!(
            "'stick': fetch method '{}' extracts information from '{sources}', none of which is \
             available during {when}.",
            key.fetch.name
        );
        args.alert(codes::BAD_EXPRESSION, word.span, message);
        args.rest();
        return;
    }
    let mut table = None;
    match args.take_if("table") {
        Some(option) => {
            let Some(name) = args.take() else {
                let message = "'stick': 'table' expects the name of a proxy with a stick table.";
                args.alert(codes::MISSING_ARGUMENT, option.span, message);
                return;
            };
            let wants = Wants::Table(Some(name.text().into_owned()));
            references.push(Pending::named(name, wants, "by a 'stick' rule"));
            table = Some(name.text().as_ref().into());
        }
        None => references.push(Pending::named(
            word,
            Wants::Table(None),
            "by a 'stick' rule",
        )),
    }
    let rules = &mut draft.settings.rules;
    rules.references.append(&mut references);
    let mut when = None;
    if let Some(unless) = polarity(args) {
        let context = "'stick': error detected while parsing sticking condition";
        let Some(read) = condition(rules, args, unless, at, context) else {
            return;
        };
        when = Some(read);
    } else if let Some(word) = args.take() {
        let message = format!("'stick': unknown keyword '{}'.", shown(&word.value));
        args.alert(codes::UNEXPECTED_ARGUMENT, word.span, message);
        args.rest();
        return;
    }
    rules.sets.stick.push(StickRule {
        way,
        key,
        table,
        condition: when,
        origin: args.origin.clone(),
    });
}

/// What of a table's entry a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// A number.
    Plain,
    /// A rate over a period.
    Rate,
    /// Several numbers.
    Array,
    /// Several rates.
    RateArray,
}

/// Data a table can keep (HAProxy manual, section 11.1).
const DATA: &[(&str, Store)] = &[
    ("server_id", Store::Plain),
    ("server_key", Store::Plain),
    ("gpt", Store::Array),
    ("gpt0", Store::Plain),
    ("gpc", Store::Array),
    ("gpc_rate", Store::RateArray),
    ("gpc0", Store::Plain),
    ("gpc0_rate", Store::Rate),
    ("gpc1", Store::Plain),
    ("gpc1_rate", Store::Rate),
    ("conn_cnt", Store::Plain),
    ("conn_cur", Store::Plain),
    ("conn_rate", Store::Rate),
    ("sess_cnt", Store::Plain),
    ("sess_rate", Store::Rate),
    ("http_req_cnt", Store::Plain),
    ("http_req_rate", Store::Rate),
    ("http_err_cnt", Store::Plain),
    ("http_err_rate", Store::Rate),
    ("http_fail_cnt", Store::Plain),
    ("http_fail_rate", Store::Rate),
    ("bytes_in_cnt", Store::Plain),
    ("bytes_in_rate", Store::Rate),
    ("bytes_out_cnt", Store::Plain),
    ("bytes_out_rate", Store::Rate),
    ("glitch_cnt", Store::Plain),
    ("glitch_rate", Store::Rate),
];

/// Elements of an array.
const MOST_ELEMENTS: u32 = 100;

/// Longest keys of these types where nothing is said.
const DEFAULT_LEN: u32 = 32;

/// `stick-table type TYPE size N ...`
pub(super) fn table(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some((table, mentions)) = read_table(args) else {
        return;
    };
    draft.settings.named.extend(mentions.peers);
    let references = &mut draft.settings.rules.references;
    references.extend(mentions.write_to);
    if let Some(before) = draft.settings.table_at.replace(args.head) {
        let message = "stick-table: this proxy has one already.";
        let fault =
            lanai_diagnostics::Diagnostic::alert(codes::ALREADY_SPECIFIED, args.head, message);
        args.sink.push(fault.with_label(before, "first given here"));
        return;
    }
    draft.settings.rules.sets.stick_table = Some(table);
}

/// `table NAME type TYPE size N ...` of a `peers` section.
pub(in crate::layer7) fn shared_table(args: &mut Args<'_>) {
    if args.take().is_none() {
        let message = "'table' expects a name, a type and a size.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    }
    read_table(args);
}

/// What a table names outside of its proxy.
#[derive(Default)]
struct Mentions {
    peers: Option<(Named, Arc<str>, Span)>,
    write_to: Option<Pending>,
}

/// Reads what follows a table's name. What is wrong is reported.
fn read_table(args: &mut Args<'_>) -> Option<(StickTable, Mentions)> {
    let mut key = None;
    let mut size: Option<u32> = None;
    let mut mentions = Mentions::default();
    let mut found = StickTable {
        key: StickKey::Ipv4,
        size: 0,
        expire: None,
        nopurge: false,
        peers: None,
        server_key: ServerKey::default(),
        write_to: None,
        receive_only: false,
        store: Vec::new(),
        origin: args.origin.clone(),
    };
    while let Some(word) = args.take() {
        let read = match word.text().as_ref() {
            "type" => stick_key(args, word).map(|read| key = Some(read)),
            "size" => value_of(args, word).and_then(|value| {
                let read = value::size(&value.text(), 0..=u32::MAX).ok();
                size = Some(read.ok_or_else(|| unreadable(value, "size"))?);
                Ok(())
            }),
            _ => option(args, word, &mut found, &mut mentions),
        };
        if let Err((span, message)) = read {
            args.alert(codes::BAD_WORD, span, format!("stick-table: {message}."));
            args.rest();
            return None;
        }
    }
    let missing = match (size, key) {
        (Some(size), Some(key)) => return Some((StickTable { key, size, ..found }, mentions)),
        (None, _) => "size",
        (Some(_), None) => "type",
    };
    let message = format!("stick-table: missing {missing}.");
    args.alert(codes::MISSING_ARGUMENT, args.head, message);
    None
}

type Faulty<T> = Result<T, (Span, String)>;

/// An option that a table may be without.
fn option(
    args: &mut Args<'_>,
    word: &Word,
    found: &mut StickTable,
    mentions: &mut Mentions,
) -> Faulty<()> {
    match word.text().as_ref() {
        "nopurge" => found.nopurge = true,
        "recv-only" => found.receive_only = true,
        "expire" => {
            let value = value_of(args, word)?;
            let read = value::duration(&value.text()).ok();
            found.expire = Some(read.ok_or_else(|| unreadable(value, "expire"))?);
        }
        "peers" => {
            let value = value_of(args, word)?;
            let name = value.text().as_ref().into();
            mentions.peers = Some((Named::Peers, name, value.span));
            found.peers = Some(value.text().as_ref().into());
        }
        "write-to" => {
            let value = value_of(args, word)?;
            let wants = Wants::Table(Some(value.text().into_owned()));
            mentions.write_to = Some(Pending::named(value, wants, "by 'write-to'"));
            found.write_to = Some(value.text().as_ref().into());
        }
        "srvkey" => {
            let value = value_of(args, word)?;
            found.server_key = match value.text().as_ref() {
                "name" => ServerKey::Name,
                "addr" => ServerKey::Address,
                _ => {
                    let message = format!("unknown server key type '{}'", shown(&value.value));
                    return Err((value.span, message));
                }
            };
        }
        "store" => {
            let value = value_of(args, word)?;
            store(args, value, &mut found.store)?;
        }
        _ => {
            let message = format!("unknown argument '{}'", shown(&word.value));
            return Err((word.span, message));
        }
    }
    Ok(())
}

fn value_of<'a>(args: &mut Args<'a>, option: &Word) -> Faulty<&'a Word> {
    args.take().ok_or_else(|| {
        let message = format!("missing argument after '{}'", option.text());
        (option.span, message)
    })
}

fn unreadable(word: &Word, what: &str) -> (Span, String) {
    let message = format!(
        "unexpected value '{}' in argument of '{what}'",
        shown(&word.value)
    );
    (word.span, message)
}

fn stick_key(args: &mut Args<'_>, option: &Word) -> Faulty<StickKey> {
    let word = args
        .take()
        .ok_or((option.span, "unknown type ''".to_owned()))?;
    let length = |args: &mut Args<'_>| match args.take_if("len") {
        Some(option) => {
            let value = value_of(args, option)?;
            let len = value.text().parse().ok().filter(|len| *len > 0);
            len.ok_or_else(|| unreadable(value, "len"))
        }
        None => Ok(DEFAULT_LEN),
    };
    Ok(match word.text().as_ref() {
        "ip" => StickKey::Ipv4,
        "ipv6" => StickKey::Ipv6,
        "integer" => StickKey::Integer,
        "string" => StickKey::String { len: length(args)? },
        "binary" => StickKey::Binary { len: length(args)? },
        other => {
            let text = shown(other.as_bytes());
            return Err((word.span, format!("unknown type '{text}'")));
        }
    })
}

/// `NAME[(ARGUMENTS)],...`
fn store(args: &mut Args<'_>, word: &Word, found: &mut Vec<StoredData>) -> Faulty<()> {
    let text = word.text().into_owned();
    for item in items(&text) {
        let (name, inner) = match item.split_once('(') {
            Some((name, inner)) => (name, Some(inner.trim_end_matches(')'))),
            None => (item, None),
        };
        let Some((name, kind)) = DATA.iter().find(|(known, _)| *known == name) else {
            let near = nearest(name, DATA.iter().map(|(known, _)| *known));
            let hint = near.map(|near| format!(", {}", did_you_mean(near)));
            let message = format!(
                "unknown store option '{}'{}",
                shown(name.as_bytes()),
                hint.unwrap_or_default()
            );
            return Err((word.span, message));
        };
        let data = stored(name, *kind, inner).map_err(|message| (word.span, message))?;
        if found.iter().any(|other| other.name == data.name) {
            let message = format!("stick-table: store option '{name}' already enabled, ignored.");
            args.warning(codes::PART_WITHOUT_EFFECT, word.span, message);
            continue;
        }
        found.push(data);
    }
    Ok(())
}

/// Cuts at commas outside of parentheses.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
}

fn stored(name: &'static str, kind: Store, inner: Option<&str>) -> Result<StoredData, String> {
    let missing = || format!("missing argument to store option '{name}'");
    let period = |text: &str| -> Result<Option<Duration>, String> {
        let read = value::duration(text).ok().filter(|time| !time.is_zero());
        let message = || format!("error when processing store option '{name}'");
        read.map(Some).ok_or_else(message)
    };
    let elements = |text: &str| -> Result<Option<u32>, String> {
        let read = text.trim().parse().ok();
        let good = read.filter(|count| (1..=MOST_ELEMENTS).contains(count));
        good.map(Some).ok_or_else(|| {
            format!(
                "array size is out of allowed range (1-{MOST_ELEMENTS}) for store option '{name}'"
            )
        })
    };
    let (elements, period) = match (kind, inner) {
        (Store::Plain, None) => (None, None),
        (Store::Plain, Some(_)) => {
            return Err(format!("unexpected argument to store option '{name}'"));
        }
        (Store::Rate, Some(inner)) => (None, period(inner.trim())?),
        (Store::Array, Some(inner)) => (elements(inner)?, None),
        (Store::RateArray, Some(inner)) => match inner.split_once(',') {
            Some((count, time)) => (elements(count)?, period(time.trim())?),
            None => return Err(missing()),
        },
        (_, None) => return Err(missing()),
    };
    Ok(StoredData {
        name,
        elements,
        period,
    })
}
