//! What names of servers resolved to, so that a name server which does not answer stops nothing that
//! has been at work.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names that are asked for at the same time: a name server that is silent holds each up for seconds.
const AT_ONCE: usize = 64;

/// Addresses that names resolved to, each under its backend, server and name.
pub type Addresses = BTreeMap<String, IpAddr>;

/// What is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The system's resolver.
    Resolver,
    /// What the name resolved to before.
    Known,
}

/// What names resolved to in this engine, or in the one before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    now: Addresses,
    /// Of the configuration before, to which a change that fails goes back.
    before: Addresses,
}

impl Known {
    /// A configuration took effect with these.
    pub(crate) fn took_effect(&mut self, addresses: Addresses) {
        self.before = std::mem::replace(&mut self.now, addresses);
    }

    /// All of them.
    pub(crate) fn all(&self) -> Addresses {
        let mut all = self.before.clone();
        all.extend(self.now.clone());
        all
    }

    fn get(&self, key: &str) -> Option<IpAddr> {
        self.now.get(key).or_else(|| self.before.get(key)).copied()
    }
}

/// Resolves the names of one configuration.
pub(crate) struct Resolver<'a> {
    pub(crate) known: &'a Known,
    pub(crate) first: First,
    /// What the system's resolver said, by the same keys as [`Addresses`].
    asked: HashMap<String, Option<IpAddr>>,
    /// What was found.
    pub(crate) found: Addresses,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(known: &'a Known, first: First) -> Resolver<'a> {
        Resolver {
            known,
            first,
            asked: HashMap::new(),
            found: Addresses::new(),
        }
    }

    /// Asks for many names, each of a backend and a server, at once. Blocks.
    pub(crate) fn ask(&mut self, names: &[(&str, &str, &str)]) {
        let wanted: Vec<(String, &str)> = names
            .iter()
            .map(|(backend, server, name)| (key(backend, server, name), *name))
            .filter(|(key, _)| self.first == First::Resolver || self.known.get(key).is_none())
            .collect();
        let next = AtomicUsize::new(0);
        let asked = Mutex::new(Vec::new());
        let work = || {
            while let Some((key, name)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = (key.clone(), ask(name));
                if let Ok(mut asked) = asked.lock() {
                    asked.push(answer);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..wanted.len().min(AT_ONCE) {
                // Where there is no thread more, it takes longer.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        self.asked.extend(asked.into_inner().unwrap_or_default());
    }

    /// The address of a server's name, which was asked for. Where the resolver gave none, the former one
    /// counts.
    pub(crate) fn resolve(&mut self, backend: &str, server: &str, name: &str) -> Option<IpAddr> {
        let key = key(backend, server, name);
        let known = self.known.get(&key);
        let address = match (self.first, known) {
            (First::Known, Some(known)) => known,
            _ => {
                let found = self.asked.get(&key).copied().flatten();
                if let (None, Some(known)) = (found, known) {
                    tracing::warn!(
                        "server {backend}/{server}: '{name}' cannot be resolved; it stays {known}"
                    );
                }
                found.or(known)?
            }
        };
        self.found.insert(key, address);
        Some(address)
    }
}

fn key(backend: &str, server: &str, name: &str) -> String {
    format!("{backend}/{server} {name}")
}

/// Asks the system's resolver.
fn ask(name: &str) -> Option<IpAddr> {
    // The port is none that anybody looks up.
    let mut found = (name, 0).to_socket_addrs().ok()?;
    found.next().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(known: &Known, first: First, name: &str) -> Option<String> {
        let mut resolver = Resolver::new(known, first);
        resolver.ask(&[("b", "s", name)]);
        let address = resolver.resolve("b", "s", name)?;
        assert_eq!(resolver.found, one("b/s", name, &address.to_string()));
        Some(address.to_string())
    }

    fn one(server: &str, name: &str, address: &str) -> Addresses {
        let address = address.parse().unwrap();
        Addresses::from([(format!("{server} {name}"), address)])
    }

    #[test]
    fn a_name_that_is_away_keeps_its_address_with_its_server() {
        let mut known = Known::default();
        let away = "name.invalid";
        assert_eq!(resolve(&known, First::Resolver, away), None);
        assert_eq!(resolve(&known, First::Known, away), None);
        known.took_effect(one("b/s", away, "192.0.2.1"));
        for first in [First::Resolver, First::Known] {
            assert_eq!(resolve(&known, first, away).as_deref(), Some("192.0.2.1"));
            assert_eq!(resolve(&known, first, "other.invalid"), None);
        }
        // The way back of a change, and no further.
        known.took_effect(one("b/other", away, "192.0.2.2"));
        let back = resolve(&known, First::Resolver, away);
        assert_eq!(back.as_deref(), Some("192.0.2.1"));
        assert_eq!(known.all().len(), 2);
        known.took_effect(Addresses::new());
        assert_eq!(resolve(&known, First::Resolver, away), None);
    }

    #[test]
    fn a_change_asks_and_a_successor_does_not() {
        let mut known = Known::default();
        known.took_effect(one("b/s", "127.0.0.1", "192.0.2.1"));
        let asked = resolve(&known, First::Resolver, "127.0.0.1");
        assert_eq!(asked.as_deref(), Some("127.0.0.1"));
        let left = resolve(&known, First::Known, "127.0.0.1");
        assert_eq!(left.as_deref(), Some("192.0.2.1"));
    }
}
