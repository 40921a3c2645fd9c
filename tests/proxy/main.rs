//! The data path against HAProxy: the same configuration, the same bytes from the clients, the same
//! scripted servers; then what the servers got, what the clients got, the log lines and the counters
//! must be the same, unless the case says why not.
//!
//! Cases are files (`cases/*.case`, format in `cases/README.md`); each is one test. `LANAI_SUBJECT`
//! puts another engine in Lanai's place: with `/usr/sbin/haproxy` there are no differences, which
//! proves the tests; `harness::*` proves that they can fail. `contract::*` are the promises of the
//! binary to programs that drive HAProxy.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod bytes;
mod case;
mod cli;
mod compare;
mod contract;
mod engine;
mod proof;
mod run;
mod server;
mod stage;
mod stream;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::Case;
use crate::engine::Kind;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of a case's time is waiting, but timers must not be late for want of a processor.
    arguments.test_threads.get_or_insert(4);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("proxy");
    let mut trials = proof::trials(&here);
    trials.extend(contract::trials());
    for case in case::read_all(&here.join("cases")) {
        let name = format!("case::{}", case.name);
        trials.push(Trial::test(name, move || compare(&case)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a case on both engines.
fn compare(case: &Case) -> Result<(), Failed> {
    let oracle = run::run(case, Kind::Haproxy, None)?;
    let broken = compare::failures(&oracle);
    if !broken.is_empty() {
        return Err(format!(
            "the case does not hold on HAProxy:\n  {}",
            broken.join("\n  ")
        )
        .into());
    }
    let lines = case.differs.is_none().then_some(oracle.log.len());
    let subject = run::run(case, Kind::Lanai, lines)?;
    let differences = compare::differences(case, &oracle, &subject);
    let problems = match &case.differs {
        Some(_) if engine::stand_in() => return Ok(()),
        Some(differs) => {
            let mut problems = compare::unmet(differs, &subject);
            if differences.is_empty() {
                problems.push("no difference left: remove [differs]".to_owned());
            }
            problems
        }
        None => [compare::failures(&subject), differences].concat(),
    };
    if problems.is_empty() {
        return Ok(());
    }
    let log = subject.log.join("  ");
    Err(format!(
        "{}\n  {}\n  lanai's log: {log}",
        case.name,
        problems.join("\n  ")
    )
    .into())
}
