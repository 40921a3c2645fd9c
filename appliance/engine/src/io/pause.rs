//! Pauses that no socket ends.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use super::reactor::{Direction, Reactor, Token};

/// What a task may do before it lets others go first that can go on: one that never has to wait would
/// keep them from it for as long as it likes.
#[derive(Debug, Default)]
pub(crate) struct Share {
    spent: u32,
    /// The reactor's turn that it was spent in.
    turn: u64,
}

impl Share {
    /// Pieces of up to 64 KB, or requests.
    const WHOLE: u32 = 16;

    /// Counts another piece. One that was waited for begins a new share: others had their turn.
    pub(crate) async fn spend(&mut self, reactor: &Reactor) {
        poll_fn(|cx| self.poll_spend(cx, reactor)).await;
    }

    /// As [`Share::spend`], to be polled.
    pub(crate) fn poll_spend(&mut self, cx: &Context<'_>, reactor: &Reactor) -> Poll<()> {
        let turn = reactor.turns.get();
        if std::mem::replace(&mut self.turn, turn) != turn {
            self.spent = 0;
        }
        self.spent += 1;
        if self.spent <= Self::WHOLE {
            return Poll::Ready(());
        }
        // Polled again, it is another turn: the others had theirs.
        self.spent = 0;
        reactor.yielding.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    }
}

/// A slot that only waits for time to pass.
struct Timer<'a>(&'a Reactor, Token);

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

impl Reactor {
    /// Lets `pause` pass.
    pub(crate) async fn sleep(&self, pause: Duration) {
        // A slot without a socket: only its deadline ends the wait.
        let timer = Timer(self, self.insert());
        let deadline = self.after(Some(pause));
        let _ = poll_fn(|cx| self.poll_ready(timer.1, Direction::Read, deadline, cx.waker())).await;
    }
}
