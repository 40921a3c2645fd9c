//! The proxy engine: sockets, TLS, HTTP/1, tunnels, pools, timers, health checks, syslog and the
//! runtime API.
//!
//! An [`Engine`] is a set of worker threads and one service thread. A configuration reaches it as a
//! validated model: [`Engine::prepare`] does everything that may fail (bind, certificates, names)
//! and changes nothing that runs; [`Engine::swap`] puts the result in place and cannot fail.
//!
//! The road of a request: `worker` (accept) -> `session` (head, server, response) with `server`
//! (whose turn, connection), `http1` (pure framing), `tls` and `io` below.
//!
//! Invariant: the engine knows no configuration text, and the road of a request takes no lock that
//! the control side holds while it works.

mod http1;
mod io;
mod listen;
mod names;
mod overrides;
mod prepare;
mod pulse;
mod read;
mod respond;
mod runtime_api;
mod server;
mod service;
mod session;
mod shared;
mod state;
mod status;
mod stream;
mod tls;
mod worker;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use lanai_model::Origin;
use lanai_model::layer7::Config;
use tokio::sync::mpsc::unbounded_channel;

use crate::names::{First, Known, Resolver};
use crate::overrides::Operator;
use crate::prepare::{Prepare, Ready};
use crate::read::{Sockets, StatusSource};
use crate::service::syslog::LogSender;
use crate::service::{ApiSocket, Request, Service};
use crate::shared::Shared;
use crate::state::Registry;
use crate::worker::Command;

pub use lanai_traffic::condition::{Admin, Checks, Operation};
pub use names::Addresses;
pub use overrides::{
    Override, OverrideReceiver, OverrideSender, Told, channel as override_channel,
};
pub use pulse::Pulse;
pub use status::{
    BackendStatus, CheckResult, Counters, FrontendStatus, ListenerStatus, ServerStatus, Status,
};

/// What is fixed for the life of an engine. A change of these needs a new one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads, at least 1.
    pub nbthread: usize,
    /// Concurrent client connections of the process; `None` derives it from the descriptor limit.
    pub maxconn: Option<u32>,
    /// `tune.bufsize`: bytes of a buffer for message heads; `None` is 16,384.
    pub bufsize: Option<u32>,
    /// `tune.maxrewrite`: bytes of it that a received head must leave free; `None` is 1,024.
    pub maxrewrite: Option<u32>,
    /// The version that the runtime API tells.
    pub version: &'static str,
    /// Where changes at run time are told ([`override_channel`]).
    pub overrides: Option<OverrideSender>,
    /// `log-tag`: the program name in log lines; HAProxy's default is `haproxy`.
    pub log_tag: String,
}

/// Where the files come from that a configuration names.
pub trait Files {
    /// The bytes of the file that the configuration calls `path`.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
}

/// Why a configuration cannot be put to work.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PrepareError {
    /// The line that asks for it.
    pub origin: Option<Origin>,
    /// What failed, and what may help.
    pub message: String,
}

/// Why an engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system refused a thread, a descriptor or an event queue.
    #[error("cannot start a worker thread")]
    Thread(#[source] std::io::Error),
}

/// What becomes of client connections that are idle when an engine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleClients {
    /// They are closed, as HAProxy does: a request that is under way just then is lost.
    Close,
    /// They may send one more request, and are told that it was the last.
    AnswerOnce,
}

/// A configuration that is ready to be swapped in: its sockets are open, its certificates loaded.
/// Dropping it undoes that.
pub struct Prepared(Ready);

impl Prepared {
    /// What it will listen on: see [`Engine::listeners`].
    #[must_use]
    pub fn listeners(&self) -> Vec<(String, Arc<OwnedFd>)> {
        named(&self.0.sockets, &self.0.api)
    }
}

