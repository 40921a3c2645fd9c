//! What a task waits for on a socket.

use std::cell::Cell;
use std::io;
use std::task::{Context, Poll, ready};

use super::buffer::{Buffer, BufferPool};
use super::reactor::{Deadline, Direction};
use super::socket::Socket;

/// A task's waits on one socket, to be polled. When this is dropped, a wait that was not over leaves
/// no deadline behind.
pub(crate) struct Waits<'a> {
    socket: &'a Socket,
    read: Cell<bool>,
    write: Cell<bool>,
}

impl<'a> Waits<'a> {
    pub(crate) fn new(socket: &'a Socket) -> Self {
        let (read, write) = (Cell::new(false), Cell::new(false));
        Self {
            socket,
            read,
            write,
        }
    }

    /// As [`Socket::recv`].
    pub(crate) fn poll_recv(
        &self,
        cx: &Context<'_>,
        pool: &BufferPool,
        size: usize,
        deadline: Deadline,
    ) -> Poll<io::Result<Buffer>> {
        let mut may_read = self.may_read();
        loop {
            if may_read {
                let mut buffer = pool.take(size);
                if self.socket.read_now(&mut buffer)?.is_some() {
                    return Poll::Ready(Ok(buffer));
                }
            }
            ready!(self.poll(cx, Direction::Read, deadline))?;
            may_read = true;
        }
    }

    /// As [`Socket::recv_into`].
    pub(crate) fn poll_recv_into(
        &self,
        cx: &Context<'_>,
        buffer: &mut Buffer,
        deadline: Deadline,
    ) -> Poll<io::Result<usize>> {
        let mut may_read = self.may_read();
        loop {
            if may_read && let Some(n) = self.socket.read_now(buffer)? {
                return Poll::Ready(Ok(n));
            }
            ready!(self.poll(cx, Direction::Read, deadline))?;
            may_read = true;
        }
    }

    /// Sends all of `buffer`, which holds what has not left yet. The deadline is for each wait.
    pub(crate) fn poll_send(
        &self,
        cx: &Context<'_>,
        buffer: &mut Buffer,
        deadline: impl Fn() -> Deadline,
    ) -> Poll<io::Result<()>> {
        while !buffer.is_empty() {
            match self.socket.try_send(&[io::IoSlice::new(buffer.data())]) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(n) => buffer.consume(n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.poll_writable(cx, deadline()))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.sent();
        Poll::Ready(Ok(()))
    }

    /// As [`Socket::writable`].
    pub(crate) fn poll_writable(
        &self,
        cx: &Context<'_>,
        deadline: Deadline,
    ) -> Poll<io::Result<()>> {
        self.poll(cx, Direction::Write, deadline)
    }

    /// All was sent, perhaps with no need to wait on: another wait for the same may have seen its end.
    pub(crate) fn sent(&self) {
        if self.write.take() {
            self.socket.forget(Direction::Write);
        }
    }

    /// Whether what is waited for did not happen yet: who polls again learns nothing.
    pub(crate) fn is_pending(&self) -> bool {
        let awaited = |direction| self.socket.is_awaited(direction);
        (self.read.get() && awaited(Direction::Read))
            || (self.write.get() && awaited(Direction::Write))
    }

    /// Whether to read before a wait; one that was begun is to end first.
    fn may_read(&self) -> bool {
        !self.read.get() && self.socket.may_read()
    }

    fn poll(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        deadline: Deadline,
    ) -> Poll<io::Result<()>> {
        let outcome = self.socket.poll_ready(cx, direction, deadline);
        let waits = match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        };
        waits.set(outcome.is_pending());
        outcome
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if self.read.get() {
            self.socket.forget(Direction::Read);
        }
        if self.write.get() {
            self.socket.forget(Direction::Write);
        }
    }
}
