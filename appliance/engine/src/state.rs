//! State that outlives a configuration: counters, servers, queues. Keyed by name and carried over.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use lanai_model::layer7::{LogTarget, Source, SourcePorts};
use lanai_traffic::balance::RoundRobin;
use lanai_traffic::condition::{Condition, Operation};
use tokio::sync::oneshot;

use crate::io::{Bell, Ports};
use crate::overrides::{FrontendOverrides, ServerOverrides};
use crate::server::Shelves;
use crate::status::{CheckResult, Counters};
use crate::tls::TlsConfig;

/// Everything that a request needs to know, put together by `prepare` and never changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) frontends: Vec<LiveFrontend>,
    pub(crate) backends: Vec<Arc<LiveBackend>>,
}

#[derive(Clone, Debug)]
pub(crate) struct LiveFrontend {
    pub(crate) conf: lanai_traffic::Frontend,
    pub(crate) state: Arc<FrontendState>,
    /// One for each bind.
    pub(crate) tls: Vec<Option<TlsConfig>>,
    pub(crate) log: Arc<[LogTarget]>,
}

#[derive(Clone, Debug)]
pub(crate) struct LiveBackend {
    pub(crate) conf: lanai_traffic::Backend,
    pub(crate) state: Arc<BackendState>,
    pub(crate) servers: Vec<LiveServer>,
    pub(crate) log: Arc<[LogTarget]>,
}

#[derive(Clone, Debug)]
pub(crate) struct LiveServer {
    /// Where it is: as configured, or as set at run time.
    pub(crate) target: Target,
    /// As configured.
    pub(crate) configured: Target,
    /// The number of `target` and `source` among those the server has had.
    pub(crate) place: u32,
    /// Where connections to it come from.
    pub(crate) source: Option<Arc<Source>>,
    /// The ports of `source`, if those are a range.
    pub(crate) ports: Option<Arc<Ports>>,
    pub(crate) state: Arc<ServerState>,
}

/// A server's address with its name resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Port `None` is the port the client came to.
    Inet(IpAddr, Option<u16>),
    Unix(PathBuf),
}

impl Target {
    /// Its address, if it has one.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Inet(ip, _) => Some(*ip),
            Self::Unix(_) => None,
        }
    }
}

/// What is counted, one copy a worker, each on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Sums {
    pub(crate) total: Count,
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
    pub(crate) requests: Count,
    pub(crate) request_errors: Count,
    pub(crate) connect_errors: Count,
    pub(crate) response_errors: Count,
    pub(crate) retries: Count,
    pub(crate) connects: Count,
    pub(crate) reuses: Count,
    pub(crate) client_aborts: Count,
    pub(crate) server_aborts: Count,
    responses: [Count; 6],
}

/// A counter with one writer, so that counting needs no locked instruction.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(n),
            Ordering::Relaxed,
        );
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Sums {
    fn all(&self) -> impl Iterator<Item = &Count> {
        [
            &self.total,
            &self.bytes_in,
            &self.bytes_out,
            &self.requests,
            &self.request_errors,
            &self.connect_errors,
            &self.response_errors,
            &self.retries,
            &self.connects,
            &self.reuses,
            &self.client_aborts,
            &self.server_aborts,
        ]
        .into_iter()
        .chain(&self.responses)
    }

    pub(crate) fn response(&self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1).min(5);
        if let Some(count) = self.responses.get(class) {
            count.add(1);
        }
    }
}

/// Sessions now and at most, and the sums of all workers.
#[derive(Debug)]
pub(crate) struct Activity {
    current: AtomicU32,
    max: AtomicU32,
    sums: Box<[Sums]>,
}

impl Activity {
    fn new(workers: usize) -> Self {
        Self {
            current: AtomicU32::new(0),
            max: AtomicU32::new(0),
            sums: (0..workers).map(|_| Sums::default()).collect(),
        }
    }

    /// The sums of one worker.
    pub(crate) fn of(&self, worker: usize) -> &Sums {
        self.sums
            .get(worker)
            .expect("a worker's number is below the number of workers")
    }

