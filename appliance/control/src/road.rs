//! The road of a change, one way for all: apply, rollback and boot. And the way back.
//!
//! Out: observe, plan; stage the files; add to the network; let the engine prepare; swap; remove
//! from the network what is stale; plan again; mark live; put the files in place. Up to the swap
//! nothing that runs has changed, and what a listener needs is there before it and goes after it.
//!
//! A change on trial ends before "mark live", and the host has the way back on disk before the first
//! step. The rest of it is in `trial`.
//!
//! Back, after a failure: the same road in reverse. What was removed from the network comes back
//! first, so that the engine can bind the previous configuration; then the engine swaps; then what
//! was added goes.

use std::collections::HashSet;
use std::sync::Arc;

use lanai_network::{Observed, Plan, PlannedStep, Step, Sysctl, plan};
use lanai_store::{Revision, RevisionId};

use crate::disk::{DiskError, Staged};
use crate::error::ApplyError;
use crate::files::FileSet;
use crate::inner::{Inner, Running, Undone};
use crate::trial;
use crate::within::Within;

/// How a journey ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The revision becomes live and its files are put in place.
    Install(RevisionId),
    /// The revision becomes live; its files are where they belong.
    Mark(RevisionId),
    /// The revision is on trial for this time: no file is touched, and the live one stays so.
    Trial(RevisionId, Within),
    /// The history stays as it is: whoever sent us there writes it.
    Leave,
}

/// Brings the box to `target`, or back to where it was.
pub(crate) async fn travel(
    inner: &Inner,
    target: &Arc<Running>,
    end: End,
) -> Result<Plan, ApplyError> {
    let previous = inner.running();
    let desired = target.model.desired();
    let mut asked = desired.asked();
    // What the previous configuration asked for is to be compared if all is taken back.
    asked.extend(previous.model.desired().asked());
    let before = inner.host.observe(&asked).await;
    let before = before.map_err(ApplyError::Network)?;
    let plan = plan(&desired, &before);
    if !plan.problems.is_empty() {
        return Err(ApplyError::Plan(plan));
    }
    let staged = match end {
        End::Install(_) => Some(stage(inner, &previous.files, &target.files).await?),
        End::Mark(_) | End::Trial(..) | End::Leave => None,
    };
    if let End::Trial(id, within) = end {
        trial::begin(inner, id, within, &plan).await?;
    }
    let mut back = Back::new(previous, before, asked);
    let done = match forward(inner, target, &plan, &mut back).await {
        Ok(()) => commit(inner, target, end, staged).await,
        failed => failed,
    };
    if let Err(cause) = done {
        let error = back.travel(inner, cause).await;
        return Err(match end {
            End::Trial(id, _) => trial::came_to_nothing(inner, id, error).await,
            _ => error,
        });
    }
    inner.set_running(Arc::clone(target));
    Ok(plan)
}

/// Brings the box as near to `target` as it goes, for a boot: what does not work is left out and
/// noted. The alternative would be a box without a UI to mend it in.
pub(crate) async fn travel_anyway(
    inner: &Inner,
    target: &Arc<Running>,
    problems: &mut Vec<String>,
) {
    inner.set_running(Arc::clone(target));
    let mut undone = Undone::default();
    undone.engine = !go_as_far_as_it_goes(inner, target, &mut undone.problems).await;
    problems.extend(undone.problems.iter().cloned());
    inner.set_undone(undone);
}

/// Whether the engine runs it.
async fn go_as_far_as_it_goes(inner: &Inner, target: &Running, problems: &mut Vec<String>) -> bool {
    let desired = target.model.desired();
    let found = match inner.host.observe(&desired.asked()).await {
        Ok(observed) => plan(&desired, &observed),
        Err(error) => {
            problems.push(format!("the network cannot be read: {error}"));
            Plan::default()
        }
    };
    problems.extend(
        found
            .problems
            .iter()
            .map(|problem| format!("{}: {problem}", problem.origin())),
    );
    execute_each(inner, &found.add, problems).await;
    if let Err(error) = inner.engine.prepare(&target.files).await {
        inner.engine.abort().await;
        problems.push(format!(
            "the proxy engine cannot run this configuration: {error}"
        ));
        return false;
    }
    if let Err(error) = inner.engine.swap().await {
        problems.push(error.to_string());
        return false;
    }
    execute_each(inner, &found.remove, problems).await;
    true
}

/// All steps at once; if that fails, each for itself.
async fn execute_each(inner: &Inner, steps: &[PlannedStep], problems: &mut Vec<String>) {
    if steps.is_empty() || inner.host.execute(&bare(steps)).await.is_ok() {
        return;
    }
    for step in bare(steps) {
        if let Err(error) = inner.host.execute(std::slice::from_ref(&step)).await {
            problems.push(format!("the network: {error}"));
        }
    }
}

