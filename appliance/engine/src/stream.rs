//! A peer's byte stream, in the clear or under TLS: TLS is a property of the listener, and nobody
//! behind this file knows of it.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use crate::io::{Buffer, BufferPool, Deadline, Parked, Socket, Waits};
use crate::tls::TlsStream;

pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    pub(crate) fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.socket(),
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether a TLS handshake is not done yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.is_handshaking())
    }

    /// Waits for bytes and hands them over in a buffer of `size`; an empty one is the end.
    pub(crate) async fn recv(
        &self,
        pool: &BufferPool,
        size: usize,
        deadline: Deadline,
    ) -> io::Result<Buffer> {
        match self {
            Self::Plain(socket) => socket.recv(pool, size, deadline).await,
            Self::Tls(tls) => {
                let mut buffer = pool.take(size);
                tls.recv_into(pool, &mut buffer, deadline).await?;
                Ok(buffer)
            }
        }
    }

    /// Waits for bytes and adds them to `buffer`. `Ok(0)` is the end.
    pub(crate) async fn recv_into(
        &self,
        pool: &BufferPool,
        buffer: &mut Buffer,
        deadline: Deadline,
    ) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.recv_into(buffer, deadline).await,
            Self::Tls(tls) => tls.recv_into(pool, buffer, deadline).await,
        }
    }

    /// Whether there may be something to receive: false means that there is nothing.
    pub(crate) fn is_readable(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_readable(),
            Self::Tls(tls) => tls.is_readable(),
        }
    }

    /// Takes what is there without waiting; `None` when that is nothing.
    pub(crate) fn try_recv_into(
        &self,
        pool: &BufferPool,
        buffer: &mut Buffer,
    ) -> io::Result<Option<usize>> {
        match self {
            Self::Plain(socket) => socket.try_recv_into(buffer),
            Self::Tls(tls) => tls.try_recv_into(pool, buffer),
        }
    }

    /// Sends all of `slices`; the deadline is for each wait.
    pub(crate) async fn send(
        &self,
        slices: &mut [IoSlice<'_>],
        deadline: impl Fn() -> Deadline,
    ) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.send(slices, deadline).await,
            Self::Tls(tls) => tls.send(slices, deadline).await,
        }
    }

    /// As [`Stream::recv`], to be polled, with waits on the stream's own socket.
    pub(crate) fn poll_recv(
        &self,
        cx: &Context<'_>,
        waits: &Waits<'_>,
        pool: &BufferPool,
        size: usize,
        deadline: Deadline,
    ) -> Poll<io::Result<Buffer>> {
        match self {
            Self::Plain(_) => waits.poll_recv(cx, pool, size, deadline),
            Self::Tls(tls) => {
                let mut buffer = pool.take(size);
                ready!(tls.poll_recv_into(cx, waits, pool, &mut buffer, deadline))?;
                Poll::Ready(Ok(buffer))
            }
        }
    }

    /// Sends all of `buffer`, which holds what has not left yet; the deadline is for each wait.
    pub(crate) fn poll_send(
        &self,
        cx: &Context<'_>,
        waits: &Waits<'_>,
        buffer: &mut Buffer,
        deadline: impl Fn() -> Deadline,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => waits.poll_send(cx, buffer, deadline),
            Self::Tls(tls) => tls.poll_send(cx, waits, buffer, deadline),
        }
    }

    /// Says under TLS that no more comes: without it a client must take a body without a length for
    /// cut off (RFC 8446, section 6.1).
    pub(crate) fn notify_close(&self) {
        if let Self::Tls(tls) = self {
            tls.notify_close();
        }
    }

    /// Says that no more comes from here.
    pub(crate) fn close_write(&self) {
        self.notify_close();
        self.socket().shutdown(Shutdown::Write);
    }

    /// Waits on the reactor alone. False when something is there to be read already.
    pub(crate) fn park(&self, parked: Parked, deadline: Deadline) -> bool {
        match self {
            Self::Plain(socket) => socket.park(parked, deadline),
            Self::Tls(tls) => tls.park(parked, deadline),
        }
    }
}
