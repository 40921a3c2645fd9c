//! The only validated configuration types of the appliance.
//!
//! `language` makes them from what a person wrote; `network`, `traffic` and the web UI read them.
//! A value that exists is valid: there is no `validate` here, and nothing is ever changed in place.
//!
//! Invariant: this crate knows no text, no spans of text, no sockets, no clock. Where a value came
//! from is kept as an [`Origin`], which is for people to read, never for logic.

pub mod layer7;
pub mod services;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where a setting was written, for messages such as "asked for by services.cfg:12".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the file as the person knows it, for example `services.cfg`.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
