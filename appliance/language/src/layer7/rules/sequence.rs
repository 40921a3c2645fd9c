//! In which order the steps of a health check may stand, and which check they are for (HAProxy manual,
//! section 4.2).
//!
//! Steps of a section take the place of those it inherits. A `connect` is only taken if the first step is
//! one. Further demands are made of `http-check`, on lines that stand where `option httpchk` is in force:
//! what is sent goes over a connection of its own, and is answered.

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{CheckStep, Figure};

use crate::codes;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::value::{Destination, Wants, destination};

/// How servers are checked, by the last `option` that says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    /// None does: a connection is enough.
    #[default]
    Connection,
    /// `option httpchk`
    Http,
    /// `option tcp-check`
    Tcp,
    /// Another one, whose steps are its own.
    Other,
}

impl Method {
    /// Whether its steps are lines of the configuration.
    pub(crate) fn has_steps(self) -> bool {
        matches!(self, Self::Http | Self::Tcp)
    }
}

/// The checks of a section, as far as steps that stand together are concerned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    pub(crate) method: Method,
    http: Sequence,
    tcp: Sequence,
    /// Whether the request of `option httpchk` is still one of its own: no `http-check send` changes it.
    request: bool,
}

impl Checks {
    /// What a section that follows has of them.
    pub(crate) fn inherited(&self) -> Self {
        Self {
            method: self.method,
            request: self.request,
            ..Self::default()
        }
    }
}

/// The steps of one kind of line that stand in a section itself.
#[derive(Clone, Debug, Default)]
struct Sequence {
    /// Whether what the section inherits is replaced.
    own: bool,
    steps: usize,
    /// The first two that do something, and the last one.
    first: Option<Act>,
    second: Option<Act>,
    last: Option<(Act, Span)>,
}

impl Sequence {
    fn add(&mut self, act: Option<Act>, at: Span) {
        self.steps += 1;
        let Some(act) = act else { return };
        match (self.first, self.second) {
            (None, _) => self.first = Some(act),
            (_, None) => self.second = Some(act),
            _ => {}
        }
        self.last = Some((act, at));
    }

    /// Whether the request of the first connection is among them.
    fn has_request(&self) -> bool {
        let first = match self.first {
            Some(Act::Connect) => self.second,
            other => other,
        };
        first == Some(Act::Send)
    }
}

/// What a step does with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Connect,
    Send,
    Expect,
}

/// Comments and variables may stand anywhere.
fn act(step: &CheckStep) -> Option<Act> {
    match step {
        CheckStep::Comment(_)
        | CheckStep::SetVar(..)
        | CheckStep::SetVarFormat(..)
        | CheckStep::UnsetVar(_) => None,
        CheckStep::Connect(_) => Some(Act::Connect),
        CheckStep::Send(_) | CheckStep::SendFormat { .. } | CheckStep::SendRequest(_) => {
            Some(Act::Send)
        }
        CheckStep::Expect(_) => Some(Act::Expect),
    }
}

/// Which lines a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Steps {
    Http,
    Tcp,
}

/// Adds a step to its section, if it may stand there.
pub(super) fn add(draft: &mut ProxyDraft, args: &mut Args<'_>, which: Steps, step: CheckStep) {
    let settings = &mut draft.settings;
    let (checks, sets) = (&mut settings.checks, &mut settings.rules.sets);
    let (sequence, steps, strict) = match which {
        Steps::Http => {
            let strict = checks.method == Method::Http;
            (&mut checks.http, &mut sets.http_check, strict)
        }
        Steps::Tcp => (&mut checks.tcp, &mut sets.tcp_check, false),
    };
    if !sequence.own {
        sequence.own = true;
        steps.clear();
        if which == Steps::Http {
            checks.request = false;
        }
    }
    let act = act(&step);
    if let Some(act) = act
        && let Some((message, help)) = misplaced(sequence, act, strict, args.name)
    {
        let message = format!("'{}' : {message}", args.name);
        let fault = Diagnostic::alert(codes::STEP_ORDER, args.head, message).with_help(help);
        args.sink.push(match sequence.last {
            Some((_, before)) => fault.with_label(before, "the step before it"),
            None => fault,
        });
        return;
    }
    sequence.add(act, args.head);
    if strict && act == Some(Act::Send) {
        checks.request = false;
    }
    steps.push(step);
}

/// What is wrong with a step after those that stand there, and what to do.
fn misplaced(
    before: &Sequence,
    act: Act,
    strict: bool,
    line: &str,
) -> Option<(String, &'static str)> {
    if act == Act::Connect && !matches!(before.first, None | Some(Act::Connect)) {
        let message = "first step MUST also be a 'connect': only 'comment' and variables may stand \
                       before the first of them";
        let help = "put a 'connect' before the other steps, or leave this one out";
        return Some((message.to_owned(), help));
    }
    let (last, _) = before.last.filter(|_| strict)?;
    let (missing, help) = match (last, act) {
        (Act::Send | Act::Expect, Act::Send) => (
            "connect",
            "each request has a connection of its own: put a 'connect' between the two, with one \
             before the first request as well",
        ),
        (Act::Connect, Act::Expect) => ("send", "put a 'send' between the two"),
        (Act::Connect | Act::Send, Act::Connect) => (
            "expect",
            "put an 'expect' between the two: what is asked over a connection is answered over it",
        ),
        _ => return None,
    };
    let number = before.steps + 1;
    let message = format!("unable to add {line} rule at step {number} (missing {missing} rule)");
    Some((message, help))
}

/// An `option` that says how servers are checked.
pub(super) fn option(draft: &mut ProxyDraft, method: Method) {
    let settings = &mut draft.settings;
    let (checks, sets) = (&mut settings.checks, &mut settings.rules.sets);
    match method {
        Method::Http => {
            if !checks.http.own {
                checks.http.own = true;
                sets.http_check.clear();
            }
            checks.request = !checks.http.has_request();
        }
        // What was written for another method was not meant for this one.
        Method::Tcp if checks.method != Method::Tcp && !checks.tcp.own => {
            checks.tcp.own = true;
            sets.tcp_check.clear();
        }
        Method::Tcp | Method::Connection | Method::Other => {}
    }
    checks.method = method;
}

/// Whether the steps of a check say which port each of its connections is for, so that a server needs
/// none.
pub(crate) fn steps_name_ports(draft: &ProxyDraft) -> bool {
    let (checks, sets) = (&draft.settings.checks, &draft.settings.rules.sets);
    let steps = match checks.method {
        // Its request would go out before the first 'connect'.
        Method::Http if !checks.request => &sets.http_check,
        Method::Tcp => &sets.tcp_check,
        Method::Http | Method::Connection | Method::Other => return false,
    };
    let first = steps.iter().find_map(act);
    first == Some(Act::Connect) && steps.iter().all(names_port)
}

fn names_port(step: &CheckStep) -> bool {
    let CheckStep::Connect(connect) = step else {
        return true;
    };
    let address = connect.addr.as_deref().map(str::as_bytes);
    matches!(connect.port, Some(Figure::Constant(_)))
        || matches!(
            address.map(|address| destination(address, Wants::CHECK)),
            Some(Ok(Destination::Inet { port: true }))
        )
}
