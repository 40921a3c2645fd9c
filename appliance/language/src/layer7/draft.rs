//! What has been read so far. The model's own types are filled in; beside them stands what only
//! reading needs: places, and what later lines may still change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lanai_diagnostics::Span;
use lanai_model::Origin;
use lanai_model::layer7::{
    self, Balance, Global, HttpConnectionMode, HttpReuse, ListenAddress, LogFormat, LogTarget,
    Mode, Proxy, ProxyKind, ServerAddress, Source, SslBindOptions, Timeouts,
};

use super::keyword::Sections;
use super::rules::{Checks, Named, Rules, Sets};
use crate::Environment;
use crate::files::FileWord;
use crate::value::Destination;

/// What a keyword's handler fills in.
pub(crate) trait Draft {
    /// One that is thrown away: a keyword in the wrong place is still read for its mistakes.
    fn scratch(&self) -> Self;
    /// What of a line in the wrong place lines behind it are measured by.
    fn learn(&mut self, _: Self)
    where
        Self: Sized,
    {
    }
    /// Where keywords were given.
    fn seen(&mut self) -> &mut HashMap<&'static str, Span>;
}

/// The `global` sections.
#[derive(Default)]
pub(crate) struct GlobalDraft {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) crt_base: Option<PathBuf>,
    pub(crate) ca_base: Option<PathBuf>,
    seen: HashMap<&'static str, Span>,
}

impl GlobalDraft {
    pub(crate) fn new(environment: Environment) -> Self {
        Self {
            environment,
            ..Self::default()
        }
    }
}

impl Draft for GlobalDraft {
    fn scratch(&self) -> Self {
        Self::default()
    }

    fn seen(&mut self) -> &mut HashMap<&'static str, Span> {
        &mut self.seen
    }
}

/// A `defaults`, `frontend`, `listen` or `backend` section.
pub(crate) struct ProxyDraft {
    /// Exactly one kind.
    pub(crate) section: Sections,
    pub(crate) settings: Settings,
    pub(crate) binds: Vec<BindDraft>,
    pub(crate) servers: Vec<ServerDraft>,
    /// Names of servers whose addresses were refused: who refers to them is not wrong.
    pub(crate) unread_servers: Vec<Arc<str>>,
    /// Listeners that may still be opened.
    pub(crate) room: usize,
    /// The section's name, or its keyword where it has none.
    pub(crate) span: Span,
    seen: HashMap<&'static str, Span>,
}

/// What a section inherits from its `defaults`.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Filled in but for `binds`, `servers`, `log` and `default_backend`.
    pub(crate) proxy: Proxy,
    pub(crate) log: Vec<LogLine>,
    pub(crate) default_backend: Option<(Arc<str>, Span)>,
    pub(crate) default_server: ServerSettings,
    /// `source` of the section, for servers without their own.
    pub(crate) source: Option<Arc<Source>>,
    pub(crate) forwardfor_at: Option<Span>,
    pub(crate) log_format_at: Option<Span>,
    pub(crate) mode_at: Option<Span>,
    /// Rules, whose place in the model is filled in at the end.
    pub(crate) rules: Rules,
    /// Backends that lines name, with the keyword of each.
    pub(crate) targets: Vec<(Arc<str>, Span, &'static str)>,
    /// Sections and filters that rules name.
    pub(crate) named: Vec<(Named, Arc<str>, Span)>,
    /// Capture slots that rules name: whether of responses, and which.
    pub(crate) slots: Vec<(bool, usize, Span)>,
    /// Lines that only HTTP has a use for.
    pub(crate) needs_http: Vec<(&'static str, Span)>,
    /// Sets of rules with a rule that always decides.
    pub(crate) decided: Vec<(Sets, Span)>,
    /// The rule of this section that is evaluated last, by its place in the order.
    pub(crate) latest_rule: Option<(usize, Span)>,
    /// Where its stick table is.
    pub(crate) table_at: Option<Span>,
    /// Servers that lines name.
    pub(crate) server_targets: Vec<(Arc<str>, Span)>,
    /// How servers are checked.
    pub(crate) checks: Checks,
}

impl ProxyDraft {
    pub(crate) fn new(
        section: Sections,
        name: Arc<str>,
        span: Span,
        origin: Origin,
        defaults: Option<&Settings>,
    ) -> Self {
        let kind = if section == Sections::BACKEND {
            ProxyKind::Backend
        } else if section == Sections::FRONTEND {
            ProxyKind::Frontend
        } else {
            ProxyKind::Listen
        };
        let mut settings = match defaults {
            Some(defaults) => defaults.inherited(),
            None => Settings::blank(origin.clone()),
        };
        settings.proxy.name = name;
        settings.proxy.kind = kind;
        settings.proxy.origin = origin;
        Self {
            section,
            settings,
            binds: Vec::new(),
            servers: Vec::new(),
            unread_servers: Vec::new(),
            room: 0,
            span,
            seen: HashMap::new(),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.settings.proxy.name
    }

    /// Whether it is a `defaults` section.
    pub(crate) fn is_defaults(&self) -> bool {
        self.section == Sections::DEFAULTS
    }

    /// What messages about one line call it.
    pub(crate) fn kind_word(&self) -> &'static str {
        match self.is_defaults() {
            true => "defaults",
            false => self.word(),
        }
    }

    /// Whether it takes connections.
    pub(crate) fn is_front(&self) -> bool {
        Sections::FRONT_ONLY.contains(self.section)
    }

    /// Whether it has servers.
    pub(crate) fn is_back(&self) -> bool {
        Sections::BACK_ONLY.contains(self.section)
    }

    /// Whether a line, taken or refused, gives it a server of this name.
    pub(crate) fn has_server(&self, name: &str) -> bool {
        let read = self.servers.iter().map(|server| &server.name);
        read.chain(&self.unread_servers)
            .any(|known| known.as_ref() == name)
    }

    /// What HAProxy calls it in messages about whole proxies: a `listen` is a proxy there.
    pub(crate) fn word(&self) -> &'static str {
        match self.settings.proxy.kind {
            ProxyKind::Frontend => "frontend",
            ProxyKind::Backend => "backend",
            ProxyKind::Listen => "proxy",
        }
    }
}

