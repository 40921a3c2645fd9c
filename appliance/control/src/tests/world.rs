//! A box made of data: a kernel, an engine, a disk, and the process that controls them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lanai_network::{Facts, Observed, ObservedLink, Step, Sysctl, plan, simulation};

use crate::digest::sha256_hex;
use crate::tests::faults::Faults;
use crate::{
    Author, BootReport, Clock, Control, Engine, EngineGone, EngineStatus, FileSet, Host, HostError,
    PrepareError, RevisionId, RevisionState, Settings, Trial, TrialState, Within,
};

/// What outlives a process of ours.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) directory: Arc<tempfile::TempDir>,
    pub(crate) box_: Arc<Box_>,
    pub(crate) now_ms: Arc<AtomicI64>,
}

/// Kernel and engine.
pub(crate) struct Box_ {
    pub(crate) kernel: Mutex<Observed>,
    pub(crate) running: Mutex<FileSet>,
    prepared: Mutex<Option<FileSet>>,
    pub(crate) faults: Faults,
    /// The time of a trial, kept by somebody else than the process that may die.
    pub(crate) trial: Mutex<Option<(Trial, TrialState)>>,
    /// A host that says that no time is left at once.
    pub(crate) short: Mutex<bool>,
    /// A host that does not keep its promise to undo.
    pub(crate) dirty: Mutex<bool>,
}

/// Everything a failed change must leave as it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    files: BTreeMap<String, (u32, String)>,
    kernel: Vec<String>,
    running: FileSet,
    prepared: Option<FileSet>,
    live: Option<RevisionId>,
}

impl World {
    pub(crate) fn new() -> Self {
        let link = |(index, name): (u32, &str)| ObservedLink {
            index,
            name: name.into(),
            up: name == "lo",
            carrier: true,
            loopback: name == "lo",
            ..ObservedLink::default()
        };
        let links = [(1, "lo"), (2, "eth0"), (3, "eth1"), (4, "eth2")]
            .map(link)
            .to_vec();
        let kernel = Observed {
            links,
            ..Observed::default()
        };
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            box_: Arc::new(Box_ {
                kernel: Mutex::new(kernel),
                running: Mutex::default(),
                prepared: Mutex::default(),
                faults: Faults::default(),
                trial: Mutex::default(),
                short: Mutex::default(),
                dirty: Mutex::default(),
            }),
            now_ms: Arc::new(AtomicI64::new(1_700_000_000_000)),
        }
    }

    /// A new process of ours.
    pub(crate) async fn open(&self) -> Control {
        let now_ms = Arc::clone(&self.now_ms);
        let root = self.directory.path();
        let mut settings = Settings::new(root.join("etc"), root.join("var"));
        settings.clock = Clock::new(move || now_ms.load(Ordering::SeqCst));
        let mut control = Control::open(
            settings,
            Arc::clone(&self.box_) as _,
            Arc::clone(&self.box_) as _,
        )
        .await
        .unwrap();
        let inner = Arc::get_mut(&mut control.inner).expect("nobody else has it yet");
        inner.disk.faults = self.box_.faults.clone();
        control
    }

    /// A new process that has booted well.
    pub(crate) async fn booted(&self) -> Control {
        let control = self.open().await;
        let report = self.begin(&control).await;
        assert_eq!(report.problems, Vec::<String>::new());
        control
    }

    /// What a new process does first: it boots the box, unless the engine is at work.
    pub(crate) async fn begin(&self, control: &Control) -> BootReport {
        let running = self.box_.running.lock().unwrap().clone();
        if running.is_empty() {
            control.boot().await.unwrap()
        } else {
            control.resume(&running.digest()).await.unwrap()
        }
    }

    pub(crate) fn later(&self, milliseconds: i64) {
        self.now_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// What the host does when the time of a trial is over.
    pub(crate) fn time_over(&self) {
        let mut slot = self.box_.trial.lock().unwrap();
        let (trial, state) = slot.as_mut().expect("a trial");
        let revision = trial.revision;
        assert!(matches!(state, TrialState::Running { .. }), "{state:?}");
        let mut kernel = self.box_.kernel.lock().unwrap();
        // What is so already counts as done, as the kernel crate has it.
        for step in trial.restore.iter().chain(&trial.withdraw) {
            let _ = simulation::apply(&mut kernel, step);
        }
        *self.box_.running.lock().unwrap() = trial.previous.clone();
        *state = TrialState::Reverted { revision };
    }

    /// The box is restarted: kernel, engine and the time of a trial are gone.
    pub(crate) fn restart(&self) {
        let fresh = World::new();
        *self.box_.kernel.lock().unwrap() = fresh.box_.kernel.lock().unwrap().clone();
        *self.box_.running.lock().unwrap() = FileSet::new();
        *self.box_.prepared.lock().unwrap() = None;
        *self.box_.trial.lock().unwrap() = None;
    }

    /// How the host says the trial stands.
    pub(crate) fn host_says(&self) -> Option<TrialState> {
        self.box_
            .trial
            .lock()
            .unwrap()
            .as_ref()
            .map(|(_, state)| *state)
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join("etc").join(name)
    }

    pub(crate) async fn snapshot(&self, control: &Control) -> Snapshot {
        let mut files = BTreeMap::new();
        walk(&self.path(""), &mut files);
        let kernel = self.box_.kernel.lock().unwrap().clone();
        let mut lines: Vec<String> = Vec::new();
        lines.extend(kernel.links.iter().map(|it| format!("{it:?}")));
        lines.extend(kernel.addresses.iter().map(|it| format!("{it:?}")));
        lines.extend(kernel.routes.iter().map(|it| format!("{it:?}")));
        lines.extend(kernel.sysctls.iter().map(|it| format!("{it:?}")));
        lines.sort();
        let live = control.live_revision().await.unwrap();
        Snapshot {
            files,
            kernel: lines,
            running: self.box_.running.lock().unwrap().clone(),
            prepared: self.box_.prepared.lock().unwrap().clone(),
            live: live.map(|revision| revision.id),
        }
    }

    /// That disk, history, engine and kernel agree on these files.
    pub(crate) async fn assert_is(&self, control: &Control, files: &FileSet) {
        assert_eq!(&control.live_files().await.unwrap(), files, "disk");
        assert_eq!(&*self.box_.running.lock().unwrap(), files, "engine");
        let live = control
            .live_revision()
            .await
            .unwrap()
            .expect("a live revision");
        assert_eq!(
            &control.revision_files(live.id).await.unwrap(),
            files,
            "history"
        );
        let all = control.revisions(100, None).await.unwrap();
        assert!(
            all.iter().all(|revision| !matches!(
                revision.state,
                RevisionState::Pending | RevisionState::Trial { .. }
            )),
            "{all:?}"
        );
        assert_eq!(control.trial(), None);
        assert_eq!(
            self.host_says(),
            None,
            "the host has nothing to do any more"
        );
        assert_eq!(
            control.inner.running().files,
            *files,
            "what we think is running"
        );
        let desired = control.inner.running().model.desired();
        let rest = plan(&desired, &self.box_.kernel.lock().unwrap());
        assert!(rest.is_empty(), "{rest}");
    }
}

