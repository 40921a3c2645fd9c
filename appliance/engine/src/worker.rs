//! A worker: one thread, one runtime, one reactor. A connection lives and dies on one worker.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use arc_swap::{ArcSwap, Cache};
use rustix::io::Errno;
use rustix::net::listen;
use slab::Slab;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::io::{Bell, BufferPool, Listener, Parked, Reactor, Socket};
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

/// Tasks kept that have no connection to serve.
const HOSTS: usize = 128;

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

/// The running configuration as this worker saw it last. To look whether there is another one by now
/// is to compare two addresses.
struct LocalLive {
    cache: Cache<Arc<ArcSwap<Live>>, Arc<Live>>,
    local: Local,
}

pub(crate) struct Worker {
    pub(crate) id: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reactor: Rc<Reactor>,
    pub(crate) buffers: BufferPool,
    pub(crate) idle_clients: RefCell<Slab<IdleClient>>,
    pub(crate) servers: ServerPools,
    /// Memory for requests, handed from one to the next.
    pub(crate) scratch: RefCell<Vec<session::Scratch>>,
    /// Connections on their way to a task: for each, one was woken or made.
    unserved: RefCell<VecDeque<Box<Client>>>,
    /// Tasks that wait for a connection. They spare most requests the making of one.
    hosts: RefCell<Vec<Waker>>,
    listeners: RefCell<Slab<Open>>,
    /// Listeners that may have connections waiting, whose event was used up.
    waiting: RefCell<Vec<usize>>,
    live: RefCell<LocalLive>,
    /// Parked sockets that have something, between two turns empty: its memory is kept.
    ready: RefCell<Vec<Parked>>,
    /// Wakes [`Worker::run`].
    waker: RefCell<Option<Waker>>,
    /// Why the reactor cannot go on.
    broken: Cell<Option<io::Error>>,
}

thread_local! {
    /// The worker of this thread, while it runs: for the runtime to call when it has nothing to run.
    static CURRENT: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
}

struct Open {
    listening: Arc<Listening>,
    listener: Rc<Listener>,
}

impl Worker {
    pub(crate) fn new(id: usize, shared: Arc<Shared>, bell: Arc<Bell>) -> io::Result<Rc<Self>> {
        let live = RefCell::new(LocalLive {
            cache: Cache::new(shared.live.clone()),
            local: Rc::new(shared.live.load_full()),
        });
        Ok(Rc::new(Self {
            id,
            buffers: BufferPool::new(shared.bufsize),
            shared,
            reactor: Rc::new(Reactor::new(bell)?),
            idle_clients: RefCell::default(),
            servers: ServerPools::default(),
            scratch: RefCell::default(),
            unserved: RefCell::default(),
            hosts: RefCell::default(),
            listeners: RefCell::default(),
            waiting: RefCell::default(),
            live,
            ready: RefCell::default(),
            waker: RefCell::default(),
            broken: Cell::default(),
        }))
    }

    /// The running configuration. A request asks once and keeps the answer.
    pub(crate) fn live(&self) -> Local {
        let mut live = self.live.borrow_mut();
        let LocalLive { cache, local } = &mut *live;
        let current = cache.load();
        if !Arc::ptr_eq(local, current) {
            *local = Rc::new(Arc::clone(current));
        }
        local.clone()
    }

    /// Milliseconds since the worker started.
    pub(crate) fn now_ms(&self) -> u64 {
        self.reactor.now_ms()
    }

