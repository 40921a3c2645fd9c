//! A child that attends: what it gets of its predecessor, and what is kept for its successor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::net::unix::UCred;
use tokio::sync::oneshot;

use super::{Attendance, Ward, done, failed, pid_of};
use crate::parent::estate::Estate;
use crate::parent::keeper::News;
use crate::wire::frame::{self, FrameError};
use crate::wire::parent::{Question, Reply, Role, Stage};

/// How long the engine at work waits for a successor that was killed.
const GONE_LIMIT: Duration = Duration::from_secs(1);

/// What one connection is, once it has said so.
#[derive(Debug)]
pub(super) struct Attending {
    pub(super) role: Role,
    pub(super) finishing: bool,
    /// It has not taken over yet from one that a former parent had at work.
    succeeding: bool,
    /// What a process that worked for a former parent hands over. It counts once it is complete: if
    /// that process dies in between, its successor gets what was left before.
    incoming: Option<Estate>,
}

impl Ward {
    /// From now on the word of this process counts, and no other's.
    fn is_at_work(&self, pid: u32) {
        self.at_work.store(pid, Ordering::SeqCst);
    }

    /// What is being handed over counts in its own time.
    fn counts(&self, pid: u32, attending: &Attending) -> bool {
        attending.incoming.is_some() || self.at_work.load(Ordering::SeqCst) == pid
    }

    /// Keeps something, or does not any more.
    async fn keep(
        &self,
        pid: u32,
        attending: &mut Attending,
        question: Question,
        with: Vec<OwnedFd>,
    ) -> Result<(), String> {
        let engine = attending.role == Role::Engine;
        match question {
            // What one that only finishes says must not reach its successor, and what a successor says
            // does not count before it has taken over. Only the sockets it opens are kept already.
            Question::Hold { .. } | Question::Retain { .. } | Question::Override { .. }
                if attending.finishing =>
            {
                Ok(())
            }
            Question::Hold { names } => self.change(attending, |estate| estate.hold(names, with)),
            Question::Retain { .. } if !self.counts(pid, attending) => Ok(()),
            Question::Running { .. } | Question::Override { .. }
                if attending.finishing || !self.counts(pid, attending) =>
            {
                Err("another process has taken over".to_owned())
            }
            Question::Retain { names } => {
                let mut closed = false;
                let outcome = self.change(attending, |estate| {
                    closed = estate.retain(&names);
                    Ok(())
                });
                if closed && engine {
                    self.sockets_closed().await;
                }
                outcome
            }
            Question::Running { files, addresses } if engine => self.change(attending, |estate| {
                estate.run(files);
                estate.resolve(addresses);
                Ok(())
            }),
            Question::Override { key, command } if engine => {
                self.change(attending, |estate| estate.journal(key, command))
            }
            _ => Err("this is nothing to be kept".to_owned()),
        }
    }

    /// A successor on its way has copies of sockets that were closed just now: they are to be free, and
    /// nobody is to wait on them for an engine that will not come.
    async fn sockets_closed(&self) {
        let (done, gone) = oneshot::channel();
        self.tell(News::SocketsClosed(done)).await;
        // Without a keeper there is no successor either; and one that does not end must not keep this one
        // from giving signs of life.
        let _ = tokio::time::timeout(GONE_LIMIT, gone).await;
    }

    /// Changes what is kept, or what is being handed over.
    fn change(
        &self,
        attending: &mut Attending,
        change: impl FnOnce(&mut Estate) -> Result<(), String>,
    ) -> Result<(), String> {
        match &mut attending.incoming {
            Some(incoming) => change(incoming),
            None => change(&mut self.estate()),
        }
    }
}

