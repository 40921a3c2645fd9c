//! Patterns: what a sample is compared with, by the way it is compared.

use std::net::Ipv4Addr;
use std::sync::Arc;

use lanai_model::layer7::{AddressPattern, IntRange, Matching, SampleType, TextMatch};

use crate::layer7::sample::{binary, mask4};
use crate::value::shown;

/// How a sample is compared: the word after `-m`, and three more that only criteria have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Found,
    Bool,
    Int,
    Ip,
    Bin,
    Len,
    Str,
    Beg,
    Sub,
    Dir,
    Dom,
    End,
    Reg,
    Version,
    Method,
    Group,
}

/// A row of the table of words after `-m`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatchWord {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

const fn word(
    name: &'static str,
    kind: Kind,
    since: &'static str,
    about: &'static str,
) -> MatchWord {
    MatchWord {
        name,
        kind,
        since,
        about,
    }
}

/// The words after `-m` (HAProxy manual, section 7.1).
#[rustfmt::skip]
pub(crate) const MATCH_WORDS: &[MatchWord] = &[
    word("found", Kind::Found, "1.5", "True if there is a sample at all."),
    word("bool", Kind::Bool, "1.5", "True if the sample is not zero."),
    word("int", Kind::Int, "1.5", "The sample is a number of the ranges."),
    word("ip", Kind::Ip, "1.5", "The sample is an address of the networks."),
    word("bin", Kind::Bin, "1.5", "The sample is the bytes, written in hexadecimal."),
    word("len", Kind::Len, "1.5", "The sample's length is in the ranges."),
    word("str", Kind::Str, "1.5", "The sample is the text."),
    word("beg", Kind::Beg, "1.5", "The sample begins with the text."),
    word("sub", Kind::Sub, "1.5", "The sample contains the text."),
    word("dir", Kind::Dir, "1.5", "The sample contains the text between slashes."),
    word("dom", Kind::Dom, "1.5", "The sample contains the text between dots."),
    word("end", Kind::End, "1.5", "The sample ends with the text."),
    word("reg", Kind::Reg, "1.5", "The regular expression fits the sample."),
];

impl Kind {
    /// The type of sample that is compared.
    pub(super) fn takes(self) -> SampleType {
        match self {
            Self::Found | Self::Bool | Self::Int | Self::Version => SampleType::Int,
            Self::Ip => SampleType::Addr,
            Self::Bin => SampleType::Bin,
            Self::Method => SampleType::Method,
            _ => SampleType::Str,
        }
    }

    /// How samples of a type are compared where nothing says how.
    pub(super) fn of(sample: SampleType) -> Option<Self> {
        Some(match sample {
            SampleType::Bool => Self::Bool,
            SampleType::Int => Self::Int,
            SampleType::Addr | SampleType::Ipv4 | SampleType::Ipv6 => Self::Ip,
            SampleType::Str => Self::Str,
            _ => return None,
        })
    }

    /// Whether a criterion's own comparison is lost if another is asked for.
    pub(super) fn is_derived(self) -> bool {
        matches!(
            self,
            Self::Beg
                | Self::Dir
                | Self::Dom
                | Self::End
                | Self::Len
                | Self::Reg
                | Self::Sub
                | Self::Method
                | Self::Group
        )
    }

    fn text(self) -> Option<TextMatch> {
        Some(match self {
            Self::Str => TextMatch::Exact,
            Self::Beg => TextMatch::Begins,
            Self::Sub => TextMatch::Contains,
            Self::Dir => TextMatch::Directory,
            Self::Dom => TextMatch::Domain,
            Self::End => TextMatch::Ends,
            _ => return None,
        })
    }
}

/// Comparison operators before numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Operator {
    #[default]
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

fn operator(text: &[u8]) -> Option<Operator> {
    Some(match text {
        b"eq" => Operator::Eq,
        b"ge" => Operator::Ge,
        b"gt" => Operator::Gt,
        b"le" => Operator::Le,
        b"lt" => Operator::Lt,
        _ => return None,
    })
}

/// Reads patterns. The error is what is wrong, and with which of them.
pub(super) fn matching<'a>(
    kind: Kind,
    resolve: bool,
    patterns: impl Iterator<Item = &'a [u8]>,
) -> Result<Matching, (usize, String)> {
    if let Some(how) = kind.text() {
        return Ok(Matching::Text(how, patterns.map(Arc::from).collect()));
    }
    let each = patterns.enumerate();
    Ok(match kind {
        Kind::Found => Matching::Found,
        Kind::Bool => Matching::Bool,
        Kind::Int => Matching::Int(ranges(each, false)?),
        Kind::Version => Matching::Version(ranges(each, true)?),
        Kind::Len => Matching::Length(lengths(each)?),
        Kind::Ip => Matching::Address(all(each, |text| address(text, resolve))?),
        Kind::Bin => Matching::Bytes(all(each, |text| binary(text).map(Arc::from))?),
        Kind::Reg => Matching::Regex(all(each, |text| {
            super::regex::check(text)?;
            Ok(Arc::from(text))
        })?),
        Kind::Method => Matching::Method(all(each, |text| Ok(Arc::from(text)))?),
        _ => Matching::Group(all(each, |text| Ok(Arc::from(text)))?),
    })
}

