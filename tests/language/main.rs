//! The two texts as people meet them: at the command line, with the files of other machines, and with
//! bytes that nobody would write.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

mod check;
mod files;
mod foreign;
mod import;
mod limits;
