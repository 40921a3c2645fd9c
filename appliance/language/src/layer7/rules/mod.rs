//! Rules: lines with an action or a target, and a condition.

mod answer;
mod balance;
mod capture;
mod errors;
mod expect;
mod flow;
mod header;
mod logging;
mod named;
mod network;
mod order;
mod reading;
mod redirect;
mod reference;
mod request;
mod sequence;
mod steps;
pub(super) mod stick;
mod switching;
pub(crate) mod table;
mod table_counter;
mod variable;

use std::collections::HashSet;

use lanai_diagnostics::SourceMap;
use lanai_model::Origin;
use lanai_model::layer7::{self, NamedPatterns};

use super::acl::Acls;
use super::draft::ProxyDraft;
use super::sample::types::Places;
use super::table::Readers;

pub(crate) use errors::STATUSES;
pub(crate) use named::Others;
pub(crate) use reference::{Pending, check};
pub(crate) use sequence::{Checks, steps_name_ports};
pub(crate) use table::Sets;

/// What a rule may name besides proxies, servers and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A `cache` section.
    Cache,
    /// A `resolvers` section.
    Resolvers,
    /// An `http-errors` section.
    HttpErrors,
    /// A `peers` section.
    Peers,
}

/// The rules of one section.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) acls: Acls,
    /// Names that the rest of the configuration must have.
    pub(crate) references: Vec<Pending>,
    /// What is read so far, without ACLs.
    pub(crate) sets: layer7::Rules,
}

impl Rules {
    /// What a section has of its `defaults`: their rules come first.
    pub(crate) fn inherited(&self) -> Self {
        let references = self.references.iter();
        Self {
            acls: self.acls.inherited(),
            references: references
                .filter(|found| found.is_handed_on())
                .cloned()
                .collect(),
            sets: self.sets.clone(),
        }
    }

    pub(crate) fn finish(self, sources: &SourceMap) -> layer7::Rules {
        let mut seen = HashSet::new();
        let files = self.references.iter().filter_map(Pending::file);
        let files = files.filter(|(file, _)| seen.insert(file.to_string()));
        layer7::Rules {
            pattern_files: files
                .map(|(file, span)| NamedPatterns {
                    file: file.clone(),
                    origin: Origin {
                        file: sources.name(span.file),
                        line: sources.position(span.file, span.start).line,
                    },
                })
                .collect(),
            acls: self.acls.finish(),
            ..self.sets
        }
    }
}

/// Where something is evaluated: of two places, those that this kind of section has.
pub(super) fn places(draft: &ProxyDraft, front: Places, back: Places) -> Places {
    let front = match draft.is_front() || draft.is_defaults() {
        true => front,
        false => Places::NONE,
    };
    let back = match draft.is_back() || draft.is_defaults() {
        true => back,
        false => Places::NONE,
    };
    front.and(back)
}