    pub(crate) fn enter(&self, worker: usize) {
        let now = self.current.fetch_add(1, Ordering::Relaxed) + 1;
        if now > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(now, Ordering::Relaxed);
        }
        self.of(worker).total.add(1);
    }

    /// Takes a place for somebody whose worker will count it.
    pub(crate) fn enter_uncounted(&self) {
        let now = self.current.fetch_add(1, Ordering::SeqCst) + 1;
        self.max.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.current.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn current(&self) -> u32 {
        self.current.load(Ordering::SeqCst)
    }

    /// Starts counting anew: the maximum, and with `all` the sums too.
    pub(crate) fn clear(&self, all: bool) {
        self.max.store(self.current(), Ordering::Relaxed);
        if all {
            // What a worker counts at this very moment may survive: it is the counter's one writer.
            for sums in &self.sums {
                sums.all().for_each(Count::clear);
            }
        }
    }

    pub(crate) fn read(&self) -> Counters {
        let sum = |of: fn(&Sums) -> &Count| self.sums.iter().map(|s| of(s).get()).sum();
        let mut responses = [0; 6];
        for sums in &self.sums {
            for (total, count) in responses.iter_mut().zip(&sums.responses) {
                *total += count.get();
            }
        }
        Counters {
            current: self.current(),
            max: self.max.load(Ordering::Relaxed),
            total: sum(|s| &s.total),
            bytes_in: sum(|s| &s.bytes_in),
            bytes_out: sum(|s| &s.bytes_out),
            requests: sum(|s| &s.requests),
            request_errors: sum(|s| &s.request_errors),
            connect_errors: sum(|s| &s.connect_errors),
            response_errors: sum(|s| &s.response_errors),
            retries: sum(|s| &s.retries),
            responses,
            connects: sum(|s| &s.connects),
            reuses: sum(|s| &s.reuses),
            client_aborts: sum(|s| &s.client_aborts),
            server_aborts: sum(|s| &s.server_aborts),
        }
    }
}

#[derive(Debug)]
pub(crate) struct FrontendState {
    pub(crate) name: Arc<str>,
    pub(crate) activity: Activity,
    /// Connections taken, with those not served yet.
    pub(crate) admitted: AtomicU32,
    /// Connections at most.
    pub(crate) limit: AtomicU32,
    /// A worker left connections in the accept queue because a limit was reached.
    pub(crate) held_back: AtomicBool,
    pub(crate) overrides: Mutex<FrontendOverrides>,
}

#[derive(Debug)]
pub(crate) struct BackendState {
    pub(crate) activity: Activity,
    pub(crate) turns: Mutex<Turns>,
    /// Length of the queue, to be read without its lock.
    pub(crate) queued: AtomicU32,
    pub(crate) queued_max: AtomicU32,
    /// Times it went down.
    pub(crate) downs: AtomicU32,
    /// Since when any or no server may get traffic.
    pub(crate) changed: Mutex<(bool, Instant)>,
}

/// Who is next: which server for a request, which request for a server.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) schedule: RoundRobin,
    pub(crate) queue: std::collections::VecDeque<Waiting>,
}

/// A request that waits for a server.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Takes the server's number to it.
    pub(crate) sender: oneshot::Sender<usize>,
    /// Wakes its worker.
    pub(crate) bell: Arc<Bell>,
}

#[derive(Debug)]
pub(crate) struct ServerState {
    pub(crate) name: Arc<str>,
    /// Dense over the life of the engine: indexes the workers' pools.
    pub(crate) uid: usize,
    pub(crate) activity: Activity,
    /// It may get new requests: what [`ServerHealth`] comes to, for the road of a request to read.
    pub(crate) serves: AtomicBool,
    /// Its share of the traffic.
    pub(crate) weight: AtomicU16,
    /// Concurrent requests at most.
    pub(crate) limit: AtomicU32,
    /// The number of the address it has now, and of the source: connections to and from earlier ones
    /// are not used again.
    pub(crate) place: AtomicU32,
    /// Times its sessions were ended by command.
    pub(crate) shutdowns: AtomicU32,
    pub(crate) shelves: Shelves,
    pub(crate) health: Mutex<ServerHealth>,
}

#[derive(Debug)]
pub(crate) struct ServerHealth {
    pub(crate) condition: Condition,
    pub(crate) overrides: ServerOverrides,
    /// Where it is, and where connections to it come from; `None` before its configuration took effect.
    pub(crate) way: Option<(Target, Option<Arc<Source>>)>,
    pub(crate) last: Option<CheckResult>,
    pub(crate) failures: u64,
    pub(crate) downs: u64,
    pub(crate) downtime: std::time::Duration,
    pub(crate) changed: Instant,
}

impl ServerHealth {
    fn new() -> Self {
        Self {
            condition: Condition::default(),
            overrides: ServerOverrides::default(),
            way: None,
            last: None,
            failures: 0,
            downs: 0,
            downtime: std::time::Duration::ZERO,
            changed: Instant::now(),
        }
    }

    /// Changes the condition, and counts what that means.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut Condition) -> R) -> R {
        let before = self.condition;
        let outcome = change(&mut self.condition);
        let after = self.condition;
        let down = |condition: Condition| condition.operation() == Operation::Stopped;
        if (before.operation(), before.admin()) != (after.operation(), after.admin()) {
            match (down(before), down(after)) {
                (false, true) => self.downs += 1,
                (true, false) => self.downtime += self.changed.elapsed(),
                (true, true) => return outcome,
                (false, false) => {}
            }
            self.changed = Instant::now();
        }
        outcome
    }
}

