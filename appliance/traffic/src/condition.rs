//! The condition of a server: what its checks found, and what an administrator wants of it (HAProxy's
//! management guide, section 9.3, `set server` and `show servers state`).

use std::fmt;

use crate::health::{Health, Transition};

/// What a server is able to do, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It gets no requests.
    Stopped,
    /// It gets requests.
    Running,
    /// It gets no new clients, but those that belong to it.
    Stopping,
}

/// What an administrator wants of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admin {
    /// Nothing special.
    #[default]
    Ready,
    /// It gets no new clients; it is still checked.
    Drain,
    /// It gets nothing, and is not checked.
    Maint,
}

/// Whether a server is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checks {
    /// No check is configured.
    #[default]
    None,
    /// Checks are configured, and switched off at run time.
    Off,
    /// Checks run (but not during maintenance).
    On,
}

/// A server's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    operation: Operation,
    admin: Admin,
    checks: Checks,
    health: Health,
}

/// HAProxy's defaults, which also count for a server without checks.
const RISE_AND_FALL: (u32, u32) = (2, 3);

impl Default for Condition {
    /// A server that is not checked: it runs.
    fn default() -> Self {
        let (rise, fall) = RISE_AND_FALL;
        Self {
            operation: Operation::Running,
            admin: Admin::Ready,
            checks: Checks::None,
            health: Health::unproven(rise, fall),
        }
    }
}

impl Condition {
    /// Whether it gets new requests, if it has a weight.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.operation == Operation::Running && self.admin == Admin::Ready
    }

    /// What it is able to do.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// What an administrator wants of it.
    #[must_use]
    pub fn admin(&self) -> Admin {
        self.admin
    }

    /// Whether it is checked.
    #[must_use]
    pub fn checks(&self) -> Checks {
        self.checks
    }

    /// What its checks have counted.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Whether a check's result counts now.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checks == Checks::On && self.admin != Admin::Maint
    }

    /// Takes in the configuration: `rise` and `fall` of a check, or that there is none. A server that
    /// is checked already stays what it is; what checks have found of a server does not outlive them.
    pub fn configure(&mut self, check: Option<(u32, u32)>) {
        match (self.checks, check) {
            (Checks::None, None) => {}
            (Checks::None, Some((rise, fall))) => {
                self.checks = Checks::On;
                self.health = Health::unproven(rise, fall);
                if self.operation == Operation::Stopped {
                    self.health.empty();
                }
            }
            (_, Some((rise, fall))) => {
                if self.health.counters() != Health::unproven(rise, fall).counters() {
                    self.health = self.health.with_limits(rise, fall);
                }
            }
            (_, None) => {
                let admin = self.admin;
                *self = Self::default();
                self.set_admin(admin);
            }
        }
    }

    /// Switches configured checks on or off. False when none are configured.
    pub fn set_checks(&mut self, on: bool) -> bool {
        if self.checks == Checks::None {
            return false;
        }
        self.checks = if on { Checks::On } else { Checks::Off };
        // It came out of maintenance meanwhile: nothing is known of it.
        if on && self.operation == Operation::Running && !self.health.is_up() {
            self.health.restart();
        }
        true
    }

    /// Does what an administrator wants. Leaving maintenance, a server is up until a check fails.
    pub fn set_admin(&mut self, admin: Admin) {
        let before = std::mem::replace(&mut self.admin, admin);
        match (before, admin) {
            (_, Admin::Maint) => {
                self.operation = Operation::Stopped;
                self.health.empty();
            }
            (Admin::Maint, _) => {
                self.operation = Operation::Running;
                if self.checks == Checks::On {
                    self.health.restart();
                }
            }
            _ => {}
        }
    }

    /// Declares what a server is able to do, until a check finds something else.
    pub fn force(&mut self, operation: Operation) {
        match operation {
            Operation::Stopped => self.health.empty(),
            Operation::Running | Operation::Stopping => self.health.fill(),
        }
        if self.admin != Admin::Maint {
            self.operation = operation;
        }
    }

    /// Takes in the result of a check.
    pub fn report(&mut self, success: bool) -> Option<Transition> {
        if !self.is_checked() {
            return None;
        }
        self.health.report(success);
        match (success, self.health.is_up(), self.operation) {
            (true, true, Operation::Stopped | Operation::Stopping) => {
                self.operation = Operation::Running;
                Some(Transition::Up)
            }
            (false, false, Operation::Running | Operation::Stopping) => {
                self.operation = Operation::Stopped;
                Some(Transition::Down)
            }
            _ => None,
        }
    }
}

