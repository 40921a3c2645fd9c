//! The service thread beside the workers: health checks, log lines, the runtime API.

pub(crate) mod checks;
pub(crate) mod syslog;
mod thread;

pub(crate) use thread::{ApiSocket, Request, Service};
