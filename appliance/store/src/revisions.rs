//! The history: what was asked for, by whom, and what became of it.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::Store;
use crate::error::Error;
use crate::hex;
use crate::types::{FileSummary, NewRevision, Revision, RevisionId, RevisionState, StoredFile};

/// Revisions that one question returns at most.
const PAGE: u32 = 1000;

impl Store {
    /// Saves a revision as pending, with its files. Equal contents are kept once.
    ///
    /// # Errors
    /// If the database refuses; nothing is saved then.
    pub async fn save_pending(&self, new: &NewRevision, now_ms: i64) -> Result<RevisionId, Error> {
        let mut change = self.write().await?;
        let saved = sqlx::query(
            "INSERT INTO revisions (parent, author, origin, comment, created_ms, state, within_s) \
             VALUES (?, ?, ?, ?, ?, 'pending', ?)",
        )
        .bind(new.parent.map(|id| id.0))
        .bind(&new.author)
        .bind(&new.from)
        .bind(&new.comment)
        .bind(now_ms)
        .bind(
            new.within_s
                .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        )
        .execute(&mut *change)
        .await?;
        let id = saved.last_insert_rowid();
        for file in &new.files {
            let hash = hex(&Sha256::digest(&file.bytes));
            sqlx::query("INSERT OR IGNORE INTO blobs (sha256, bytes) VALUES (?, ?)")
                .bind(&hash)
                .bind(&file.bytes)
                .execute(&mut *change)
                .await?;
            sqlx::query(
                "INSERT INTO revision_files (revision, name, blob, secret) VALUES (?, ?, ?, ?)",
            )
            .bind(id)
            .bind(&file.name)
            .bind(&hash)
            .bind(file.secret)
            .execute(&mut *change)
            .await?;
        }
        change.commit().await?;
        Ok(RevisionId(id))
    }

