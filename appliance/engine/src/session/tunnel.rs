//! Bytes in both directions: TCP mode, and HTTP connections that were upgraded.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lanai_model::layer7::Timeouts;
use lanai_traffic::record::Termination;

use crate::io::{Buffer, Deadline, LARGE, Relay, Share, Socket, Waits};
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
/// that closes its direction is passed on; the other direction goes on. Both sockets are to be closed
/// afterwards, which is what tells the end that closed first that the other one has.
pub(super) async fn run(
    worker: &Rc<Worker>,
    ends: &Ends<'_>,
    (from_client, from_server): (Option<Buffer>, Option<Buffer>),
    timeouts: &TunnelTimeouts,
) -> Done {
    let passed_ms = Rc::new(Cell::new(0));
    let client = Side::new(worker, &passed_ms, timeouts.client, timeouts.client_fin);
    let server = Side::new(worker, &passed_ms, timeouts.server, timeouts.server_fin);
    let (stream, socket) = (End::Stream(ends.client), End::Socket(ends.server));
    let relay = |from, to| {
        // What is encrypted goes through its task.
        let plain = !ends.client.is_tls();
        plain.then(|| Relay::new(from, to, &worker.buffers, &passed_ms))
    };
    let one_ended = Cell::new(false);
    let pump = |from, to, first| Pump::new(from, to, first, &one_ended);
    let mut up = pump((&stream, &client), (&socket, &server), from_client);
    let mut down = pump((&socket, &server), (&stream, &client), from_server);
    up.relay = relay(stream.socket(), socket.socket());
    down.relay = relay(socket.socket(), stream.socket());
    let termination = poll_fn(|cx| {
        // Both are asked before one goes on: they may wait for the same.
        let (up_waits, down_waits) = (up.waits(), down.waits());
        let (up_ended, down_ended) = (up.ended, down.ended);
        // `who` depends on the direction: what is the source of one is the sink of the other.
        if !up_waits && let Poll::Ready(Err(end)) = up.poll(cx) {
            return Poll::Ready(letters(end, b'C', b'S'));
        }
        // A direction that ends changes the other one's timeout.
        if (!down_waits || up.ended != up_ended)
            && let Poll::Ready(Err(end)) = down.poll(cx)
        {
            return Poll::Ready(letters(end, b'S', b'C'));
        }
        if down.ended != down_ended
            && let Poll::Ready(Err(end)) = up.poll(cx)
        {
            return Poll::Ready(letters(end, b'C', b'S'));
        }
        if up.ended && down.ended {
            return Poll::Ready(Termination::default());
        }
        Poll::Pending
    })
    .await;
    Done {
        to_client: down.count(),
        to_server: up.count(),
        termination,
    }
}

enum End<'a> {
    Stream(&'a Stream),
    Socket(&'a Socket),
}

/// When an end last did something, in either direction, and how long it may do nothing: all in
/// milliseconds.
struct Side<'a> {
    worker: &'a Worker,
    last_ms: Cell<u64>,
    /// When bytes last went from one end to the other without the task.
    passed_ms: &'a Cell<u64>,
    timeout: Cell<u64>,
    /// The timeout once nothing more is sent to it.
    fin: u64,
}

#[derive(Clone, Copy, Debug)]
enum Failed {
    Source { timeout: bool },
    Sink { timeout: bool },
}

impl<'a> Side<'a> {
    fn new(
        worker: &'a Worker,
        passed_ms: &'a Cell<u64>,
        timeout: Option<Duration>,
        fin: Option<Duration>,
    ) -> Self {
        let ms = |timeout: Duration| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        Self {
            worker,
            last_ms: Cell::new(worker.now_ms()),
            passed_ms,
            timeout: Cell::new(timeout.map_or(u64::MAX, ms)),
            fin: fin.map_or(u64::MAX, ms),
        }
    }

    fn touch(&self) {
        self.last_ms.set(self.worker.now_ms());
    }

    /// Until when it may do nothing; `None` when that is over.
    fn deadline(&self) -> Option<Deadline> {
        let last_ms = self.last_ms.get().max(self.passed_ms.get());
        let at = last_ms.saturating_add(self.timeout.get());
        (at > self.worker.now_ms()).then(|| Deadline::at_ms(at))
    }

    /// Until when it may go on doing nothing.
    fn deadline_from_now(&self) -> Deadline {
        Deadline::at_ms(self.worker.now_ms().saturating_add(self.timeout.get()))
    }
}

