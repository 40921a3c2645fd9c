//! HAProxy's command line (management manual, section 3), read by hand: its flags take their value
//! from the next word, may carry letters nobody knows, and mean different things by position, which
//! no ordinary parser allows.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `-v`, `-vv`: print who we are; `true` asks for the build facts too.
    Version { detailed: bool },
    /// `-cc CONDITION`: evaluate and exit.
    Condition { text: String, quiet: bool },
    /// Check (`-c`) or run.
    Run(Box<Arguments>),
}

/// Settings of a check or a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// `-c`: check and exit.
    pub(crate) check: bool,
    /// `-d`: stay in the foreground and talk.
    pub(crate) debug: bool,
    /// `-db`: stay in the foreground, even with `-D`.
    pub(crate) foreground: bool,
    /// `-D`: leave the terminal once everything listens.
    pub(crate) daemonise: bool,
    /// `-W` and `-Ws`.
    pub(crate) master: Master,
    /// `-q`: no messages.
    pub(crate) quiet: bool,
    /// `-V`: more messages.
    pub(crate) verbose: bool,
    /// `-dW`: a warning at start is an error.
    pub(crate) zero_warning: bool,
    /// `-dD`: show suggestions of style too.
    pub(crate) diagnostics: bool,
    /// `-C DIR`: change to this directory before any file is read.
    pub(crate) directory: Option<PathBuf>,
    /// `-L NAME`: our name among peers.
    pub(crate) local_peer: Option<String>,
    /// `-n N`: connections of the process, over the configuration's `maxconn`.
    pub(crate) max_connections: Option<u32>,
    /// `-p FILE`: where the process id is written.
    pub(crate) pid_file: Option<PathBuf>,
    /// `-f` and what follows `--`: files and directories, in order.
    pub(crate) files: Vec<PathBuf>,
    /// `-sf` or `-st` and the processes to stop once we listen.
    pub(crate) previous: Vec<i32>,
    /// Whether those are told to stop at once (`-st`) or to finish first (`-sf`).
    pub(crate) previous_at_once: bool,
}

/// `-W`: HAProxy keeps a master process beside its workers. Ours is one process that keeps the
/// same promises: pid file, reload by SIGUSR2, readiness notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Master {
    /// Neither flag.
    #[default]
    No,
    /// `-W`.
    Yes,
    /// `-Ws`: and the service manager is told.
    Notify,
}

