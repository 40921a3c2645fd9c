//! The first journey of a process. On a box that runs nothing yet it leads to what the files on disk
//! say, or else to the last live revision. Where something is in effect, only a process is new: the
//! live revision stays, and text that nobody applied goes nowhere.

mod installation;

use std::collections::BTreeMap;
use std::sync::Arc;

use lanai_store::{NewRevision, Revision, RevisionId, RevisionState};

use crate::change::{FROM_DISK, stored};
use crate::digest::sha256_hex;
use crate::error::{BootError, Error};
use crate::files::{FileSet, LAYER7, SERVICES};
use crate::inner::{Inner, Running};
use crate::report::{BootReport, BootSource, CheckReport};
use crate::road::{End, travel, travel_anyway};
use crate::settings::Author;
use crate::trial;

/// Why a revision failed whose change was cut short.
pub(crate) const INTERRUPTED: &str = "interrupted: the process ended in the middle";

/// Boots; `in_effect` is the digest of what runs already. Fails only if the history cannot be read.
pub(crate) async fn boot(
    inner: &Arc<Inner>,
    in_effect: Option<String>,
) -> Result<BootReport, BootError> {
    let author = Author::new("lanai", "boot");
    let _turn = inner.turn(&author).await.map_err(BootError::Busy)?;
    let mut problems = Vec::new();
    inner
        .store
        .fail_pending(INTERRUPTED)
        .await
        .map_err(Error::from)?;
    let found = trial::settle(inner, &mut problems).await?;
    let live = installation::finish(inner, &mut problems).await?;
    let resumes = match in_effect {
        Some(digest) => !from_a_boot(inner, &digest, live.as_ref()).await?,
        None => false,
    };
    let mut report = match found {
        Some(found) => BootReport {
            source: BootSource::Trial,
            revision: Some(trial::go_on(inner, found, &mut problems).await?),
            report: CheckReport::default(),
            problems,
        },
        None => {
            let disk = read_disk(inner, live.as_ref(), &mut problems).await?;
            if resumes {
                keep(inner, disk, live, problems).await?
            } else {
                let disk = confirmed(inner, disk, &mut problems).await?;
                choose(inner, disk, live, problems).await?
            }
        }
    };
    report.problems.extend(differences(&report));
    inner.set_notices(report.problems.clone());
    let how = match report.revision {
        Some(id) => format!("revision {id}, {} problems", report.problems.len()),
        None => format!("no revision, {} problems", report.problems.len()),
    };
    inner.note(&author, "boot", &how).await;
    Ok(report)
}

