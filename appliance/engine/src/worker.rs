//! A worker: one thread, one runtime, one reactor. A connection lives and dies on one worker.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use slab::Slab;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::io::{BufferPool, Listener, Parked, Reactor, Socket};
use crate::listen::{ListenKey, Listening};
use crate::pulse;
use crate::server::ServerPools;
use crate::session::{self, Client, IdleClient};
use crate::shared::Shared;
use crate::state::{Live, ServerState};
use crate::stream::Stream;
use crate::tls::TlsStream;

/// Connections taken from one listener before other work gets its turn.
const ACCEPT_BATCH: usize = 64;

/// What the rest of the engine tells a worker.
pub(crate) enum Command {
    /// Listen on these sockets, and no others. Answers when it does.
    Listen(Arc<[Arc<Listening>]>, std::sync::mpsc::Sender<()>),
    /// A limit that held connections back may allow them now.
    AcceptAgain,
    /// Cut the connections that requests to the server with this [`crate::state::ServerState::uid`]
    /// run on.
    ShutDown(usize),
    /// Close idle connections to the server that lead to where it was.
    CloseIdle(Arc<ServerState>),
    /// Show a sign of life, which taking this out is.
    Beat,
    /// Do nothing else for so long.
    Loop(Duration),
    /// End: connections are dropped.
    Stop,
}

/// A configuration as a worker holds it: counting references to it stays within the thread.
pub(crate) type Local = Rc<Arc<Live>>;

pub(crate) struct Worker {
    pub(crate) id: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reactor: Rc<Reactor>,
    pub(crate) buffers: BufferPool,
    pub(crate) idle_clients: RefCell<Slab<IdleClient>>,
    pub(crate) servers: ServerPools,
    /// Memory for requests, handed from one to the next.
    pub(crate) scratch: RefCell<Vec<session::Scratch>>,
    listeners: RefCell<Slab<Open>>,
    /// Listeners that may have connections waiting, whose event was used up.
    waiting: RefCell<Vec<usize>>,
    live: RefCell<Local>,
    stopping: Cell<bool>,
}

struct Open {
    listening: Arc<Listening>,
    listener: Rc<Listener>,
}

impl Worker {
    pub(crate) fn new(id: usize, shared: Arc<Shared>) -> io::Result<Rc<Self>> {
        let live = RefCell::new(Rc::new(shared.live.load_full()));
        Ok(Rc::new(Self {
            id,
            buffers: BufferPool::new(shared.bufsize),
            shared,
            reactor: Rc::new(Reactor::new()?),
            idle_clients: RefCell::default(),
            servers: ServerPools::default(),
            scratch: RefCell::default(),
            listeners: RefCell::default(),
            waiting: RefCell::default(),
            live,
            stopping: Cell::new(false),
        }))
    }

    /// The running configuration. A request asks once and keeps the answer.
    pub(crate) fn live(&self) -> Local {
        let current = self.shared.live.load();
        let mut local = self.live.borrow_mut();
        if !Arc::ptr_eq(&local, &current) {
            *local = Rc::new(Arc::clone(&current));
        }
        local.clone()
    }

    /// Milliseconds since the worker started.
    pub(crate) fn now_ms(&self) -> u64 {
        self.reactor.now_ms()
    }

    /// The worker's life. Must run inside a local runtime.
    pub(crate) async fn run(
        self: Rc<Self>,
        mut commands: UnboundedReceiver<Command>,
    ) -> io::Result<()> {
        let reactor = self.reactor.clone();
        // SAFETY: the reactor, which this function holds for as long as `epoll` lives, owns the
        // descriptor and never replaces or closes it before it is dropped itself.
        let epoll =
            unsafe { AsyncFd::register_with_interest(reactor.descriptor(), Interest::READABLE) }?;
        let mut ready = Vec::new();
        loop {
            self.shared.beats.worker(self.id).turn();
            reactor.tick();
            reactor.expire(&mut ready);
            let expired = ready.len();
            let more = self.accept_waiting();
            let pause = if more {
                Some(Duration::ZERO)
            } else {
                reactor.until_next_deadline()
            };
            if expired == 0 {
                tokio::select! {
                    biased;
                    command = commands.recv() => match command {
                        Some(Command::Listen(sockets, done)) => {
                            self.listen(&sockets);
                            // Whoever asked may have gone; the sockets are open all the same.
                            let _ = done.send(());
                        }
                        Some(Command::AcceptAgain) => self.retry_all(),
                        Some(Command::ShutDown(server)) => reactor.shut_down(server),
                        // Looking for one closes all that must not be used.
                        Some(Command::CloseIdle(server)) => drop(self.servers.take(&server, false)),
                        Some(Command::Beat) => {}
                        Some(Command::Loop(time)) => pulse::spin(time),
                        Some(Command::Stop) | None => break,
                    },
                    guard = epoll.readable() => {
                        let mut guard = guard?;
                        if !reactor.dispatch(&mut ready)? {
                            guard.clear_ready();
                        }
                    }
                    () = reactor.earlier_deadline() => {}
                    () = sleep(pause) => {}
                }
            }
            for (position, parked) in ready.drain(..).enumerate() {
                self.unparked(parked, position < expired);
            }
            if more {
                tokio::task::yield_now().await;
            }
        }
        self.stopping.set(true);
        Ok(())
    }