/// What came of what was set at run time when a configuration took effect.
#[derive(Debug, Default)]
pub struct Swapped {
    /// The answers of commands that failed, as [`Engine::replay`] gives them.
    pub failed: Vec<String>,
    /// The commands of what gave way to the configuration, by what they set: its server or frontend is no
    /// more, or the text says something else of that kind now. They bring it back with the former one.
    pub lost: BTreeMap<String, String>,
}

/// A running engine. Dropping it stops the threads and closes everything.
pub struct Engine {
    shared: Arc<Shared>,
    sockets: Sockets,
    registry: Mutex<Registry>,
    /// Sockets of the runtime API in use.
    api: Mutex<Vec<ApiSocket>>,
    /// Sockets of a former engine, until the first configuration takes what it needs.
    inherited: Mutex<HashMap<String, Arc<OwnedFd>>>,
    /// What names resolved to.
    known: Mutex<Known>,
    service: Service,
    status: StatusSource,
    workers: Vec<std::thread::JoinHandle<()>>,
}

/// Descriptors that are not for connections: listeners, logs, the runtime API, epoll.
const RESERVED_DESCRIPTORS: u64 = 100;

impl Engine {
    /// Starts the threads, with nothing to listen on.
    ///
    /// # Errors
    /// When the system refuses threads or descriptors.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let threads = settings.nbthread.max(1);
        let maxconn = settings.maxconn.unwrap_or_else(default_maxconn).max(1);
        let bufsize = settings.bufsize.unwrap_or(16_384).max(1024) as usize;
        let maxrewrite = settings.maxrewrite.unwrap_or(1024) as usize;
        let max_head = bufsize - maxrewrite.min(bufsize / 2);
        let (log, lines) = LogSender::new();
        let journal = settings.overrides;
        let shared = Shared::new(threads, maxconn, bufsize, max_head, log, journal);
        let shared = Arc::new(shared);
        let sockets = Sockets::default();
        let (requests, inbox) = unbounded_channel();
        let operator = Operator::new(shared.clone(), sockets.clone(), requests.clone());
        let status = StatusSource {
            operator: Arc::new(operator),
            shared: shared.clone(),
            sockets: sockets.clone(),
            threads,
            version: settings.version,
        };
        let requests = (requests, inbox);
        let tag = settings.log_tag;
        let service = Service::start(shared.clone(), requests, lines, tag, status.clone())
            .map_err(StartError::Thread)?;
        let mut mailboxes = Vec::new();
        let mut workers = Vec::new();
        for id in 0..threads {
            let (worker, mailbox) =
                worker::spawn(id, shared.clone()).map_err(StartError::Thread)?;
            workers.push(worker);
            mailboxes.push(mailbox);
        }
        shared.workers.get_or_init(|| mailboxes);
        let registry = Mutex::new(Registry::new(threads));
        Ok(Self {
            shared,
            sockets,
            registry,
            api: Mutex::default(),
            inherited: Mutex::default(),
            known: Mutex::default(),
            service,
            status,
            workers,
        })
    }

    /// Takes over listening sockets of a former engine, by the names that [`Engine::listeners`] of that
    /// one gave. The first configuration uses those it names; the others are closed when it is
    /// swapped in.
    pub fn inherit(&self, sockets: Vec<(String, OwnedFd)>) {
        let sockets = sockets
            .into_iter()
            .map(|(name, socket)| (name, Arc::new(socket)));
        self.inherited().extend(sockets);
    }

    /// Remembers what a former engine's [`Engine::addresses`] gave.
    pub fn remember(&self, addresses: Addresses) {
        self.known().took_effect(addresses);
    }

    /// What the names of servers resolved to, in the configuration in effect and in the one before it.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.known().all()
    }

    /// The listening sockets that another engine could take over, with their names: those in use, and
    /// those of a former engine that no configuration has taken or left yet.
    #[must_use]
    pub fn listeners(&self) -> Vec<(String, Arc<OwnedFd>)> {
        let mut all = named(&self.sockets.load(), &self.api());
        let inherited = self.inherited();
        all.extend(
            inherited
                .iter()
                .map(|(name, socket)| (name.clone(), socket.clone())),
        );
        all
    }

    /// Looks at every accept queue again. To be called once a former engine that shared the listening
    /// sockets is gone: the kernel may have woken that one for a connection that it left.
    pub fn accept_again(&self) {
        self.shared.tell(|| Command::AcceptAgain);
    }

    /// Does everything for `config` that may fail. Blocks (it may resolve names). A name that cannot be
    /// resolved keeps the address that the server had by it, if there was one.
    ///
    /// # Errors
    /// All reasons at once; nothing has changed then.
    pub fn prepare(
        &self,
        config: &Config,
        files: &dyn Files,
    ) -> Result<Prepared, Vec<PrepareError>> {
        self.prepare_with(config, files, First::Resolver)
    }

    /// As [`Engine::prepare`], for what a former engine served: only names that it did not know
    /// ([`Engine::remember`]) are resolved.
    ///
    /// # Errors
    /// As [`Engine::prepare`].
    pub fn prepare_as_left(
        &self,
        config: &Config,
        files: &dyn Files,
    ) -> Result<Prepared, Vec<PrepareError>> {
        self.prepare_with(config, files, First::Known)
    }

    fn prepare_with(
        &self,
        config: &Config,
        files: &dyn Files,
        first: First,
    ) -> Result<Prepared, Vec<PrepareError>> {
        let known = self.known().clone();
        let names = Resolver::new(&known, first);
        let open = self.sockets.load_full();
        let maxconn = self.shared.hard_maxconn;
        let api = self.api().clone();
        let inherited = self.inherited().clone();
        let prepare = Prepare {
            config,
            files,
            open: &open,
            api: &api,
            inherited: &inherited,
            names,
            maxconn,
            errors: Vec::new(),
        };
        prepare.run(&mut self.registry()).map(Prepared)
    }

    /// Makes a prepared configuration the running one, and returns when all workers use it.
    /// Connections finish on the one they began with. What was set at run time stays, but for values
    /// of the configuration that changed.
    pub fn swap(&self, prepared: Prepared) {
        self.swap_replaying(prepared, &[]);
        self.take_charge();
    }

    /// As [`Engine::swap`], and runs `commands` before the first connection is taken and the first
    /// check is made: what another engine reported as [`Override::command`].
    ///
    /// The other engine may be at work still, on the same sockets: before [`Engine::take_charge`] none of
    /// them is opened or shut for a frontend that is paused, and the runtime API is not served.
    pub fn swap_replaying(&self, Prepared(ready): Prepared, commands: &[String]) -> Swapped {
        let journal = self.shared.journal.as_ref();
        let operator = &self.status.operator;
        let turn = operator.turn();
        let mut lost = overrides::settle(&ready, journal);
        let live = overrides::apply_targets(ready.live.clone());
        self.shared.live.store(live.clone());
        self.sockets.store(Arc::new(ready.sockets.clone()));
        drop(turn);
        let failed = self.replay(commands);
        if self.shared.in_charge.load(Ordering::SeqCst) {
            overrides::open_or_close(&ready.live, &ready.sockets);
        }
        self.listen(ready.sockets.into());
        self.service
            .ask(Request::Check(self.shared.live.load_full()));
        *self.api() = ready.api;
        self.known().took_effect(ready.addresses);
        self.inherited().clear();
        let mut registry = self.registry();
        lost.extend(overrides::forget(&registry, &live, journal));
        registry.retain(&live);
        // What checks found is theirs to find again.
        lost.retain(|(_, command)| !command.ends_with(overrides::IF_CHECKED));
        Swapped {
            failed,
            lost: lost.into_iter().collect(),
        }
    }

    /// Runs commands that change something, such as [`Override::command`]s, as an administrator would
    /// on the runtime API. Returns the answers of those that failed, each with its command: a server
    /// that the configuration no longer has is a line here, and no more.
    pub fn replay(&self, commands: &[String]) -> Vec<String> {
        runtime_api::replay(&self.status.operator, commands)
    }

    /// Brings what was set at run time from `before`, which was replayed here, to `now`: what the other
    /// engine reported since, commands by [`Override::key`]. Returns the answers of those that failed,
    /// as [`Engine::replay`] does.
    pub fn follow(
        &self,
        before: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
    ) -> Vec<String> {
        self.status.operator.follow(before, now)
    }

    /// Another engine that shared the listening sockets is out of the way: they are opened or shut as
    /// what is set here says, and the runtime API is served on the sockets of the configuration in
    /// effect, and no others. Its connections stay open.
    pub fn take_charge(&self) {
        if self.status.operator.take_charge() {
            self.service.ask(Request::Api(self.api().clone()));
        }
    }

    /// Another engine takes charge: nothing is set here any more, and the runtime API's sockets are left
    /// to that one. Whoever is connected there already may look, and change nothing.
    pub fn resign(&self) {
        self.status.operator.succeeded();
        self.service.ask(Request::Api(Vec::new()));
    }

    /// Signs of life of all threads. A thread that is awake and has not moved since the last call is
    /// asked to show itself: if it is not stuck, it has moved a moment later, however much it has to
    /// do.
    #[must_use]
    pub fn pulse(&self) -> Vec<Pulse> {
        self.shared.beats.read(|worker| match worker {
            Some(id) => {
                let workers = self.shared.workers.get();
                if let Some(worker) = workers.and_then(|all| all.get(id)) {
                    // One that has ended shows nothing.
                    let _ = worker.send(Command::Beat);
                }
            }
            None => self.service.ask(Request::Beat),
        })
    }

    /// Reads all states and counters.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.read()
    }

    /// Stops listening. Connections at work go on.
    pub fn soft_stop(&self, idle: IdleClients) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let keep = idle == IdleClients::AnswerOnce;
        self.shared.keeps_idle.store(keep, Ordering::SeqCst);
        self.sockets.store(Arc::default());
        self.listen(Arc::new([]));
    }

    /// Waits until no client connection is left, at most for `limit`. Returns whether none is.
    #[must_use]
    pub fn wait_drained(&self, limit: Option<Duration>) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let Ok(runtime) = runtime else { return false };
        let drained = async {
            loop {
                let notified = self.shared.drained.notified();
                if self.shared.connections.load(Ordering::SeqCst) == 0 {
                    return;
                }
                notified.await;
            }
        };
        let limit = limit.unwrap_or(Duration::MAX);
        runtime.block_on(async { tokio::time::timeout(limit, drained).await.is_ok() })
    }

    /// Tells the workers what to listen on, and waits until they do.
    fn listen(&self, sockets: Arc<[Arc<listen::Listening>]>) {
        let (done, all) = mpsc::channel();
        self.shared
            .tell(|| Command::Listen(sockets.clone(), done.clone()));
        drop(done);
        // It ends when every worker has answered, or is gone.
        all.iter().for_each(drop);
    }

    fn api(&self) -> MutexGuard<'_, Vec<ApiSocket>> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inherited(&self) -> MutexGuard<'_, HashMap<String, Arc<OwnedFd>>> {
        self.inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("listeners", &self.0.sockets.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.tell(|| Command::Stop);
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already.
            let _ = worker.join();
        }
    }
}

fn named(sockets: &[Arc<listen::Listening>], api: &[ApiSocket]) -> Vec<(String, Arc<OwnedFd>)> {
    let api = api
        .iter()
        .filter_map(|it| Some((it.name.clone()?, it.fd.clone())));
    let sockets = sockets
        .iter()
        .filter_map(|it| Some((it.key.name()?, it.socket.clone())));
    sockets.chain(api).collect()
}

/// As many connections as there are descriptors for: each has one to the client and one to a server.
fn default_maxconn() -> u32 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let connections = limit
        .unwrap_or(u64::from(u32::MAX))
        .saturating_sub(RESERVED_DESCRIPTORS)
        / 2;
    u32::try_from(connections).unwrap_or(u32::MAX)
}
