//! One request and its response.

use std::io::{self, IoSlice, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use lanai_model::layer7::{ForwardFor, HttpReuse};
use lanai_traffic::ConnectionMode;
use lanai_traffic::record::{Termination, Timers};

use super::forward::{self, Outcome};
use super::http::rest;
use super::tunnel::{self, Ends};
use super::{Client, Scratch, access};
use crate::http1::{
    Body, Fields, Framing, Method, Parsed, Persistence, Request, RequestOut, Response, ResponseOut,
    Version, write_chunk_size,
};
use crate::io::{Buffer, LARGE};
use crate::respond;
use crate::server::{Assigned, ConnectFailure, NoServer, ServerConnection, assign, connect};
use crate::state::{LiveBackend, LiveFrontend, Sums};
use crate::worker::{Local, Worker};

/// What becomes of the client's connection.
pub(super) enum After {
    /// It may send the next request, of which these bytes are here already.
    Next(Option<Buffer>),
    /// It is closed.
    Close,
    /// It is closed once the client had a chance to read the response.
    Linger,
}

/// What is told of an exchange when it ends.
pub(super) struct Progress {
    pub(super) started_ms: u64,
    pub(super) timers: Timers,
    pub(super) status: Option<u16>,
    pub(super) bytes: u64,
    pub(super) termination: Termination,
    pub(super) server: Option<usize>,
    pub(super) retries: u32,
    pub(super) queue_position: u32,
    pub(super) backend: Option<Arc<LiveBackend>>,
    /// Nothing is logged: the client was sent nothing, and is expected to try again.
    pub(super) silent: bool,
}

pub(super) struct Exchange<'a> {
    worker: &'a Rc<Worker>,
    client: &'a mut Client,
    scratch: &'a mut Scratch,
    live: Local,
    request: Request,
    /// The head, and what came behind it.
    buffer: Buffer,
    head_len: usize,
    body: Body,
    /// How much of what came behind the head is payload, and how many bytes that took.
    first: (usize, usize),
    mode: ConnectionMode,
    progress: Progress,
}

/// Why an exchange cannot go on.
struct Failure {
    /// The response that tells it, if one still can.
    status: Option<u16>,
    who: u8,
    when: u8,
}

/// A response head, in the buffer it came in.
type Answer = (Response, Buffer, usize);

/// The pause before a server that refused is tried again, unless `timeout connect` is shorter.
const TURN_AROUND: Duration = Duration::from_secs(1);

impl<'a> Exchange<'a> {
    pub(super) fn new(
        worker: &'a Rc<Worker>,
        client: &'a mut Client,
        scratch: &'a mut Scratch,
        request: Request,
        (buffer, head_len): (Buffer, usize),
        started_ms: u64,
    ) -> Self {
        let live = client.live.clone();
        let now = worker.now_ms();
        Self {
            worker,
            client,
            scratch,
            live,
            request,
            buffer,
            head_len,
            body: Body::new(request.framing),
            first: (0, 0),
            mode: ConnectionMode {
                client_keep_alive: true,
                server_keep_alive: true,
            },
            progress: Progress {
                started_ms,
                timers: Timers {
                    request: Some(now.saturating_sub(started_ms)),
                    ..Timers::default()
                },
                status: None,
                bytes: 0,
                termination: Termination::default(),
                server: None,
                retries: 0,
                queue_position: 0,
                backend: None,
                silent: false,
            },
        }
    }

    /// Takes the request to its end: response, counters, record.
    pub(super) async fn run(mut self) -> After {
        self.client_sums().requests.add(1);
        if !self.frontend().log.is_empty() {
            self.scratch.request_line.clear();
            let line = self.request.line.of(self.buffer.data());
            self.scratch.request_line.extend_from_slice(line);
        }
        let backend = self.frontend().conf.default_backend;
        let backend = backend
            .and_then(|index| self.live.backends.get(index))
            .cloned();
        let outcome = match &backend {
            Some(backend) => {
                self.mode = self.frontend().conf.connection_mode(&backend.conf);
                // A stopping engine lets its clients go after this response.
                let stopping = self.worker.shared.stopping.load(Ordering::Relaxed);
                self.mode.client_keep_alive &= !stopping;
                self.progress.backend = Some(backend.clone());
                backend.state.activity.enter(self.worker.id);
                backend.state.activity.of(self.worker.id).requests.add(1);
                let outcome = self.with_backend(backend).await;
                backend.state.activity.leave();
                outcome
            }
            None => Err(Failure {
                status: Some(503),
                who: b'S',
                when: b'C',
            }),
        };
        let after = match outcome {
            Ok(after) => after,
            Err(failure) => self.fail(failure).await,
        };
        self.finish();
        after
    }

