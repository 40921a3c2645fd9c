//! Which sections may inherit from a `defaults` section with rules (HAProxy manual, section 4): what a rule
//! sees differs between where connections come in and where servers are, so it is for one of the two.

use lanai_diagnostics::{Diagnostic, Span};

use super::draft::ProxyDraft;
use super::keyword::{Keyword, Sections};
use crate::codes;
use crate::outcome::Sink;

/// Who inherited the rules of a `defaults` section so far.
#[derive(Default)]
pub(super) struct Heirs {
    frontend: Option<Span>,
    backend: Option<Span>,
}

impl Heirs {
    /// Notes a section that inherits, and reports it if it may not.
    pub(super) fn add(
        &mut self,
        defaults: &ProxyDraft,
        section: Sections,
        place: Span,
        sink: &mut Sink,
    ) {
        let rules = &defaults.settings.rules.sets;
        let early =
            !rules.tcp_request_connection.is_empty() || !rules.tcp_request_session.is_empty();
        let late = !rules.tcp_response_content.is_empty();
        let any = early
            || late
            || !rules.quic_initial.is_empty()
            || !rules.tcp_request_content.is_empty()
            || !rules.http_request.is_empty()
            || !rules.http_response.is_empty()
            || !rules.http_after_response.is_empty();
        if !any {
            return;
        }
        let (own, other) = match section == Sections::BACKEND {
            true => (&mut self.backend, self.frontend),
            false => (&mut self.frontend, self.backend),
        };
        let kind = section.names().next().unwrap_or_default();
        let message = if section == Sections::LISTEN || section == Sections::DEFAULTS {
            format!(
                "a {kind} section cannot inherit from a defaults section defining TCP/HTTP rules."
            )
        } else if section == Sections::FRONTEND && late {
            "a frontend section cannot inherit from a defaults section defining 'tcp-response content' \
             rules."
                .to_owned()
        } else if section == Sections::BACKEND && early {
            "a backend section cannot inherit from a defaults section defining 'tcp-request connection' \
             or 'tcp-request session' rules."
                .to_owned()
        } else if let Some(other) = other {
            let message = "frontends and backends cannot inherit from the same defaults section if it \
                           defines TCP/HTTP rules.";
            let fault = Diagnostic::alert(codes::BAD_DEFAULTS, place, message);
            let fault = fault.with_label(other, "inherits from it too");
            sink.push(told(fault, defaults));
            return;
        } else {
            own.get_or_insert(place);
            return;
        };
        sink.push(told(
            Diagnostic::alert(codes::BAD_DEFAULTS, place, message),
            defaults,
        ));
    }
}

fn told(fault: Diagnostic, defaults: &ProxyDraft) -> Diagnostic {
    fault
        .with_label(defaults.span, "the rules are here")
        .with_help("make a defaults section of its own for each kind, or write the rules where they are for")
}

/// Lines that a `defaults` section only hands on to those who name it.
const FOR_HEIRS_BY_NAME: &[&str] = &[
    "acl",
    "http-after-response",
    "http-request",
    "http-response",
    "quic-initial",
    "tcp-request connection",
    "tcp-request content",
    "tcp-request inspect-delay",
    "tcp-request session",
    "tcp-response content",
    "tcp-response inspect-delay",
];

/// Reports a rule in a `defaults` section without a name, and says whether it is one.
pub(super) fn nameless(keyword: &Keyword, head: Span, sink: &mut Sink) -> bool {
    if !FOR_HEIRS_BY_NAME.contains(&keyword.name) {
        return false;
    }
    let message = format!(
        "'{}' not allowed in anonymous 'defaults' section.",
        keyword.name
    );
    let fault = Diagnostic::alert(codes::MISPLACED_KEYWORD, head, message);
    sink.push(
        fault.with_help("give the section a name, and name it after 'from' where it is meant"),
    );
    true
}
