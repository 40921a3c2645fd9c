//! The answering side of a socket.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::frame;

/// Connections answered at the same time; more wait in the kernel's queue.
const CONNECTIONS: usize = 32;

/// Answers questions.
pub(crate) trait Answer: Send + Sync + 'static {
    /// What is asked.
    type Question: DeserializeOwned + Send;
    /// What is answered.
    type Reply: Serialize + Send + Sync;
    /// What is remembered between the questions of one connection.
    type Session: Default + Send;

    /// Whether this process may ask at all. The kernel vouches for the credentials.
    fn admits(&self, peer: &UCred) -> bool;

    /// Answers one question. It is never cancelled: a change that began is brought to its end.
    fn answer(
        &self,
        peer: &UCred,
        session: &mut Self::Session,
        question: Self::Question,
    ) -> impl Future<Output = Self::Reply> + Send;
}

/// Answers whoever connects, until the listener fails.
pub(crate) async fn serve<A: Answer>(listener: UnixListener, answers: Arc<A>) -> std::io::Error {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // A closed semaphore would be the only failure, and nobody closes this one.
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if passing(&error) => {
                tracing::warn!(%error, "a connection was lost before it was accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return error,
        };
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            if let Err(error) = converse(stream, answers.as_ref()).await {
                tracing::warn!(error = crate::chain(&error), "a connection ended badly");
            }
            drop(slot);
        });
    }
}

async fn converse<A: Answer>(mut stream: UnixStream, answers: &A) -> Result<(), frame::FrameError> {
    let peer = stream.peer_cred()?;
    if !answers.admits(&peer) {
        tracing::warn!(
            uid = peer.uid(),
            pid = peer.pid(),
            "refused a connection of another user"
        );
        return Ok(());
    }
    let mut session = A::Session::default();
    while let Some(question) = frame::read(&mut stream).await? {
        let reply = answers.answer(&peer, &mut session, question).await;
        frame::write(&mut stream, &reply).await?;
    }
    Ok(())
}

/// Errors of `accept` that concern one connection, or end by themselves (accept(2)).
fn passing(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ECONNABORTED | libc::EINTR | libc::EMFILE | libc::ENFILE | libc::ENOBUFS)
    )
}
