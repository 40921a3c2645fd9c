//! `lanai upgrade`: asks the parent itself, which answers root and nobody else.

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::Reach;
use crate::settings::SettingsError;
use crate::wire::client::{CallError, Client};
use crate::wire::frame::FrameError;
use crate::wire::parent::{self, Question, Reply};

/// How long the new program may take until all of it is at work.
const LIMIT: Duration = Duration::from_secs(60);
/// Pause before the parent is asked again; it takes up its socket as the same process.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there was no upgrade.
#[derive(Debug, thiserror::Error)]
enum UpgradeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot start")]
    Start(#[source] io::Error),
    #[error("the daemon cannot be asked; is `lanai daemon` running, and are you root?")]
    Call(#[from] CallError),
    #[error("nothing was upgraded: {0}")]
    Refused(String),
    #[error(
        "parent and control are version {version} now, but the former engine goes on, because the new one \
         did not take over: {why}"
    )]
    Half { version: String, why: String },
    #[error("the new program does not come to work: see the daemon's log")]
    Late(#[source] CallError),
    #[error("the parent gave an answer to another question: {0:?}")]
    Unexpected(Box<Reply>),
}

/// Upgrades, waits until the new processes are at work, and says which version they are.
pub(super) fn run(reach: &Reach) -> ExitCode {
    match upgrade(reach) {
        Ok(version) => {
            println!(
                "lanai {version} is at work; former connections are finished by the former engine"
            );
            ExitCode::SUCCESS
        }
        Err(error @ (UpgradeError::Refused(_) | UpgradeError::Half { .. })) => {
            eprintln!("lanai: {error}");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("lanai: {}", crate::chain(&error));
            ExitCode::from(2)
        }
    }
}

fn upgrade(reach: &Reach) -> Result<String, UpgradeError> {
    let run = reach.run_directory()?;
    let path = run.join(parent::SOCKET);
    // The keeper notes which process the engine is.
    let engine = || std::fs::read(run.join("engine.pid")).unwrap_or_default();
    let former = engine();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(UpgradeError::Start)?;
    runtime.block_on(async {
        let parent = Client::new(&path);
        match parent.call(&Question::Upgrade, LIMIT).await {
            // The program that was asked is no more, which is the answer.
            Err(CallError::Closed(_)) => {}
            Err(CallError::Broken {
                source: FrameError::Io(_),
                ..
            }) => {}
            Err(error) => return Err(error.into()),
            Ok(Reply::Failed { message }) => return Err(UpgradeError::Refused(message)),
            Ok(other) => return Err(UpgradeError::Unexpected(Box::new(other))),
        }
        let until = Instant::now() + LIMIT;
        loop {
            let parent = Client::new(&path);
            match parent.call(&Question::Settled, LIMIT).await {
                Ok(Reply::Settled { version, failed }) => {
                    return match failed {
                        // A parent that was itself killed meanwhile leaves one that knows of no upgrade.
                        None if !former.is_empty() && engine() == former => {
                            let why = "the parent was replaced by another one meanwhile".to_owned();
                            Err(UpgradeError::Half { version, why })
                        }
                        None => Ok(version),
                        Some(why) => Err(UpgradeError::Half { version, why }),
                    };
                }
                Ok(Reply::Failed { message }) => return Err(UpgradeError::Refused(message)),
                Ok(other) => return Err(UpgradeError::Unexpected(Box::new(other))),
                Err(error) if Instant::now() >= until => return Err(UpgradeError::Late(error)),
                // There is a moment in which nobody accepts.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    })
}
