//! The rest of the request, and the head of the response.

use std::io::{self, IoSlice};

use futures_util::future::{Either, select};

use super::{Exchange, Failure};
use crate::http1::{Fields, Framing, Parsed, Persistence, Place, Response, ResponseOut};
use crate::io::{Buffer, LARGE};
use crate::server::ServerConnection;
use crate::session::forward::{Outcome, Upload};
use crate::state::LiveBackend;

impl Exchange<'_> {
    /// Sends the rest of the request and waits for the head of the response. Returns whether all of the
    /// request was sent by then.
    pub(super) async fn answer(
        &mut self,
        backend: &LiveBackend,
        connection: &ServerConnection,
    ) -> Result<bool, Retry> {
        let mut fields = std::mem::take(&mut self.scratch.response_fields);
        let outcome = self.answer_with(backend, connection, &mut fields).await;
        self.scratch.response_fields = fields;
        outcome
    }

    pub(super) async fn answer_with(
        &mut self,
        backend: &LiveBackend,
        connection: &ServerConnection,
        fields: &mut Fields,
    ) -> Result<bool, Retry> {
        let sent_ms = self.worker.now_ms();
        let mut uploaded = true;
        let answer = if self.upload.is_done() {
            self.response_head(backend, connection, fields).await
        } else {
            self.start_upload();
            let mut upload = std::mem::replace(&mut self.upload, Upload::new(Framing::None));
            let timeouts = (
                self.frontend().conf.timeouts.client,
                backend.conf.timeouts.server,
            );
            let result = {
                let (client, server) = (&self.client.stream, &connection.socket);
                let upload = std::pin::pin!(upload.run(self.worker, client, server, timeouts));
                let head = std::pin::pin!(self.response_head(backend, connection, fields));
                match select(upload, head).await {
                    Either::Left((Ok(()), head)) => Ok(head.await),
                    // The server takes no more: it may have answered already.
                    Either::Left((Err(Outcome::Sink), head)) => {
                        uploaded = false;
                        Ok(head.await)
                    }
                    Either::Left((Err(outcome), _)) => Err(outcome),
                    Either::Right((answer, _)) => {
                        uploaded = false;
                        Ok(answer)
                    }
                }
            };
            self.upload = upload;
            self.take_behind();
            match result {
                Ok(answer) => answer,
                Err(outcome) => return Err(Retry::Failed(self.upload_failed(outcome))),
            }
        };
        answer?;
        self.progress.timers.response = Some(self.worker.now_ms() - sent_ms);
        Ok(uploaded)
    }

    /// The first payload was sent with the head: what is behind it is not needed any more.
    pub(super) fn start_upload(&mut self) {
        self.buffer.consume(self.head_len + self.first.1);
        self.head_len = 0;
        self.first = (0, 0);
    }

    /// What came behind the body is the next request.
    pub(super) fn take_behind(&mut self) {
        if let Some(buffer) = self.upload.behind.take() {
            self.buffer = buffer;
        }
    }

    pub(super) fn upload_failed(&self, outcome: Outcome) -> Failure {
        let (status, who, when) = match outcome {
            Outcome::Broken => (Some(400), b'P', b'H'),
            Outcome::SourceTimeout => (Some(408), b'c', b'D'),
            Outcome::SinkTimeout => (Some(504), b's', b'H'),
            Outcome::Source | Outcome::Sink => (None, b'C', b'D'),
        };
        Failure { status, who, when }
    }

    /// Reads response heads until one is final. Interim ones go to the client.
    pub(super) async fn response_head(
        &self,
        backend: &LiveBackend,
        connection: &ServerConnection,
        fields: &mut Fields,
    ) -> Result<(), Retry> {
        let reactor = &self.worker.reactor;
        let deadline = reactor.after(backend.conf.timeouts.server);
        let wrong = Retry::Failed(Failure {
            status: Some(502),
            who: b'P',
            when: b'H',
        });
        let received = connection
            .socket
            .recv(&self.worker.buffers, LARGE, deadline)
            .await;
        let mut buffer = match received {
            Ok(buffer) if buffer.is_empty() => return Err(Retry::Stale),
            Ok(buffer) => buffer,
            Err(error) => return Err(head_error(&error, true)),
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
                Parsed::Whole(response, len) => {
                    self.answer.set(Some((response, buffer, len)));
                    return Ok(());
                }
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

    pub(super) async fn forward_interim(
        &self,
        response: &Response,
        buffer: &Buffer,
        len: usize,
        fields: &Fields,
    ) -> Result<(), Retry> {
        let head = buffer.data().get(..len).unwrap_or_default();
        self.interim_bytes
            .set(self.interim_bytes.get() + response.logged_size());
        let mut out = Vec::with_capacity(len);
        let persistence = Persistence::Default;
        let head = match response.write(head, fields, &ResponseOut { persistence }, &mut out) {
            Place::Input => head,
            Place::Output => &out,
        };
        let timeout = self.frontend().conf.timeouts.client;
        let deadline = || self.worker.reactor.after(timeout);
        let sent = self
            .client
            .stream
            .send(&mut [IoSlice::new(head)], deadline)
            .await;
        sent.map_err(|_| {
            Retry::Failed(Failure {
                status: None,
                who: b'C',
                when: b'D',
            })
        })
    }
}

/// Why there is no response on a connection.
pub(super) enum Retry {
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
