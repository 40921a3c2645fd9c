//! What we changed of the kernel's settings, and what they were before: a setting bears no mark.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use lanai_network::{Held, Sysctl, SysctlKey};
use serde::{Deserialize, Serialize};

use crate::system::System;

/// A file that lasts as long as the settings themselves: until the next boot, and for one network
/// namespace. An older one counts for nothing.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    system: Option<System>,
}

#[derive(Default, Serialize, Deserialize)]
struct Page {
    /// Which boot, and which namespace.
    of: String,
    /// By the setting's path below `/proc/sys`.
    entries: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    before: String,
    /// What we made of it. If it is something else now, somebody changed it after us.
    set: String,
}

impl Ledger {
    /// The ledger in this file, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            system: None,
        }
    }

    /// The same, of a box that is wholly ours: what is changed of the system notes itself.
    #[must_use]
    pub fn and_system(mut self, system: Option<System>) -> Self {
        self.system = system;
        self
    }

    pub(crate) fn system(&self) -> Option<&System> {
        self.system.as_ref()
    }

    /// What is known of settings, for a look-up of many.
    pub(crate) fn read(&self) -> Holdings {
        Holdings(self.page())
    }

    /// Notes that a setting goes from one value to another by our hand. To be called before it does:
    /// if we die in between, the value is not the one noted, and the note counts for nothing.
    pub(crate) fn note(&self, sysctl: &Sysctl, from: &str, to: &str) -> io::Result<()> {
        let mut page = self.page();
        page.of = place();
        let key = key(sysctl);
        let before = match page.entries.remove(&key) {
            Some(entry) if entry.set == from => {
                if entry.before == to {
                    return self.write(&page);
                }
                entry.before
            }
            _ => from.to_owned(),
        };
        let set = to.to_owned();
        page.entries.insert(key, Entry { before, set });
        self.write(&page)
    }

    fn page(&self) -> Page {
        let text = fs::read(&self.path).unwrap_or_default();
        let page: Page = serde_json::from_slice(&text).unwrap_or_default();
        if page.of == place() {
            page
        } else {
            Page::default()
        }
    }

    fn write(&self, page: &Page) -> io::Result<()> {
        let next = self.path.with_extension("next");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        file.write_all(&serde_json::to_vec(page)?)?;
        fs::rename(&next, &self.path)
    }
}

/// A ledger as it was read.
pub(crate) struct Holdings(Page);

impl Holdings {
    /// Settings that only a line can have asked for, and that may be to be put back.
    pub(crate) fn asked(&self) -> impl Iterator<Item = Sysctl> {
        let keys = self.0.entries.keys();
        let keys = keys.filter_map(|path| SysctlKey::new(path.split('/')));
        let asked = keys.map(|key| Sysctl::asked(&key));
        asked.filter(|sysctl| matches!(sysctl, Sysctl::Asked(_)))
    }

    /// What a setting with this value was before us, if it is as we made it.
    pub(crate) fn of(&self, sysctl: &Sysctl, value: &str) -> Option<Held> {
        let entry = self.0.entries.get(&key(sysctl))?;
        (entry.set == value).then(|| Held {
            before: entry.before.clone(),
        })
    }
}

fn key(sysctl: &Sysctl) -> String {
    sysctl.path().join("/")
}

/// Which boot this is, and in which network namespace the calling thread is.
fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link(Path::new("/proc/thread-self/ns/net")).unwrap_or_default();
    format!("{} {}", boot.trim(), namespace.display())
}

#[cfg(test)]
mod tests {
    use lanai_network::Family;

    use super::*;

    const SYSCTL: Sysctl = Sysctl::NonlocalBind(Family::V4);

    fn held(ledger: &Ledger, value: &str) -> Option<String> {
        let held = ledger.read().of(&SYSCTL, value);
        held.map(|held| held.before)
    }

    #[test]
    fn what_was_before_us_is_known_until_it_is_so_again() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::at(directory.path().join("sysctls"));
        assert_eq!(held(&ledger, "0"), None);
        ledger.note(&SYSCTL, "0", "1").unwrap();
        ledger.note(&SYSCTL, "1", "2").unwrap();
        assert_eq!(held(&ledger, "2").as_deref(), Some("0"));
        // Somebody else changed it.
        assert_eq!(held(&ledger, "3"), None);
        ledger.note(&SYSCTL, "3", "4").unwrap();
        assert_eq!(held(&ledger, "4").as_deref(), Some("3"));
        // Undone.
        ledger.note(&SYSCTL, "4", "3").unwrap();
        assert_eq!(held(&ledger, "3"), None);
        // A value that stays is held too: another step is about to change it.
        ledger.note(&SYSCTL, "0", "0").unwrap();
        assert_eq!(held(&ledger, "0").as_deref(), Some("0"));
        ledger.note(&SYSCTL, "0", "0").unwrap();
        assert_eq!(held(&ledger, "0"), None);
    }

    #[test]
    fn a_ledger_of_another_boot_or_of_noise_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sysctls");
        let ledger = Ledger::at(&path);
        ledger.note(&SYSCTL, "0", "1").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let other = text.replace(&place(), "another boot");
        assert_ne!(other, text);
        for content in [other.as_str(), "", "{", "[1, 2]"] {
            fs::write(&path, content).unwrap();
            assert_eq!(held(&ledger, "1"), None, "{content}");
        }
    }
}
