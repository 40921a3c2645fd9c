//! What people are shown before and after a change.

use std::sync::Arc;

use lanai_diagnostics::{Diagnostic, Severity, SourceMap};
use lanai_network::{Cut, Observed, Plan};
use lanai_store::{Revision, RevisionId};
use serde::{Deserialize, Serialize};

use crate::engine::EngineStatus;

/// What a check found. The texts are `services.cfg` and `haproxy.cfg`.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// The texts that the diagnostics point into.
    pub sources: Arc<SourceMap>,
    /// Everything found, file by file and from top to bottom.
    pub diagnostics: Vec<Diagnostic>,
}

impl CheckReport {
    /// Whether the files cannot be applied: something found is an alert.
    pub fn is_refused(&self) -> bool {
        self.count(Severity::Alert) > 0
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    }
}

/// What a change would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The check. If it is refused there is neither plan nor effects.
    pub report: CheckReport,
    /// What the files would change, against those on disk. Unchanged files are not in it.
    pub diff: Vec<FileDiff>,
    /// The network steps, each with its reason and line; `None` if it was refused.
    pub plan: Option<Plan>,
    /// What traffic would see; `None` if it was refused.
    pub effects: Option<Effects>,
    /// How it would cut off whoever asks. Applied all the same, it goes on trial.
    pub cuts: Vec<Cut>,
}

/// What a change means for traffic, against the running configuration. A listener is named
/// `frontend address[ interface DEV]`, a server `backend/server`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effects {
    /// New listeners.
    pub listeners_added: Vec<String>,
    /// Listeners that close; their open connections go on.
    pub listeners_removed: Vec<String>,
    /// Listeners that stay open.
    pub listeners_unchanged: usize,
    /// New servers.
    pub servers_added: Vec<String>,
    /// Servers that get no more traffic.
    pub servers_removed: Vec<String>,
    /// Servers whose address or settings change.
    pub servers_changed: Vec<String>,
    /// Servers that stay as they are.
    pub servers_unchanged: usize,
    /// Network steps.
    pub network_steps: usize,
}

/// What happens to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Its name.
    pub name: String,
    /// What happens.
    pub kind: FileDiffKind,
    /// The lines, as in a unified diff. Empty for secrets and for bytes that are no text.
    pub hunks: Vec<Hunk>,
    /// In place of lines, for a secret or bytes that are no text: the fingerprint before.
    pub before: Option<String>,
    /// The same after.
    pub after: Option<String>,
}

/// What happens to a file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileDiffKind {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Its content changes.
    Changed,
    /// It holds a private key and is added, removed or changed (see `before` and `after`).
    Secret,
}

/// Lines that change with three lines around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// `@@ -1,3 +1,4 @@`.
    pub header: String,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// ` ` for a line that stays, `-` for one that goes, `+` for one that comes.
    pub sign: char,
    /// The line without its end.
    pub text: String,
}

/// A change that is in effect.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The revision, now live; or on trial.
    pub revision: RevisionId,
    /// If it is on trial: until when.
    pub trial: Option<OnTrial>,
    /// The check, with its warnings.
    pub report: CheckReport,
    /// The network steps that were done.
    pub plan: Plan,
    /// What changed for traffic.
    pub effects: Effects,
    /// How it may cut off whoever asked for it, which put it on trial unless they insisted.
    pub cuts: Vec<Cut>,
    /// What the person should know although the change succeeded. Usually empty.
    pub notices: Vec<String>,
}

/// A revision on trial: in effect until its time is over or somebody confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnTrial {
    /// Which.
    pub revision: RevisionId,
    /// The live one, which comes back; `None` if there has been none yet.
    pub previous: Option<RevisionId>,
    /// The time it was given, in seconds.
    pub within_s: u64,
    /// What is left of it.
    pub left_s: u64,
    /// When it is over, in milliseconds since 1970 UTC.
    pub until_ms: i64,
}

/// A trial that somebody ended by taking it back.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// The revision that was on trial.
    pub revision: RevisionId,
    /// The live one, which is in effect again; `None` if there has been none yet.
    pub previous: Option<RevisionId>,
    /// The network steps that were done.
    pub plan: Plan,
    /// What changed for traffic.
    pub effects: Effects,
}

/// The state of the box.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The live revision: the one in effect, unless another is on trial; `None` before the first.
    pub live: Option<Revision>,
    /// The revision on trial.
    pub trial: Option<OnTrial>,
    /// Interfaces, addresses, routes; or why they cannot be read.
    pub network: Result<Observed, String>,
    /// Steps that would bring the network back to what the configuration says: somebody changed it.
    /// Empty is good.
    pub drift: Plan,
    /// What was put back since this process started.
    #[serde(default)]
    pub repairs: Repairs,
    /// What the engine tells; or why it does not.
    pub engine: Result<EngineStatus, String>,
    /// Who is changing the configuration right now.
    pub busy: Option<Holder>,
    /// What somebody should look at, such as files on disk that are not valid.
    pub notices: Vec<String>,
}

/// What became of changes that others made to what is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repairs {
    /// How often something was put back since this process started.
    pub count: u64,
    /// The latest, newest first; at most [`Repairs::KEPT`].
    pub latest: Vec<Repair>,
    /// Steps that would put back what somebody keeps changing: they wait, so that two who disagree
    /// do not keep the box busy.
    pub held: Vec<Held>,
}

impl Repairs {
    /// Repairs that are remembered.
    pub const KEPT: usize = 20;
}

/// Something that was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The steps.
    pub steps: Vec<String>,
    /// Why it failed, if it did.
    pub failed: Option<String>,
}

/// A step that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The step.
    pub step: String,
    /// When it is tried again at the latest, in milliseconds since 1970 UTC.
    pub until_ms: i64,
}

/// Who holds the lock of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub name: String,
    /// From where.
    pub from: String,
    /// Since when, in milliseconds since 1970 UTC.
    pub since_ms: i64,
}

/// What a boot did.
#[derive(Clone, Debug)]
pub struct BootReport {
    /// Where the running configuration came from.
    pub source: BootSource,
    /// The revision now live; `None` for an empty box that never had one.
    pub revision: Option<RevisionId>,
    /// The check of the files on disk.
    pub report: CheckReport,
    /// What did not work, for the log and the UI. Empty is good.
    pub problems: Vec<String>,
}

/// Where the configuration of a boot came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootSource {
    /// The files on disk, which are those of the live revision.
    Files,
    /// The files on disk, which somebody edited since: they are a new revision now.
    EditedFiles,
    /// The last live revision, since the files on disk are not valid or cannot be put to work.
    LastLive,
    /// The live revision, which ran before: what somebody has written into the files since was never
    /// applied.
    Kept,
    /// The revision on trial, whose time goes on.
    Trial,
    /// Nothing: there is no configuration yet, or none that is valid.
    Empty,
}
