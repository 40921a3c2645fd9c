//! The memory of the appliance: revisions, users, sessions and the audit log, in one SQLite file.
//!
//! A revision is a complete file set; equal contents are kept once (content-addressed by SHA-256).
//! The database is write-ahead logged with `synchronous=FULL`: what a method has returned survives
//! a power cut.
//!
//! Invariants:
//! - Time is an argument, in milliseconds since 1970 UTC; there is no clock here.
//! - At most one revision is live.
//! - No password, session token or login token is kept, only hashes of them.

mod error;
mod types;

pub use error::Error;
pub use types::{
    AuditEntry, FileSummary, NewRevision, Revision, RevisionId, RevisionState, Role, Session,
    StoredFile, User,
};
