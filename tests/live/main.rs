//! Nothing drops: configuration changes, deaths of processes and upgrades, under the load of clients
//! that notice everything (`load`).
//!
//! Each scenario has a short version, which is a test, and a long one, which `scripts/soak` runs and
//! which prints a table. HAProxy's own reload is measured beside them, and only reported.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod edited;
mod haproxy;
mod hitless;
mod interrupted;
mod intruder;
mod kills;
mod listeners;
mod load;
mod names;
mod namespace;
mod notice;
mod origin;
mod overrides;
mod rights;
mod site;
mod stage;
mod supervision;
mod upgrade;
mod watchdog;
