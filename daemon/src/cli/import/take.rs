//! The files that a foreign configuration names, under names of the appliance.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lanai_control::{FILE_LIMIT, FileSet, LAYER7, NAME_LIMIT};
use lanai_language::import::{self, Named};
use lanai_language::tree;

/// A configuration on its way in.
#[derive(Debug)]
pub(super) struct Taken {
    /// What the appliance is to have: what was there, with the new text and its files.
    pub(super) files: FileSet,
    /// Which file became which.
    pub(super) copied: Vec<(PathBuf, String)>,
    /// Files that could not be had: line, path, and why.
    pub(super) missing: Vec<(u32, PathBuf, String)>,
    /// Names of files that stay as they are: line, word, and why.
    pub(super) left: Vec<(u32, String, &'static str)>,
}

/// Texts one after the other, as HAProxy reads several files.
pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(part);
    }
    text
}

/// Numbers of the parts after the first, counted from 1, that begin with lines of no section. HAProxy
/// refuses those, and put together they would become lines of the section before.
pub(super) fn second_starts(parts: &[&[u8]]) -> Vec<usize> {
    let starts_badly = |part: &[u8]| {
        let tree = tree::parse(part);
        let first = tree.sections().first();
        let lines = first.filter(|section| section.keyword.is_none());
        let mut lines = lines
            .map(|section| tree.lines(section))
            .unwrap_or_default()
            .iter();
        lines.any(|line| {
            let mut words = tree.tokens(line).iter();
            let first = words.find(|token| token.kind == tree::TokenKind::Word);
            first.is_some_and(|word| !tree.bytes(word.range.clone()).starts_with(b"."))
        })
    };
    let parts = parts.iter().enumerate().skip(1);
    let bad = parts.filter(|(_, part)| starts_badly(part));
    bad.map(|(at, _)| at + 1).collect()
}

/// Reads all files that a text names, and gives them names that are free beside those of `before`.
/// Relative paths are looked for `beside` the configuration, then from here.
pub(super) fn take(text: &[u8], beside: &Path, before: &FileSet) -> Taken {
    let found = import::find(text);
    let mut taking = Taking {
        beside,
        taken: Taken {
            files: before.clone(),
            copied: Vec::new(),
            missing: Vec::new(),
            left: found.left.clone(),
        },
        names_of: HashMap::new(),
    };
    let names: Vec<_> = found
        .files
        .iter()
        .map(|file| taking.names(file, None))
        .collect();
    let mut taken = taking.taken;
    taken.files.insert(LAYER7, found.rewritten(text, &names));
    taken
}

/// An import under way.
struct Taking<'a> {
    beside: &'a Path,
    taken: Taken,
    /// New names of what was read.
    names_of: HashMap<(PathBuf, &'static str), Vec<String>>,
}

impl Taking<'_> {
    /// The new names of a file that is named by the text, or by a list of certificates that the text names
    /// on a line.
    fn names(&mut self, file: &Named, list: Option<(u32, &Path)>) -> Vec<String> {
        let key = (file.source.clone(), file.folder);
        if let Some(known) = self.names_of.get(&key) {
            return known.clone();
        }
        let new: Vec<String> = match read(file, self.beside) {
            Ok(contents) => contents
                .into_iter()
                .map(|(path, bytes)| {
                    let bytes = self.with_new_paths(file, &path, bytes);
                    self.taken.add(file.folder, path, bytes)
                })
                .collect(),
            Err(error) if file.optional && error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let (line, why) = match list {
                    None => (file.line, error.to_string()),
                    Some((line, list)) => {
                        let place = format!("{}:{}", list.display(), file.line);
                        (line, format!("{error}; it is named in {place}"))
                    }
                };
                let missing = (line, file.source.clone(), why);
                self.taken.missing.push(missing);
                Vec::new()
            }
        };
        self.names_of.insert(key, new.clone());
        new
    }

    /// The contents of a file, the paths in it changed if it is a list of certificates: what it names is
    /// taken too.
    fn with_new_paths(&mut self, file: &Named, path: &Path, bytes: Vec<u8>) -> Vec<u8> {
        let Some(found) = file.list(&bytes) else {
            return bytes;
        };
        let left = found.left.iter();
        let left = left.map(|(_, word, why)| (file.line, word.clone(), *why));
        self.taken.left.extend(left);
        let names: Vec<_> = found
            .files
            .iter()
            .map(|inside| self.names(inside, Some((file.line, path))))
            .collect();
        found.rewritten(&bytes, &names)
    }
}

impl Taken {
    /// Puts a file in, and returns its name in its folder.
    fn add(&mut self, folder: &str, source: PathBuf, bytes: Vec<u8>) -> String {
        let name = free_name(&self.files, folder, &source, &bytes);
        let whole = format!("{folder}/{name}");
        self.files.insert(whole.clone(), bytes);
        self.copied.push((source, whole));
        name
    }
}

/// The file's own name in the letters that names may have, numbered if another file has it.
fn free_name(files: &FileSet, folder: &str, source: &Path, bytes: &[u8]) -> String {
    let own = source.file_name().unwrap_or_default().to_string_lossy();
    let good = |c: char| c.is_ascii_alphanumeric() || "._-+@=*".contains(c);
    let plain: String = own.chars().map(|c| if good(c) { c } else { '_' }).collect();
    let plain = plain.trim_start_matches(['.', '-']);
    let plain: String = plain.chars().take(NAME_LIMIT - 8).collect();
    let plain = if plain.is_empty() {
        "file".to_owned()
    } else {
        plain
    };
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), format!(".{ending}")),
        _ => (plain.clone(), String::new()),
    };
    let taken = |name: &String| {
        let there = files.get(&format!("{folder}/{name}"));
        there.is_some_and(|there| there != bytes)
    };
    let numbered = (2..).map(|number: u32| format!("{stem}-{number}{ending}"));
    let mut all = std::iter::once(plain.clone()).chain(numbered);
    all.find(|name| !taken(name)).unwrap_or(plain)
}

/// The file, or the certificates of a directory as HAProxy takes them: in order of name, without
/// hidden files and those that belong to a certificate.
fn read(file: &Named, beside: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let from_here = || Path::new(".").join(&file.source);
    let near = beside.join(&file.source);
    let path = match near.exists() || file.source.is_absolute() {
        true => near,
        false => from_here(),
    };
    if !fs::metadata(&path)?.is_dir() {
        let bytes = read_one(&path)?;
        return Ok(vec![(path, bytes)]);
    }
    if file.keyword != "crt" {
        return Err(io::Error::other("it is a directory"));
    }
    let mut inside = Vec::new();
    for entry in fs::read_dir(&path)? {
        let entry = entry?.path();
        let hidden = entry
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let beside = ["issuer", "key", "ocsp", "sctl"];
        let ending = entry
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if !hidden && !beside.contains(&ending) && entry.is_file() {
            inside.push(entry);
        }
    }
    inside.sort();
    if inside.is_empty() {
        return Err(io::Error::other("it is a directory without certificates"));
    }
    let files = inside
        .into_iter()
        .map(|path| Ok((path.clone(), read_one(&path)?)));
    files.collect()
}

fn read_one(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if about.len() > FILE_LIMIT as u64 {
        let large = format!("it has {} bytes; a file may have {FILE_LIMIT}", about.len());
        return Err(io::Error::other(large));
    }
    fs::read(path)
}
