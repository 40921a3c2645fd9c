//! What a boot finds of a trial, and what becomes of it.
//!
//! What stands in the history and what the host says are two records of one trial. The order in
//! which they are written makes any death between two of them one that [`settle`] knows:
//!
//! | history  | host      | what happened                            | then                     |
//! |----------|-----------|------------------------------------------|--------------------------|
//! | on trial | running   | only we died                             | the trial goes on        |
//! | on trial | confirmed | died while the files were put in place   | that is finished         |
//! | on trial | reverted  | the time was over                        | the live one; failed     |
//! | on trial | nothing   | the box was restarted                    | the live one; failed     |
//! | other    | anything  | died at the beginning or at the end      | the live one; forgotten  |

use std::sync::Arc;

use lanai_store::RevisionId;

use super::{close, end, given, not_confirmed, open_window, previous_of};
use crate::error::Error;
use crate::host::TrialState;
use crate::inner::{Inner, Running};
use crate::road::travel_anyway;
use crate::within::Within;

/// A trial that a boot found under way.
pub(crate) struct Found {
    revision: RevisionId,
    within: Within,
    left_s: u64,
    target: Arc<Running>,
}

/// At a boot: brings history and host to one opinion (see the table at the top). A trial that goes
/// on is returned; whatever else was, a boot goes on from the live revision.
pub(crate) async fn settle(
    inner: &Arc<Inner>,
    problems: &mut Vec<String>,
) -> Result<Option<Found>, Error> {
    let asked = inner.host.trial().await;
    let on_trial = inner.store.on_trial().await?;
    let state = match &asked {
        Ok(state) => *state,
        Err(error) => {
            problems.push(format!(
                "whether a revision is on trial cannot be told: {error}"
            ));
            None
        }
    };
    let Some(revision) = on_trial else {
        if let Some(state) = state {
            end(inner, RevisionId(state.revision())).await;
        }
        inner.set_window(None);
        return Ok(None);
    };
    let id = revision.id;
    let within = given(&revision);
    let why = match state.filter(|state| state.revision() == id.0) {
        Some(TrialState::Running { left_s, .. }) => {
            let files = inner.files_of(id).await?;
            let (files, _, model) = inner.examine(files).await?;
            if let Some(model) = model {
                return Ok(Some(Found {
                    revision: id,
                    within,
                    left_s,
                    target: Arc::new(Running::of(files, model)),
                }));
            }
            "it is not valid for this version of the program".to_owned()
        }
        Some(TrialState::Confirmed { .. }) => {
            // The boot goes on to put its files in place, as after any death at that point.
            inner.store.mark_live(id).await?;
            inner.set_window(None);
            end(inner, id).await;
            return Ok(None);
        }
        Some(TrialState::Reverted { .. }) => not_confirmed(within),
        None if asked.is_err() => {
            "nobody could tell whether it was confirmed: the previous revision is back".to_owned()
        }
        None => "the box was restarted before it was confirmed: the previous revision is back"
            .to_owned(),
    };
    problems.push(format!("revision {id} is not in effect: {why}"));
    close(inner, id, &why).await?;
    if let Some(other) = state.filter(|state| state.revision() != id.0) {
        end(inner, RevisionId(other.revision())).await;
    }
    Ok(None)
}

/// Goes on with a trial that a boot found: the box is brought to it, and no file is touched.
pub(crate) async fn go_on(
    inner: &Arc<Inner>,
    found: Found,
    problems: &mut Vec<String>,
) -> Result<RevisionId, Error> {
    let previous = previous_of(inner).await?;
    let live = inner.store.live().await?.map(|(revision, _)| revision.id);
    travel_anyway(inner, &found.target, problems).await;
    open_window(
        inner,
        found.revision,
        found.within,
        found.left_s,
        live,
        previous,
    );
    Ok(found.revision)
}
