//! Bytes in both directions: TCP mode, and HTTP connections that were upgraded.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use lanai_model::layer7::Timeouts;
use lanai_traffic::record::Termination;

use crate::io::{Buffer, LARGE, Share, Socket};
use crate::stream::Stream;
use crate::worker::Worker;

/// The two ends.
pub(super) struct Ends<'a> {
    pub(super) client: &'a Stream,
    pub(super) server: &'a Socket,
}

/// How long each end may do nothing, and how long once it is half closed.
pub(super) struct TunnelTimeouts {
    client: Option<Duration>,
    server: Option<Duration>,
    client_fin: Option<Duration>,
    server_fin: Option<Duration>,
}

/// What went through, and how it ended.
pub(super) struct Done {
    pub(super) to_client: u64,
    pub(super) to_server: u64,
    pub(super) termination: Termination,
}

/// `timeout tunnel` replaces those of both sides (HAProxy manual, section 4).
pub(super) fn timeouts(frontend: &Timeouts, backend: &Timeouts) -> TunnelTimeouts {
    let tunnel = backend.tunnel;
    TunnelTimeouts {
        client: tunnel.or(frontend.client),
        server: tunnel.or(backend.server),
        client_fin: frontend.client_fin.or(tunnel).or(frontend.client),
        server_fin: backend.server_fin.or(tunnel).or(backend.server),
    }
}

/// Carries bytes until both ends have closed, one breaks, or one does nothing for too long. An end
/// that closes its direction is passed on; the other direction goes on.
pub(super) async fn run(
    worker: &Rc<Worker>,
    ends: &Ends<'_>,
    (from_client, from_server): (Option<Buffer>, Option<Buffer>),
    timeouts: &TunnelTimeouts,
) -> Done {
    let client = Side::new(worker, timeouts.client);
    let server = Side::new(worker, timeouts.server);
    let (to_client, to_server) = (Cell::new(0), Cell::new(0));
    let (stream, socket) = (End::Stream(ends.client), End::Socket(ends.server));
    let termination = {
        let up = std::pin::pin!(pump(
            worker,
            (&stream, &client),
            (&socket, &server, timeouts.server_fin),
            from_client,
            &to_server,
        ));
        let down = std::pin::pin!(pump(
            worker,
            (&socket, &server),
            (&stream, &client, timeouts.client_fin),
            from_server,
            &to_client,
        ));
        // `who` depends on the direction: what is the source of one is the sink of the other.
        let up_failed = |end| letters(end, b'C', b'S');
        let down_failed = |end| letters(end, b'S', b'C');
        match select(up, down).await {
            Either::Left((Err(end), _)) => up_failed(end),
            Either::Right((Err(end), _)) => down_failed(end),
            Either::Left((Ok(()), down)) => down.await.err().map(down_failed).unwrap_or_default(),
            Either::Right((Ok(()), up)) => up.await.err().map(up_failed).unwrap_or_default(),
        }
    };
    Done {
        to_client: to_client.get(),
        to_server: to_server.get(),
        termination,
    }
}

enum End<'a> {
    Stream(&'a Stream),
    Socket(&'a Socket),
}

/// When an end last did something, in either direction.
struct Side<'a> {
    worker: &'a Worker,
    last_ms: Cell<u64>,
    timeout: Cell<Option<Duration>>,
}

#[derive(Clone, Copy, Debug)]
enum Failed {
    Source { timeout: bool },
    Sink { timeout: bool },
}

impl<'a> Side<'a> {
    fn new(worker: &'a Worker, timeout: Option<Duration>) -> Self {
        Self {
            worker,
            last_ms: Cell::new(worker.now_ms()),
            timeout: Cell::new(timeout),
        }
    }

    fn touch(&self) {
        self.last_ms.set(self.worker.now_ms());
    }

    /// How long it may still do nothing; `None` when that time is over.
    fn left(&self) -> Option<Option<Duration>> {
        let Some(timeout) = self.timeout.get() else {
            return Some(None);
        };
        let quiet = Duration::from_millis(self.worker.now_ms().saturating_sub(self.last_ms.get()));
        timeout
            .checked_sub(quiet)
            .filter(|left| !left.is_zero())
            .map(Some)
    }
}

async fn pump(
    worker: &Rc<Worker>,
    (from, from_side): (&End<'_>, &Side<'_>),
    (to, to_side, fin): (&End<'_>, &Side<'_>, Option<Duration>),
    first: Option<Buffer>,
    count: &Cell<u64>,
) -> Result<(), Failed> {
    let mut next = first;
    let mut share = Share::default();
    loop {
        share.spend(&worker.reactor).await;
        let buffer = match next.take() {
            Some(buffer) => buffer,
            None => receive(worker, from, from_side).await?,
        };
        if buffer.is_empty() {
            to.close_write();
            to_side.timeout.set(fin);
            return Ok(());
        }
        from_side.touch();
        let deadline = || worker.reactor.after(to_side.timeout.get());
        let slices = &mut [IoSlice::new(buffer.data())];
        let sent = match to {
            End::Stream(stream) => stream.send(slices, deadline).await,
            End::Socket(socket) => socket.send(slices, deadline).await,
        };
        sent.map_err(|e| Failed::Sink {
            timeout: is_timeout(&e),
        })?;
        to_side.touch();
        count.set(count.get() + buffer.len() as u64);
    }
}

/// Waits for bytes. The time runs only while the end does nothing in the other direction either.
async fn receive(worker: &Rc<Worker>, from: &End<'_>, side: &Side<'_>) -> Result<Buffer, Failed> {
    loop {
        let Some(left) = side.left() else {
            return Err(Failed::Source { timeout: true });
        };
        let deadline = worker.reactor.after(left);
        let mut receive = pin!(async {
            match from {
                End::Stream(stream) => stream.recv(&worker.buffers, LARGE, deadline).await,
                End::Socket(socket) => socket.recv(&worker.buffers, LARGE, deadline).await,
            }
        });
        // The other direction, which is polled in the same task, changes the timeout when it ends.
        // Receiving is cancel-safe: nothing is lost when the wait begins anew.
        let timeout = side.timeout.get();
        let received = poll_fn(|cx| {
            if side.timeout.get() == timeout {
                receive.as_mut().poll(cx).map(Some)
            } else {
                Poll::Ready(None)
            }
        });
        match received.await {
            None => {}
            Some(Ok(buffer)) => return Ok(buffer),
            Some(Err(error)) if is_timeout(&error) => {}
            Some(Err(_)) => return Err(Failed::Source { timeout: false }),
        }
    }
}

impl End<'_> {
    fn close_write(&self) {
        match self {
            Self::Stream(stream) => stream.close_write(),
            Self::Socket(socket) => socket.shutdown(Shutdown::Write),
        }
    }
}

fn letters(failed: Failed, source: u8, sink: u8) -> Termination {
    let (who, timeout) = match failed {
        Failed::Source { timeout } => (source, timeout),
        Failed::Sink { timeout } => (sink, timeout),
    };
    let who = if timeout {
        who.to_ascii_lowercase()
    } else {
        who
    };
    Termination { who, when: b'D' }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}
