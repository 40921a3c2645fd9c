//! The three renderings of a [`Diagnostic`](crate::Diagnostic).

mod haproxy;
mod json;
mod rich;

pub use haproxy::{
    VALID, WARNINGS_FOUND, errors_in_file, fatal_errors, haproxy, haproxy_line, will_not_start,
};
pub use json::{JsonDiagnostic, JsonFix, JsonLabel, json, to_json};
pub use rich::{Style, rich};
