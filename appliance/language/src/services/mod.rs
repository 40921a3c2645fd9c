//! The Services tab: what the box itself is and owns.
//!
//! Lines of words as in the Layer 7 language, without variables and conditional blocks. `service
//! KIND NAME` starts a block, the lines after it say what is wanted.

mod checks;
mod network;

use lanai_diagnostics::{Diagnostic, FileId, SourceMap};
use lanai_model::services::Services;

use crate::lexer::Word;
use crate::line::{Lines, Statement};
use crate::outcome::Sink;
use crate::tree::Dialect;
use crate::value::{shown, suggest};
use crate::{Environment, Facts, Outcome, codes};
use network::NetworkDraft;

/// Reads the Services texts, in this order.
pub fn read(sources: &SourceMap, files: &[FileId]) -> Outcome<Services> {
    let mut sink = Sink::default();
    let mut reader = Reader {
        networks: Vec::new(),
        current: Current::None,
        lines: 0,
    };
    let (environment, facts) = (Environment::new(), Facts::default());
    for file in files {
        let mut lines = Lines::new(sources, *file, Dialect::Services, &facts, &mut sink);
        reader.current = Current::None;
        while let Some(statement) = lines.next(&environment, &mut sink) {
            reader.lines += 1;
            if reader.lines > MOST_LINES {
                let message = format!("too many lines, {MOST_LINES} at most");
                sink.alert(codes::TOO_MANY_ERRORS, statement.span(), message);
                break;
            }
            reader.statement(&statement, &mut sink);
        }
    }
    checks::check(&reader.networks, &mut sink);
    let networks = reader.networks.into_iter().map(NetworkDraft::finish);
    let services = Services {
        networks: networks.collect(),
        ..Services::default()
    };
    sink.outcome(services)
}

/// Lines of all blocks. Some checks compare each with each.
const MOST_LINES: usize = 20_000;

/// Kinds of services.
const KINDS: &[&str] = &["network"];

struct Reader {
    networks: Vec<NetworkDraft>,
    current: Current,
    lines: usize,
}

enum Current {
    None,
    /// The last of the networks.
    Network,
    /// A block whose first line was wrong.
    Skipped,
}

impl Reader {
    fn statement(&mut self, statement: &Statement, sink: &mut Sink) {
        let Some((keyword, arguments)) = statement.words.split_first() else {
            return;
        };
        if keyword.is("service") {
            self.start(keyword, arguments, statement, sink);
            return;
        }
        match (&self.current, self.networks.last_mut()) {
            (Current::Network, Some(network)) => network.statement(statement, sink),
            (Current::None, _) => {
                let message = format!(
                    "unknown keyword '{}' before the first 'service' line",
                    shown(&keyword.value)
                );
                let fault = Diagnostic::alert(codes::OUT_OF_SERVICE, keyword.span, message);
                let fault = suggest(fault, keyword, ["service"]);
                sink.push(match fault.fix {
                    Some(_) => fault,
                    None => fault.with_help("start with a block: service network eth0"),
                });
                if !matches!(keyword.text().as_ref(), "ip" | "auto") {
                    self.current = Current::Skipped;
                }
            }
            _ => {}
        }
    }

    fn start(
        &mut self,
        keyword: &Word,
        arguments: &[Word],
        statement: &Statement,
        sink: &mut Sink,
    ) {
        self.current = Current::Skipped;
        let Some((kind, rest)) = arguments.split_first() else {
            let message = "'service' expects a kind and a name";
            let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, keyword.span, message);
            sink.push(fault.with_help("for example: service network eth0"));
            return;
        };
        if !kind.is("network") {
            let message = format!("unknown service '{}'", shown(&kind.value));
            let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, kind.span, message);
            let fault = suggest(fault, kind, KINDS.iter().copied());
            sink.push(fault.with_help(format!("known services: {}", KINDS.join(", "))));
            return;
        }
        if let Some(network) = NetworkDraft::start(kind, rest, statement.origin.clone(), sink) {
            self.current = Current::Network;
            self.networks.push(network);
        }
    }
}

#[cfg(test)]
mod tests;
