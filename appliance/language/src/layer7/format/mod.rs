//! Reading log formats (HAProxy manual, section 8.2.6).

pub(crate) mod aliases;

use std::sync::Arc;

use lanai_model::layer7::{
    Format, FormatCast, FormatEncoding, FormatFlags, FormatItem, FormatSource, FormatValue,
};

use super::sample::types::{Places, Sources};
use super::sample::{Fault, Reference, Stop, parse as parse_expression};
use crate::suggest::nearest;
use crate::value::shown;
use aliases::{ALIASES, alias};

/// A format as read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    pub(crate) format: Format,
    pub(crate) references: Vec<Reference>,
    /// What its expressions draw on.
    pub(crate) sources: Option<Sources>,
}

/// Reads a format.
///
/// `at` is where it is evaluated. With `merge`, several spaces are one: in log lines.
pub(crate) fn parse(text: &[u8], at: Places, merge: bool) -> Result<Read, Fault> {
    let mut reading = Reading {
        text,
        places: at,
        found: Read::default(),
        literal: Vec::new(),
        flags: FormatFlags::default(),
        whole: None,
    };
    let mut next = 0;
    while let Some(byte) = text.get(next) {
        next = match byte {
            b'%' => reading.item(next)?,
            b' ' if merge => {
                reading.flush();
                if reading.found.format.items.last() != Some(&FormatItem::Space) {
                    reading.found.format.items.push(FormatItem::Space);
                }
                next + 1
            }
            other => {
                reading.literal.push(*other);
                next + 1
            }
        };
    }
    reading.flush();
    reading.found.format.flags = reading.whole.unwrap_or_default();
    Ok(reading.found)
}

struct Reading<'a> {
    text: &'a [u8],
    places: Places,
    found: Read,
    /// Text that is not yet an item.
    literal: Vec<u8>,
    /// Flags that `%o` has set for what follows.
    flags: FormatFlags,
    /// Flags that all `%o` set.
    whole: Option<FormatFlags>,
}

/// What stands between a percent sign and what it is about.
#[derive(Default)]
struct Modifiers {
    name: Option<Arc<str>>,
    cast: Option<FormatCast>,
    flags: FormatFlags,
    /// What `{...}` holds, if it is there.
    braces: Option<String>,
}

