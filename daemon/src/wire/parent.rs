//! What the children ask of the parent, on `parent.sock`.
//!
//! A child's first connection is its attendance: it begins with [`Question::Attend`] and lasts as
//! long as both sides live. What the child wants kept for its successor travels on it, in order, and
//! the parent may push an [`Event`]. Listening sockets travel as descriptors of a frame.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lanai_control::TrialState;
use lanai_network::{Facts, Observed, Step, Sysctl};
use serde::{Deserialize, Serialize};

use super::files::Files;

/// Name of the socket in the run directory.
pub(crate) const SOCKET: &str = "parent.sock";

/// Which child is speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// `lanai control`.
    Control,
    /// `lanai proxy` as the daemon's engine.
    Engine,
}

/// How far a child that attends has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It has just been started, and wants what its predecessor left.
    Fresh,
    /// It was at work under a parent that is gone, and hands over what is to be kept.
    Working,
    /// It was about to succeed another one under a parent that is gone. What it hands over may not be
    /// the latest.
    Succeeding,
    /// It only finishes its connections: a successor is at work.
    Finishing,
}

/// A question of a child, or of root.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// "I am up", the first word of an attendance.
    Attend { role: Role, stage: Stage },
    /// The listening sockets kept for this role, from number `from` on.
    Held { from: usize },
    /// Keep copies of these sockets under these names; they come with the frame, in this order.
    Hold { names: Vec<String> },
    /// Keep these only, and close the others.
    Retain { names: Vec<String> },
    /// This configuration took effect, and names of servers resolved to these addresses. Engine only.
    Running {
        files: Files,
        #[serde(default)]
        addresses: BTreeMap<String, IpAddr>,
    },
    /// The runtime API line that sets this again, or nothing where the configuration counts again.
    /// Engine only.
    Override {
        key: String,
        command: Option<String>,
    },
    /// "That was all that is to be kept", after an attendance under a new parent began.
    HandedOver,
    /// "I am well", at least every [`HEARTBEAT_MS`].
    Alive,
    /// "I serve: my predecessor may finish." With the [`Left::version`] that this engine began with.
    /// Answered by [`Reply::TakenOver`] once the predecessor does not listen any more. Until then what
    /// runs and what is set at run time is the predecessor's. Engine only.
    TakeOver { began: u64 },
    /// "I cannot serve what my predecessor serves: it may go on." Engine only.
    GiveUp { why: String },
    /// "I do not listen any more." Engine only.
    Finishing,
    /// Start another engine in my place: what changed concerns a process as a whole. Engine only.
    Replace,
    /// The kernel's network state. Control only.
    Observe,
    /// The same, with these settings beside those that are always looked at. Control only.
    ObserveWith { asked: Vec<Sysctl> },
    /// What kernel and processes can do. Control only.
    Probe,
    /// Do these steps, or none of them. Control only.
    Execute { steps: Vec<Step> },
    /// Do these steps, which bring the network back to what is configured, if this revision is on
    /// trial, or none if there is no number. Control only.
    Repair {
        steps: Vec<Step>,
        trial: Option<i64>,
    },
    /// A configuration is in effect: the service is up. Control only.
    Live,
    /// Put the previous configuration back unless this is confirmed in time. Control only.
    BeginTrial { trial: Box<Trial> },
    /// How the trial stands. Control only.
    Trial,
    /// The revision on trial stays. Control only.
    ConfirmTrial { revision: i64 },
    /// Everything is in place, or taken back. Control only.
    EndTrial { revision: i64 },
    /// Run the program file that is installed now, all three processes. Root only. The connection
    /// ends without an answer when it is done; [`Question::Settled`] tells the rest.
    Upgrade,
    /// Answered when both children are at work and no successor is on its way. Root only.
    Settled,
}

/// [`lanai_control::Trial`] as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// The revision on trial.
    pub(crate) revision: i64,
    /// Seconds until the previous configuration comes back.
    pub(crate) within_s: u64,
    /// Takes back what the change adds to the network; to be done last.
    pub(crate) withdraw: Vec<Step>,
    /// Brings back what the change removes from it; to be done first.
    pub(crate) restore: Vec<Step>,
    /// The files of the previous configuration, for the engine.
    pub(crate) previous: Files,
}

impl From<&lanai_control::Trial> for Trial {
    fn from(trial: &lanai_control::Trial) -> Trial {
        Trial {
            revision: trial.revision,
            within_s: trial.within_s,
            withdraw: trial.withdraw.clone(),
            restore: trial.restore.clone(),
            previous: Files(trial.previous.clone()),
        }
    }
}

/// The pause between two signs of life of a child, in milliseconds.
pub(crate) const HEARTBEAT_MS: u64 = 500;

/// The parent's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Done.
    Done,
    /// To [`Question::Attend`]. The socket on which the child answers comes with the frame.
    Welcome {
        /// What is kept for it.
        #[serde(flatten)]
        left: Left,
        /// The digest of what the engine was last told to run, for control.
        #[serde(default)]
        in_effect: Option<String>,
        /// The predecessor is still at work, and goes on until this one serves.
        #[serde(default)]
        at_work: bool,
    },
    /// To [`Question::TakeOver`]: what is kept now. Without sockets, files and addresses where they are
    /// what the engine began with.
    TakenOver(Left),
    /// To [`Question::Held`]: names of the sockets that come with the frame.
    Held { names: Vec<String> },
    /// To [`Question::Observe`].
    Observed(Box<Observed>),
    /// To [`Question::Probe`].
    Probed(Box<Facts>),
    /// To [`Question::Trial`].
    Trial(Option<TrialState>),
    /// To [`Question::Settled`].
    Settled {
        /// Which version the parent is.
        version: String,
        /// Why the new engine did not take the place of the former one, which goes on.
        #[serde(default)]
        failed: Option<String>,
    },
    /// Not done, and nothing changed.
    Failed { message: String },
    /// No answer at all, but news for a child that attends.
    Event(Event),
}

/// What a predecessor left.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Left {
    /// Another one whenever sockets, files or addresses have changed.
    #[serde(default)]
    pub(crate) version: u64,
    /// Listening sockets, to be fetched by [`Question::Held`].
    pub(crate) held: usize,
    /// The configuration that was in effect last, for an engine.
    pub(crate) files: Option<Files>,
    /// What names of servers resolved to then.
    #[serde(default)]
    pub(crate) addresses: BTreeMap<String, IpAddr>,
    /// Runtime API lines to run again once it is in effect, by what they set.
    pub(crate) overrides: BTreeMap<String, String>,
}

/// What the parent tells of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Nobody confirmed this revision in time; the previous one is in effect again. Control only.
    Reverted {
        /// Its number.
        revision: i64,
    },
    /// The network may not be what it was. Control only.
    NetworkChanged,
}
