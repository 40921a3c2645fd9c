//! The check: everything that can be known to be wrong without touching anything.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, SourceMap, Span};
use lanai_language::{Environment, Facts, FileKind, NamedFile, codes};
use lanai_model::layer7::Config;
use lanai_model::services::Services;
use lanai_network::{Cut, Desired, Observed, Plan, Visitor};

use crate::dates::certificate_dates;
use crate::files::{FILE_LIMIT, FileSet, LAYER7, SERVICES};
use crate::pem;
use crate::report::CheckReport;
use crate::resolve::resolve;

/// What the two texts mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) services: Services,
    pub(crate) config: Config,
    /// Where `lanai.toml` has the web UI listen.
    pub(crate) ui: Option<SocketAddr>,
}

impl Model {
    pub(crate) fn desired(&self) -> Desired {
        lanai_network::desired_with_ui(&self.services, &self.config, self.ui)
    }
}

impl Model {
    /// Where the web UI listens: as the text says, else as `lanai.toml` does.
    pub(crate) fn ui_listen(&self) -> Option<SocketAddr> {
        self.services.wui_listen().or(self.ui)
    }

    /// Whether the web UI is for somebody at this address: `service wui` names networks, or none.
    pub(crate) fn admits_to_ui(&self, peer: IpAddr) -> bool {
        let wui = self.services.wui.iter().filter(|wui| wui.common.autostart);
        let mut allow = wui.flat_map(|wui| &wui.allow).peekable();
        peer.is_loopback() || allow.peek().is_none() || allow.any(|it| it.net.contains(&peer))
    }

    /// How a change from `running` to this, with this plan, may cut off the visitor.
    pub(crate) fn cuts(
        &self,
        running: &Self,
        visitor: Visitor,
        observed: &Observed,
        plan: &Plan,
    ) -> Vec<Cut> {
        let mut cuts = lanai_network::cuts(visitor, observed, plan);
        let Visitor { peer, port, local } = visitor;
        let at = SocketAddr::new(local, port);
        let takes = |listen: Option<SocketAddr>| {
            listen.is_some_and(|listen| {
                listen.port() == port && (listen.ip() == local || listen.ip().is_unspecified())
            })
        };
        let at_ui = takes(running.ui_listen());
        if let Some(to) = self.ui_listen()
            && at_ui
            && !takes(Some(to))
        {
            // The firewall lets in where it will be, so that it says the same.
            cuts.retain(|cut| !matches!(cut, Cut::Firewall { .. }));
            cuts.push(Cut::Moved { from: at, to });
        }
        let shut_out = Cut::Firewall { peer, port };
        if at_ui
            && running.admits_to_ui(peer)
            && !self.admits_to_ui(peer)
            && !cuts.contains(&shut_out)
        {
            cuts.push(shut_out);
        }
        cuts
    }
}

/// What a check depends on besides the files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The configuration directory.
    pub(crate) root: &'a Path,
    pub(crate) environment: &'a Environment,
    pub(crate) facts: &'a Facts,
    /// Where the web UI listens unless the text says so.
    pub(crate) ui: Option<SocketAddr>,
    /// Seconds since 1970 UTC.
    pub(crate) now_s: i64,
}

