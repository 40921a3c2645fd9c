//! Everything about a configuration that may fail, done before anything changes.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lanai_model::Origin;
use lanai_model::layer7::{Bind, Config, ListenAddress, ServerAddress, StatsSocket};
use lanai_traffic::Snapshot;

use crate::listen::{self, ListenKey, Listening};
use crate::names::{Addresses, Resolver};
use crate::server::source;
use crate::service::ApiSocket;
use crate::state::{Live, LiveBackend, LiveFrontend, LiveServer, Registry, Target};
use crate::tls::TlsConfig;
use crate::{Files, PrepareError};

/// HAProxy's default for `tune.ssl.cachesize`.
const SSL_CACHE: u32 = 20_000;
/// HAProxy's default for `stats timeout`.
const STATS_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to the runtime API that wait to be accepted at most.
const API_BACKLOG: i32 = 16;

/// What [`crate::Engine::swap`] puts in place.
pub(crate) struct Ready {
    pub(crate) live: Arc<Live>,
    pub(crate) sockets: Vec<Arc<Listening>>,
    pub(crate) api: Vec<ApiSocket>,
    /// What names resolved to.
    pub(crate) addresses: Addresses,
}

pub(crate) struct Prepare<'a> {
    pub(crate) config: &'a Config,
    pub(crate) files: &'a dyn Files,
    /// Listening now: sockets that stay are used again.
    pub(crate) open: &'a [Arc<Listening>],
    /// Sockets of the runtime API that are open now.
    pub(crate) api: &'a [ApiSocket],
    /// Sockets of a former engine, by [`ListenKey::name`] or [`ApiSocket::name`].
    pub(crate) inherited: &'a HashMap<String, Arc<OwnedFd>>,
    pub(crate) names: Resolver<'a>,
    pub(crate) maxconn: u32,
    pub(crate) errors: Vec<PrepareError>,
}

