//! Clients of every kind at a set rate, in one thread inside a host's namespace.
//!
//! wrk and its like count an answer that never came, one that was cut and a connection that was
//! thrown away as the same thing, if they count them at all. Here each has its name, and each
//! failure knows when its connection was begun.

mod download;
mod http;
mod ledger;
mod pace;
mod stream;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lanai_tests::{until, within};

use crate::namespace;
pub(crate) use ledger::{Cause, Failure, Kind, Ledger, Report};

/// How often the clients' own clock is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Clients of one kind: so many connections, together so many exchanges a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clients {
    pub(crate) connections: u32,
    pub(crate) per_second: u32,
}

/// A download and how slowly it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    pub(crate) bytes: u64,
    pub(crate) per_second: u64,
}

/// What a load is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// Where HTTP is spoken.
    pub(crate) web: SocketAddr,
    /// Where HTTP is spoken over TLS.
    pub(crate) secure: SocketAddr,
    /// Where bytes come back in TCP mode.
    pub(crate) raw: SocketAddr,
    pub(crate) kept: Clients,
    pub(crate) fresh: Clients,
    pub(crate) tls: Clients,
    pub(crate) tunnels: Clients,
    pub(crate) echoes: Clients,
    pub(crate) download: Option<Slow>,
    /// How long an exchange may take.
    pub(crate) patience: Duration,
}

impl Mix {
    /// Kinds that this load has.
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        let Mix {
            kept,
            fresh,
            tls,
            tunnels,
            echoes,
            download,
            ..
        } = *self;
        Kind::ALL.into_iter().filter(move |kind| match kind {
            Kind::Kept => kept.connections > 0,
            Kind::Fresh => fresh.connections > 0,
            Kind::Secure => tls.connections > 0,
            Kind::Tunnel => tunnels.connections > 0,
            Kind::Echo => echoes.connections > 0,
            Kind::Download => download.is_some(),
        })
    }
}

/// What every client has.
struct Run {
    mix: Mix,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    number: AtomicU64,
    tls: tokio_rustls::TlsConnector,
}

impl Run {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// A number that no other request has.
    fn next(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }
}

/// A load that runs.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts it in a namespace, waits until every kind gets through, and counts from then on.
    #[track_caller]
    pub(crate) fn start(namespace: &str, mix: Mix) -> Load {
        let load = Load::begin(namespace, mix);
        until("every kind of load to get through", within(), || {
            let report = load.ledger.report();
            // A download is not over for a long time.
            let mut kinds = mix.kinds().filter(|kind| *kind != Kind::Download);
            kinds.all(|kind| report.of(kind).done > 0).then_some(())
        });
        load.ledger.clear();
        load
    }

    /// Starts it in a namespace and counts at once.
    pub(crate) fn begin(namespace: &str, mix: Mix) -> Load {
        let ledger = Arc::new(Ledger::new());
        let stop = Arc::new(AtomicBool::new(false));
        let run = Arc::new(Run {
            mix,
            ledger: ledger.clone(),
            stop: stop.clone(),
            number: AtomicU64::new(1),
            tls: wire::trusting(),
        });
        let thread = namespace::thread(namespace, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(clients(run));
        });
        Load {
            ledger,
            stop,
            thread: Some(thread),
        }
    }

    /// When the first request came back that began after [`Ledger::look_out`], which gave `from`.
    #[track_caller]
    pub(crate) fn served_again(&self, from: Instant, limit: Duration) -> Duration {
        until("a request to succeed again", limit, || {
            Some(self.ledger.first_success()? - from)
        })
    }

    /// Lets every exchange come to its end, and gives the figures.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Report {
        self.ledger.end();
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.ledger.report()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // A test that failed in the middle: nobody waits for the rest.
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn clients(run: Arc<Run>) {
    let mut tasks = tokio::task::JoinSet::new();
    let mix = run.mix;
    tasks.spawn(clock(run.clone()));
    for index in 0..mix.kept.connections {
        tasks.spawn(http::kept(run.clone(), index));
    }
    for index in 0..mix.fresh.connections {
        tasks.spawn(http::fresh(run.clone(), index));
    }
    for index in 0..mix.tls.connections {
        tasks.spawn(http::secure(run.clone(), index));
    }
    for index in 0..mix.tunnels.connections {
        tasks.spawn(stream::tunnel(run.clone(), index));
    }
    for index in 0..mix.echoes.connections {
        tasks.spawn(stream::echo(run.clone(), index));
    }
    if let Some(slow) = mix.download {
        tasks.spawn(download::download(run.clone(), slow));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// Sees how late this thread itself is.
async fn clock(run: Arc<Run>) {
    while run.goes_on() {
        let due = Instant::now() + TICK;
        tokio::time::sleep_until(due.into()).await;
        run.ledger.stalled(due.elapsed());
    }
}
