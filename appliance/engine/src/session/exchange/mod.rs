//! One request and its response: `attempt` takes the request to a server, `answer` waits for the
//! response, `reply` takes it to the client.

mod answer;
mod attempt;
mod reply;

use std::cell::Cell;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;

use lanai_traffic::ConnectionMode;
use lanai_traffic::record::{Termination, Timers};

use self::answer::Retry;
use super::forward::{Outcome, Upload};
use super::{Client, Scratch, access};
use crate::http1::{Method, Request, Response};
use crate::io::{Buffer, SMALL};
use crate::respond;
use crate::server::{Assigned, NoServer, assign};
use crate::state::{Activity, LiveBackend, LiveFrontend, Sums};
use crate::worker::{Local, Worker};

/// What becomes of the client's connection.
pub(in crate::session) enum After {
    /// It may send the next request, of which these bytes are here already.
    Next(Option<Buffer>),
    /// It is closed.
    Close,
    /// It is closed as it is: what was sent is not whole, and must not look so.
    Cut,
    /// It is closed once the client had a chance to read the response.
    Linger,
}

/// What is told of an exchange when it ends.
pub(in crate::session) struct Progress {
    pub(in crate::session) started_ms: u64,
    pub(in crate::session) timers: Timers,
    pub(in crate::session) status: Option<u16>,
    pub(in crate::session) bytes: u64,
    pub(in crate::session) termination: Termination,
    pub(in crate::session) server: Option<usize>,
    pub(in crate::session) retries: u32,
    pub(in crate::session) queue_position: u32,
    /// Its number in the configuration.
    pub(in crate::session) backend: Option<usize>,
    /// The response is a server's.
    pub(in crate::session) answered: bool,
    /// Counted as received from the client.
    pub(in crate::session) bytes_in: u64,
    /// Sessions of the server beside this one when it was given back.
    pub(in crate::session) server_sessions: u32,
    /// An operator ended the sessions of its server meanwhile.
    pub(in crate::session) shut_down: bool,
    /// Nothing is logged: the client was sent nothing, and is expected to try again.
    pub(in crate::session) silent: bool,
}

pub(in crate::session) struct Exchange<'a> {
    worker: &'a Rc<Worker>,
    client: &'a mut Client,
    scratch: &'a mut Scratch,
    live: Local,
    request: Request,
    /// The head, and what came behind it.
    buffer: Buffer,
    head_len: usize,
    upload: Upload,
    /// How much of what came behind the head is payload, and how many bytes that took.
    first: (usize, usize),
    mode: ConnectionMode,
    progress: Progress,
    /// What interim responses add to the bytes logged.
    interim_bytes: Cell<u64>,
    /// The response's head, once it is there.
    answer: Cell<Option<Answer>>,
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