impl Reading<'_> {
    fn flush(&mut self) {
        if !self.literal.is_empty() {
            let text = std::mem::take(&mut self.literal);
            let item = FormatItem::Text(text.into());
            self.found.format.items.push(item);
        }
    }

    /// Reads what follows a percent sign, and says where it ends.
    fn item(&mut self, percent: usize) -> Result<usize, Fault> {
        let mut at = percent + 1;
        let mut modifiers = Modifiers {
            flags: self.flags,
            ..Modifiers::default()
        };
        if self.text.get(at) == Some(&b'(') {
            at = self.name(at + 1, &mut modifiers)?;
        }
        if self.text.get(at) == Some(&b'{') {
            at = self.braces(at + 1, &mut modifiers)?;
        }
        let braces = modifiers.braces.clone();
        match (self.text.get(at), braces) {
            (Some(b'['), _) => self.expression(at + 1, modifiers),
            (Some(letter), None) if letter.is_ascii_alphabetic() => self.alias(at, modifiers),
            (Some(letter), Some(_)) if letter.is_ascii_alphanumeric() => self.alias(at, modifiers),
            (_, Some(braces)) => {
                let message = format!(
                    "parse argument modifier without alias name near '%{{{}}}'",
                    shown(braces.as_bytes())
                );
                Err(Fault::new(message, percent..at))
            }
            (Some(b'%'), None) => {
                self.literal.push(b'%');
                Ok(at + 1)
            }
            (Some(other @ (b' ' | b'\t' | b'0'..=b'9')), None) => {
                let message = format!(
                    "unexpected alias name near '{}' at position {at} line : '{}'. Maybe you want \
                     to write a single '%', use the syntax '%%'",
                    shown(&[*other]),
                    shown(self.text)
                );
                Err(Fault::new(message, percent..at + 1))
            }
            // Before any other byte the percent sign is dropped.
            (Some(_), None) => Ok(at),
            (None, None) => Err(Fault::new("truncated line after '%'", percent..at)),
        }
    }

    /// `(NAME)` or `(NAME:TYPE)`.
    fn name(&mut self, start: usize, modifiers: &mut Modifiers) -> Result<usize, Fault> {
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b')') else {
            let message = format!("truncated line after '{}'", shown(rest));
            return Err(Fault::new(message, start..self.text.len()));
        };
        let inner = rest.get(..length).unwrap_or_default();
        let split = inner.iter().position(|byte| *byte == b':');
        let (name, kind) = match split {
            Some(at) => (inner.get(..at), inner.get(at + 1..)),
            None => (Some(inner), None),
        };
        let name = name.unwrap_or_default();
        let wrong = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'-';
        if let Some(at) = name.iter().position(wrong) {
            let letter = name.get(at..=at).unwrap_or_default();
            let position = start + at;
            let message = format!(
                "invalid character in custom name near '{}' at position {position} line : '{}'",
                shown(letter),
                shown(self.text)
            );
            return Err(Fault::new(message, position..position + 1));
        }
        modifiers.name = (!name.is_empty()).then(|| String::from_utf8_lossy(name).as_ref().into());
        if let Some(kind) = kind {
            modifiers.cast = Some(match kind {
                b"str" => FormatCast::Str,
                b"sint" => FormatCast::Int,
                b"bool" => FormatCast::Bool,
                b"raw" => FormatCast::Raw,
                _ => {
                    let position = start + name.len() + 1;
                    let message = format!(
                        "unexpected output type '{}' at position {position} line : '{}'. Supported \
                         types are: str, sint, bool, raw",
                        shown(kind),
                        shown(self.text)
                    );
                    return Err(Fault::new(message, position..position + kind.len()));
                }
            });
        }
        Ok(start + length + 1)
    }

    /// `{+FLAG,-FLAG}`.
    fn braces(&mut self, start: usize, modifiers: &mut Modifiers) -> Result<usize, Fault> {
        let rest = self.text.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b'}') else {
            let message = format!("truncated line after '{}'", shown(rest));
            return Err(Fault::new(message, start..self.text.len()));
        };
        let inner = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        for flag in inner.split(',') {
            // As in HAProxy, what is no flag is left alone.
            if let Some(name) = flag.rsplit('+').next().filter(|_| flag.contains('+')) {
                set(&mut modifiers.flags, name, true);
            } else if let Some(name) = flag.rsplit('-').next().filter(|_| flag.contains('-')) {
                set(&mut modifiers.flags, name, false);
            }
        }
        modifiers.braces = Some(inner.into_owned());
        Ok(start + length + 1)
    }

    fn alias(&mut self, start: usize, modifiers: Modifiers) -> Result<usize, Fault> {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let end = start + length;
        let name = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        let Some(row) = alias(&name) else {
            let message = format!(
                "no such format alias '{}'. If you wanted to emit the '%' character verbatim, you \
                 need to use '%%'",
                shown(name.as_bytes())
            );
            let near = nearest(&name, ALIASES.iter().map(|row| row.name));
            return Err(Fault {
                near: near.and_then(alias).map(|row| row.name),
                ..Fault::new(message, start..end)
            });
        };
        if row.name == "o" {
            let flags = modifiers.flags;
            self.flags = flags;
            self.whole = Some(match self.whole {
                Some(before) => common(before, flags),
                None => flags,
            });
            return Ok(end);
        }
        self.value(modifiers, FormatSource::Alias(row.name));
        Ok(end)
    }

    fn expression(&mut self, start: usize, modifiers: Modifiers) -> Result<usize, Fault> {
        let rest = || shown(self.text.get(start..).unwrap_or_default());
        let parsed = parse_expression(self.text, start, Stop::Anywhere).map_err(|fault| {
            fault.within(|message| {
                format!("failed to parse sample expression <{}> : {message}", rest())
            })
        })?;
        let sources = parsed.fetch.sources;
        if sources.places().common(self.places).is_empty() {
            let message = format!(
                "sample fetch <{}> may not be reliably used here because it needs '{sources}' which \
                 is not available here",
                rest()
            );
            return Err(Fault::new(message, start..parsed.end));
        }
        match self.text.get(parsed.end) {
            Some(b']') => {}
            other => {
                let read = shown(self.text.get(start..parsed.end).unwrap_or_default());
                let message = match other {
                    Some(found) => {
                        format!(
                            "expected ']' after '{read}', but found '{}'",
                            shown(&[*found])
                        )
                    }
                    None => format!("missing ']' after '{read}'"),
                };
                return Err(Fault::new(message, start..parsed.end));
            }
        }
        self.found.references.extend(parsed.references);
        self.found.sources = Some(match self.found.sources {
            Some(before) => before.and(sources),
            None => sources,
        });
        self.value(modifiers, FormatSource::Sample(parsed.expression));
        Ok(parsed.end + 1)
    }

    fn value(&mut self, modifiers: Modifiers, source: FormatSource) {
        self.flush();
        let item = FormatItem::Value(FormatValue {
            name: modifiers.name,
            cast: modifiers.cast,
            flags: modifiers.flags,
            source,
        });
        self.found.format.items.push(item);
    }
}

fn set(flags: &mut FormatFlags, name: &str, on: bool) {
    let encoding = match name {
        "Q" => return flags.quote = on,
        "X" => return flags.hexadecimal = on,
        "E" => return flags.escape = on,
        "M" => return flags.mandatory = on,
        "bin" => return flags.binary = on,
        "json" => FormatEncoding::Json,
        "cbor" => FormatEncoding::Cbor,
        _ => return,
    };
    if !on {
        flags.encoding = flags.encoding.filter(|current| *current != encoding);
    } else if flags.encoding.is_none() {
        flags.encoding = Some(encoding);
    }
}

fn common(one: FormatFlags, other: FormatFlags) -> FormatFlags {
    FormatFlags {
        quote: one.quote && other.quote,
        hexadecimal: one.hexadecimal && other.hexadecimal,
        escape: one.escape && other.escape,
        mandatory: one.mandatory && other.mandatory,
        binary: one.binary && other.binary,
        encoding: one.encoding.filter(|_| one.encoding == other.encoding),
    }
}

#[cfg(test)]
mod tests;