    /// Puts a revision that was saved with a time on trial. The live one stays what it is.
    ///
    /// # Errors
    /// If the database refuses, as it does if the revision has no time or another one is on trial;
    /// nothing changed then.
    pub async fn mark_trial(&self, id: RevisionId) -> Result<(), Error> {
        sqlx::query("UPDATE revisions SET state = 'trial' WHERE id = ?")
            .bind(id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Makes a revision the live one and the one before superseded. Its files count as not yet
    /// installed until [`Store::mark_installed`].
    ///
    /// # Errors
    /// If the database refuses; nothing changed then.
    pub async fn mark_live(&self, id: RevisionId) -> Result<(), Error> {
        let mut change = self.write().await?;
        sqlx::query("UPDATE revisions SET state = 'superseded' WHERE state = 'live' AND id <> ?")
            .bind(id.0)
            .execute(&mut *change)
            .await?;
        sqlx::query("UPDATE revisions SET state = 'live', why = '', installed = 0 WHERE id = ?")
            .bind(id.0)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// Notes that the files of a revision are on disk.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn mark_installed(&self, id: RevisionId) -> Result<(), Error> {
        sqlx::query("UPDATE revisions SET installed = 1 WHERE id = ?")
            .bind(id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Marks a revision failed. If it was live already, `back` becomes live again, with files that
    /// count as not installed.
    ///
    /// # Errors
    /// If the database refuses; nothing changed then.
    pub async fn mark_failed(
        &self,
        id: RevisionId,
        why: &str,
        back: Option<RevisionId>,
    ) -> Result<(), Error> {
        let mut change = self.write().await?;
        sqlx::query("UPDATE revisions SET state = 'failed', why = ? WHERE id = ?")
            .bind(why)
            .bind(id.0)
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "UPDATE revisions SET state = 'live', installed = 0 \
             WHERE id = ? AND NOT EXISTS (SELECT 1 FROM revisions WHERE state = 'live')",
        )
        .bind(back.map(|id| id.0))
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// Marks all pending revisions failed, as after a crash; tells which.
    ///
    /// # Errors
    /// If the database refuses; nothing changed then.
    pub async fn fail_pending(&self, why: &str) -> Result<Vec<RevisionId>, Error> {
        let rows = sqlx::query(
            "UPDATE revisions SET state = 'failed', why = ? WHERE state = 'pending' RETURNING id",
        )
        .bind(why)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok(RevisionId(row.try_get(0)?)))
            .collect()
    }

    /// The revision on trial.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn on_trial(&self) -> Result<Option<Revision>, Error> {
        let row = sqlx::query("SELECT id FROM revisions WHERE state = 'trial'")
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => self.revision(RevisionId(row.try_get(0)?)).await,
            None => Ok(None),
        }
    }

    /// Revisions after the live one that were to be confirmed and never were, newest first.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn unconfirmed(&self) -> Result<Vec<Revision>, Error> {
        let rows = sqlx::query(
            "SELECT id FROM revisions WHERE state = 'failed' AND within_s IS NOT NULL \
             AND id > coalesce((SELECT id FROM revisions WHERE state = 'live'), 0) \
             ORDER BY id DESC LIMIT ?",
        )
        .bind(PAGE)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.extend(self.revision(RevisionId(row.try_get(0)?)).await?);
        }
        Ok(found)
    }

    /// The live revision, and whether its files are known to be on disk.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn live(&self) -> Result<Option<(Revision, bool)>, Error> {
        let row = sqlx::query("SELECT id, installed FROM revisions WHERE state = 'live'")
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let installed = row.try_get(1)?;
        let revision = self.revision(RevisionId(row.try_get(0)?)).await?;
        Ok(revision.map(|revision| (revision, installed)))
    }

    /// One revision.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn revision(&self, id: RevisionId) -> Result<Option<Revision>, Error> {
        let after = RevisionId(id.0.saturating_add(1));
        let mut found = self.revisions(1, Some(after)).await?;
        Ok(found.pop().filter(|revision| revision.id == id))
    }

    /// Revisions before `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn revisions(
        &self,
        limit: u32,
        before: Option<RevisionId>,
    ) -> Result<Vec<Revision>, Error> {
        let rows = sqlx::query(
            "SELECT id, parent, author, origin, comment, created_ms, state, why, within_s \
             FROM revisions \
             WHERE id < ? ORDER BY id DESC LIMIT ?",
        )
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(limit.min(PAGE))
        .fetch_all(&self.pool)
        .await?;
        let mut revisions = rows.iter().map(revision).collect::<Result<Vec<_>, _>>()?;
        let (Some(newest), Some(oldest)) = (revisions.first(), revisions.last()) else {
            return Ok(revisions);
        };
        let mut files = self.summaries(oldest.id, newest.id).await?;
        for revision in &mut revisions {
            revision.files = files.remove(&revision.id).unwrap_or_default();
        }
        Ok(revisions)
    }

    /// The files of a revision by name; `None` if there is no such revision.
    ///
    /// # Errors
    /// If the database refuses, or a content does not have the hash it is kept under.
    pub async fn files(&self, id: RevisionId) -> Result<Option<Vec<StoredFile>>, Error> {
        let known = sqlx::query("SELECT 1 FROM revisions WHERE id = ?")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await?;
        if known.is_none() {
            return Ok(None);
        }
        let rows = sqlx::query(
            "SELECT name, secret, bytes, sha256 FROM revision_files \
             JOIN blobs ON blobs.sha256 = revision_files.blob WHERE revision = ? ORDER BY name",
        )
        .bind(id.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(stored_file)
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    }

    /// Forgets all but the newest `keep` revisions, and contents that no revision has any more. The
    /// live one, the one on trial and pending ones stay.
    ///
    /// # Errors
    /// If the database refuses; nothing changed then.
    pub async fn prune(&self, keep: u32) -> Result<(), Error> {
        let mut change = self.write().await?;
        sqlx::query(
            "DELETE FROM revisions WHERE state NOT IN ('live', 'trial', 'pending') \
             AND id NOT IN (SELECT id FROM revisions ORDER BY id DESC LIMIT ?)",
        )
        .bind(keep)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM blobs WHERE sha256 NOT IN (SELECT blob FROM revision_files)")
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    async fn summaries(
        &self,
        oldest: RevisionId,
        newest: RevisionId,
    ) -> Result<HashMap<RevisionId, Vec<FileSummary>>, Error> {
        let rows = sqlx::query(
            "SELECT revision, name, length(bytes), sha256, secret FROM revision_files \
             JOIN blobs ON blobs.sha256 = revision_files.blob \
             WHERE revision BETWEEN ? AND ? ORDER BY revision, name",
        )
        .bind(oldest.0)
        .bind(newest.0)
        .fetch_all(&self.pool)
        .await?;
        let mut by_revision: HashMap<RevisionId, Vec<FileSummary>> = HashMap::new();
        for row in &rows {
            let size: i64 = row.try_get(2)?;
            by_revision
                .entry(RevisionId(row.try_get(0)?))
                .or_default()
                .push(FileSummary {
                    name: row.try_get(1)?,
                    size: u64::try_from(size).unwrap_or(0),
                    sha256: row.try_get(3)?,
                    secret: row.try_get(4)?,
                });
        }
        Ok(by_revision)
    }
}

fn revision(row: &SqliteRow) -> Result<Revision, Error> {
    let state: String = row.try_get(6)?;
    let state = match state.as_str() {
        "pending" => RevisionState::Pending,
        "trial" => RevisionState::Trial {
            within_s: u64::try_from(row.try_get::<i64, _>(8)?).unwrap_or(0),
        },
        "live" => RevisionState::Live,
        "superseded" => RevisionState::Superseded,
        "failed" => RevisionState::Failed {
            why: row.try_get(7)?,
        },
        other => return Err(Error::Damaged(format!("a revision has state '{other}'"))),
    };
    let parent: Option<i64> = row.try_get(1)?;
    Ok(Revision {
        id: RevisionId(row.try_get(0)?),
        parent: parent.map(RevisionId),
        author: row.try_get(2)?,
        from: row.try_get(3)?,
        comment: row.try_get(4)?,
        created_ms: row.try_get(5)?,
        state,
        files: Vec::new(),
    })
}

fn stored_file(row: &SqliteRow) -> Result<StoredFile, Error> {
    let file = StoredFile {
        name: row.try_get(0)?,
        secret: row.try_get(1)?,
        bytes: row.try_get(2)?,
    };
    let hash: String = row.try_get(3)?;
    if hex(&Sha256::digest(&file.bytes)) == hash {
        Ok(file)
    } else {
        Err(Error::Damaged(format!(
            "the content of {} is not what was saved",
            file.name
        )))
    }
}
