//! The trial of a change: it goes back by itself unless somebody confirms it in time.
//!
//! The record of it is a file of root's in the run directory, complete with what it takes to go back,
//! so that neither control nor engine nor this process has to survive. A restart of the box needs no
//! timer: the files of a change on trial were never put in place, so the previous ones are what it
//! comes back with, and the record of another boot is dropped.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanai_control::TrialState;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard, watch};

use crate::wire::parent::Trial;

/// Name of the record in the run directory.
const FILE: &str = "trial.json";
/// The longest trial, in seconds.
const LONGEST_S: u64 = 24 * 3600;
/// The clock is looked at again after this time at most: it goes on while the box sleeps, and timers
/// do not.
const LOOK: Duration = Duration::from_secs(5);

/// The trial that was begun last, if it was not ended.
#[derive(Debug)]
pub(super) struct Trials {
    path: PathBuf,
    record: Mutex<Option<Record>>,
    changed: watch::Sender<()>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    /// /proc/sys/kernel/random/boot_id
    boot: String,
    trial: Trial,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Until this second of CLOCK_BOOTTIME.
    Running {
        until_s: u64,
    },
    Confirmed,
    /// The time is over; going back may have been interrupted.
    Reverting,
    Reverted,
}

impl Trials {
    /// Reads what an earlier parent left.
    pub(super) fn found(run: &Path) -> Trials {
        let path = run.join(FILE);
        let record = match read(&path) {
            Ok(record) => record.filter(|record| record.boot == boot()),
            Err(error) => {
                tracing::error!(%error, "the record of a trial cannot be read: {}", path.display());
                None
            }
        };
        if let Some(record) = &record {
            tracing::warn!(
                revision = record.trial.revision,
                state = ?record.state,
                "a change is on trial"
            );
        } else {
            // Of another boot: its change is gone with it.
            let _ = fs::remove_file(&path);
        }
        Trials {
            path,
            record: Mutex::new(record),
            changed: watch::channel(()).0,
        }
    }

    /// Starts the time.
    pub(super) async fn begin(&self, trial: Trial) -> Result<(), String> {
        let mut record = self.record.lock().await;
        if let Some(Record {
            trial,
            state: State::Running { .. } | State::Reverting,
            ..
        }) = record.as_ref()
        {
            return Err(format!("revision {} is on trial already", trial.revision));
        }
        if !(1..=LONGEST_S).contains(&trial.within_s) {
            return Err(format!("a trial lasts 1 to {LONGEST_S} seconds"));
        }
        let until_s = now_s() + trial.within_s;
        let new = Record {
            boot: boot(),
            trial,
            state: State::Running { until_s },
        };
        self.replace(record.as_ref(), &new)?;
        tracing::info!(
            revision = new.trial.revision,
            "on trial: to be confirmed within {}s",
            new.trial.within_s
        );
        *record = Some(new);
        self.changed.send_replace(());
        Ok(())
    }

    /// How it stands. Going back is waited for: half of it is no state to plan from.
    pub(super) async fn state(&self) -> Option<TrialState> {
        let record = self.standing().await;
        record.as_ref().map(|record| {
            let revision = record.trial.revision;
            match record.state {
                State::Running { until_s } => TrialState::Running {
                    revision,
                    left_s: until_s.saturating_sub(now_s()),
                },
                State::Confirmed => TrialState::Confirmed { revision },
                State::Reverting | State::Reverted => TrialState::Reverted { revision },
            }
        })
    }

    /// Whether this revision is on trial with some of its time left; without a number, whether none
    /// is and nothing goes back.
    pub(super) async fn stands(&self, revision: Option<i64>) -> bool {
        let record = self.record.lock().await;
        match (record.as_ref(), revision) {
            (None, None) => true,
            (Some(record), None) => matches!(record.state, State::Confirmed | State::Reverted),
            (None, Some(_)) => false,
            (Some(record), Some(revision)) => {
                let running =
                    matches!(record.state, State::Running { until_s } if now_s() < until_s);
                running && record.trial.revision == revision
            }
        }
    }

