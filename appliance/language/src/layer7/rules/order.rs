//! The order in which sets of rules are evaluated, whatever the order of their lines.

use lanai_diagnostics::Diagnostic;

use crate::codes;
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;

/// Lines with rules, in the order of evaluation, each with what messages call it. The last two are never
/// compared: a request has one of them in its frontend, and the other in its backend.
const ORDER: [(&str, &str); 8] = [
    ("tcp-request connection", "tcp-request"),
    ("tcp-request session", "tcp-request"),
    ("tcp-request content", "tcp-request"),
    ("monitor fail", "monitor fail"),
    ("http-request", "http-request"),
    ("redirect", "redirect"),
    ("use_backend", "use_backend"),
    ("use-server", "use-server"),
];

/// Notes a line with a rule, and warns if one that is evaluated later stands before it.
pub(super) fn note(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let place = ORDER.iter().position(|(line, _)| *line == args.name);
    let Some(at) = place else { return };
    let chooses = |(line, _): (&str, &str)| matches!(line, "use_backend" | "use-server");
    let named = |at: usize| ORDER.get(at).copied().unwrap_or_default();
    let latest = &mut draft.settings.latest_rule;
    match *latest {
        Some((later, span)) if later > at && !chooses(named(at)) => {
            let ((_, short), (line, _)) = (named(at), named(later));
            let article = match line.starts_with('h') {
                true => "an",
                false => "a",
            };
            let message = format!(
                "a '{short}' rule placed after {article} '{line}' rule will still be processed before."
            );
            let fault = Diagnostic::warning(codes::RULE_ORDER, args.head, message);
            args.sink.push(fault.with_label(span, "evaluated later"));
        }
        _ => *latest = Some((at, args.head)),
    }
}