async fn forward(
    inner: &Inner,
    target: &Running,
    plan: &Plan,
    back: &mut Back,
) -> Result<(), ApplyError> {
    back.added = back.execute(inner, &plan.add).await?;
    if let Err(error) = inner.engine.prepare(&target.files).await {
        inner.engine.abort().await;
        return Err(ApplyError::Prepare(error));
    }
    back.swap_asked = true;
    inner.engine.swap().await.map_err(ApplyError::Engine)?;
    back.removed = back.execute(inner, &plan.remove).await?;
    let desired = target.model.desired();
    let after = inner.host.observe(&desired.asked()).await;
    let after = after.map_err(ApplyError::Network)?;
    let rest = lanai_network::plan(&desired, &after);
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ApplyError::NotSteady(rest))
    }
}

/// Marks the revision live, which is the point of no return for a crash: from here on a boot
/// brings the new files. A failure that we live to see is still taken back.
pub(crate) async fn commit(
    inner: &Inner,
    target: &Running,
    end: End,
    staged: Option<Staged>,
) -> Result<(), ApplyError> {
    let id = match end {
        End::Install(id) | End::Mark(id) => id,
        End::Trial(id, within) => return trial::enter(inner, id, within).await,
        End::Leave => return Ok(()),
    };
    let live = inner.store.live().await?;
    let previous = live.as_ref().map(|(revision, _)| revision.id);
    let disk = inner.disk.clone();
    let before = inner
        .blocking(move || disk.read())
        .await?
        .map_err(files_failed)?;
    if let Err(error) = inner.store.mark_live(id).await {
        return Err(unmark(inner, id, live, error.into()).await);
    }
    if let Some(staged) = staged
        && let Err(failed) = inner.blocking(move || staged.install()).await?
    {
        return Err(uninstall(inner, id, previous, target, before, failed).await);
    }
    if let Err(error) = inner.store.mark_installed(id).await {
        // The next boot compares the files, finds them in place, and notes it then.
        tracing::warn!(%error, revision = %id, "cannot note that the files are in place");
    }
    Ok(())
}

/// Takes back a mark that could not be made. It may be on disk all the same: where only the last
/// `fsync` failed, the next start finds it complete, unless something is written over it.
async fn unmark(
    inner: &Inner,
    id: RevisionId,
    live: Option<(Revision, bool)>,
    cause: ApplyError,
) -> ApplyError {
    let mut left = Vec::new();
    let previous = live.as_ref().map(|(revision, _)| revision.id);
    let marked = inner
        .store
        .mark_failed(id, &cause.to_string(), previous)
        .await;
    if let Err(error) = marked {
        left.push(format!(
            "the history may say that revision {id} is live, and the next start applies it then: {error}"
        ));
    } else if let Some((previous, true)) = live
        && let Err(error) = inner.store.mark_installed(previous.id).await
    {
        tracing::warn!(%error, revision = %previous.id, "cannot note that the files are in place");
    }
    not_restored(cause, left)
}

/// Puts the files back that were on disk before an installation that failed half-way.
async fn uninstall(
    inner: &Inner,
    id: RevisionId,
    previous: Option<RevisionId>,
    target: &Running,
    before: FileSet,
    failed: DiskError,
) -> ApplyError {
    let why = format!("{}: {}", failed.path.display(), failed.source);
    let mut left = Vec::new();
    // First, so that a crash from here on brings the previous files.
    if let Err(error) = inner.store.mark_failed(id, &why, previous).await {
        left.push(format!(
            "the history still says that revision {id} is live: {error}"
        ));
    }
    let disk = inner.disk.clone();
    let target = target.files.clone();
    let restored = inner
        .blocking(move || disk.stage(&target, &before)?.install())
        .await;
    match restored {
        Ok(Ok(())) => {
            if let Some(previous) = previous
                && let Err(error) = inner.store.mark_installed(previous).await
            {
                tracing::warn!(%error, revision = %previous, "cannot note that the files are in place");
            }
        }
        Ok(Err(error)) => left.push(format!(
            "{} is not as it was: {}",
            error.path.display(),
            error.source
        )),
        Err(error) => left.push(format!("the files are not as they were: {error}")),
    }
    not_restored(files_failed(failed), left)
}

/// What it takes to go back.
struct Back {
    previous: Arc<Running>,
    before: Observed,
    /// Settings that were looked at beside the usual ones.
    asked: Vec<Sysctl>,
    /// Steps that were asked for and did not succeed. A host undoes what it began.
    failed: Vec<Step>,
    added: Vec<Step>,
    swap_asked: bool,
    removed: Vec<Step>,
}

impl Back {
    fn new(previous: Arc<Running>, before: Observed, asked: Vec<Sysctl>) -> Self {
        Self {
            previous,
            before,
            asked,
            failed: Vec::new(),
            added: Vec::new(),
            swap_asked: false,
            removed: Vec::new(),
        }
    }

