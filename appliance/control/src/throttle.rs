//! Slowing down whoever guesses passwords (ASVS 5.0, 6.3.1): after a few failures each further one
//! doubles the time before the next try counts, per account and per address.

use std::collections::HashMap;

/// Failures without a delay: people mistype.
const FREE: u32 = 3;

/// The first delay.
const FIRST_MS: i64 = 1_000;

/// The longest delay of an account: an attacker must not lock its owner out for long.
const LONGEST_ACCOUNT_MS: i64 = 30 * 1_000;

/// The longest delay of an address.
const LONGEST_ADDRESS_MS: i64 = 5 * 60 * 1_000;

/// After this time without a failure, all is forgotten.
const FORGET_MS: i64 = 60 * 60 * 1_000;

/// Accounts and addresses remembered at most. Past that, those that failed the longest ago go.
const REMEMBERED: usize = 10_000;

/// Who failed how often, in memory: a restart forgets it, and costs more time than it gains.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: HashMap<Key, Failures>,
}

/// What failures are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(String),
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Failures {
    /// When the next try counts.
    fn until_ms(self, key: &Key) -> i64 {
        let Some(doublings) = self.count.checked_sub(FREE) else {
            return i64::MIN;
        };
        let longest = match key {
            Key::Account(_) => LONGEST_ACCOUNT_MS,
            Key::Address(_) => LONGEST_ADDRESS_MS,
        };
        let delay = FIRST_MS.checked_shl(doublings.min(20)).unwrap_or(longest);
        self.last_ms.saturating_add(delay.min(longest))
    }
}

impl Throttle {
    /// Takes a try of `account` from `address`: counted as failed until [`Throttle::succeeded`], so
    /// that many tries at once do not slip through together. Otherwise the milliseconds to wait; a
    /// try that has to wait is not looked at and does not prolong the wait.
    pub(crate) fn begin(&mut self, account: &str, address: &str, now_ms: i64) -> Result<(), i64> {
        let keys = keys(account, address);
        let until = keys
            .iter()
            .filter_map(|key| Some(self.failures.get(key)?.until_ms(key)))
            .max();
        if let Some(until) = until.filter(|until| *until > now_ms) {
            return Err(until.saturating_sub(now_ms));
        }
        self.make_room(now_ms);
        for key in keys {
            let entry = self.failures.entry(key).or_insert(Failures {
                count: 0,
                last_ms: now_ms,
            });
            if now_ms.saturating_sub(entry.last_ms) > FORGET_MS {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last_ms = now_ms;
        }
        Ok(())
    }

    /// The try was right: the account's failures are forgotten, and this one of the address. Its
    /// others stay, or an attacker with an account of his own could clear them.
    pub(crate) fn succeeded(&mut self, account: &str, address: &str) {
        let [account, address] = keys(account, address);
        self.failures.remove(&account);
        if let Some(entry) = self.failures.get_mut(&address) {
            entry.count = entry.count.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now_ms: i64) {
        if self.failures.len() + 2 <= REMEMBERED {
            return;
        }
        self.failures
            .retain(|_, entry| now_ms.saturating_sub(entry.last_ms) <= FORGET_MS);
        if self.failures.len() + 2 <= REMEMBERED {
            return;
        }
        let mut times: Vec<i64> = self.failures.values().map(|entry| entry.last_ms).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or(now_ms);
        self.failures.retain(|_, entry| entry.last_ms > middle);
    }
}

fn keys(account: &str, address: &str) -> [Key; 2] {
    // Bounded, since both may come from a stranger.
    let short = |text: &str| text.chars().take(64).collect::<String>();
    [Key::Account(short(account)), Key::Address(short(address))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries at once whenever it may, wrongly; the waits between.
    fn waits(throttle: &mut Throttle, account: &str, address: &str, tries: usize) -> Vec<i64> {
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..tries {
            let wait = throttle.begin(account, address, now).err().unwrap_or(0);
            waits.push(wait);
            now += wait;
            if wait > 0 {
                throttle
                    .begin(account, address, now)
                    .expect("waited long enough");
            }
        }
        waits
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let waits = waits(&mut Throttle::default(), "ann", "10.0.0.1", 14);
        let expected = [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
        assert_eq!(waits, expected.map(|seconds| seconds * 1000));
    }

    #[test]
    fn another_address_does_not_help_and_nor_does_another_account() {
        let mut throttle = Throttle::default();
        waits(&mut throttle, "ann", "10.0.0.1", 5);
        assert!(throttle.begin("ann", "10.0.0.2", 0).is_err());
        assert!(throttle.begin("bob", "10.0.0.1", 0).is_err());
        assert!(throttle.begin("bob", "10.0.0.2", 0).is_ok());
    }

    #[test]
    fn a_success_clears_the_account_but_not_the_address() {
        let mut throttle = Throttle::default();
        for _ in 0..3 {
            throttle.begin("ann", "10.0.0.1", 0).expect("free");
        }
        assert!(throttle.begin("ann", "10.0.0.1", 1000).is_ok());
        throttle.succeeded("ann", "10.0.0.1");
        assert!(throttle.begin("ann", "10.0.0.9", 1000).is_ok());
        assert!(throttle.begin("eve", "10.0.0.1", 1000).is_err());
    }

    #[test]
    fn an_attacker_with_many_addresses_locks_nobody_out_for_long() {
        let mut throttle = Throttle::default();
        let mut now = 0;
        for number in 0..100 {
            let wait = throttle
                .begin("ann", &format!("10.0.1.{number}"), now)
                .err()
                .unwrap_or(0);
            assert!(wait <= LONGEST_ACCOUNT_MS);
            now += wait;
        }
    }

    #[test]
    fn an_hour_forgets() {
        let mut throttle = Throttle::default();
        waits(&mut throttle, "ann", "10.0.0.1", 8);
        let later = 2 * FORGET_MS;
        for _ in 0..3 {
            assert!(throttle.begin("ann", "10.0.0.1", later).is_ok());
        }
        assert!(throttle.begin("ann", "10.0.0.1", later).is_err());
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_latest() {
        let mut throttle = Throttle::default();
        for number in 0..50_000 {
            let _ = throttle.begin(&format!("user{number}"), &format!("peer{number}"), number);
            assert!(throttle.failures.len() <= REMEMBERED);
        }
        for _ in 0..3 {
            let _ = throttle.begin("user49999", "other", 50_000);
        }
        assert!(throttle.begin("user49999", "other", 50_000).is_err());
    }
}
