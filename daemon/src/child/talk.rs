//! One connection to one parent, from the first word to its end.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::sys::socket::{Shutdown, shutdown};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::ChildError;
use super::link::{Estate, Kept};
use crate::wire::client;
use crate::wire::frame;
use crate::wire::parent::{Event, Left, Question, Reply, Role, Stage};

/// One connection to one parent.
pub(super) struct Talk {
    stream: UnixStream,
    /// What the parent says, read by a task of its own: reading half a frame must not be given up.
    pub(super) frames: mpsc::UnboundedReceiver<Reply>,
    with: mpsc::UnboundedReceiver<Vec<OwnedFd>>,
}

impl Talk {
    /// Connects and says the first word.
    pub(super) async fn begin(
        path: &Path,
        role: Role,
        stage: Stage,
    ) -> Result<(Talk, UnixListener, Reply), ChildError> {
        let stream = client::connect(path).await?;
        let lost = |error| ChildError::Talk(frame::FrameError::Io(error));
        let stream = stream.into_std().map_err(lost)?;
        let reading = stream.try_clone().and_then(UnixStream::from_std);
        let reading = reading.map_err(lost)?;
        let stream = UnixStream::from_std(stream).map_err(lost)?;
        let (said, frames) = mpsc::unbounded_channel();
        let (sent, with) = mpsc::unbounded_channel();
        tokio::spawn(listen(reading, said, sent));
        let mut talk = Talk {
            stream,
            frames,
            with,
        };
        let question = Question::Attend { role, stage };
        frame::write(&mut talk.stream, &question)
            .await
            .map_err(ChildError::Talk)?;
        let welcome = talk.frames.recv().await.ok_or_else(gone)?;
        if let Reply::Failed { message } = welcome {
            return Err(ChildError::Refused(message));
        }
        let socket = talk.with.try_recv().ok().and_then(|mut with| with.pop());
        let socket = socket.ok_or_else(gone)?;
        let socket = std::os::unix::net::UnixListener::from(socket);
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| UnixListener::from_std(socket));
        Ok((talk, socket.map_err(ChildError::Accept)?, welcome))
    }

    /// Fetches what a predecessor left.
    pub(super) async fn fetch(
        &mut self,
        left: Left,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<Estate, ChildError> {
        let mut listeners = Vec::new();
        while listeners.len() < left.held {
            let question = Question::Held {
                from: listeners.len(),
            };
            let Reply::Held { names } = self.ask(&question, &[], events).await? else {
                return Err(gone());
            };
            let sockets = self.with.try_recv().unwrap_or_default();
            if names.is_empty() || names.len() != sockets.len() {
                return Err(gone());
            }
            listeners.extend(names.into_iter().zip(sockets));
        }
        Ok(Estate {
            version: left.version,
            listeners,
            files: left.files.map(|files| files.0),
            addresses: left.addresses,
            overrides: left.overrides,
        })
    }

    /// Has the predecessor finish, and fetches what is new since version `began` was handed over.
    pub(super) async fn take_over(
        &mut self,
        began: u64,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<Estate, ChildError> {
        match self.ask(&Question::TakeOver { began }, &[], events).await? {
            Reply::TakenOver(left) => self.fetch(left, events).await,
            other => Err(refused(other)),
        }
    }

    pub(super) async fn hold(
        &mut self,
        sockets: &[Kept],
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<(), ChildError> {
        for some in sockets.chunks(frame::DESCRIPTORS) {
            let names = some.iter().map(|(name, _)| name.clone()).collect();
            let with: Vec<_> = some.iter().map(|(_, socket)| socket.as_fd()).collect();
            match self.ask(&Question::Hold { names }, &with, events).await? {
                Reply::Done => {}
                other => return Err(refused(other)),
            }
        }
        Ok(())
    }

    pub(super) async fn done(
        &mut self,
        question: &Question,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<(), ChildError> {
        match self.ask(question, &[], events).await? {
            Reply::Done => Ok(()),
            other => Err(refused(other)),
        }
    }

    pub(super) async fn ask(
        &mut self,
        question: &Question,
        with: &[BorrowedFd<'_>],
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<Reply, ChildError> {
        frame::write_with(&mut self.stream, question, with)
            .await
            .map_err(ChildError::Talk)?;
        loop {
            match self.frames.recv().await.ok_or_else(gone)? {
                // Nobody listens for it in an engine.
                Reply::Event(event) => drop(events.send(event)),
                reply => return Ok(reply),
            }
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // The reading task has the connection too.
        let _ = shutdown(self.stream.as_raw_fd(), Shutdown::Both);
    }
}

/// Reads what the parent says until it is gone.
async fn listen(
    mut stream: UnixStream,
    said: mpsc::UnboundedSender<Reply>,
    sent: mpsc::UnboundedSender<Vec<OwnedFd>>,
) {
    while let Ok(Some((reply, with))) = frame::read_with(&mut stream, frame::LIMIT).await {
        // First, so that they are there when the words are heard.
        if !with.is_empty() && sent.send(with).is_err() {
            return;
        }
        if said.send(reply).is_err() {
            return;
        }
    }
}

pub(super) fn gone() -> ChildError {
    ChildError::Talk(frame::FrameError::Io(io::ErrorKind::UnexpectedEof.into()))
}

fn refused(reply: Reply) -> ChildError {
    match reply {
        Reply::Failed { message } => ChildError::Refused(message),
        _ => gone(),
    }
}