    /// Executes steps of a plan, and tells whether they are done.
    async fn execute(
        &mut self,
        inner: &Inner,
        steps: &[PlannedStep],
    ) -> Result<Vec<Step>, ApplyError> {
        let steps = bare(steps);
        if !steps.is_empty()
            && let Err(error) = inner.host.execute(&steps).await
        {
            self.failed = steps;
            return Err(ApplyError::Network(error));
        }
        Ok(steps)
    }

    /// Goes back, and returns the cause with what could not be put back, if anything.
    async fn travel(self, inner: &Inner, cause: ApplyError) -> ApplyError {
        let mut left = Vec::new();
        take_back(inner, &self.removed, &mut left).await;
        if self.swap_asked
            && let Err(error) = self.restore_engine(inner).await
        {
            left.push(format!(
                "the proxy engine does not run the previous configuration: {error}"
            ));
            // What was added stays: it may be what the traffic of the new configuration needs.
            return not_restored(cause, left);
        }
        take_back(inner, &self.added, &mut left).await;
        if let Err(error) = self.compare(inner).await {
            left.push(error);
        }
        not_restored(cause, left)
    }

    async fn restore_engine(&self, inner: &Inner) -> Result<(), String> {
        if let Err(error) = inner.engine.prepare(&self.previous.files).await {
            inner.engine.abort().await;
            return Err(error.to_string());
        }
        inner.engine.swap().await.map_err(|error| error.to_string())
    }

    /// Whether the network is as before. If not, a host may not have undone what it began: then
    /// each of those steps is taken back for itself, which fails for those that never came to be.
    /// What others changed meanwhile is not ours, as long as the configuration lacks what it lacked.
    async fn compare(&self, inner: &Inner) -> Result<(), String> {
        let mut now = observe(inner, &self.asked).await?;
        if same(&now, &self.before) {
            return Ok(());
        }
        for step in self.failed.iter().rev() {
            let undone = inner.host.execute(&[step.undo()]).await;
            tracing::warn!(%step, ?undone, "took back a step that had failed");
        }
        now = observe(inner, &self.asked).await?;
        let desired = self.previous.model.desired();
        let rest = plan(&desired, &now);
        if same(&now, &self.before) || rest == plan(&desired, &self.before) {
            return Ok(());
        }
        let steps: Vec<String> = rest.steps().map(ToString::to_string).collect();
        Err(format!(
            "the network is not as it was; to get there: {}",
            steps.join("; ")
        ))
    }
}

async fn observe(inner: &Inner, asked: &[Sysctl]) -> Result<Observed, String> {
    let observed = inner.host.observe(asked).await;
    observed.map_err(|error| format!("the network cannot be read: {error}"))
}

/// Whether two observations tell of the same state, apart from order and from what comes and goes by
/// itself (carrier, duplicate address detection).
fn same(one: &Observed, other: &Observed) -> bool {
    let links = |it: &Observed| -> HashSet<_> {
        it.links
            .iter()
            .map(|link| (link.name.clone(), link.up))
            .collect()
    };
    let addresses = |it: &Observed| -> HashSet<_> {
        it.addresses
            .iter()
            .map(|it| (it.address.clone(), it.protocol))
            .collect()
    };
    let routes = |it: &Observed| -> HashSet<_> {
        it.routes
            .iter()
            .map(|it| (it.route.clone(), it.protocol))
            .collect()
    };
    links(one) == links(other)
        && addresses(one) == addresses(other)
        && routes(one) == routes(other)
        && one.sysctls == other.sysctls
        && one.system == other.system
}

async fn take_back(inner: &Inner, done: &[Step], left: &mut Vec<String>) {
    if done.is_empty() {
        return;
    }
    let undo: Vec<Step> = done.iter().rev().map(Step::undo).collect();
    if let Err(error) = inner.host.execute(&undo).await {
        left.push(format!("the network: {error}"));
    }
}

pub(crate) async fn stage(
    inner: &Inner,
    before: &FileSet,
    after: &FileSet,
) -> Result<Staged, ApplyError> {
    let disk = inner.disk.clone();
    let (before, after) = (before.clone(), after.clone());
    inner
        .blocking(move || disk.stage(&before, &after))
        .await?
        .map_err(files_failed)
}

pub(crate) fn bare(steps: &[PlannedStep]) -> Vec<Step> {
    steps.iter().map(|planned| planned.step.clone()).collect()
}

fn files_failed(DiskError { path, source }: DiskError) -> ApplyError {
    ApplyError::Files { path, source }
}

pub(crate) fn not_restored(cause: ApplyError, mut left: Vec<String>) -> ApplyError {
    match cause {
        cause if left.is_empty() => cause,
        ApplyError::NotRestored {
            cause,
            left: earlier,
        } => {
            left.splice(0..0, earlier);
            ApplyError::NotRestored { cause, left }
        }
        cause => ApplyError::NotRestored {
            cause: Box::new(cause),
            left,
        },
    }
}
