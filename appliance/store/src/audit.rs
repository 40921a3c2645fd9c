//! Who did what, and when. Lines are added and never changed; the oldest make room in the end.

use sqlx::Row as _;

use crate::Store;
use crate::error::Error;
use crate::types::AuditEntry;

/// Lines kept: years of work, some 20 MB.
const KEPT: i64 = 100_000;

/// Lines that one question returns at most.
const PAGE: u32 = 1000;

/// Bytes of a detail at most.
const DETAIL_LIMIT: usize = 4096;

impl Store {
    /// Adds a line. Control characters in it are escaped, so that a line stays one line wherever it
    /// is shown.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn audit(
        &self,
        time_ms: i64,
        actor: &str,
        from: &str,
        action: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let mut change = self.write().await?;
        let added = sqlx::query(
            "INSERT INTO audit (time_ms, actor, origin, action, detail) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(time_ms)
        .bind(one_line(actor))
        .bind(one_line(from))
        .bind(one_line(action))
        .bind(one_line(detail))
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM audit WHERE id <= ?")
            .bind(added.last_insert_rowid().saturating_sub(KEPT))
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// Lines before `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn audit_log(
        &self,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Vec<AuditEntry>, Error> {
        let rows = sqlx::query(
            "SELECT id, time_ms, actor, origin, action, detail FROM audit \
             WHERE id < ? ORDER BY id DESC LIMIT ?",
        )
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit.min(PAGE))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    id: row.try_get(0)?,
                    time_ms: row.try_get(1)?,
                    actor: row.try_get(2)?,
                    from: row.try_get(3)?,
                    action: row.try_get(4)?,
                    detail: row.try_get(5)?,
                })
            })
            .collect()
    }
}

fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(DETAIL_LIMIT));
    for c in text.chars() {
        if out.len() >= DETAIL_LIMIT {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
