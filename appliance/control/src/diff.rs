//! What changes between two file sets, for people. Secrets are told by their fingerprints only.

use std::collections::BTreeSet;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::digest::sha256_hex;
use crate::files::{FileSet, is_secret};
use crate::pem;
use crate::report::{DiffLine, FileDiff, FileDiffKind, Hunk};

/// Lines around a change.
const CONTEXT: usize = 3;

/// After this time a diff is finished coarsely: two large texts with little in common.
const PATIENCE: Duration = Duration::from_millis(500);

/// Each file that is not the same in both, by name.
pub(crate) fn files(before: &FileSet, after: &FileSet) -> Vec<FileDiff> {
    let names: BTreeSet<&str> = before.names().chain(after.names()).collect();
    let each = names
        .into_iter()
        .filter_map(|name| file(name, before.get(name), after.get(name)));
    each.collect()
}

fn file(name: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Option<FileDiff> {
    if before == after {
        return None;
    }
    let kind = match (before, after) {
        (None, _) => FileDiffKind::Added,
        (_, None) => FileDiffKind::Removed,
        _ => FileDiffKind::Changed,
    };
    let both = || before.into_iter().chain(after);
    let mut diff = FileDiff {
        name: name.to_owned(),
        kind,
        hunks: Vec::new(),
        before: None,
        after: None,
    };
    if both().any(|bytes| is_secret(name, bytes)) {
        diff.kind = FileDiffKind::Secret;
        diff.before = before.map(pem::fingerprint);
        diff.after = after.map(pem::fingerprint);
    } else if both().any(|bytes| bytes.contains(&0)) {
        let hash = |bytes| format!("SHA-256 {}", sha256_hex(bytes));
        diff.before = before.map(hash);
        diff.after = after.map(hash);
    } else {
        diff.hunks = hunks(before.unwrap_or_default(), after.unwrap_or_default());
    }
    Some(diff)
}

fn hunks(before: &[u8], after: &[u8]) -> Vec<Hunk> {
    let (before, after) = (
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(after),
    );
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(before.as_ref(), after.as_ref());
    let mut unified = diff.unified_diff();
    let hunks = unified
        .context_radius(CONTEXT)
        .iter_hunks()
        .map(|hunk| Hunk {
            header: hunk.header().to_string(),
            lines: hunk
                .iter_changes()
                .map(|change| DiffLine {
                    sign: match change.tag() {
                        ChangeTag::Equal => ' ',
                        ChangeTag::Delete => '-',
                        ChangeTag::Insert => '+',
                    },
                    text: change.value().trim_end_matches('\n').to_owned(),
                })
                .collect(),
        });
    hunks.collect()
}
