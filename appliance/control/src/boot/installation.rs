//! What a crash between two renames left of an installation.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lanai_store::Revision;

use crate::digest::sha256_hex;
use crate::disk::{Disk, DiskError};
use crate::error::Error;
use crate::files::FileSet;
use crate::inner::Inner;

/// Revisions whose files may be on disk when an installation was cut short: those after the live one's
/// parent.
const RECENT: u32 = 1000;

/// The hashes of the files that the history knows by a name.
type Known = BTreeMap<String, HashSet<String>>;

/// A crash between two renames leaves files of two revisions: the live one's are put in place. A file
/// that the history does not know somebody has edited since, and it stays.
pub(super) async fn finish(
    inner: &Arc<Inner>,
    problems: &mut Vec<String>,
) -> Result<Option<Revision>, Error> {
    let Some((live, installed)) = inner.store.live().await? else {
        return Ok(None);
    };
    if installed {
        return Ok(Some(live));
    }
    let wanted = inner.files_of(live.id).await?;
    let known = known(inner, &live).await?;
    let disk = inner.disk.clone();
    let done = inner.blocking(move || put_in_place(&disk, &known, wanted));
    match done.await? {
        Ok(()) => inner.store.mark_installed(live.id).await?,
        Err(error) => problems.push(format!(
            "the files of revision {} are not all in place: {}: {}",
            live.id,
            error.path.display(),
            error.source
        )),
    }
    Ok(Some(live))
}

/// What an installation of ours may have found or left: the files of the live revision, of the one
/// before it, and of all that were saved since. An edit by hand that was about to be replaced is one
/// of them.
async fn known(inner: &Inner, live: &Revision) -> Result<Known, Error> {
    let since = live.parent.unwrap_or(live.id);
    let mut known = Known::new();
    for revision in inner.store.revisions(RECENT, None).await? {
        if revision.id < since {
            break;
        }
        for file in revision.files {
            known.entry(file.name).or_default().insert(file.sha256);
        }
    }
    Ok(known)
}

fn put_in_place(disk: &Disk, known: &Known, mut wanted: FileSet) -> Result<(), DiskError> {
    let found = disk.read()?;
    let mut before = FileSet::new();
    for (name, hashes) in known {
        match found.get(name) {
            Some(bytes) if !hashes.contains(&sha256_hex(bytes)) => {
                wanted.insert(name.clone(), bytes);
            }
            Some(bytes) => before.insert(name.clone(), bytes),
            None => {}
        }
    }
    disk.stage(&before, &wanted)?.install()
}
