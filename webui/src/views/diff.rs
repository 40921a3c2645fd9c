//! A diff as lines, each with the class of its colour. The sign stays in the text, so that colour
//! alone says nothing.

use lanai_control::{FileDiff, FileDiffKind};

/// Lines shown of all files together; a browser cannot do much with more.
const SHOWN: usize = 5000;

/// What happens to one file.
pub(crate) struct FileChange {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// `2 lines added, 1 removed`.
    pub(crate) counts: String,
    /// In place of lines, or about them.
    pub(crate) note: Option<String>,
    pub(crate) lines: Vec<Line>,
}

/// One line of it.
pub(crate) struct Line {
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

/// The files of a diff.
pub(crate) fn diffs(files: &[FileDiff]) -> Vec<FileChange> {
    let mut left = SHOWN;
    files.iter().map(|file| change(file, &mut left)).collect()
}

fn change(file: &FileDiff, left: &mut usize) -> FileChange {
    let kind = match file.kind {
        FileDiffKind::Added => "new",
        FileDiffKind::Removed => "removed",
        FileDiffKind::Changed => "changed",
        FileDiffKind::Secret => match (&file.before, &file.after) {
            (None, _) => "new, with private key",
            (_, None) => "removed, with private key",
            _ => "changed, with private key",
        },
    };
    let all: usize = file.hunks.iter().map(|hunk| hunk.lines.len() + 1).sum();
    let lines: Vec<Line> = file.hunks.iter().flat_map(hunk).take(*left).collect();
    *left -= lines.len();
    let note = if lines.len() < all {
        Some(format!("{} more lines are not shown.", all - lines.len()))
    } else if file.before.is_some() || file.after.is_some() {
        let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
        Some(format!(
            "Not shown. Fingerprint before: {}; after: {}.",
            shown(&file.before),
            shown(&file.after)
        ))
    } else {
        None
    };
    FileChange {
        name: file.name.clone(),
        kind,
        counts: counts(file),
        note,
        lines,
    }
}

fn hunk(hunk: &lanai_control::Hunk) -> impl Iterator<Item = Line> + '_ {
    let head = Line {
        class: "hunk",
        text: hunk.header.clone(),
    };
    std::iter::once(head).chain(hunk.lines.iter().map(|line| Line {
        class: match line.sign {
            '+' => "add",
            '-' => "del",
            _ => "",
        },
        text: format!("{} {}", line.sign, line.text),
    }))
}

fn counts(file: &FileDiff) -> String {
    let lines = || file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let number = |sign| lines().filter(|line| line.sign == sign).count();
    match (number('+'), number('-')) {
        (0, 0) => String::new(),
        (added, removed) => format!("+{added} \u{2212}{removed} lines"),
    }
}
