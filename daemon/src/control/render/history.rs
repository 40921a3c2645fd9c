//! Revisions, what changed between them, and users.

use lanai_control::{FileDiff, FileDiffKind, LoginLink, Revision, RevisionState, UiLinks, User};
use serde_json::json;

use super::{Ink, Paper, moment, table};
use crate::wire::shell::Reply;

/// `lanai revisions`.
pub(in crate::control) fn revisions(paper: Paper, revisions: &[Revision]) -> Reply {
    let state = |revision: &Revision| match &revision.state {
        RevisionState::Pending => "pending".to_owned(),
        RevisionState::Trial { .. } => "on trial".to_owned(),
        RevisionState::Live => "live".to_owned(),
        RevisionState::Superseded => String::new(),
        RevisionState::Failed { why } => format!("failed: {why}"),
    };
    let row = |revision: &Revision| {
        vec![
            revision.id.to_string(),
            moment(revision.created_ms),
            revision.author.clone(),
            revision.from.clone(),
            [state(revision), revision.comment.clone()]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" - "),
        ]
    };
    paper.reply(
        true,
        || table(&revisions.iter().map(row).collect::<Vec<_>>()),
        || json!(revisions),
    )
}

/// `lanai diff`.
pub(in crate::control) fn diff(paper: Paper, diff: &[FileDiff]) -> Reply {
    paper.reply(
        true,
        || {
            if diff.is_empty() {
                "no difference\n".to_owned()
            } else {
                files(paper, diff)
            }
        },
        || json!(diff),
    )
}

/// The files of a diff, as `diff -u` writes them.
pub(super) fn files(paper: Paper, diff: &[FileDiff]) -> String {
    diff.iter().map(|file| one_file(paper, file)).collect()
}

fn one_file(paper: Paper, file: &FileDiff) -> String {
    let what = match file.kind {
        FileDiffKind::Added => "added",
        FileDiffKind::Removed => "removed",
        FileDiffKind::Changed => "changed",
        FileDiffKind::Secret => "secret, not shown",
    };
    let mut text = format!("  {}: {what}\n", paper.ink(Ink::Strong, &file.name));
    for (sign, fingerprint) in [("before", &file.before), ("after", &file.after)] {
        if let Some(fingerprint) = fingerprint {
            text += &format!("    {sign}: {fingerprint}\n");
        }
    }
    for hunk in &file.hunks {
        text += &format!("    {}\n", paper.ink(Ink::Faint, &hunk.header));
        for line in &hunk.lines {
            // What an administrator wrote must not move the terminal's cursor.
            let clean: String = line
                .text
                .chars()
                .map(|c| {
                    if c.is_control() && c != '\t' {
                        '\u{fffd}'
                    } else {
                        c
                    }
                })
                .collect();
            let whole = format!("{}{clean}", line.sign);
            let inked = match line.sign {
                '+' => paper.ink(Ink::Good, &whole),
                '-' => paper.ink(Ink::Bad, &whole),
                _ => whole,
            };
            text += &format!("    {inked}\n");
        }
    }
    text
}

/// `lanai user list`.
pub(in crate::control) fn users(paper: Paper, users: &[User]) -> Reply {
    let row = |user: &User| {
        let password = if user.has_password {
            ""
        } else {
            "no password yet: lanai user login-link"
        };
        vec![
            user.name.clone(),
            user.role.word().to_owned(),
            moment(user.created_ms),
            password.to_owned(),
        ]
    };
    paper.reply(
        true,
        || table(&users.iter().map(row).collect::<Vec<_>>()),
        || json!(users),
    )
}

/// `lanai user login-link`. The link is the first line, alone, and leads to where somebody is let in.
pub(in crate::control) fn login_link(paper: Paper, link: &LoginLink, at: &UiLinks) -> Reply {
    let host = at.open.first().or(at.shut.first());
    let host = host.map_or_else(|| format!("localhost:{}", at.port), ToString::to_string);
    // The token's letters need no escaping in a link (URL-safe base64).
    let url = format!("https://{host}/login?token={}", link.token);
    let kept_out = (at.open.is_empty() && !at.shut.is_empty()).then(|| {
        format!(
            "no address of the box is near anybody who may use the web UI: {} keeps all others out; \
             let in the network of whoever shall use the link",
            at.lines.join(", ")
        )
    });
    paper.reply(
        true,
        || {
            let until = moment(link.expires_ms);
            let note = format!("logs {} in, once, until {until}", link.user);
            let mut text = format!("{url}\n{}\n", paper.ink(Ink::Faint, &note));
            if let Some(note) = &kept_out {
                text.push_str(&format!("{}\n", paper.ink(Ink::Warning, note)));
            }
            text
        },
        || {
            json!({
                "url": url,
                "token": link.token,
                "user": link.user,
                "expires_ms": link.expires_ms,
                "kept_out": kept_out,
            })
        },
    )
}
