//! `lanai daemon`, the parent: it alone has rights, so it is small and reads nothing that a stranger
//! wrote. It carries out typed steps, holds the sockets of the run directory, and keeps the two
//! other processes alive.
//!
//! Invariant: whatever the children do, the parent only ever executes [`lanai_network::Step`]s, and
//! only for the control process's user.

mod answers;
mod child;
mod place;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Uid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::limits;
use crate::rights::{self, Identity, RightsError};
use crate::settings::{self, Settings, SettingsError};
use crate::wire::{parent as protocol, server};
use answers::Answers;
use child::{Child, Order};
use place::{Place, PlaceError};

/// How long children may take to finish when the service stops; a change that runs is finished.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Where things are, as the command line says.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Directories {
    /// Configuration: lanai.toml, services.cfg, haproxy.cfg, ssl/, maps/, errors/
    #[arg(long, value_name = "DIR", default_value = "/etc/lanai")]
    pub(crate) config: PathBuf,
    /// History and users [default: /var/lib/lanai]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Sockets and process ids [default: /run/lanai]
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
}

impl Directories {
    /// The state directory: command line, then `lanai.toml`, then the usual place.
    pub(crate) fn state(&self, settings: &Settings) -> PathBuf {
        let set = self.state.as_ref().or(settings.paths.state.as_ref());
        set.cloned()
            .unwrap_or_else(|| PathBuf::from("/var/lib/lanai"))
    }

    /// The run directory, likewise.
    pub(crate) fn run(&self, settings: &Settings) -> PathBuf {
        let set = self.run.as_ref().or(settings.paths.run.as_ref());
        set.cloned().unwrap_or_else(|| PathBuf::from("/run/lanai"))
    }
}

/// Why the service could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParentError {
    /// Not root.
    #[error(
        "lanai daemon must be started as root: it sets up the network and then runs the rest as other users"
    )]
    NotRoot,
    /// `lanai.toml`.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Users and capabilities.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// Directories and sockets.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The runtime.
    #[error("cannot start")]
    Start(#[source] std::io::Error),
    /// A socket of the run directory failed.
    #[error("cannot accept connections on {}", protocol::SOCKET)]
    Accept(#[source] std::io::Error),
}

/// Runs until a signal says stop.
pub(crate) fn run(directories: &Directories) -> Result<(), ParentError> {
    if !Uid::effective().is_root() {
        return Err(ParentError::NotRoot);
    }
    let settings = settings::read_as_root(&directories.config)?;
    let control = rights::identity(&settings.users.control, "control")?;
    let engine = rights::identity(&settings.users.engine, "engine")?;
    let place = Place::prepare(
        &directories.config,
        &directories.state(&settings),
        &directories.run(&settings),
        control,
        engine,
    )?;
    limits::raise_descriptors(Some(limits::DESCRIPTORS));
    ignore_strays().map_err(|error| ParentError::Start(error.into()))?;
    // Everything that needs more than the rest of this life is done.
    rights::keep_only(rights::PARENT)?;

    // One thread: what a child inherits is decided between two lines of it, with no other thread
    // that could start a program in between.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(ParentError::Start)?;
    runtime.block_on(supervise(place, &settings, control, engine))
}

/// A terminal that closes, or a `killall` meant for others, must not end the service. The children
/// inherit this.
fn ignore_strays() -> nix::Result<()> {
    for stray in [Signal::SIGHUP, Signal::SIGUSR2] {
        let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { sigaction(stray, &ignore) }?;
    }
    Ok(())
}

async fn supervise(
    mut place: Place,
    settings: &Settings,
    control: Identity,
    engine: Identity,
) -> Result<(), ParentError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ParentError::Start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ParentError::Start)?;
    let mut finish = signal(SignalKind::user_defined1()).map_err(ParentError::Start)?;

    let listener = place.parent_listener()?;
    let answers = Arc::new(Answers::new(control.uid.as_raw(), engine.uid.as_raw()));
    let service = server::serve(listener, answers);
    tokio::pin!(service);

    let (orders, order) = watch::channel(Order::Run);
    let engine = Child::engine(&place, settings, control, engine);
    let control = Child::control(&place, settings, control);
    let control = tokio::spawn(child::keep(control, order.clone()));
    let engine = tokio::spawn(child::keep(engine, order));
    tracing::info!(run = %place.run().display(), "lanai {} is starting", env!("CARGO_PKG_VERSION"));

    let result = tokio::select! {
        error = &mut service => Err(ParentError::Accept(error)),
        _ = terminate.recv() => Ok(Order::Stop),
        _ = interrupt.recv() => Ok(Order::Stop),
        _ = finish.recv() => Ok(Order::Finish),
    };
    tracing::info!("stopping; the network stays as it is");
    notify_manager("STOPPING=1");
    orders.send_replace(result.as_ref().copied().unwrap_or(Order::Stop));
    let ended = async { (control.await, engine.await) };
    tokio::pin!(ended);
    let ended = loop {
        tokio::select! {
            both = &mut ended => break both,
            // The children may need the parent until their end.
            _ = &mut service, if result.is_ok() => {}
            _ = terminate.recv() => { orders.send_replace(Order::Stop); }
            _ = interrupt.recv() => { orders.send_replace(Order::Stop); }
        }
    };
    for (name, outcome) in [("control", ended.0), ("engine", ended.1)] {
        if let Err(error) = outcome {
            tracing::error!(%error, "the keeper of {name} failed");
        }
    }
    place.clear();
    result.map(|_| ())
}

/// Tells the service manager, if there is one.
fn notify_manager(state: &str) {
    if let Err(error) = crate::notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told '{state}'");
    }
}
