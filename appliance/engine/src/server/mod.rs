//! The way to a server: whose turn it is, a connection, the idle ones kept.

mod connect;
mod pool;
pub(crate) mod source;
mod standing;
mod turns;

pub(crate) use connect::{ConnectFailure, First, connect};
pub(crate) use pool::{ServerConnection, ServerPools, Shelves};
pub(crate) use standing::standing_changed;
pub(crate) use turns::{Assigned, NoServer, assign, refresh, server_freed};
