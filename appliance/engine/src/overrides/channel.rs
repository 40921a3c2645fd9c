//! The way of overrides to the engine's owner: the latest of each key, in the order of their first
//! change. The engine never waits for the owner, and nothing is lost however slow the owner is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// Keys that may wait. There are a few for each server and frontend that something was set of.
const KEYS: usize = 1 << 20;

/// Something that stands beside the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What it is about: `server bk/s1 state`, `frontend fe maxconn`, `health bk/s1`.
    pub key: String,
    /// The command of the runtime API that sets it again; `None`: what the configuration says counts.
    pub command: Option<String>,
}

/// What the owner is told.
#[derive(Debug)]
pub enum Told {
    /// A change.
    Change(Override),
    /// To be answered once everything before it is kept, or why some of it is not: somebody waits for
    /// that.
    Kept(oneshot::Sender<Result<(), String>>),
}

/// The engine's end.
#[derive(Clone, Debug)]
pub struct OverrideSender(Arc<Waiting>);

/// The owner's end.
#[derive(Debug)]
pub struct OverrideReceiver(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    keys: Mutex<Keys>,
    some: Notify,
}

#[derive(Debug, Default)]
struct Keys {
    order: VecDeque<Entry>,
    commands: HashMap<String, Option<String>>,
    /// There is no owner any more.
    closed: bool,
}

#[derive(Debug)]
enum Entry {
    Key(String),
    Kept(oneshot::Sender<Result<(), String>>),
}

/// Makes the two ends. The sender goes into [`crate::Settings`].
#[must_use]
pub fn channel() -> (OverrideSender, OverrideReceiver) {
    let waiting = Arc::<Waiting>::default();
    (OverrideSender(waiting.clone()), OverrideReceiver(waiting))
}

impl OverrideSender {
    /// Tells the owner; replaces what waits under the same key. Never waits.
    pub(crate) fn send(&self, change: Override) {
        let mut keys = self.0.keys();
        let full = keys.order.len() >= KEYS;
        let Override { key, command } = change;
        match keys.commands.get_mut(&key) {
            Some(waiting) => *waiting = command,
            None if full => {
                tracing::error!(%key, "too many run-time changes wait: this one is not journalled");
                return;
            }
            None => {
                keys.order.push_back(Entry::Key(key.clone()));
                keys.commands.insert(key, command);
            }
        }
        drop(keys);
        self.0.some.notify_one();
    }

    /// Waits until the owner has kept all that was sent.
    ///
    /// # Errors
    /// Why some of it is not.
    pub async fn kept(&self) -> Result<(), String> {
        let nobody = || Err("nobody keeps it".to_owned());
        let (done, kept) = oneshot::channel();
        {
            let mut keys = self.0.keys();
            if keys.closed || keys.order.len() >= KEYS {
                return nobody();
            }
            keys.order.push_back(Entry::Kept(done));
        }
        self.0.some.notify_one();
        kept.await.unwrap_or_else(|_| nobody())
    }
}

impl OverrideReceiver {
    /// Waits for the next. Cancel-safe.
    pub async fn recv(&mut self) -> Told {
        loop {
            if let Some(told) = self.next() {
                return told;
            }
            self.0.some.notified().await;
        }
    }

    fn next(&mut self) -> Option<Told> {
        let mut keys = self.0.keys();
        match keys.order.pop_front()? {
            Entry::Key(key) => {
                let command = keys.commands.remove(&key)?;
                Some(Told::Change(Override { key, command }))
            }
            Entry::Kept(done) => Some(Told::Kept(done)),
        }
    }
}

impl Drop for OverrideReceiver {
    fn drop(&mut self) {
        let mut keys = self.0.keys();
        keys.closed = true;
        // Whoever waits for an answer need not any more.
        keys.order.clear();
        keys.commands.clear();
    }
}

impl Waiting {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        // Order and commands change together, under the lock.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &str, command: Option<&str>) -> Override {
        Override {
            key: key.to_owned(),
            command: command.map(str::to_owned),
        }
    }

    fn next(receiver: &mut OverrideReceiver) -> Option<Override> {
        match receiver.next()? {
            Told::Change(change) => Some(change),
            Told::Kept(_) => panic!("nobody waits"),
        }
    }

    #[test]
    fn a_slow_owner_gets_the_latest_of_each_key() {
        let (sender, mut receiver) = channel();
        sender.send(change("a", Some("1")));
        sender.send(change("b", Some("1")));
        sender.send(change("a", Some("2")));
        sender.send(change("b", None));
        assert_eq!(next(&mut receiver), Some(change("a", Some("2"))));
        sender.send(change("a", None));
        assert_eq!(next(&mut receiver), Some(change("b", None)));
        assert_eq!(next(&mut receiver), Some(change("a", None)));
        assert_eq!(next(&mut receiver), None);
    }

    #[tokio::test]
    async fn the_owner_is_woken() {
        let (sender, mut receiver) = channel();
        let (got, ()) = tokio::join!(receiver.recv(), async {
            tokio::task::yield_now().await;
            sender.send(change("a", None));
        });
        assert!(matches!(got, Told::Change(got) if got == change("a", None)));
    }

    #[tokio::test]
    async fn whoever_waits_is_answered_behind_what_was_sent_before_or_when_the_owner_is_gone() {
        let (sender, mut receiver) = channel();
        sender.send(change("a", None));
        let kept = tokio::spawn({
            let sender = sender.clone();
            async move { sender.kept().await }
        });
        tokio::task::yield_now().await;
        let first = receiver.recv().await;
        assert!(matches!(first, Told::Change(got) if got == change("a", None)));
        assert!(!kept.is_finished());
        let Told::Kept(done) = receiver.recv().await else {
            panic!("somebody waits");
        };
        done.send(Ok(())).unwrap();
        assert_eq!(kept.await.unwrap(), Ok(()));
        let left = tokio::spawn({
            let sender = sender.clone();
            async move { sender.kept().await }
        });
        tokio::task::yield_now().await;
        drop(receiver);
        let nobody = Err("nobody keeps it".to_owned());
        assert_eq!(left.await.unwrap(), nobody);
        assert_eq!(sender.kept().await, nobody);
    }
}