    async fn with_backend(&mut self, backend: &Arc<LiveBackend>) -> Result<After, Failure> {
        let begun = self.worker.now_ms();
        let assigned = match assign(backend, self.worker.id).await {
            Ok(assigned) => assigned,
            Err(why) => {
                let (who, when) = match why {
                    NoServer::Down => (b'S', b'C'),
                    NoServer::QueueTimeout(position) => {
                        self.progress.timers.queue = Some(self.worker.now_ms() - begun);
                        self.progress.queue_position = position;
                        (b's', b'Q')
                    }
                };
                return Err(Failure {
                    status: Some(503),
                    who,
                    when,
                });
            }
        };
        self.progress.timers.queue = Some(self.worker.now_ms() - begun);
        self.progress.queue_position = assigned.queue_position;
        self.progress.server = Some(assigned.index());
        assigned
            .server()
            .state
            .activity
            .of(self.worker.id)
            .requests
            .add(1);

        if let Err(Outcome::Broken) = self.read_first_payload() {
            return Err(Failure {
                status: Some(400),
                who: b'P',
                when: b'H',
            });
        }
        self.write_request_head(backend);
        loop {
            let connection = self.send_first(backend, &assigned).await?;
            let reused = connection.reused;
            match self.answer(backend, connection).await {
                // The server closed an idle connection just when it was used. Nothing of a response
                // came, so the request may be sent again if sending it twice does no harm.
                Err(Retry::Stale) if reused && self.may_repeat() => self.forget_idle(&assigned),
                Err(Retry::Stale) if reused => {
                    self.progress.silent = true;
                    return Ok(After::Close);
                }
                Err(Retry::Stale) => {
                    self.server_error(&assigned);
                    return Err(Failure {
                        status: Some(502),
                        who: b'S',
                        when: b'H',
                    });
                }
                Err(Retry::Failed(failure)) => {
                    if failure.status.is_some() {
                        self.server_error(&assigned);
                    }
                    return Err(failure);
                }
                Ok((response, connection)) => {
                    return self.respond(backend, &assigned, response, connection).await;
                }
            }
        }
    }

    /// Separates the payload that came with the head from what belongs to the next request.
    fn read_first_payload(&mut self) -> Result<(), Outcome> {
        let input = self
            .buffer
            .data_mut()
            .get_mut(self.head_len..)
            .unwrap_or_default();
        let step = self.body.read(input).map_err(|_| Outcome::Broken)?;
        self.first = (step.payload, step.used);
        Ok(())
    }

    fn may_repeat(&self) -> bool {
        self.request.method.is_idempotent() && self.body.is_done()
    }

    fn write_request_head(&mut self, backend: &LiveBackend) {
        let mut out = std::mem::take(&mut self.scratch.out);
        out.clear();
        let head = self.buffer.data().get(..self.head_len).unwrap_or_default();
        let forwarded = backend.conf.forwardfor.as_ref().or(self
            .frontend()
            .conf
            .forwardfor
            .as_ref());
        let mut address = AddressText::new();
        let forwarded_for = forwarded
            .filter(|option| self.names_client(option, head))
            .and_then(|option| Some((option.header.as_bytes(), address.write(self.client.peer?))));
        let persistence = if self.request.wants_upgrade() {
            Persistence::Default
        } else if !self.mode.server_keep_alive {
            Persistence::Close
        } else if self.request.version == Version::Http10
            && self.request.framing != Framing::Chunked
        {
            Persistence::KeepAlive
        } else {
            Persistence::Default
        };
        let how = RequestOut {
            forwarded_for,
            persistence,
        };
        self.request
            .write(head, &self.scratch.fields, &how, &mut out);
        self.scratch.out = out;
    }

