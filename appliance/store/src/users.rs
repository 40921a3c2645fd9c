//! Who may log in: users, their password hashes, and one-time login tokens.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::Store;
use crate::error::Error;
use crate::types::{Role, User};

impl Store {
    /// Adds a user without a password.
    ///
    /// # Errors
    /// [`Error::Exists`] if the name is taken.
    pub async fn add_user(&self, name: &str, role: Role, now_ms: i64) -> Result<(), Error> {
        let added = sqlx::query(
            "INSERT INTO users (name, role, created_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(role.word())
        .bind(now_ms)
        .execute(&self.pool)
        .await?;
        match added.rows_affected() {
            0 => Err(Error::Exists(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Removes a user with their sessions and login tokens; tells whether there was one.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn remove_user(&self, name: &str) -> Result<bool, Error> {
        let gone = sqlx::query("DELETE FROM users WHERE name = ?")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// All users by name.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        let rows = sqlx::query(
            "SELECT name, role, created_ms, password IS NOT NULL FROM users ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(user).collect()
    }

    /// One user.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn user(&self, name: &str) -> Result<Option<User>, Error> {
        let row = sqlx::query(
            "SELECT name, role, created_ms, password IS NOT NULL FROM users WHERE name = ?",
        )
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(user).transpose()
    }

    /// A user's password hash; `None` if there is no such user or no password.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn password_hash(&self, name: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT password FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(None),
        }
    }

    /// Sets a user's password hash and ends their sessions and login tokens; tells whether there
    /// is such a user.
    ///
    /// # Errors
    /// If the database refuses; nothing changed then.
    pub async fn set_password_hash(&self, name: &str, hash: &str) -> Result<bool, Error> {
        let mut change = self.write().await?;
        let set = sqlx::query("UPDATE users SET password = ? WHERE name = ?")
            .bind(hash)
            .bind(name)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE user = (SELECT id FROM users WHERE name = ?)")
            .bind(name)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM login_tokens WHERE user = (SELECT id FROM users WHERE name = ?)")
            .bind(name)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(set.rows_affected() > 0)
    }

    /// Sets what a user may do; tells whether there is such a user.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<bool, Error> {
        let set = sqlx::query("UPDATE users SET role = ? WHERE name = ?")
            .bind(role.word())
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(set.rows_affected() > 0)
    }

    /// Keeps the hash of a login token; tells whether there is such a user. Those that expired are
    /// forgotten.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn add_login_token(
        &self,
        name: &str,
        hash: &str,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<bool, Error> {
        let mut change = self.write().await?;
        sqlx::query("DELETE FROM login_tokens WHERE expires_ms <= ?")
            .bind(now_ms)
            .execute(&mut *change)
            .await?;
        let added = sqlx::query(
            "INSERT INTO login_tokens (hash, user, expires_ms) SELECT ?, id, ? FROM users WHERE name = ?",
        )
        .bind(hash)
        .bind(expires_ms)
        .bind(name)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// Uses up a login token: the user it is for, if it exists, was not used and has not expired.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn use_login_token(&self, hash: &str, now_ms: i64) -> Result<Option<User>, Error> {
        // One statement, so that of two at once only one succeeds.
        let row = sqlx::query(
            "UPDATE login_tokens SET used_ms = ?1 \
             WHERE hash = ?2 AND used_ms IS NULL AND expires_ms > ?1 \
             RETURNING (SELECT name FROM users WHERE users.id = login_tokens.user)",
        )
        .bind(now_ms)
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let name: String = row.try_get(0)?;
        self.user(&name).await
    }
}

fn user(row: &SqliteRow) -> Result<User, Error> {
    Ok(User {
        name: row.try_get(0)?,
        role: role(row, 1)?,
        created_ms: row.try_get(2)?,
        has_password: row.try_get(3)?,
    })
}

pub(crate) fn role(row: &SqliteRow, at: usize) -> Result<Role, Error> {
    let word: String = row.try_get(at)?;
    Role::of(&word).ok_or_else(|| Error::Damaged(format!("a user has role '{word}'")))
}
