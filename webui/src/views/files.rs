//! The files that a configuration names, as the Files page lists them.

use lanai_control::FileSet;

use crate::extractors::percent_encode;
use crate::page::State;

use super::certificate::certificate;
use super::numbers::bytes;

/// Folder, title, and what is said when it is empty.
const FOLDERS: [(&str, &str, &str); 3] = [
    (
        "ssl",
        "Certificates",
        "None yet. A bind line with `ssl crt NAME` takes its certificate and key from here.",
    ),
    ("maps", "Maps", "None yet."),
    ("errors", "Error pages", "None yet."),
];

/// One of the folders of a configuration.
pub(crate) struct Folder {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) title: &'static str,
    pub(crate) empty: &'static str,
    /// Whether its files are shown as certificates.
    pub(crate) certificates: bool,
    pub(crate) files: Vec<FileRow>,
}

/// One file of it.
pub(crate) struct FileRow {
    pub(crate) name: String,
    /// The same for a query.
    pub(crate) query: String,
    pub(crate) size: String,
    pub(crate) subject: String,
    pub(crate) names: String,
    pub(crate) has_key: bool,
    pub(crate) expiry: State,
    pub(crate) expires: String,
    pub(crate) viewable: bool,
}

/// The three folders with what is in them.
pub(crate) fn folders(files: &FileSet, now_ms: i64) -> Vec<Folder> {
    let folder = |(id, title, empty): (&'static str, &'static str, &'static str)| {
        let prefix = format!("{id}/");
        let rows = files.iter().filter(|(name, _)| name.starts_with(&prefix));
        Folder {
            id,
            title,
            empty,
            certificates: id == "ssl",
            files: rows
                .map(|(name, content)| row(files, name, content, now_ms))
                .collect(),
            name: prefix,
        }
    };
    FOLDERS.map(folder).into()
}

/// Size of a file for people.
pub(crate) fn size(content: &[u8]) -> String {
    bytes(u64::try_from(content.len()).unwrap_or(u64::MAX))
}

fn row(files: &FileSet, name: &str, content: &[u8], now_ms: i64) -> FileRow {
    let secret = files.is_secret(name);
    let plain = name.split_once('/').map_or(name, |(_, plain)| plain);
    let mut row = FileRow {
        name: plain.to_owned(),
        query: percent_encode(name),
        size: size(content),
        subject: if secret {
            "private key".to_owned()
        } else {
            "no certificate".to_owned()
        },
        names: String::new(),
        has_key: false,
        expiry: State::new("none", "never"),
        expires: String::new(),
        viewable: !secret,
    };
    if let Some(certificate) = certificate(content, now_ms) {
        row.subject = certificate.subject;
        row.names = certificate.names;
        row.has_key = secret;
        row.expiry = certificate.expiry;
        row.expires = certificate.expires;
    }
    row
}
