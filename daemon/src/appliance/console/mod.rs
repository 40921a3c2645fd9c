//! `lanai console`: the box's console on a serial line or a screen. It shows where the web UI is, how
//! to know it and how to get in, and has a menu for when the network is wrong.
//!
//! Whoever stands before it has the box; so it asks for no password, as its shell does not.

mod actions;
mod address;
mod screen;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::client::{CallError, Client};
use crate::wire::files::Files;
use crate::wire::shell::{self, Command, Form, Question, Reply};
use actions::Action;
use terminal::Terminal;

/// The screen is looked after this often while nobody types.
const REFRESH: Duration = Duration::from_secs(3);

/// How long the daemon may take to answer; a change may have to wait for the one before it.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const CHANGE_LIMIT: Duration = Duration::from_secs(300);

/// What `lanai console` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration directory
    #[arg(long, value_name = "DIR", default_value = "/etc/lanai")]
    config: PathBuf,
    /// Run directory of the daemon
    #[arg(long, value_name = "DIR", default_value = "/run/lanai")]
    run: PathBuf,
}

/// What there is to show; [`Command::Console`]'s answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// Of the program.
    pub(crate) version: String,
    /// The box's host name.
    pub(crate) name: String,
    /// Where the web UI is.
    pub(crate) links: Vec<String>,
    /// Its certificate's SHA-256.
    pub(crate) fingerprint: Option<String>,
    /// User and password that work once, while they are called for.
    pub(crate) login: Option<(String, String)>,
    /// Interfaces and their addresses.
    pub(crate) interfaces: Vec<(String, Vec<String>)>,
    /// The disk that keeps the configuration.
    pub(crate) storage: Option<String>,
    /// What somebody should look at.
    pub(crate) notices: Vec<String>,
}

/// The running daemon, as the console asks it.
pub(super) struct Daemon {
    runtime: tokio::runtime::Runtime,
    client: Client,
    config: PathBuf,
}

impl Daemon {
    fn new(arguments: &Arguments) -> std::io::Result<Daemon> {
        Ok(Daemon {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            client: Client::new(&arguments.run.join(shell::SOCKET)),
            config: arguments.config.clone(),
        })
    }

    fn ask(&self, command: Command, limit: Duration) -> Result<Reply, CallError> {
        let question = Question {
            command,
            form: Form::Plain,
            name: "console".to_owned(),
            visitor: None,
        };
        self.runtime.block_on(self.client.call(&question, limit))
    }

    fn shown(&self) -> Result<Shown, String> {
        let reply = self.ask(Command::Console, ANSWER_LIMIT);
        let reply = reply.map_err(|error| crate::chain(&error))?;
        serde_json::from_str(&reply.text).map_err(|error| error.to_string())
    }

    fn reset_password(&self) -> String {
        told(self.ask(Command::ResetPassword, ANSWER_LIMIT))
    }

    fn apply(&self, files: Files) -> String {
        let command = Command::Apply {
            files,
            comment: "set on the console".to_owned(),
            within: None,
            // Whoever is at the console cannot be cut off.
            for_good: true,
        };
        told(self.ask(command, CHANGE_LIMIT))
    }

    fn config(&self) -> &Path {
        &self.config
    }
}

fn told(reply: Result<Reply, CallError>) -> String {
    reply.map_or_else(|error| crate::chain(&error), |reply| reply.text)
}

/// Runs until the terminal is gone.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match Daemon::new(arguments) {
        Ok(daemon) => {
            attend(&daemon, &mut Terminal::new());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lanai: cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

fn attend(daemon: &Daemon, terminal: &mut Terminal) {
    let mut painted = String::new();
    loop {
        let shown = daemon.shown();
        let screen = screen::screen(&shown);
        if screen != painted {
            terminal.paint(&screen);
            painted = screen;
        }
        let line = match terminal.line_within(REFRESH) {
            terminal::Typed::Line(line) => line,
            terminal::Typed::Nothing => continue,
            terminal::Typed::Gone => return,
        };
        painted.clear();
        match Action::chosen(&line) {
            Some(action) => {
                let interfaces = shown.map(|shown| shown.interfaces).unwrap_or_default();
                actions::perform(action, daemon, terminal, &interfaces);
            }
            // Enter alone paints anew.
            None if line.trim().is_empty() => {}
            None => terminal.tell("Type the number of a line of the menu, then Enter."),
        }
    }
}