impl ServerState {
    pub(crate) fn health(&self) -> MutexGuard<'_, ServerHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn weight(&self) -> u16 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Concurrent requests at most.
    pub(crate) fn limit(&self) -> Option<u32> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|limit| *limit != u32::MAX)
    }
}

impl BackendState {
    pub(crate) fn turns(&self) -> MutexGuard<'_, Turns> {
        // Every change of the turns is complete before the lock is given back.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of backend and server, and the address.
type PortsKey = (Arc<str>, Arc<str>, Option<IpAddr>);

/// All state by name.
#[derive(Debug)]
pub(crate) struct Registry {
    workers: usize,
    frontends: HashMap<Arc<str>, Arc<FrontendState>>,
    backends: HashMap<Arc<str>, Arc<BackendState>>,
    servers: HashMap<(Arc<str>, Arc<str>), Arc<ServerState>>,
    /// A connection may have one longer than any configuration does.
    ports: HashMap<PortsKey, Weak<Ports>>,
    next_uid: usize,
}

impl Registry {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            frontends: HashMap::new(),
            backends: HashMap::new(),
            servers: HashMap::new(),
            ports: HashMap::new(),
            next_uid: 0,
        }
    }

    pub(crate) fn frontend(&mut self, name: &Arc<str>) -> Arc<FrontendState> {
        let workers = self.workers;
        let make = || {
            Arc::new(FrontendState {
                name: name.clone(),
                activity: Activity::new(workers),
                admitted: AtomicU32::new(0),
                limit: AtomicU32::new(u32::MAX),
                held_back: AtomicBool::new(false),
                overrides: Mutex::default(),
            })
        };
        self.frontends
            .entry(name.clone())
            .or_insert_with(make)
            .clone()
    }

    pub(crate) fn backend(&mut self, name: &Arc<str>) -> Arc<BackendState> {
        let workers = self.workers;
        let make = || {
            Arc::new(BackendState {
                activity: Activity::new(workers),
                turns: Mutex::default(),
                queued: AtomicU32::new(0),
                queued_max: AtomicU32::new(0),
                downs: AtomicU32::new(0),
                changed: Mutex::new((true, Instant::now())),
            })
        };
        self.backends
            .entry(name.clone())
            .or_insert_with(make)
            .clone()
    }

    pub(crate) fn server(&mut self, backend: &Arc<str>, name: &Arc<str>) -> Arc<ServerState> {
        let (workers, uid) = (self.workers, self.next_uid);
        let entry = self.servers.entry((backend.clone(), name.clone()));
        if let std::collections::hash_map::Entry::Vacant(_) = entry {
            self.next_uid += 1;
        }
        let make = || {
            Arc::new(ServerState {
                name: name.clone(),
                uid,
                activity: Activity::new(workers),
                serves: AtomicBool::new(true),
                weight: AtomicU16::new(1),
                limit: AtomicU32::new(u32::MAX),
                place: AtomicU32::new(0),
                shutdowns: AtomicU32::new(0),
                shelves: Shelves::new(workers),
                health: Mutex::new(ServerHealth::new()),
            })
        };
        entry.or_insert_with(make).clone()
    }

    /// The ports of a server's source, if they are a range. That range is told when the configuration
    /// takes effect, for those that are in use now.
    pub(crate) fn ports(
        &mut self,
        backend: &Arc<str>,
        server: &Arc<str>,
        source: &Source,
    ) -> Option<Arc<Ports>> {
        let Some(SourcePorts::Range(range)) = &source.ports else {
            return None;
        };
        let key = (backend.clone(), server.clone(), source.address);
        let weak = self.ports.entry(key).or_default();
        let ports = weak.upgrade().unwrap_or_else(|| {
            let ports = Arc::new(Ports::new(source.address, range.clone()));
            *weak = Arc::downgrade(&ports);
            ports
        });
        Some(ports)
    }

    /// Forgets what no configuration names any more.
    pub(crate) fn retain(&mut self, live: &Live) {
        let fronts: Vec<&str> = live.frontends.iter().map(|f| &*f.conf.name).collect();
        let backs: Vec<&str> = live.backends.iter().map(|b| &*b.conf.name).collect();
        self.frontends.retain(|name, _| fronts.contains(&&**name));
        self.backends.retain(|name, _| backs.contains(&&**name));
        let kept: std::collections::HashSet<usize> = live
            .backends
            .iter()
            .flat_map(|b| &b.servers)
            .map(|s| s.state.uid)
            .collect();
        self.servers.retain(|_, server| kept.contains(&server.uid));
        self.ports.retain(|_, ports| ports.strong_count() > 0);
    }

    /// All servers, with the names of their backends.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<ServerState>)> {
        self.servers
            .iter()
            .map(|((backend, _), server)| (backend, server))
    }

    /// All frontends.
    pub(crate) fn frontends(&self) -> impl Iterator<Item = &Arc<FrontendState>> {
        self.frontends.values()
    }
}
