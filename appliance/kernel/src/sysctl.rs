//! Kernel settings below `/proc/sys`.
//!
//! Each component of a name is one directory or file, so that interfaces with dots in their names
//! (`eth0.100`) need no rule of their own. What is below `/proc/sys/net` is that of the calling
//! thread's network namespace.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use lanai_network::Sysctl;

/// Reads a setting, its words with one space between them; `None` if this kernel has none of that
/// name.
pub(crate) fn read(sysctl: &Sysctl) -> io::Result<Option<String>> {
    match read_whole(&path(sysctl)?) {
        Ok(text) => Ok(Some(text.split_whitespace().collect::<Vec<_>>().join(" "))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What one call gives: a second one, which `fs::read_to_string` makes after 32 bytes, gets no more of a
/// list such as `ip_local_reserved_ports`.
fn read_whole(path: &Path) -> io::Result<String> {
    let mut room = ROOM;
    loop {
        let mut bytes = vec![0; room];
        let read = File::open(path)?.read(&mut bytes)?;
        if read < room || room >= MOST {
            bytes.truncate(read);
            let text = String::from_utf8(bytes);
            return text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
        }
        room = MOST;
    }
}

/// For all settings but long lists.
const ROOM: usize = 1024;
/// For every second port by itself, which is the longest list there can be.
const MOST: usize = 32_768 * "65535,".len();

/// Sets a setting. The kernel looks at each write by itself, hence the one call; and an empty one, which
/// clears a list, must be more than no byte.
pub(crate) fn write(sysctl: &Sysctl, value: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path(sysctl)?)?;
    file.write_all(format!("{value}\n").as_bytes())
}

/// An interface's name comes from a configuration: one that would lead elsewhere is refused.
fn path(sysctl: &Sysctl) -> io::Result<PathBuf> {
    if let Sysctl::Asked(key) = sysctl
        && !key.may_be_set()
    {
        let text = format!("{sysctl} may not be set");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut path = PathBuf::from("/proc/sys");
    for component in sysctl.path() {
        if matches!(component, "" | "." | "..") || component.contains(['/', '\0']) {
            let text = format!("'{component}' is no name of an interface");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        path.push(component);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use lanai_network::{Scope, SysctlKey};

    use super::*;

    fn filter(interface: &str) -> Sysctl {
        Sysctl::ReversePathFilter(Scope::Interface(interface.into()))
    }

    #[test]
    fn a_dot_in_an_interface_is_no_separator() {
        let path = path(&filter("eth0.100")).unwrap();
        let wanted = "/proc/sys/net/ipv4/conf/eth0.100/rp_filter";
        assert_eq!(path.to_str(), Some(wanted));
    }

    #[test]
    fn no_name_leads_out_of_its_directory() {
        for name in ["", ".", "..", "../../../kernel", "a/b", "a\0b"] {
            let error = path(&filter(name)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
    }

    #[test]
    fn what_would_start_programs_is_refused_whoever_asks() {
        for name in ["kernel.core_pattern", "kernel.modprobe"] {
            let key = SysctlKey::new(name.split('.')).unwrap();
            let error = write(&Sysctl::Asked(key), "|/bin/sh").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
    }

    #[test]
    fn a_setting_that_is_not_there_is_no_error() {
        assert_eq!(read(&filter("no-such-link")).unwrap(), None);
        assert!(
            read(&Sysctl::ReversePathFilter(Scope::All))
                .unwrap()
                .is_some()
        );
    }
}
