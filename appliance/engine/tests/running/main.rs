//! Running engines, asked over their own sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod overrides;
mod pools;
mod pulse;
mod support;
mod tls;
