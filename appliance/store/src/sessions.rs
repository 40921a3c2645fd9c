//! Logins that last. A session is found by the hash of its token and ends by itself.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::Store;
use crate::error::Error;
use crate::types::Session;
use crate::users::role;

/// Sessions of one user at a time; the one unused the longest makes room.
const PER_USER: u32 = 20;

/// A session that is about to begin.
#[derive(Clone, Debug)]
pub struct NewSessionRow {
    /// Hash of its token.
    pub hash: String,
    /// Whose.
    pub user: String,
    /// What its forms must carry.
    pub csrf: String,
    /// Address of the browser.
    pub peer: String,
    /// When it ends at the latest, in milliseconds since 1970 UTC.
    pub expires_ms: i64,
}

impl Store {
    /// Begins a session; tells whether there is such a user. Sessions that ended are forgotten.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn add_session(&self, new: &NewSessionRow, now_ms: i64) -> Result<bool, Error> {
        let mut change = self.write().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_ms <= ?")
            .bind(now_ms)
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions \
             WHERE user = (SELECT id FROM users WHERE name = ?) \
             ORDER BY last_seen_ms DESC LIMIT -1 OFFSET ?)",
        )
        .bind(&new.user)
        .bind(PER_USER - 1)
        .execute(&mut *change)
        .await?;
        let added = sqlx::query(
            "INSERT INTO sessions (hash, user, csrf, created_ms, last_seen_ms, expires_ms, peer) \
             SELECT ?1, id, ?2, ?3, ?3, ?4, ?5 FROM users WHERE name = ?6",
        )
        .bind(&new.hash)
        .bind(&new.csrf)
        .bind(now_ms)
        .bind(new.expires_ms)
        .bind(&new.peer)
        .bind(&new.user)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// The session of a token's hash, unless it ended or was unused for `idle_ms`. Counts as a use,
    /// which is written down once in `idle_ms / 30` at most: not every page is worth a write.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn use_session(
        &self,
        hash: &str,
        now_ms: i64,
        idle_ms: i64,
    ) -> Result<Option<Session>, Error> {
        let row = sqlx::query(
            "SELECT hash, name, role, password IS NOT NULL, csrf, sessions.created_ms, last_seen_ms, \
             expires_ms, peer FROM sessions JOIN users ON users.id = sessions.user \
             WHERE hash = ?1 AND expires_ms > ?2 AND last_seen_ms + ?3 > ?2",
        )
        .bind(hash)
        .bind(now_ms)
        .bind(idle_ms)
        .fetch_optional(&self.pool)
        .await?;
        let Some(session) = row.as_ref().map(session).transpose()? else {
            return Ok(None);
        };
        if now_ms.saturating_sub(session.last_seen_ms) >= idle_ms / 30 {
            sqlx::query("UPDATE sessions SET last_seen_ms = ? WHERE hash = ?")
                .bind(now_ms)
                .bind(hash)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(session))
    }

    /// Ends the session of a token's hash; tells whose it was.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn end_session(&self, hash: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query(
            "DELETE FROM sessions WHERE hash = ? \
             RETURNING (SELECT name FROM users WHERE users.id = sessions.user)",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        match row {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(None),
        }
    }

    /// Ends all sessions of a user; tells how many.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn end_sessions(&self, user: &str) -> Result<u64, Error> {
        let gone =
            sqlx::query("DELETE FROM sessions WHERE user = (SELECT id FROM users WHERE name = ?)")
                .bind(user)
                .execute(&self.pool)
                .await?;
        Ok(gone.rows_affected())
    }

    /// The sessions of a user that have not ended, last used first.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sessions(
        &self,
        user: &str,
        now_ms: i64,
        idle_ms: i64,
    ) -> Result<Vec<Session>, Error> {
        let rows = sqlx::query(
            "SELECT hash, name, role, password IS NOT NULL, csrf, sessions.created_ms, last_seen_ms, \
             expires_ms, peer FROM sessions JOIN users ON users.id = sessions.user \
             WHERE name = ?1 AND expires_ms > ?2 AND last_seen_ms + ?3 > ?2 \
             ORDER BY last_seen_ms DESC",
        )
        .bind(user)
        .bind(now_ms)
        .bind(idle_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(session).collect()
    }
}

fn session(row: &SqliteRow) -> Result<Session, Error> {
    let hash: String = row.try_get(0)?;
    Ok(Session {
        id: hash.chars().take(16).collect(),
        user: row.try_get(1)?,
        role: role(row, 2)?,
        has_password: row.try_get(3)?,
        csrf: row.try_get(4)?,
        created_ms: row.try_get(5)?,
        last_seen_ms: row.try_get(6)?,
        expires_ms: row.try_get(7)?,
        peer: row.try_get(8)?,
    })
}
