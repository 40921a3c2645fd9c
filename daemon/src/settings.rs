//! `lanai.toml`: settings of the daemon, as opposed to those of the box and of its proxies.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Name of the file in the configuration directory.
pub(crate) const FILE: &str = "lanai.toml";

/// Everything `lanai.toml` may say; what it does not say has the default given here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `[ui]`.
    pub(crate) ui: Ui,
    /// `[users]`.
    pub(crate) users: Users,
    /// `[engine]`.
    pub(crate) engine: Engine,
    /// `[paths]`.
    pub(crate) paths: Paths,
}

/// The web UI.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ui {
    /// `listen`: where https is served; default `[::]:4444`, which takes IPv4 too.
    pub(crate) listen: SocketAddr,
}

impl Default for Ui {
    fn default() -> Ui {
        Ui {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 4444)),
        }
    }
}

/// The users the two unprivileged processes run as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Users {
    /// `control`: name or number; default `lanai-control`.
    pub(crate) control: User,
    /// `engine`: name or number; default `lanai-engine`.
    pub(crate) engine: User,
}

impl Default for Users {
    fn default() -> Users {
        Users {
            control: User::Name("lanai-control".to_owned()),
            engine: User::Name("lanai-engine".to_owned()),
        }
    }
}

/// A user, by name or by number. A number serves as user and group id and needs no entry in
/// `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum User {
    /// By user (and group) id.
    Number(u32),
    /// By name.
    Name(String),
}

/// The proxy engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Engine {
    /// `threads`: worker threads where the configuration has no `nbthread`; default: one for each
    /// CPU the process may use.
    pub(crate) threads: Option<NonZeroU16>,
}

/// Directories; the command line goes before them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Paths {
    /// `state`; default `/var/lib/lanai`.
    pub(crate) state: Option<PathBuf>,
    /// `run`; default `/run/lanai`.
    pub(crate) run: Option<PathBuf>,
}

/// Why `lanai.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It does not say what a settings file may say. The source names line and column.
    #[error("{} is not understood", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// Another user could have written it, and it decides which users the processes run as.
    #[error(
        "{} is not safe: it must belong to root and be writable by nobody else \
         (chown root:root and chmod 644 it, then start again)",
        .0.display()
    )]
    Unsafe(PathBuf),
}

/// Reads `lanai.toml` in `config`; a file that is not there says nothing.
pub(crate) fn read(config: &Path) -> Result<Settings, SettingsError> {
    let path = config.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|source| SettingsError::Parse { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(source) => Err(SettingsError::Read { path, source }),
    }
}

/// As [`read`], for the parent, which acts on it with root's rights. The directory belongs to the
/// control process's user, so that a file of its own making must not count.
pub(crate) fn read_as_root(config: &Path) -> Result<Settings, SettingsError> {
    use std::os::unix::fs::MetadataExt;
    let path = config.join(FILE);
    match std::fs::symlink_metadata(&path) {
        Ok(about) if !about.is_file() || about.uid() != 0 || about.mode() & 0o022 != 0 => {
            Err(SettingsError::Unsafe(path))
        }
        _ => read(config),
    }
}

fn parse(text: &str) -> Result<Settings, Box<toml::de::Error>> {
    toml::from_str(text).map_err(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_all_defaults() {
        let settings = parse("").unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.ui.listen.to_string(), "[::]:4444");
        assert_eq!(settings.users.engine, User::Name("lanai-engine".to_owned()));
    }

    #[test]
    fn everything_can_be_said() {
        let settings = parse(
            "[ui]\nlisten = '10.0.0.1:443'\n[users]\ncontrol = 61001\nengine = 'web'\n\
             [engine]\nthreads = 4\n[paths]\nstate = '/s'\nrun = '/r'\n",
        );
        let settings = settings.unwrap();
        assert_eq!(settings.ui.listen.port(), 443);
        assert_eq!(settings.users.control, User::Number(61001));
        assert_eq!(settings.users.engine, User::Name("web".to_owned()));
        assert_eq!(settings.engine.threads.unwrap().get(), 4);
        assert_eq!(settings.paths.run, Some(PathBuf::from("/r")));
    }

    #[test]
    fn a_word_nobody_knows_is_refused_with_its_place() {
        for text in [
            "[ui]\nlisten_on = 1\n",
            "[uii]\n",
            "x = 1\n",
            "[engine]\nthreads = 0\n",
        ] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
        let error = parse("[ui]\n\nlisten_on = 1\n").unwrap_err().to_string();
        assert!(
            error.contains("line 3") && error.contains("listen_on"),
            "{error}"
        );
    }

    #[test]
    fn a_file_of_another_user_does_not_count_for_root() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        assert_eq!(read_as_root(directory.path()).unwrap(), Settings::default());
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(matches!(
            read_as_root(directory.path()),
            Err(SettingsError::Unsafe(_))
        ));
        assert!(read(directory.path()).is_ok());
    }
}