impl Draft for ProxyDraft {
    fn scratch(&self) -> Self {
        let origin = self.settings.proxy.origin.clone();
        let mut scratch = Self {
            room: self.room,
            ..Self::new(
                Sections::LISTEN,
                self.name().clone(),
                self.span,
                origin,
                None,
            )
        };
        scratch.settings.latest_rule = self.settings.latest_rule;
        scratch
    }

    /// As in HAProxy, a rule that is ignored has its place in the order of rules.
    fn learn(&mut self, scratch: Self) {
        self.settings.latest_rule = scratch.settings.latest_rule;
    }

    fn seen(&mut self) -> &mut HashMap<&'static str, Span> {
        &mut self.seen
    }
}

impl Settings {
    /// What a section that follows has of them.
    fn inherited(&self) -> Self {
        Self {
            rules: self.rules.inherited(),
            latest_rule: None,
            decided: Vec::new(),
            named: Vec::new(),
            slots: Vec::new(),
            targets: Vec::new(),
            server_targets: Vec::new(),
            checks: self.checks.inherited(),
            ..self.clone()
        }
    }

    fn blank(origin: Origin) -> Self {
        Self {
            proxy: Proxy {
                name: "".into(),
                kind: ProxyKind::Listen,
                mode: Mode::default(),
                binds: Vec::new(),
                maxconn: None,
                backlog: None,
                default_backend: None,
                balance: Balance::default(),
                servers: Vec::new(),
                timeouts: Timeouts::default(),
                forwardfor: None,
                http_connection_mode: HttpConnectionMode::default(),
                http_reuse: HttpReuse::default(),
                log: Vec::new(),
                log_format: LogFormat::default(),
                dontlognull: false,
                retries: None,
                rules: layer7::Rules::default(),
                origin,
            },
            log: Vec::new(),
            default_backend: None,
            default_server: ServerSettings::default(),
            source: None,
            forwardfor_at: None,
            log_format_at: None,
            mode_at: None,
            rules: Rules::default(),
            targets: Vec::new(),
            named: Vec::new(),
            slots: Vec::new(),
            needs_http: Vec::new(),
            decided: Vec::new(),
            table_at: None,
            latest_rule: None,
            server_targets: Vec::new(),
            checks: Checks::default(),
        }
    }
}

/// A `log` line of a proxy.
#[derive(Clone)]
pub(crate) enum LogLine {
    /// `log global`
    Global,
    Target(LogTarget),
}

/// A `bind` line.
#[derive(Default)]
pub(crate) struct BindDraft {
    pub(crate) addresses: Vec<(ListenAddress, Span)>,
    /// The addresses as written.
    pub(crate) written: String,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) interface: Option<Arc<str>>,
    /// Where the word is.
    pub(crate) transparent: Option<Span>,
    pub(crate) backlog: Option<u32>,
    pub(crate) maxconn: Option<u32>,
    pub(crate) ssl: Option<Span>,
    pub(crate) crt: Vec<(PathBuf, Span)>,
    pub(crate) options: SslBindOptions,
    pub(crate) span: Span,
    pub(crate) origin: Option<Origin>,
}

/// What a `server` line says, and `default-server` before it.
#[derive(Clone, Debug)]
pub(crate) struct ServerSettings {
    pub(crate) check: bool,
    pub(crate) inter: Option<Duration>,
    pub(crate) fastinter: Option<Duration>,
    pub(crate) downinter: Option<Duration>,
    pub(crate) rise: Option<u32>,
    pub(crate) fall: Option<u32>,
    pub(crate) port: Option<u16>,
    /// `addr`.
    pub(crate) addr: Option<Destination>,
    pub(crate) weight: u16,
    pub(crate) maxconn: Option<u32>,
    pub(crate) source: Option<Arc<Source>>,
    pub(crate) ssl: bool,
    pub(crate) check_ssl: bool,
    /// `crt`, which counts where one of them is set.
    pub(crate) crt: Option<FileWord>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            check: false,
            inter: None,
            fastinter: None,
            downinter: None,
            rise: None,
            fall: None,
            port: None,
            addr: None,
            weight: 1,
            maxconn: None,
            source: None,
            ssl: false,
            check_ssl: false,
            crt: None,
        }
    }
}

/// A `server` line.
pub(crate) struct ServerDraft {
    pub(crate) name: Arc<str>,
    pub(crate) address: ServerAddress,
    pub(crate) settings: ServerSettings,
    /// Its name.
    pub(crate) span: Span,
    pub(crate) origin: Origin,
}
