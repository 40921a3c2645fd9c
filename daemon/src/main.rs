//! The binary `lanai`: command line, the three processes, and the wiring of all other crates.
//!
//! - `lanai daemon` is the parent: rights, typed steps, supervision ([`parent`]).
//! - `lanai control` is the control process: texts, plans, history, web UI ([`control`]).
//! - `lanai proxy` is the engine, alone with HAProxy's command line ([`proxy`]), or as the daemon's
//!   ([`engine`]).
//! - `lanai dhcp` and `lanai console` are for a box that is nothing but Lanai ([`appliance`]).
//! - Everything else is for a shell ([`cli`]).

mod appliance;
mod child;
mod cli;
mod control;
mod engine;
mod environment;
mod facts;
mod limits;
mod notify;
mod ownership;
mod parent;
mod proxy;
mod rights;
mod settings;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    // HAProxy's command line follows rules that no other parser knows.
    match words.split_first() {
        Some((verb, rest)) if verb == "proxy" => match rest.split_first() {
            Some((first, rest)) if first == "--engine" => engine::main(rest),
            _ => proxy::main(rest),
        },
        _ => cli::main(),
    }
}

/// An error with everything that led to it, each once.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own words.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// Sends log lines to standard error; `LANAI_LOG` chooses which (`lanai=debug`), default `info`.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LANAI_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Unconcerned(std::io::stderr()))
        .log_internal_errors(false);
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // It fails only if there is one already.
    let _ = log.with_ansi(colours).with_target(false).try_init();
}

/// Standard error, whoever reads it or does not any more: a process that outlives its parent may
/// outlive the reader of its log, and must not end over it.
struct Unconcerned(std::io::Stderr);

impl std::io::Write for Unconcerned {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
