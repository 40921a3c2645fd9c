//! The way of overrides to the engine's owner: the latest of each key, in the order of their first
//! change. The engine never waits for the owner, and nothing is lost however slow the owner is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

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
    order: VecDeque<String>,
    commands: HashMap<String, Option<String>>,
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
                keys.order.push_back(key.clone());
                keys.commands.insert(key, command);
            }
        }
        drop(keys);
        self.0.some.notify_one();
    }
}

impl OverrideReceiver {
    /// The next change, if one waits.
    pub fn try_recv(&mut self) -> Option<Override> {
        let mut keys = self.0.keys();
        let key = keys.order.pop_front()?;
        let command = keys.commands.remove(&key)?;
        Some(Override { key, command })
    }

    /// Waits for the next change. Cancel-safe.
    pub async fn recv(&mut self) -> Override {
        loop {
            if let Some(change) = self.try_recv() {
                return change;
            }
            self.0.some.notified().await;
        }
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

    #[test]
    fn a_slow_owner_gets_the_latest_of_each_key() {
        let (sender, mut receiver) = channel();
        sender.send(change("a", Some("1")));
        sender.send(change("b", Some("1")));
        sender.send(change("a", Some("2")));
        sender.send(change("b", None));
        assert_eq!(receiver.try_recv(), Some(change("a", Some("2"))));
        sender.send(change("a", None));
        assert_eq!(receiver.try_recv(), Some(change("b", None)));
        assert_eq!(receiver.try_recv(), Some(change("a", None)));
        assert_eq!(receiver.try_recv(), None);
    }

    #[tokio::test]
    async fn the_owner_is_woken() {
        let (sender, mut receiver) = channel();
        let (got, ()) = tokio::join!(receiver.recv(), async {
            tokio::task::yield_now().await;
            sender.send(change("a", None));
        });
        assert_eq!(got, change("a", None));
    }
}