type Faulty<T> = Result<Vec<T>, (usize, String)>;

fn all<'a, T>(
    patterns: impl Iterator<Item = (usize, &'a [u8])>,
    read: impl Fn(&'a [u8]) -> Result<T, String>,
) -> Faulty<T> {
    patterns
        .map(|(at, text)| read(text).map_err(|message| (at, message)))
        .collect()
}

/// Ranges of numbers, with operators between them that hold for all that follow.
fn ranges<'a>(patterns: impl Iterator<Item = (usize, &'a [u8])>, dotted: bool) -> Faulty<IntRange> {
    let mut found = Vec::new();
    let mut comparison = Operator::default();
    for (at, text) in patterns {
        if let Some(other) = operator(text) {
            comparison = other;
            continue;
        }
        let plain = !text.contains(&b':') && !text.contains(&b'-');
        let read = match plain && comparison != Operator::Eq {
            true => compared(text, comparison, dotted),
            false => range(text, dotted),
        };
        found.push(read.map_err(|message| (at, message))?);
    }
    Ok(found)
}

fn lengths<'a>(patterns: impl Iterator<Item = (usize, &'a [u8])>) -> Faulty<IntRange> {
    ranges(patterns, false)
}

fn compared(text: &[u8], comparison: Operator, dotted: bool) -> Result<IntRange, String> {
    let value = figure(text, dotted).map_err(|fault| match fault {
        Figure::TooLarge(part) => format!("'{}' contains too large a {part} value", shown(text)),
        Figure::NotANumber => format!(
            "'{}' is neither a number nor a supported operator",
            shown(text)
        ),
    })?;
    let (least, most) = match comparison {
        Operator::Eq => (Some(value), Some(value)),
        Operator::Ge => (Some(value), None),
        Operator::Gt => (Some(value.saturating_add(1)), None),
        Operator::Le => (None, Some(value)),
        Operator::Lt => (None, Some(value.saturating_sub(1))),
    };
    Ok(IntRange { least, most })
}

/// `N`, `N:M`, `N:`, `:M`; a dash may stand for the colon.
fn range(text: &[u8], dotted: bool) -> Result<IntRange, String> {
    let bad = || match dotted {
        true => format!("'{}' is not a valid dotted number range", shown(text)),
        false => format!("'{}' is not a valid number range", shown(text)),
    };
    let Some(at) = text.iter().position(|byte| b":-".contains(byte)) else {
        let value = figure(text, dotted).map_err(|_| match (dotted, text.is_empty()) {
            (_, true) => bad(),
            (true, _) => format!("'{}' is not a dotted number", shown(text)),
            (false, _) => format!("'{}' is not a number", shown(text)),
        })?;
        return Ok(IntRange {
            least: Some(value),
            most: Some(value),
        });
    };
    let (low, high) = text.split_at(at);
    let high = high.get(1..).unwrap_or_default();
    let bound = |part: &[u8]| match part.is_empty() {
        true => Ok(None),
        false => figure(part, dotted).map(Some).map_err(|_| bad()),
    };
    let found = IntRange {
        least: bound(low)?,
        most: bound(high)?,
    };
    match (found.least, found.most) {
        (None, None) => Err(bad()),
        (Some(least), Some(most)) if least > most => Err(bad()),
        _ => Ok(found),
    }
}

enum Figure {
    NotANumber,
    /// Which part of it.
    TooLarge(&'static str),
}

fn figure(text: &[u8], dotted: bool) -> Result<i64, Figure> {
    if !dotted {
        return digits(text).ok_or(Figure::NotANumber);
    }
    let at = text.iter().position(|byte| *byte == b'.');
    let (major, minor) = match at {
        Some(at) => text.split_at(at),
        None => (text, &b".0"[..]),
    };
    let major = digits(major).ok_or(Figure::NotANumber)?;
    let minor = digits(minor.get(1..).unwrap_or_default()).ok_or(Figure::NotANumber)?;
    if minor >= 65_536 {
        return Err(Figure::TooLarge("minor"));
    }
    if major >= 65_536 {
        return Err(Figure::TooLarge("major"));
    }
    Ok(major << 16 | minor)
}

/// Decimal digits alone.
fn digits(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

fn address(text: &[u8], resolve: bool) -> Result<AddressPattern, String> {
    let written = String::from_utf8_lossy(text);
    let bad = || format!("'{}' is not a valid IPv4 or IPv6 address", shown(text));
    let (host, mask) = match written.split_once('/') {
        Some((host, mask)) => (host, Some(mask)),
        None => (written.as_ref(), None),
    };
    let four = mask.map_or(Some(Ipv4Addr::BROADCAST), mask4);
    if let Ok(address) = host.parse() {
        let mask = four.ok_or_else(bad)?;
        return Ok(AddressPattern::V4 { address, mask });
    }
    if let Ok(address) = host.parse() {
        let bits = mask.map_or(Ok(128), str::parse).ok();
        let bits = bits.filter(|bits| *bits <= 128).ok_or_else(bad)?;
        return Ok(AddressPattern::V6 { address, bits });
    }
    let name = host.bytes().any(|byte| byte.is_ascii_alphabetic())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match four {
        Some(mask) if resolve && name => Ok(AddressPattern::Name {
            name: host.into(),
            mask,
        }),
        _ => Err(bad()),
    }
}