    /// A parked socket has an event, or its deadline has passed.
    fn unparked(self: &Rc<Self>, parked: Parked, expired: bool) {
        match parked {
            Parked::Client(key) => {
                let idle = self.idle_clients.borrow_mut().try_remove(key);
                if let Some(idle) = idle
                    && !expired
                {
                    tokio::task::spawn_local(session::resume(self.clone(), idle));
                }
            }
            // Whatever an idle server says, it can only be its end: there was no request.
            Parked::Server(key) => self.servers.discard(key),
            Parked::Listener(key) => self.accept(key),
        }
    }

    fn listen(self: &Rc<Self>, wanted: &[Arc<Listening>]) {
        let mut listeners = self.listeners.borrow_mut();
        let mut open: HashMap<ListenKey, usize> = listeners
            .iter()
            .map(|(key, open)| (open.listening.key.clone(), key))
            .collect();
        for listening in wanted {
            match open
                .remove(&listening.key)
                .and_then(|key| listeners.get_mut(key))
            {
                Some(open) => open.listening = listening.clone(),
                None => {
                    let entry = listeners.vacant_entry();
                    let key = entry.key();
                    let listener = listening
                        .socket
                        .try_clone()
                        .and_then(|fd| Listener::new(fd, &self.reactor, Parked::Listener(key)));
                    match listener {
                        Ok(listener) => {
                            entry.insert(Open {
                                listening: listening.clone(),
                                listener: Rc::new(listener),
                            });
                        }
                        Err(error) => tracing::error!(
                            listener = ?listening.key, %error,
                            "a worker cannot listen; the others go on"
                        ),
                    }
                }
            }
        }
        for key in open.into_values() {
            listeners.remove(key);
        }
        drop(listeners);
        if self.shared.stopping.load(Ordering::SeqCst)
            && !self.shared.keeps_idle.load(Ordering::SeqCst)
        {
            let idle = std::mem::take(&mut *self.idle_clients.borrow_mut());
            drop(idle);
        }
    }

    fn retry_all(&self) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.clear();
        waiting.extend(self.listeners.borrow().iter().map(|(key, _)| key));
    }

    /// Goes on with listeners that were left before their queue was empty. Returns whether some
    /// still are.
    fn accept_waiting(self: &Rc<Self>) -> bool {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for key in waiting {
            self.accept(key);
        }
        !self.waiting.borrow().is_empty()
    }

    fn accept(self: &Rc<Self>, key: usize) {
        let Some((listener, listening)) = self
            .listeners
            .borrow()
            .get(key)
            .map(|open| (open.listener.clone(), open.listening.clone()))
        else {
            return;
        };
        let live = self.live();
        for _ in 0..ACCEPT_BATCH {
            let Some(admission) = self.shared.admit(&listening.frontend) else {
                // The connections stay in the queue; whoever leaves tells the workers.
                return;
            };
            match listener.accept() {
                Ok(Some((fd, peer))) => {
                    self.start(
                        fd,
                        |stream, worker| {
                            Client::new(worker, stream, peer, admission, &listening, live.clone())
                        },
                        &listening,
                    );
                }
                Ok(None) => return,
                Err(error) => {
                    // Out of descriptors or memory: the connection stays in the queue, and is
                    // tried again when another one has ended.
                    listening.frontend.held_back.store(true, Ordering::SeqCst);
                    tracing::warn!(frontend = %listening.frontend.name, %error, "cannot accept");
                    return;
                }
            }
        }
        self.waiting.borrow_mut().push(key);
    }

    fn start(
        self: &Rc<Self>,
        fd: OwnedFd,
        client: impl FnOnce(Stream, &Rc<Self>) -> Client,
        listening: &Listening,
    ) {
        let socket = Socket::new(fd, &self.reactor);
        let stream = match &listening.tls {
            None => Stream::Plain(socket),
            Some(config) => match TlsStream::new(socket, config) {
                Ok(tls) => Stream::Tls(Box::new(tls)),
                Err(error) => {
                    tracing::error!(%error, "cannot begin a TLS session");
                    return;
                }
            },
        };
        let client = client(stream, self);
        tokio::task::spawn_local(session::run(self.clone(), client));
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// Starts a worker's thread. The sender reaches it until it ends.
pub(crate) fn spawn(
    id: usize,
    shared: Arc<Shared>,
    commands: UnboundedReceiver<Command>,
) -> io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("worker-{id}"))
        .spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            shared.beats.worker(id).attend(&mut builder);
            let outcome = builder
                .enable_all()
                .build_local(tokio::runtime::LocalOptions::default())
                .and_then(|runtime| {
                    runtime.block_on(async { Worker::new(id, shared)?.run(commands).await })
                });
            if let Err(error) = outcome {
                tracing::error!(worker = id, %error, "a worker ended");
            }
        })
}

/// How the engine reaches a worker.
pub(crate) type Mailbox = UnboundedSender<Command>;
