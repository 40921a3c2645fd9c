//! What outlives a child: its listening sockets, the configuration in effect, what names in it
//! resolved to and the overrides that were made beside it. All of it is opaque to the parent: names,
//! bytes, addresses and lines that are only ever given back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;
use serde::{Deserialize, Serialize};

use crate::wire::files::Files;
use crate::wire::frame;
use crate::wire::parent::Left;

/// Listening sockets kept for one role at most: as many as there are ports.
const SOCKETS: usize = 1 << 16;
/// Overrides kept at most, and the length of a key and of a line.
const OVERRIDES: usize = 100_000;
const OVERRIDE_LENGTH: usize = 4096;

/// What is kept for the next process of one role.
#[derive(Debug, Default)]
pub(super) struct Estate {
    /// Counts changes of the three that follow.
    version: u64,
    listeners: BTreeMap<String, OwnedFd>,
    files: Option<Files>,
    addresses: BTreeMap<String, IpAddr>,
    overrides: BTreeMap<String, String>,
}

/// An [`Estate`] in words, the sockets by their numbers.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    version: u64,
    listeners: BTreeMap<String, RawFd>,
    files: Option<Files>,
    #[serde(default)]
    addresses: BTreeMap<String, IpAddr>,
    overrides: BTreeMap<String, String>,
}

impl Estate {
    /// Keeps sockets under their names.
    pub(super) fn hold(&mut self, names: Vec<String>, sockets: Vec<OwnedFd>) -> Result<(), String> {
        self.hold_at_most(SOCKETS, names, sockets)
    }

    fn hold_at_most(
        &mut self,
        most: usize,
        names: Vec<String>,
        sockets: Vec<OwnedFd>,
    ) -> Result<(), String> {
        if names.len() != sockets.len() {
            return Err(format!(
                "{} names came with {} sockets",
                names.len(),
                sockets.len()
            ));
        }
        let new = names
            .iter()
            .filter(|name| !self.listeners.contains_key(*name));
        if self.listeners.len() + new.count() > most {
            return Err(format!("more than {most} listening sockets cannot be kept"));
        }
        for (name, socket) in names.into_iter().zip(sockets) {
            let new = number(&socket);
            let before = self.listeners.insert(name, socket);
            if before.is_some_and(|before| number(&before) != new) {
                self.version += 1;
            }
        }
        Ok(())
    }

    /// Closes all sockets but these. Whether there were others.
    pub(super) fn retain(&mut self, names: &[String]) -> bool {
        let names: std::collections::HashSet<&String> = names.iter().collect();
        let before = self.listeners.len();
        self.listeners.retain(|name, _| names.contains(name));
        let closed = self.listeners.len() < before;
        self.version += u64::from(closed);
        closed
    }

    /// The configuration that is in effect.
    pub(super) fn run(&mut self, files: Files) {
        let before = self.files.as_ref().map(|before| before.0.digest());
        if before != Some(files.0.digest()) {
            self.version += 1;
        }
        self.files = Some(files);
    }

    /// What names resolved to when it took effect.
    pub(super) fn resolve(&mut self, addresses: BTreeMap<String, IpAddr>) {
        if self.addresses != addresses {
            self.version += 1;
        }
        self.addresses = addresses;
    }

    /// Journals one override, or takes it out.
    pub(super) fn journal(&mut self, key: String, command: Option<String>) -> Result<(), String> {
        let Some(command) = command else {
            self.overrides.remove(&key);
            return Ok(());
        };
        if self.overrides.len() >= OVERRIDES && !self.overrides.contains_key(&key) {
            return Err(format!("more than {OVERRIDES} overrides cannot be kept"));
        }
        if key.len().max(command.len()) > OVERRIDE_LENGTH {
            return Err(format!(
                "an override longer than {OVERRIDE_LENGTH} bytes cannot be kept"
            ));
        }
        self.overrides.insert(key, command);
        Ok(())
    }

    /// How many sockets there are.
    fn held(&self) -> usize {
        self.listeners.len()
    }

    /// Some of the sockets, from number `from` on: as many as go with one frame.
    pub(super) fn sockets(&self, from: usize) -> impl Iterator<Item = (&String, &OwnedFd)> {
        self.listeners.iter().skip(from).take(frame::DESCRIPTORS)
    }

    /// The configuration in effect, to hand over.
    pub(super) fn files(&self) -> Option<&Files> {
        self.files.as_ref()
    }

    /// All of it, for a process that is new.
    pub(super) fn left(&self) -> Left {
        Left {
            version: self.version,
            held: self.held(),
            files: self.files.clone(),
            addresses: self.addresses.clone(),
            overrides: self.overrides.clone(),
        }
    }

    /// All that is new to a process that was given this version before.
    pub(super) fn left_since(&self, began: u64) -> Left {
        if self.version != began {
            return self.left();
        }
        Left {
            overrides: self.overrides.clone(),
            ..Left::default()
        }
    }

    /// Makes all of it outlive this program, for [`Estate::inherit`]: the sockets stay open under
    /// their numbers, and the returned file says what they are.
    pub(super) fn leave(&self) -> io::Result<OwnedFd> {
        self.keep_open(true)?;
        let left = Written {
            version: self.version,
            listeners: self
                .listeners
                .iter()
                .map(|(name, socket)| (name.clone(), socket.as_raw_fd()))
                .collect(),
            files: self.files.clone(),
            addresses: self.addresses.clone(),
            overrides: self.overrides.clone(),
        };
        let text = serde_json::to_vec(&left)?;
        // No name in any directory: it may contain private keys.
        let mut file = File::from(memfd_create(c"lanai-estate", MFdFlags::empty())?);
        file.write_all(&text)?;
        file.rewind()?;
        Ok(file.into())
    }

