//! The health state machine (HAProxy manual, section 5.2, `rise` and `fall`).

/// State of one checked server.
///
/// One counter runs from 0 to `rise + fall - 1`. From `rise` on the server is up. A success adds one
/// (and fills the counter when the server is up then); a failure takes one away (and, when that brings
/// the server down, empties it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    value: u32,
    rise: u32,
    fall: u32,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// From down to up.
    Up,
    /// From up to down.
    Down,
}

impl Health {
    /// A server that was never checked: up, but the first failure takes it down.
    #[must_use]
    pub fn unproven(rise: u32, fall: u32) -> Self {
        let rise = rise.max(1);
        Self {
            value: rise,
            rise,
            fall: fall.max(1),
        }
    }

    /// The same state under other limits, when a change keeps the server.
    #[must_use]
    pub fn with_limits(self, rise: u32, fall: u32) -> Self {
        let fresh = Self::unproven(rise, fall);
        let value = if self.is_up() {
            fresh.rise + fresh.fall - 1
        } else {
            0
        };
        Self { value, ..fresh }
    }

    /// Whether the server may get traffic.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.value >= self.rise
    }

    /// As good as checks can make it.
    pub(crate) fn fill(&mut self) {
        self.value = self.rise + self.fall - 1;
    }

    /// As bad as checks can make it.
    pub(crate) fn empty(&mut self) {
        self.value = 0;
    }

    /// Unproven again: up, but the first failure takes it down.
    pub(crate) fn restart(&mut self) {
        self.value = self.rise;
    }

    /// Whether neither a success nor a failure is pending confirmation.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.value == 0 || self.value == self.rise + self.fall - 1
    }

    /// Takes in the result of one check.
    pub fn report(&mut self, success: bool) -> Option<Transition> {
        let full = self.rise + self.fall - 1;
        if success {
            let was_up = self.is_up();
            self.value += 1;
            if self.value >= self.rise {
                self.value = full;
                return (!was_up).then_some(Transition::Up);
            }
        } else if self.value > self.rise {
            self.value -= 1;
        } else {
            let was_up = self.is_up();
            self.value = 0;
            return was_up.then_some(Transition::Down);
        }
        None
    }

    /// Failures left of those that take it down, when some were counted: `(1, 3)`.
    #[must_use]
    pub fn failures_left(&self) -> Option<(u32, u32)> {
        let full = self.rise + self.fall - 1;
        (self.rise..full)
            .contains(&self.value)
            .then(|| (self.value - self.rise + 1, self.fall))
    }

    /// Successes so far of those that bring it up, when some were counted: `(1, 2)`.
    #[must_use]
    pub fn successes_so_far(&self) -> Option<(u32, u32)> {
        (1..self.rise)
            .contains(&self.value)
            .then_some((self.value, self.rise))
    }

    /// Successes that bring it up, failures that bring it down, and where it stands between.
    #[must_use]
    pub fn counters(&self) -> (u32, u32, u32) {
        (self.rise, self.fall, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_of_an_unproven_server_takes_it_down() {
        let mut health = Health::unproven(2, 3);
        assert_eq!(health.failures_left(), Some((1, 3)));
        assert_eq!(health.report(false), Some(Transition::Down));
        assert_eq!(health.counters(), (2, 3, 0));
    }

    #[test]
    fn it_takes_rise_successes_and_fall_failures() {
        let mut health = Health::unproven(2, 3);
        assert_eq!(health.report(true), None);
        assert_eq!(
            (health.counters(), health.failures_left()),
            ((2, 3, 4), None)
        );
        assert_eq!([health.report(false), health.report(false)], [None, None]);
        assert_eq!(health.failures_left(), Some((1, 3)));
        assert_eq!(health.report(false), Some(Transition::Down));
        assert_eq!(health.report(true), None);
        assert_eq!(health.successes_so_far(), Some((1, 2)));
        assert_eq!(health.report(true), Some(Transition::Up));
        assert_eq!(health.counters(), (2, 3, 4));
    }

    #[test]
    fn a_failure_while_rising_starts_over() {
        let mut health = Health::unproven(3, 1);
        health.report(false);
        assert_eq!([health.report(true), health.report(true)], [None, None]);
        assert_eq!(health.report(false), None);
        assert_eq!(health.counters(), (3, 1, 0));
    }
}
