//! Source ports that are handed out in turn (`source ADDRESS:LOW-HIGH` of a server).

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;

/// The ports of one server's range.
///
/// A port that comes back waits behind all others: the connection that had it may be in TIME_WAIT for a
/// minute, and the longer ago that is, the surer the next one from this port is taken.
#[derive(Debug)]
pub struct PortRing {
    range: RangeInclusive<u16>,
    /// Not handed out yet. These are told by their bounds: a server that makes few connections needs no
    /// memory for the others.
    fresh: VecDeque<RangeInclusive<u16>>,
    /// Given back, the longest ago first.
    returned: VecDeque<u16>,
    taken: HashSet<u16>,
}

impl PortRing {
    /// All of these, in their order, from the place that `chance` falls on: who was before us began
    /// somewhere too, and what it has or left behind lies together.
    #[must_use]
    pub fn new(range: RangeInclusive<u16>, chance: u64) -> Self {
        let (low, high) = (*range.start(), *range.end());
        let count = u64::from(high.saturating_sub(low)) + 1;
        let first = u16::try_from(u64::from(low) + chance % count).unwrap_or(low);
        let before = first.checked_sub(1).filter(|last| *last >= low);
        let parts = [Some(first..=high), before.map(|last| low..=last)];
        Self {
            fresh: parts.into_iter().flatten().collect(),
            range,
            returned: VecDeque::new(),
            taken: HashSet::new(),
        }
    }

    /// How many can be taken; a few less, after a change of the range.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fresh.iter().map(ExactSizeIterator::len).sum::<usize>() + self.returned.len()
    }

    /// Whether none can be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the next so many ports behind all others.
    pub fn pass_over(&mut self, count: usize) {
        for _ in 0..count {
            let next = self.next_fresh().or_else(|| self.returned.pop_front());
            self.returned.extend(next);
        }
    }

    /// The next port, whose holder gives it back; `None` when all are taken.
    pub fn take(&mut self) -> Option<u16> {
        let port = self.next_fresh().or_else(|| self.returned.pop_front())?;
        self.taken.insert(port);
        Some(port)
    }

    /// Takes a port back. One that is not of the range any more is gone.
    pub fn give_back(&mut self, port: u16) {
        // One that left the range and came again with it is among the fresh ones.
        let is_fresh = || self.fresh.iter().any(|part| part.contains(&port));
        if self.taken.remove(&port) && self.range.contains(&port) && !is_fresh() {
            self.returned.push_back(port);
        }
    }

    /// Hands out these from now on. What is taken is still taken.
    pub fn change(&mut self, range: RangeInclusive<u16>) {
        if range == self.range {
            return;
        }
        self.returned.retain(|port| range.contains(port));
        let before = std::mem::replace(&mut self.range, range.clone());
        let kept = std::mem::take(&mut self.fresh);
        self.fresh = kept
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|part| *part.start().max(range.start())..=*part.end().min(range.end()))
            .chain(beyond(&range, &before))
            .filter(|part| !part.is_empty())
            .collect();
    }

    /// A port that was taken when its range was changed may stand among these.
    fn next_fresh(&mut self) -> Option<u16> {
        while let Some(part) = self.fresh.front_mut() {
            match part.find(|port| !self.taken.contains(port)) {
                Some(port) => return Some(port),
                None => drop(self.fresh.pop_front()),
            }
        }
        None
    }
}

