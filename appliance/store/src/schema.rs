//! The file, its settings and its tables.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::error::Error;

/// How long a writer waits for another: only `sqlite3` by hand or a backup can be the other.
const BUSY: Duration = Duration::from_secs(10);
/// How long a connection is tried to be opened, or waited for.
const ACQUIRE: Duration = Duration::from_secs(15);

/// Connections: one writes at a time, the others read meanwhile.
const CONNECTIONS: u32 = 4;

/// Each entry brings a file of schema `index` to schema `index + 1` (`PRAGMA user_version`). An
/// entry that was released is never edited.
const MIGRATIONS: [&str; 2] = [FIRST, TRIALS];

pub(crate) const FIRST: &str = "
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- `parent` is no foreign key: it may be pruned before its child.
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    author TEXT NOT NULL,
    origin TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'live', 'superseded', 'failed')),
    why TEXT NOT NULL DEFAULT '',
    installed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX one_live ON revisions (state) WHERE state = 'live';

CREATE TABLE revision_files (
    revision INTEGER NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    blob TEXT NOT NULL REFERENCES blobs (sha256),
    secret INTEGER NOT NULL,
    PRIMARY KEY (revision, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_files_blob ON revision_files (blob);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT,
    role TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE login_tokens (
    hash TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX login_tokens_user ON login_tokens (user);

CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    peer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
";

/// A state more, and how long a revision may wait for its confirmation. SQLite cannot change a
/// CHECK in place. The table of files is copied too, and dropped first: dropping `revisions` while
/// it points there would empty it. Numbers go on where they were.
const TRIALS: &str = "
CREATE TABLE revisions_now (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    author TEXT NOT NULL,
    origin TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'trial', 'live', 'superseded', 'failed')),
    why TEXT NOT NULL DEFAULT '',
    installed INTEGER NOT NULL DEFAULT 0,
    within_s INTEGER CHECK (within_s > 0),
    CHECK (state <> 'trial' OR within_s IS NOT NULL)
) STRICT;
INSERT INTO revisions_now
    SELECT id, parent, author, origin, comment, created_ms, state, why, installed, NULL
    FROM revisions;
CREATE TABLE revision_files_now (
    revision INTEGER NOT NULL REFERENCES revisions_now (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    blob TEXT NOT NULL REFERENCES blobs (sha256),
    secret INTEGER NOT NULL,
    PRIMARY KEY (revision, name)
) STRICT, WITHOUT ROWID;
INSERT INTO revision_files_now SELECT revision, name, blob, secret FROM revision_files;
DELETE FROM sqlite_sequence WHERE name = 'revisions_now';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'revisions_now', seq FROM sqlite_sequence WHERE name = 'revisions';
DROP TABLE revision_files;
DROP TABLE revisions;
ALTER TABLE revisions_now RENAME TO revisions;
ALTER TABLE revision_files_now RENAME TO revision_files;
CREATE UNIQUE INDEX one_live ON revisions (state) WHERE state = 'live';
CREATE UNIQUE INDEX one_trial ON revisions (state) WHERE state = 'trial';
CREATE INDEX revision_files_blob ON revision_files (blob);
";

/// Opens the file at `path`, made if missing, readable by its owner only, and brings it up to date.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, Error> {
    make_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // A deleted private key is overwritten, not just forgotten.
        .pragma("secure_delete", "ON");
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        // What is open works, whatever becomes of the disk: it stays open.
        .idle_timeout(None)
        .max_lifetime(None)
        // SQLite opens a file for reading if it cannot for writing, and says nothing.
        .after_connect(|connection, _| {
            Box::pin(async move {
                match connection.execute("BEGIN IMMEDIATE").await {
                    Ok(_) => connection.execute("ROLLBACK").await.map(drop),
                    Err(error) if is_for_reading(&error) => Err(error),
                    // Another one writes.
                    Err(_) => Ok(()),
                }
            })
        })
        // SQLite itself rolls back what a full disk broke off; the library's own ROLLBACK fails then, and
        // it goes on counting a transaction that is none. Such a connection can begin no other. What was
        // asked of it before is done by the answer to a ping.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options)
        .await?;
    migrate(&pool).await?;
    Ok(pool)
}

/// SQLITE_READONLY, whatever the reason (sqlite.org/rescode.html).
fn is_for_reading(error: &sqlx::Error) -> bool {
    let database = error.as_database_error();
    let code = database.and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 8)
}

/// SQLite gives its `-wal` and `-shm` files the mode of the main one, so it must be right before
/// SQLite sees it.
fn make_private(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600)));
    made.map_err(|source| Error::Create {
        path: path.to_owned(),
        source,
    })
}

async fn migrate(pool: &SqlitePool) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let mut change = connection.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut *change)
        .await?;
    let found: i64 = row.try_get(0)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        sqlx::raw_sql(*step).execute(&mut *change).await?;
    }
    // A pragma takes no parameters; the number is that of the table above.
    let version = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {known}"));
    sqlx::raw_sql(version).execute(&mut *change).await?;
    change.commit().await?;
    Ok(())
}
