//! Putting back what others change of what is configured: a route deleted by hand, the routes that a
//! link took along when it went down, a setting, our table of rules.
//!
//! It is the plan of every change, between what runs and what is observed; so it removes nothing that
//! is not ours, and finds nothing to do where nothing was changed. What somebody keeps changing is put
//! back a few times at once and then seldom ([`damper`]).

mod damper;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lanai_network::{PlannedStep, Step, plan};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::inner::{Inner, locked};
use crate::report::{Held, Holder, Repair, Repairs};
use crate::settings::Author;

use self::damper::Damper;

/// How long a change waits for a repair that is under way.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Not everything is told: it is looked at this often in any case.
const LOOK: Duration = Duration::from_secs(30);

/// The pause after a look, as a multiple of what the look took: somebody who changes much of what is
/// not ours, such as a routing daemon, must not keep us looking all the time.
const REST: u32 = 4;

/// A step that failed is tried again after this time.
const RETRY: Duration = Duration::from_secs(5);

/// Who repairs.
const NAME: &str = "lanai";
const FROM: &str = "repair";

/// Who repairs, for the right to change things.
pub(crate) fn author() -> Author {
    Author::new(NAME, FROM)
}

/// Whether it is a repair that holds the right to change things.
pub(crate) fn is_by(holder: &Holder) -> bool {
    holder.name == NAME && holder.from == FROM
}

/// What is known of repairs.
#[derive(Default)]
pub(crate) struct Keeper {
    /// Told when there may be something to do.
    asked: watch::Sender<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    count: u64,
    latest: Vec<Repair>,
    held: Vec<Held>,
}

impl Keeper {
    /// Something may have changed.
    pub(crate) fn look(&self) {
        self.asked.send_replace(());
    }

    pub(crate) fn report(&self) -> Repairs {
        let state = locked(&self.state);
        Repairs {
            count: state.count,
            latest: state.latest.clone(),
            held: state.held.clone(),
        }
    }

    fn note(&self, repair: Repair) {
        let mut state = locked(&self.state);
        if repair.failed.is_none() {
            state.count = state.count.saturating_add(1);
        }
        state.latest.insert(0, repair);
        state.latest.truncate(Repairs::KEPT);
    }
}

/// Never ends.
pub(crate) async fn keep(inner: &Arc<Inner>) {
    let mut asked = inner.repairs.asked.subscribe();
    let mut damper = Damper::default();
    let began = Instant::now();
    loop {
        asked.mark_unchanged();
        let looked = Instant::now();
        let next = look(inner, &mut damper, began).await;
        let rest = looked.elapsed().saturating_mul(REST).min(LOOK);
        tokio::time::sleep(rest).await;
        // The sender is ours.
        let _ = tokio::time::timeout(next.saturating_sub(rest), asked.changed()).await;
    }
}

/// Looks, and repairs what is to be repaired now; tells when to look again at the latest.
async fn look(inner: &Arc<Inner>, damper: &mut Damper, began: Instant) -> Duration {
    // Before it, what is running is not known, and everything would be taken for stale.
    if inner.after_boot().await.is_err() || drifted(inner).await.is_empty() {
        locked(&inner.repairs.state).held.clear();
        return LOOK;
    }
    let _turn = inner.turn_in_time(&author()).await;
    // A change may have been what it was.
    let drift = drifted(inner).await;
    if drift.is_empty() {
        return LOOK;
    }
    let now = began.elapsed();
    let (mut due, mut held) = (Vec::new(), Vec::new());
    for planned in &drift {
        match damper.ask(&key(&planned.step), now) {
            Ok(()) => due.push(planned.step.clone()),
            Err(wait) => held.push((planned, wait)),
        }
    }
    let next = held.iter().map(|(_, wait)| *wait).min().unwrap_or(LOOK);
    note_held(inner, &held);
    if due.is_empty() {
        return next.min(LOOK);
    }
    let failed = execute(inner, &due).await;
    let steps: Vec<String> = due.iter().map(ToString::to_string).collect();
    let told = steps.join("; ");
    match &failed {
        None => tracing::warn!("repaired: the network was not as configured: {told}"),
        Some(why) => tracing::error!("cannot repair the network: {told}: {why}"),
    }
    let author = author();
    let word = if failed.is_none() {
        "repair"
    } else {
        "repair failed"
    };
    inner.note(&author, word, &told).await;
    let next = if failed.is_some() {
        next.min(RETRY)
    } else {
        next
    };
    inner.repairs.note(Repair {
        at_ms: inner.now_ms(),
        steps,
        failed,
    });
    next.min(LOOK)
}

/// What would bring the network back; nothing if it cannot be read, which others complain about.
async fn drifted(inner: &Inner) -> Vec<PlannedStep> {
    let running = inner.running();
    if running.unread {
        return Vec::new();
    }
    let desired = running.model.desired();
    match inner.host.observe(&desired.asked()).await {
        Ok(observed) => {
            let plan = plan(&desired, &observed);
            plan.add.into_iter().chain(plan.remove).collect()
        }
        Err(error) => {
            tracing::debug!(%error, "the network cannot be read");
            Vec::new()
        }
    }
}

/// What makes two steps the same one: not what was found, which may be another value each time.
fn key(step: &Step) -> String {
    match step {
        Step::SetSysctl { sysctl, .. } => sysctl.to_string(),
        Step::SetSystem { part, .. } => part.to_string(),
        other => other.to_string(),
    }
}

/// All at once; if that fails, each for itself, so that one step that cannot be done keeps no other
/// from being done.
async fn execute(inner: &Inner, steps: &[Step]) -> Option<String> {
    let trial = inner.window().map(|window| window.revision().0);
    let first = inner.host.repair(steps, trial).await.err()?;
    let mut failed = Vec::new();
    if let [_] = steps {
        failed.push(first.to_string());
    } else {
        for step in steps {
            let done = inner.host.repair(std::slice::from_ref(step), trial).await;
            failed.extend(done.err().map(|error| error.to_string()));
        }
    }
    (!failed.is_empty()).then(|| failed.join("; "))
}

/// Says once of each step that it waits, and for how long.
fn note_held(inner: &Inner, held: &[(&PlannedStep, Duration)]) {
    let now_ms = inner.now_ms();
    let mut state = locked(&inner.repairs.state);
    let before = std::mem::take(&mut state.held);
    for (planned, wait) in held {
        let step = planned.step.to_string();
        if !before.iter().any(|other| other.step == step) {
            tracing::warn!(
                "somebody keeps changing what is configured; in {} s again: {step}",
                wait.as_secs()
            );
        }
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        state.held.push(Held {
            step,
            until_ms: now_ms.saturating_add(wait_ms),
        });
    }
}
