//! All socket I/O of the engine, behind one interface.
//!
//! A worker thread has one [`Reactor`]: its own edge-triggered epoll, in which the worker sleeps when
//! its runtime has nothing to run, and one coarse timer wheel. A [`Socket`] tries a call first and is registered
//! only when the call would block, once, for good. `recv` hands over a filled, pooled [`Buffer`];
//! dropping a pending `recv` loses nothing, because bytes are taken from the kernel only when they
//! are handed over.
//!
//! Invariant: protocols see sockets only through this module, so that another backend (io_uring) can
//! take its place.

mod bell;
mod buffer;
mod pause;
mod port;
mod reactor;
mod relay;
mod socket;
mod waits;
mod wheel;

pub(crate) use bell::Bell;
pub(crate) use buffer::{Buffer, BufferPool, LARGE, SMALL};
pub(crate) use pause::Share;
pub(crate) use port::{Port, Ports, TRIES};
pub(crate) use reactor::{Deadline, Parked, Reactor, Token};
pub(crate) use relay::Relay;
pub(crate) use socket::{Listener, Shelved, Socket, only};
pub(crate) use waits::Waits;