/// The status of the statistics: `UP`, `DOWN`, `UP 2/3` (failures left), `DOWN 1/2` (successes so
/// far), `DRAIN`, `MAINT`, `NOLB`, `no check`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, counted) = match (self.admin, self.operation) {
            (Admin::Maint, _) => ("MAINT", None),
            (_, Operation::Stopped) => ("DOWN", self.health.successes_so_far()),
            (_, Operation::Stopping) => ("NOLB", self.health.failures_left()),
            (Admin::Drain, Operation::Running) => ("DRAIN", self.health.failures_left()),
            (Admin::Ready, Operation::Running) if self.checks != Checks::On => ("no check", None),
            (Admin::Ready, Operation::Running) => ("UP", self.health.failures_left()),
        };
        f.write_str(word)?;
        match counted {
            Some((n, of)) if self.checks == Checks::On => write!(f, " {n}/{of}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked() -> Condition {
        let mut condition = Condition::default();
        condition.configure(Some((2, 3)));
        condition
    }

    fn after(mut condition: Condition, change: impl FnOnce(&mut Condition)) -> Condition {
        change(&mut condition);
        condition
    }

    #[test]
    fn the_words_are_those_of_haproxy() {
        let up = after(checked(), |c| assert_eq!(c.report(true), None));
        let words = |condition: Condition| condition.to_string();
        assert_eq!(words(Condition::default()), "no check");
        assert_eq!(words(checked()), "UP 1/3");
        assert_eq!(words(up), "UP");
        for (admin, unproven, proven, plain) in [
            (Admin::Drain, "DRAIN 1/3", "DRAIN", "DRAIN"),
            (Admin::Maint, "MAINT", "MAINT", "MAINT"),
        ] {
            assert_eq!(words(after(checked(), |c| c.set_admin(admin))), unproven);
            assert_eq!(words(after(up, |c| c.set_admin(admin))), proven);
            let unchecked = after(Condition::default(), |c| c.set_admin(admin));
            assert_eq!(words(unchecked), plain);
        }
        let stopping = after(up, |c| c.force(Operation::Stopping));
        assert_eq!(words(stopping), "NOLB");
        let down = after(up, |c| c.force(Operation::Stopped));
        assert_eq!(words(down), "DOWN");
        assert_eq!(words(after(down, |c| c.set_admin(Admin::Drain))), "DOWN");
        let rising = after(down, |c| assert_eq!(c.report(true), None));
        assert_eq!(words(rising), "DOWN 1/2");
        let unchecked = after(up, |c| assert!(c.set_checks(false)));
        assert_eq!(words(unchecked), "no check");
    }

    #[test]
    fn only_ready_and_running_serves() {
        assert!(checked().serves());
        for admin in [Admin::Drain, Admin::Maint] {
            assert!(!after(checked(), |c| c.set_admin(admin)).serves());
        }
        for operation in [Operation::Stopped, Operation::Stopping] {
            assert!(!after(checked(), |c| c.force(operation)).serves());
        }
    }

    #[test]
    fn maintenance_forgets_what_checks_found() {
        let mut server = checked();
        server.report(false);
        assert_eq!(server.operation(), Operation::Stopped);
        server.set_admin(Admin::Maint);
        assert_eq!(server.report(true), None, "no result counts meanwhile");
        server.force(Operation::Running);
        assert_eq!(server.to_string(), "MAINT");
        server.set_admin(Admin::Ready);
        assert_eq!(server.to_string(), "UP 1/3");
        assert_eq!(server.report(false), Some(Transition::Down));
    }

    #[test]
    fn a_good_check_ends_what_was_declared() {
        let mut server = checked();
        server.force(Operation::Stopping);
        assert_eq!(server.report(true), Some(Transition::Up));
        server.force(Operation::Stopped);
        assert_eq!(
            (server.report(true), server.report(true)),
            (None, Some(Transition::Up))
        );
    }

    #[test]
    fn a_drained_server_is_still_checked() {
        let mut server = checked();
        server.set_admin(Admin::Drain);
        assert_eq!(server.report(false), Some(Transition::Down));
        server.set_admin(Admin::Ready);
        assert_eq!(server.to_string(), "DOWN");
    }

    #[test]
    fn what_checks_found_does_not_outlive_them_and_what_was_declared_does() {
        let mut server = checked();
        server.report(false);
        server.configure(None);
        assert_eq!(server, Condition::default());
        server.force(Operation::Stopped);
        server.configure(None);
        assert_eq!(server.to_string(), "DOWN");
        server.configure(Some((2, 3)));
        assert_eq!(server.to_string(), "DOWN");
        server.set_admin(Admin::Maint);
        server.configure(None);
        assert_eq!(server.to_string(), "MAINT");
    }

    #[test]
    fn checks_switched_on_again_after_maintenance_know_nothing() {
        let mut server = checked();
        server.set_checks(false);
        assert_eq!(server.report(false), None);
        server.set_admin(Admin::Maint);
        server.set_admin(Admin::Ready);
        assert!(server.set_checks(true));
        assert_eq!(server.to_string(), "UP 1/3");
        assert!(!Condition::default().set_checks(true));
    }
}