fn walk(directory: &Path, into: &mut BTreeMap<String, (u32, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, into);
        } else {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            into.insert(
                path.display().to_string(),
                (mode, sha256_hex(&std::fs::read(&path).unwrap())),
            );
        }
    }
}

#[async_trait]
impl Host for Box_ {
    async fn observe(&self, _asked: &[Sysctl]) -> Result<Observed, HostError> {
        self.faults.arrive("observe").await.map_err(HostError)?;
        Ok(self.kernel.lock().unwrap().clone())
    }

    async fn probe(&self) -> Result<Facts, HostError> {
        Ok(Facts {
            release: "6.1.0-made-up".to_owned(),
            ..Facts::default()
        })
    }

    async fn execute(&self, steps: &[Step]) -> Result<(), HostError> {
        self.faults.arrive("execute").await.map_err(HostError)?;
        let before = self.kernel.lock().unwrap().clone();
        for (at, step) in steps.iter().enumerate() {
            let done = self
                .faults
                .arrive(&format!("step {at}"))
                .await
                .map_err(HostError)
                .and_then(|()| {
                    simulation::apply(&mut self.kernel.lock().unwrap(), step)
                        .map_err(|why| HostError(why.to_string()))
                });
            if let Err(error) = done {
                if !*self.dirty.lock().unwrap() {
                    *self.kernel.lock().unwrap() = before;
                }
                return Err(error);
            }
        }
        self.faults.arrive("executed").await.map_err(|why| {
            *self.kernel.lock().unwrap() = before;
            HostError(why)
        })
    }

    async fn repair(&self, steps: &[Step], trial: Option<i64>) -> Result<(), HostError> {
        let on_trial = self.trial.lock().unwrap().as_ref().map(|(_, state)| *state);
        let running = match on_trial {
            Some(TrialState::Running { revision, .. }) => Some(revision),
            _ => None,
        };
        if running != trial {
            return Err(HostError("the trial is not as it was".to_owned()));
        }
        self.execute(steps).await
    }

    async fn begin_trial(&self, trial: &Trial) -> Result<(), HostError> {
        self.timer("begin", |slot| {
            if slot.is_some() {
                return Err("another trial is under way".to_owned());
            }
            let revision = trial.revision;
            let left_s = if *self.short.lock().unwrap() {
                0
            } else {
                trial.within_s
            };
            *slot = Some((trial.clone(), TrialState::Running { revision, left_s }));
            Ok(())
        })
        .await
    }

