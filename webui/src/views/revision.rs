//! An entry of the history.

use lanai_control::{Revision, RevisionState};

use crate::page::State;

use super::numbers::{ago, instant};

/// A revision for people.
pub(crate) struct RevisionView {
    pub(crate) id: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) comment: String,
    pub(crate) author: String,
    pub(crate) from: String,
    pub(crate) iso: String,
    pub(crate) when: String,
    pub(crate) ago: String,
    pub(crate) state: State,
    pub(crate) failure: Option<String>,
    pub(crate) can_roll_back: bool,
}

/// `may_change` is whether the person looking may roll back at all.
pub(crate) fn revision(revision: &Revision, now_ms: i64, may_change: bool) -> RevisionView {
    let (class, word, failure) = match &revision.state {
        RevisionState::Trial { .. } => ("warn", "On trial", None),
        RevisionState::Live => ("good", "Live", None),
        RevisionState::Pending => ("warn", "Pending", None),
        RevisionState::Superseded => ("none", "Superseded", None),
        RevisionState::Failed { why } => ("bad", "Failed", Some(why.clone())),
    };
    let made = instant(revision.created_ms);
    let comment = revision.comment.trim();
    RevisionView {
        id: revision.id.0,
        parent: revision.parent.map(|parent| parent.0),
        comment: if comment.is_empty() {
            "No comment".to_owned()
        } else {
            comment.to_owned()
        },
        author: revision.author.clone(),
        from: revision.from.clone(),
        iso: made.iso,
        when: made.when,
        ago: ago(revision.created_ms, now_ms),
        state: State::new(class, word),
        failure,
        can_roll_back: may_change && revision.state == RevisionState::Superseded,
    }
}