/// Readers of lines with rules.
pub(super) const READERS: Readers<ProxyDraft> = &[
    ("acl", |draft, args| {
        super::acl::line(&mut draft.settings.rules, args);
    }),
    ("quic-initial", |draft, args| {
        reading::rule(draft, args, Sets::QUIC)
    }),
    ("tcp-request connection", |draft, args| {
        reading::rule(draft, args, Sets::CONNECTION);
    }),
    ("tcp-request session", |draft, args| {
        reading::rule(draft, args, Sets::SESSION);
    }),
    ("tcp-request content", |draft, args| {
        reading::rule(draft, args, Sets::CONTENT);
    }),
    ("tcp-response content", |draft, args| {
        reading::rule(draft, args, Sets::RESPONSE);
    }),
    ("http-request", |draft, args| {
        reading::rule(draft, args, Sets::HTTP_REQUEST);
    }),
    ("http-response", |draft, args| {
        reading::rule(draft, args, Sets::HTTP_RESPONSE);
    }),
    ("http-after-response", |draft, args| {
        reading::rule(draft, args, Sets::AFTER);
    }),
    ("redirect", redirect::line),
    ("use_backend", switching::use_backend),
    ("use-server", switching::use_server),
    ("force-persist", switching::force_persist),
    ("ignore-persist", switching::ignore_persist),
    ("monitor fail", switching::monitor_fail),
    ("stick on", stick::on),
    ("stick match", stick::matching),
    ("stick store-request", stick::store_request),
    ("stick store-response", stick::store_response),
    ("stick-table", stick::table),
    ("capture cookie", capture::cookie),
    ("capture request", capture::request),
    ("capture response", capture::response),
    ("declare capture", capture::declare),
    ("tcp-request inspect-delay", capture::request_delay),
    ("tcp-response inspect-delay", capture::response_delay),
    ("log-format", logging::log_format),
    ("log-format-sd", logging::log_format_sd),
    ("error-log-format", logging::error_log_format),
    ("unique-id-format", logging::unique_id_format),
    ("unique-id-header", logging::unique_id_header),
    ("http-check comment", |draft, args| {
        steps::http(draft, args, steps::comment)
    }),
    ("http-check connect", |draft, args| {
        steps::http(draft, args, steps::connect)
    }),
    ("http-check send", |draft, args| {
        steps::http(draft, args, steps::send_request)
    }),
    ("http-check expect", |draft, args| {
        steps::http(draft, args, expect::http)
    }),
    ("http-check set-var", |draft, args| {
        steps::http(draft, args, steps::set_var)
    }),
    ("http-check set-var-fmt", |draft, args| {
        steps::http(draft, args, steps::set_var_format)
    }),
    ("http-check unset-var", |draft, args| {
        steps::http(draft, args, steps::unset_var)
    }),
    ("http-check disable-on-404", steps::disable_on_404),
    ("http-check send-state", steps::send_state),
    ("tcp-check comment", |draft, args| {
        steps::tcp(draft, args, steps::comment)
    }),
    ("tcp-check connect", |draft, args| {
        steps::tcp(draft, args, steps::connect)
    }),
    ("tcp-check send", |draft, args| {
        steps::tcp(draft, args, steps::send)
    }),
    ("tcp-check send-binary", |draft, args| {
        steps::tcp(draft, args, steps::send_binary)
    }),
    ("tcp-check send-lf", |draft, args| {
        steps::tcp(draft, args, steps::send_format)
    }),
    ("tcp-check send-binary-lf", |draft, args| {
        steps::tcp(draft, args, steps::send_binary_format)
    }),
    ("tcp-check expect", |draft, args| {
        steps::tcp(draft, args, expect::tcp)
    }),
    ("tcp-check set-var", |draft, args| {
        steps::tcp(draft, args, steps::set_var)
    }),
    ("tcp-check set-var-fmt", |draft, args| {
        steps::tcp(draft, args, steps::set_var_format)
    }),
    ("tcp-check unset-var", |draft, args| {
        steps::tcp(draft, args, steps::unset_var)
    }),
    ("option httpchk", steps::option_http),
    ("option tcp-check", steps::option_tcp),
    ("option external-check", steps::option_other),
    ("option ldap-check", steps::option_other),
    ("option mysql-check", steps::option_other),
    ("option pgsql-check", steps::option_other),
    ("option redis-check", steps::option_other),
    ("option smtpchk", steps::option_other),
    ("option spop-check", steps::option_other),
    ("option ssl-hello-chk", steps::option_other),
    ("stats admin", switching::stats_admin),
    ("stats http-request", reading::stats_rule),
    ("balance", balance::line),
    ("hash-type", balance::hash_type),
    ("cookie", balance::cookie),
    ("http-error", errors::http_error),
    ("errorfile", errors::errorfile),
    ("errorfiles", errors::errorfiles),
    ("errorloc", errors::errorloc),
    ("errorloc302", errors::errorloc),
    ("errorloc303", errors::errorloc303),
];

#[cfg(test)]
mod tests;
