//! Waiting for something that another program will do, with a limit.

use std::time::{Duration, Instant};

/// The usual patience with another program. A busy machine of two cores builds and tests at once,
/// so this is a limit for what should take well under a second.
#[must_use]
pub const fn within() -> Duration {
    Duration::from_secs(15)
}

/// Asks again and again until `probe` has an answer; panics with `what` when `limit` has passed.
///
/// For states that nothing announces (a listening socket, a line in a log). What can be awaited as
/// an event (a process that ends) is awaited as one.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
