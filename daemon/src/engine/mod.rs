//! `lanai proxy --engine`: the daemon's engine. Configurations reach it as text and files; it reads
//! them with the same crates as everyone, prepares, and swaps.
//!
//! What it must not take with it when it dies is kept by the parent: its listening sockets, the
//! configuration in effect, and what was overridden over the runtime API. A new engine begins with
//! those, before anybody asks it for anything.

mod answers;
mod bundle;
mod status;
mod watchdog;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use lanai_engine::Told;
use tokio::signal::unix::{SignalKind, signal};

use crate::child::{self, ChildError, UserIds};
use crate::rights;
use crate::wire::parent::{Question, Role};
use crate::wire::server;
use answers::Answers;

/// What the parent says when it starts the engine.
#[derive(Debug, Parser)]
#[command(name = "lanai proxy --engine", no_binary_name = true)]
struct Arguments {
    /// The user and group to become
    #[arg(long)]
    user: UserIds,
    /// The user whose questions are answered
    #[arg(long)]
    answer: u32,
    /// Worker threads
    #[arg(long)]
    threads: Option<usize>,
    /// Configuration directory, which files may be named by
    #[arg(long)]
    config: PathBuf,
    /// Run directory
    #[arg(long)]
    run: PathBuf,
}

/// Runs with the words that follow `--engine`.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    crate::start_log();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("engine: {}", crate::chain(&error));
            ExitCode::from(1)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), ChildError> {
    child::set_name(c"lanai-engine");
    watchdog::arm().map_err(|error| ChildError::Start(error.into()))?;
    rights::become_user(arguments.user.0, rights::ENGINE)?;
    crate::limits::raise_descriptors(None);
    // The engine has threads of its own; this one only talks.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(ChildError::Start)?;
    runtime.block_on(async {
        let mut finish = signal(SignalKind::user_defined1()).map_err(ChildError::Start)?;
        let (link, estate, _) = child::attend(&arguments.run, Role::Engine).await?;
        let (journal, mut changes) = lanai_engine::override_channel();
        let answers = Arc::new(Answers::new(
            arguments.answer,
            arguments.threads,
            arguments.config.clone(),
            journal,
            link.clone(),
        ));
        let succeeds = estate.at_work;
        match answers.begin(estate).await {
            Ok(()) => {}
            // Whoever has the connections keeps them.
            Err(error) if succeeds => {
                let why = error.to_string();
                if let Err(why) = link.say(Question::GiveUp { why }).await {
                    tracing::debug!("giving up without a parent: {why}");
                }
                return Err(ChildError::Succeed(error));
            }
            // Control knows more ways than this one, and tries again.
            Err(error) => tracing::error!("the configuration in effect cannot be run: {error}"),
        }
        let keeping = link.clone();
        // Its end, which comes with the end of serving, lets nobody wait any more.
        let journalling = async move {
            loop {
                match changes.recv().await {
                    Told::Change(change) => keeping.journal(change.key, change.command),
                    Told::Kept(done) => {
                        keeping.kept().await;
                        // Whoever asked has a limit.
                        let _ = done.send(());
                    }
                }
            }
        };
        let watched = Arc::clone(&answers);
        let watching = tokio::spawn(watchdog::watch(move || watched.engine()));
        let serving = async {
            // Only one engine answers on the socket, and it is the one that serves.
            if let Err(why) = link.say(Question::TakeOver).await {
                tracing::warn!("the former engine could not be told to finish: {why}");
            }
            answers.settle().await;
            server::serve(link.sockets(), Arc::clone(&answers)).await
        };
        tokio::select! {
            error = serving => return Err(ChildError::Accept(error)),
            why = link.refused() => tracing::warn!("{why}; this engine finishes"),
            () = journalling => {}
            _ = finish.recv() => {}
        }
        answers.finish().await;
        watching.abort();
        Ok(())
    })
}
