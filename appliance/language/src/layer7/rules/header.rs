//! Actions on headers, and on lists of patterns and maps.

use lanai_model::layer7::{Action, HeaderMatch, HeaderWay};

use super::reading::Reading;
use crate::layer7::acl::regex;
use crate::layer7::sample::pattern_file;
use crate::lexer::Word;
use crate::value::shown;

pub(super) fn add(reading: &mut Reading<'_, '_>) -> Option<Action> {
    header(reading, HeaderWay::Add)
}

pub(super) fn set(reading: &mut Reading<'_, '_>) -> Option<Action> {
    header(reading, HeaderWay::Set)
}

pub(super) fn early_hint(reading: &mut Reading<'_, '_>) -> Option<Action> {
    header(reading, HeaderWay::EarlyHint)
}

fn header(reading: &mut Reading<'_, '_>, way: HeaderWay) -> Option<Action> {
    let [name, value] = reading.words("expects exactly 2 arguments")?;
    Some(Action::Header {
        way,
        name: reading.format(name)?,
        value: reading.format(value)?,
    })
}

/// `add-headers-bin` and `set-headers-bin`.
pub(super) fn headers(reading: &mut Reading<'_, '_>, replace: bool) -> Option<Action> {
    let from = reading.expression()?;
    let prefix = match reading.args.take_if("prefix") {
        Some(option) => {
            let word = reading.option(option, "'prefix' expects a format as argument")?;
            Some(reading.format(word)?)
        }
        None => None,
    };
    Some(Action::Headers {
        replace,
        from,
        prefix,
    })
}

pub(super) fn delete(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [name] = reading.words("expects at least 1 argument")?;
    let name = reading.format(name)?;
    Some(Action::DelHeader {
        name,
        matching: name_match(reading)?,
    })
}

pub(super) fn delete_many(reading: &mut Reading<'_, '_>) -> Option<Action> {
    Some(Action::DelHeaders {
        from: reading.expression()?,
        matching: name_match(reading)?,
    })
}

fn name_match(reading: &mut Reading<'_, '_>) -> Option<HeaderMatch> {
    let Some(flag) = reading.args.take_if("-m") else {
        return Some(HeaderMatch::default());
    };
    let word = reading.option(flag, "-m flag expects exactly 1 argument")?;
    let method = header_match(word);
    if method.is_none() {
        let text = shown(&word.value);
        let message = format!("-m with unsupported matching method '{text}'");
        return reading.fault(word.span, message);
    }
    method
}

/// The method that a word after `-m` names.
pub(super) fn header_match(word: &Word) -> Option<HeaderMatch> {
    Some(match word.text().as_ref() {
        "str" => HeaderMatch::Exact,
        "beg" => HeaderMatch::Begins,
        "end" => HeaderMatch::Ends,
        "sub" => HeaderMatch::Contains,
        "reg" => HeaderMatch::Regex,
        _ => return None,
    })
}

/// `replace-header` and `replace-value`.
pub(super) fn replace(reading: &mut Reading<'_, '_>, each_value: bool) -> Option<Action> {
    let [name, pattern, value] = reading.words("expects exactly 3 arguments")?;
    if let Err(message) = regex::check(&pattern.value) {
        return reading.fault(pattern.span, message);
    }
    Some(Action::ReplaceHeader {
        name: reading.format(name)?,
        regex: pattern.value.as_slice().into(),
        value: reading.format(value)?,
        each_value,
    })
}

/// `add-acl` and `del-acl`.
pub(super) fn change_acl(reading: &mut Reading<'_, '_>, delete: bool) -> Option<Action> {
    let [key] = reading.words("expects exactly 1 arguments")?;
    Some(Action::ChangeAcl {
        delete,
        file: file(reading)?,
        key: reading.format(key)?,
    })
}

pub(super) fn set_map(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [key, value] = reading.words("expects exactly 2 arguments")?;
    Some(Action::ChangeMap {
        file: file(reading)?,
        key: reading.format(key)?,
        value: Some(reading.format(value)?),
    })
}

pub(super) fn delete_map(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [key] = reading.words("expects exactly 1 arguments")?;
    Some(Action::ChangeMap {
        file: file(reading)?,
        key: reading.format(key)?,
        value: None,
    })
}

/// The file in the parentheses of the action.
fn file(reading: &mut Reading<'_, '_>) -> Option<lanai_model::layer7::PatternFile> {
    let Some((name, _)) = reading.inner().filter(|(name, _)| !name.is_empty()) else {
        let message = "the name of a file or list is expected in parentheses after the action";
        return reading.fault(reading.word.span, message);
    };
    // It is filled here: a file is read for it only where something compares with it.
    Some(pattern_file(name))
}