    async fn trial(&self) -> Result<Option<TrialState>, HostError> {
        self.faults.arrive("trial").await.map_err(HostError)?;
        Ok(self.trial.lock().unwrap().as_ref().map(|(_, state)| *state))
    }

    async fn confirm_trial(&self, revision: i64) -> Result<(), HostError> {
        self.timer("confirm", |slot| match slot {
            Some((_, state))
                if state.revision() == revision
                    && !matches!(state, TrialState::Reverted { .. }) =>
            {
                *state = TrialState::Confirmed { revision };
                Ok(())
            }
            _ => Err("too late".to_owned()),
        })
        .await
    }

    async fn end_trial(&self, revision: i64) -> Result<(), HostError> {
        self.timer("end", |slot| match slot {
            Some((trial, _)) if trial.revision != revision => Err("another trial".to_owned()),
            slot => {
                *slot = None;
                Ok(())
            }
        })
        .await
    }
}

impl Box_ {
    /// The step of a trial: before and after the deed something may go wrong.
    async fn timer(
        &self,
        step: &str,
        deed: impl FnOnce(&mut Option<(Trial, TrialState)>) -> Result<(), String> + Send,
    ) -> Result<(), HostError> {
        self.faults.arrive(step).await.map_err(HostError)?;
        deed(&mut self.trial.lock().unwrap()).map_err(HostError)?;
        self.faults
            .arrive(&format!("{step}, done"))
            .await
            .map_err(HostError)
    }
}

#[async_trait]
impl Engine for Box_ {
    async fn prepare(&self, files: &FileSet) -> Result<(), PrepareError> {
        self.faults
            .arrive("prepare")
            .await
            .map_err(PrepareError::new)?;
        *self.prepared.lock().unwrap() = Some(files.clone());
        self.faults
            .arrive("prepared")
            .await
            .map_err(PrepareError::new)
    }

    async fn swap(&self) -> Result<(), EngineGone> {
        self.faults.arrive("swap").await.map_err(EngineGone)?;
        let prepared = self.prepared.lock().unwrap().take();
        *self.running.lock().unwrap() =
            prepared.ok_or_else(|| EngineGone("nothing is prepared".to_owned()))?;
        // The answer may get lost after the deed.
        self.faults.arrive("swapped").await.map_err(EngineGone)
    }

    async fn abort(&self) {
        *self.prepared.lock().unwrap() = None;
    }

    async fn status(&self) -> Result<EngineStatus, EngineGone> {
        Ok(EngineStatus {
            version: "fake".to_owned(),
            ..EngineStatus::default()
        })
    }
}

/// The time that the tests' trials get.
pub(crate) fn minutes() -> Within {
    "5m".parse().unwrap()
}

pub(crate) fn ann() -> Author {
    Author::new("ann", "ui 10.0.0.1")
}

/// A certificate with its key, each time another.
pub(crate) fn pem() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).unwrap();
    made.cert.pem() + &made.signing_key.serialize_pem()
}

/// One configuration.
pub(crate) fn old() -> FileSet {
    FileSet::from_iter([
        ("services.cfg", "service network eth0\n    ip address 192.0.2.1/24\n    ip route default 192.0.2.254\nservice network eth1\n    ip address 10.1.0.1/24\n    ip route 10.2.0.0/16 10.1.0.254\n".to_owned()),
        ("haproxy.cfg", "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\nfrontend www\n    bind 192.0.2.1:80\n    bind 192.0.2.1:443 ssl crt www.pem\n    default_backend farm\nbackend farm\n    server web1 10.1.0.11:80\n    server web2 10.1.0.12:80\n".to_owned()),
        ("ssl/www.pem", pem()),
        ("errors/503.http", "HTTP/1.0 503 Sorry\r\n\r\n".to_owned()),
        ("maps/hosts.map", "a b\n".to_owned()),
    ])
}

/// Another one: a file more, a file less, files changed; the network too, in both directions.
pub(crate) fn new() -> FileSet {
    let mut files = old();
    files.remove("errors/503.http");
    files.insert("maps/paths.map", "c d\n");
    files.insert("ssl/www.pem", pem());
    files.insert("services.cfg", "service network eth0\n    ip address 192.0.2.1/24\n    ip route default 192.0.2.254\nservice network eth2\n    ip address 10.3.0.1/24\n    ip route 10.2.0.0/16 10.3.0.254\n");
    let text = files.text("haproxy.cfg").replace(
        "web2 10.1.0.12:80",
        "web2 10.3.0.12:80\n    server web3 10.3.0.13:80",
    );
    files.insert("haproxy.cfg", text);
    files
}
