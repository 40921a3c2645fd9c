//! The pages as a browser without a script sees them, on a real Control over fakes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod browser;
mod editor;
mod files;
mod history;
mod login;
mod safety;
mod status;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod trial;
