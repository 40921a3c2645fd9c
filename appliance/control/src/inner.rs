//! What [`crate::Control`] works with: settings, engine, host, history, disk, and who is changing
//! things right now.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lanai_store::{RevisionId, Store};
use tokio::sync::{OwnedMutexGuard, watch};

use crate::check::{Model, Surroundings, check};
use crate::disk::{Disk, DiskError};
use crate::engine::Engine;
use crate::error::{Error, OpenError};
use crate::files::FileSet;
use crate::host::Host;
use crate::one_time::OneTimePassword;
use crate::passwords::Hashing;
use crate::repair::{self, Keeper};
use crate::report::{CheckReport, Holder};
use crate::settings::{Author, Settings};
use crate::throttle::Throttle;
use crate::trial::Window;

/// Name of the database in the state directory.
const DATABASE: &str = "lanai.db";

/// How long a change that was asked for early waits for the boot.
const BOOT_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) store: Store,
    pub(crate) disk: Disk,
    pub(crate) hashing: Hashing,
    pub(crate) throttle: Mutex<Throttle>,
    /// One change at a time.
    changing: Arc<tokio::sync::Mutex<()>>,
    holder: Mutex<Option<Holder>>,
    running: watch::Sender<Arc<Running>>,
    /// The password on the console.
    pub(crate) one_time: Mutex<Option<OneTimePassword>>,
    notices: Mutex<Vec<String>>,
    /// Of the last journey.
    undone: Mutex<Undone>,
    /// The trial that is under way.
    window: watch::Sender<Option<Arc<Window>>>,
    /// A trial that is over for us, and that the host could not be told to forget. Another change
    /// must not begin before it is: its time might still run.
    pub(crate) unended: Mutex<Option<RevisionId>>,
    pub(crate) repairs: Keeper,
    /// Whether this process has brought the box to its configuration.
    booted: watch::Sender<bool>,
}

/// What a journey left out that went as far as it could.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undone {
    /// In words.
    pub(crate) problems: Vec<String>,
    /// The engine did not take what it should run.
    pub(crate) engine: bool,
}

/// What the box was last asked to run.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(crate) files: FileSet,
    pub(crate) model: Model,
    /// The box runs this, and this version of the program cannot read it: the model is empty then, and
    /// says nothing of what should be.
    pub(crate) unread: bool,
}

impl Running {
    pub(crate) fn of(files: FileSet, model: Model) -> Self {
        Self {
            files,
            model,
            unread: false,
        }
    }

    pub(crate) fn unread(files: FileSet) -> Self {
        Self {
            files,
            model: Model::default(),
            unread: true,
        }
    }
}

/// The right to change things, until it is dropped.
pub(crate) struct Turn {
    inner: Arc<Inner>,
    _guard: OwnedMutexGuard<()>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *locked(&self.inner.holder) = None;
    }
}

