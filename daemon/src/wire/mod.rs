//! How the processes talk: UNIX sockets in the run directory, one question and one answer at a
//! time per connection, each a frame of length and JSON.
//!
//! Who asks whom: `control` asks the parent ([`parent`]) and the engine ([`engine`]); the command
//! line asks `control` ([`shell`]). Nobody asks the command line.

pub(crate) mod client;
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod frame;
pub(crate) mod parent;
pub(crate) mod server;
pub(crate) mod shell;
pub(crate) mod visits;
