//! A change on trial: in effect until its time is over, unless somebody confirms it.
//!
//! The host keeps the time, since it must also run when we are dead: before the first step is
//! executed it has on disk what it takes to go back. The history knows the trial from the moment its
//! change is in effect until it is over; the host a little longer on both sides.

mod found;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lanai_network::{Plan, Step};
use lanai_store::{Revision, RevisionId, RevisionState};
use tokio::time::Instant;

use crate::change::keep_edits;
use crate::effects::effects;
use crate::error::{ApplyError, Error};
use crate::files::FileSet;
use crate::host::{HostError, Trial, TrialState};
use crate::inner::{Inner, Running, locked};
use crate::report::{OnTrial, TakenBack};
use crate::road::{self, End, bare, not_restored, travel, travel_anyway};
use crate::settings::Author;
use crate::within::Within;

pub(crate) use found::{go_on, settle};

/// The host tells when the time is over. If no word has come this long after it, it is asked.
const LATE: Duration = Duration::from_secs(2);

/// A trial that is under way.
pub struct Window {
    revision: RevisionId,
    within: Within,
    since: Instant,
    ends: Instant,
    /// The live revision.
    live: Option<RevisionId>,
    /// What comes back.
    previous: Arc<Running>,
}

impl Window {
    /// The revision on trial.
    pub fn revision(&self) -> RevisionId {
        self.revision
    }

    /// When its change was in effect. What connects later proves that the box can be reached.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The files of what comes back.
    pub(crate) fn previous(&self) -> &FileSet {
        &self.previous.files
    }

