//! Who may stay connected: each user has so many places, and whoever says nothing makes room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::{Notify, oneshot};

use super::frame::{self, FrameError};

/// Connections of one user that are answered at the same time.
const PLACES: usize = 32;
/// Connections of one user that wait for a place, while all are being answered.
const WAITING: usize = 256;
/// How long a visitor may take until its first word, and for a frame that it has begun.
const PATIENCE: Duration = Duration::from_secs(10);

/// The visitors of one socket.
#[derive(Debug)]
pub(super) struct Visits {
    users: Mutex<HashMap<u32, Users>>,
    patience: Duration,
}

/// The visitors of one user.
#[derive(Debug, Default)]
struct Users {
    seated: Vec<Arc<Seat>>,
    waiting: VecDeque<(Arc<Seat>, oneshot::Sender<()>)>,
}

#[derive(Debug, Default)]
struct Seat {
    /// Since when nothing is being asked or answered.
    idle: Mutex<Option<Instant>>,
    /// The process that attends over it.
    attends: Mutex<Option<u32>>,
    leave: Notify,
}

/// One connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    all: Arc<Visits>,
    uid: u32,
    seat: Arc<Seat>,
    turn: Option<oneshot::Receiver<()>>,
    spoke: bool,
}

impl Default for Visits {
    fn default() -> Visits {
        Visits {
            users: Mutex::default(),
            patience: PATIENCE,
        }
    }
}

impl Visits {
    /// A new visitor; `None` if too many of its user wait already.
    pub(super) fn enter(self: Arc<Self>, uid: u32) -> Option<Visit> {
        let seat = Arc::new(Seat::default());
        let mut turn = None;
        {
            let mut users = lock(&self.users);
            let user = users.entry(uid).or_default();
            if user.seated.len() < PLACES || user.make_room() {
                user.seated.push(Arc::clone(&seat));
            } else if user.waiting.len() < WAITING {
                let (called, waits) = oneshot::channel();
                user.waiting.push_back((Arc::clone(&seat), called));
                turn = Some(waits);
            } else {
                return None;
            }
        }
        Some(Visit {
            all: self,
            uid,
            seat,
            turn,
            spoke: false,
        })
    }
}

impl Users {
    /// Asks the visitor to leave who has said nothing for the longest time.
    fn make_room(&mut self) -> bool {
        let idle = self.seated.iter().enumerate();
        let idle = idle.filter_map(|(at, seat)| Some((at, (*lock(&seat.idle))?)));
        let Some((longest, _)) = idle.min_by_key(|(_, since)| *since) else {
            return false;
        };
        self.seated.swap_remove(longest).leave.notify_one();
        true
    }

    /// Seats who waits, where there is room.
    fn call(&mut self) {
        while self.seated.len() < PLACES
            && let Some((seat, called)) = self.waiting.pop_front()
        {
            // Whoever does not wait any more has left.
            if called.send(()).is_ok() {
                self.seated.push(seat);
            }
        }
    }
}

impl Visit {
    /// Waits for a place.
    pub(crate) async fn seated(&mut self) {
        if let Some(turn) = self.turn.take() {
            // The sender goes only with us.
            let _ = turn.await;
        }
    }

    /// Waits until something comes; false if this visitor is to make room for another. May be given
    /// up.
    pub(crate) async fn begins(&mut self, stream: &UnixStream) -> Result<bool, FrameError> {
        self.idles(true);
        let silence = async {
            if self.spoke {
                std::future::pending().await
            } else {
                tokio::time::sleep(self.all.patience).await;
            }
        };
        let begun = tokio::select! {
            biased;
            begun = frame::begins(stream) => begun.map(|()| true),
            () = self.seat.leave.notified() => Ok(false),
            () = silence => Err(std::io::ErrorKind::TimedOut.into()),
        };
        self.idles(false);
        self.spoke = true;
        Ok(begun?)
    }

    /// Reads what has begun to come, which must not take for ever.
    pub(crate) async fn whole<T>(
        &self,
        read: impl Future<Output = Result<T, FrameError>>,
    ) -> Result<T, FrameError> {
        let late = |_| FrameError::Io(std::io::ErrorKind::TimedOut.into());
        tokio::time::timeout(self.all.patience, read)
            .await
            .map_err(late)?
    }

    /// A process attends over one connection: an earlier one of it is over.
    pub(crate) fn attends(&self, pid: u32) {
        *lock(&self.seat.attends) = Some(pid);
        let users = lock(&self.all.users);
        let seated = users.get(&self.uid).map(|user| &user.seated);
        for seat in seated.into_iter().flatten() {
            if !Arc::ptr_eq(seat, &self.seat) && *lock(&seat.attends) == Some(pid) {
                seat.leave.notify_one();
            }
        }
    }