    /// The worker's life: commands. The rest is done by its tasks, and by [`Worker::turn`] whenever
    /// none of them can go on. Must run inside a local runtime.
    pub(crate) async fn run(
        self: Rc<Self>,
        mut commands: UnboundedReceiver<Command>,
    ) -> io::Result<()> {
        CURRENT.set(Some(self.clone()));
        let outcome = poll_fn(|cx| {
            self.shared.beats.worker(self.id).turn();
            let mut waker = self.waker.borrow_mut();
            waker.get_or_insert_with(|| cx.waker().clone());
            drop(waker);
            if let Some(error) = self.broken.take() {
                return Poll::Ready(Err(error));
            }
            loop {
                match commands.poll_recv(cx) {
                    Poll::Ready(Some(Command::Stop) | None) => return Poll::Ready(Ok(())),
                    Poll::Ready(Some(command)) => self.obey(command),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
        CURRENT.set(None);
        outcome
    }

    fn obey(self: &Rc<Self>, command: Command) {
        match command {
            Command::Listen(sockets, done) => {
                self.listen(&sockets);
                // Whoever asked may have gone; the sockets are open all the same.
                let _ = done.send(());
            }
            Command::AcceptAgain => self.retry_all(),
            Command::ShutDown(server) => self.reactor.shut_down(server),
            // Looking for one closes all that must not be used.
            Command::CloseIdle(server) => drop(self.servers.take(self, &server, false)),
            Command::Beat | Command::Stop => {}
            Command::Loop(time) => pulse::spin(time),
        }
    }

    /// Sleeps until a socket, a deadline or another thread has something to do, and begins that. The
    /// runtime calls it when no task can go on.
    fn turn(self: &Rc<Self>) {
        let reactor = &self.reactor;
        reactor.tick();
        let timeout = if self.waiting.borrow().is_empty() {
            reactor.may_sleep()
        } else {
            Some(Duration::ZERO)
        };
        let beat = self.shared.beats.worker(self.id);
        if let Err(error) = beat.asleep(|| reactor.wait(timeout)) {
            self.broken.set(Some(error));
        }
        reactor.tick();
        let mut ready = self.ready.take();
        reactor.expire(&mut ready);
        let expired = ready.len();
        reactor.dispatch(&mut ready);
        self.accept_waiting();
        for (position, parked) in ready.drain(..).enumerate() {
            self.unparked(parked, position < expired);
        }
        self.ready.replace(ready);
        // The runtime would sleep now, if this gave no task anything to do.
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// A parked socket has an event, or its deadline has passed.
    fn unparked(self: &Rc<Self>, parked: Parked, expired: bool) {
        match parked {
            Parked::Client(key) => {
                let idle = self.idle_clients.borrow_mut().try_remove(key);
                if let Some(idle) = idle
                    && !expired
                {
                    self.serve(idle.into());
                }
            }
            // Whatever an idle server says, it can only be its end: there was no request.
            Parked::Server(key) => self.servers.discard(self, key),
            Parked::Listener(key) => self.accept(key),
        }
    }

    fn listen(self: &Rc<Self>, wanted: &[Arc<Listening>]) {
        let mut listeners = self.listeners.borrow_mut();
        let mut renamed = Vec::new();
        let mut open: HashMap<ListenKey, usize> = listeners
            .iter()
            .map(|(key, open)| (open.listening.key.clone(), key))
            .collect();
        for listening in wanted {
            let before = open.remove(&listening.key);
            match before.and_then(|key| Some((key, listeners.get_mut(key)?))) {
                Some((key, open)) => {
                    if !Arc::ptr_eq(&open.listening.frontend, &listening.frontend) {
                        // Connections that wait in its queue have been announced already.
                        renamed.push(key);
                    }
                    open.listening = listening.clone();
                }
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
        self.waiting.borrow_mut().extend(renamed);
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

    /// Goes on with listeners that were left before their queue was empty.
    fn accept_waiting(self: &Rc<Self>) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for key in waiting {
            self.accept(key);
        }
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
        let Some(frontend) = session::position(&live, &listening.frontend, 0) else {
            // A configuration without it has just taken effect. The connections are for whoever has the
            // socket in that one, which is told in a moment, or for nobody.
            return;
        };
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
                            let place = (live.clone(), frontend);
                            Client::new(worker, stream, peer, admission, &listening, place)
                        },
                        &listening,
                    );
                }
                Ok(None) => return,
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    self.reopen(&listening);
                    return;
                }
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

    /// A socket was shut that is not ours to shut: a former engine that had been frozen did so for a
    /// command of its own. Nobody else opens it again.
    fn reopen(&self, listening: &Listening) {
        let paused = listening.frontend.limit.load(Ordering::SeqCst) == 0;
        if paused || !self.shared.in_charge.load(Ordering::SeqCst) {
            return;
        }
        let outcome = listen(&*listening.socket, listening.backlog);
        tracing::warn!(frontend = %listening.frontend.name, ?outcome, "somebody shut its socket: opened again");
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
        self.serve(Box::new(client));
    }

    /// Gives a connection to a task that waits for one, or to a new one.
    pub(crate) fn serve(self: &Rc<Self>, client: Box<Client>) {
        self.unserved.borrow_mut().push_back(client);
        let host = self.hosts.borrow_mut().pop();
        match host {
            Some(host) => host.wake(),
            None => drop(tokio::task::spawn_local(session::host(self.clone()))),
        }
    }

    /// For a task: the next connection to serve. `None` when enough others wait for one.
    pub(crate) async fn next_client(&self) -> Option<Box<Client>> {
        poll_fn(|cx| {
            if let Some(client) = self.unserved.borrow_mut().pop_front() {
                return Poll::Ready(Some(client));
            }
            let mut hosts = self.hosts.borrow_mut();
            if hosts.len() >= HOSTS {
                return Poll::Ready(None);
            }
            hosts.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Starts a worker's thread. The mailbox reaches it until it ends.
pub(crate) fn spawn(
    id: usize,
    shared: Arc<Shared>,
) -> io::Result<(std::thread::JoinHandle<()>, Mailbox)> {
    let (sender, commands) = unbounded_channel();
    let bell = Arc::new(Bell::new()?);
    let mailbox = Mailbox {
        sender,
        bell: bell.clone(),
    };
    let thread = std::thread::Builder::new()
        .name(format!("worker-{id}"))
        .spawn(move || {
            shared.beats.worker(id).begin();
            // No driver of its own for sockets and time: it would be one more place to sleep in.
            let outcome = tokio::runtime::Builder::new_current_thread()
                .on_thread_park(|| {
                    // Not borrowed while it runs: a task that ends may end the worker.
                    let worker = CURRENT.with_borrow(Clone::clone);
                    if let Some(worker) = worker {
                        worker.turn();
                    }
                })
                .build_local(tokio::runtime::LocalOptions::default())
                .and_then(|runtime| {
                    runtime.block_on(async { Worker::new(id, shared, bell)?.run(commands).await })
                });
            if let Err(error) = outcome {
                tracing::error!(worker = id, %error, "a worker ended");
            }
        })?;
    Ok((thread, mailbox))
}

/// How the engine reaches a worker.
pub(crate) struct Mailbox {
    sender: UnboundedSender<Command>,
    bell: Arc<Bell>,
}

impl Mailbox {
    /// Leaves a command for the worker, and wakes it.
    ///
    /// # Errors
    /// When the worker has ended.
    pub(crate) fn send(&self, command: Command) -> Result<(), SendError<Command>> {
        self.sender.send(command)?;
        self.bell.ring();
        Ok(())
    }
}
