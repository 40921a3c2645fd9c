//! The answering side of a socket.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::frame;
use super::visits::{Visit, Visits};

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

    /// Waits until nobody is to be answered any more; connections are closed then.
    fn leaving(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Answers one question. It is never cancelled: a change that began is brought to its end.
    fn answer(
        &self,
        peer: &UCred,
        session: &mut Self::Session,
        question: Self::Question,
    ) -> impl Future<Output = Self::Reply> + Send;

    /// A connection has ended; what was remembered of it is to be cleared away.
    fn closed(&self, session: Self::Session) -> impl Future<Output = ()> + Send {
        drop(session);
        std::future::ready(())
    }
}

/// Answers whoever connects, on one listener after the other, until one fails.
pub(crate) async fn serve<A: Answer>(
    mut listeners: watch::Receiver<Arc<UnixListener>>,
    answers: Arc<A>,
) -> std::io::Error {
    loop {
        let listener = Arc::clone(&listeners.borrow_and_update());
        let admits = Arc::clone(&answers);
        let answers = Arc::clone(&answers);
        let serving = accept(
            listener,
            move |peer| admits.admits(peer),
            move |stream, peer, visit| converse(stream, peer, visit, Arc::clone(&answers)),
        );
        tokio::select! {
            error = serving => return error,
            // A sender that is gone means that this listener is the last.
            Ok(()) = listeners.changed() => {}
        }
    }
}

/// Hands every connection of an admitted process to `converse`, until the listener fails.
pub(crate) async fn accept<F>(
    listener: Arc<UnixListener>,
    admits: impl Fn(&UCred) -> bool,
    converse: impl Fn(UnixStream, UCred, Visit) -> F,
) -> std::io::Error
where
    F: Future<Output = Result<(), frame::FrameError>> + Send + 'static,
{
    let visits = Arc::<Visits>::default();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if passing(&error) => {
                tracing::warn!(%error, "a connection was lost before it was accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return error,
        };
        let Ok(peer) = stream.peer_cred() else {
            continue;
        };
        if !admits(&peer) {
            tracing::warn!(
                uid = peer.uid(),
                pid = peer.pid(),
                "refused a connection of another user"
            );
            continue;
        }
        let Some(visit) = Arc::clone(&visits).enter(peer.uid()) else {
            tracing::warn!(
                uid = peer.uid(),
                pid = peer.pid(),
                "refused one connection too many"
            );
            continue;
        };
        let conversation = converse(stream, peer, visit);
        tokio::spawn(async move {
            if let Err(error) = conversation.await {
                tracing::warn!(error = crate::chain(&error), "a connection ended badly");
            }
        });
    }
}

async fn converse<A: Answer>(
    mut stream: UnixStream,
    peer: UCred,
    mut visit: Visit,
    answers: Arc<A>,
) -> Result<(), frame::FrameError> {
    let mut session = A::Session::default();
    visit.seated().await;
    let ended = questions(&mut stream, &peer, &mut visit, &*answers, &mut session).await;
    answers.closed(session).await;
    ended
}

async fn questions<A: Answer>(
    stream: &mut UnixStream,
    peer: &UCred,
    visit: &mut Visit,
    answers: &A,
    session: &mut A::Session,
) -> Result<(), frame::FrameError> {
    loop {
        let asked = async {
            if !visit.begins(stream).await? {
                return Ok(None);
            }
            visit.whole(frame::read(stream, frame::LIMIT)).await
        };
        let question = tokio::select! {
            question = asked => question?,
            // Half a question is lost with the connection.
            () = answers.leaving() => None,
        };
        let Some(question) = question else {
            return Ok(());
        };
        let reply = answers.answer(peer, session, question).await;
        frame::write(stream, &reply).await?;
    }
}

/// Errors of `accept` that concern one connection, or end by themselves (accept(2)).
fn passing(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ECONNABORTED | libc::EINTR | libc::EMFILE | libc::ENFILE | libc::ENOBUFS)
    )
}
