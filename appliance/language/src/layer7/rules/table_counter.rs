//! Actions on stick tables: tracking, and what is kept for a tracked key.

use lanai_model::layer7::{Action, Figure};

use super::Pending;
use super::reading::Reading;
use crate::layer7::sample::Wants;
use crate::value::shown;

/// Counters a connection has: `tune.stick-counters` of HAProxy's packages.
const COUNTERS: u8 = 3;

/// Elements of an array of general counters or tags.
const MOST_ELEMENTS: u32 = 100;

pub(super) fn track(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let word = reading.word;
    let text = word.text();
    let number = text.strip_prefix("track-sc").unwrap_or_default();
    // As in HAProxy, no number is the first counter.
    let counter = match number {
        "" => Some(0),
        _ => number.parse().ok(),
    };
    let Some(counter) = counter.filter(|counter| *counter < COUNTERS) else {
        let message = format!(
            "{number} track-sc number exceeding {} (MAX_SESS_STKCTR-1) value",
            COUNTERS - 1
        );
        return reading.fault(word.span, message);
    };
    let key = reading.expression()?;
    let mut table = None;
    let whose = format!("by track-sc{counter}");
    let rules = |reading: &mut Reading<'_, '_>, pending| {
        reading.draft.settings.rules.references.push(pending);
    };
    match reading.args.take_if("table") {
        Some(option) => {
            let name = reading.option(option, "missing table name")?;
            let text = name.text().into_owned();
            table = Some(text.as_str().into());
            let wants = Wants::Table(Some(text));
            let found = Pending::named(name, wants, &whose);
            rules(reading, found);
        }
        None => {
            let wants = Wants::Table(None);
            let found = Pending::named(word, wants, &whose);
            rules(reading, found);
        }
    }
    Some(Action::Track {
        counter,
        key,
        table,
    })
}

/// `sc-inc-gpc` and its like; `index` is in the name of those that have it there.
pub(super) fn increment(reading: &mut Reading<'_, '_>, index: Option<u32>) -> Option<Action> {
    let (index, counter) = place(reading, index, "gpc", "GPC")?;
    Some(Action::AddCounter {
        counter,
        index,
        by: Figure::Constant(1),
    })
}

pub(super) fn add(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let (index, counter) = place(reading, None, "gpc", "GPC")?;
    let by = reading.figure("expects an integer or an expression", |text| {
        text.parse().ok()
    })?;
    Some(Action::AddCounter { counter, index, by })
}

/// `sc-set-gpt` and `sc-set-gpt0`.
pub(super) fn tag(reading: &mut Reading<'_, '_>, first: bool) -> Option<Action> {
    let (index, counter) = place(reading, first.then_some(0), "gpt", "GPT")?;
    let to = reading.figure("expects an integer or an expression", |text| {
        text.parse().ok()
    })?;
    Some(Action::SetTag { counter, index, to })
}

/// Which element, and of which tracked key.
fn place(
    reading: &mut Reading<'_, '_>,
    index: Option<u32>,
    what: &str,
    name: &str,
) -> Option<(u32, u8)> {
    let word = reading.word;
    let whole = shown(&word.value);
    let inner = reading.inner().map(|(inner, _)| inner).unwrap_or_default();
    let inner = String::from_utf8_lossy(inner).into_owned();
    let (index, counter) = match index {
        Some(index) => (Some(index), inner.as_str()),
        None => match inner.split_once(',') {
            Some((index, counter)) => (index.trim().parse().ok(), counter.trim()),
            None => (None, ""),
        },
    };
    let Some(index) = index else {
        let message =
            format!("Missing {what} ID '{whole}'. Expects sc-inc-{what}(<{name} ID>,<Track ID>)");
        return reading.fault(word.span, message);
    };
    if index >= MOST_ELEMENTS {
        let message = format!("invalid {what} ID '{index}', {} at most", MOST_ELEMENTS - 1);
        return reading.fault(word.span, message);
    }
    // As in HAProxy, none is the first tracked key.
    let number = match counter {
        "" if inner.is_empty() => Some(0),
        _ => counter.parse::<u8>().ok(),
    };
    match number {
        Some(counter) if counter < COUNTERS => Some((index, counter)),
        Some(_) => {
            let most = COUNTERS - 1;
            let message = format!("invalid stick table track ID. The max allowed ID is {most}");
            reading.fault(word.span, message)
        }
        None => {
            let message = format!("invalid stick table track ID. Expects {whole}(<Track ID>)");
            reading.fault(word.span, message)
        }
    }
}
