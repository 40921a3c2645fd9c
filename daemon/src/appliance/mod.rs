//! What the box is where Lanai is the whole system, as on its own image: addresses by DHCP until it
//! is configured ([`dhcp`]), and the console on serial line and screen ([`console`]).
//!
//! Both are processes of their own that init starts. They ask the control process over its socket,
//! as the command line does.

pub(crate) mod console;
pub(crate) mod dhcp;

use std::fs;
use std::io::Read as _;

use lanai_kernel::System;

/// Where the image's start notes what keeps the configuration: `disk DEVICE`, or `memory REASON`.
const STORAGE: &str = "/run/appliance/storage";

/// Where the image keeps what concerns it as a system.
const SYSTEM: &str = "/run/appliance";

/// The box as a system, where it is wholly Lanai's: on its own image, whose start left a note.
pub(crate) fn system() -> Option<System> {
    match Storage::found() {
        Storage::Disk(_) | Storage::Memory(_) => Some(System::at(SYSTEM)),
        Storage::Usual => None,
    }
}

/// Bytes of that note that are read.
const NOTE_LIMIT: u64 = 300;

/// What keeps the configuration over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The disk with this device.
    Disk(String),
    /// Nothing does, for this reason.
    Memory(String),
    /// This is no image of ours: what is usual on this system.
    Usual,
}

impl Storage {
    /// As the start of the image found it.
    pub(crate) fn found() -> Storage {
        let Ok(file) = fs::File::open(STORAGE) else {
            return Storage::Usual;
        };
        let mut note = String::new();
        // A note that cannot be read says nothing.
        let _ = file.take(NOTE_LIMIT).read_to_string(&mut note);
        Storage::noted(&note)
    }

    fn noted(note: &str) -> Storage {
        match note.trim().split_once(' ') {
            Some(("disk", device)) => Storage::Disk(device.to_owned()),
            Some(("memory", reason)) => Storage::Memory(reason.to_owned()),
            _ => Storage::Usual,
        }
    }

    /// What a person must know, if anything.
    pub(crate) fn warning(&self) -> Option<String> {
        match self {
            Storage::Memory(reason) => Some(format!(
                "the configuration is kept in memory and is lost at a restart: {reason} \
                 (`mke2fs -t ext4 -L LANAI-CONFIG DEVICE` in the console's shell prepares one)"
            )),
            Storage::Disk(_) | Storage::Usual => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Storage;

    #[test]
    fn only_memory_is_warned_of() {
        let disk = Storage::noted("disk /dev/vdb\n");
        assert_eq!(disk, Storage::Disk("/dev/vdb".to_owned()));
        assert_eq!(disk.warning(), None);
        let memory = Storage::noted("memory no disk has the label LANAI-CONFIG\n");
        let warning = memory.warning().unwrap();
        assert!(warning.contains("lost at a restart: no disk"), "{warning}");
        for nothing in ["", "disk", "floppy a"] {
            assert_eq!(Storage::noted(nothing), Storage::Usual);
        }
    }
}
