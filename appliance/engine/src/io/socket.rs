//! Stream sockets and listening sockets of a worker.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net;

use super::buffer::{Buffer, BufferPool};
use super::port::Port;
use super::reactor::{Deadline, Direction, Parked, Reactor, Token};
use super::relay::Passage;
use super::waits::Waits;

/// A connected (or connecting) stream socket.
pub(crate) struct Socket {
    // Given up before the descriptor is closed.
    slot: Held,
    fd: OwnedFd,
    registered: Cell<bool>,
    /// A read may succeed without an event: nothing was tried yet, or the last read filled its buffer.
    try_read: Cell<bool>,
    connecting: Cell<bool>,
    // Given back after the descriptor is closed. Few sockets have one: a box takes less room in those
    // that have none.
    port: Option<Box<Port>>,
}

/// A slot of the reactor, until this is dropped.
struct Held {
    reactor: Rc<Reactor>,
    token: Token,
    /// The slot stays behind.
    left: Cell<bool>,
}

impl Held {
    fn new(reactor: &Rc<Reactor>, token: Token) -> Self {
        Self {
            reactor: reactor.clone(),
            token,
            left: Cell::new(false),
        }
    }
}

/// A parked socket that another worker may take over. Its slot stays with the reactor that watches it,
/// until the worker of that one removes it.
#[derive(Debug)]
pub(crate) struct Shelved {
    fd: OwnedFd,
    // Given back after the descriptor is closed.
    port: Option<Box<Port>>,
    token: Token,
    watcher: Arc<OwnedFd>,
}

/// A listening socket. The workers have one each, duplicates of one another.
pub(crate) struct Listener {
    fd: OwnedFd,
    reactor: Rc<Reactor>,
    token: Token,
}

impl Socket {
    /// Takes over a connected, non-blocking descriptor.
    pub(crate) fn new(fd: OwnedFd, reactor: &Rc<Reactor>) -> Self {
        Self {
            slot: Held::new(reactor, reactor.insert()),
            fd,
            registered: Cell::new(false),
            try_read: Cell::new(true),
            connecting: Cell::new(false),
            port: None,
        }
    }

    /// Takes over a non-blocking descriptor whose `connect` is under way.
    pub(crate) fn connecting(fd: OwnedFd, reactor: &Rc<Reactor>) -> Self {
        let socket = Self::new(fd, reactor);
        socket.connecting.set(true);
        socket.try_read.set(false);
        socket
    }

    /// Keeps the port that it is bound to until it is closed.
    pub(crate) fn hold(&mut self, port: Option<Port>) {
        self.port = port.map(Box::new);
    }

    /// Notes that it leads to the server of this number.
    pub(crate) fn leads_to(&self, server: usize) {
        self.slot
            .reactor
            .leads_to(self.slot.token, server, self.fd.as_fd());
    }

    /// Whether the connection is not known to stand yet.
    pub(crate) fn is_connecting(&self) -> bool {
        self.connecting.get()
    }

    /// Waits until the connection stands.
    ///
    /// # Errors
    /// Why it does not; `TimedOut` when the deadline passed.
    pub(crate) async fn established(&self, deadline: Deadline) -> io::Result<()> {
        if self.connecting.get() {
            self.writable(deadline).await?;
            self.check_connected()?;
        }
        Ok(())
    }

    /// Waits for bytes and hands them over; an empty buffer is the end of the stream.
    ///
    /// Cancel-safe: a dropped call has taken nothing.
    pub(crate) async fn recv(
        &self,
        pool: &BufferPool,
        size: usize,
        deadline: Deadline,
    ) -> io::Result<Buffer> {
        let waits = Waits::new(self);
        poll_fn(|cx| waits.poll_recv(cx, pool, size, deadline)).await
    }

    /// Waits for bytes and adds them to `buffer`, which must have room. `Ok(0)` is the end.
    ///
    /// Cancel-safe.
    pub(crate) async fn recv_into(
        &self,
        buffer: &mut Buffer,
        deadline: Deadline,
    ) -> io::Result<usize> {
        let waits = Waits::new(self);
        poll_fn(|cx| waits.poll_recv_into(cx, buffer, deadline)).await
    }

    /// Takes what is there without waiting; `None` when that is nothing.
    pub(crate) fn try_recv_into(&self, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        if self.may_read() {
            self.read_now(buffer)
        } else {
            Ok(None)
        }
    }

