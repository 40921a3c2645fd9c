use std::path::PathBuf;

/// The database could not do what it was asked. Whatever the method was about is as before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused, or the disk did.
    #[error("SQLite: {0}")]
    Sqlite(#[from] sqlx::Error),
    /// The file cannot be made.
    #[error("cannot make {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A later version of the program has written this file.
    #[error(
        "the database has schema {found} and this program knows up to {known}; start the program \
         that wrote it, or restore an older copy of the file"
    )]
    TooNew {
        /// Schema of the file.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// What is in the file cannot have been written by us.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A unique name is taken.
    #[error("'{0}' exists already")]
    Exists(String),
}
