//! Whoever changes things at run time: finds servers and frontends, and changes them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::open_or_close;
use crate::read::Sockets;
use crate::service::Request;
use crate::shared::Shared;
use crate::state::{LiveBackend, LiveServer, ServerState};
use crate::worker::Command;

/// How long the answer to a command waits for the owner, who takes a fraction of a millisecond.
const KEPT_LIMIT: Duration = Duration::from_millis(300);

/// A command's answer: what to say, or why not. Both are empty or end as HAProxy's do.
pub(crate) type Outcome = Result<String, String>;

/// Changes the running engine for the runtime API and for [`crate::Engine::replay`].
pub(crate) struct Operator {
    pub(super) shared: Arc<Shared>,
    pub(super) sockets: Sockets,
    pub(super) service: UnboundedSender<Request>,
    /// One change at a time, of the configuration too: both replace what runs.
    turn: Mutex<()>,
    /// A successor has taken over.
    succeeded: AtomicBool,
    /// What many commands in a row leave to be worked out once, at their end.
    batch: Mutex<Option<Batch>>,
}

/// What follows from changes that were made together.
#[derive(Default)]
pub(super) struct Batch {
    /// Their servers' weights or states are others now.
    pub(super) backends: Vec<Arc<LiveBackend>>,
    /// Where they are has changed.
    pub(super) moved: Vec<Arc<ServerState>>,
    /// One of them has another address.
    pub(super) addresses: bool,
}

/// A server.
pub(crate) struct Place {
    pub(crate) backend: Arc<LiveBackend>,
    index: usize,
}

impl Operator {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sockets: Sockets,
        service: UnboundedSender<Request>,
    ) -> Self {
        Self {
            shared,
            sockets,
            service,
            turn: Mutex::new(()),
            succeeded: AtomicBool::new(false),
            batch: Mutex::default(),
        }
    }

    /// Keeps others from changing anything meanwhile.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on listening sockets are opened and shut as what is set here says: a former engine that
    /// may share them is out of the way. Not once a successor has taken over; false then.
    pub(crate) fn take_charge(&self) -> bool {
        let _turn = self.turn();
        if self.is_succeeded() {
            return false;
        }
        self.shared.in_charge.store(true, Ordering::SeqCst);
        open_or_close(&self.shared.live.load(), &self.sockets.load());
        true
    }

    pub(super) fn is_in_charge(&self) -> bool {
        self.shared.in_charge.load(Ordering::SeqCst)
    }

    /// From now on nothing is changed at run time: a successor is told what was. Whoever asks for a
    /// change is refused it; one that is under way is made first.
    pub(crate) fn succeeded(&self) {
        let _turn = self.turn();
        self.succeeded.store(true, Ordering::SeqCst);
        self.shared.in_charge.store(false, Ordering::SeqCst);
    }

    /// Whether nothing is changed any more. To be asked by whoever has the turn.
    pub(crate) fn is_succeeded(&self) -> bool {
        self.succeeded.load(Ordering::SeqCst)
    }

    /// Runs many changes, with what follows from them worked out once: for each of them it takes a look
    /// at every server of the backend, and a backend may have thousands, all of them overridden.
    pub(crate) fn together<R>(&self, changes: impl FnOnce() -> R) -> R {
        *self.batch() = Some(Batch::default());
        let outcome = changes();
        let batch = self.batch().take();
        if let Some(batch) = batch {
            self.catch_up(batch);
        }
        outcome
    }

    pub(super) fn batch(&self) -> MutexGuard<'_, Option<Batch>> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server of a word `BACKEND/SERVER`; both may be a number behind a `#`.
    pub(crate) fn server(&self, word: Option<&&str>) -> Result<Place, String> {
        let (backend, server) = word
            .and_then(|word| word.split_once('/'))
            .filter(|(_, server)| !server.is_empty())
            .ok_or("Require 'backend/server'.\n")?;
        let live = self.shared.live.load();
        let backend = live
            .backends
            .iter()
            .find(|b| is_named(backend, &b.conf.name, b.conf.id))
            .ok_or("No such backend.\n")?;
        let index = (1..)
            .zip(&backend.servers)
            .position(|(id, s)| is_named(server, &s.state.name, id))
            .ok_or("No such server.\n")?;
        Ok(Place {
            backend: Arc::clone(backend),
            index,
        })
    }

    /// Waits until the owner has kept what was changed, but not for long: an owner that is busy or being
    /// replaced keeps it later.
    ///
    /// # Errors
    /// Why it is not kept.
    pub(crate) async fn kept(&self) -> Result<(), String> {
        match &self.shared.journal {
            Some(journal) => tokio::time::timeout(KEPT_LIMIT, journal.kept())
                .await
                .unwrap_or(Ok(())),
            None => Ok(()),
        }
    }

    /// `debug dev loop MS`: keeps a worker from doing anything else for so long.
    pub(crate) fn keep_busy(&self, time: Duration) {
        if let Some(worker) = self.shared.workers.get().and_then(|all| all.first()) {
            // A worker that has ended cannot be busy.
            let _ = worker.send(Command::Loop(time));
        }
    }
}

/// Whether `word` means the object: by name, or by number as `#3`.
pub(crate) fn is_named(word: &str, name: &str, id: u32) -> bool {
    match word.strip_prefix('#') {
        Some(number) => number.parse() == Ok(id),
        None => word == name,
    }
}

impl Place {
    pub(crate) fn server(&self) -> &LiveServer {
        self.backend
            .servers
            .get(self.index)
            .expect("the index was found among these servers")
    }

    pub(crate) fn state(&self) -> &Arc<ServerState> {
        &self.server().state
    }

    /// What the configuration says of it.
    pub(crate) fn conf(&self) -> Option<&lanai_traffic::Server> {
        self.backend.conf.servers.get(self.index)
    }

    /// `BACKEND/SERVER`
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.backend.conf.name, self.state().name)
    }
}
