//! The response's way to the client.

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lanai_model::layer7::HttpReuse;
use lanai_traffic::record::Termination;

use super::{After, Exchange, Failure};
use crate::http1::{Body, Framing, Persistence, Place, Response, ResponseOut, Version};
use crate::io::{Buffer, SMALL};
use crate::server::{Assigned, ServerConnection};
use crate::session::forward::{self, Head, Outcome};
use crate::session::http::rest;
use crate::session::tunnel::{self, Ends};
use crate::state::LiveBackend;

impl Exchange<'_> {
    /// Sends the response, its body, and what is left of the request.
    pub(super) async fn respond(
        &mut self,
        backend: &Arc<LiveBackend>,
        assigned: &Assigned<'_>,
        uploaded: bool,
        connection: ServerConnection,
    ) -> Result<After, Failure> {
        let answer = self.answer.take();
        let (response, mut buffer, len) = answer.expect("a response's head was received");
        self.progress.status = Some(response.status);
        self.progress.answered = true;
        let upgraded = response.status == 101;
        let (keep_client, persistence) = self.persistence(&response);
        let head = buffer.data().get(..len).unwrap_or_default();
        self.scratch.out.clear();
        let how = ResponseOut { persistence };
        let (fields, out) = (&self.scratch.response_fields, &mut self.scratch.out);
        // A head that goes on as it came leaves from the buffer that it is in.
        let standing = match response.write(head, fields, &how, out) {
            Place::Input => len,
            Place::Output => {
                buffer.consume(len);
                0
            }
        };
        self.progress.bytes += response.logged_size();

        if upgraded {
            let head = buffer.data().get(..standing).unwrap_or_default();
            out.extend_from_slice(head);
            buffer.consume(standing);
            return Ok(self.upgrade(backend, buffer, connection).await);
        }
        let mut body = Body::new(response.framing);
        let timeouts = (
            self.frontend().conf.timeouts.client,
            backend.conf.timeouts.server,
        );
        let mut logged = 0;
        let result = {
            let (worker, client, server) = (self.worker, &self.client.stream, &connection.socket);
            let head = Head {
                written: &mut self.scratch.out,
                standing,
            };
            let download = forward::download(
                worker,
                server,
                client,
                &mut body,
                (head, buffer),
                timeouts,
                &mut logged,
            );
            if uploaded {
                download.await.map(|clean| (clean, None))
            } else {
                // The response began before the request was whole: both go on.
                forward::both(download, self.upload.run(worker, client, server, timeouts)).await
            }
        };
        self.progress.bytes += logged;
        self.take_behind();
        match result {
            Ok((clean, upload_failed)) => {
                let done = self.upload.is_done();
                if clean && done && self.mode.server_keep_alive && response.keeps_alive() {
                    self.keep(backend, connection);
                } else {
                    connection.socket.no_linger();
                }
                self.progress.termination = upload_broken_off(upload_failed);
                Ok(self.after_response(keep_client && done))
            }
            Err(outcome) => {
                connection.socket.no_linger();
                self.progress.termination = broken_off(outcome);
                if self.progress.termination.who.eq_ignore_ascii_case(&b's') {
                    self.server_error(assigned);
                }
                Ok(After::Cut)
            }
        }
    }

    /// Whether the client's connection goes on after this response, and how it is told.
    fn persistence(&self, response: &Response) -> (bool, Persistence) {
        // A stopping engine lets its clients go after this response.
        let stopping = self.worker.shared.stopping.load(Ordering::Relaxed);
        let upgraded = response.status == 101;
        let keep_client = self.mode.client_keep_alive
            && !stopping
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
        (keep_client, persistence)
    }

    pub(super) async fn upgrade(
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
            return After::Cut;
        }
        if self.head_len > 0 {
            self.start_upload();
        }
        let empty = self.worker.buffers.take(SMALL);
        let from_client = std::mem::replace(&mut self.buffer, empty);
        let frontend = &self.live.frontends;
        let Some(frontend) = frontend.get(self.client.frontend) else {
            return After::Cut;
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

    pub(super) fn keep(&mut self, backend: &LiveBackend, connection: ServerConnection) {
        if backend.conf.http_reuse == HttpReuse::Never || connection.shown.is_some() {
            let connection = ServerConnection {
                reused: true,
                ..connection
            };
            self.client.own_server = Some(connection);
        } else {
            self.worker.servers.put(self.worker, connection);
        }
    }
}

/// What the log says of a request that did not get through whole, whose response did.
fn upload_broken_off(outcome: Option<Outcome>) -> Termination {
    let who = match outcome {
        Some(Outcome::Source) => b'C',
        Some(Outcome::SourceTimeout) => b'c',
        _ => return Termination::default(),
    };
    Termination { who, when: b'D' }
}

/// What the log says of a response that did not get through whole.
fn broken_off(outcome: Outcome) -> Termination {
    let who = match outcome {
        Outcome::Source | Outcome::Broken => b'S',
        Outcome::SourceTimeout => b's',
        Outcome::Sink => b'C',
        Outcome::SinkTimeout => b'c',
    };
    Termination { who, when: b'D' }
}
