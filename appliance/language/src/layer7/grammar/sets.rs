//! Sets of threads and of CPUs, as `process`, `thread` and `cpu-map` have them.

use std::ops::RangeInclusive;

use lanai_diagnostics::Diagnostic;

use crate::codes;
use crate::layer7::args::Args;
use crate::lexer::Word;
use crate::value::shown;

/// Threads of one group, and of one process where there were several.
const OF_A_GROUP: RangeInclusive<u32> = 1..=64;
/// All threads.
const THREADS: RangeInclusive<u32> = 1..=1024;
const GROUPS: RangeInclusive<u32> = 1..=32;
const CPUS: RangeInclusive<u32> = 0..=1023;

/// `process PROCESS[/THREADS]` of a `bind` line. There is one process.
pub(super) fn process(word: &Word, text: &str, args: &mut Args<'_>) {
    let (process, threads) = cut(text);
    let right = numbers(process, 1..=1, true).is_some()
        && threads.is_none_or(|threads| numbers(threads, OF_A_GROUP, true).is_some());
    if !right {
        let help = "write 'thread' with the threads in its place, or leave it out: all threads take the \
                    bind's connections";
        wrong("a process and its threads", help, word, args);
    }
}

/// `thread [GROUP/]THREADS[,...]` of a `bind` line.
pub(super) fn threads(word: &Word, text: &str, args: &mut Args<'_>) {
    let right = text.split(',').all(|part| match part.split_once('/') {
        Some((group, threads)) => {
            number(group, &GROUPS).is_some() && numbers(threads, OF_A_GROUP, true).is_some()
        }
        None => numbers(part, THREADS, true).is_some(),
    });
    if !right {
        let help = "write 'all', 'odd', 'even', a number or a range such as 1-4, in a group behind its \
                    number as in 1/1-4";
        wrong("a set of threads", help, word, args);
    }
}

/// `cpu-map [auto:]GROUP[/THREADS] ...`: the first word.
pub(super) fn mapped(word: &Word, text: &str, args: &mut Args<'_>) {
    let (group, threads) = cut(text.strip_prefix("auto:").unwrap_or(text));
    let right = numbers(group, OF_A_GROUP, true).is_some()
        && threads.is_none_or(|threads| numbers(threads, OF_A_GROUP, true).is_some());
    if !right {
        let help = "write a group of threads, 'all', 'odd', 'even' or a range of them, and behind a '/' \
                    the threads: 1/1-4";
        wrong("a set of threads", help, word, args);
    }
}

/// `cpu-map ... CPUS[,CPUS]...`: each word after it.
pub(super) fn cpus(word: &Word, text: &str, args: &mut Args<'_>) {
    let parts = text.strip_suffix(',').unwrap_or(text);
    let right = parts
        .split(',')
        .all(|part| numbers(part, CPUS, false).is_some());
    if !right {
        let help = "write the number of a CPU, from 0 to 1023, or a range such as 0-3";
        wrong("a set of CPUs", help, word, args);
    }
}

fn cut(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// `N`, `N-`, `N-M`, and where `words` may stand `all`, `odd` and `even`.
fn numbers(text: &str, range: RangeInclusive<u32>, words: bool) -> Option<()> {
    if words && matches!(text, "all" | "odd" | "even") {
        return Some(());
    }
    let (first, last) = text.split_once('-').unwrap_or((text, ""));
    number(first, &range)?;
    match last.is_empty() {
        true => Some(()),
        false => number(last, &range).map(drop),
    }
}

fn number(text: &str, range: &RangeInclusive<u32>) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    range.contains(&number).then_some(number)
}

fn wrong(what: &str, help: &str, word: &Word, args: &mut Args<'_>) {
    let message = args.told(format!(
        "'{}' : '{}' is not {what}",
        args.name,
        shown(&word.value)
    ));
    let fault = Diagnostic::alert(codes::BAD_WORD, word.span, message);
    args.sink.push(fault.with_help(help));
}
