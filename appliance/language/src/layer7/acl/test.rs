//! One test: a criterion or an expression, flags, and patterns.

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::Origin;
use lanai_model::layer7::{SampleType, Test};

use super::criteria::{Criterion, criterion};
use super::pattern::{Kind, MATCH_WORDS, matching};
use super::{Reach, Read, WordFault};
use crate::codes;
use crate::layer7::rules::Pending;
use crate::layer7::sample::types::{Cast, cast};
use crate::layer7::sample::{
    self, Parsed, Stop, Wants, calls, fetch, first, name_at, parse, pattern_file,
};
use crate::lexer::Word;
use crate::outcome::Sink;
use crate::suggest::nearest;
use crate::value::shown;

/// A row of the table of flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) argument: &'static str,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

/// Flags before the patterns (HAProxy manual, section 7.1).
#[rustfmt::skip]
pub(crate) const FLAGS: &[Flag] = &[
    Flag { name: "-i", argument: "", since: "1.3", about: "Letters of either case are the same in all patterns." },
    Flag { name: "-f", argument: "<file>", since: "1.4", about: "Reads patterns from a file, one a line." },
    Flag { name: "-m", argument: "<method>", since: "1.5", about: "Says how patterns are compared." },
    Flag { name: "-M", argument: "", since: "1.6", about: "The file after -f is a map, of which the keys are taken." },
    Flag { name: "-n", argument: "", since: "1.5", about: "Names of hosts are not resolved." },
    Flag { name: "-u", argument: "<number>", since: "1.5", about: "Number of the list of patterns for the runtime API." },
    Flag { name: "--", argument: "", since: "1.3", about: "What follows are patterns, even if it looks like a flag." },
];

#[derive(Default)]
struct Flags {
    ignore_case: bool,
    no_resolving: bool,
    files_are_maps: bool,
    forced: bool,
    id: Option<u32>,
    files: Vec<lanai_model::layer7::PatternFile>,
    references: Vec<Pending>,
}

/// Reads a test. `place` stands for words that are missing.
pub(super) fn test(
    words: &[Word],
    place: Span,
    origin: &Origin,
    sink: &mut Sink,
) -> Result<Read, WordFault> {
    let Some((subject, rest)) = words.split_first() else {
        let message = "missing fetch method in ACL expression ''";
        return Err(WordFault::new(place, message));
    };
    let (mut parsed, criterion) = self::subject(subject)?;
    let spaced = match criterion {
        Some(_) => Vec::new(),
        None => spaced(&mut parsed, rest, sink)?,
    };
    let gives = parsed.expression.gives;
    let keyword = criterion.map_or(parsed.fetch.name, |row| row.name);
    // A criterion's way to compare holds for what it fetches, not for what is made of it.
    let derived = criterion.filter(|_| parsed.expression.converters.is_empty());
    let mut kind = derived.map(|row| row.kind).or_else(|| Kind::of(gives));
    if kind.is_some() && gives != SampleType::Bool && rest.is_empty() {
        no_pattern(subject, keyword, sink);
    }
    let mut flags = Flags::default();
    let patterns = self::flags(rest, keyword, gives, &mut kind, &mut flags)?;
    let Some(kind) = kind else {
        return Err(WordFault::new(subject.span, unspecified(keyword)));
    };
    if let Some(row) = criterion
        && row.kind.is_derived()
        && (row.kind != kind || derived.is_none())
    {
        let message = format!(
            "original matching method '{}' was overwritten and will not be applied as expected.",
            row.name
        );
        sink.warning(codes::PART_WITHOUT_EFFECT, subject.span, message);
    }
    let values = patterns.iter().map(|word| word.value.as_slice());
    let matching = matching(kind, !flags.no_resolving, values).map_err(|(at, message)| {
        WordFault::new(patterns.get(at).map_or(place, |word| word.span), message)
    })?;
    let whose = |whose: String| match criterion {
        Some(row) => whose.replace(
            &format!("sample fetch keyword '{}'", parsed.fetch.name),
            &format!("ACL keyword '{}'", row.name),
        ),
        None => whose,
    };
    let mut references = flags.references;
    references.extend(spaced);
    references.extend(
        Pending::all(subject, parsed.references, "").map(|mut pending| {
            pending.whose = whose(pending.whose);
            pending
        }),
    );
    Ok(Read {
        test: Arc::new(Test {
            expression: parsed.expression,
            matching,
            ignore_case: flags.ignore_case,
            files: flags.files,
            files_are_maps: flags.files_are_maps,
            id: flags.id,
            origin: origin.clone(),
        }),
        reach: Reach {
            sources: parsed.fetch.sources,
            places: parsed.fetch.sources.places(),
            keyword,
        },
        references,
    })
}

