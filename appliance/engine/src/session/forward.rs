//! Bodies on their way.

use std::future::Future;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::http1::{Body, Framing, write_chunk_size};
use crate::io::{Buffer, Deadline, LARGE, SMALL, Share, Socket};
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

/// Bytes of a body that are copied behind their head: that costs less than sending two pieces.
const COPIED: usize = 4096;

type Timeouts = (Option<Duration>, Option<Duration>);

/// A request's body on its way to the server. What was taken from the client and not sent yet is
/// kept here, so that whoever drops [`Upload::run`] half-way loses nothing.
pub(super) struct Upload {
    pub(super) body: Body,
    /// What came behind the body.
    pub(super) behind: Option<Buffer>,
    /// Bytes of payload that were taken from the client.
    pub(super) payload: u64,
    frame: Frame,
    piece: Option<Piece>,
}

/// One piece of payload that is being sent.
struct Piece {
    buffer: Buffer,
    payload: usize,
    used: usize,
    /// Bytes that have left, of its framing and payload together.
    sent: usize,
}

impl Upload {
    pub(super) fn new(framing: Framing) -> Self {
        let (frame, piece) = (Frame::default(), None);
        Self {
            body: Body::new(framing),
            behind: None,
            payload: 0,
            frame,
            piece,
        }
    }

    /// Whether all of it has left.
    pub(super) fn is_done(&self) -> bool {
        self.piece.is_none() && self.body.is_done()
    }

    /// Goes on until all has left.
    pub(super) async fn run(
        &mut self,
        worker: &Rc<Worker>,
        client: &Stream,
        server: &Socket,
        (client_timeout, server_timeout): Timeouts,
    ) -> Result<(), Outcome> {
        let mut share = Share::default();
        loop {
            share.spend(&worker.reactor).await;
            if let Some(piece) = &mut self.piece {
                piece
                    .send(&self.frame, server, || worker.reactor.after(server_timeout))
                    .await
                    .map_err(sink)?;
            }
            if let Some(mut piece) = self.piece.take() {
                piece.buffer.consume(piece.used);
                self.behind = (!piece.buffer.is_empty()).then_some(piece.buffer);
            }
            if self.body.is_done() {
                return Ok(());
            }
            let size = if self.body.known_left() > 16 * 1024 {
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
            let step = self
                .body
                .read(buffer.data_mut())
                .map_err(|_| Outcome::Broken)?;
            self.payload += step.payload as u64;
            self.frame.set(&self.body, step.payload);
            self.piece = Some(Piece {
                buffer,
                payload: step.payload,
                used: step.used,
                sent: 0,
            });
        }
    }
}

impl Piece {
    async fn send(
        &mut self,
        frame: &Frame,
        server: &Socket,
        deadline: impl Fn() -> Deadline,
    ) -> io::Result<()> {
        let total = frame.size.len() + self.payload + frame.end.len();
        while self.sent < total {
            let mut slices = frame.around(self.buffer.data(), self.payload);
            let mut left = slices.as_mut_slice();
            IoSlice::advance_slices(&mut left, self.sent);
            match server.try_send(left) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    server.writable(deadline()).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A response's head that has not been sent yet: what was written of it, or where it stands.
pub(super) struct Head<'a> {
    pub(super) written: &'a mut Vec<u8>,
    /// So many bytes at the front of the first buffer.
    pub(super) standing: usize,
}

/// Sends the head and the body of a response to the client. Returns whether the server's connection
/// carried nothing else, and may be used again.
pub(super) async fn download(
    worker: &Rc<Worker>,
    server: &Socket,
    client: &Stream,
    body: &mut Body,
    (mut head, mut buffer): (Head<'_>, Buffer),
    (client_timeout, server_timeout): Timeouts,
    logged: &mut u64,
) -> Result<bool, Outcome> {
    let mut frame = Frame::default();
    let mut share = Share::default();
    loop {
        share.spend(&worker.reactor).await;
        let behind_head = buffer.data_mut().get_mut(head.standing..);
        let Ok(step) = body.read(behind_head.unwrap_or_default()) else {
            // What came before was good: the client gets the head, and learns from the close.
            let standing = buffer.data().get(..head.standing).unwrap_or_default();
            let mut slices = [IoSlice::new(head.written), IoSlice::new(standing)];
            let deadline = || worker.reactor.after(client_timeout);
            let _ = client.send(&mut slices, deadline).await;
            return Err(Outcome::Broken);
        };
        *logged += step.payload as u64 + if body.is_done() { body.logged_end() } else { 0 };
        frame.set(body, step.payload);
        let data = buffer.data();
        let (standing, rest) = data.split_at_checked(head.standing).unwrap_or((data, &[]));
        let [size, mut payload, end] = frame.around(rest, step.payload);
        let mut standing = IoSlice::new(standing);
        if size.is_empty() && head.standing > 0 {
            // They adjoin.
            let both = head.standing + step.payload;
            standing = IoSlice::new(data.get(..both).unwrap_or_default());
            payload = IoSlice::new(&[]);
        } else if payload.len() <= COPIED && size.is_empty() && !head.written.is_empty() {
            head.written.extend_from_slice(&payload);
            payload = IoSlice::new(&[]);
        }
        let mut slices = [IoSlice::new(head.written), standing, size, payload, end];
        client
            .send(&mut slices, || worker.reactor.after(client_timeout))
            .await
            .map_err(sink)?;
        buffer.consume(head.standing + step.used);
        head.standing = 0;
        head.written.clear();
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

/// A response and the rest of its request at once. The response's outcome counts; beside it stands
/// how the request ended, if not well.
pub(super) async fn both(
    download: impl Future<Output = Result<bool, Outcome>>,
    upload: impl Future<Output = Result<(), Outcome>>,
) -> Result<(bool, Option<Outcome>), Outcome> {
    let (download, upload) = (std::pin::pin!(download), std::pin::pin!(upload));
    match select(download, upload).await {
        Either::Left((clean, upload)) => Ok((clean?, upload.await.err())),
        Either::Right((uploaded, download)) => Ok((download.await?, uploaded.err())),
    }
}

/// The chunk framing around one piece of payload.
#[derive(Default)]
struct Frame {
    size: Vec<u8>,
    end: Vec<u8>,
}

impl Frame {
    /// Makes the framing for the next `payload` bytes of `body`.
    fn set(&mut self, body: &Body, payload: usize) {
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
    }

    fn around<'a>(&'a self, data: &'a [u8], payload: usize) -> [IoSlice<'a>; 3] {
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
