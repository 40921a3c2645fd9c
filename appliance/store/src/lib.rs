//! The memory of the appliance: revisions, users, sessions and the audit log, in one SQLite file.
//!
//! A revision is a complete file set; equal contents are kept once (content-addressed by SHA-256).
//! The database is write-ahead logged with `synchronous=FULL`: what a method has returned survives
//! a power cut.
//!
//! Invariants:
//! - Time is an argument, in milliseconds since 1970 UTC; there is no clock here.
//! - At most one revision is live, and at most one is on trial.
//! - No password, session token or login token is kept, only hashes of them.

mod audit;
mod error;
mod revisions;
mod schema;
mod sessions;
mod types;
mod users;

use std::fmt::Write as _;
use std::path::Path;

use sqlx::sqlite::{Sqlite, SqlitePool};

pub use error::Error;
pub use sessions::NewSessionRow;
pub use types::{
    AuditEntry, FileSummary, NewRevision, Revision, RevisionId, RevisionState, Role, Session,
    StoredFile, User,
};

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database at `path`. It is made if missing, readable by its owner only.
    ///
    /// # Errors
    /// If it cannot be made or read, is damaged, or was written by a later version.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            pool: schema::open(path).await?,
        })
    }

    /// Closes the file once what is under way has ended. Dropping the store does so later.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether the file is sound (`PRAGMA integrity_check` and `foreign_key_check`).
    ///
    /// # Errors
    /// [`Error::Damaged`] with what was found.
    pub async fn verify(&self) -> Result<(), Error> {
        let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&self.pool)
            .await?;
        if found != ["ok"] {
            return Err(Error::Damaged(found.join("; ")));
        }
        let dangling = sqlx::query("PRAGMA foreign_key_check")
            .fetch_all(&self.pool)
            .await?;
        match dangling.len() {
            0 => Ok(()),
            rows => Err(Error::Damaged(format!("{rows} rows point to nothing"))),
        }
    }

    /// A transaction that writes: it takes SQLite's lock at once, so that it cannot fail half-way
    /// for another writer's sake.
    async fn write(&self) -> Result<sqlx::Transaction<'static, Sqlite>, Error> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests;
