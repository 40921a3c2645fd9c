//! The record of a request or a connection, and its way to the log.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lanai_model::layer7::{LogFormat, Mode};
use lanai_traffic::record::{Connections, Record, Termination, Timers};

use super::Client;
use super::exchange::Progress;
use crate::service::syslog::{INFO, date};
use crate::state::LiveFrontend;
use crate::worker::Worker;

/// Logs an HTTP request.
pub(super) fn request(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    progress: &Progress,
    line: &[u8],
) {
    write(worker, client, frontend, progress, Some(line));
}

/// Logs a connection in TCP mode.
pub(super) fn connection(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    progress: &Progress,
) {
    write(worker, client, frontend, progress, None);
}

/// Logs bytes that never became a request.
pub(super) fn refused(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    status: u16,
    termination: Termination,
) {
    if frontend.log.is_empty() {
        return;
    }
    let progress = Progress {
        started_ms: client.accepted_ms,
        timers: Timers {
            total: worker.now_ms().saturating_sub(client.accepted_ms),
            ..Timers::default()
        },
        status: Some(status),
        bytes: 0,
        termination,
        server: None,
        retries: 0,
        queue_position: 0,
        backend: None,
        silent: false,
        answered: false,
        bytes_in: 0,
        server_sessions: 0,
        shut_down: false,
    };
    write(worker, client, frontend, &progress, None);
}

/// Logs a TLS handshake that did not succeed (HAProxy manual, section 8.2.5).
pub(super) fn handshake_failed(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    why: &str,
) {
    if frontend.log.is_empty() {
        return;
    }
    let when = date(worker.now_ms().saturating_sub(client.accepted_ms));
    let peer = client.peer.map_or_else(
        || "unix:1".to_owned(),
        |p| format!("{}:{}", p.ip(), p.port()),
    );
    let message = format!(
        "{peer} [{when}] {}/{}: {why}",
        frontend.conf.name, client.session.listener
    );
    worker
        .shared
        .log
        .send(&frontend.log, INFO, message.into_bytes());
}

fn write(
    worker: &Worker,
    client: &Client,
    frontend: &LiveFrontend,
    progress: &Progress,
    line: Option<&[u8]>,
) {
    let backend = progress
        .backend
        .and_then(|index| client.live.backends.get(index));
    let server = backend
        .zip(progress.server)
        .and_then(|(b, index)| b.servers.get(index));
    let date = date(worker.now_ms().saturating_sub(progress.started_ms));
    let record = Record {
        client: client.peer,
        destination: client.stream.socket().local_address(),
        date: &date,
        frontend: &frontend.conf.name,
        tls: client.stream.is_tls(),
        backend: backend.map_or(&*frontend.conf.name, |b| &*b.conf.name),
        server: server.map(|s| &*s.state.name),
        timers: progress.timers,
        status: progress.status,
        bytes_to_client: progress.bytes,
        termination: progress.termination,
        connections: Connections {
            process: worker.shared.connections.load(Ordering::Relaxed),
            frontend: frontend.state.activity.current(),
            backend: backend.map_or(0, |b| b.state.activity.current()),
            server: progress.server_sessions,
            retries: progress.retries,
        },
        queue: (0, progress.queue_position),
        request: line,
    };
    let mut message = Vec::with_capacity(256);
    match (frontend.conf.log_format, frontend.conf.mode) {
        (LogFormat::Http, Mode::Http) => record.write_http(&mut message),
        (LogFormat::Http | LogFormat::Tcp, _) => record.write_tcp(&mut message),
        (LogFormat::Default, mode) => record.write_default(&mut message, mode == Mode::Http),
    }
    worker
        .shared
        .log
        .send(&Arc::clone(&frontend.log), INFO, message);
}
