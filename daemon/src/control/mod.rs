//! `lanai control`: texts, plans, history and the web UI, with no right but to ask. It reaches the
//! kernel through the parent, and the engine through its socket.

mod remote;
pub(crate) mod render;
mod shell;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lanai_control::{Control, OpenError, Settings};
use tokio::signal::unix::{SignalKind, signal};

use crate::child::{self, ChildError, UserIds};
use crate::rights;
use crate::wire::parent::Role;
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
    /// The listening socket to answer the command line on
    #[arg(long)]
    listener: i32,
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
    /// The web UI.
    #[error("the web UI cannot be served on {address}")]
    Ui {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: lanai_webui::ServeError,
    },
}

/// Runs until the parent says stop, or is gone.
pub(crate) fn run(arguments: &Arguments) -> Result<(), ControlError> {
    let listener = child::listener(arguments.listener)?;
    rights::become_user(arguments.user.0, &[]).map_err(ChildError::from)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(ChildError::Start)?;
    runtime.block_on(serve(arguments, listener))
}

async fn serve(arguments: &Arguments, listener: child::Listener) -> Result<(), ControlError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ChildError::Start)?;
    let listener = listener.into_tokio()?;
    let parent = child::attend(&arguments.run, Role::Control).await?;
    let engine = Arc::new(RemoteEngine::new(&arguments.run));
    let host = Arc::new(RemoteHost::new(&arguments.run));
    let settings = Settings::new(&arguments.config, &arguments.state);
    let control = Control::open(settings, engine, Arc::clone(&host) as _).await?;

    let ui = lanai_webui::serve(
        control.clone(),
        lanai_webui::Settings::new(arguments.ui, arguments.state.clone()),
    );
    let answers = Answers::new(control.clone(), arguments.user.0.uid.as_raw(), arguments.ui);
    tokio::select! {
        error = server::serve(listener, Arc::new(answers)) => Err(ChildError::Accept(error).into()),
        result = ui => result.map_err(|source| ControlError::Ui { address: arguments.ui, source }),
        () = watch::watch(&arguments.run, &control, &host) => Ok(()),
        error = parent.gone() => Err(error.into()),
        _ = terminate.recv() => {
            finish(&control).await;
            Ok(())
        }
    }
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