/// One direction. It is polled by hand, and only when what it waits for has come: most of what a
/// tunnel costs beside the kernel would else be the other direction's.
struct Pump<'a> {
    from: &'a End<'a>,
    from_side: &'a Side<'a>,
    from_waits: Waits<'a>,
    to: &'a End<'a>,
    to_side: &'a Side<'a>,
    to_waits: Waits<'a>,
    /// What comes while the pump waits for it goes on by itself.
    relay: Option<Relay<'a>>,
    share: Share,
    /// What has not been sent yet, and its bytes when it was whole.
    piece: Option<(Buffer, usize)>,
    /// Bytes that were sent, but for those that went on by themselves.
    count: u64,
    /// The end it takes bytes from has closed, and the other one was told, or is about to be closed.
    ended: bool,
    /// One of the two directions has ended.
    one_ended: &'a Cell<bool>,
}

impl<'a> Pump<'a> {
    fn new(
        (from, from_side): (&'a End<'a>, &'a Side<'a>),
        (to, to_side): (&'a End<'a>, &'a Side<'a>),
        first: Option<Buffer>,
        one_ended: &'a Cell<bool>,
    ) -> Self {
        if first.is_some() {
            from_side.touch();
        }
        Self {
            from,
            from_side,
            from_waits: Waits::new(from.socket()),
            to,
            to_side,
            to_waits: Waits::new(to.socket()),
            relay: None,
            share: Share::default(),
            piece: first.map(with_length),
            count: 0,
            ended: false,
            one_ended,
        }
    }

    /// Bytes that were sent.
    fn count(&self) -> u64 {
        self.count + self.relay.as_ref().map_or(0, Relay::count)
    }

    /// Whether it would learn nothing when polled.
    fn waits(&self) -> bool {
        self.from_waits.is_pending() || self.to_waits.is_pending()
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), Failed>> {
        let worker = self.from_side.worker;
        if let Some(relay) = &self.relay {
            if let Some(rest) = relay.take_rest() {
                self.piece = Some(with_length(rest));
            } else if relay.is_broken() {
                return Poll::Ready(Err(Failed::Source { timeout: false }));
            }
        }
        while !self.ended {
            let (buffer, whole) = match &mut self.piece {
                Some(piece) => piece,
                None => {
                    let buffer = ready!(self.poll_receive(cx))?;
                    if buffer.is_empty() {
                        if self.one_ended.replace(true) {
                            // It has said all it had to say, and closing it says the same as this would.
                            self.to.notify_close();
                        } else {
                            self.to.close_write();
                        }
                        self.to_side.timeout.set(self.to_side.fin);
                        self.ended = true;
                        break;
                    }
                    self.from_side.touch();
                    self.piece.insert(with_length(buffer))
                }
            };
            let deadline = || self.to_side.deadline_from_now();
            let sent = match self.to {
                End::Stream(stream) => stream.poll_send(cx, &self.to_waits, buffer, deadline),
                End::Socket(_) => self.to_waits.poll_send(cx, buffer, deadline),
            };
            ready!(sent).map_err(|e| Failed::Sink {
                timeout: is_timeout(&e),
            })?;
            self.to_side.touch();
            self.count += *whole as u64;
            self.piece = None;
            ready!(self.share.poll_spend(cx, &worker.reactor));
        }
        Poll::Ready(Ok(()))
    }

    /// Waits for bytes. The time runs only while the end does nothing in the other direction either.
    fn poll_receive(&self, cx: &Context<'_>) -> Poll<Result<Buffer, Failed>> {
        let worker = self.from_side.worker;
        loop {
            let Some(deadline) = self.from_side.deadline() else {
                return Poll::Ready(Err(Failed::Source { timeout: true }));
            };
            let waits = &self.from_waits;
            let received = match self.from {
                End::Stream(s) => s.poll_recv(cx, waits, &worker.buffers, LARGE, deadline),
                End::Socket(_) => waits.poll_recv(cx, &worker.buffers, LARGE, deadline),
            };
            match ready!(received) {
                Ok(buffer) => return Poll::Ready(Ok(buffer)),
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Poll::Ready(Err(Failed::Source { timeout: false })),
            }
        }
    }
}

fn with_length(buffer: Buffer) -> (Buffer, usize) {
    let length = buffer.len();
    (buffer, length)
}

impl End<'_> {
    fn socket(&self) -> &Socket {
        match self {
            Self::Stream(stream) => stream.socket(),
            Self::Socket(socket) => socket,
        }
    }

    fn notify_close(&self) {
        if let Self::Stream(stream) = self {
            stream.notify_close();
        }
    }

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
