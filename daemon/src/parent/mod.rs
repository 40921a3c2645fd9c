//! `lanai daemon`, the parent: it alone has rights, so it is small and reads nothing that a stranger
//! wrote. It carries out typed steps, holds the sockets of the run directory, and keeps the two
//! other processes alive.
//!
//! Invariant: whatever the children do, the parent only ever executes [`lanai_network::Step`]s, and
//! only for the control process's user.

mod attendance;
mod estate;
mod keeper;
mod place;
mod process;
mod trial;
mod upgrade;

use std::ffi::OsString;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Uid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use crate::appliance;
use crate::limits;
use crate::rights::{self, Identity, RightsError};
use crate::settings::{self, Settings, SettingsError};
use crate::wire::parent::{self as protocol, Role};
use crate::wire::server;
use attendance::{Attendance, Ward};
use estate::Estate;
use keeper::{Kind, Order};
use place::{Place, PlaceError};
use upgrade::Program;

/// News of a child that its keeper has not read yet at most.
const NEWS: usize = 64;

/// What the parent is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    directories: Directories,
    /// Lock and sockets of the program that this process ran before an upgrade
    #[arg(long, hide = true)]
    inherited: Option<String>,
}

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
    #[error("cannot answer on {}", protocol::SOCKET)]
    Accept(#[source] std::io::Error),
}

