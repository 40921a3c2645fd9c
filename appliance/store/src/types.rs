//! What is kept, as plain values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Number of a revision. Numbers only grow; one that was pruned does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(pub i64);

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RevisionId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What became of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RevisionState {
    /// Saved; its change is under way.
    Pending,
    /// In effect, for a time: unless somebody confirms it, the live one comes back. There is at
    /// most one.
    Trial {
        /// How long it may wait for its confirmation, in seconds.
        within_s: u64,
    },
    /// The one in effect, or the one that comes back after a trial. There is at most one.
    Live,
    /// Was live; a later one took its place.
    Superseded,
    /// Its change failed and was taken back.
    Failed {
        /// Why, for people.
        why: String,
    },
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number.
    pub id: RevisionId,
    /// The revision that was live when it was made; it may be pruned by now.
    pub parent: Option<RevisionId>,
    /// Who made it.
    pub author: String,
    /// From where: "ui 10.0.0.1", "cli uid 0", "boot".
    pub from: String,
    /// What the author says about it.
    pub comment: String,
    /// When, in milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// What became of it.
    #[serde(flatten)]
    pub state: RevisionState,
    /// Its files, by name.
    pub files: Vec<FileSummary>,
}

/// A file of a revision without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Name relative to the configuration directory.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Whether it holds a private key.
    pub secret: bool,
}

/// A file of a revision with its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Name relative to the configuration directory.
    pub name: String,
    /// Whether it holds a private key.
    pub secret: bool,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Without the bytes, which may be a private key.
impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            secret,
            bytes,
        } = self;
        write!(
            f,
            "StoredFile({name:?}, secret: {secret}, {} bytes)",
            bytes.len()
        )
    }
}

/// A revision that is about to be saved.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// The revision that is live now.
    pub parent: Option<RevisionId>,
    /// Who makes it.
    pub author: String,
    /// From where.
    pub from: String,
    /// What the author says about it.
    pub comment: String,
    /// If it is to be put on trial: how long it may wait for its confirmation, in seconds.
    pub within_s: Option<u64>,
    /// Its complete file set.
    pub files: Vec<StoredFile>,
}

/// What a user may do, in the words of HAProxy's socket levels where they fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Also change what traffic does, not the configuration.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Unique name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added, in milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// Whether they have a password. Without one only a login token lets them in.
    pub has_password: bool,
}

/// A login that lasts. The token itself is not kept, only its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The first 64 bits of the token's hash in hexadecimal: tells sessions apart, opens none.
    pub id: String,
    /// Who.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have a password; if not, they came by a login token and should set one.
    pub has_password: bool,
    /// What a form must carry to be theirs.
    #[serde(skip_serializing, default)]
    pub csrf: String,
    /// Start, in milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// Last use.
    pub last_seen_ms: i64,
    /// End, however much it is used.
    pub expires_ms: i64,
    /// Address of the browser at login.
    pub peer: String,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Number; grows with time.
    pub id: i64,
    /// When, in milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// Who.
    pub actor: String,
    /// From where.
    pub from: String,
    /// What: one word or two, such as "login failed" or "apply".
    pub action: String,
    /// More about it. Never a password, a token or a key.
    pub detail: String,
}
