//! `lanai control`: texts, plans, history and the web UI, with no right but to ask. It reaches the
//! kernel through the parent, and the engine through its socket.

mod appliance;
mod live;
mod remote;
pub(crate) mod render;
mod shell;
mod ui;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lanai_control::{Control, OpenError, RevisionId, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::appliance::Storage;
use crate::child::{self, ChildError, UserIds};
use crate::limits;
use crate::rights;
use crate::wire::parent::{Event, Role};
use crate::wire::server;
use remote::{RemoteEngine, RemoteHost};
use shell::Answers;

/// How long the end of the process waits for a change that is under way.
const FINISH_LIMIT: Duration = Duration::from_secs(15);

/// What the parent says when it starts this process.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The user and group to become
    #[arg(long)]
    user: UserIds,
    /// Where the web UI listens
    #[arg(long)]
    ui: SocketAddr,
    /// Configuration directory
    #[arg(long)]
    config: PathBuf,
    /// State directory
    #[arg(long)]
    state: PathBuf,
    /// Run directory
    #[arg(long)]
    run: PathBuf,
}

/// Why the control process could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// What both children have in common.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// History or directories.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Runs until the parent says stop, or is gone.
pub(crate) fn run(arguments: &Arguments) -> Result<(), ControlError> {
    child::set_name(c"lanai-control");
    limits::give_large_blocks_back();
    rights::become_user(arguments.user.0, &[]).map_err(ChildError::from)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(ChildError::Start)?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &Arguments) -> Result<(), ControlError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ChildError::Start)?;
    let (link, welcome, mut events) = child::attend(&arguments.run, Role::Control).await?;
    let (estate, in_effect) = (welcome.estate, welcome.in_effect);
    let engine = Arc::new(RemoteEngine::new(&arguments.run));
    let host = Arc::new(RemoteHost::new(&arguments.run));
    let mut settings = settings(&arguments.config, &arguments.state);
    settings.ui = Some(arguments.ui);
    let control = Control::open(settings, engine, Arc::clone(&host) as _).await?;

    let answers = Answers::new(control.clone(), arguments);
    let (booted, has_booted) = watch::channel(false);
    tokio::select! {
        error = server::serve(link.sockets(), Arc::new(answers)) => Err(ChildError::Accept(error).into()),
        () = ui::serve(arguments, &control, has_booted, &link, estate) => Ok(()),
        () = live::keep(&arguments.run, &control, &host, booted, in_effect) => Ok(()),
        () = control.watch_trial() => Ok(()),
        () = control.keep_network() => Ok(()),
        () = hear(&control, &mut events) => Ok(()),
        why = link.refused() => Err(ChildError::Refused(why).into()),
        _ = terminate.recv() => {
            finish(&control).await;
            Ok(())
        }
    }
}

/// Does what the parent's news ask for. Never ends.
async fn hear(control: &Control, events: &mut UnboundedReceiver<Event>) {
    while let Some(event) = events.recv().await {
        match event {
            Event::Reverted { revision } => {
                if let Err(error) = control.reverted(RevisionId(revision)).await {
                    tracing::error!("{}", crate::chain(&error));
                }
            }
            Event::NetworkChanged => control.network_changed(),
        }
    }
    // The attendance has ended, which is heard elsewhere.
    std::future::pending().await
}

/// How control is set up: what a text may ask about is the same here, in the engine and in
/// `lanai check`.
pub(crate) fn settings(config: &Path, state: &Path) -> Settings {
    let mut settings = Settings::new(config, state);
    settings.environment = crate::environment::appliance();
    settings.facts = crate::facts::facts();
    settings.notices = Storage::found().warning().into_iter().collect();
    settings
}

/// A change that began is brought to its end: half a change is what the appliance never has.
async fn finish(control: &Control) {
    let idle = async {
        // The end of a change is nothing that could be waited for from outside.
        while control.busy().is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(FINISH_LIMIT, idle).await.is_err() {
        tracing::warn!("a change is still under way; the next start takes it back");
    }
}
