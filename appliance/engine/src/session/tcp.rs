//! One client connection in TCP mode.

use std::rc::Rc;
use std::sync::Arc;

use lanai_traffic::record::{Termination, Timers};

use super::exchange::Progress;
use super::tunnel::{self, Ends};
use super::{Client, access};
use crate::io::Socket;
use crate::server::{Assigned, ConnectFailure, First, NoServer, assign, connect, source};
use crate::state::{LiveBackend, LiveFrontend};
use crate::worker::Worker;

pub(super) async fn serve(worker: Rc<Worker>, client: Box<Client>) {
    let live = client.live.clone();
    let Some(frontend) = live.frontends.get(client.frontend) else {
        return;
    };
    let backend = frontend
        .conf
        .default_backend
        .and_then(|index| live.backends.get(index));
    let mut progress = Progress {
        started_ms: client.accepted_ms,
        timers: Timers::default(),
        status: None,
        bytes: 0,
        termination: Termination {
            who: b'S',
            when: b'C',
        },
        server: None,
        retries: 0,
        queue_position: 0,
        backend: backend.and(frontend.conf.default_backend),
        silent: false,
        answered: false,
        bytes_in: 0,
        server_sessions: 0,
        shut_down: false,
    };
    if let Some(backend) = backend {
        backend.state.activity.enter(worker.id);
        carry(&worker, &client, frontend, backend, &mut progress).await;
        backend.state.activity.leave();
    }
    progress.timers.total = worker.now_ms().saturating_sub(progress.started_ms);
    if !frontend.log.is_empty() {
        access::connection(&worker, &client, frontend, &progress);
    }
}

async fn carry(
    worker: &Rc<Worker>,
    client: &Client,
    frontend: &LiveFrontend,
    backend: &Arc<LiveBackend>,
    progress: &mut Progress,
) {
    let begun = worker.now_ms();
    let assigned = match assign(backend, worker).await {
        Ok(assigned) => assigned,
        Err(NoServer::Down) => return,
        Err(NoServer::QueueTimeout(position)) => {
            progress.queue_position = position;
            progress.timers.queue = Some(worker.now_ms() - begun);
            progress.termination = Termination {
                who: b's',
                when: b'Q',
            };
            return;
        }
    };
    progress.timers.queue = Some(worker.now_ms() - begun);
    progress.queue_position = assigned.queue_position;
    progress.server = Some(assigned.index());
    let Some(server) = open(worker, client, backend, &assigned, progress).await else {
        progress.server_sessions = assigned.others();
        return;
    };

    let ends = Ends {
        client: &client.stream,
        server: &server,
    };
    let timeouts = tunnel::timeouts(&frontend.conf.timeouts, &backend.conf.timeouts);
    let done = tunnel::run(worker, &ends, (None, None), &timeouts).await;
    if done.termination != Termination::default() {
        server.no_linger();
    }
    progress.server_sessions = assigned.others();
    progress.bytes = done.to_client;
    progress.termination = done.termination;
    if assigned.is_shut_down() && done.termination.who == b'S' {
        progress.termination = Termination {
            who: b'K',
            when: b'-',
        };
    }
    let activities = [
        &frontend.state.activity,
        &backend.state.activity,
        &assigned.server().state.activity,
    ];
    for sums in activities.map(|activity| activity.of(worker.id)) {
        sums.bytes_in.add(done.to_server);
        sums.bytes_out.add(done.to_client);
    }
}

/// Connects to the server, trying again as `retries` says.
async fn open(
    worker: &Rc<Worker>,
    client: &Client,
    backend: &LiveBackend,
    assigned: &Assigned<'_>,
    progress: &mut Progress,
) -> Option<Socket> {
    let begun = worker.now_ms();
    let sums =
        [&assigned.server().state.activity, &backend.state.activity].map(|a| a.of(worker.id));
    let server = assigned.server();
    // A stream has no fields that could name a client.
    let shown = server.source.as_deref().zip(server.target.ip());
    let shown =
        shown.and_then(|(source, to)| source::of_client(source, to, client.peer, |_, _| None));
    loop {
        let client_port = || client.stream.socket().local_address().map(|a| a.port());
        let deadline = worker.reactor.after(backend.conf.timeouts.connect);
        sums.iter().for_each(|s| s.connects.add(1));
        let attempt = match connect(
            assigned.server(),
            client_port,
            shown,
            First::Either,
            &worker.reactor,
        ) {
            Ok(socket) => match socket.established(deadline).await {
                Ok(()) => {
                    progress.timers.connect = Some(worker.now_ms() - begun);
                    return Some(socket);
                }
                Err(error) => ConnectFailure::from(error),
            },
            Err(failure) => failure,
        };
        if let ConnectFailure::Resource(lack) = &attempt {
            lack.tell(backend, &worker.shared.log);
        }
        progress.termination = Termination {
            who: attempt.who(),
            when: b'C',
        };
        if progress.retries >= backend.conf.retries {
            sums.iter().for_each(|s| s.connect_errors.add(1));
            return None;
        }
        progress.retries += 1;
        sums.iter().for_each(|s| s.retries.add(1));
        if let ConnectFailure::Refused = attempt {
            worker.reactor.sleep(backend.conf.turn_around()).await;
        }
    }
}
