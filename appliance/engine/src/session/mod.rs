//! The life of a client's connection: HTTP requests one after another, or a tunnel.
//!
//! The files stand in the order in which a request travels: `http` (the connection), `receive` (a
//! head), `exchange` (server, request, response), `forward` (bodies), `tunnel`, `access` (the record).

mod access;
mod address;
mod exchange;
mod forward;
mod http;
mod receive;
mod tcp;
mod tunnel;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use lanai_model::layer7::Mode;

use self::address::AddressText;
use crate::http1::Fields;
use crate::listen::Listening;
use crate::server::ServerConnection;
use crate::shared::Admission;
use crate::state::{FrontendState, LiveFrontend};
use crate::stream::Stream;
use crate::worker::{Local, Worker};

/// A client's connection.
pub(crate) struct Client {
    stream: Stream,
    peer: Option<SocketAddr>,
    /// Its address in words, once a request needed it.
    address: AddressText,
    /// The configuration of the current request, and the frontend's place in it.
    live: Local,
    frontend: usize,
    accepted_ms: u64,
    /// Requests it has sent.
    requests: u32,
    /// The server connection it keeps for itself, under `http-reuse never`.
    own_server: Option<ServerConnection>,
    session: Session,
}

/// A client's connection between two requests: nothing runs for it. Here as everywhere it stays where
/// it was made: a request hands it on six times.
pub(crate) struct IdleClient(Box<Client>);

impl From<IdleClient> for Box<Client> {
    fn from(idle: IdleClient) -> Self {
        idle.0
    }
}

/// Counts a session of a frontend while it lives.
struct Session {
    state: Arc<FrontendState>,
    listener: Arc<str>,
    _admission: Admission,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.state.activity.leave();
    }
}

/// Memory that requests use one after another.
#[derive(Default)]
pub(crate) struct Scratch {
    fields: Fields,
    response_fields: Fields,
    out: Vec<u8>,
    request_line: Vec<u8>,
}

impl Client {
    pub(crate) fn new(
        worker: &Rc<Worker>,
        stream: Stream,
        peer: Option<SocketAddr>,
        admission: Admission,
        listening: &Listening,
        (live, frontend): (Local, usize),
    ) -> Self {
        let state = listening.frontend.clone();
        state.activity.enter(worker.id);
        worker
            .shared
            .total_connections
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Self {
            stream,
            peer,
            address: AddressText::default(),
            live,
            frontend,
            accepted_ms: worker.now_ms(),
            requests: 0,
            own_server: None,
            session: Session {
                state,
                listener: listening.label.clone(),
                _admission: admission,
            },
        }
    }

    /// Takes up the running configuration for the next request. A frontend that it no longer has goes
    /// on with the one the connection began with; false then.
    fn refresh(&mut self, worker: &Worker) -> bool {
        let live = worker.live();
        if Rc::ptr_eq(&live, &self.live) {
            return true;
        }
        match position(&live, &self.session.state, self.frontend) {
            Some(frontend) => {
                self.live = live;
                self.frontend = frontend;
                true
            }
            None => false,
        }
    }
}

/// A task that serves connections, one after another: those that were just taken, and those that were
/// idle.
pub(crate) async fn host(worker: Rc<Worker>) {
    while let Some(client) = worker.next_client().await {
        run(worker.clone(), client).await;
    }
}

async fn run(worker: Rc<Worker>, client: Box<Client>) {
    let frontend = client.live.frontends.get(client.frontend);
    match frontend.map(|frontend| frontend.conf.mode) {
        Some(Mode::Http) => http::serve(worker, client).await,
        Some(Mode::Tcp) => tcp::serve(worker, client).await,
        // It was found by its number there.
        None => {}
    }
}

/// The number of a frontend in a configuration; `guess` may be it.
pub(crate) fn position(live: &Local, state: &Arc<FrontendState>, guess: usize) -> Option<usize> {
    let is_it = |f: &LiveFrontend| Arc::ptr_eq(&f.state, state);
    if live.frontends.get(guess).is_some_and(is_it) {
        return Some(guess);
    }
    live.frontends.iter().position(is_it)
}