    fn idles(&self, idle: bool) {
        *lock(&self.seat.idle) = idle.then(Instant::now);
        if !idle {
            return;
        }
        let mut users = lock(&self.all.users);
        if let Some(user) = users.get_mut(&self.uid)
            && !user.waiting.is_empty()
            && user.make_room()
        {
            user.call();
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut users = lock(&self.all.users);
        if let Some(user) = users.get_mut(&self.uid) {
            user.seated.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
            user.waiting
                .retain(|(seat, _)| !Arc::ptr_eq(seat, &self.seat));
            user.call();
        }
    }
}

/// No change of these is ever left half done.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Both ends of a connection, and its visit.
    fn visitor(all: &Arc<Visits>, uid: u32) -> (UnixStream, UnixStream, Option<Visit>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (ours, theirs, Arc::clone(all).enter(uid))
    }

    /// Answers one word after the other with the same.
    fn echo(mut stream: UnixStream, mut visit: Visit) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            visit.seated().await;
            while let Ok(true) = visit.begins(&stream).await {
                let read = visit.whole(frame::read::<String>(&mut stream, frame::LIMIT));
                let Ok(Some(word)) = read.await else { return };
                frame::write(&mut stream, &word).await.unwrap();
            }
        })
    }

    async fn ask(stream: &mut UnixStream, word: &str) -> Option<String> {
        frame::write(stream, &word).await.ok()?;
        frame::read(stream, frame::LIMIT).await.ok()?
    }

    #[tokio::test]
    async fn the_longest_silent_visitor_makes_room_and_no_other_user() {
        let all = Arc::new(Visits::default());
        let (ours, mut other, visit) = visitor(&all, 1);
        echo(ours, visit.unwrap());
        let mut silent = Vec::new();
        for _ in 0..PLACES {
            let (ours, theirs, visit) = visitor(&all, 2);
            echo(ours, visit.unwrap());
            silent.push(theirs);
        }
        assert_eq!(ask(&mut silent[0], "busy").await.as_deref(), Some("busy"));
        let (ours, mut new, visit) = visitor(&all, 2);
        echo(ours, visit.unwrap());
        assert_eq!(ask(&mut new, "new").await.as_deref(), Some("new"));
        assert_eq!(silent[1].read(&mut [0]).await.unwrap(), 0, "not the oldest");
        assert_eq!(ask(&mut silent[0], "still").await.as_deref(), Some("still"));
        assert_eq!(ask(&mut silent[2], "here").await.as_deref(), Some("here"));
        assert_eq!(ask(&mut other, "too").await.as_deref(), Some("too"));
    }

    #[tokio::test]
    async fn who_finds_all_of_them_busy_waits_for_the_first_that_is_not() {
        let all = Arc::new(Visits::default());
        let busy: Vec<Visit> = (0..PLACES)
            .map(|_| Arc::clone(&all).enter(1).unwrap())
            .collect();
        let (ours, mut new, visit) = visitor(&all, 1);
        let waits = echo(ours, visit.unwrap());
        frame::write(&mut new, &"new").await.unwrap();
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        // One has its answer, and waits for another question.
        let (kept, _end) = UnixStream::pair().unwrap();
        let mut busy = busy.into_iter();
        let mut answered = busy.next().unwrap();
        assert!(!answered.begins(&kept).await.unwrap());
        let word = frame::read::<String>(&mut new, frame::LIMIT).await;
        assert_eq!(word.unwrap().as_deref(), Some("new"));
        // More than may wait are not let in at all.
        let _more: Vec<Visit> = (0..=WAITING)
            .filter_map(|_| Arc::clone(&all).enter(1))
            .collect();
        assert!(Arc::clone(&all).enter(1).is_none());
        assert!(Arc::clone(&all).enter(2).is_some());
    }

    #[tokio::test]
    async fn neither_a_first_word_nor_half_a_frame_is_waited_for_long() {
        let all = Arc::new(Visits {
            patience: Duration::from_millis(50),
            ..Visits::default()
        });
        let (ours, mut silent, visit) = visitor(&all, 1);
        echo(ours, visit.unwrap());
        let (ours, mut half, visit) = visitor(&all, 1);
        echo(ours, visit.unwrap());
        half.write_all(&[0, 0, 0, 9, b'"']).await.unwrap();
        let (ours, mut kept, visit) = visitor(&all, 1);
        echo(ours, visit.unwrap());
        assert_eq!(ask(&mut kept, "one").await.as_deref(), Some("one"));
        for stream in [&mut silent, &mut half] {
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        }
        // One that has asked before may take its time.
        assert_eq!(ask(&mut kept, "two").await.as_deref(), Some("two"));
    }

    #[tokio::test]
    async fn a_process_attends_once() {
        let all = Arc::new(Visits::default());
        let (ours, mut former, visit) = visitor(&all, 1);
        let visit = visit.unwrap();
        visit.attends(7);
        echo(ours, visit);
        let (ours, mut present, visit) = visitor(&all, 1);
        let visit = visit.unwrap();
        visit.attends(7);
        echo(ours, visit);
        assert_eq!(former.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(ask(&mut present, "here").await.as_deref(), Some("here"));
    }
}
