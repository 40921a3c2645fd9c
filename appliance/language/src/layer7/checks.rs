//! Settings against one another. Each check is a function of its own; whether it finds
//! an alert or a warning is as `haproxy -c` 2.6 has it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use lanai_diagnostics::{Diagnostic, Span};
use lanai_model::layer7::{ListenAddress, LogFormat, Mode, ServerAddress};

use super::draft::{LogLine, ProxyDraft};
use super::rules;
use super::section::Drafts;
use crate::codes;
use crate::outcome::Sink;
use crate::suggest::{did_you_mean, nearest};
use crate::value::Destination;

/// Runs all checks. What something is missing for is said only when every line could be read: else
/// it may well stand in a line that could not.
pub(super) fn check(drafts: &Drafts, sink: &mut Sink) {
    let view = View::new(drafts);
    let (complete, runs) = (!sink.mistaken(), !sink.refused());
    for proxy in &drafts.proxies {
        for check in CONTRADICTIONS {
            check(proxy, &view, sink);
        }
        for check in OMISSIONS.iter().filter(|_| complete) {
            check(proxy, &view, sink);
        }
        if runs {
            ssl_without_certificate(proxy, &view, sink);
        }
    }
    duplicate_binds(&view, sink);
    rules::check(drafts, sink);
}

type ProxyCheck = fn(&ProxyDraft, &View<'_>, &mut Sink);

const CONTRADICTIONS: &[ProxyCheck] = &[
    default_backend,
    duplicate_servers,
    check_without_port,
    needs_http,
];

const OMISSIONS: &[ProxyCheck] = &[no_bind, missing_timeouts, no_log_target];

/// All sections, and backends by name.
struct View<'a> {
    drafts: &'a Drafts,
    backends: HashMap<&'a str, &'a ProxyDraft>,
}

impl<'a> View<'a> {
    fn new(drafts: &'a Drafts) -> Self {
        let backends = drafts
            .proxies
            .iter()
            .filter(|proxy| proxy.is_back())
            .map(|proxy| (proxy.name().as_ref(), proxy));
        Self {
            drafts,
            backends: backends.collect(),
        }
    }
}

fn no_bind(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    if proxy.is_front() && proxy.binds.is_empty() {
        let message = format!(
            "{} '{}' has no 'bind' directive.",
            proxy.word(),
            proxy.name()
        );
        let fault = Diagnostic::warning(codes::NO_BIND, proxy.span, message);
        sink.push(
            fault.with_help("nothing reaches it; if only servers were meant, make it a backend"),
        );
    }
}

fn default_backend(proxy: &ProxyDraft, view: &View<'_>, sink: &mut Sink) {
    let Some((name, span)) = &proxy.settings.default_backend else {
        return;
    };
    if !proxy.is_front() {
        return;
    }
    let own = proxy.name();
    let Some(target) = view.backends.get(name.as_ref()) else {
        let message = format!("Proxy '{own}': unable to find required default_backend: '{name}'.");
        let fault = Diagnostic::alert(codes::UNKNOWN_BACKEND, *span, message);
        let near = nearest(name, view.backends.keys().copied());
        sink.push(match near {
            Some(near) => fault.with_fix(*span, near, did_you_mean(near)),
            None => fault,
        });
        return;
    };
    if std::ptr::eq(*target, proxy) {
        let message = format!("Proxy '{own}': loop detected for default_backend: '{name}'.");
        sink.alert(codes::UNKNOWN_BACKEND, *span, message);
        return;
    }
    // Bytes may be taken for HTTP later on, HTTP messages not for bytes.
    if mode(proxy) == Mode::Http && mode(target) == Mode::Tcp {
        let message = format!(
            "http {} '{own}' tries to use incompatible tcp {} '{name}' as its default backend (see 'mode').",
            proxy.word(),
            target.word(),
        );
        let fault = Diagnostic::alert(codes::MODE_MISMATCH, *span, message);
        let place = target.settings.mode_at.unwrap_or(target.span);
        sink.push(fault.with_label(place, "in mode tcp"));
    }
    if !proxy.servers.is_empty() {
        let message = format!(
            "In proxy '{own}', the 'default_backend' rule always has precedence: its own servers are \
             never used."
        );
        sink.warning(codes::UNUSED_SERVERS, *span, message);
    }
}

fn missing_timeouts(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    let timeouts = &proxy.settings.proxy.timeouts;
    let mut missing = Vec::new();
    if proxy.is_front() && timeouts.client.is_none() {
        missing.push("'timeout client'");
    }
    if proxy.is_back() && !proxy.servers.is_empty() {
        if timeouts.connect.is_none() {
            missing.push("'timeout connect'");
        }
        if timeouts.server.is_none() {
            missing.push("'timeout server'");
        }
    }
    if missing.is_empty() {
        return;
    }
    let message = format!("missing timeouts for {} '{}'.", proxy.word(), proxy.name());
    let help = format!(
        "without {}, a peer that falls silent holds its connection for ever",
        missing.join(" and ")
    );
    let fault = Diagnostic::warning(codes::MISSING_TIMEOUTS, proxy.span, message);
    sink.push(fault.with_help(help));
}