    fn left_s(&self) -> u64 {
        // Rounded to the next second, so that there is something left as long as there is.
        let left = self.ends.saturating_duration_since(Instant::now());
        left.as_millis()
            .div_ceil(1000)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    pub(crate) fn view(&self, now_ms: i64) -> OnTrial {
        let left_s = self.left_s();
        let left_ms = i64::try_from(left_s)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
        OnTrial {
            revision: self.revision,
            previous: self.live,
            within_s: self.within.seconds(),
            left_s,
            until_ms: now_ms.saturating_add(left_ms),
        }
    }
}

/// Without the files, which may hold private keys.
impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("revision", &self.revision)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

/// The refusal of whoever wants to change something while a revision is on trial.
pub(crate) fn in_the_way(inner: &Inner) -> Option<ApplyError> {
    let window = inner.window()?;
    Some(ApplyError::OnTrial {
        revision: window.revision,
        left_s: window.left_s(),
    })
}

/// Before the first step of a trial: the host takes over the way back.
pub(crate) async fn begin(
    inner: &Inner,
    id: RevisionId,
    within: Within,
    plan: &Plan,
) -> Result<(), ApplyError> {
    let back = |steps: Vec<Step>| steps.iter().rev().map(Step::undo).collect();
    let trial = Trial {
        revision: id.0,
        within_s: within.seconds(),
        withdraw: back(bare(&plan.add)),
        restore: back(bare(&plan.remove)),
        previous: inner.running().files.clone(),
    };
    if let Err(error) = inner.host.begin_trial(&trial).await {
        // It may have begun, with only the answer lost.
        end(inner, id).await;
        return Err(ApplyError::Timer(error));
    }
    Ok(())
}

/// After the last step: the revision is on trial now, unless its time was over before that.
pub(crate) async fn enter(inner: &Inner, id: RevisionId, within: Within) -> Result<(), ApplyError> {
    let left_s = match inner.host.trial().await.map_err(ApplyError::Timer)? {
        Some(TrialState::Running { revision, left_s }) if revision == id.0 => left_s,
        Some(state) if state.revision() == id.0 => return Err(ApplyError::TooLate(id)),
        _ => {
            return Err(ApplyError::Timer(HostError(
                "it was lost meanwhile".to_owned(),
            )));
        }
    };
    let live = inner.store.live().await?.map(|(revision, _)| revision.id);
    inner.store.mark_trial(id).await?;
    open_window(inner, id, within, left_s, live, inner.running());
    Ok(())
}

/// A step of the change failed, and it was taken back. If the time was over in the midst of it, the
/// host went back too, each undoing what the other did: then what counts is where that led.
pub(crate) async fn came_to_nothing(
    inner: &Inner,
    id: RevisionId,
    mut error: ApplyError,
) -> ApplyError {
    if let Ok(Some(TrialState::Reverted { .. })) = inner.host.trial().await {
        let mut left = Vec::new();
        travel_anyway(inner, &inner.running(), &mut left).await;
        error = not_restored(ApplyError::TooLate(id), left);
    }
    end(inner, id).await;
    error
}

fn open_window(
    inner: &Inner,
    revision: RevisionId,
    within: Within,
    left_s: u64,
    live: Option<RevisionId>,
    previous: Arc<Running>,
) {
    let now = Instant::now();
    // A trial that is only taken up again was in effect all the time.
    let known = inner.window().filter(|known| known.revision == revision);
    inner.set_window(Some(Arc::new(Window {
        revision,
        within,
        since: known.map_or(now, |known| known.since),
        ends: now + Duration::from_secs(left_s),
        live,
        previous,
    })));
}

/// Tells the host to forget a trial. If it cannot be told, that is done before the next change.
pub(crate) async fn end(inner: &Inner, id: RevisionId) {
    let told = inner.host.end_trial(id.0).await;
    if let Err(error) = &told {
        tracing::warn!(%error, revision = %id, "the end of a trial could not be told");
    }
    *locked(&inner.unended) = told.err().map(|_| id);
}

/// Before another change: no former trial's time may run any more.
pub(crate) async fn clear(inner: &Inner) -> Result<(), ApplyError> {
    let unended = *locked(&inner.unended);
    if let Some(id) = unended {
        inner
            .host
            .end_trial(id.0)
            .await
            .map_err(ApplyError::Timer)?;
        *locked(&inner.unended) = None;
    }
    Ok(())
}

/// Makes the revision on trial the live one.
pub(crate) async fn confirm(
    inner: &Arc<Inner>,
    asked: Option<RevisionId>,
    author: &Author,
) -> Result<RevisionId, ApplyError> {
    let _turn = inner.turn(author).await.map_err(ApplyError::Busy)?;
    let window = asked_for(inner, asked)?;
    let id = window.revision;
    let kept = keep(inner, &window).await;
    let (word, detail) = match &kept {
        Ok(()) => ("confirm", format!("revision {id}")),
        Err(error) => ("confirm failed", format!("revision {id}: {error}")),
    };
    inner.note(author, word, &detail).await;
    kept.map(|()| id)
}

fn asked_for(inner: &Inner, asked: Option<RevisionId>) -> Result<Arc<Window>, ApplyError> {
    let window = inner.window();
    let on_trial = window.as_ref().map(|window| window.revision);
    window
        .filter(|window| asked.is_none_or(|asked| asked == window.revision))
        .ok_or(ApplyError::NotOnTrial { asked, on_trial })
}

/// What may fail for want of space fails before the time is stopped, and changes nothing. If the
/// files cannot be put in place after it, the previous revision comes back, as with any change.
async fn keep(inner: &Arc<Inner>, window: &Window) -> Result<(), ApplyError> {
    let id = window.revision;
    let target = inner.running();
    keep_edits(inner, &window.previous.files, &target.files, window.live).await?;
    let staged = road::stage(inner, &window.previous.files, &target.files).await?;
    if let Err(error) = inner.host.confirm_trial(id.0).await {
        match inner.host.trial().await {
            // Only the answer was lost.
            Ok(Some(TrialState::Confirmed { revision })) if revision == id.0 => {}
            Ok(Some(TrialState::Reverted { .. }) | None) => {
                expire(inner, id, window.within, &window.previous).await?;
                return Err(ApplyError::TooLate(id));
            }
            Ok(Some(_)) | Err(_) => return Err(ApplyError::Timer(error)),
        }
    }
    if let Err(cause) = road::commit(inner, &target, End::Install(id), Some(staged)).await {
        let why = cause.to_string();
        let mut left = Vec::new();
        if let Err(error) = travel(inner, &window.previous, End::Leave).await {
            left.push(error.to_string());
        }
        if let Err(error) = close(inner, id, &why).await {
            left.push(error.to_string());
        }
        return Err(not_restored(cause, left));
    }
    inner.set_window(None);
    inner.set_notices(Vec::new());
    end(inner, id).await;
    Ok(())
}

/// Takes the revision on trial back before its time is over.
pub(crate) async fn take_back(
    inner: &Arc<Inner>,
    asked: Option<RevisionId>,
    author: &Author,
) -> Result<TakenBack, ApplyError> {
    let _turn = inner.turn(author).await.map_err(ApplyError::Busy)?;
    let window = asked_for(inner, asked)?;
    let id = window.revision;
    let before = inner.running();
    let gone = match travel(inner, &window.previous, End::Leave).await {
        Ok(plan) => {
            let why = format!(
                "taken back by {} ({}) before it was confirmed",
                author.name, author.from
            );
            let closed = close(inner, id, &why).await;
            closed.map(|()| plan).map_err(ApplyError::from)
        }
        Err(error) => Err(error),
    };
    let (word, detail) = match &gone {
        Ok(_) => ("rollback", format!("revision {id}, which was on trial")),
        Err(error) => (
            "rollback failed",
            format!("revision {id}, on trial: {error}"),
        ),
    };
    inner.note(author, word, &detail).await;
    let plan = gone?;
    inner.set_notices(Vec::new());
    Ok(TakenBack {
        revision: id,
        previous: window.live,
        effects: effects(&before.model.config, &window.previous.model.config, &plan),
        plan,
    })
}

/// The time of a trial is over, as the host tells. Does nothing for one that is not on trial (any
/// more).
pub(crate) async fn reverted(inner: &Arc<Inner>, id: RevisionId) -> Result<(), Error> {
    let _turn = inner.turn_in_time(&Author::new("lanai", "timer")).await;
    let on_trial = inner.store.on_trial().await?;
    let Some(revision) = on_trial.filter(|revision| revision.id == id) else {
        end(inner, id).await;
        return Ok(());
    };
    let previous = match inner.window().filter(|window| window.revision == id) {
        Some(window) => Arc::clone(&window.previous),
        None => previous_of(inner).await?,
    };
    expire(inner, id, given(&revision), &previous).await
}

/// The host went back already, so this usually finds nothing to do; it is done all the same, since
/// a host that lost the time went nowhere.
async fn expire(
    inner: &Inner,
    id: RevisionId,
    within: Within,
    previous: &Arc<Running>,
) -> Result<(), Error> {
    let mut notices = vec![format!("revision {id} was {}", not_confirmed(within))];
    travel_anyway(inner, previous, &mut notices).await;
    close(inner, id, &not_confirmed(within)).await?;
    inner.set_notices(notices);
    let author = Author::new("lanai", "timer");
    let detail = format!("revision {id} was {}", not_confirmed(within));
    inner.note(&author, "trial over", &detail).await;
    Ok(())
}

fn not_confirmed(within: Within) -> String {
    format!("not confirmed within {within}: the previous revision is back")
}

/// A trial that came to nothing: so the history says, then the host may forget it.
async fn close(inner: &Inner, id: RevisionId, why: &str) -> Result<(), Error> {
    let live = inner.store.live().await?.map(|(revision, _)| revision.id);
    inner.store.mark_failed(id, why, live).await?;
    inner.set_window(None);
    end(inner, id).await;
    Ok(())
}

/// The time a revision was given. The table holds no other numbers than we put there.
fn given(revision: &Revision) -> Within {
    match revision.state {
        RevisionState::Trial { within_s } => Within::try_from(within_s).unwrap_or(Within::MAX),
        _ => Within::MAX,
    }
}

/// The live revision as something to run; nothing at all if there is none, or none that is valid.
async fn previous_of(inner: &Arc<Inner>) -> Result<Arc<Running>, Error> {
    let Some((live, _)) = inner.store.live().await? else {
        return Ok(Arc::default());
    };
    let files = inner.files_of(live.id).await?;
    let (files, _, model) = inner.examine(files).await?;
    Ok(model.map_or_else(Arc::default, |model| Arc::new(Running::of(files, model))))
}

/// Never ends. Sees to it that a trial whose time is over is taken back here too, even if the
/// host's word about it got lost, or the host lost the trial.
pub(crate) async fn watch(inner: &Arc<Inner>) {
    let mut windows = inner.windows();
    loop {
        let open = windows.borrow_and_update().clone();
        let Some(window) = open else {
            // It cannot fail: the sender is ours.
            let _ = windows.changed().await;
            continue;
        };
        let changed = tokio::time::timeout_at(window.ends + LATE, windows.changed());
        if changed.await.is_ok() {
            continue;
        }
        let id = window.revision;
        match inner.host.trial().await {
            Ok(Some(TrialState::Running { revision, .. })) if revision == id.0 => {}
            // Also one whose confirmation was refused here, and that the host has confirmed all the
            // same; a confirmation that is under way is waited for.
            Ok(_) => {
                if let Err(error) = reverted(inner, id).await {
                    tracing::error!(%error, revision = %id, "a trial that is over cannot be noted");
                }
            }
            Err(error) => tracing::warn!(%error, "nobody tells how the trial stands"),
        }
        tokio::time::sleep(LATE).await;
    }
}
