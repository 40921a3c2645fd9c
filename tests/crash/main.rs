//! What is left after a death or a failing disk at any moment of a change: the old configuration or
//! the new one, whole, and an appliance that starts and serves it. `docs/crash-safety.md` says what is
//! promised; `scripts/crash` runs what is here on every point instead of some.
#![cfg(target_arch = "x86_64")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod change;
mod deaths;
mod durable;
mod expiry;
mod faults;
mod mutated;
mod network;
mod rig;
mod tracer;
mod trials;

/// A number from the environment, with which `scripts/crash` asks for more.
fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Which of the points `1..=last` are tried: every k-th, k from the environment.
fn points(last: usize, every: usize) -> impl Iterator<Item = usize> {
    (1..=last).step_by(setting("LANAI_CRASH_EVERY", every).max(1))
}