fn duplicate_servers(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    let mut seen: HashMap<&str, (Span, u32), RandomState> = HashMap::default();
    for server in &proxy.servers {
        let place = (server.span, server.origin.line);
        if let Some((before, line)) = seen.insert(&server.name, place) {
            let message = format!(
                "{} '{}', another server named '{}' was already defined at line {line}.",
                proxy.word(),
                proxy.name(),
                server.name
            );
            let fault = Diagnostic::alert(codes::DUPLICATE_NAME, server.span, message);
            sink.push(fault.with_label(before, "defined here"));
        }
    }
}

fn check_without_port(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    let mut named = None;
    for server in &proxy.servers {
        let portless = matches!(
            server.address,
            ServerAddress::Ip(_, None) | ServerAddress::Name(_, None)
        );
        let settings = &server.settings;
        let elsewhere = matches!(
            settings.addr,
            Some(Destination::Inet { port: true } | Destination::Local)
        );
        if settings.check
            && portless
            && !elsewhere
            && settings.port.is_none()
            && !*named.get_or_insert_with(|| rules::steps_name_ports(proxy))
        {
            let message = format!(
                "{} '{}': server '{}' has neither service port nor check port.",
                proxy.word(),
                proxy.name(),
                server.name
            );
            let fault = Diagnostic::alert(codes::CHECK_WITHOUT_PORT, server.span, message);
            let own = "add ':PORT' to its address, or 'port PORT' for the check";
            sink.push(match proxy.settings.checks.method.has_steps() {
                true => fault.with_help(format!(
                    "{own}; or have each 'connect' of the check name a port, the first step one of them"
                )),
                false => fault.with_help(own),
            });
        }
    }
}

fn ssl_without_certificate(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    for bind in &proxy.binds {
        if let Some(ssl) = bind.ssl
            && bind.crt.is_empty()
        {
            let message = format!(
                "Proxy '{}': no SSL certificate specified for bind '{}' (use 'crt').",
                proxy.name(),
                bind.written
            );
            sink.alert(codes::SSL_WITHOUT_CERTIFICATE, ssl, message);
        }
        if let Some((_, crt)) = bind.crt.first()
            && bind.ssl.is_none()
        {
            let message = format!(
                "'crt' has no effect for bind '{}' without 'ssl'",
                bind.written
            );
            let fault = Diagnostic::warning(codes::CRT_WITHOUT_SSL, *crt, message);
            sink.push(fault.with_help("add 'ssl' to speak TLS here"));
        }
    }
}

fn needs_http(proxy: &ProxyDraft, _: &View<'_>, sink: &mut Sink) {
    if mode(proxy) == Mode::Http {
        return;
    }
    let settings = &proxy.settings;
    if let Some(span) = settings.forwardfor_at {
        let message = format!(
            "'option forwardfor' ignored for {} '{}' as it requires HTTP mode.",
            proxy.word(),
            proxy.name()
        );
        sink.warning(codes::NEEDS_HTTP, span, message);
    }
    if let Some(span) = settings.log_format_at
        && settings.proxy.log_format == LogFormat::Http
        && proxy.is_front()
    {
        let message = format!(
            "'option httplog' not usable with {} '{}' (needs 'mode http').",
            proxy.word(),
            proxy.name()
        );
        let fault = Diagnostic::warning(codes::NEEDS_HTTP, span, message);
        sink.push(fault.with_help("it logs as with 'option tcplog'"));
    }
}

fn no_log_target(proxy: &ProxyDraft, view: &View<'_>, sink: &mut Sink) {
    let settings = &proxy.settings;
    let Some(span) = settings.log_format_at.filter(|_| proxy.is_front()) else {
        return;
    };
    let targets = settings.log.iter().any(|line| match line {
        LogLine::Global => !view.drafts.global.global.log.is_empty(),
        LogLine::Target(_) => true,
    });
    if !targets {
        let message = format!(
            "log format ignored for {} '{}' since it has no log address.",
            proxy.word(),
            proxy.name()
        );
        sink.warning(codes::NO_LOG_TARGET, span, message);
    }
}

/// One address and port with one interface, or both without: which of the two a connection reaches
/// is left to chance. With and without an interface, or with two, they stand side by side.
fn duplicate_binds(view: &View<'_>, sink: &mut Sink) {
    let mut seen: HashMap<(&ListenAddress, Option<&Arc<str>>), Span> = HashMap::new();
    let proxies = view.drafts.proxies.iter().filter(|proxy| proxy.is_front());
    for bind in proxies.flat_map(|proxy| &proxy.binds) {
        for (address, span) in &bind.addresses {
            let Some(before) = seen.insert((address, bind.interface.as_ref()), *span) else {
                continue;
            };
            let shown = match address {
                ListenAddress::Inet(address) => address.to_string(),
                ListenAddress::Fd(number) => format!("fd@{number}"),
                ListenAddress::Unix(path) => path.display().to_string(),
            };
            let by = match &bind.interface {
                Some(interface) => format!(" on interface {interface}"),
                None => String::new(),
            };
            let message = format!("'bind {shown}'{by} is given twice");
            let fault = Diagnostic::warning(codes::DUPLICATE_BIND, *span, message)
                .with_label(before, "also here")
                .with_help("which of the two a connection reaches is left to chance");
            sink.push(fault);
        }
    }
}

fn mode(proxy: &ProxyDraft) -> Mode {
    proxy.settings.proxy.mode
}
