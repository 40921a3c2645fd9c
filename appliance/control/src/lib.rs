//! The change transaction: gather, check, plan, save, execute, mark live, or roll back; and between
//! the last two, if asked for, a trial that somebody must confirm in time.
//!
//! [`Control`] is all that the web UI and the command line see. It owns the order of the steps of a
//! change, the files on disk, the history and the users; it reaches the engine and the kernel only
//! through [`Engine`] and [`Host`], so that it is tested with fakes.
//!
//! Invariants:
//! - What can be refused is refused before anything is touched.
//! - After a change that failed, files, network and traffic are as before.
//! - Files are renamed into place only when their revision is marked live; a crash at any moment
//!   comes back with the old file set or the new one, never with a mixture.
//! - A revision on trial is in no file on disk by our doing: whatever happens before it is
//!   confirmed, the box comes back with the live one.
//! - A private key is in no diff, no message and no `Debug` output.

mod accounts;
mod again;
mod boot;
mod change;
mod check;
mod control;
mod dates;
mod diff;
mod digest;
mod disk;
mod effects;
mod engine;
mod error;
mod files;
mod host;
mod inner;
mod networks;
mod offline;
mod one_time;
mod passwords;
mod pem;
mod repair;
mod report;
mod resolve;
mod road;
mod settings;
mod throttle;
mod trial;
mod ui_links;
mod within;

pub use accounts::{LoginLink, NewSession};
pub use control::Control;
pub use dates::certificate_dates;
pub use engine::{
    BackendStatus, Engine, EngineGone, EngineStatus, FrontendStatus, ListenerStatus, PrepareError,
    PrepareProblem, ServerStatus,
};
pub use error::{ApplyError, BootError, Error, LoginError, OpenError, UserError};
pub use files::{
    COUNT_LIMIT, FILE_LIMIT, FOLDERS, FileSet, LAYER7, NAME_LIMIT, SERVICES, SET_LIMIT, check_name,
};
pub use host::{Host, HostError, Trial, TrialState};
pub use lanai_network::{Cut, Finding, Health, Stage, Visitor};
pub use lanai_store::{
    AuditEntry, FileSummary, Revision, RevisionId, RevisionState, Role, Session, User,
};
pub use networks::{Addressing, Networks, UiPlace};
pub use offline::{check_files, read_files, write_files};
pub use one_time::OneTimePassword;
pub use report::{
    Applied, BootReport, BootSource, CheckReport, DiffLine, Effects, FileDiff, FileDiffKind, Held,
    Holder, Hunk, OnTrial, Preview, Repair, Repairs, Status, TakenBack,
};
pub use resolve::resolve;
pub use settings::{Author, Clock, DEFAULT_REVISIONS_KEPT, Settings};
pub use trial::Window;
pub use ui_links::UiLinks;
pub use within::{Within, WithinError};

/// Characters of a password at least (ASVS 5.0, 6.2.1).
pub const PASSWORD_MIN: usize = 10;
/// Characters of a password at most: more would only make hashing a load (ASVS 6.2.9 wants 64).
pub const PASSWORD_MAX: usize = 128;
/// Time a login link works, in milliseconds.
pub const LOGIN_LINK_MS: i64 = 24 * 3600 * 1000;
/// A session ends after this time without use, in milliseconds.
pub const SESSION_IDLE_MS: i64 = 30 * 60 * 1000;
/// A session ends after this time in any case, in milliseconds.
pub const SESSION_MAX_MS: i64 = 12 * 3600 * 1000;

#[cfg(test)]
mod tests;
