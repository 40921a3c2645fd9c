//! `lanai proxy`: the engine alone, driven by HAProxy's command line, signals and exit codes, so
//! that what was made to drive HAProxy can drive it unmodified.
//!
//! With `--engine` as its first word it is the daemon's engine instead (see [`crate::engine`]).

mod arguments;
mod background;
mod life;
mod load;
mod report;
mod run;
mod signals;
pub(crate) mod sources;
mod takeover;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use lanai_language::condition;

use crate::{environment, facts};
use arguments::{Misuse, Request};
use report::Report;

/// Runs with the words that follow `lanai proxy`.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    match arguments::parse(words) {
        Ok(Request::Version { detailed }) => {
            print!(
                "{}",
                if detailed {
                    version::detailed()
                } else {
                    version::short()
                }
            );
            ExitCode::SUCCESS
        }
        Ok(Request::Condition { text, quiet }) => evaluate(&text, quiet),
        Ok(Request::Run(arguments)) => run::run(&arguments),
        Err(misuse) => complain(&misuse),
    }
}

/// `-cc`: 0 is true, 1 false, 2 not understood.
fn evaluate(text: &str, quiet: bool) -> ExitCode {
    match condition::evaluate(text, &environment::inherited(None, &[]), &facts::facts()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let text = format!("config : Failed to evaluate condition: {error}");
            Report::new(quiet).alert(&text);
            ExitCode::from(2)
        }
    }
}

/// HAProxy's answer to a command line that it does not understand ends with 1, not with 2.
fn complain(misuse: &Misuse) -> ExitCode {
    Report::new(false).alert(&misuse.to_string());
    if misuse.wants_usage() {
        print!("{}", version::short());
        eprint!("{}", version::USAGE);
    }
    ExitCode::from(1)
}
