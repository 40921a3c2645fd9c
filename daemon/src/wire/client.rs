//! The asking side of a socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use super::frame::{self, FrameError};

/// Asks one question at a time. The connection is made at the first question, and again after the
/// other side was gone.
#[derive(Debug)]
pub(crate) struct Client {
    path: PathBuf,
    /// How long a connection is tried for where nobody listens.
    patience: Duration,
    /// Empty before the first question, and after one that was not answered: an answer that comes
    /// late must not be taken for the next one's.
    connection: Mutex<Option<UnixStream>>,
}

/// Pause between two tries to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody listens there.
    #[error("cannot reach {}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The other side went away, or spoke nonsense.
    #[error("{} gave no answer", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: FrameError,
    },
    /// The other side closed the connection instead of answering.
    #[error("{} closed the connection instead of answering", .0.display())]
    Closed(PathBuf),
    /// An answer that was not asked for.
    #[error("the answer is not understood: {text}; do the two programs have the same version?")]
    Strange {
        /// Why not.
        text: String,
    },
    /// No answer in time.
    #[error("{} gave no answer within {}s", path.display(), limit.as_secs())]
    Late {
        /// The socket.
        path: PathBuf,
        /// How long we waited.
        limit: Duration,
    },
}

impl Client {
    /// A client of the socket at `path`; nothing is connected yet.
    pub(crate) fn new(path: &Path) -> Client {
        Client::patient(path, Duration::ZERO)
    }

    /// One that waits so long for somebody to listen there: whoever does may be dying just now, with a
    /// successor on its way.
    pub(crate) fn patient(path: &Path, patience: Duration) -> Client {
        Client {
            path: path.to_owned(),
            patience,
            connection: Mutex::new(None),
        }
    }

    /// Asks, and waits at most `limit` for the answer.
    pub(crate) async fn call<Q, A>(&self, question: &Q, limit: Duration) -> Result<A, CallError>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        let mut slot = self.connection.lock().await;
        let answer = tokio::time::timeout(limit, self.exchange(slot.take(), question)).await;
        let late = |_| CallError::Late {
            path: self.path.clone(),
            limit,
        };
        let (stream, answer) = answer.map_err(late)??;
        *slot = Some(stream);
        Ok(answer)
    }

    async fn exchange<Q, A>(
        &self,
        kept: Option<UnixStream>,
        question: &Q,
    ) -> Result<(UnixStream, A), CallError>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        let kept = kept.filter(|stream| !is_closed(stream));
        let mut stream = match kept {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let broken = |source| CallError::Broken {
            path: self.path.clone(),
            source,
        };
        frame::write(&mut stream, question).await.map_err(broken)?;
        let answer = frame::read(&mut stream, frame::LIMIT)
            .await
            .map_err(broken)?;
        let answer = answer.ok_or_else(|| CallError::Closed(self.path.clone()))?;
        Ok((stream, answer))
    }
}

impl Client {
    async fn connect(&self) -> Result<UnixStream, CallError> {
        let end = tokio::time::Instant::now() + self.patience;
        loop {
            match connect(&self.path).await {
                // A socket tells nobody that somebody listens on it now.
                Err(_) if tokio::time::Instant::now() < end => {
                    tokio::time::sleep(CONNECT_PAUSE).await;
                }
                other => return other,
            }
        }
    }
}

/// Connects to the socket at `path`.
pub(crate) async fn connect(path: &Path) -> Result<UnixStream, CallError> {
    let failed = |source| CallError::Connect {
        path: path.to_owned(),
        source,
    };
    UnixStream::connect(path).await.map_err(failed)
}

/// Whether the other side has gone since the last answer: nothing may be readable between two
/// questions, save the end.
fn is_closed(stream: &UnixStream) -> bool {
    let kept = std::io::ErrorKind::WouldBlock;
    stream
        .try_read(&mut [0])
        .map_or_else(|error| error.kind() != kept, |_| true)
}
