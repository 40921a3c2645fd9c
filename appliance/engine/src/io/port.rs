//! Source ports that are handed out in turn.

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
            ring: Mutex::new(PortRing::new(range)),
        }
    }

    /// The next one, unless all are taken.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Port> {
        let number = self.ring().take()?;
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
