//! `global`: settings of the process (HAProxy manual, section 3).

use std::num::NonZeroU16;

use lanai_diagnostics::Diagnostic;

use super::args::Args;
use super::draft::GlobalDraft;
use super::table::Readers;
use crate::codes;
use crate::lexer::Word;
use crate::value::shown;

pub(super) const READERS: Readers<GlobalDraft> = &[
    ("maxconn", |draft, args| {
        if let Some(maxconn) = args.only_number(0..=MOST_CONNECTIONS) {
            draft.global.maxconn = (maxconn > 0).then_some(maxconn);
        }
    }),
    ("nbthread", |draft, args| {
        if let Some(threads) = args.only_number(1..=MOST_THREADS) {
            let threads = u16::try_from(threads).ok().and_then(NonZeroU16::new);
            draft.global.nbthread = threads;
        }
    }),
    ("thread-groups", thread_groups),
    ("hard-stop-after", |draft, args| {
        if let Some(time) = args.only_time() {
            draft.global.hard_stop_after = time;
        }
    }),
    ("tune.bufsize", |draft, args| {
        if let Some(size) = only_size(args, 1024, 256 << 20) {
            draft.global.tune_bufsize = Some(size);
        }
    }),
    ("tune.maxrewrite", |draft, args| {
        if let Some(size) = only_size(args, 0, 256 << 20) {
            draft.global.tune_maxrewrite = Some(size);
        }
    }),
    ("crt-base", |draft, args| {
        let Some(dir) = args.require("a directory path as an argument") else {
            return;
        };
        args.end_of_line();
        draft.crt_base = Some(dir.path());
    }),
    ("ca-base", |draft, args| {
        let Some(dir) = args.require("a directory path as an argument") else {
            return;
        };
        args.end_of_line();
        draft.ca_base = Some(dir.path());
    }),
    ("setenv", |draft, args| {
        if let Some((name, value)) = name_and_value(args) {
            draft.environment.set(name.text(), value.value.as_slice());
        }
    }),
    ("presetenv", |draft, args| {
        if let Some((name, value)) = name_and_value(args)
            && draft.environment.get(&name.text()).is_none()
        {
            draft.environment.set(name.text(), value.value.as_slice());
        }
    }),
    ("unsetenv", |draft, args| {
        for name in args.rest() {
            draft.environment.unset(&name.text());
        }
    }),
    ("resetenv", |draft, args| {
        let names: Vec<_> = args.rest().iter().map(|n| n.text().into_owned()).collect();
        draft.environment.keep(&names);
    }),
];

/// HAProxy counts connections in an `int`.
pub(super) const MOST_CONNECTIONS: u32 = i32::MAX.cast_unsigned();

/// HAProxy 3.2's MAX_THREADS for one group is 64, and 16 groups are possible.
const MOST_THREADS: u32 = 1024;

fn thread_groups(_draft: &mut GlobalDraft, args: &mut Args<'_>) {
    let Some(word) = args.require("an integer argument") else {
        return;
    };
    args.end_of_line();
    let Some(groups) = args.number(word, 1..=16) else {
        return;
    };
    if groups > 1 {
        let message = format!("'thread-groups {groups}' has no effect: all threads are one group");
        let fault = Diagnostic::warning(codes::WITHOUT_EFFECT, word.span, message);
        args.sink
            .push(fault.with_help("leave it out, or write 1; 'nbthread' alone counts"));
    }
}

/// The only argument, as a size.
pub(super) fn only_size(args: &mut Args<'_>, least: u32, most: u32) -> Option<u32> {
    let word = args.require("a positive integer argument")?;
    args.end_of_line();
    args.size(word, least..=most)
}

fn name_and_value<'a>(args: &mut Args<'a>) -> Option<(&'a Word, &'a Word)> {
    let name = args.require("a name and a value")?;
    let value = args.require("a name and a value")?;
    args.end_of_line();
    let text = name.text();
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    if text.starts_with(starts) && text.chars().all(|c| starts(c) || c.is_ascii_digit()) {
        return Some((name, value));
    }
    let message = format!("'{}' cannot be the name of a variable", shown(&name.value));
    args.alert(codes::BAD_NAME, name.span, message);
    None
}