    fn names_client(&self, option: &ForwardFor, head: &[u8]) -> bool {
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
    async fn send_first(
        &mut self,
        backend: &Arc<LiveBackend>,
        assigned: &Assigned,
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
            let (who, when, resource) = match &attempt {
                ConnectFailure::TimedOut => (b's', b'C', false),
                ConnectFailure::Refused => (b'S', b'C', false),
                ConnectFailure::Resource(error) => {
                    tracing::warn!(server = %server.name, %error, "cannot connect: this machine lacks something");
                    (b'R', b'C', true)
                }
            };
            let sums = [&server.activity, &backend.state.activity].map(|a| a.of(self.worker.id));
            if resource || self.progress.retries >= backend.conf.retries {
                sums.iter().for_each(|s| s.connect_errors.add(1));
                return Err(Failure {
                    status: Some(503),
                    who,
                    when,
                });
            }
            self.progress.retries += 1;
            sums.iter().for_each(|s| s.retries.add(1));
            if let ConnectFailure::Refused = attempt {
                let pause = backend
                    .conf
                    .timeouts
                    .connect
                    .unwrap_or(TURN_AROUND)
                    .min(TURN_AROUND);
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// An idle connection if `http-reuse` allows one, else a new one.
    fn connection(
        &mut self,
        backend: &LiveBackend,
        assigned: &Assigned,
    ) -> Result<ServerConnection, ConnectFailure> {
        let server = assigned.server();
        let sums = [&server.state.activity, &backend.state.activity].map(|a| a.of(self.worker.id));
        let first = self.client.requests <= 1;
        let idle = match backend.conf.http_reuse {
            HttpReuse::Never => self
                .client
                .own_server
                .take()
                .filter(|(uid, _)| *uid == server.state.uid)
                .map(|(_, connection)| connection)
                .filter(|connection| self.is_quiet(connection)),
            HttpReuse::Safe if first => None,
            HttpReuse::Aggressive if first => self.worker.servers.take(&server.state, true),
            HttpReuse::Safe | HttpReuse::Aggressive | HttpReuse::Always => {
                self.worker.servers.take(&server.state, false)
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
        let socket = connect(&server.target, client_port, &self.worker.reactor)?;
        Ok(ServerConnection {
            socket,
            reused: false,
            proven: false,
        })
    }

    /// Whether a connection that nobody watched is still open and silent.
    fn is_quiet(&self, connection: &ServerConnection) -> bool {
        let mut buffer = self.worker.buffers.take(crate::io::SMALL);
        matches!(connection.socket.try_recv_into(&mut buffer), Ok(None))
    }

    /// The other idle connections to this server are likely as dead as the one that was tried.
    fn forget_idle(&self, assigned: &Assigned) {
        while self
            .worker
            .servers
            .take(&assigned.server().state, false)
            .is_some()
        {}
    }

    async fn send_head(
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
        if self.body.is_chunked() {
            if !payload.is_empty() {
                write_chunk_size(payload.len(), &mut size);
                end.extend_from_slice(b"\r\n");
            }
            if self.body.is_done() {
                self.body.write_end(&mut end);
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
        let connect_deadline = reactor.after(timeouts.connect);
        let deadline = || {
            if connection.socket.is_connecting() {
                connect_deadline
            } else {
                reactor.after(timeouts.server)
            }
        };
        connection.socket.send(&mut slices, deadline).await
    }

    /// Sends the rest of the request and waits for the head of the response.
    async fn answer(
        &mut self,
        backend: &LiveBackend,
        connection: ServerConnection,
    ) -> Result<((Answer, bool), ServerConnection), Retry> {
        let mut fields = std::mem::take(&mut self.scratch.response_fields);
        let outcome = self.answer_with(backend, &connection, &mut fields).await;
        self.scratch.response_fields = fields;
        outcome.map(|answer| (answer, connection))
    }

    async fn answer_with(
        &mut self,
        backend: &LiveBackend,
        connection: &ServerConnection,
        fields: &mut Fields,
    ) -> Result<(Answer, bool), Retry> {
        let sent_ms = self.worker.now_ms();
        let mut uploaded = true;
        let answer = if self.body.is_done() {
            self.response_head(backend, connection, fields, None).await
        } else {
            self.start_upload();
            let worker = self.worker.clone();
            let timeout = backend.conf.timeouts.server;
            let client_timeout = self.frontend().conf.timeouts.client;
            let mut body = std::mem::replace(&mut self.body, Body::new(Framing::None));
            let mut behind = None;
            let result = {
                let upload = std::pin::pin!(forward::upload(
                    &worker,
                    &self.client.stream,
                    &connection.socket,
                    &mut body,
                    &mut behind,
                    (client_timeout, timeout),
                ));
                let head = std::pin::pin!(self.response_head(backend, connection, fields, None));
                match select(upload, head).await {
                    Either::Left((Ok(()), head)) => Ok(head.await),
                    Either::Left((Err(outcome), head)) => match outcome {
                        // The server takes no more: it may have answered already.
                        Outcome::Sink => {
                            uploaded = false;
                            Ok(head.await)
                        }
                        outcome => Err(outcome),
                    },
                    Either::Right((answer, _upload)) => {
                        uploaded = false;
                        Ok(answer)
                    }
                }
            };
            self.body = body;
            if let Some(buffer) = behind {
                self.buffer = buffer;
            }
            match result {
                Ok(answer) => answer,
                Err(outcome) => return Err(Retry::Failed(self.upload_failed(outcome))),
            }
        };
        let answer = answer?;
        self.progress.timers.response = Some(self.worker.now_ms() - sent_ms);
        Ok((answer, uploaded))
    }

    /// The first payload was sent with the head: what is behind it is not needed any more.
    fn start_upload(&mut self) {
        self.buffer.consume(self.head_len + self.first.1);
        self.head_len = 0;
        self.first = (0, 0);
    }

    fn upload_failed(&self, outcome: Outcome) -> Failure {
        let (status, who, when) = match outcome {
            Outcome::Broken => (Some(400), b'P', b'H'),
            Outcome::SourceTimeout => (Some(408), b'c', b'D'),
            Outcome::SinkTimeout => (Some(504), b's', b'H'),
            Outcome::Source | Outcome::Sink => (None, b'C', b'D'),
        };
        Failure { status, who, when }
    }

    /// Reads response heads until one is final. Interim ones go to the client.
    async fn response_head(
        &self,
        backend: &LiveBackend,
        connection: &ServerConnection,
        fields: &mut Fields,
        buffer: Option<Buffer>,
    ) -> Result<Answer, Retry> {
        let reactor = &self.worker.reactor;
        let deadline = reactor.after(backend.conf.timeouts.server);
        let wrong = Retry::Failed(Failure {
            status: Some(502),
            who: b'P',
            when: b'H',
        });
        let mut buffer = match buffer {
            Some(buffer) => buffer,
            None => match connection
                .socket
                .recv(&self.worker.buffers, LARGE, deadline)
                .await
            {
                Ok(buffer) if buffer.is_empty() => return Err(Retry::Stale),
                Ok(buffer) => buffer,
                Err(error) => return Err(head_error(&error, true)),
            },
        };
        loop {
            match Response::parse(buffer.data_mut(), self.request.method, fields) {
                Parsed::Whole(_, len) if len > self.worker.shared.max_head => return Err(wrong),
                Parsed::Whole(response, len) if response.is_interim() => {
                    self.forward_interim(&response, &buffer, len, fields)
                        .await?;
                    buffer.consume(len);
                    if !buffer.is_empty() {
                        continue;
                    }
                }
                Parsed::Whole(response, _)
                    if response.status == 101 && !self.request.wants_upgrade() =>
                {
                    return Err(wrong);
                }
                Parsed::Whole(response, len) => return Ok((response, buffer, len)),
                Parsed::Bad(_) => return Err(wrong),
                Parsed::Partial if buffer.len() >= self.worker.shared.max_head => {
                    return Err(wrong);
                }
                Parsed::Partial => {}
            }
            match connection.socket.recv_into(&mut buffer, deadline).await {
                Ok(0) => {
                    return Err(Retry::Failed(Failure {
                        status: Some(502),
                        who: b'S',
                        when: b'H',
                    }));
                }
                Ok(_) => {}
                Err(error) => return Err(head_error(&error, false)),
            }
        }
    }

    async fn forward_interim(
        &self,
        response: &Response,
        buffer: &Buffer,
        len: usize,
        fields: &Fields,
    ) -> Result<(), Retry> {
        let head = buffer.data().get(..len).unwrap_or_default();
        let mut out = Vec::with_capacity(len);
        response.write(
            head,
            fields,
            &ResponseOut {
                persistence: Persistence::Default,
            },
            &mut out,
        );
        let timeout = self.frontend().conf.timeouts.client;
        let deadline = || self.worker.reactor.after(timeout);
        let sent = self
            .client
            .stream
            .send(&mut [IoSlice::new(&out)], deadline)
            .await;
        sent.map_err(|_| {
            Retry::Failed(Failure {
                status: None,
                who: b'C',
                when: b'D',
            })
        })
    }

    /// Sends the response, its body, and what is left of the request.
    async fn respond(
        &mut self,
        backend: &Arc<LiveBackend>,
        assigned: &Assigned,
        ((response, mut buffer, len), uploaded): (Answer, bool),
        connection: ServerConnection,
    ) -> Result<After, Failure> {
        self.progress.status = Some(response.status);
        let upgraded = response.status == 101;
        let keep_client = self.mode.client_keep_alive
            && !self.request.wants_close()
            && response.framing != Framing::UntilClose
            && !upgraded;
        let persistence = match (keep_client, response.version, self.request.version) {
            _ if upgraded => Persistence::Default,
            (true, Version::Http11, Version::Http11) => Persistence::Default,
            (true, _, _) => Persistence::KeepAlive,
            (false, Version::Http10, _) => Persistence::Default,
            (false, Version::Http11, _) => Persistence::Close,
        };
        let head = buffer.data().get(..len).unwrap_or_default();
        self.scratch.out.clear();
        let how = ResponseOut { persistence };
        response.write(
            head,
            &self.scratch.response_fields,
            &how,
            &mut self.scratch.out,
        );
        self.progress.bytes += response.logged_size(head);
        buffer.consume(len);

        if upgraded {
            return Ok(self.upgrade(backend, buffer, connection).await);
        }
        let mut body = Body::new(response.framing);
        let timeouts = (
            self.frontend().conf.timeouts.client,
            backend.conf.timeouts.server,
        );
        let mut behind = None;
        let mut logged = 0;
        let result = {
            let worker = self.worker;
            let download = forward::download(
                worker,
                &connection.socket,
                &self.client.stream,
                &mut body,
                buffer,
                &self.scratch.out,
                timeouts,
                &mut logged,
            );
            if uploaded {
                download.await
            } else {
                // The response began before the request was whole: both go on.
                let upload = forward::upload(
                    worker,
                    &self.client.stream,
                    &connection.socket,
                    &mut self.body,
                    &mut behind,
                    timeouts,
                );
                forward::both(download, upload).await
            }
        };
        self.progress.bytes += logged;
        if let Some(behind) = behind {
            self.buffer = behind;
        }
        match result {
            Ok(clean) => {
                let keep_server = clean
                    && self.body.is_done()
                    && self.mode.server_keep_alive
                    && response.keeps_alive();
                if keep_server {
                    self.keep(backend, assigned, connection);
                } else {
                    connection.socket.no_linger();
                }
                Ok(self.after_response(keep_client && self.body.is_done()))
            }
            Err(outcome) => {
                connection.socket.no_linger();
                let (who, when) = match outcome {
                    Outcome::Source | Outcome::Broken => (b'S', b'D'),
                    Outcome::SourceTimeout => (b's', b'D'),
                    Outcome::Sink => (b'C', b'D'),
                    Outcome::SinkTimeout => (b'c', b'D'),
                };
                if who.eq_ignore_ascii_case(&b's') {
                    self.server_error(assigned);
                }
                self.progress.termination = Termination { who, when };
                Ok(After::Close)
            }
        }
    }

    async fn upgrade(
        &mut self,
        backend: &LiveBackend,
        behind: Buffer,
        connection: ServerConnection,
    ) -> After {
        let out = IoSlice::new(&self.scratch.out);
        let timeout = self.frontend().conf.timeouts.client;
        let deadline = || self.worker.reactor.after(timeout);
        if self.client.stream.send(&mut [out], deadline).await.is_err() {
            self.progress.termination = Termination {
                who: b'C',
                when: b'D',
            };
            return After::Close;
        }
        if self.head_len > 0 {
            self.start_upload();
        }
        let empty = self.worker.buffers.take(crate::io::SMALL);
        let from_client = std::mem::replace(&mut self.buffer, empty);
        let frontend = &self.live.frontends;
        let Some(frontend) = frontend.get(self.client.frontend) else {
            return After::Close;
        };
        let ends = Ends {
            client: &self.client.stream,
            server: &connection.socket,
        };
        let timeouts = tunnel::timeouts(&frontend.conf.timeouts, &backend.conf.timeouts);
        let done = tunnel::run(
            self.worker,
            &ends,
            (rest(from_client), rest(behind)),
            &timeouts,
        )
        .await;
        self.progress.bytes += done.to_client;
        self.client_sums().bytes_in.add(done.to_server);
        self.progress.termination = done.termination;
        After::Close
    }

    fn keep(&mut self, backend: &LiveBackend, assigned: &Assigned, connection: ServerConnection) {
        let server = &assigned.server().state;
        if backend.conf.http_reuse == HttpReuse::Never {
            let connection = ServerConnection {
                reused: true,
                ..connection
            };
            self.client.own_server = Some((server.uid, connection));
        } else {
            self.worker
                .servers
                .put(&self.worker.reactor, server, connection);
        }
    }

    fn after_response(&mut self, keep: bool) -> After {
        if !keep {
            return After::Linger;
        }
        self.buffer.consume(self.head_len + self.first.1);
        let empty = self.worker.buffers.take(crate::io::SMALL);
        After::Next(rest(std::mem::replace(&mut self.buffer, empty)))
    }

    /// Ends an exchange that got no response from a server.
    async fn fail(&mut self, failure: Failure) -> After {
        self.progress.termination = Termination {
            who: failure.who,
            when: failure.when,
        };
        let Some(status) = failure.status else {
            return After::Close;
        };
        self.progress.status = Some(status);
        let keep = self.mode.client_keep_alive
            && !self.request.wants_close()
            && self.body.is_done()
            && status != 400
            && status != 408;
        self.scratch.out.clear();
        let head = respond::error(status, !keep, &mut self.scratch.out);
        if self.request.method == Method::Head {
            self.scratch.out.truncate(head);
        }
        self.progress.bytes += respond::logged_size(status);
        let timeout = self.frontend().conf.timeouts.client;
        let deadline = || self.worker.reactor.after(timeout);
        match self
            .client
            .stream
            .send(&mut [IoSlice::new(&self.scratch.out)], deadline)
            .await
        {
            Ok(()) => self.after_response(keep),
            Err(_) => After::Close,
        }
    }

    fn finish(&mut self) {
        if self.progress.silent {
            return;
        }
        let bytes = self.progress.bytes;
        let id = self.worker.id;
        let backend = self.progress.backend.as_ref();
        let server = backend
            .zip(self.progress.server)
            .and_then(|(b, index)| b.servers.get(index));
        let activities = [
            self.live
                .frontends
                .get(self.client.frontend)
                .map(|f| &f.state.activity),
            backend.map(|b| &b.state.activity),
            server.map(|s| &s.state.activity),
        ];
        for sums in activities.into_iter().flatten().map(|a| a.of(id)) {
            sums.bytes_out.add(bytes);
            if let Some(status) = self.progress.status {
                sums.response(status);
            }
        }
        let begun = self.progress.started_ms;
        self.progress.timers.total = self.worker.now_ms().saturating_sub(begun);
        if let Some(frontend) = self.live.frontends.get(self.client.frontend)
            && !frontend.log.is_empty()
        {
            let line = &self.scratch.request_line;
            access::request(self.worker, self.client, frontend, &self.progress, line);
        }
    }

    fn server_error(&self, assigned: &Assigned) {
        let activities = [
            Some(&assigned.server().state.activity),
            self.progress.backend.as_ref().map(|b| &b.state.activity),
        ];
        for activity in activities.into_iter().flatten() {
            activity.of(self.worker.id).response_errors.add(1);
        }
    }

    fn client_sums(&self) -> &Sums {
        self.frontend().state.activity.of(self.worker.id)
    }

    fn frontend(&self) -> &LiveFrontend {
        self.live
            .frontends
            .get(self.client.frontend)
            .expect("a request was received for it")
    }
}

/// Why there is no response on a connection.
enum Retry {
    /// It ended before a byte of a response.
    Stale,
    Failed(Failure),
}

fn head_error(error: &io::Error, nothing_came: bool) -> Retry {
    if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() {
        Retry::Failed(Failure {
            status: Some(504),
            who: b's',
            when: b'H',
        })
    } else if nothing_came {
        Retry::Stale
    } else {
        Retry::Failed(Failure {
            status: Some(502),
            who: b'S',
            when: b'H',
        })
    }
}

/// An IP address as text, without allocating.
struct AddressText {
    bytes: [u8; 48],
}

impl AddressText {
    const fn new() -> Self {
        Self { bytes: [0; 48] }
    }

    fn write(&mut self, address: SocketAddr) -> &[u8] {
        let mut left = &mut self.bytes[..];
        // The longest text of an IPv6 address has 45 bytes.
        let _ = write!(left, "{}", address.ip());
        let unused = left.len();
        let used = self.bytes.len() - unused;
        self.bytes.get(..used).unwrap_or_default()
    }
}