impl Attendance {
    pub(super) async fn attend(
        &self,
        out: &mut UnixStream,
        peer: &UCred,
        role: Role,
        stage: Stage,
    ) -> Result<Option<Attending>, FrameError> {
        let ward = self.ward(role);
        let pid = pid_of(peer);
        let refuse = |message: String| Reply::Failed { message };
        let (Some(pid), true) = (pid, peer.uid() == ward.uid) else {
            let reply = refuse("only our own children may attend".to_owned());
            frame::write(out, &reply).await?;
            return Ok(None);
        };
        let (wanted, answer) = oneshot::channel();
        ward.tell(News::Attends { pid, stage, wanted }).await;
        // Without an answer the connection is closed, and the child tries again.
        let answer = answer.await.map_err(|_| {
            std::io::Error::other("whether this process is wanted cannot be told now")
        })?;
        let at_work = match answer {
            Ok(at_work) => at_work,
            Err(message) => {
                frame::write(out, &refuse(message)).await?;
                return Ok(None);
            }
        };
        let in_effect = match role {
            Role::Control => self.engine.estate().files().map(|files| files.0.digest()),
            Role::Engine => None,
        };
        let welcome = {
            let estate = ward.estate();
            // An engine says so itself, once it has taken over.
            if role == Role::Control && stage == Stage::Fresh {
                ward.is_at_work(pid);
            }
            Reply::Welcome {
                left: estate.left(),
                in_effect,
                at_work,
            }
        };
        frame::write_with(out, &welcome, &[ward.answers.as_fd()]).await?;
        Ok(Some(Attending {
            role,
            finishing: stage == Stage::Finishing,
            succeeding: stage == Stage::Succeeding,
            incoming: matches!(stage, Stage::Working | Stage::Succeeding).then(Estate::default),
        }))
    }

    pub(super) async fn send_held(
        &self,
        out: &mut UnixStream,
        attending: Option<&Attending>,
        from: usize,
    ) -> Result<(), FrameError> {
        let Some(role) = attending.map(|it| it.role) else {
            return Ok(());
        };
        let copies: Result<Vec<(String, OwnedFd)>, std::io::Error> = {
            let estate = self.ward(role).estate();
            let some = estate.sockets(from);
            some.map(|(name, socket)| Ok((name.clone(), socket.try_clone()?)))
                .collect()
        };
        let copies = copies?;
        let sockets: Vec<BorrowedFd<'_>> = copies.iter().map(|(_, fd)| fd.as_fd()).collect();
        let names = copies.iter().map(|(name, _)| name.clone()).collect();
        frame::write_with(out, &Reply::Held { names }, &sockets).await
    }

    /// What is to be kept, and how the child is.
    pub(super) async fn for_attendant(
        &self,
        peer: &UCred,
        attending: &mut Attending,
        question: Question,
        with: Vec<OwnedFd>,
    ) -> Reply {
        let ward = self.ward(attending.role);
        let engine = attending.role == Role::Engine;
        let pid = pid_of(peer);
        let pid = pid.unwrap_or_default();
        let outcome = match question {
            question @ (Question::Hold { .. }
            | Question::Retain { .. }
            | Question::Running { .. }
            | Question::Override { .. }) => ward.keep(pid, attending, question, with).await,
            Question::HandedOver => {
                if let Some(whole) = attending.incoming.take() {
                    let mut estate = ward.estate();
                    if !attending.succeeding {
                        *estate = whole;
                        ward.is_at_work(pid);
                    } else if estate.files().is_none() {
                        // Nobody else has anything later.
                        *estate = whole;
                    }
                }
                if engine && ward.estate().files().is_some() {
                    // It has been at work all the time, whatever this parent has seen of it.
                    self.up();
                }
                ward.tell(News::HandedOver).await;
                Ok(())
            }
            Question::Alive => {
                ward.tell(News::Alive(pid)).await;
                Ok(())
            }
            Question::TakeOver { began } if engine => {
                let (done, taken) = oneshot::channel();
                ward.tell(News::TakesOver { pid, done }).await;
                if taken.await.is_err() {
                    return failed("another process takes over");
                }
                let estate = ward.estate();
                ward.is_at_work(pid);
                return Reply::TakenOver(estate.left_since(began));
            }
            Question::GiveUp { why } if engine => {
                ward.tell(News::GivesUp { pid, why }).await;
                Ok(())
            }
            Question::Finishing if engine => {
                attending.finishing = true;
                ward.tell(News::Finishes(pid)).await;
                Ok(())
            }
            Question::Replace if engine => {
                ward.tell(News::Replace).await;
                Ok(())
            }
            _ => Err("this is nothing for an attendance".to_owned()),
        };
        done(outcome)
    }
}
