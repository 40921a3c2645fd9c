//! Pauses that no socket ends.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::reactor::{Direction, Reactor, Token};

/// What a task may do before it lets others go first.
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
        let turn = reactor.turns.get();
        if std::mem::replace(&mut self.turn, turn) != turn {
            self.spent = 0;
        }
        self.spent += 1;
        if self.spent > Self::WHOLE {
            self.spent = 0;
            reactor.let_others().await;
        }
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
    /// Lets all others go first that can go on: a task that never has to wait would keep them from
    /// it for as long as it likes.
    async fn let_others(&self) {
        let mut asked = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            self.yielding.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Lets `pause` pass.
    pub(crate) async fn sleep(&self, pause: Duration) {
        // A slot without a socket: only its deadline ends the wait.
        let timer = Timer(self, self.insert());
        let deadline = self.after(Some(pause));
        let _ = poll_fn(|cx| self.poll_wait(timer.1, Direction::Read, deadline, cx.waker())).await;
    }
}
