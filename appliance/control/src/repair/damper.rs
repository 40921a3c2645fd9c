//! How often one and the same step may be done: a few times at once, and then seldom.

use std::collections::BTreeMap;
use std::time::Duration;

/// Times that a step may be done one after the other.
pub(super) const AT_ONCE: u32 = 5;

/// Then once in this time. A step that rested for `AT_ONCE` of them may be done that often again.
pub(super) const EVERY: Duration = Duration::from_secs(60);

/// Steps that are remembered. Beyond them the one that rested longest is forgotten, which allows it
/// more than it is due.
const STEPS: usize = 4096;

/// Remembers for each step when all that it has used is given back to it.
#[derive(Debug, Default)]
pub(super) struct Damper {
    /// By step: the time at which its allowance is whole again.
    whole_at: BTreeMap<String, Duration>,
}

impl Damper {
    /// Uses one turn of `step` at `now`, the time since some fixed moment; or tells how long it waits
    /// for one.
    pub(super) fn ask(&mut self, step: &str, now: Duration) -> Result<(), Duration> {
        let whole_at = self.whole_at.get(step).copied().unwrap_or(now).max(now);
        let used_up = EVERY.saturating_mul(AT_ONCE);
        let after = whole_at.saturating_add(EVERY);
        if let Some(wait) = after.checked_sub(now.saturating_add(used_up))
            && !wait.is_zero()
        {
            return Err(wait);
        }
        if self.whole_at.len() >= STEPS && !self.whole_at.contains_key(step) {
            self.forget(now);
        }
        self.whole_at.insert(step.to_owned(), after);
        Ok(())
    }

    fn forget(&mut self, now: Duration) {
        self.whole_at.retain(|_, whole_at| *whole_at > now);
        if self.whole_at.len() >= STEPS {
            let first = self.whole_at.iter().min_by_key(|(_, whole_at)| **whole_at);
            if let Some(step) = first.map(|(step, _)| step.clone()) {
                self.whole_at.remove(&step);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_few_at_once_and_then_seldom() {
        let mut damper = Damper::default();
        for _ in 0..AT_ONCE {
            assert_eq!(damper.ask("a", at(100)), Ok(()));
        }
        assert_eq!(damper.ask("a", at(100)), Err(EVERY));
        assert_eq!(damper.ask("a", at(130)), Err(at(30)));
        assert_eq!(damper.ask("b", at(130)), Ok(()), "another step is free");
        assert_eq!(damper.ask("a", at(160)), Ok(()));
        assert_eq!(damper.ask("a", at(161)), Err(at(59)));
    }

    #[test]
    fn a_long_rest_gives_everything_back_and_no_more() {
        let mut damper = Damper::default();
        for _ in 0..AT_ONCE {
            assert_eq!(damper.ask("a", at(0)), Ok(()));
        }
        let done = (0..20).filter(|_| damper.ask("a", at(10_000)).is_ok());
        assert_eq!(done.count(), AT_ONCE as usize);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut damper = Damper::default();
        for step in 0..3 * STEPS {
            assert_eq!(damper.ask(&step.to_string(), at(1)), Ok(()));
        }
        assert!(damper.whole_at.len() <= STEPS);
    }
}