/// Whether what is in effect is edited files that a boot before this one was putting to work: the box
/// is still starting then.
async fn from_a_boot(
    inner: &Inner,
    in_effect: &str,
    live: Option<&Revision>,
) -> Result<bool, Error> {
    for revision in inner.store.revisions(RECENT, None).await? {
        if live.is_some_and(|live| revision.id <= live.id) {
            break;
        }
        let cut_short =
            matches!(&revision.state, RevisionState::Failed { why } if why == INTERRUPTED);
        if cut_short
            && revision.from == FROM_DISK
            && inner.files_of(revision.id).await?.digest() == in_effect
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Revisions of which one may be what an interrupted boot was at; it is the newest but for others that
/// were cut short.
const RECENT: u32 = 20;

/// Keeps the live revision in effect, or nothing on a box that has none.
async fn keep(
    inner: &Arc<Inner>,
    disk: Option<FileSet>,
    live: Option<Revision>,
    mut problems: Vec<String>,
) -> Result<BootReport, Error> {
    let Some(live) = live else {
        travel_anyway(inner, &Arc::default(), &mut problems).await;
        return Ok(BootReport {
            source: BootSource::Empty,
            revision: None,
            report: CheckReport::default(),
            problems,
        });
    };
    let (files, report, model) = inner.examine(inner.files_of(live.id).await?).await?;
    let source = if disk.as_ref() == Some(&files) {
        BootSource::Files
    } else {
        BootSource::Kept
    };
    if let Some(model) = model {
        travel_anyway(inner, &Arc::new(Running::of(files, model)), &mut problems).await;
    } else {
        // Whatever runs it goes on: a box that serves is worth more than one that is understood.
        inner.set_running(Arc::new(Running::unread(files)));
        problems.push(format!(
            "{}; what was in effect goes on, and the network is not looked after",
            not_valid(live.id)
        ));
    }
    Ok(BootReport {
        source,
        revision: Some(live.id),
        report,
        problems,
    })
}

/// It was valid for the program that applied it.
fn not_valid(id: RevisionId) -> String {
    format!("revision {id} is not valid for this version of the program")
}

/// The files on disk; `None` if they do not count. Where both texts are gone while there is a
/// revision, the directory was lost, not edited: it is filled again.
async fn read_disk(
    inner: &Arc<Inner>,
    live: Option<&Revision>,
    problems: &mut Vec<String>,
) -> Result<Option<FileSet>, Error> {
    let disk = inner.disk.clone();
    let found = match inner.blocking(move || disk.read()).await? {
        Ok(found) => found,
        Err(error) => {
            problems.push(format!(
                "the files cannot be read: {}: {}",
                error.path.display(),
                error.source
            ));
            return Ok(None);
        }
    };
    let Some(live) = live.filter(|_| found.get(SERVICES).is_none() && found.get(LAYER7).is_none())
    else {
        return Ok(Some(found));
    };
    let wanted = inner.files_of(live.id).await?;
    let (disk, files) = (inner.disk.clone(), wanted.clone());
    let filled = inner
        .blocking(move || disk.stage(&FileSet::new(), &files)?.install())
        .await?;
    if let Err(error) = filled {
        problems.push(format!(
            "the files are gone and cannot be written: {}: {}",
            error.path.display(),
            error.source
        ));
    }
    Ok(Some(wanted))
}

/// Files on disk that were to be confirmed and never were do not count: somebody edited them and
/// applied them on trial, and what that trial was to prevent must not come with the next boot.
async fn confirmed(
    inner: &Arc<Inner>,
    disk: Option<FileSet>,
    problems: &mut Vec<String>,
) -> Result<Option<FileSet>, Error> {
    let Some(disk) = disk else { return Ok(None) };
    let found: BTreeMap<String, String> = disk
        .iter()
        .map(|(name, bytes)| (name.to_owned(), sha256_hex(bytes)))
        .collect();
    for revision in inner.store.unconfirmed().await? {
        let files = revision.files.into_iter();
        if files
            .map(|file| (file.name, file.sha256))
            .collect::<BTreeMap<_, _>>()
            == found
        {
            problems.push(format!(
                "the files on disk are those of revision {}, which nobody confirmed",
                revision.id
            ));
            return Ok(None);
        }
    }
    Ok(Some(disk))
}

async fn choose(
    inner: &Arc<Inner>,
    disk: Option<FileSet>,
    live: Option<Revision>,
    mut problems: Vec<String>,
) -> Result<BootReport, Error> {
    let live_files = match &live {
        Some(live) => Some(inner.files_of(live.id).await?),
        None => None,
    };
    let mut shown = CheckReport::default();
    if let Some(disk) = disk {
        let (files, report, model) = inner.examine(disk).await?;
        shown = report;
        if let Some(model) = model {
            let target = Arc::new(Running::of(files, model));
            if live_files.as_ref() == Some(&target.files) {
                travel_anyway(inner, &target, &mut problems).await;
                let revision = live.map(|live| live.id);
                return Ok(BootReport {
                    source: BootSource::Files,
                    revision,
                    report: shown,
                    problems,
                });
            }
            if live.is_none() && target.files.is_empty() {
                travel_anyway(inner, &target, &mut problems).await;
                return Ok(BootReport {
                    source: BootSource::Empty,
                    revision: None,
                    report: shown,
                    problems,
                });
            }
            if let Some(id) = edited(inner, &target, live.as_ref(), &mut problems).await? {
                return Ok(BootReport {
                    source: BootSource::EditedFiles,
                    revision: Some(id),
                    report: shown,
                    problems,
                });
            }
        } else {
            problems.push("the files on disk are not valid; see `lanai check`".to_owned());
        }
    }
    let (source, revision, target) = fallback(inner, live, live_files, &mut problems).await?;
    travel_anyway(inner, &target, &mut problems).await;
    Ok(BootReport {
        source,
        revision,
        report: shown,
        problems,
    })
}

/// The last live revision, or nothing at all.
async fn fallback(
    inner: &Arc<Inner>,
    live: Option<Revision>,
    files: Option<FileSet>,
    problems: &mut Vec<String>,
) -> Result<(BootSource, Option<RevisionId>, Arc<Running>), Error> {
    if let (Some(live), Some(files)) = (live, files) {
        let (files, _, model) = inner.examine(files).await?;
        if let Some(model) = model {
            return Ok((
                BootSource::LastLive,
                Some(live.id),
                Arc::new(Running::of(files, model)),
            ));
        }
        problems.push(not_valid(live.id));
    }
    Ok((BootSource::Empty, None, Arc::default()))
}

/// Makes files that somebody edited a revision and travels to it. With no revision to fall back to
/// they are taken however far they go; else `None` is returned if they do not work.
async fn edited(
    inner: &Arc<Inner>,
    target: &Arc<Running>,
    live: Option<&Revision>,
    problems: &mut Vec<String>,
) -> Result<Option<RevisionId>, Error> {
    let new = NewRevision {
        parent: live.map(|live| live.id),
        author: "unknown".to_owned(),
        from: FROM_DISK.to_owned(),
        comment: "edited by hand".to_owned(),
        within_s: None,
        files: stored(&target.files),
    };
    let id = inner.store.save_pending(&new, inner.now_ms()).await?;
    let Err(error) = travel(inner, target, End::Mark(id)).await else {
        return Ok(Some(id));
    };
    problems.push(format!(
        "the files on disk could not be put to work: {error}"
    ));
    if live.is_some() {
        inner
            .store
            .mark_failed(id, &error.to_string(), live.map(|live| live.id))
            .await?;
        return Ok(None);
    }
    problems.clear();
    inner.store.mark_live(id).await?;
    inner.store.mark_installed(id).await?;
    travel_anyway(inner, target, problems).await;
    Ok(Some(id))
}

fn differences(report: &BootReport) -> Option<String> {
    let id = report
        .revision
        .filter(|_| report.source == BootSource::LastLive)?;
    Some(format!(
        "revision {id} is running instead of the files on disk; correct them and run `lanai apply`"
    ))
}
