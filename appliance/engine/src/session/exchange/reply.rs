//! The response's way to the client.

use std::io::IoSlice;
use std::sync::Arc;

use lanai_model::layer7::HttpReuse;
use lanai_traffic::record::Termination;

use super::{After, Answer, Exchange, Failure};
use crate::http1::{Body, Framing, Persistence, ResponseOut, Version};
use crate::io::{Buffer, SMALL};
use crate::server::{Assigned, ServerConnection};
use crate::session::forward::{self, Outcome};
use crate::session::http::rest;
use crate::session::tunnel::{self, Ends};
use crate::state::LiveBackend;

impl Exchange<'_> {
    /// Sends the response, its body, and what is left of the request.
    pub(super) async fn respond(
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
            return After::Close;
        }
        if self.head_len > 0 {
            self.start_upload();
        }
        let empty = self.worker.buffers.take(SMALL);
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

    pub(super) fn keep(
        &mut self,
        backend: &LiveBackend,
        assigned: &Assigned,
        connection: ServerConnection,
    ) {
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
}