/// Runs until a signal says stop.
pub(crate) fn run(arguments: &Arguments) -> Result<(), ParentError> {
    if !Uid::effective().is_root() {
        return Err(ParentError::NotRoot);
    }
    let directories = &arguments.directories;
    let settings = settings::read_as_root(&directories.config)?;
    let control = rights::identity(&settings.users.control, "control")?;
    let engine = rights::identity(&settings.users.engine, "engine")?;
    let program = Program::present().map_err(ParentError::Start)?;
    let (state, run) = (directories.state(&settings), directories.run(&settings));
    let (place, estates) = match &arguments.inherited {
        Some(numbers) => Place::inherit(&directories.config, &state, &run, numbers)?,
        None => {
            limits::raise_descriptors(Some(limits::DESCRIPTORS));
            let place = Place::prepare(&directories.config, &state, &run, control, engine)?;
            (place, Vec::new())
        }
    };
    let mut estates = estates.into_iter().map(Estate::inherit);
    let mut estate = || estates.next().flatten().unwrap_or_default();
    let left = Left {
        control: estate(),
        engine: estate(),
        upgraded: arguments.inherited.is_some(),
    };
    ignore_strays().map_err(|error| ParentError::Start(error.into()))?;
    // Everything that needs more than the rest of this life is done.
    rights::keep_only(match appliance::system() {
        Some(_) => rights::PARENT_OF_THE_BOX,
        None => rights::PARENT,
    })?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(ParentError::Start)?;
    runtime.block_on(async {
        let (mut family, attendance) = Family::found(&place, &settings, control, engine, left)?;
        let listener = place.parent_listener().map_err(ParentError::Accept)?;
        family
            .supervise(&place, &program, listener, attendance)
            .await
    })?;
    place.clear();
    Ok(())
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

/// What the program that this process ran before an upgrade left.
struct Left {
    control: Estate,
    engine: Estate,
    upgraded: bool,
}

/// The two children and those who keep them.
struct Family {
    orders: watch::Sender<Order>,
    keepers: [(&'static str, tokio::task::JoinHandle<()>); 2],
    upgrades: mpsc::Receiver<oneshot::Sender<String>>,
}

impl Family {
    /// Starts the keepers, which start the children or take up those that run. After an upgrade they
    /// are replaced.
    fn found(
        place: &Place,
        settings: &Settings,
        control: Identity,
        engine: Identity,
        left: Left,
    ) -> Result<(Family, Arc<Attendance>), ParentError> {
        let (orders, order) = watch::channel(Order::Run);
        let keep = |role, arguments, name| {
            let (news, told) = mpsc::channel(NEWS);
            let kind = Kind {
                role,
                arguments,
                note: place.note(name),
                orphaned: place.is_orphaned(),
            };
            let keeper = tokio::spawn(keeper::keep(kind, order.clone(), told, left.upgraded));
            (news, (name, keeper))
        };
        let ward = |identity: Identity, answers: std::io::Result<UnixListener>, news, estate| {
            Ok::<Ward, ParentError>(Ward {
                uid: identity.uid.as_raw(),
                answers: answers.map_err(ParentError::Start)?,
                news,
                estate: Mutex::new(estate),
                at_work: AtomicU32::new(0),
            })
        };
        let arguments = control_arguments(place, settings, control);
        let (control_news, control_keeper) = keep(Role::Control, arguments, "control");
        let arguments = engine_arguments(place, settings, control, engine);
        let (engine_news, engine_keeper) = keep(Role::Engine, arguments, "engine");
        let (upgrade, upgrades) = mpsc::channel(1);
        let attendance = Attendance::new(
            ward(
                control,
                place.control_listener(),
                control_news,
                left.control,
            )?,
            ward(engine, place.engine_listener(), engine_news, left.engine)?,
            upgrade,
            place.run(),
            appliance::system(),
        );
        let family = Family {
            orders,
            keepers: [control_keeper, engine_keeper],
            upgrades,
        };
        Ok((family, Arc::new(attendance)))
    }

    async fn supervise(
        &mut self,
        place: &Place,
        program: &Program,
        listener: tokio::net::UnixListener,
        attendance: Arc<Attendance>,
    ) -> Result<(), ParentError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(ParentError::Start)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ParentError::Start)?;
        let mut finish = signal(SignalKind::user_defined1()).map_err(ParentError::Start)?;
        let admits = attendance.clone();
        let estates = attendance.clone();
        let keeper = attendance.clone();
        let going_back = keeper.go_back();
        tokio::pin!(going_back);
        let watching = keeper.watch_network();
        tokio::pin!(watching);
        let service = server::accept(
            Arc::new(listener),
            move |peer| admits.admits(peer),
            move |stream, peer, visit| attendance.clone().converse(stream, peer, visit),
        );
        tokio::pin!(service);
        tracing::info!(run = %place.run().display(), "lanai {} is starting", env!("CARGO_PKG_VERSION"));

        let result = loop {
            tokio::select! {
                error = &mut service => break Err(ParentError::Accept(error)),
                () = &mut going_back => {}
                () = &mut watching => {}
                _ = terminate.recv() => break Ok(Order::Stop),
                _ = interrupt.recv() => break Ok(Order::Stop),
                _ = finish.recv() => break Ok(Order::Finish),
                Some(asked) = self.upgrades.recv() => {
                    let why = program.renew(place, &estates).await;
                    tracing::error!("the upgrade was not done: {why}");
                    // Whoever asked may have gone.
                    let _ = asked.send(why);
                }
            }
        };
        tracing::info!("stopping; the network stays as it is");
        notify_manager("STOPPING=1");
        self.orders
            .send_replace(result.as_ref().copied().unwrap_or(Order::Stop));
        let ended = async {
            for (name, keeper) in &mut self.keepers {
                if let Err(error) = keeper.await {
                    tracing::error!(%error, "the keeper of {name} failed");
                }
            }
        };
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => return result.map(|_| ()),
                // The children may need the parent until their end.
                _ = &mut service, if result.is_ok() => {}
                _ = terminate.recv() => { self.orders.send_replace(Order::Stop); }
                _ = interrupt.recv() => { self.orders.send_replace(Order::Stop); }
            }
        }
    }
}

fn control_arguments(place: &Place, settings: &Settings, user: Identity) -> Vec<OsString> {
    let mut arguments = vec![
        "control".into(),
        format!("--user={}:{}", user.uid, user.gid).into(),
        format!("--ui={}", settings.ui.listen).into(),
    ];
    for (flag, path) in [
        ("--config", place.config()),
        ("--state", place.state()),
        ("--run", place.run()),
    ] {
        arguments.extend([flag.into(), path.into()]);
    }
    arguments
}

/// The engine answers `control` and root.
fn engine_arguments(
    place: &Place,
    settings: &Settings,
    control: Identity,
    user: Identity,
) -> Vec<OsString> {
    let mut arguments = vec![
        "proxy".into(),
        "--engine".into(),
        format!("--user={}:{}", user.uid, user.gid).into(),
        format!("--answer={}", control.uid).into(),
    ];
    if let Some(threads) = settings.engine.threads {
        arguments.push(format!("--threads={threads}").into());
    }
    for (flag, path) in [("--config", place.config()), ("--run", place.run())] {
        arguments.extend([flag.into(), path.into()]);
    }
    arguments
}

/// Tells the service manager, if there is one.
fn notify_manager(state: &str) {
    if let Err(error) = crate::notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told '{state}'");
    }
}
