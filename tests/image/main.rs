//! The appliance's image: built, booted in QEMU by BIOS and by UEFI, set up in the browser's words,
//! restarted. What is true inside is asked of the system there, over its console's shell.
//!
//! QEMU always emulates (`-accel tcg -cpu Nehalem`): what a machine's own virtualisation does is not
//! the image's matter, and not every machine has it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod boot;
mod browser;
mod inside;
mod iso;
mod machine;
mod origin;
mod serial;
