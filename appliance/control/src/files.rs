//! The file set: everything an administrator wrote, by relative name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::digest::sha256_hex;
use crate::pem;

/// The Services tab.
pub const SERVICES: &str = "services.cfg";
/// The LB Layer7 tab.
pub const LAYER7: &str = "haproxy.cfg";
/// Folders whose files a configuration may name.
pub const FOLDERS: [&str; 3] = ["ssl", "maps", "errors"];

/// Bytes of one file at most.
pub const FILE_LIMIT: usize = 1 << 20;
/// Bytes of all files together at most.
pub const SET_LIMIT: usize = 16 << 20;
/// Files at most.
pub const COUNT_LIMIT: usize = 1000;
/// Bytes of a file's name at most, its folder apart (the file systems' own limit).
pub const NAME_LIMIT: usize = 200;

/// A complete configuration: `services.cfg`, `haproxy.cfg` and the files in `ssl/`, `maps/` and
/// `errors/` that it may name.
///
/// It may hold anything; [`FileSet::problems`] says what cannot be applied. Its `Debug` shows names
/// and sizes only, since it holds private keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FileSet(BTreeMap<String, Vec<u8>>);

impl FileSet {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of a file.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// A SHA-256, in hexadecimal, of all names and bytes: two sets are the same if theirs are.
    pub fn digest(&self) -> String {
        let mut all = Vec::new();
        for (name, bytes) in self.iter() {
            for part in [name.as_bytes(), bytes] {
                all.extend_from_slice(&(part.len() as u64).to_be_bytes());
                all.extend_from_slice(part);
            }
        }
        sha256_hex(&all)
    }

    /// Puts a file in, over one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), bytes.into());
    }

    /// Takes a file out.
    pub fn remove(&mut self, name: &str) -> Option<Vec<u8>> {
        self.0.remove(name)
    }

    /// Names and bytes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A file as text, for showing; bytes that are no UTF-8 become U+FFFD. Empty if there is none.
    pub fn text(&self, name: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(name).unwrap_or_default())
    }

    /// Whether a file must never be shown: it holds a private key, or it is in `ssl/` and is not
    /// plainly public (certificates, requests, revocation lists, parameters in PEM). The two
    /// configuration texts are never secret.
    pub fn is_secret(&self, name: &str) -> bool {
        self.get(name).is_some_and(|bytes| is_secret(name, bytes))
    }

    /// Everything that keeps this set from being applied, as sentences: names and sizes. Empty is good.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .names()
            .filter_map(|name| check_name(name).err())
            .collect();
        for (name, bytes) in self.iter().filter(|(_, bytes)| bytes.len() > FILE_LIMIT) {
            problems.push(format!(
                "{} has {} bytes; a file may have {FILE_LIMIT}",
                printable(name),
                bytes.len()
            ));
        }
        if self.len() > COUNT_LIMIT {
            problems.push(format!(
                "there are {} files; {COUNT_LIMIT} may be",
                self.len()
            ));
        }
        let total: usize = self.iter().map(|(_, bytes)| bytes.len()).sum();
        if total > SET_LIMIT {
            problems.push(format!(
                "the files have {total} bytes together; {SET_LIMIT} may be"
            ));
        }
        problems
    }
}

impl fmt::Debug for FileSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.iter().map(|(name, bytes)| (name, bytes.len()));
        f.debug_map().entries(sizes).finish()
    }
}

impl<N: Into<String>, B: Into<Vec<u8>>> FromIterator<(N, B)> for FileSet {
    fn from_iter<I: IntoIterator<Item = (N, B)>>(files: I) -> Self {
        Self(
            files
                .into_iter()
                .map(|(name, bytes)| (name.into(), bytes.into()))
                .collect(),
        )
    }
}

/// Whether a name may be in a file set: one of the two texts, or one plain name in a known folder,
/// of ASCII letters, digits and `. _ - + @ = *`, not starting with `.` or `-`.
///
/// # Errors
/// A sentence with the reason.
pub fn check_name(name: &str) -> Result<(), String> {
    if name == SERVICES || name == LAYER7 {
        return Ok(());
    }
    let shown = printable(name);
    let Some((folder, plain)) = name.split_once('/') else {
        return Err(format!(
            "{shown} is no file of a configuration: it may have {SERVICES}, {LAYER7} and files in \
             ssl/, maps/ and errors/"
        ));
    };
    if !FOLDERS.contains(&folder) {
        return Err(format!(
            "{shown} is in none of the folders ssl/, maps/ and errors/"
        ));
    }
    let good = |c: char| c.is_ascii_alphanumeric() || "._-+@=*".contains(c);
    if plain.is_empty()
        || plain.len() > NAME_LIMIT
        || plain.starts_with(['.', '-'])
        || !plain.chars().all(good)
    {
        return Err(format!(
            "{shown} is no good name: after the folder it may have 1 to {NAME_LIMIT} letters, digits \
             and . _ - + @ = *, and may not start with . or -"
        ));
    }
    Ok(())
}

/// As [`FileSet::is_secret`], of one file.
pub(crate) fn is_secret(name: &str, bytes: &[u8]) -> bool {
    if name == SERVICES || name == LAYER7 {
        return false;
    }
    pem::mentions_private_key(bytes) || (name.starts_with("ssl/") && !pem::is_public(bytes))
}

/// A name for a message: bounded, and without control characters.
fn printable(name: &str) -> String {
    let short: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    format!("'{short}'")
}