impl<'a> Exchange<'a> {
    pub(in crate::session) fn new(
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
            upload: Upload::new(request.framing),
            interim_bytes: Cell::new(0),
            answer: Cell::new(None),
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
                answered: false,
                bytes_in: 0,
                server_sessions: 0,
                shut_down: false,
            },
        }
    }

    /// Takes the request to its end: response, counters, record.
    pub(in crate::session) async fn run(&mut self) -> After {
        self.client_sums().requests.add(1);
        let size = self.request.counted_size();
        if !self.frontend().log.is_empty() {
            self.scratch.request_line.clear();
            let head = self.buffer.data();
            self.request
                .write_line(head, &mut self.scratch.request_line);
        }
        let index = self.frontend().conf.default_backend;
        let live = self.live.clone();
        let outcome = match index.and_then(|index| live.backends.get(index)) {
            Some(backend) => {
                self.mode = self.frontend().conf.connection_mode(&backend.conf);
                self.progress.backend = index;
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
        self.progress.bytes_in = size + self.upload.payload;
        self.finish();
        after
    }

    async fn with_backend(&mut self, backend: &Arc<LiveBackend>) -> Result<After, Failure> {
        let begun = self.worker.now_ms();
        let assigned = match assign(backend, self.worker).await {
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
        let outcome = self.with_server(backend, &assigned).await;
        self.progress.server_sessions = assigned.others();
        self.progress.shut_down = assigned.is_shut_down();
        outcome
    }

    async fn with_server(
        &mut self,
        backend: &Arc<LiveBackend>,
        assigned: &Assigned<'_>,
    ) -> Result<After, Failure> {
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
            let connection = self.send_first(backend, assigned).await?;
            let reused = connection.reused;
            match self.answer(backend, &connection).await {
                // The server closed an idle connection just when it was used. Nothing of a response
                // came, so the request may be sent again if sending it twice does no harm.
                Err(Retry::Stale) if reused && !assigned.is_shut_down() => {
                    if self.may_repeat() {
                        self.forget_idle(assigned);
                        continue;
                    }
                    self.progress.silent = true;
                    return Ok(After::Cut);
                }
                Err(Retry::Stale) => {
                    self.server_error(assigned);
                    return Err(Failure {
                        status: Some(502),
                        who: b'S',
                        when: b'H',
                    });
                }
                Err(Retry::Failed(failure)) => {
                    if failure.status.is_some() {
                        self.server_error(assigned);
                    }
                    return Err(failure);
                }
                Ok(uploaded) => {
                    return self.respond(backend, assigned, uploaded, connection).await;
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
        let step = self.upload.body.read(input).map_err(|_| Outcome::Broken)?;
        self.first = (step.payload, step.used);
        self.upload.payload = step.payload as u64;
        Ok(())
    }

    fn may_repeat(&self) -> bool {
        self.request.method.is_idempotent() && self.upload.is_done()
    }

    fn after_response(&mut self, keep: bool) -> After {
        self.buffer.consume(self.head_len + self.first.1);
        if !keep {
            // With nothing unread, closing cannot reset the connection.
            let all_read = self.upload.is_done() && self.buffer.is_empty();
            return if all_read {
                After::Close
            } else {
                After::Linger
            };
        }
        if self.buffer.is_empty() {
            return After::Next(None);
        }
        let empty = self.worker.buffers.take(SMALL);
        After::Next(Some(std::mem::replace(&mut self.buffer, empty)))
    }

    /// Ends an exchange that got no response from a server.
    async fn fail(&mut self, failure: Failure) -> After {
        self.progress.termination = Termination {
            who: failure.who,
            when: failure.when,
        };
        let Some(status) = failure.status else {
            return After::Cut;
        };
        self.progress.status = Some(status);
        let keep = self.mode.client_keep_alive
            && !self.request.wants_close()
            && self.upload.is_done()
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
            Err(_) => After::Cut,
        }
    }

    fn finish(&mut self) {
        if self.progress.silent {
            return;
        }
        self.progress.bytes += self.interim_bytes.get();
        let (bytes, bytes_in) = (self.progress.bytes, self.progress.bytes_in);
        let id = self.worker.id;
        let backend = self.backend();
        let server = backend
            .zip(self.progress.server)
            .and_then(|(b, index)| b.servers.get(index));
        let status = self.progress.status.unwrap_or(0);
        let termination = self.progress.termination;
        let count = |activity: &Activity, answered: bool| {
            let sums = activity.of(id);
            sums.bytes_in.add(bytes_in);
            sums.bytes_out.add(bytes);
            match (termination.who, termination.when) {
                (b'C', b'D') => sums.client_aborts.add(1),
                (b'S', b'D') => sums.server_aborts.add(1),
                _ => {}
            }
            if answered {
                sums.response(status);
            }
        };
        if let Some(frontend) = self.live.frontends.get(self.client.frontend) {
            count(&frontend.state.activity, true);
        }
        if let Some(backend) = backend {
            count(&backend.state.activity, true);
        }
        if let Some(server) = server {
            // Responses of our own are none of the server's.
            count(&server.state.activity, self.progress.answered);
        }
        if self.progress.shut_down && self.progress.termination.who == b'S' {
            self.progress.termination.who = b'K';
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

    fn server_error(&self, assigned: &Assigned<'_>) {
        let activities = [
            Some(&assigned.server().state.activity),
            self.backend().map(|b| &b.state.activity),
        ];
        for activity in activities.into_iter().flatten() {
            activity.of(self.worker.id).response_errors.add(1);
        }
    }

    fn backend(&self) -> Option<&Arc<LiveBackend>> {
        self.live.backends.get(self.progress.backend?)
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
