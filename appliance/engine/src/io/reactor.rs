//! One epoll and one timer wheel for all sockets of a worker.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use slab::Slab;

use super::bell::Bell;
use super::relay::Passage;
use super::wheel::Wheel;

/// A point in time on a worker's clock, in milliseconds since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(u64);

impl Deadline {
    /// Never.
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// So many milliseconds after the worker started.
    pub(crate) fn at_ms(ms: u64) -> Self {
        Self(ms)
    }
}

/// What a parked socket is, to whoever parked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// An idle client connection: its key in the worker's table.
    Client(usize),
    /// An idle server connection: its key in the worker's pool.
    Server(usize),
    /// A listening socket: its key in the worker's table.
    Listener(usize),
}

/// Which way a socket is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

/// Names a slot. The generation tells a new socket from a closed one that had the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    index: u32,
    generation: u32,
}

pub(crate) struct Reactor {
    epoll: Arc<OwnedFd>,
    slots: RefCell<Slab<Slot>>,
    wheel: RefCell<Wheel<Token>>,
    generation: Cell<u32>,
    started: Instant,
    now_ms: Cell<u64>,
    events: RefCell<Vec<epoll::Event>>,
    due: RefCell<Vec<Token>>,
    bell: Arc<Bell>,
    /// Who lets others go first, once.
    pub(super) yielding: RefCell<Vec<Waker>>,
    /// Times events were taken.
    pub(super) turns: Cell<u64>,
}

struct Slot {
    generation: u32,
    /// A call may succeed: true until one would block, and again after an event.
    readable: bool,
    writable: bool,
    /// The peer has shut down or the connection broke: reading will not block any more. Kept, since
    /// an edge is told only once.
    ended: bool,
    /// Output events were asked for too.
    with_output: bool,
    parked: Option<Parked>,
    /// The server this connection leads to, by its number, and the connection's descriptor.
    server: Option<(usize, RawFd)>,
    /// It was cut by command: its end is no end of what was sent.
    cut: bool,
    /// Where bytes may go without the task that waits for them.
    relay: Option<Rc<Passage>>,
    read: Side,
    write: Side,
    /// When the wheel will look at this slot; `u64::MAX` when it holds no entry.
    armed: u64,
}

struct Side {
    waker: Option<Waker>,
    deadline: Deadline,
    expired: bool,
}

impl Side {
    const IDLE: Self = Self {
        waker: None,
        deadline: Deadline::NONE,
        expired: false,
    };

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn expire(&mut self, now_ms: u64) {
        if self.deadline.0 <= now_ms {
            self.deadline = Deadline::NONE;
            self.expired = true;
            self.wake();
        }
    }
}

impl Slot {
    /// Whether what came was sent on, and its task has nothing to do.
    fn passes_on(&self, now_ms: u64) -> bool {
        // What nobody waits for comes after something that its task has not seen to yet.
        self.relay
            .as_ref()
            .is_some_and(|r| !self.ended && self.read.waker.is_some() && r.pass(now_ms))
    }

    fn next_deadline(&self) -> u64 {
        self.read.deadline.0.min(self.write.deadline.0)
    }
}

/// Events taken from the kernel at once.
const BATCH: usize = 256;

