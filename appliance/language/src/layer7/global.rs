//! `global`: settings of the process (HAProxy manual, section 3).

use std::num::NonZeroU16;

use lanai_diagnostics::Diagnostic;

use super::args::Args;
use super::draft::GlobalDraft;
use super::keyword::{Keyword, Sections};
use crate::codes;
use crate::lexer::Word;
use crate::value::shown;

const GLOBAL: Sections = Sections::GLOBAL;

type Row = Keyword<GlobalDraft>;

pub(super) const KEYWORDS: &[Row] = &[
    Row::new(
        "maxconn",
        GLOBAL,
        "<number>",
        "Most client connections at one time; 0 or left out leaves it to the process's limits.",
        |draft, args| {
            if let Some(maxconn) = args.only_number(0..=MOST_CONNECTIONS) {
                draft.global.maxconn = (maxconn > 0).then_some(maxconn);
            }
        },
    )
    .once(),
    Row::new(
        "nbthread",
        GLOBAL,
        "<number>",
        "Worker threads; left out, as many as CPUs may be used.",
        |draft, args| {
            if let Some(threads) = args.only_number(1..=MOST_THREADS) {
                let threads = u16::try_from(threads).ok().and_then(NonZeroU16::new);
                draft.global.nbthread = threads;
            }
        },
    ),
    Row::new(
        "thread-groups",
        GLOBAL,
        "<number>",
        "Groups of threads; there is always one.",
        thread_groups,
    ),
    Row::new(
        "hard-stop-after",
        GLOBAL,
        "<time>",
        "How long a stopping process may go on with its connections.",
        |draft, args| {
            if let Some(time) = args.only_time() {
                draft.global.hard_stop_after = time;
            }
        },
    ),
    Row::new(
        "tune.bufsize",
        GLOBAL,
        "<size>",
        "Bytes of one buffer, and so the limit of a message head.",
        |draft, args| {
            if let Some(size) = only_size(args, 1024, 256 << 20) {
                draft.global.tune_bufsize = Some(size);
            }
        },
    ),
    Row::new(
        "tune.maxrewrite",
        GLOBAL,
        "<size>",
        "Bytes of a buffer kept free for what rules add to a message head.",
        |draft, args| {
            if let Some(size) = only_size(args, 0, 256 << 20) {
                draft.global.tune_maxrewrite = Some(size);
            }
        },
    ),
    Row::new(
        "crt-base",
        GLOBAL,
        "<dir>",
        "Directory that relative names of certificates start from.",
        |draft, args| {
            let Some(dir) = args.require("a directory path as an argument") else {
                return;
            };
            args.end_of_line();
            draft.crt_base = Some(dir.path());
        },
    )
    .once(),
    Row::new(
        "setenv",
        GLOBAL,
        "<name> <value>",
        "Sets an environment variable for the lines that follow.",
        |draft, args| {
            if let Some((name, value)) = name_and_value(args) {
                draft.environment.set(name.text(), value.value.as_slice());
            }
        },
    ),
    Row::new(
        "presetenv",
        GLOBAL,
        "<name> <value>",
        "Sets an environment variable unless it is set already.",
        |draft, args| {
            if let Some((name, value)) = name_and_value(args)
                && draft.environment.get(&name.text()).is_none()
            {
                draft.environment.set(name.text(), value.value.as_slice());
            }
        },
    ),
    Row::new(
        "unsetenv",
        GLOBAL,
        "<name> ...",
        "Removes environment variables.",
        |draft, args| {
            for name in args.rest() {
                draft.environment.unset(&name.text());
            }
        },
    ),
    Row::new(
        "resetenv",
        GLOBAL,
        "[<name> ...]",
        "Removes all environment variables but these.",
        |draft, args| {
            let names: Vec<_> = args.rest().iter().map(|n| n.text().into_owned()).collect();
            draft.environment.keep(&names);
        },
    ),
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
