//! Bodies on their way.

use std::future::Future;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::http1::{Body, write_chunk_size};
use crate::io::{Buffer, LARGE, SMALL, Socket};
use crate::stream::Stream;
use crate::worker::Worker;

/// Why a body did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its framing is broken.
    Broken,
    /// Whoever sends it closed or broke the connection.
    Source,
    /// Whoever sends it was silent for too long.
    SourceTimeout,
    /// Whoever gets it closed or broke the connection.
    Sink,
    /// Whoever gets it took nothing for too long.
    SinkTimeout,
}

type Timeouts = (Option<Duration>, Option<Duration>);

/// Takes the rest of a request's body to the server. What came behind the body is left in `behind`.
pub(super) async fn upload(
    worker: &Rc<Worker>,
    client: &Stream,
    server: &Socket,
    body: &mut Body,
    behind: &mut Option<Buffer>,
    (client_timeout, server_timeout): Timeouts,
) -> Result<(), Outcome> {
    let mut frame = Frame::default();
    while !body.is_done() {
        let size = if body.known_left() > 16 * 1024 {
            LARGE
        } else {
            SMALL
        };
        let deadline = worker.reactor.after(client_timeout);
        let mut buffer = client
            .recv(&worker.buffers, size, deadline)
            .await
            .map_err(source)?;
        if buffer.is_empty() {
            return Err(Outcome::Source);
        }
        let step = body.read(buffer.data_mut()).map_err(|_| Outcome::Broken)?;
        let mut slices = frame.around(body, buffer.data(), step.payload);
        server
            .send(&mut slices, || worker.reactor.after(server_timeout))
            .await
            .map_err(sink)?;
        buffer.consume(step.used);
        if !buffer.is_empty() {
            *behind = Some(buffer);
        }
    }
    Ok(())
}

/// Sends `head` and the body of a response to the client. Returns whether the server's connection
/// carried nothing else, and may be used again.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a part of the one exchange it is called from"
)]
pub(super) async fn download(
    worker: &Rc<Worker>,
    server: &Socket,
    client: &Stream,
    body: &mut Body,
    mut buffer: Buffer,
    head: &[u8],
    (client_timeout, server_timeout): Timeouts,
    logged: &mut u64,
) -> Result<bool, Outcome> {
    let mut frame = Frame::default();
    let mut head = head;
    loop {
        let step = match body.read(buffer.data_mut()) {
            Ok(step) => step,
            Err(_) => {
                // What came before was good: the client gets the head, and learns from the close.
                let _ = client
                    .send(&mut [IoSlice::new(head)], || {
                        worker.reactor.after(client_timeout)
                    })
                    .await;
                return Err(Outcome::Broken);
            }
        };
        *logged += step.payload as u64 + if body.is_done() { body.logged_end() } else { 0 };
        let [size, payload, end] = frame.around(body, buffer.data(), step.payload);
        let mut slices = [IoSlice::new(head), size, payload, end];
        client
            .send(&mut slices, || worker.reactor.after(client_timeout))
            .await
            .map_err(sink)?;
        head = &[];
        buffer.consume(step.used);
        if body.is_done() {
            return Ok(buffer.is_empty());
        }
        drop(buffer);
        let large = body.known_left() > 16 * 1024;
        let deadline = worker.reactor.after(server_timeout);
        buffer = server
            .recv(&worker.buffers, if large { LARGE } else { SMALL }, deadline)
            .await
            .map_err(source)?;
        if buffer.is_empty() {
            return if body.ends_with_stream() {
                Ok(false)
            } else {
                Err(Outcome::Source)
            };
        }
    }
}

/// A response and the rest of its request at once. The response's outcome counts; a client that stops
/// sending after the whole response is not waited for longer than its timeout.
pub(super) async fn both(
    download: impl Future<Output = Result<bool, Outcome>>,
    upload: impl Future<Output = Result<(), Outcome>>,
) -> Result<bool, Outcome> {
    let (download, upload) = (std::pin::pin!(download), std::pin::pin!(upload));
    match select(download, upload).await {
        Either::Left((result, upload)) => match result {
            Ok(clean) => Ok(upload.await.is_ok() && clean),
            Err(outcome) => Err(outcome),
        },
        Either::Right((uploaded, download)) => Ok(download.await? && uploaded.is_ok()),
    }
}

/// The chunk framing around one piece of payload.
#[derive(Default)]
struct Frame {
    size: Vec<u8>,
    end: Vec<u8>,
}

impl Frame {
    fn around<'a>(&'a mut self, body: &Body, data: &'a [u8], payload: usize) -> [IoSlice<'a>; 3] {
        self.size.clear();
        self.end.clear();
        if body.is_chunked() {
            if payload > 0 {
                write_chunk_size(payload, &mut self.size);
                self.end.extend_from_slice(b"\r\n");
            }
            if body.is_done() {
                body.write_end(&mut self.end);
            }
        }
        let payload = data.get(..payload).unwrap_or_default();
        [
            IoSlice::new(&self.size),
            IoSlice::new(payload),
            IoSlice::new(&self.end),
        ]
    }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

fn source(error: io::Error) -> Outcome {
    if is_timeout(&error) {
        Outcome::SourceTimeout
    } else {
        Outcome::Source
    }
}

fn sink(error: io::Error) -> Outcome {
    if is_timeout(&error) {
        Outcome::SinkTimeout
    } else {
        Outcome::Sink
    }
}
