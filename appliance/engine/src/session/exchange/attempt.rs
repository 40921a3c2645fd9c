//! The request's way to the server.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use lanai_model::layer7::{ForwardFor, HttpReuse, Source};

use super::{Exchange, Failure};
use crate::http1::{Fields, Framing, Persistence, RequestOut, Version, write_chunk_size};
use crate::io::SMALL;
use crate::server::source::{self, Lack};
use crate::server::{Assigned, ConnectFailure, First, ServerConnection, connect};
use crate::state::{LiveBackend, LiveServer, ServerState};

impl Exchange<'_> {
    pub(super) fn write_request_head(&mut self, backend: &LiveBackend) {
        let mut out = std::mem::take(&mut self.scratch.out);
        out.clear();
        let head = self.buffer.data().get(..self.head_len).unwrap_or_default();
        let live = self.live.clone();
        let frontend = live.frontends.get(self.client.frontend);
        let forwarded = backend.conf.forwardfor.as_ref();
        let forwarded = forwarded.or_else(|| frontend?.conf.forwardfor.as_ref());
        let forwarded_for = forwarded.filter(|option| self.names_client(option, head));
        let persistence = if self.request.wants_upgrade() {
            Persistence::Default
        } else if !self.mode.server_keep_alive && self.request.version == Version::Http11 {
            Persistence::Close
        } else if self.mode.server_keep_alive
            && self.request.version == Version::Http10
            && self.request.framing != Framing::Chunked
        {
            Persistence::KeepAlive
        } else {
            Persistence::Default
        };
        let client = &mut *self.client;
        let forwarded_for = forwarded_for
            .zip(client.peer)
            .map(|(option, peer)| (option.header.as_bytes(), client.address.of(peer.ip())));
        let how = RequestOut {
            forwarded_for,
            persistence,
        };
        self.request
            .write(head, &self.scratch.fields, &how, &mut out);
        self.scratch.out = out;
    }

    pub(super) fn names_client(&self, option: &ForwardFor, head: &[u8]) -> bool {
        let excepted = option.except.is_some_and(|net| {
            self.client
                .peer
                .is_some_and(|peer| net.contains(&peer.ip()))
        });
        let present = option.if_none
            && self
                .request
                .has_field(head, &self.scratch.fields, option.header.as_bytes());
        !excepted && !present
    }

    /// Gets a connection and sends the head with the first payload, trying again as `retries` says.
    pub(super) async fn send_first(
        &mut self,
        backend: &Arc<LiveBackend>,
        assigned: &Assigned<'_>,
    ) -> Result<ServerConnection, Failure> {
        let begun = self.worker.now_ms();
        loop {
            let attempt = match self.connection(backend, assigned) {
                Ok(connection) => match self.send_head(backend, &connection).await {
                    Ok(()) => {
                        let connected = self.worker.now_ms() - begun;
                        self.progress.timers.connect.get_or_insert(connected);
                        return Ok(connection);
                    }
                    Err(error) if connection.socket.is_connecting() => ConnectFailure::from(error),
                    // The request did not get through, but a response may have: the caller looks.
                    Err(_) => return Ok(connection),
                },
                Err(failure) => failure,
            };
            let server = &assigned.server().state;
            if let ConnectFailure::Resource(lack) = &attempt {
                lack.tell(backend, &self.worker.shared.log);
            }
            let sums = [&server.activity, &backend.state.activity].map(|a| a.of(self.worker.id));
            if self.progress.retries >= backend.conf.retries {
                sums.iter().for_each(|s| s.connect_errors.add(1));
                return Err(Failure {
                    status: Some(503),
                    who: attempt.who(),
                    when: b'C',
                });
            }
            self.progress.retries += 1;
            sums.iter().for_each(|s| s.retries.add(1));
            if let ConnectFailure::Refused = attempt {
                self.worker.reactor.sleep(backend.conf.turn_around()).await;
            }
        }
    }

    /// An idle connection if `http-reuse` allows one, else a new one.
    pub(super) fn connection(
        &mut self,
        backend: &LiveBackend,
        assigned: &Assigned<'_>,
    ) -> Result<ServerConnection, ConnectFailure> {
        let server = assigned.server();
        let sums = [&server.state.activity, &backend.state.activity].map(|a| a.of(self.worker.id));
        let first = self.client.requests <= 1;
        let source = server.source.as_deref();
        let shown = source.and_then(|source| self.shown_to(server, source));
        let reuse = match shown {
            // What one client may use is not another's.
            Some(_) => HttpReuse::Never,
            None => backend.conf.http_reuse,
        };
        let idle = match reuse {
            HttpReuse::Never => self
                .client
                .own_server
                .take()
                .filter(|own| Arc::ptr_eq(&own.server, &server.state) && own.place == server.place)
                .filter(|own| own.shown == shown)
                .filter(|connection| self.is_quiet(connection)),
            HttpReuse::Safe if first => None,
            HttpReuse::Aggressive if first => self.idle_connection(&server.state, true),
            HttpReuse::Safe | HttpReuse::Aggressive | HttpReuse::Always => {
                self.idle_connection(&server.state, false)
            }
        };
        if let Some(connection) = idle {
            sums.iter().for_each(|s| s.reuses.add(1));
            return Ok(connection);
        }
        sums.iter().for_each(|s| s.connects.add(1));
        let client_port = || {
            self.client
                .stream
                .socket()
                .local_address()
                .map(|a| a.port())
        };
        let mut socket = connect(server, client_port, shown, First::Us, &self.worker.reactor);
        // A connection that nobody uses leaves its port to one that somebody needs.
        if let Err(ConnectFailure::Resource(Lack::Range | Lack::Source(_))) = socket
            && server.ports.is_some()
            && let Some(idle) = self.idle_connection(&server.state, false)
        {
            idle.socket.no_linger();
            drop(idle);
            socket = connect(server, client_port, shown, First::Us, &self.worker.reactor);
        }
        let socket = socket?;
        Ok(ServerConnection {
            socket,
            server: server.state.clone(),
            reused: false,
            proven: false,
            shown,
            place: server.place,
        })
    }

    /// The client's address that the server is to see.
    fn shown_to(&self, server: &LiveServer, source: &Source) -> Option<SocketAddr> {
        let head = self.buffer.data().get(..self.head_len).unwrap_or_default();
        source::of_client(
            source,
            server.target.ip()?,
            self.client.peer,
            |name, occurrence| address_in(head, &self.scratch.fields, name, occurrence),
        )
    }

    /// One of this worker's, else one of another's.
    fn idle_connection(&self, server: &Arc<ServerState>, proven: bool) -> Option<ServerConnection> {
        let (worker, pools) = (self.worker, &self.worker.servers);
        let own = pools.take(worker, server, proven);
        own.or_else(|| pools.take_over(worker, server, proven))
    }

    /// Whether a connection that nobody watched is still open and silent.
    pub(super) fn is_quiet(&self, connection: &ServerConnection) -> bool {
        let mut buffer = self.worker.buffers.take(SMALL);
        matches!(connection.socket.try_recv_into(&mut buffer), Ok(None))
    }

    /// The other idle connections to this server are likely as dead as the one that was tried. Those
    /// of other workers are looked at when they are taken over.
    pub(super) fn forget_idle(&self, assigned: &Assigned<'_>) {
        let (worker, pools) = (self.worker, &self.worker.servers);
        while pools
            .take(worker, &assigned.server().state, false)
            .is_some()
        {}
    }

    pub(super) async fn send_head(
        &self,
        backend: &LiveBackend,
        connection: &ServerConnection,
    ) -> io::Result<()> {
        let (payload, _) = self.first;
        let payload = self
            .buffer
            .data()
            .get(self.head_len..self.head_len + payload)
            .unwrap_or_default();
        let mut size = Vec::new();
        let mut end = Vec::new();
        if self.upload.body.is_chunked() {
            if !payload.is_empty() {
                write_chunk_size(payload.len(), &mut size);
                end.extend_from_slice(b"\r\n");
            }
            if self.upload.body.is_done() {
                self.upload.body.write_end(&mut end);
            }
        }
        let mut slices = [
            IoSlice::new(&self.scratch.out),
            IoSlice::new(&size),
            IoSlice::new(payload),
            IoSlice::new(&end),
        ];
        let reactor = &self.worker.reactor;
        let timeouts = &backend.conf.timeouts;
        // While it connects, the time runs from the attempt; afterwards from each wait.
        let connecting = connection.socket.is_connecting();
        let connect_deadline = connecting.then(|| reactor.after(timeouts.connect));
        let deadline = || match connect_deadline {
            Some(deadline) if connection.socket.is_connecting() => deadline,
            _ => reactor.after(timeouts.server),
        };
        connection.socket.send(&mut slices, deadline).await
    }
}

/// The address in one of a field's values, which commas divide: from 1 for the first, from -1 for the
/// last.
fn address_in(head: &[u8], fields: &Fields, name: &str, occurrence: i32) -> Option<IpAddr> {
    let named = fields
        .iter()
        .filter(|field| field.name.of(head).eq_ignore_ascii_case(name.as_bytes()));
    let values: Vec<&[u8]> = named
        .flat_map(|field| field.value.of(head).split(|byte| *byte == b','))
        .collect();
    let place = usize::try_from(occurrence.unsigned_abs())
        .ok()?
        .checked_sub(1)?;
    let value = match occurrence {
        1.. => values.get(place),
        _ => values.iter().rev().nth(place),
    }?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