    /// Sends all of `slices`. The deadline is for each wait, not for the whole: a peer that goes on
    /// taking bytes is alive.
    pub(crate) async fn send(
        &self,
        mut slices: &mut [IoSlice<'_>],
        deadline: impl Fn() -> Deadline,
    ) -> io::Result<()> {
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match write_now(&self.fd, slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.connecting.set(false);
                    IoSlice::advance_slices(&mut slices, n);
                }
                Err(Errno::AGAIN | Errno::NOTCONN) => {
                    self.writable(deadline()).await?;
                    if self.connecting.get() {
                        self.check_connected()?;
                    }
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends what the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` when that is nothing.
    pub(crate) fn try_send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        rustix::io::retry_on_intr(|| write_now(&self.fd, slices)).map_err(io::Error::from)
    }

    /// Waits until the socket may take more.
    pub(crate) async fn writable(&self, deadline: Deadline) -> io::Result<()> {
        let waits = Waits::new(self);
        poll_fn(|cx| waits.poll_writable(cx, deadline)).await
    }

    /// Closes one direction. A peer that is gone already is no error.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        let how = match how {
            Shutdown::Read => net::Shutdown::Read,
            Shutdown::Write => net::Shutdown::Write,
            Shutdown::Both => net::Shutdown::Both,
        };
        let _ = net::shutdown(&self.fd, how);
    }

    /// Makes closing send a reset and keep no TIME_WAIT state.
    pub(crate) fn no_linger(&self) {
        let _ = net::sockopt::set_socket_linger(&self.fd, Some(std::time::Duration::ZERO));
    }

    /// The address the peer connected to.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        SocketAddr::try_from(net::getsockname(&self.fd).ok()?).ok()
    }

    /// Waits on the reactor alone, with no task and no buffer. Gives the socket back as an error when
    /// something happened to it already.
    pub(crate) fn park(&self, parked: Parked, deadline: Deadline) -> bool {
        if self.try_read.get() || (!self.registered.get() && self.register(false).is_err()) {
            return false;
        }
        self.slot.reactor.park(self.slot.token, parked, deadline)
    }

    /// Parks it where other workers may take it. It is closed when something happened to it already.
    pub(crate) fn shelve(self, parked: Parked, deadline: Deadline) -> Option<Shelved> {
        if !self.park(parked, deadline) {
            return None;
        }
        self.slot.left.set(true);
        Some(Shelved {
            fd: self.fd,
            port: self.port,
            token: self.slot.token,
            watcher: self.slot.reactor.epoll().clone(),
        })
    }

    /// Expects no more bytes before an event: the next wait tries no call first.
    pub(crate) fn expect_quiet(&self) {
        self.try_read.set(false);
    }

    /// Whether there may be something to read: false means that there is nothing.
    pub(crate) fn is_readable(&self) -> bool {
        self.try_read.get()
            || (self.registered.get() && self.slot.reactor.is_readable(self.slot.token))
    }

    pub(super) fn may_read(&self) -> bool {
        // Both are asked: the event is used up by the call that follows.
        let event = self.registered.get()
            && self
                .slot
                .reactor
                .take_ready(self.slot.token, Direction::Read);
        event || self.try_read.get()
    }

    pub(super) fn read_now(&self, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        loop {
            let room = buffer.spare();
            let size = room.len();
            match net::recv(&self.fd, room, net::RecvFlags::empty()) {
                Ok((0, _)) if self.slot.reactor.is_cut(self.slot.token) => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Ok((n, _)) => {
                    // A short read has emptied the socket: what comes later raises an event.
                    self.try_read.set(n == size);
                    buffer.filled(n);
                    return Ok(Some(n));
                }
                Err(Errno::AGAIN) => {
                    self.try_read.set(false);
                    return Ok(None);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for an event, which is used up then. To be called through [`Waits`].
    pub(super) fn poll_ready(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        deadline: Deadline,
    ) -> Poll<io::Result<()>> {
        let reactor = &self.slot.reactor;
        let output = direction == Direction::Write;
        if !self.registered.get() {
            self.register(output)?;
        } else if output {
            reactor.want_output(self.fd.as_fd(), self.slot.token)?;
        }
        reactor.poll_ready(self.slot.token, direction, deadline, cx.waker())
    }

    /// Whether somebody waits, and nothing happened yet.
    pub(super) fn is_awaited(&self, direction: Direction) -> bool {
        self.slot.reactor.is_awaited(self.slot.token, direction)
    }

    /// Sends what comes on by itself, or no longer: see [`super::Relay`].
    pub(super) fn relay(&self, passage: Option<Rc<Passage>>) {
        self.slot.reactor.relay(self.slot.token, passage);
    }

    /// Gives up a wait.
    pub(super) fn forget(&self, direction: Direction) {
        self.slot.reactor.forget(self.slot.token, direction);
    }

    fn register(&self, output: bool) -> io::Result<()> {
        self.slot
            .reactor
            .register(self.fd.as_fd(), self.slot.token, output)?;
        self.registered.set(true);
        Ok(())
    }

    fn check_connected(&self) -> io::Result<()> {
        // What failed ends, and says so with the event that was waited for.
        if self.slot.reactor.has_ended(self.slot.token) {
            net::sockopt::socket_error(&self.fd)?.map_err(io::Error::from)?;
        }
        self.connecting.set(false);
        Ok(())
    }
}

/// Sends what the socket takes now. One piece is cheaper to send than a list of one.
fn write_now(fd: &OwnedFd, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    match only(slices) {
        Some(one) => net::send(fd, one, net::SendFlags::NOSIGNAL),
        None => rustix::io::writev(fd, slices),
    }
}

/// The one piece that is not empty, if there is no other.
pub(crate) fn only<'a>(slices: &'a [IoSlice<'_>]) -> Option<&'a [u8]> {
    let mut pieces = slices.iter().filter(|slice| !slice.is_empty());
    pieces
        .next()
        .filter(|_| pieces.next().is_none())
        .map(|one| &**one)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Shelved {
    /// Its slot in the reactor that watches it.
    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Takes it into use on the worker that parked it.
    pub(crate) fn take_back(self, reactor: &Rc<Reactor>) -> Socket {
        reactor.unpark(self.token);
        Socket {
            slot: Held::new(reactor, self.token),
            fd: self.fd,
            registered: Cell::new(true),
            try_read: Cell::new(false),
            connecting: Cell::new(false),
            port: self.port,
        }
    }

    /// Ends that its worker hears of it; to be called before it does so.
    pub(crate) fn unwatch(&self) {
        // It fails only for a descriptor that is not watched, which is what is wanted.
        let _ = epoll::delete(&self.watcher, &self.fd);
    }

    /// Takes it into use on another worker, after [`Shelved::unwatch`]. `None` when the peer has
    /// closed it or sent something: its worker had no time to see that.
    pub(crate) fn take_over(self, reactor: &Rc<Reactor>) -> Option<Socket> {
        let mut byte = [0_u8; 1];
        let flags = net::RecvFlags::PEEK | net::RecvFlags::DONTWAIT;
        if !matches!(net::recv(&self.fd, &mut byte, flags), Err(Errno::AGAIN)) {
            return None;
        }
        let mut socket = Socket::new(self.fd, reactor);
        socket.port = self.port;
        socket.expect_quiet();
        Some(socket)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.left.get() {
            self.reactor.remove(self.token);
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({:?})", self.fd)
    }
}

impl Listener {
    /// Registers a listening, non-blocking descriptor; its events come as `parked`.
    pub(crate) fn new(fd: OwnedFd, reactor: &Rc<Reactor>, parked: Parked) -> io::Result<Self> {
        let token = reactor.insert();
        let listener = Self {
            fd,
            reactor: reactor.clone(),
            token,
        };
        reactor.park(token, parked, Deadline::NONE);
        reactor.register_listener(listener.fd.as_fd(), token)?;
        Ok(listener)
    }

    /// Takes the next connection; `None` when none waits.
    pub(crate) fn accept(&self) -> io::Result<Option<(OwnedFd, Option<SocketAddr>)>> {
        let flags = net::SocketFlags::NONBLOCK | net::SocketFlags::CLOEXEC;
        loop {
            match net::acceptfrom_with(&self.fd, flags) {
                Ok((fd, address)) => {
                    return Ok(Some((fd, address.and_then(|a| a.try_into().ok()))));
                }
                Err(Errno::AGAIN) => return Ok(None),
                // The connection died in the queue (accept(2)): there may be another behind it.
                Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reactor.deregister(self.fd.as_fd());
        self.reactor.remove(self.token);
    }
}
