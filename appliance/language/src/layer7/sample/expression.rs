//! Reading an expression: a fetch, then converters after commas.

use std::ops::Range;

use lanai_model::layer7::{Argument, Call, Expression, SampleType};

use super::argument::{Arguments, arguments};
use super::types::{Cast, Type, cast};
use super::{Fault, Fetch, Reference, check, conversion, converter, fetch, is_name_byte};
use crate::suggest::nearest;
use crate::value::shown;

/// Where an expression ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the end of the text: anything else after a call is a mistake.
    End,
    /// At the first byte that does not belong to it: the caller looks at that byte.
    Anywhere,
}

/// An expression as read.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub(crate) expression: Expression,
    /// The fetch's row.
    pub(crate) fetch: &'static Fetch,
    pub(crate) references: Vec<Reference>,
    /// First byte after it.
    pub(crate) end: usize,
}

/// Reads an expression that starts at a byte of a text.
pub(crate) fn parse(text: &[u8], start: usize, stop: Stop) -> Result<Parsed, Fault> {
    let name = name_at(text, start);
    let word = text.get(name.clone()).unwrap_or_default();
    if word.is_empty() {
        return Err(Fault::new("missing fetch method", start..start));
    }
    let word = String::from_utf8_lossy(word);
    let Some(row) = fetch(&word) else {
        let message = format!("unknown fetch method '{}'", shown(word.as_bytes()));
        let near = nearest(&word, super::all_fetches().map(|row| row.name));
        return Err(Fault {
            near: near.and_then(fetch).map(|row| row.name),
            ..Fault::new(message, name)
        });
    };
    let mut parsed = first(text, name, row, |fault| {
        fault.within(|message| format!("fetch method '{}' : {message}", row.name))
    })?;
    calls(text, &mut parsed, stop)?;
    Ok(parsed)
}

/// Reads the arguments of a fetch whose name, or another name for it, is at a place of a text.
pub(crate) fn first(
    text: &[u8],
    name: Range<usize>,
    row: &'static Fetch,
    wrap: impl FnOnce(Fault) -> Fault,
) -> Result<Parsed, Fault> {
    let owner = format!("sample fetch keyword '{}'", row.name);
    let read = match arguments(text, name.end, row.required, row.arguments, &owner) {
        Ok(read) => read,
        Err(fault) => return Err(wrap(fault)),
    };
    let Arguments {
        mut values,
        places,
        mut references,
        end,
    } = read;
    let check = check::fetch(row.name, &mut values, &mut references, &places);
    check.map_err(|message| {
        let message = format!("invalid args in fetch method '{}' : {message}", row.name);
        Fault::new(message, name.end..end)
    })?;
    Ok(Parsed {
        expression: Expression {
            fetch: Call {
                name: row.name,
                arguments: values,
            },
            converters: Vec::new(),
            gives: row.gives.sample().unwrap_or(SampleType::Any),
        },
        fetch: row,
        references,
        end,
    })
}

/// Reads the converters after a fetch.
pub(crate) fn calls(text: &[u8], parsed: &mut Parsed, stop: Stop) -> Result<(), Fault> {
    let mut last: Option<&'static str> = None;
    loop {
        match text.get(parsed.end) {
            None => return Ok(()),
            Some(b',') => {}
            Some(_) if stop == Stop::Anywhere => return Ok(()),
            Some(_) => {
                let message = match last {
                    Some(name) => format!("missing comma after converter '{name}'"),
                    None => "missing comma after fetch keyword".to_owned(),
                };
                return Err(Fault::new(message, parsed.end..text.len()));
            }
        }
        while text.get(parsed.end) == Some(&b',') {
            parsed.end += 1;
        }
        if parsed.end >= text.len() {
            return Ok(());
        }
        last = Some(call(text, parsed)?);
    }
}

/// Reads the converters that start a text of their own after the expression, and says whether there
/// are any.
pub(crate) fn more(text: &[u8], parsed: &mut Parsed) -> Result<bool, Fault> {
    let name = text.get(name_at(text, 0)).unwrap_or_default();
    if converter(&String::from_utf8_lossy(name)).is_none() {
        return Ok(false);
    }
    parsed.end = 0;
    call(text, parsed)?;
    calls(text, parsed, Stop::End)?;
    Ok(true)
}

/// Reads one converter, and says its name.
fn call(text: &[u8], parsed: &mut Parsed) -> Result<&'static str, Fault> {
    let name = name_at(text, parsed.end);
    let word = text.get(name.clone()).unwrap_or_default();
    let word = String::from_utf8_lossy(word);
    let Some(row) = converter(&word) else {
        let message = format!("unknown converter '{}'", shown(word.as_bytes()));
        let near = nearest(&word, super::all_converters().map(|row| row.name));
        return Err(Fault {
            near: near.and_then(converter).map(|row| row.name),
            ..Fault::new(message, name)
        });
    };
    let before = parsed.expression.gives;
    let takes = row.takes.sample().unwrap_or(before);
    let how = cast(before, takes);
    if how == Cast::Never {
        let message = format!("converter '{}' cannot be applied", row.name);
        return Err(Fault::new(message, name));
    }
    let owner = format!(
        "converter '{}' in sample fetch keyword '{}'",
        row.name, parsed.fetch.name
    );
    if row.arguments.is_empty()
        && text.get(name.end) == Some(&b'(')
        && text.get(name.end + 1) != Some(&b')')
    {
        let message = format!("converter '{}' does not support any args", row.name);
        return Err(Fault::new(message, name.end..text.len()));
    }
    let read = arguments(text, name.end, row.required, row.arguments, &owner).map_err(|fault| {
        fault.within(|message| format!("invalid arg in converter '{}' : {message}", row.name))
    })?;
    let Arguments {
        mut values,
        places,
        mut references,
        end,
    } = read;
    let check = conversion::converter(row.name, &mut values, &mut references, &places);
    check.map_err(|message| {
        let message = format!("invalid args in converter '{}' : {message}", row.name);
        Fault::new(message, name.end..end)
    })?;
    parsed.references.append(&mut references);
    parsed.end = end;
    parsed.expression.gives = match row.gives {
        Type::Same if how == Cast::Free => before,
        Type::Same => takes,
        other => other.sample().unwrap_or(SampleType::Any),
    };
    parsed.expression.converters.push(Call {
        name: row.name,
        arguments: values,
    });
    Ok(row.name)
}

/// The name at a byte of a text; empty where there is none.
pub(crate) fn name_at(text: &[u8], start: usize) -> Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| is_name_byte(byte)).count();
    start..start + length
}

/// Text of an argument; empty if it is none or was left out.
pub(super) fn text_of(arguments: &[Argument], at: usize) -> &[u8] {
    match arguments.get(at) {
        Some(Argument::Text(text)) => text,
        _ => &[],
    }
}
