//! Which server is next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Weighted round robin by virtual time: a server of weight `w` comes up every `1/w`.
///
/// Each server waits at a virtual time; the earliest is taken and put back `SCALE / weight` later, so
/// that heavy servers are spread between the light ones instead of coming in bursts, and servers of
/// one weight take turns in the order written. Choosing costs `O(log servers)`.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    heap: BinaryHeap<Reverse<Turn>>,
    /// Virtual time of the last server taken: where one that comes back joins in.
    now: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    at: u64,
    server: usize,
    weight: u16,
}

/// Virtual time between two turns of a server of weight 1; a multiple of every small weight, so that
/// their turns fall together exactly.
const SCALE: u64 = 720_720 * 256;

impl RoundRobin {
    /// A fresh schedule over `(server index, weight)`; weights of 0 get no turn.
    pub fn new(servers: impl IntoIterator<Item = (usize, u16)>) -> Self {
        let mut schedule = Self::default();
        schedule.set(servers);
        schedule
    }

    /// Replaces the servers; those that stay keep their turn.
    pub fn set(&mut self, servers: impl IntoIterator<Item = (usize, u16)>) {
        let kept: Vec<Turn> = self.heap.drain().map(|Reverse(turn)| turn).collect();
        self.heap = servers
            .into_iter()
            .filter(|&(_, weight)| weight > 0)
            .map(|(server, weight)| {
                let before = kept
                    .iter()
                    .find(|t| t.server == server && t.weight == weight);
                let at = before.map_or(self.now + SCALE / u64::from(weight), |t| t.at);
                Reverse(Turn { at, server, weight })
            })
            .collect();
    }

    /// Takes the next server that `usable` accepts (it is asked in turn order), or `None` when none
    /// is. Servers that are passed over keep their place.
    pub fn next(&mut self, mut usable: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut passed = Vec::new();
        let mut taken = None;
        while let Some(Reverse(turn)) = self.heap.pop() {
            if usable(turn.server) {
                self.now = self.now.max(turn.at);
                // One that was passed over for long must not catch up in a burst.
                let at = turn
                    .at
                    .max(self.now.saturating_sub(SCALE / u64::from(turn.weight)))
                    + SCALE / u64::from(turn.weight);
                self.heap.push(Reverse(Turn { at, ..turn }));
                taken = Some(turn.server);
                break;
            }
            passed.push(Reverse(turn));
        }
        self.heap.extend(passed);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[u16], n: usize) -> Vec<usize> {
        let mut rr = RoundRobin::new(weights.iter().copied().enumerate());
        (0..n).filter_map(|_| rr.next(|_| true)).collect()
    }

    #[test]
    fn equal_weights_take_turns_in_order() {
        assert_eq!(turns(&[1, 1, 1], 7), [0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(turns(&[100, 100], 4), [0, 1, 0, 1]);
    }

    #[test]
    fn shares_are_exact_over_a_period_and_spread() {
        let got = turns(&[5, 3, 1], 9);
        for (server, weight) in [(0, 5), (1, 3), (2, 1)] {
            assert_eq!(
                got.iter().filter(|&&s| s == server).count(),
                weight,
                "{got:?}"
            );
        }
        let longest = got.chunk_by(|a, b| a == b).map(<[usize]>::len).max();
        assert!(longest <= Some(2), "bursts in {got:?}");
    }

    #[test]
    fn weight_zero_and_unusable_servers_get_nothing() {
        let mut rr = RoundRobin::new([(0, 0), (1, 1), (2, 1)]);
        assert_eq!(rr.next(|s| s != 1), Some(2));
        assert_eq!(rr.next(|_| true), Some(1));
        assert_eq!(rr.next(|_| false), None);
    }

    #[test]
    fn one_that_was_away_does_not_get_a_burst() {
        let mut rr = RoundRobin::new([(0, 1), (1, 1)]);
        for _ in 0..1000 {
            assert_eq!(rr.next(|s| s == 0), Some(0));
        }
        let after: Vec<_> = (0..6).filter_map(|_| rr.next(|_| true)).collect();
        assert!(after.iter().filter(|&&s| s == 1).count() <= 4, "{after:?}");
    }
}