    /// Stops the time for good.
    pub(super) async fn confirm(&self, revision: i64) -> Result<(), String> {
        let mut record = self.record.lock().await;
        let found = record
            .as_mut()
            .filter(|record| record.trial.revision == revision);
        let found = found.ok_or_else(|| format!("revision {revision} is not on trial"))?;
        match found.state {
            State::Confirmed => return Ok(()),
            State::Running { until_s } if now_s() < until_s => {}
            State::Running { .. } | State::Reverting | State::Reverted => {
                return Err(format!(
                    "the time of revision {revision} is over: the previous configuration comes back"
                ));
            }
        }
        let confirmed = Record {
            state: State::Confirmed,
            ..found.clone()
        };
        self.replace(Some(found), &confirmed)?;
        *found = confirmed;
        tracing::info!(revision, "confirmed");
        self.changed.send_replace(());
        Ok(())
    }

    /// Forgets it. Going back is waited for.
    pub(super) async fn end(&self, revision: i64) -> Result<(), String> {
        let mut record = self.standing().await;
        match record.as_ref() {
            None => return Ok(()),
            Some(found) if found.trial.revision != revision => {
                return Err(format!("revision {} is on trial", found.trial.revision));
            }
            Some(_) => {}
        }
        let removed = fs::remove_file(&self.path).and_then(|()| sync_directory(&self.path));
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", self.path.display()));
            }
            _ => {}
        }
        *record = None;
        self.changed.send_replace(());
        Ok(())
    }

    /// Waits until the time of a trial is over, and returns it, noted as such. Until
    /// [`Trials::reverted`] says otherwise it is returned again by whoever asks next: going back may
    /// have been interrupted.
    pub(super) async fn over(&self) -> Trial {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let left = {
                let mut record = self.record.lock().await;
                match record.as_mut() {
                    Some(found) if found.state == State::Reverting => return found.trial.clone(),
                    Some(Record {
                        state: State::Running { until_s },
                        ..
                    }) if now_s() < *until_s => {
                        Some(Duration::from_secs(*until_s - now_s()).min(LOOK))
                    }
                    Some(found) if matches!(found.state, State::Running { .. }) => {
                        found.state = State::Reverting;
                        // What cannot be noted is done all the same.
                        if let Err(error) = self.write(found) {
                            tracing::error!("{error}");
                        }
                        return found.trial.clone();
                    }
                    _ => None,
                }
            };
            tokio::select! {
                // The sender is ours.
                _ = changed.changed() => {}
                () = sleep(left) => {}
            }
        }
    }

    /// The previous configuration is in effect again.
    pub(super) async fn reverted(&self, revision: i64) {
        let mut record = self.record.lock().await;
        let found = record
            .as_mut()
            .filter(|record| record.trial.revision == revision);
        if let Some(found) = found {
            found.state = State::Reverted;
            if let Err(error) = self.write(found) {
                tracing::error!("{error}");
            }
        }
        self.changed.send_replace(());
    }

    /// The record, once nobody is going back.
    async fn standing(&self) -> MutexGuard<'_, Option<Record>> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let record = self.record.lock().await;
            if !matches!(record.as_ref(), Some(found) if found.state == State::Reverting) {
                return record;
            }
            drop(record);
            // The sender is ours.
            let _ = changed.changed().await;
        }
    }

    /// Writes what takes the place of `before`. What failed may be on disk all the same, and the next
    /// parent must not act on what was refused: so it is taken away again.
    fn replace(&self, before: Option<&Record>, new: &Record) -> Result<(), String> {
        let Err(why) = self.write(new) else {
            return Ok(());
        };
        let taken_back = match before {
            Some(before) => self.write(before),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
                _ => Ok(()),
            },
        };
        match taken_back {
            Ok(()) => Err(why),
            Err(error) => Err(format!("{why}; and it may be there all the same: {error}")),
        }
    }

    /// Beside its place, to the disk, and into its place.
    fn write(&self, record: &Record) -> Result<(), String> {
        let beside = self.path.with_extension("new");
        let written = || {
            let text = serde_json::to_vec(record)?;
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Keys are in there; and whoever may make files in this directory must not choose ours.
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW)
                .open(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            sync_directory(&self.path)
        };
        written().map_err(|error| {
            format!(
                "the trial cannot be recorded in {}: {error}",
                self.path.display()
            )
        })
    }
}

