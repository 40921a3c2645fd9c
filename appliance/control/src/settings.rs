//! What control is told at its start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lanai_language::{Environment, Facts};
use lanai_network::Visitor;

/// Revisions kept unless told otherwise.
pub const DEFAULT_REVISIONS_KEPT: u32 = 500;

/// Where control works, and with what.
#[derive(Clone)]
pub struct Settings {
    /// The configuration directory, such as `/etc/lanai`: absolute, as configurations name it.
    pub config_dir: PathBuf,
    /// Where `lanai.db` is, such as `/var/lib/lanai`. Made if missing, for us alone.
    pub state_dir: PathBuf,
    /// Revisions kept; the live one stays whatever its age.
    pub revisions_kept: u32,
    /// Variables that `"${NAME}"` in a configuration may ask for.
    pub environment: Environment,
    /// What `.if` predicates answer. The engine process must use the same.
    pub facts: Facts,
    /// Where the web UI listens unless the Services text says so; the firewall lets it in.
    pub ui: Option<SocketAddr>,
    /// What somebody should know of the box as such, for [`crate::Status::notices`].
    pub notices: Vec<String>,
    /// The time.
    pub clock: Clock,
}

impl Settings {
    /// Defaults for everything but the two directories.
    pub fn new(config_dir: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            config_dir: config_dir.into(),
            state_dir: state_dir.into(),
            revisions_kept: DEFAULT_REVISIONS_KEPT,
            environment: Environment::default(),
            facts: Facts::default(),
            ui: None,
            notices: Vec::new(),
            clock: Clock::system(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the environment, which may hold what is nobody's business.
        f.debug_struct("Settings")
            .field("config_dir", &self.config_dir)
            .field("state_dir", &self.state_dir)
            .field("revisions_kept", &self.revisions_kept)
            .finish_non_exhaustive()
    }
}

/// Tells the time in milliseconds since 1970 UTC; tests bring their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The box's clock.
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// Any other.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// Now.
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

/// Who asks for a change, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// A user's name.
    pub name: String,
    /// "ui 10.0.0.1", "cli uid 0".
    pub from: String,
    /// The connection over which they ask, if it came over the network: a change is not to cut it.
    pub visitor: Option<Visitor>,
}

impl Author {
    /// Both at once.
    pub fn new(name: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: from.into(),
            visitor: None,
        }
    }

    /// The same, over a connection from elsewhere.
    #[must_use]
    pub fn over(mut self, visitor: Option<Visitor>) -> Self {
        self.visitor = visitor;
        self
    }
}