/// Why a command line was not understood. All end with exit code 1, as HAProxy's do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misuse {
    /// No such flag, or a word where none may stand.
    #[error("unknown option '{0}'")]
    Unknown(String),
    /// The last word is a flag that needs a value.
    #[error("option '{0}' needs a value")]
    NeedsValue(&'static str),
    /// `-x` came last.
    #[error("Unix socket path expected with the -x flag")]
    NeedsSocket,
    /// A process id that is no number.
    #[error("{flag} option: '{word}' is not a process id")]
    NotAProcess { flag: &'static str, word: String },
    /// Nothing to read.
    #[error("no configuration file given")]
    NoFile,
}

impl Misuse {
    /// Whether the usage text helps with this one.
    pub(crate) fn wants_usage(&self) -> bool {
        matches!(
            self,
            Misuse::Unknown(_) | Misuse::NeedsSocket | Misuse::NoFile
        )
    }
}

/// Reads the words after the program's name (and after `proxy`).
pub(crate) fn parse(words: &[OsString]) -> Result<Request, Misuse> {
    let mut arguments = Arguments::default();
    let mut words = Words { rest: words };
    while let Some(word) = words.next() {
        match flag(word) {
            Flag::Version { detailed } => return Ok(Request::Version { detailed }),
            Flag::Condition => {
                // Without its condition HAProxy shows its usage, so this is no `NeedsValue`.
                let text = words.next().ok_or_else(|| unknown(word))?;
                return Ok(Request::Condition {
                    text: text.to_string_lossy().into_owned(),
                    quiet: arguments.quiet,
                });
            }
            Flag::Rest => arguments.files.extend(words.take_all().map(PathBuf::from)),
            Flag::Switch(set) => set(&mut arguments),
            Flag::Value(name, set) => set(&mut arguments, words.value(name)?),
            Flag::Socket => {
                words.next().ok_or(Misuse::NeedsSocket)?;
            }
            Flag::Processes { name, at_once } => {
                arguments.previous_at_once = at_once;
                arguments.previous.extend(words.processes(name)?);
            }
            Flag::Ignored => {}
            Flag::Unknown => return Err(unknown(word)),
        }
    }
    if arguments.files.is_empty() {
        return Err(Misuse::NoFile);
    }
    Ok(Request::Run(Box::new(arguments)))
}

/// What one word of the command line is.
enum Flag {
    Version { detailed: bool },
    Condition,
    Rest,
    Switch(fn(&mut Arguments)),
    Value(&'static str, fn(&mut Arguments, &OsStr)),
    Socket,
    Processes { name: &'static str, at_once: bool },
    Ignored,
    Unknown,
}

fn flag(word: &OsStr) -> Flag {
    // Whole words first: `-cc` would otherwise be `-c` with a letter behind it.
    match word.as_bytes() {
        b"--" => Flag::Rest,
        b"-cc" => Flag::Condition,
        b"-sf" => Flag::Processes {
            name: "-sf",
            at_once: false,
        },
        b"-st" => Flag::Processes {
            name: "-st",
            at_once: true,
        },
        b"-d" => Flag::Switch(|a| a.debug = true),
        b"-db" => Flag::Switch(|a| a.foreground = true),
        b"-dW" => Flag::Switch(|a| a.zero_warning = true),
        b"-dD" => Flag::Switch(|a| a.diagnostics = true),
        b"-Ws" => Flag::Switch(|a| a.master = Master::Notify),
        bytes => by_letter(bytes),
    }
}

/// A flag by its first letter; HAProxy does not look at what follows it in the word.
fn by_letter(word: &[u8]) -> Flag {
    match word {
        [b'-', b'c', b'c', ..] => Flag::Unknown,
        [b'-', b'v', b'v', ..] => Flag::Version { detailed: true },
        [b'-', b'v', ..] => Flag::Version { detailed: false },
        // Debugging aids of HAProxy's own insides (`-dM` poisons its pools, `-de` leaves epoll).
        [b'-', b'd', ..] => Flag::Ignored,
        [b'-', b'D', ..] => Flag::Switch(|a| a.daemonise = true),
        [b'-', b'W', ..] => Flag::Switch(|a| a.master = Master::Yes),
        [b'-', b'q', ..] => Flag::Switch(|a| a.quiet = true),
        [b'-', b'V', ..] => Flag::Switch(|a| a.verbose = true),
        [b'-', b'c', ..] => Flag::Switch(|a| a.check = true),
        [b'-', b'f', ..] => Flag::Value("-f", |a, v| a.files.push(v.into())),
        [b'-', b'p', ..] => Flag::Value("-p", |a, v| a.pid_file = Some(v.into())),
        [b'-', b'C', ..] => Flag::Value("-C", |a, v| a.directory = Some(v.into())),
        [b'-', b'L', ..] => Flag::Value("-L", |a, v| {
            a.local_peer = Some(v.to_string_lossy().into_owned())
        }),
        [b'-', b'n', ..] => Flag::Value("-n", |a, v| a.max_connections = leading_number(v)),
        // `-N` is a default for proxies without `maxconn`, which take the process's here; `-m` caps
        // memory that HAProxy takes in pools, and ours is bounded by connections; `-S` opens the
        // master's command line, and there is no master.
        [b'-', b'N', ..] => Flag::Value("-N", |_, _| {}),
        [b'-', b'm', ..] => Flag::Value("-m", |_, _| {}),
        [b'-', b'S', ..] => Flag::Value("-S", |_, _| {}),
        [b'-', b'x', ..] => Flag::Socket,
        _ => Flag::Unknown,
    }
}

fn unknown(word: &OsStr) -> Misuse {
    Misuse::Unknown(word.to_string_lossy().into_owned())
}

/// The number a word begins with; 0 and none at all mean "not set".
fn leading_number(word: &OsStr) -> Option<u32> {
    let bytes = word.as_bytes();
    let end = bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len());
    let digits = bytes
        .get(..end)
        .and_then(|digits| std::str::from_utf8(digits).ok())?;
    digits.parse().ok().filter(|&number| number > 0)
}

/// The words not yet read.
struct Words<'a> {
    rest: &'a [OsString],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a OsStr> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn value(&mut self, name: &'static str) -> Result<&'a OsStr, Misuse> {
        self.next().ok_or(Misuse::NeedsValue(name))
    }

    fn take_all(&mut self) -> impl Iterator<Item = &'a OsString> + use<'a> {
        std::mem::take(&mut self.rest).iter()
    }

    /// Process ids up to the next flag; an empty list is allowed, for scripts that pass `$(pidof)`.
    fn processes(&mut self, flag: &'static str) -> Result<Vec<i32>, Misuse> {
        let mut ids = Vec::new();
        while let Some((word, rest)) = self.rest.split_first() {
            if word.as_bytes().starts_with(b"-") {
                break;
            }
            let text = word.to_string_lossy();
            let id = text.parse().ok().filter(|&id: &i32| id > 0);
            ids.push(id.ok_or_else(|| Misuse::NotAProcess {
                flag,
                word: text.into_owned(),
            })?);
            self.rest = rest;
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