    /// Whether the sockets stay open when this process goes on with another program.
    pub(super) fn keep_open(&self, open: bool) -> io::Result<()> {
        for socket in self.listeners.values() {
            super::place::keep_open(socket.as_fd(), open)?;
        }
        Ok(())
    }

    /// Takes over what [`Estate::leave`] left; `None` if it is no such thing.
    pub(super) fn inherit(file: OwnedFd) -> Option<Estate> {
        let mut text = Vec::new();
        File::from(file).read_to_end(&mut text).ok()?;
        let left: Written = serde_json::from_slice(&text).ok()?;
        let socket = |(name, number)| Some((name, super::place::take(number, true)?));
        Some(Estate {
            version: left.version,
            listeners: left.listeners.into_iter().filter_map(socket).collect(),
            files: left.files,
            addresses: left.addresses,
            overrides: left.overrides,
        })
    }
}

/// The kernel's number of a socket, the same for all its copies.
fn number(socket: &OwnedFd) -> Option<u64> {
    fstat(socket).ok().map(|about| about.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    use lanai_control::FileSet;

    fn socket() -> OwnedFd {
        let directory = tempfile::tempdir().unwrap();
        UnixListener::bind(directory.path().join("s"))
            .unwrap()
            .into()
    }

    #[test]
    fn sockets_are_kept_by_name_and_given_in_pieces() {
        let mut estate = Estate::default();
        for number in 0..300 {
            let held = estate.hold(vec![format!("{number:03}")], vec![socket()]);
            assert_eq!(held, Ok(()));
        }
        assert_eq!(estate.held(), 300);
        assert_eq!(estate.sockets(0).count(), frame::DESCRIPTORS);
        assert_eq!(estate.sockets(frame::DESCRIPTORS).count(), 47);
        estate.retain(&["007".to_owned(), "none".to_owned()]);
        assert_eq!(
            estate
                .sockets(0)
                .map(|(name, _)| &**name)
                .collect::<Vec<_>>(),
            ["007"]
        );
        assert!(estate.hold(vec!["a".to_owned()], Vec::new()).is_err());
    }

    #[test]
    fn only_sockets_that_are_not_kept_already_count() {
        let one = socket();
        let copies = |count| (0..count).map(|_| one.try_clone().unwrap()).collect();
        let names =
            |range: std::ops::Range<usize>| range.map(|number| number.to_string()).collect();
        let mut estate = Estate::default();
        // As many as a test may have open.
        let most = 400;
        assert_eq!(
            estate.hold_at_most(most, names(0..399), copies(399)),
            Ok(())
        );
        // A configuration with one listener more names all of them.
        assert_eq!(
            estate.hold_at_most(most, names(200..400), copies(200)),
            Ok(())
        );
        assert_eq!(estate.held(), 400);
        let refused = estate.hold_at_most(most, names(399..401), copies(2));
        assert_eq!(
            refused,
            Err("more than 400 listening sockets cannot be kept".to_owned())
        );
        assert_eq!(estate.held(), 400);
    }

    #[test]
    fn the_latest_override_of_a_key_counts_until_it_is_taken_back() {
        let mut estate = Estate::default();
        for (key, command) in [
            ("a", Some("1")),
            ("b", Some("2")),
            ("a", Some("3")),
            ("b", None),
        ] {
            let journalled = estate.journal(key.to_owned(), command.map(str::to_owned));
            assert_eq!(journalled, Ok(()));
        }
        let overrides: Vec<_> = estate.left().overrides.into_values().collect();
        assert_eq!(overrides, ["3"]);
        let long = "x".repeat(OVERRIDE_LENGTH + 1);
        assert!(estate.journal("c".to_owned(), Some(long)).is_err());
    }

    #[test]
    fn what_changed_since_is_told_whole_and_nothing_else() {
        let files = |text: &str| {
            let mut files = FileSet::new();
            files.insert("haproxy.cfg", text.as_bytes().to_vec());
            Files(files)
        };
        let mut estate = Estate::default();
        let one = socket();
        estate
            .hold(vec!["a".to_owned()], vec![one.try_clone().unwrap()])
            .unwrap();
        estate.run(files("A"));
        let began = estate.left().version;
        // The same again.
        estate.hold(vec!["a".to_owned()], vec![one]).unwrap();
        estate.run(files("A"));
        estate.resolve(BTreeMap::new());
        assert!(!estate.retain(&["a".to_owned()]));
        estate
            .journal("k".to_owned(), Some("v".to_owned()))
            .unwrap();
        let left = estate.left_since(began);
        assert!(left.files.is_none() && left.held == 0);
        assert_eq!(left.overrides.len(), 1);
        // Another one, and back.
        for change in [
            &(|estate: &mut Estate| estate.hold(vec!["a".to_owned()], vec![socket()]).unwrap())
                as &dyn Fn(&mut Estate),
            &|estate| {
                estate.run(files("B"));
                estate.run(files("A"));
            },
            &|estate| estate.resolve(BTreeMap::from([("n".to_owned(), [10, 0, 0, 1].into())])),
            &|estate| assert!(estate.retain(&[])),
        ] {
            let before = estate.left().version;
            change(&mut estate);
            assert!(estate.left_since(before).files.is_some());
        }
    }
}
