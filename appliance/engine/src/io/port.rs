//! Source ports that are handed out in turn.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanai_traffic::PortRing;

/// The ports of one address that connections to one server come from. All workers and the checks take
/// from them.
#[derive(Debug)]
pub(crate) struct Ports {
    /// `None` is whichever the kernel picks.
    pub(crate) address: Option<IpAddr>,
    /// Held for a push or a pop, on the way to a new connection.
    ring: Mutex<PortRing>,
}

/// One of them. It is given back when this is dropped, which a socket that is bound to it must not
/// outlive.
#[derive(Debug)]
pub(crate) struct Port {
    of: Arc<Ports>,
    number: u16,
}

impl Ports {
    pub(crate) fn new(address: Option<IpAddr>, range: RangeInclusive<u16>) -> Self {
        Self {
            address,
            // A hasher of its own is what the standard library has of chance.
            ring: Mutex::new(PortRing::new(range, RandomState::new().hash_one(()))),
        }
    }

    /// The next one, unless all are taken. `failed` are those that were tried before it for the same
    /// connection.
    pub(crate) fn take(self: &Arc<Self>, failed: u32) -> Option<Port> {
        let number = {
            let mut ring = self.ring();
            let spare = ring.len().saturating_sub(TRIES as usize);
            ring.pass_over(leap(failed, spare));
            ring.take()?
        };
        Some(Port {
            of: self.clone(),
            number,
        })
    }

    /// Hands out these from now on.
    pub(crate) fn change(&self, range: RangeInclusive<u16>) {
        self.ring().change(range);
    }

    fn ring(&self) -> MutexGuard<'_, PortRing> {
        // Every change is complete before the lock is given back.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ports of a range that are tried for one connection at most. Others may have taken some of them: a
/// program that listens, a connection that the kernel picked the port for, an engine that finishes.
pub(crate) const TRIES: u32 = 32;

/// How many ports to pass over after so many failed: none, then one, two, four, eight. What an engine
/// beside this one has lies together, and the way out of a thousand is eleven tries. Never so many in
/// all that a port is tried twice for one connection.
fn leap(failed: u32, spare: usize) -> usize {
    let passed = |failed: u32| {
        let doubled = 1_usize.checked_shl(failed.saturating_sub(1));
        doubled.map_or(spare, |all| spare.min(all - 1))
    };
    passed(failed) - passed(failed.saturating_sub(1))
}

impl Port {
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.of.ring().give_back(self.number);
    }
}

/// Those of one server: there are no others like them.
impl PartialEq for Ports {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Failed tries of a connection from a range of so many ports, whose first `held` are somebody's, and
    /// whose ring begins at `first`.
    fn tries(count: u16, held: u16, first: u16) -> u32 {
        let ports = Arc::new(Ports {
            address: None,
            ring: Mutex::new(PortRing::new(1000..=999 + count, first.into())),
        });
        let mut failed = 0;
        let mut tried = Vec::new();
        while failed < TRIES {
            let number = ports.take(failed).unwrap().number();
            assert!(!tried.contains(&number), "{number} twice: {tried:?}");
            if number >= 1000 + held {
                break;
            }
            tried.push(number);
            failed += 1;
        }
        failed
    }

    #[test]
    fn what_another_engine_has_is_soon_left_behind() {
        for first in 0..1000 {
            assert!(tries(63_000, 1000, first) <= 11, "from {first}");
            assert_eq!(tries(63_000, 1000, 1000 + first), 0);
        }
        // Half of a range.
        for first in 0..200 {
            assert!(tries(200, 100, first) <= 8, "from {first}");
        }
    }

    #[test]
    fn all_of_a_small_range_are_tried() {
        let free = 31;
        for first in 0..TRIES as u16 {
            let failed = tries(TRIES as u16, free, first);
            assert!(failed < TRIES, "from {first}");
        }
        assert_eq!(tries(TRIES as u16, TRIES as u16, 5), TRIES);
    }
}
