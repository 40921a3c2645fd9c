//! A change from asking to answer: who may go, check, save, travel, record.

use std::sync::Arc;

use lanai_diagnostics::Severity;
use lanai_network::{Cut, Visitor, plan};
use lanai_store::{NewRevision, RevisionId, StoredFile};

use crate::effects::effects;
use crate::error::{ApplyError, Error};
use crate::files::FileSet;
use crate::inner::{Inner, Running};
use crate::report::{Applied, CheckReport};
use crate::road::{End, travel};
use crate::settings::Author;
use crate::trial;
use crate::within::{Within, span};

/// What the history says of a revision whose end could not be written.
const UNWRITTEN: &str = "not in effect: the history could not be written at its end";

/// Characters of a comment at most.
const COMMENT_LIMIT: usize = 1000;

/// From where a revision comes that is made of what somebody edited on disk.
pub(crate) const FROM_DISK: &str = "files on disk";

/// What somebody asks for.
pub(crate) struct Request {
    pub(crate) files: FileSet,
    pub(crate) author: Author,
    pub(crate) comment: String,
    pub(crate) base: Option<RevisionId>,
    /// On trial for this time, if any.
    pub(crate) within: Option<Within>,
    /// Not on trial even if it may cut off whoever asks.
    pub(crate) for_good: bool,
    /// The word for the audit log.
    pub(crate) action: &'static str,
}

/// Carries out a change, one at a time, and writes down what became of it.
pub(crate) async fn apply(inner: &Arc<Inner>, request: Request) -> Result<Applied, ApplyError> {
    inner.after_boot().await.map_err(ApplyError::Busy)?;
    let _turn = inner
        .turn(&request.author)
        .await
        .map_err(ApplyError::Busy)?;
    let (author, action) = (request.author.clone(), request.action);
    let result = attempt(inner, request).await;
    let (word, detail) = match &result {
        Ok(Applied {
            revision,
            trial: Some(trial),
            ..
        }) => {
            let within = span(trial.within_s);
            (
                action.to_owned(),
                format!("revision {revision}, on trial for {within}"),
            )
        }
        Ok(applied) => (action.to_owned(), format!("revision {}", applied.revision)),
        Err(error @ ApplyError::OnTrial { .. }) => (format!("{action} refused"), error.to_string()),
        Err(ApplyError::Refused(report)) => (format!("{action} refused"), first_alert(report)),
        Err(error) => (format!("{action} failed"), error.to_string()),
    };
    inner.note(&author, &word, &detail).await;
    match &result {
        Ok(_) => inner.set_notices(Vec::new()),
        Err(ApplyError::NotRestored { left, .. }) => inner.set_notices(left.clone()),
        Err(_) => {}
    }
    result
}

async fn attempt(inner: &Arc<Inner>, request: Request) -> Result<Applied, ApplyError> {
    if let Some(refusal) = trial::in_the_way(inner) {
        return Err(refusal);
    }
    let live = inner.store.live().await?.map(|(revision, _)| revision.id);
    if request.base.is_some() && request.base != live {
        return Err(ApplyError::Conflict { live });
    }
    let (files, report, model) = inner.examine(request.files).await?;
    let Some(model) = model else {
        return Err(ApplyError::Refused(report));
    };
    let target = Arc::new(Running::of(files, model));
    let before = inner.running();
    let cuts = cuts_of(inner, &target, request.author.visitor).await?;
    let within = match request.within {
        None if !cuts.is_empty() && !request.for_good => Some(Within::USUAL),
        within => within,
    };
    trial::clear(inner).await?;
    if within.is_none() {
        keep_edits(inner, &before.files, &target.files, live).await?;
    }
    let new = NewRevision {
        parent: live,
        author: request.author.name,
        from: request.author.from,
        comment: request.comment.chars().take(COMMENT_LIMIT).collect(),
        within_s: within.map(Within::seconds),
        files: stored(&target.files),
    };
    // One whose end could not be written, as the disk was full.
    inner.store.fail_pending(UNWRITTEN).await?;
    let id = inner.store.save_pending(&new, inner.now_ms()).await?;
    let end = match within {
        Some(within) => End::Trial(id, within),
        None => End::Install(id),
    };
    let plan = match travel(inner, &target, end).await {
        Ok(plan) => plan,
        Err(error) => {
            if let Err(unsaved) = inner.store.mark_failed(id, &error.to_string(), live).await {
                // The cause matters more; and the next change or boot finds the revision pending.
                tracing::error!(error = %unsaved, revision = %id, "cannot mark a revision failed");
            }
            return Err(error);
        }
    };
    if let Err(error) = inner.store.prune(inner.settings.revisions_kept).await {
        // It is tried again after the next change.
        tracing::warn!(%error, "cannot forget old revisions");
    }
    let effects = effects(&before.model.config, &target.model.config, &plan);
    Ok(Applied {
        revision: id,
        trial: inner.window().map(|window| window.view(inner.now_ms())),
        report,
        plan,
        effects,
        cuts,
        notices: Vec::new(),
    })
}

