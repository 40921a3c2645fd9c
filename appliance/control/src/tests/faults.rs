//! Where a test makes something fail, or the process die.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What happens at the steps that a change reaches; by number, counted over all steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    seen: Vec<String>,
    armed: BTreeMap<usize, Fault>,
}

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The step is refused.
    Fail,
    /// Nothing happens any more, for ever, as seen by everything but the receiver.
    Die(Sender<Sender<()>>),
    /// Nothing happens until the receiver says so, by what it is sent. For asynchronous steps.
    Hold(Sender<Sender<()>>),
}

impl Faults {
    /// Forgets what was seen, and arms one more fault at the step of this number from here.
    pub(crate) fn arm(&self, at: usize, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.seen.clear();
        state.armed.insert(at, fault);
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap() = State::default();
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().seen.clone()
    }

    /// Called by blocking code that reaches a step.
    pub(crate) fn reach(&self, step: &str) -> io::Result<()> {
        match self.take(step) {
            None => Ok(()),
            Some(Fault::Fail) => Err(io::Error::other(format!("injected at {step}"))),
            Some(Fault::Die(sender) | Fault::Hold(sender)) => {
                sender.send(channel().0).expect("the test waits");
                loop {
                    std::thread::park();
                }
            }
        }
    }

    /// Called by asynchronous code that reaches a step.
    pub(crate) async fn arrive(&self, step: &str) -> Result<(), String> {
        match self.take(step) {
            None => Ok(()),
            Some(Fault::Fail) => Err(format!("injected at {step}")),
            Some(Fault::Die(sender)) => {
                sender.send(channel().0).expect("the test waits");
                std::future::pending().await
            }
            Some(Fault::Hold(sender)) => {
                let (go_on, word) = channel();
                sender.send(go_on).expect("the test waits");
                let waited = tokio::task::spawn_blocking(move || word.recv()).await;
                waited.expect("no panic").expect("the test says so");
                Ok(())
            }
        }
    }

    fn take(&self, step: &str) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let at = state.seen.len();
        state.seen.push(step.to_owned());
        state.armed.remove(&at)
    }
}

/// For a death or a hold, and where it is told.
pub(crate) fn death() -> (Sender<Sender<()>>, Receiver<Sender<()>>) {
    channel()
}
