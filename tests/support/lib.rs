//! What the end-to-end tests share: a laboratory of network namespaces, processes that end with
//! the test, an appliance to drive, and witnesses that are not Lanai.
//!
//! Invariant: nothing here links a crate of the product. A test asks the system (`ip`, `ss`, `nft`,
//! `tcpdump`, `curl`, files), never the code.
//! Everything fails by panicking with what was awaited and what was seen: this is test code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod appliance;
mod client;
mod knock;
mod lab;
mod process;
mod wait;
mod witness;

pub use appliance::{Appliance, lanai, project_root};
pub use client::{Curl, Response};
pub use knock::knock;
pub use lab::{INTERFACES, Lab};
pub use process::{Finished, Process, run};
pub use wait::{until, within};
pub use witness::{Capture, Counter};