/// How the change may cut off the visitor, if it comes from one.
async fn cuts_of(
    inner: &Inner,
    target: &Running,
    visitor: Option<Visitor>,
) -> Result<Vec<Cut>, ApplyError> {
    let Some(visitor) = visitor else {
        return Ok(Vec::new());
    };
    let desired = target.model.desired();
    let observed = inner.host.observe(&desired.asked()).await;
    let observed = observed.map_err(ApplyError::Network)?;
    let plan = plan(&desired, &observed);
    let running = inner.running();
    Ok(target.model.cuts(&running.model, visitor, &observed, &plan))
}

/// Text that somebody edited on disk and never applied is about to be replaced: it is kept in the
/// history, since nothing that a person wrote may get lost.
pub(crate) async fn keep_edits(
    inner: &Inner,
    running: &FileSet,
    target: &FileSet,
    parent: Option<RevisionId>,
) -> Result<(), ApplyError> {
    let disk = inner.disk.clone();
    let Ok(disk) = inner.blocking(move || disk.read()).await? else {
        // What cannot be read as a file set is no text of a person.
        return Ok(());
    };
    let lost = disk.iter().any(|(name, bytes)| {
        running.get(name) != Some(bytes)
            && target.get(name) != Some(bytes)
            && (target.get(name).is_some() || running.get(name).is_some())
    });
    if !lost || !disk.problems().is_empty() {
        return Ok(());
    }
    let new = NewRevision {
        parent,
        author: "unknown".to_owned(),
        from: FROM_DISK.to_owned(),
        comment: "edited by hand".to_owned(),
        within_s: None,
        files: stored(&disk),
    };
    let id = inner.store.save_pending(&new, inner.now_ms()).await?;
    inner
        .store
        .mark_failed(
            id,
            "never applied; the next revision took its place on disk",
            parent,
        )
        .await?;
    Ok(())
}

/// A file set as the store keeps it.
pub(crate) fn stored(files: &FileSet) -> Vec<StoredFile> {
    let each = files.iter().map(|(name, bytes)| StoredFile {
        name: name.to_owned(),
        secret: files.is_secret(name),
        bytes: bytes.to_vec(),
    });
    each.collect()
}

/// A file set as the store kept it.
pub(crate) fn restored(files: Vec<StoredFile>) -> FileSet {
    files
        .into_iter()
        .map(|file| (file.name, file.bytes))
        .collect()
}

fn first_alert(report: &CheckReport) -> String {
    let alerts = report.count(Severity::Alert);
    let first = report
        .diagnostics
        .iter()
        .find(|found| found.severity == Severity::Alert);
    let Some(first) = first else {
        return String::new();
    };
    let sources = &report.sources;
    let line = sources.position(first.span.file, first.span.start).line;
    format!(
        "{alerts} alerts, first at {}:{line}: {}",
        sources.name(first.span.file),
        first.message
    )
}

impl Inner {
    /// The files of a revision.
    pub(crate) async fn files_of(&self, id: RevisionId) -> Result<FileSet, Error> {
        let files = self
            .store
            .files(id)
            .await?
            .ok_or(Error::NoSuchRevision(id))?;
        Ok(restored(files))
    }
}