impl Prepare<'_> {
    pub(crate) fn run(mut self, registry: &mut Registry) -> Result<Ready, Vec<PrepareError>> {
        let snapshot = Snapshot::compile(self.config);
        self.ask_for_names(&snapshot);
        let mut frontends = Vec::new();
        for conf in snapshot.frontends {
            let tls = conf.binds.iter().map(|bind| self.tls(bind)).collect();
            let state = registry.frontend(&conf.name);
            let log = conf.log.clone().into();
            frontends.push(LiveFrontend {
                conf,
                state,
                tls,
                log,
            });
        }
        let mut backends = Vec::new();
        for conf in snapshot.backends {
            let origins = self.server_origins(&conf.name);
            let mut servers = Vec::new();
            for (server, origin) in conf.servers.iter().zip(origins) {
                let names = (&*conf.name, &*server.name);
                let target = self.resolve(names, &server.address, &origin);
                if let Some(source) = &server.source
                    && let Err(message) = source::probe(source)
                {
                    let server = format!("server {}/{}", conf.name, server.name);
                    self.refuse(&source.origin, format!("{server}: {message}"));
                }
                let state = registry.server(&conf.name, &server.name);
                let source = server.source.as_deref();
                let ports = source.and_then(|it| registry.ports(&conf.name, &server.name, it));
                servers.push(LiveServer {
                    configured: target.clone(),
                    target,
                    place: state.place.load(Ordering::SeqCst),
                    source: server.source.clone(),
                    ports,
                    state,
                });
            }
            let state = registry.backend(&conf.name);
            let log = conf.log.clone().into();
            backends.push(Arc::new(LiveBackend {
                conf,
                state,
                servers,
                log,
            }));
        }
        let sockets = self.listeners(&frontends);
        let stats: Vec<StatsSocket> = self.config.global.stats_sockets.clone();
        let api = stats.iter().filter_map(|stats| self.api(stats)).collect();
        if self.errors.is_empty() {
            Ok(Ready {
                live: Arc::new(Live {
                    frontends,
                    backends,
                }),
                sockets,
                api,
                addresses: self.names.found,
            })
        } else {
            Err(self.errors)
        }
    }

    fn tls(&mut self, bind: &Bind) -> Option<TlsConfig> {
        let ssl = bind.ssl.as_ref()?;
        let global = &self.config.global;
        let cache = global.tune_ssl_cachesize.unwrap_or(SSL_CACHE) as usize;
        TlsConfig::load(ssl, &global.ssl_default_bind, cache, self.files)
            .map_err(|message| self.refuse(&bind.origin, message))
            .ok()
    }

    fn server_origins(&self, backend: &str) -> Vec<Origin> {
        let proxy = self
            .config
            .proxies
            .iter()
            .find(|p| &*p.name == backend && !p.servers.is_empty());
        proxy
            .map(|p| p.servers.iter().map(|s| s.origin.clone()).collect())
            .unwrap_or_default()
    }

    fn ask_for_names(&mut self, snapshot: &Snapshot) {
        let servers = snapshot.backends.iter().flat_map(|backend| {
            backend
                .servers
                .iter()
                .map(|server| (&*backend.name, server))
        });
        let names: Vec<_> = servers
            .filter_map(|(backend, server)| match &server.address {
                ServerAddress::Name(name, _) => Some((backend, &*server.name, &**name)),
                ServerAddress::Ip(..) | ServerAddress::Unix(_) => None,
            })
            .collect();
        self.names.ask(&names);
    }

    fn resolve(
        &mut self,
        (backend, server): (&str, &str),
        address: &ServerAddress,
        origin: &Origin,
    ) -> Target {
        match address {
            ServerAddress::Ip(ip, port) => Target::Inet(*ip, *port),
            ServerAddress::Unix(path) => Target::Unix(path.clone()),
            ServerAddress::Name(name, port) => match self.names.resolve(backend, server, name) {
                Some(address) => Target::Inet(address, *port),
                None => {
                    self.refuse(origin, format!("could not resolve address '{name}'; is the name right, and is a DNS server reachable?"));
                    Target::Unix(Path::new("").into())
                }
            },
        }
    }

    fn listeners(&mut self, frontends: &[LiveFrontend]) -> Vec<Arc<Listening>> {
        let mut open: HashMap<ListenKey, Arc<OwnedFd>> = self
            .open
            .iter()
            .map(|l| (l.key.clone(), l.socket.clone()))
            .collect();
        let binds = || {
            frontends
                .iter()
                .flat_map(|f| f.conf.binds.iter().map(move |b| (f, b)))
        };
        for (_, bind) in binds() {
            let key = ListenKey::of(bind);
            if let Some(socket) = key.name().and_then(|name| self.inherited.get(&name)) {
                open.entry(key).or_insert_with(|| socket.clone());
            }
        }
        // One port with several interfaces, or with one and without: all of them must agree to share
        // it while one joins, those that are about to close too.
        let keys = binds().map(|(_, bind)| ListenKey::of(bind));
        let shared = listen::shared_addresses(keys.chain(open.keys().cloned()));
        let mut sharing: Vec<Arc<OwnedFd>> = Vec::new();
        for (_, socket) in open.iter().filter(|(key, _)| shared.contains(&key.address)) {
            // If it does not, whoever joins it is refused, with the line.
            let _ = listen::share_port(socket, true);
            sharing.push(socket.clone());
        }
        let mut sockets = Vec::new();
        for (frontend, bind) in binds() {
            let shared = shared.contains(&bind.address);
            let number = frontend
                .conf
                .binds
                .iter()
                .position(|b| std::ptr::eq(b, bind));
            let tls = number.and_then(|n| frontend.tls.get(n)).cloned().flatten();
            let backlog = backlog(&frontend.conf, Some(bind), self.maxconn);
            let key = ListenKey::of(bind);
            let label = bind
                .name
                .clone()
                .unwrap_or_else(|| (number.unwrap_or(0) + 1).to_string().into());
            let socket = match open.get(&key) {
                Some(before) => Ok(before.clone()),
                None => listen::open(bind, backlog, shared).map(Arc::<OwnedFd>::new),
            };
            if let (Ok(socket), true) = (&socket, shared) {
                sharing.push(socket.clone());
            }
            match socket {
                Ok(socket) => {
                    let frontend = frontend.state.clone();
                    sockets.push(Arc::new(Listening {
                        key,
                        socket,
                        frontend,
                        tls,
                        backlog,
                        transparent: bind.transparent,
                        label,
                    }));
                }
                Err(message) => {
                    let message = format!("Starting frontend {}: {message}", frontend.conf.name);
                    self.refuse(&bind.origin, message);
                }
            }
        }
        for socket in sharing {
            // It is a socket, and the option is a bit of it.
            let _ = listen::share_port(&socket, false);
        }
        sockets
    }

    fn api(&mut self, stats: &StatsSocket) -> Option<ApiSocket> {
        let bind = Bind {
            address: stats.address.clone(),
            name: None,
            interface: None,
            transparent: false,
            freebind: false,
            backlog: None,
            maxconn: None,
            ssl: None,
            origin: stats.origin.clone(),
        };
        let name = ListenKey::of(&bind)
            .name()
            .map(|name| format!("stats socket {name}"));
        let open = |name: &String| {
            let now = self.api.iter().find(|it| it.name.as_ref() == Some(name));
            let now = now.map(|it| &it.fd);
            now.or_else(|| self.inherited.get(name)).cloned()
        };
        let opened = match (name.as_ref().and_then(open), &stats.address) {
            (Some(fd), ListenAddress::Unix(path)) => set_mode(path, stats.mode)
                .map(|()| fd)
                .map_err(|e| format!("cannot change the mode of '{}': {e}", path.display())),
            (Some(fd), _) => Ok(fd),
            (None, ListenAddress::Unix(path)) => open_api_path(path, stats.mode).map(Arc::new),
            (None, _) => listen::open(&bind, API_BACKLOG, false).map(Arc::new),
        };
        let timeout = self.config.global.stats_timeout.unwrap_or(STATS_TIMEOUT);
        opened
            .map(|fd| ApiSocket {
                name,
                fd,
                level: stats.level,
                timeout,
            })
            .map_err(|message| self.refuse(&stats.origin, format!("stats socket: {message}")))
            .ok()
    }

    fn refuse(&mut self, origin: &Origin, message: String) {
        self.errors.push(PrepareError {
            origin: Some(origin.clone()),
            message,
        });
    }
}

/// Length of a listener's accept queue.
fn backlog(frontend: &lanai_traffic::Frontend, bind: Option<&Bind>, maxconn: u32) -> i32 {
    let wanted = bind
        .and_then(|bind| bind.backlog)
        .or(frontend.backlog)
        .or(frontend.maxconn);
    i32::try_from(wanted.unwrap_or(maxconn)).unwrap_or(i32::MAX)
}

/// Opens a runtime API socket under a name of its own and renames it into place: there is no moment
/// without one, and a new engine takes the name over from an old one.
fn open_api_path(path: &Path, mode: Option<u32>) -> Result<OwnedFd, String> {
    let open = || {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = std::path::PathBuf::from(name);
        let _ = std::fs::remove_file(&temporary);
        let fd = listen::open_unix(&temporary, API_BACKLOG)?;
        set_mode(&temporary, mode)?;
        std::fs::rename(&temporary, path)?;
        Ok::<_, std::io::Error>(fd)
    };
    open().map_err(|e| format!("cannot listen on '{}': {e}", path.display()))
}

fn set_mode(path: &Path, mode: Option<u32>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    match mode {
        Some(mode) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}
