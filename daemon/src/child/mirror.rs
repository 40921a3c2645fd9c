//! What a child remembers of what it had kept, for the next parent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use lanai_control::FileSet;

use super::ChildError;
use super::link::{Ask, Estate};
use crate::wire::parent::Question;

/// All that was asked to be kept.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) listeners: BTreeMap<String, Arc<OwnedFd>>,
    pub(super) files: Option<FileSet>,
    pub(super) addresses: BTreeMap<String, IpAddr>,
    pub(super) overrides: BTreeMap<String, String>,
    /// It was to succeed another process, and has not been told yet what that left last.
    pub(super) succeeding: bool,
    pub(super) finishing: bool,
}

impl Mirror {
    /// Whether an override is as it was told last.
    pub(super) fn has(&self, key: &str, command: Option<&str>) -> bool {
        self.overrides.get(key).map(String::as_str) == command
    }

    pub(super) fn of(estate: &Estate) -> Result<Mirror, ChildError> {
        let mut mirror = Mirror::default();
        mirror.follow(estate)?;
        Ok(mirror)
    }

    /// What a predecessor left, or left last.
    pub(super) fn follow(&mut self, estate: &Estate) -> Result<(), ChildError> {
        for (name, socket) in &estate.listeners {
            let socket = socket.try_clone().map_err(ChildError::Start)?;
            self.listeners.insert(name.clone(), Arc::new(socket));
        }
        if estate.files.is_some() {
            self.files.clone_from(&estate.files);
            self.addresses.clone_from(&estate.addresses);
        }
        self.overrides.clone_from(&estate.overrides);
        Ok(())
    }

    pub(super) fn note(&mut self, ask: &Ask) {
        match ask {
            Ask::Hold(sockets, _) => self.listeners.extend(sockets.iter().cloned()),
            Ask::Retain(names, _) => self.listeners.retain(|name, _| names.contains(name)),
            Ask::Running(running, _) => {
                self.files = Some(running.files.clone());
                self.addresses.clone_from(&running.addresses);
            }
            Ask::Override(key, Some(command)) => {
                self.overrides.insert(key.clone(), command.clone());
            }
            Ask::Override(key, None) => {
                self.overrides.remove(key);
            }
            Ask::Word(Question::Finishing, _) => self.finishing = true,
            Ask::Kept(_) | Ask::TakeOver(..) | Ask::Word(..) => {}
        }
    }
}