fn read(path: &Path) -> io::Result<Option<Record>> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if file.metadata()?.uid() != 0 {
        return Err(io::Error::other("it is not root's"));
    }
    Ok(Some(serde_json::from_reader(io::BufReader::new(file))?))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    File::open(directory)?.sync_all()
}

/// Names this boot of the kernel. Where that cannot be read all boots are one.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// Seconds since the boot, with those that the box slept (CLOCK_BOOTTIME, clock_gettime(2)).
fn now_s() -> u64 {
    // It fails only for a clock that the kernel does not have.
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map(|now| now.tv_sec());
    u64::try_from(now.unwrap_or_default()).unwrap_or_default()
}

async fn sleep(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::files::Files;
    use lanai_control::FileSet;

    fn trial(revision: i64, within_s: u64) -> Trial {
        Trial {
            revision,
            within_s,
            withdraw: Vec::new(),
            restore: Vec::new(),
            previous: Files(FileSet::default()),
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn a_record_survives_whoever_wrote_it() {
        let run = tempfile::tempdir().unwrap();
        block_on(async {
            let trials = Trials::found(run.path());
            assert_eq!(trials.state().await, None);
            trials.begin(trial(7, 100)).await.unwrap();
            assert!(trials.begin(trial(8, 100)).await.is_err());
            drop(trials);
            let trials = Trials::found(run.path());
            let Some(TrialState::Running {
                revision: 7,
                left_s,
            }) = trials.state().await
            else {
                panic!("{:?}", trials.state().await);
            };
            assert!((90..=100).contains(&left_s));
            assert!(trials.confirm(8).await.is_err());
            trials.confirm(7).await.unwrap();
            drop(trials);
            let trials = Trials::found(run.path());
            assert_eq!(
                trials.state().await,
                Some(TrialState::Confirmed { revision: 7 })
            );
            assert!(trials.end(8).await.is_err());
            trials.end(7).await.unwrap();
            assert_eq!(trials.state().await, None);
            assert_eq!(fs::read_dir(run.path()).unwrap().count(), 0);
        });
    }

    #[test]
    fn a_time_that_is_over_is_told_until_going_back_is_done() {
        let run = tempfile::tempdir().unwrap();
        block_on(async {
            let trials = Trials::found(run.path());
            trials.begin(trial(7, 1)).await.unwrap();
            assert_eq!(trials.over().await.revision, 7);
            assert!(trials.confirm(7).await.is_err());
            // Whoever was going back died.
            drop(trials);
            let trials = Trials::found(run.path());
            assert_eq!(trials.over().await.revision, 7);
            trials.reverted(7).await;
            assert_eq!(
                trials.state().await,
                Some(TrialState::Reverted { revision: 7 })
            );
        });
    }

    #[test]
    fn a_record_of_another_boot_or_another_user_does_not_count() {
        let run = tempfile::tempdir().unwrap();
        block_on(async {
            let trials = Trials::found(run.path());
            trials.begin(trial(7, 100)).await.unwrap();
        });
        let path = run.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&boot(), "another")).unwrap();
        assert_eq!(block_on(Trials::found(run.path()).state()), None);
        assert!(!path.exists());
        for length in 0..text.len().min(64) {
            fs::write(&path, &text[..length]).unwrap();
            assert_eq!(block_on(Trials::found(run.path()).state()), None);
        }
    }
}
