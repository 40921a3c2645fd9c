//! Keeps the configuration in effect: at the start, and whenever a new engine came up.

use std::path::Path;
use std::time::Duration;

use lanai_control::{BootSource, Control};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::remote::RemoteHost;
use crate::wire::client::{CallError, connect};
use crate::wire::engine::{self, Question, Reply};
use crate::wire::frame::{self, FrameError};

/// Pause before the next try when the engine cannot be reached: the parent is starting it.
const PAUSE: Duration = Duration::from_millis(100);
/// First pause before an engine that does not run what it should is asked again; it doubles up to
/// [`LOOK`].
const AGAIN: Duration = Duration::from_secs(1);
/// Pause between two looks at what the engine runs.
const LOOK: Duration = Duration::from_secs(30);
/// Pause before the next try when the history cannot be read.
const RETRY: Duration = Duration::from_secs(2);

/// Never ends. `booted` becomes true when the first configuration is in effect, or none could be.
/// `in_effect` is what the parent knows to be: an engine that died a moment ago need not run it yet.
pub(super) async fn keep(
    run: &Path,
    control: &Control,
    host: &RemoteHost,
    booted: watch::Sender<bool>,
    mut in_effect: Option<String>,
) {
    let path = run.join(engine::SOCKET);
    let mut first = true;
    let mut waited = false;
    loop {
        match attend(&path).await {
            Ok((stream, running)) => {
                let wanted = control.running_digest();
                let differs = running.as_ref() != Some(&wanted);
                // An engine that was replaced in the middle of a change is ahead of us: the change's
                // end decides what it should run.
                if !first && differs && !std::mem::replace(&mut waited, true) {
                    control.settled().await;
                    continue;
                }
                waited = false;
                // A new control process makes sure of the network also under a running engine.
                if first || differs {
                    // Later on a configuration is in effect whatever this engine runs.
                    let known = if first {
                        in_effect.take()
                    } else {
                        Some(wanted)
                    };
                    boot(control, running.or(known)).await;
                    host.live().await;
                    booted.send_replace(true);
                    first = false;
                }
                stay(stream, control).await;
                tracing::warn!("the engine is gone; looking for the next one");
            }
            Err(error) => {
                tracing::debug!("engine: {}", crate::chain(&error));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A connection that lives as long as the engine, and the digest of what it runs.
async fn attend(path: &Path) -> Result<(UnixStream, Option<String>), CallError> {
    let mut stream = connect(path).await?;
    let broken = |source| CallError::Broken {
        path: path.to_owned(),
        source,
    };
    match ask(&mut stream).await.map_err(broken)? {
        Some(running) => Ok((stream, running)),
        None => Err(CallError::Closed(path.to_owned())),
    }
}

/// The digest of what the engine runs, if anything; nothing if it does not say.
async fn ask(stream: &mut UnixStream) -> Result<Option<Option<String>>, FrameError> {
    frame::write(stream, &Question::Attend).await?;
    match frame::read(stream, frame::LIMIT).await? {
        Some(Reply::Attending { running }) => Ok(Some(running)),
        _ => Ok(None),
    }
}

/// Stays with an engine until it is gone. What was in the way of running what it should may go away
/// without a word to anybody, and a change that failed may have left something else.
async fn stay(mut stream: UnixStream, control: &Control) {
    let mut pause = AGAIN;
    let mut complaint = Vec::new();
    loop {
        let well = match runs_what_it_should(&mut stream, control).await {
            Some(false) => {
                // Somebody may be changing it, and who that is decides what it should run.
                control.settled().await;
                runs_what_it_should(&mut stream, control).await
            }
            other => other,
        };
        match well {
            None => return,
            Some(true) if !control.engine_is_behind() => pause = LOOK,
            Some(_) => {
                let problems = control.run_again().await;
                if problems != complaint {
                    for problem in &problems {
                        tracing::error!("{problem}; it is tried again");
                    }
                    complaint = problems;
                }
            }
        }
        if tokio::time::timeout(pause, gone(&mut stream)).await.is_ok() {
            return;
        }
        pause = (pause * 2).min(LOOK);
    }
}

/// Nothing if the engine is gone.
async fn runs_what_it_should(stream: &mut UnixStream, control: &Control) -> Option<bool> {
    let running = ask(stream).await.ok().flatten()?;
    Some(running == Some(control.running_digest()))
}

async fn gone(stream: &mut UnixStream) {
    // It never says a word here of its own; whatever can be read, it is over.
    let _ = stream.read(&mut [0]).await;
}

/// With something in effect only a process is new, and files that somebody is editing do not count.
async fn boot(control: &Control, in_effect: Option<String>) {
    let mut complaint = String::new();
    loop {
        let done = match &in_effect {
            Some(digest) => control.resume(digest).await,
            None => control.boot().await,
        };
        match done {
            Ok(report) => {
                let what = match report.source {
                    BootSource::Files => "the files on disk",
                    BootSource::EditedFiles => "the edited files on disk, as a new revision",
                    BootSource::LastLive => "the last live revision, not the files on disk",
                    BootSource::Kept => {
                        "the live revision, as before; the files on disk differ and were not applied"
                    }
                    BootSource::Trial => "the revision on trial, whose time goes on",
                    BootSource::Empty => "nothing: there is no configuration yet",
                };
                tracing::info!(revision = report.revision.map(|id| id.0), "running {what}");
                for problem in &report.problems {
                    tracing::error!("{problem}");
                }
                return;
            }
            Err(lanai_control::BootError::Busy(_)) => tokio::time::sleep(PAUSE).await,
            // Nothing was touched. A disk that answers again is noticed here, and by nobody else.
            Err(error) => {
                let text = crate::chain(&error);
                if text != complaint {
                    tracing::error!("{text}; it is tried again");
                    complaint = text;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
