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
use lanai_engine::{OverrideReceiver, Told};
use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::child::{self, ChildError, Link, UserIds};
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
        let wait_for = |which: Signal| signal(SignalKind::from_raw(which as i32));
        let mut make_room = wait_for(child::MAKE_ROOM).map_err(ChildError::Start)?;
        let mut finish = wait_for(child::FINISH).map_err(ChildError::Start)?;
        let (link, welcome, _) = child::attend(&arguments.run, Role::Engine).await?;
        let (overrides, changes) = lanai_engine::override_channel();
        let answers = Arc::new(Answers::new(
            arguments.answer,
            arguments.threads,
            arguments.config.clone(),
            overrides,
            link.clone(),
        ));
        match answers.begin(welcome.estate).await {
            Ok(()) => {}
            // Whoever has the connections keeps them.
            Err(error) if welcome.at_work => {
                let why = error.to_string();
                if let Err(why) = link.say(Question::GiveUp { why }).await {
                    tracing::debug!("giving up without a parent: {why}");
                }
                return Err(ChildError::Succeed(error));
            }
            // Control knows more ways than this one, and tries again.
            Err(error) => tracing::error!("the configuration in effect cannot be run: {error}"),
        }
        let watched = Arc::clone(&answers);
        let watching = tokio::spawn(watchdog::watch(move || watched.engine()));
        let serving = async {
            // Only one engine answers on the socket, and it is the one that serves. What is set at run time
            // is journalled by that one too, until its very end.
            let renew = answers.take_over().await;
            tokio::spawn(journal(changes, link.clone()));
            answers.take_charge();
            answers.settle().await;
            if renew && let Err(why) = link.say(Question::Replace).await {
                tracing::error!("process-wide settings do not take effect: {why}");
            }
            server::serve(link.sockets(), Arc::clone(&answers)).await
        };
        let succeeded = tokio::select! {
            error = serving => return Err(ChildError::Accept(error)),
            why = link.refused() => {
                tracing::warn!("{why}; this engine finishes");
                true
            }
            _ = make_room.recv() => true,
            _ = finish.recv() => false,
        };
        answers.finish(succeeded).await;
        watching.abort();
        Ok(())
    })
}

/// Has the parent keep what is set at run time.
async fn journal(mut changes: OverrideReceiver, link: Link) {
    loop {
        match changes.recv().await {
            Told::Change(change) => link.journal(change.key, change.command),
            // Whoever asked has a limit.
            Told::Kept(done) => drop(done.send(link.kept().await)),
        }
    }
}
