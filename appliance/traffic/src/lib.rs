//! What happens to traffic, as pure values: the compiled configuration, the choice of a server and
//! of a source port, the health state machine, the text of a log line.
//!
//! [`Snapshot::compile`] turns the validated model into the form that the engine reads once per
//! request. It cannot fail: whatever may be refused was refused when the model was made.
//!
//! Invariant: no sockets, no clock, no threads. Time and state are arguments.

pub mod balance;
pub mod condition;
pub mod health;
mod ports;
pub mod record;
mod snapshot;

pub use ports::PortRing;
pub use snapshot::{Backend, ConnectionMode, Frontend, Server, Snapshot};
