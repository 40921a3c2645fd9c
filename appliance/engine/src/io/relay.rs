//! Bytes that go from one socket to another without a task.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;

use rustix::io::Errno;
use rustix::net;

use super::buffer::{Buffer, BufferPool, LARGE};
use super::socket::Socket;

/// While this is there, what comes in on a socket that a task waits to read from is sent on to another
/// one as soon as the reactor hears of it. The task is woken when there is more to it than that: the
/// end, an error, a full buffer, or a sink that does not take it all.
///
/// Most of what a tunnel costs beside the kernel would else be the way to its task.
pub(crate) struct Relay<'a> {
    from: &'a Socket,
    passage: Rc<Passage>,
    // Its descriptor is used until this is dropped.
    _to: &'a Socket,
}

/// The reactor's half of a [`Relay`].
pub(super) struct Passage {
    from: RawFd,
    to: RawFd,
    pool: BufferPool,
    /// When bytes were last sent on, in milliseconds of the reactor's clock.
    passed_ms: Rc<Cell<u64>>,
    /// Bytes that were sent on.
    count: Cell<u64>,
    /// What was taken from the source and not by the sink.
    rest: RefCell<Option<Buffer>>,
    /// The source broke, which it tells only once.
    broken: Cell<bool>,
}

impl<'a> Relay<'a> {
    /// `passed_ms` is when bytes were last sent on by it or by another that shares the cell.
    pub(crate) fn new(
        from: &'a Socket,
        to: &'a Socket,
        pool: &BufferPool,
        passed_ms: &Rc<Cell<u64>>,
    ) -> Self {
        let passage = Rc::new(Passage {
            from: from.as_fd().as_raw_fd(),
            to: to.as_fd().as_raw_fd(),
            pool: pool.clone(),
            passed_ms: passed_ms.clone(),
            count: Cell::new(0),
            rest: RefCell::new(None),
            broken: Cell::new(false),
        });
        from.relay(Some(passage.clone()));
        Self {
            from,
            passage,
            _to: to,
        }
    }

    /// Bytes that it has sent on.
    pub(crate) fn count(&self) -> u64 {
        self.passage.count.get()
    }

    /// What it took and could not send: that is to be sent before anything else.
    pub(crate) fn take_rest(&self) -> Option<Buffer> {
        self.passage.rest.take()
    }

    /// Whether reading failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.passage.broken.get()
    }
}

impl Drop for Relay<'_> {
    fn drop(&mut self) {
        self.from.relay(None);
    }
}

impl fmt::Debug for Relay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({} to {})", self.passage.from, self.passage.to)
    }
}

impl Passage {
    /// Sends on what the source has. False when its task must see to it.
    pub(super) fn pass(&self, now_ms: u64) -> bool {
        // SAFETY: a slot holds a passage only while its relay lives, which borrows both sockets: the
        // number is still that socket's.
        let from = unsafe { BorrowedFd::borrow_raw(self.from) };
        // SAFETY: as above.
        let to = unsafe { BorrowedFd::borrow_raw(self.to) };
        let mut buffer = self.pool.take(LARGE);
        let room = buffer.spare();
        let size = room.len();
        match net::recv(from, room, net::RecvFlags::empty()) {
            // The end is told as often as one asks.
            Ok((0, _)) => return false,
            Ok((n, _)) => buffer.filled(n),
            Err(Errno::AGAIN | Errno::INTR) => return false,
            Err(_) => {
                self.broken.set(true);
                return false;
            }
        }
        self.passed_ms.set(now_ms);
        // What is wrong with the sink shows when its task tries it.
        let sent = net::send(to, buffer.data(), net::SendFlags::NOSIGNAL).unwrap_or(0);
        // A short read has emptied the socket: what comes later raises an event.
        let emptied = buffer.len() < size;
        self.count.set(self.count.get() + sent as u64);
        buffer.consume(sent);
        if buffer.is_empty() {
            return emptied;
        }
        self.rest.replace(Some(buffer));
        false
    }
}
