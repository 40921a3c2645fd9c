//! The transaction against a made-up box, with everything failing that can, and the process dying
//! at every step.

mod accounts;
mod boot;
mod changes;
mod failures;
pub(crate) mod faults;
mod looking;
mod management;
mod repairs;
mod trials;
mod world;
