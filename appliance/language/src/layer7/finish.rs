//! From drafts to the model: what had to wait for the last line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lanai_diagnostics::{Diagnostic, SourceMap, Span};
use lanai_model::Origin;
use lanai_model::layer7::{
    Bind, BindSsl, Check, Config, Global, ListenAddress, LogFormat, Mode, Proxy, Server, Source,
    SslBindOptions, TlsVersion,
};

use super::draft::{BindDraft, LogLine, ProxyDraft, ServerDraft};
use super::section::Drafts;
use crate::codes;
use crate::outcome::Sink;

/// Builds the model. Without alerts so far, it is complete.
pub(super) fn config(drafts: Drafts, sources: &SourceMap, sink: &mut Sink) -> Config {
    let Drafts {
        global, proxies, ..
    } = drafts;
    let (crt_base, ca_base) = (global.crt_base, global.ca_base);
    let global = global.global;
    if sink.mistaken() {
        return Config::default();
    }
    let proxies = proxies
        .into_iter()
        .map(|draft| proxy(draft, &global, crt_base.as_deref(), sources, sink))
        .collect();
    let files = sink.take_files().into_iter();
    let files =
        files.filter_map(|file| file.named(crt_base.as_deref(), ca_base.as_deref(), sources));
    Config {
        global,
        proxies,
        files: files.collect(),
    }
}

fn proxy(
    draft: ProxyDraft,
    global: &Global,
    crt_base: Option<&Path>,
    sources: &SourceMap,
    sink: &mut Sink,
) -> Proxy {
    let front = draft.is_front();
    let back = draft.is_back();
    let ProxyDraft {
        settings,
        binds,
        servers,
        ..
    } = draft;
    let mut proxy = settings.proxy;
    proxy.rules = settings.rules.finish(sources);
    if front {
        proxy.binds = binds
            .into_iter()
            .flat_map(|draft| bind(draft, &global.ssl_default_bind, crt_base, sink))
            .collect();
        proxy.default_backend = settings.default_backend.map(|(name, _)| name);
    }
    if back {
        let source = settings.source;
        proxy.servers = servers
            .into_iter()
            .map(|draft| server(draft, source.as_ref()))
            .collect();
    }
    // HTTP's log line has nothing to show of bytes; a warning has said so.
    if proxy.mode == Mode::Tcp && proxy.log_format == LogFormat::Http {
        proxy.log_format = LogFormat::Tcp;
    }
    for line in settings.log {
        match line {
            LogLine::Global => proxy.log.extend(global.log.iter().cloned()),
            LogLine::Target(target) => proxy.log.push(target),
        }
    }
    proxy
}

fn bind(
    draft: BindDraft,
    defaults: &SslBindOptions,
    crt_base: Option<&Path>,
    sink: &mut Sink,
) -> Vec<Bind> {
    let own = draft.options;
    let options = SslBindOptions {
        no_tls_tickets: own.no_tls_tickets || defaults.no_tls_tickets,
        min_version: own.min_version.or(defaults.min_version),
        max_version: own.max_version.or(defaults.max_version),
    };
    if draft.ssl.is_some()
        && options.max_version.unwrap_or(TlsVersion::Tls13)
            < options.min_version.unwrap_or(TlsVersion::Tls12)
    {
        let message = "ssl-max-ver is older than ssl-min-ver: no TLS version is left";
        sink.push(Diagnostic::alert(
            codes::NO_TLS_VERSION,
            draft.span,
            message,
        ));
    }
    if let Some(span) = draft.transparent {
        check_transparent(&draft.addresses, span, sink);
    }
    let crt: Vec<PathBuf> = draft
        .crt
        .into_iter()
        .map(|(path, _)| match crt_base {
            Some(base) => base.join(path),
            None => path,
        })
        .collect();
    let ssl = draft.ssl.map(|_| BindSsl { crt, options });
    let origin = draft.origin.unwrap_or_else(|| Origin {
        file: Arc::from(""),
        line: 0,
    });
    draft
        .addresses
        .into_iter()
        .map(|(address, _)| Bind {
            address,
            name: draft.name.clone(),
            interface: draft.interface.clone(),
            transparent: draft.transparent.is_some(),
            freebind: false,
            backlog: draft.backlog,
            maxconn: draft.maxconn,
            ssl: ssl.clone(),
            origin: origin.clone(),
        })
        .collect()
}

/// `transparent` on every address would take all traffic to that port that passes by, which the
/// manual warns of and nobody means; on a UNIX socket it has no meaning.
fn check_transparent(addresses: &[(ListenAddress, Span)], span: Span, sink: &mut Sink) {
    let refused = addresses.iter().find_map(|(address, _)| match address {
        ListenAddress::Inet(address) if address.ip().is_unspecified() => Some(
            "'transparent' needs an address: on every address it would take all connections to \
             this port that pass by",
        ),
        ListenAddress::Unix(_) => Some("'transparent' is for addresses of IP only"),
        _ => None,
    });
    if let Some(message) = refused {
        sink.push(Diagnostic::alert(
            codes::TRANSPARENT_EVERYWHERE,
            span,
            message,
        ));
    }
}

fn server(draft: ServerDraft, source: Option<&Arc<Source>>) -> Server {
    let settings = draft.settings;
    let check = settings.check.then(|| Check {
        inter: settings.inter.unwrap_or(Duration::from_secs(2)),
        fastinter: settings.fastinter,
        downinter: settings.downinter,
        rise: settings.rise.unwrap_or(2),
        fall: settings.fall.unwrap_or(3),
        port: settings.port,
    });
    Server {
        name: draft.name,
        address: draft.address,
        check,
        weight: settings.weight,
        maxconn: settings.maxconn,
        source: settings.source.or_else(|| source.cloned()),
        origin: draft.origin,
    }
}
