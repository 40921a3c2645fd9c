//! Verbs that a running daemon answers.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lanai_control::{FileSet, Within};

use super::{Reach, Shape, Target, User, Verb, visitor};
use crate::ownership::{self, EditedError};
use crate::settings::SettingsError;
use crate::wire::client::{CallError, Client};
use crate::wire::files::Files;
use crate::wire::shell::{self, Command, Question, Reply};

/// An apply waits for names to be resolved and for the one before it.
const LIMIT: Duration = Duration::from_secs(300);

/// Why a daemon could not be asked.
#[derive(Debug, thiserror::Error)]
enum RemoteError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Files(#[from] EditedError),
    #[error("there is no configuration in {}: neither services.cfg nor haproxy.cfg; say with --config where it is", .0.display())]
    Nothing(PathBuf),
    #[error("cannot read the password from standard input")]
    Password(#[source] io::Error),
    #[error("no password: give it on standard input")]
    NoPassword,
    #[error("cannot start")]
    Start(#[source] io::Error),
    #[error("the daemon cannot be asked; is `lanai daemon` running, and are you root?")]
    Call(#[from] CallError),
}

/// Asks the daemon and prints its answer.
pub(super) fn run(verb: Verb) -> ExitCode {
    answer(ask(verb))
}

fn answer(reply: Result<Reply, RemoteError>) -> ExitCode {
    match reply {
        Ok(reply) => show(&reply),
        Err(error) => {
            eprintln!("lanai: {}", crate::chain(&error));
            ExitCode::from(2)
        }
    }
}

/// Prints an outcome; returns what to end with.
pub(super) fn show(reply: &Reply) -> ExitCode {
    // A program reads JSON from one place, whatever came of it.
    if reply.done || reply.text.starts_with(['{', '[']) {
        print(&mut io::stdout(), &reply.text);
    } else {
        print(&mut io::stderr(), &reply.text);
    }
    ExitCode::from(u8::from(!reply.done))
}

/// Has the daemon apply a file set, and prints its answer.
pub(super) fn apply(
    reach: &Reach,
    form: Shape,
    files: FileSet,
    comment: String,
    within: Option<Within>,
) -> ExitCode {
    let command = Command::Apply {
        files: Files(files),
        comment,
        within,
        for_good: false,
    };
    answer(call(reach, form, command))
}

fn ask(verb: Verb) -> Result<Reply, RemoteError> {
    let (target, command) = command(verb)?;
    call(&target.directories, target.form, command)
}

fn call(reach: &Reach, form: Shape, command: Command) -> Result<Reply, RemoteError> {
    let run = reach.run_directory()?;
    let question = Question {
        command,
        form: form.form(),
        name: name(),
        visitor: visitor::visitor(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(RemoteError::Start)?;
    let client = Client::new(&run.join(shell::SOCKET));
    Ok(runtime.block_on(client.call(&question, LIMIT))?)
}

fn command(verb: Verb) -> Result<(Target, Command), RemoteError> {
    Ok(match verb {
        Verb::Plan(target) => {
            let files = files(&target.directories)?;
            (target, Command::Plan { files })
        }
        Verb::Apply {
            comment,
            confirm_within,
            no_confirm,
            target,
        } => {
            let command = Command::Apply {
                files: files(&target.directories)?,
                comment,
                within: confirm_within,
                for_good: no_confirm,
            };
            (target, command)
        }
        Verb::Confirm(target) => (target, Command::Confirm),
        Verb::Rollback {
            revision,
            no_confirm,
            target,
        } => {
            let command = Command::Rollback {
                to: revision,
                for_good: no_confirm,
            };
            (target, command)
        }
        Verb::Revisions { limit, target } => (target, Command::Revisions { limit }),
        Verb::Diff { from, to, target } => (target, Command::Diff { from, to }),
        Verb::Show { what, target } => (target, Command::Show { what }),
        Verb::User(User::Add { user, role, target }) => (target, Command::AddUser { user, role }),
        Verb::User(User::Passwd { user, target }) => {
            let password = password()?;
            (target, Command::SetPassword { user, password })
        }
        Verb::User(User::List(target)) => (target, Command::Users),
        Verb::User(User::LoginLink { user, target }) => (target, Command::LoginLink { user }),
        Verb::Status(target) => (target, Command::Status),
        Verb::Doctor(target) => (target, Command::Doctor),
        // The caller answers these itself.
        Verb::Daemon(_)
        | Verb::Control(_)
        | Verb::Proxy
        | Verb::Check(_)
        | Verb::Explain(_)
        | Verb::Fmt(_)
        | Verb::Import(_)
        | Verb::Upgrade(_)
        | Verb::Dhcp(_)
        | Verb::Console(_) => {
            return Err(RemoteError::Start(io::ErrorKind::Unsupported.into()));
        }
    })
}

fn files(reach: &Reach) -> Result<Files, RemoteError> {
    let files = ownership::read_edited(&reach.config)?;
    // It would take all away, and is more likely a directory of another name.
    if files.is_empty() {
        return Err(RemoteError::Nothing(reach.config.clone()));
    }
    Ok(Files(files))
}

/// One line from standard input; a terminal does not show it.
fn password() -> Result<String, RemoteError> {
    let input = io::stdin();
    let hidden = input.is_terminal().then(Hidden::start);
    if hidden.is_some() {
        print(&mut io::stderr(), "Password: ");
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .map_err(RemoteError::Password)?;
    if hidden.is_some() {
        print(&mut io::stderr(), "\n");
    }
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(RemoteError::NoPassword);
    }
    Ok(line.to_owned())
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Option<nix::sys::termios::Termios>);

impl Hidden {
    fn start() -> Hidden {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_flags.remove(LocalFlags::ECHO);
            // A terminal that shows it is no reason to take no password.
            let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &quiet);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, before);
        }
    }
}

/// Who is asking, for the history: whoever became root says so in `SUDO_USER`.
fn name() -> String {
    let user = || {
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::current())
            .ok()
            .flatten()?;
        Some(user.name)
    };
    let name = std::env::var("SUDO_USER").ok().or_else(user);
    name.unwrap_or_else(|| nix::unistd::Uid::current().to_string())
}

fn print(to: &mut impl Write, text: &str) {
    // Nobody is left to be told when the output is gone.
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