/// Reads both texts and looks at the files they name. There is a model if nothing is an alert.
///
/// What this version cannot run yet does not keep the rest from being looked at: all that is wrong is said
/// at once.
pub(crate) fn check(files: &FileSet, around: Surroundings<'_>) -> (CheckReport, Option<Model>) {
    let mut sources = SourceMap::new();
    // A text that is too large is not read; the set's problems say so.
    let text = |name| {
        files
            .get(name)
            .filter(|bytes| bytes.len() <= FILE_LIMIT)
            .unwrap_or_default()
    };
    let services_id = sources.add(SERVICES, text(SERVICES));
    let layer7_id = sources.add(LAYER7, text(LAYER7));

    let whole = |message: String| {
        Diagnostic::alert(codes::BAD_FILE_SET, Span::new(services_id, 0, 0), message)
    };
    let mut diagnostics: Vec<Diagnostic> = files.problems().into_iter().map(whole).collect();
    let services = lanai_language::services::read(&sources, &[services_id]);
    let (mut config, found) = lanai_language::layer7::understand(
        &sources,
        &[layer7_id],
        around.environment,
        around.facts,
    );
    if let (Some(services), Some(config)) = (&services.value, &mut config) {
        config.stand_by(services);
    }
    diagnostics.extend(services.diagnostics);
    diagnostics.extend(found);
    if let (Some(services), Some(config)) = (&services.value, &config) {
        diagnostics.extend(lanai_language::cross::check(services, config, &sources));
    }
    if let Some(config) = &config {
        for named in lanai_language::files_named(config) {
            diagnostics.extend(named_file(&named, files, &sources, around.root));
        }
        let read = |named: &NamedFile| {
            let name = resolve(files, around.root, folder(named.kind), &named.path)?;
            Some(files.get(name)?.to_vec())
        };
        diagnostics.extend(certificate_dates(config, &sources, around.now_s, read));
    }
    let report = CheckReport {
        sources: Arc::new(sources),
        diagnostics,
    };
    let model = match (services.value, config) {
        (Some(services), Some(config)) if !report.is_refused() => Some(Model {
            services,
            config,
            ui: around.ui,
        }),
        _ => None,
    };
    (report, model)
}

fn named_file(
    named: &NamedFile,
    files: &FileSet,
    sources: &SourceMap,
    root: &Path,
) -> Option<Diagnostic> {
    let span = place(named, sources);
    let shown = named.path.display();
    let folder = folder(named.kind);
    let Some(name) = resolve(files, root, folder, &named.path) else {
        let found = Diagnostic::alert(
            codes::FILE_MISSING,
            span,
            format!("there is no file '{shown}' in this configuration"),
        );
        let existing: Vec<&str> = files
            .names()
            .filter(|name| {
                name.strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
            .take(10)
            .collect();
        return Some(found.with_help(match existing.is_empty() {
            true => format!("put the file into {folder}/ of the configuration directory"),
            false => format!(
                "put the file into {folder}/ of the configuration directory; there are: {}",
                existing.join(", ")
            ),
        }));
    };
    match named.kind {
        FileKind::Certificate => certificate(files.get(name).unwrap_or_default(), named, span),
        FileKind::Tls | FileKind::Patterns | FileKind::Page => None,
    }
}

/// What is wrong with a file that is to hold a certificate and its key.
fn certificate(file: &[u8], named: &NamedFile, span: Span) -> Option<Diagnostic> {
    let shown = named.path.display();
    let contents = pem::read(file);
    let (message, help) = if let Some(broken) = contents.broken {
        (
            format!("'{shown}' is damaged: {broken}"),
            "export the certificate and its key as PEM again",
        )
    } else if contents.certificates.is_empty() {
        (
            format!("'{shown}' holds no certificate"),
            "put the certificate, its chain and its private key into one file, in PEM",
        )
    } else if contents.keys == 0 && contents.encrypted {
        (
            format!("the private key in '{shown}' is locked with a password"),
            "unlock it, for example with `openssl pkey -in FILE -out NEW`; nobody is there to type the password at a boot",
        )
    } else if contents.keys == 0 {
        (
            format!("'{shown}' holds no private key"),
            "add the private key of the certificate to the file, in PEM",
        )
    } else {
        return None;
    };
    Some(Diagnostic::alert(codes::FILE_UNFIT, span, message).with_help(help))
}

/// The folder that files for something are in.
fn folder(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Certificate | FileKind::Tls => "ssl",
        FileKind::Patterns => "maps",
        FileKind::Page => "errors",
    }
}

/// The path on the line that names it, or the line if it is written otherwise (quoted, in parts).
pub(crate) fn place(named: &NamedFile, sources: &SourceMap) -> Span {
    let file = sources.find(&named.origin.file).unwrap_or_default();
    let Some(line) = sources.line_span(file, named.origin.line) else {
        return Span::new(file, 0, 0);
    };
    let path = named.path.as_os_str().as_encoded_bytes();
    let found = sources
        .slice(line)
        .windows(path.len().max(1))
        .position(|window| window == path);
    match found
        .and_then(|at| u32::try_from(at).ok())
        .zip(u32::try_from(path.len()).ok())
    {
        Some((at, length)) => Span {
            start: line.start + at,
            end: line.start + at + length,
            ..line
        },
        None => line,
    }
}
