//! `service sysctl`: kernel settings that an administrator wants.

use std::collections::HashMap;
use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::services::{Common, Sysctl, SysctlKey, Sysctls};

use super::settings::{self, Verdict};
use super::table::{DirectiveInfo, Source, Status, span_of};
use crate::codes;
use crate::lexer::Word;
use crate::line::Statement;
use crate::outcome::Sink;
use crate::suggest::{did_you_mean, nearest};
use crate::value::{is_interface_name, shown};

#[derive(Default)]
pub(super) struct SysctlsDraft {
    settings: Vec<Sysctl>,
    /// Places by key.
    seen: HashMap<SysctlKey, Span>,
}

/// What stands for all lines of `service sysctl`: any line is a setting.
pub(super) const SETTING: DirectiveInfo = DirectiveInfo {
    name: "<key>",
    arguments: "= <value>",
    about: "Sets a kernel setting, as sysctl.conf has it; docs/services.md lists which may be set.",
    source: Source::Own,
    status: Status::Applied,
    many: true,
};

impl SysctlsDraft {
    pub(super) fn finish(self, common: Common) -> Sysctls {
        Sysctls {
            common,
            settings: self.settings,
        }
    }

    /// Reads `KEY = VALUE`, `KEY=VALUE` or `KEY VALUE`.
    pub(super) fn statement(&mut self, statement: &Statement, sink: &mut Sink) {
        let Some((first, rest)) = statement.words.split_first() else {
            return;
        };
        let text = first.text();
        let (name, value) = text.split_once('=').unwrap_or((text.as_ref(), ""));
        let mut values: Vec<String> = Vec::new();
        values.extend((!value.is_empty()).then(|| value.to_owned()));
        let rest = match rest {
            [equals, rest @ ..] if equals.is("=") && value.is_empty() => rest,
            rest => rest,
        };
        values.extend(rest.iter().map(|word| word.text().into_owned()));
        if let Some(setting) = self.setting(first, name, &values, rest, sink) {
            self.settings.push(Sysctl {
                key: setting.0,
                value: setting.1,
                origin: statement.origin.clone(),
            });
        }
    }

    fn setting(
        &mut self,
        first: &Word,
        name: &str,
        values: &[String],
        rest: &[Word],
        sink: &mut Sink,
    ) -> Option<(SysctlKey, Arc<str>)> {
        let Some(parts) = parts(name) else {
            let message = format!("'{}' is no kernel setting", shown(name.as_bytes()));
            let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, first.span, message);
            let help = "usage: <key> = <value>, such as net.ipv4.tcp_tw_reuse = 1";
            sink.push(fault.with_help(help));
            return None;
        };
        let key = SysctlKey::new(parts.iter().map(String::as_str))?;
        let written = shown(name.as_bytes());
        let values = match settings::verdict(&parts) {
            Verdict::Takes(takes) => takes,
            Verdict::Own(why) => {
                let message = format!("'{written}' is set by the appliance itself");
                let fault = Diagnostic::alert(codes::SYSCTL_REFUSED, first.span, message);
                sink.push(fault.with_help(why));
                return None;
            }
            Verdict::Gone(why) => {
                let message = format!("no kernel of today has '{written}': the line has no effect");
                let fault = Diagnostic::warning(codes::SYSCTL_GONE, first.span, message);
                sink.push(fault.with_help(why));
                return None;
            }
            Verdict::Refused(why) => {
                let message = format!("'{written}' may not be set here");
                let fault = Diagnostic::alert(codes::SYSCTL_REFUSED, first.span, message);
                let near = nearest(name, settings::names());
                sink.push(match near {
                    Some(near) => fault.with_fix(first.span, near, did_you_mean(near)),
                    None => fault.with_help(why),
                });
                return None;
            }
        }
        .check(values);
        let value = match values {
            Ok(value) => value,
            Err(problem) => {
                let span = match rest {
                    [] => first.span,
                    rest => span_of(rest),
                };
                let message = format!("'{written}' {problem}");
                sink.alert(codes::BAD_SERVICE_VALUE, span, message);
                return None;
            }
        };
        if let Some(before) = self.seen.insert(key.clone(), first.span) {
            let message = format!("'{written}' is set twice");
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, first.span, message);
            sink.push(fault.with_label(before, "first set here"));
            return None;
        }
        Some((key, value.into()))
    }
}

/// The parts of a key written with dots, or with slashes where a part has dots itself (sysctl(8)).
/// After `net.ipv4.conf.` and its like an interface's name with dots is found without slashes too.
fn parts(name: &str) -> Option<Vec<String>> {
    let parts: Vec<String> = match name.find(['.', '/']).map(|at| name.as_bytes().get(at)) {
        // Slashes first: dots are dots.
        Some(Some(b'/')) => name.split('/').map(str::to_owned).collect(),
        // Dots first: a slash stands for a dot in a part.
        _ => name.split('.').map(|part| part.replace('/', ".")).collect(),
    };
    let parts = match parts.as_slice() {
        [net, family, kind, inner @ .., leaf]
            if net == "net" && matches!(kind.as_str(), "conf" | "neigh") && inner.len() > 1 =>
        {
            vec![
                net.clone(),
                family.clone(),
                kind.clone(),
                inner.join("."),
                leaf.clone(),
            ]
        }
        _ => parts,
    };
    if let [_, _, kind, interface, _] = parts.as_slice()
        && matches!(kind.as_str(), "conf" | "neigh")
        && !is_interface_name(interface)
    {
        return None;
    }
    SysctlKey::new(parts.iter().map(String::as_str))?;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_with_dots_are_one_part() {
        for name in [
            "net.ipv4.conf.eth0.100.rp_filter",
            "net.ipv4.conf.eth0/100.rp_filter",
            "net/ipv4/conf/eth0.100/rp_filter",
        ] {
            let parts = parts(name).unwrap();
            assert_eq!(
                parts,
                ["net", "ipv4", "conf", "eth0.100", "rp_filter"],
                "{name}"
            );
        }
        for bad in [
            "net",
            "",
            "net..x",
            "net.ipv4.conf.a-name-too-long-for-one.x",
        ] {
            assert_eq!(parts(bad), None, "{bad}");
        }
        assert_eq!(parts("../../etc/passwd"), None);
    }
}