/// The criterion or expression that a test starts with.
fn subject(word: &Word) -> Result<(Parsed, Option<&'static Criterion>), WordFault> {
    let text = word.value.as_slice();
    let name = name_at(text, 0);
    let name_text = String::from_utf8_lossy(text.get(name.clone()).unwrap_or_default());
    let Some(row) = criterion(&name_text) else {
        return match parse(text, 0, Stop::End) {
            Ok(parsed) => Ok((parsed, None)),
            Err(mut fault) => {
                let criteria = super::criteria::CRITERIA.iter().map(|row| row.name);
                if fault.near.is_none() && fetch(&name_text).is_none() {
                    fault.near = nearest(&name_text, criteria)
                        .and_then(criterion)
                        .map(|row| row.name);
                }
                let message = format!("{} in ACL expression '{}'", fault.message, shown(text));
                Err(WordFault::of(word, fault.within(|_| message)))
            }
        };
    };
    let Some(fetch) = fetch(row.fetch) else {
        let message = format!("unknown fetch method '{}'", row.fetch);
        return Err(WordFault::new(word.span, message));
    };
    let wrap = |fault: sample::Fault| {
        fault.within(|message| format!("ACL keyword '{}' : {message}", row.name))
    };
    let read = first(text, name, fetch, |fault| fault)
        .and_then(|mut parsed| calls(text, &mut parsed, Stop::End).map(|()| parsed));
    match read {
        Ok(parsed) => Ok((parsed, Some(row))),
        Err(fault) => Err(WordFault::of(word, wrap(fault))),
    }
}

fn no_pattern(subject: &Word, keyword: &str, sink: &mut Sink) {
    let message =
        format!("no pattern to match against was given for '{keyword}': it never matches");
    let fault = Diagnostic::warning(codes::PART_WITHOUT_EFFECT, subject.span, message);
    sink.push(fault.with_help(
        "add a pattern; '-m found' matches if it is there at all, '-m bool' if it is not zero, \
         '--' if never is what you want",
    ));
}

/// Converters after a space. As in HAProxy they belong to an expression, and are patterns as well.
fn spaced(parsed: &mut Parsed, words: &[Word], sink: &mut Sink) -> Result<Vec<Pending>, WordFault> {
    let mut found = std::mem::take(&mut parsed.references);
    let mut references = Vec::new();
    for word in words {
        match sample::more(&word.value, parsed) {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => return Err(WordFault::of(word, fault)),
        }
        let more = std::mem::take(&mut parsed.references);
        references.extend(Pending::all(word, more, ""));
        let text = shown(&word.value);
        let message = format!("'{text}' after a space is a converter, and a pattern as well");
        let fault = Diagnostic::warning(codes::PART_WITHOUT_EFFECT, word.span, message);
        sink.push(fault.with_help(
            "write the converter right after the comma; for the pattern alone write '--' before it",
        ));
    }
    parsed.references.append(&mut found);
    Ok(references)
}

fn unspecified(keyword: &str) -> String {
    format!(
        "matching method must be specified first (using '-m') when using a sample fetch of this \
         type ('{keyword}')"
    )
}

/// Reads flags, and says what follows them.
fn flags<'a>(
    mut words: &'a [Word],
    keyword: &str,
    gives: SampleType,
    kind: &mut Option<Kind>,
    found: &mut Flags,
) -> Result<&'a [Word], WordFault> {
    while let Some((flag, rest)) = words.split_first() {
        if flag.value.first() != Some(&b'-') {
            break;
        }
        words = rest;
        match flag.value.as_slice() {
            b"--" => break,
            b"-i" => found.ignore_case = true,
            b"-n" => found.no_resolving = true,
            b"-M" => found.files_are_maps = true,
            b"-u" => {
                let id = words.first().and_then(|word| word.text().parse().ok());
                let Some(id) = id else {
                    let span = words.first().map_or(flag.span, |word| word.span);
                    let message = "the argument of -u must be an integer";
                    return Err(WordFault::new(span, message));
                };
                found.id = Some(id);
                words = words.get(1..).unwrap_or_default();
            }
            b"-f" => {
                if kind.is_none() {
                    return Err(WordFault::new(flag.span, unspecified(keyword)));
                }
                let Some((file, rest)) = words.split_first() else {
                    let message = "failed to open pattern file <>";
                    return Err(WordFault::new(flag.span, message));
                };
                let source = pattern_file(&file.value);
                let wants = Wants::Patterns(source.clone());
                let whose = "by -f";
                found.references.push(Pending::named(file, wants, whose));
                found.files.push(source);
                words = rest;
            }
            b"-m" => {
                *kind = Some(self::kind(flag, words.first(), keyword, gives, found)?);
                words = words.get(1..).unwrap_or_default();
            }
            _ => {
                let message = format!(
                    "'{}' is not a valid ACL option. Please use '--' before any pattern beginning \
                     with a '-'",
                    shown(&flag.value)
                );
                return Err(WordFault::new(flag.span, message));
            }
        }
    }
    Ok(words)
}

/// The word after `-m`.
fn kind(
    flag: &Word,
    word: Option<&Word>,
    keyword: &str,
    gives: SampleType,
    found: &mut Flags,
) -> Result<Kind, WordFault> {
    if !found.files.is_empty() {
        let message =
            "'-m' must only be specified before patterns and files in parsing ACL expression";
        return Err(WordFault::new(flag.span, message));
    }
    let text = word.map(|word| word.text()).unwrap_or_default();
    let span = word.map_or(flag.span, |word| word.span);
    let Some(row) = MATCH_WORDS.iter().find(|row| row.name == text) else {
        let message = format!(
            "unknown matching method '{}' when parsing ACL expression",
            shown(text.as_bytes())
        );
        let near = nearest(&text, MATCH_WORDS.iter().map(|row| row.name));
        return Err(WordFault {
            near: near.map(|near| (span, near.to_owned())),
            ..WordFault::new(span, message)
        });
    };
    if row.kind != Kind::Found && cast(gives, row.kind.takes()) == Cast::Never {
        let message = format!(
            "matching method '{}' cannot be used with fetch keyword '{keyword}'",
            row.name
        );
        return Err(WordFault::new(span, message));
    }
    found.forced = true;
    Ok(row.kind)
}