impl Inner {
    /// See [`crate::Control::open`].
    pub(crate) async fn open(
        settings: Settings,
        engine: Arc<dyn Engine>,
        host: Arc<dyn Host>,
    ) -> Result<Self, OpenError> {
        let directory = |DiskError { path, source }| OpenError::Directory { path, source };
        let state = settings.state_dir.clone();
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&state);
        made.map_err(|source| OpenError::Directory {
            path: state.clone(),
            source,
        })?;
        let disk = Disk::new(settings.config_dir.clone());
        disk.tidy().map_err(directory)?;
        let store = Store::open(&state.join(DATABASE)).await?;
        Ok(Self {
            settings,
            engine,
            host,
            store,
            disk,
            hashing: Hashing::default(),
            throttle: Mutex::default(),
            changing: Arc::default(),
            holder: Mutex::default(),
            running: watch::Sender::default(),
            one_time: Mutex::default(),
            notices: Mutex::default(),
            undone: Mutex::default(),
            window: watch::Sender::default(),
            unended: Mutex::default(),
            repairs: Keeper::default(),
            booted: watch::Sender::new(false),
        })
    }

    /// Notes that the box runs its configuration: from now on it may be changed.
    pub(crate) fn set_booted(&self) {
        self.booted.send_replace(true);
    }

    /// Waits for the first boot, a while. A change that came before it would take the box for empty:
    /// it would remove nothing of what the configuration before it has, on disk and in the network.
    pub(crate) async fn after_boot(&self) -> Result<(), Holder> {
        let mut booted = self.booted.subscribe();
        let done = tokio::time::timeout(BOOT_LIMIT, booted.wait_for(|booted| *booted)).await;
        match done {
            Ok(_) => Ok(()),
            Err(_) => Err(self.holder().unwrap_or(Holder {
                name: "lanai".to_owned(),
                from: "boot".to_owned(),
                since_ms: self.now_ms(),
            })),
        }
    }

    /// The right to change things, or who has it. A repair, which nobody asked for and which takes a
    /// moment, is waited for.
    pub(crate) async fn turn(self: &Arc<Self>, author: &Author) -> Result<Turn, Holder> {
        let holder = match self.turn_now(author) {
            Err(holder) if repair::is_by(&holder) => holder,
            other => return other,
        };
        let turn = tokio::time::timeout(repair::PATIENCE, self.turn_in_time(author));
        turn.await.map_err(|_| holder)
    }

    fn turn_now(self: &Arc<Self>, author: &Author) -> Result<Turn, Holder> {
        let mut holder = locked(&self.holder);
        let me = Holder {
            name: author.name.clone(),
            from: author.from.clone(),
            since_ms: self.now_ms(),
        };
        match Arc::clone(&self.changing).try_lock_owned() {
            Ok(guard) => {
                *holder = Some(me);
                drop(holder);
                Ok(Turn {
                    inner: Arc::clone(self),
                    _guard: guard,
                })
            }
            // Between the two drops of a turn there is no holder any more; then it is just ending.
            Err(_) => Err(holder.clone().unwrap_or(Holder {
                name: "somebody".to_owned(),
                ..me
            })),
        }
    }

    /// The right to change things, once whoever has it is done.
    pub(crate) async fn turn_in_time(self: &Arc<Self>, author: &Author) -> Turn {
        let guard = Arc::clone(&self.changing).lock_owned().await;
        *locked(&self.holder) = Some(Holder {
            name: author.name.clone(),
            from: author.from.clone(),
            since_ms: self.now_ms(),
        });
        Turn {
            inner: Arc::clone(self),
            _guard: guard,
        }
    }

    /// Waits until nobody has that right.
    pub(crate) async fn settled(&self) {
        drop(self.changing.lock().await);
    }

    /// Checks a file set off the asynchronous threads: a large text takes a while.
    pub(crate) async fn examine(
        self: &Arc<Self>,
        files: FileSet,
    ) -> Result<(FileSet, CheckReport, Option<Model>), Error> {
        let inner = Arc::clone(self);
        let checked = self.blocking(move || {
            let (report, model) = check(&files, inner.surroundings());
            (files, report, model)
        });
        checked.await
    }

    /// Runs what blocks where it may.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Interrupted)
    }

    pub(crate) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running.borrow())
    }

    pub(crate) fn set_running(&self, running: Arc<Running>) {
        // Whatever was left out, it was of another one.
        self.set_undone(Undone::default());
        self.running.send_replace(running);
    }

    /// Told whenever the box is asked to run something else.
    pub(crate) fn watch_running(&self) -> watch::Receiver<Arc<Running>> {
        self.running.subscribe()
    }

    pub(crate) fn window(&self) -> Option<Arc<Window>> {
        self.window.borrow().clone()
    }

    pub(crate) fn set_window(&self, window: Option<Arc<Window>>) {
        self.window.send_replace(window);
    }

    pub(crate) fn windows(&self) -> watch::Receiver<Option<Arc<Window>>> {
        self.window.subscribe()
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        locked(&self.notices).clone()
    }

    pub(crate) fn holder(&self) -> Option<Holder> {
        locked(&self.holder).clone()
    }

    pub(crate) fn set_notices(&self, notices: Vec<String>) {
        *locked(&self.notices) = notices;
    }

    pub(crate) fn undone(&self) -> Undone {
        locked(&self.undone).clone()
    }

    pub(crate) fn set_undone(&self, undone: Undone) {
        *locked(&self.undone) = undone;
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.settings.clock.now_ms()
    }

    /// Adds a line to the audit log; that it cannot be added stops nothing, and is logged instead.
    pub(crate) async fn note(&self, author: &Author, action: &str, detail: &str) {
        let added = self
            .store
            .audit(self.now_ms(), &author.name, &author.from, action, detail)
            .await;
        match added {
            Ok(()) => tracing::info!(actor = author.name, from = author.from, action, detail),
            Err(error) => {
                tracing::error!(actor = author.name, from = author.from, action, detail, %error, "cannot write the audit log");
            }
        }
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            root: &self.settings.config_dir,
            environment: &self.settings.environment,
            facts: &self.settings.facts,
            ui: self.settings.ui,
            now_s: self.now_ms() / 1000,
        }
    }
}

/// A lock of ours is held for a moment and never across anything that panics; and what it guards is
/// whole at any time.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
