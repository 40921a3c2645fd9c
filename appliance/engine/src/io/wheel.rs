//! A coarse timer wheel.

/// Milliseconds of one tick: timeouts fire up to this much late, never early.
pub(super) const TICK_MS: u64 = 16;
/// Ticks of one turn; a power of two. What lies further ahead is looked at again once a turn.
const SLOTS: u64 = 1024;

/// Entries by the tick at which they want to be looked at.
///
/// An entry is only a hint: its owner keeps the true deadline and puts itself back when it was woken
/// too early. So moving a deadline into the future, which every byte of traffic does, costs nothing
/// here.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    slots: Vec<Vec<T>>,
    /// The last tick whose slot was emptied.
    current: u64,
    len: usize,
    /// No entry is before this tick: where the search for the next one begins.
    earliest: u64,
}

impl<T> Wheel<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            current: 0,
            len: 0,
            earliest: 0,
        }
    }

    /// Puts in an entry to be looked at once `at_ms` has passed, or earlier. Returns when, in
    /// milliseconds.
    pub(super) fn insert(&mut self, at_ms: u64, entry: T) -> u64 {
        let tick = at_ms
            .div_ceil(TICK_MS)
            .clamp(self.current + 1, self.current + SLOTS - 1);
        self.len += 1;
        self.earliest = self.earliest.min(tick);
        self.slot(tick).push(entry);
        tick * TICK_MS
    }

    /// Takes out all entries that are due at `now_ms`.
    pub(super) fn expire(&mut self, now_ms: u64, due: &mut Vec<T>) {
        let now = now_ms / TICK_MS;
        if now > self.current + SLOTS {
            self.current = now - SLOTS;
        }
        while self.current < now {
            self.current += 1;
            let before = due.len();
            let tick = self.current;
            due.append(self.slot(tick));
            self.len -= due.len() - before;
        }
    }

    /// When the next entry wants to be looked at, in milliseconds.
    pub(super) fn next_ms(&mut self) -> Option<u64> {
        let end = self.current + SLOTS;
        if self.len == 0 {
            // The next one that is put in is the earliest.
            self.earliest = u64::MAX;
            return None;
        }
        let tick = (self.earliest.max(self.current + 1)..=end)
            .find(|&tick| self.slots.get(index(tick)).is_some_and(|s| !s.is_empty()))?;
        self.earliest = tick;
        Some(tick * TICK_MS)
    }

    fn slot(&mut self, tick: u64) -> &mut Vec<T> {
        self.slots
            .get_mut(index(tick))
            .expect("the index is a tick modulo the number of slots")
    }
}

fn index(tick: u64) -> usize {
    (tick % SLOTS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(wheel: &mut Wheel<u32>, now: u64) -> Vec<u32> {
        let mut out = Vec::new();
        wheel.expire(now, &mut out);
        out
    }

    #[test]
    fn nothing_fires_early_and_everything_fires_within_a_tick() {
        let mut wheel = Wheel::new();
        for (entry, at) in (0..).zip([1, 15, 16, 17, 100, 5000]) {
            wheel.insert(at, entry);
        }
        assert!(due(&mut wheel, 15).is_empty());
        assert_eq!(due(&mut wheel, 16), [0, 1, 2]);
        assert_eq!(due(&mut wheel, 32), [3]);
        assert_eq!(wheel.next_ms(), Some(112));
        wheel.insert(40, 6);
        assert_eq!(
            wheel.next_ms(),
            Some(48),
            "one that came later and is earlier"
        );
        assert_eq!(due(&mut wheel, 48), [6]);
        assert_eq!(wheel.next_ms(), Some(112));
        assert!(due(&mut wheel, 111).is_empty());
        assert_eq!(due(&mut wheel, 112), [4]);
        assert_eq!(due(&mut wheel, 5008), [5]);
        assert_eq!(wheel.next_ms(), None);
    }

    #[test]
    fn far_deadlines_are_looked_at_once_a_turn() {
        let mut wheel = Wheel::new();
        let at = wheel.insert(1_000_000, 7);
        assert!(at < 1_000_000, "looked at {at}");
        assert_eq!(due(&mut wheel, at), [7]);
    }

    #[test]
    fn a_long_pause_loses_nothing() {
        let mut wheel = Wheel::new();
        wheel.insert(20, 1);
        wheel.insert(16_000, 2);
        let mut got = due(&mut wheel, 10_000_000);
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        assert!(wheel.insert(5, 3) > 10_000_000 - 2 * TICK_MS);
    }
}