/// What `range` has below and above `before`.
fn beyond(
    range: &RangeInclusive<u16>,
    before: &RangeInclusive<u16>,
) -> impl Iterator<Item = RangeInclusive<u16>> + use<> {
    let below = before.start().checked_sub(1);
    let below = below.map(|last| *range.start()..=last.min(*range.end()));
    let above = before.end().checked_add(1);
    let above = above.map(|first| first.max(*range.start())..=*range.end());
    below.into_iter().chain(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ring: &mut PortRing) -> Vec<u16> {
        std::iter::from_fn(|| ring.take()).collect()
    }

    #[test]
    fn each_port_has_one_holder_and_comes_back_last() {
        let mut ring = PortRing::new(1000..=1003, 0);
        assert_eq!(ring.take(), Some(1000));
        assert_eq!(ring.take(), Some(1001));
        ring.give_back(1000);
        // Twice is once, and what was never taken is not given back.
        ring.give_back(1000);
        ring.give_back(1003);
        ring.give_back(9);
        assert_eq!(all(&mut ring), [1002, 1003, 1000]);
        for port in [1003, 1000, 1002, 1001] {
            ring.give_back(port);
        }
        assert_eq!(all(&mut ring), [1003, 1000, 1002, 1001]);
        assert_eq!(ring.take(), None);
    }

    #[test]
    fn it_begins_anywhere_and_keeps_the_order() {
        let from = |chance| all(&mut PortRing::new(1000..=1003, chance));
        assert_eq!(from(0), [1000, 1001, 1002, 1003]);
        assert_eq!(from(1), [1001, 1002, 1003, 1000]);
        assert_eq!(from(7), [1003, 1000, 1001, 1002]);
        assert_eq!(all(&mut PortRing::new(0..=0, 5)), [0]);
        assert_eq!(PortRing::new(0..=u16::MAX, u64::MAX).take(), Some(u16::MAX));
    }

    #[test]
    fn what_is_passed_over_comes_last() {
        let mut ring = PortRing::new(1000..=1005, 4);
        assert_eq!(ring.len(), 6);
        assert_eq!((ring.take(), ring.take()), (Some(1004), Some(1005)));
        ring.give_back(1004);
        ring.pass_over(2);
        assert_eq!(ring.take(), Some(1002));
        ring.give_back(1002);
        // More than there are goes round.
        ring.pass_over(6);
        assert_eq!(all(&mut ring), [1004, 1000, 1001, 1002, 1003]);
        assert!(ring.is_empty());
        ring.pass_over(1);
        assert_eq!(ring.take(), None);
    }

    #[test]
    fn the_last_port_of_all_is_one_too() {
        let mut ring = PortRing::new(65_534..=65_535, 0);
        assert_eq!(all(&mut ring), [65_534, 65_535]);
        ring.change(65_533..=65_535);
        assert_eq!(all(&mut ring), [65_533]);
        ring.change(65_535..=65_535);
        ring.give_back(65_533);
        ring.give_back(65_535);
        assert_eq!(all(&mut ring), [65_535]);
    }

    #[test]
    fn a_changed_range_does_not_hand_out_what_is_taken() {
        let mut ring = PortRing::new(10..=15, 6);
        assert_eq!(
            (ring.take(), ring.take(), ring.take()),
            (Some(10), Some(11), Some(12))
        );
        ring.give_back(11);
        ring.change(12..=17);
        // 10 and 12 are taken; 11 has left; the new ones come behind the old ones.
        assert_eq!(all(&mut ring), [13, 14, 15, 16, 17]);
        ring.give_back(10);
        ring.give_back(16);
        ring.change(8..=13);
        // 12 and 13 still are.
        assert_eq!(all(&mut ring), [8, 9, 10, 11]);
        ring.change(8..=20);
        // 14, 15 and 17 are taken from before.
        assert_eq!(all(&mut ring), [16, 18, 19, 20]);
        ring.give_back(15);
        assert_eq!(all(&mut ring), [15]);
        // 8 leaves, comes again, and comes back.
        ring.change(9..=20);
        ring.change(8..=20);
        ring.give_back(8);
        assert_eq!(all(&mut ring), [8]);
    }

    #[test]
    fn whatever_happens_no_port_is_twice_and_none_is_lost() {
        // Numbers of a linear congruential generator: the same at every run.
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut ring = PortRing::new(100..=120, 7);
        let mut range = 100..=120_u16;
        let mut held: Vec<u16> = Vec::new();
        for _ in 0..20_000 {
            match random(10) {
                0..=4 => {
                    let free = range.clone().filter(|port| !held.contains(port)).count();
                    match ring.take() {
                        Some(port) => {
                            assert!(range.contains(&port), "{port} of {range:?}");
                            assert!(!held.contains(&port), "{port} twice");
                            held.push(port);
                        }
                        None => assert_eq!(free, 0, "{range:?} {held:?}"),
                    }
                }
                5..=8 if !held.is_empty() => {
                    let at = random(held.len() as u64) as usize;
                    ring.give_back(held.swap_remove(at));
                }
                9 if random(20) == 0 => {
                    let low = 90 + random(30) as u16;
                    range = low..=low + random(30) as u16;
                    ring.change(range.clone());
                }
                _ => {}
            }
        }
    }
}
