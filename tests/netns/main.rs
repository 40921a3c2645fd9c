//! The appliance on article 1's network. Every statement here is checked by asking the kernel, the
//! wire or a client, never Lanai alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod articles;
mod changes;
mod demo;
mod doctor;
mod drift;
mod expect;
mod firewall;
mod ipv6;
mod management;
mod oracle;
mod ports;
mod refusals;
mod routing;
mod source;
mod sshd;
mod system;
mod transparent;
mod trial;
mod writes;