impl Reactor {
    /// A reactor that `bell` wakes, for the thread that makes it.
    pub(crate) fn new(bell: Arc<Bell>) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, bell.hear(), Token::BELL.data(), flags)?;
        Ok(Self {
            epoll: Arc::new(epoll),
            slots: RefCell::default(),
            wheel: RefCell::new(Wheel::new()),
            generation: Cell::new(0),
            started: Instant::now(),
            now_ms: Cell::new(0),
            events: RefCell::new(Vec::with_capacity(BATCH)),
            due: RefCell::default(),
            bell,
            yielding: RefCell::default(),
            turns: Cell::new(0),
        })
    }

    /// What wakes a worker that sleeps in [`Reactor::wait`].
    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// `timeout` from now; `None` is never.
    pub(crate) fn after(&self, timeout: Option<Duration>) -> Deadline {
        timeout.map_or(Deadline::NONE, |t| {
            let ms = u64::try_from(t.as_millis()).unwrap_or(u64::MAX);
            Deadline(self.now_ms.get().saturating_add(ms))
        })
    }

    /// Milliseconds since the worker started, as of the last [`Reactor::tick`].
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    /// Reads the clock.
    pub(crate) fn tick(&self) {
        let ms = self.started.elapsed().as_millis();
        self.now_ms.set(u64::try_from(ms).unwrap_or(u64::MAX));
    }

    /// How long the worker may sleep, for all that this knows: until a deadline may pass.
    pub(crate) fn may_sleep(&self) -> Option<Duration> {
        if !self.yielding.borrow().is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.wheel.borrow_mut().next_ms()?;
        Some(Duration::from_millis(
            next.saturating_sub(self.now_ms.get()),
        ))
    }

    /// Blocks the thread until the kernel has events, the bell rings, or `timeout` passes.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: t.subsec_nanos().into(),
        });
        let mut events = self.events.borrow_mut();
        events.clear();
        let spare = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Wakes who waits for the events that [`Reactor::wait`] took. Parked sockets that have one are no
    /// longer parked and are added to `ready`.
    pub(crate) fn dispatch(&self, ready: &mut Vec<Parked>) {
        self.turns.set(self.turns.get().wrapping_add(1));
        for waker in self.yielding.borrow_mut().drain(..) {
            waker.wake();
        }
        let now_ms = self.now_ms.get();
        let events = self.events.borrow();
        let mut slots = self.slots.borrow_mut();
        for event in events.iter() {
            let token = Token::from_u64(event.data.u64());
            let Some(slot) = slots.get_mut(token.index as usize) else {
                continue;
            };
            if slot.generation != token.generation {
                continue;
            }
            let flags = event.flags;
            let broken = epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            let ended = epoll::EventFlags::RDHUP | broken;
            slot.ended |= flags.intersects(ended);
            if flags.intersects(epoll::EventFlags::IN | ended) && !slot.passes_on(now_ms) {
                slot.readable = true;
                slot.read.wake();
                if let Some(parked) = slot.parked {
                    if !matches!(parked, Parked::Listener(_)) {
                        slot.parked = None;
                        slot.read.deadline = Deadline::NONE;
                    }
                    ready.push(parked);
                }
            }
            if flags.intersects(epoll::EventFlags::OUT | broken) {
                slot.writable = true;
                slot.write.wake();
            }
        }
    }

    /// Wakes whose deadline has passed; parked ones are no longer parked and are added to `expired`.
    pub(crate) fn expire(&self, expired: &mut Vec<Parked>) {
        let now = self.now_ms.get();
        let mut due = self.due.borrow_mut();
        due.clear();
        self.wheel.borrow_mut().expire(now, &mut due);
        let mut slots = self.slots.borrow_mut();
        for &token in due.iter() {
            let Some(slot) = slots.get_mut(token.index as usize) else {
                continue;
            };
            // A later entry took this one's place, or another socket did.
            if slot.generation != token.generation || slot.armed > now {
                continue;
            }
            slot.armed = u64::MAX;
            if slot.next_deadline() <= now {
                slot.read.expire(now);
                slot.write.expire(now);
                if slot.read.expired
                    && let Some(parked) = slot.parked.take()
                {
                    slot.read.expired = false;
                    expired.push(parked);
                }
            }
            self.arm(slot, token);
        }
    }

    /// Gives a socket its slot. It is not registered with the kernel yet.
    pub(super) fn insert(&self) -> Token {
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let index = self.slots.borrow_mut().insert(Slot {
            generation,
            readable: false,
            writable: false,
            ended: false,
            with_output: false,
            parked: None,
            server: None,
            cut: false,
            relay: None,
            read: Side::IDLE,
            write: Side::IDLE,
            armed: u64::MAX,
        });
        Token {
            index: u32::try_from(index).expect("descriptors fit in 32 bits"),
            generation,
        }
    }

    /// Registers a descriptor with the kernel, edge-triggered. What is ready already counts as an
    /// event.
    pub(super) fn register(
        &self,
        fd: BorrowedFd<'_>,
        token: Token,
        output: bool,
    ) -> io::Result<()> {
        let mut flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        if output {
            flags |= epoll::EventFlags::OUT;
            self.with(token, |slot| slot.with_output = true);
        }
        epoll::add(&self.epoll, fd, token.data(), flags)?;
        Ok(())
    }

    /// Registers a listening socket that other workers share: a connection wakes one of them.
    pub(super) fn register_listener(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET | epoll::EventFlags::EXCLUSIVE;
        epoll::add(&self.epoll, fd, token.data(), flags)?;
        Ok(())
    }

    /// The kernel's half of it, for another thread that takes over a parked socket.
    pub(super) fn epoll(&self) -> &Arc<OwnedFd> {
        &self.epoll
    }

    /// Takes a shared descriptor out; closing it would not, while another process or thread has it.
    pub(super) fn deregister(&self, fd: BorrowedFd<'_>) {
        // It fails only for a descriptor that is not registered, which is what is wanted.
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Asks for output events too, when a call would block for the first time.
    pub(super) fn want_output(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        if self.with(token, |slot| std::mem::replace(&mut slot.with_output, true)) == Some(false) {
            let flags = epoll::EventFlags::IN
                | epoll::EventFlags::OUT
                | epoll::EventFlags::RDHUP
                | epoll::EventFlags::ET;
            epoll::modify(&self.epoll, fd, token.data(), flags)?;
        }
        Ok(())
    }

    pub(crate) fn remove(&self, token: Token) {
        let mut slots = self.slots.borrow_mut();
        if slots
            .get(token.index as usize)
            .is_some_and(|s| s.generation == token.generation)
        {
            slots.remove(token.index as usize);
        }
    }

    /// Takes the answer to "may a call succeed?", leaving no.
    pub(super) fn take_ready(&self, token: Token, direction: Direction) -> bool {
        self.with(token, |slot| {
            let ready = match direction {
                Direction::Read => &mut slot.readable,
                Direction::Write => &mut slot.writable,
            };
            std::mem::take(ready) || (slot.ended && direction == Direction::Read)
        })
        .unwrap_or(true)
    }

    /// The answer to "may reading succeed?", which stands as it is.
    pub(super) fn is_readable(&self, token: Token) -> bool {
        self.with(token, |slot| slot.readable || slot.ended)
            .unwrap_or(true)
    }

    /// Whether the peer has closed its direction, or the connection broke or never stood.
    pub(super) fn has_ended(&self, token: Token) -> bool {
        self.with(token, |slot| slot.ended).unwrap_or(true)
    }

    /// Waits for an event or the deadline, whichever is first. The event is used up, as by
    /// [`Reactor::take_ready`].
    pub(super) fn poll_ready(
        &self,
        token: Token,
        direction: Direction,
        deadline: Deadline,
        waker: &Waker,
    ) -> Poll<io::Result<()>> {
        self.with(token, |slot| {
            let (ready, side) = match direction {
                Direction::Read => (&mut slot.readable, &mut slot.read),
                Direction::Write => (&mut slot.writable, &mut slot.write),
            };
            if std::mem::take(ready) {
                side.deadline = Deadline::NONE;
                side.expired = false;
                return Poll::Ready(Ok(()));
            }
            if std::mem::take(&mut side.expired) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            side.deadline = deadline;
            match &mut side.waker {
                Some(old) if old.will_wake(waker) => {}
                old => *old = Some(waker.clone()),
            }
            self.arm(slot, token);
            Poll::Pending
        })
        .unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::NotConnected.into())))
    }

    /// Whether somebody waits, and neither an event nor the deadline has come yet.
    pub(super) fn is_awaited(&self, token: Token, direction: Direction) -> bool {
        let awaited = |slot: &mut Slot| match direction {
            Direction::Read => slot.read.waker.is_some(),
            Direction::Write => slot.write.waker.is_some(),
        };
        self.with(token, awaited).unwrap_or(false)
    }

    /// Forgets a wait that was given up, so that its deadline wakes nobody.
    pub(super) fn forget(&self, token: Token, direction: Direction) {
        self.with(token, |slot| {
            let side = match direction {
                Direction::Read => &mut slot.read,
                Direction::Write => &mut slot.write,
            };
            *side = Side::IDLE;
        });
    }

    /// Parks a registered socket until an event or the deadline. Fails when an event is there already.
    pub(super) fn park(&self, token: Token, parked: Parked, deadline: Deadline) -> bool {
        self.with(token, |slot| {
            if slot.readable || slot.ended {
                return false;
            }
            slot.parked = Some(parked);
            slot.read = Side {
                deadline,
                ..Side::IDLE
            };
            slot.write = Side::IDLE;
            self.arm(slot, token);
            true
        })
        .unwrap_or(false)
    }

    pub(super) fn unpark(&self, token: Token) {
        self.with(token, |slot| {
            slot.parked = None;
            slot.read = Side::IDLE;
        });
    }

    /// Sends what comes on by itself, or no longer.
    pub(super) fn relay(&self, token: Token, passage: Option<Rc<Passage>>) {
        self.with(token, |slot| slot.relay = passage);
    }

    /// Notes which server a connection leads to. The descriptor must live as long as the slot, or as
    /// it is not parked.
    pub(super) fn leads_to(&self, token: Token, server: usize, fd: BorrowedFd<'_>) {
        self.with(token, |slot| slot.server = Some((server, fd.as_raw_fd())));
    }

    /// Cuts the connections to a server that are in use.
    pub(crate) fn shut_down(&self, server: usize) {
        for (_, slot) in self.slots.borrow_mut().iter_mut() {
            let Some((_, fd)) = slot.server.filter(|(to, _)| *to == server) else {
                continue;
            };
            if slot.parked.is_none() {
                slot.cut = true;
                // SAFETY: the slot is removed when its socket is dropped, before the socket's
                // descriptor is closed, so that the number is still that connection's here. A socket
                // on a shelf may leave its slot behind, but a parked one; and `ServerPools::discard`
                // removes that as soon as it is not parked any more.
                let fd = unsafe { BorrowedFd::borrow_raw(fd) };
                // One that is not connected yet fails by itself.
                let _ = rustix::net::shutdown(fd, rustix::net::Shutdown::Both);
            }
        }
    }

    /// Whether a connection was cut by [`Reactor::shut_down`].
    pub(super) fn is_cut(&self, token: Token) -> bool {
        self.with(token, |slot| slot.cut).unwrap_or(false)
    }

    fn arm(&self, slot: &mut Slot, token: Token) {
        let next = slot.next_deadline();
        if next < slot.armed {
            slot.armed = self.wheel.borrow_mut().insert(next, token);
        }
    }

    fn with<R>(&self, token: Token, f: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(token.index as usize)?;
        (slot.generation == token.generation).then(|| f(slot))
    }
}

impl Token {
    /// What the bell's events carry: no slot has this index.
    const BELL: Self = Self {
        index: u32::MAX,
        generation: 0,
    };

    fn data(self) -> epoll::EventData {
        epoll::EventData::new_u64(u64::from(self.generation) << 32 | u64::from(self.index))
    }

    fn from_u64(data: u64) -> Self {
        Self {
            index: (data & 0xffff_ffff) as u32,
            generation: (data >> 32) as u32,
        }
    }
}
