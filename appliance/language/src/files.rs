use std::collections::HashSet;
use std::path::{Path, PathBuf};

use lanai_model::Origin;
use lanai_model::layer7::Config;

/// What a file that a configuration names is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `crt`: a certificate, its chain and its private key in PEM.
    Certificate,
}

/// A file that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path as written, `crt-base` applied.
    pub path: PathBuf,
    /// What it is for.
    pub kind: FileKind,
    /// The first line that names it.
    pub origin: Origin,
}

/// The files a configuration names, each once, in the order first named.
pub fn files_named(config: &Config) -> Vec<NamedFile> {
    let mut seen: HashSet<&Path> = HashSet::new();
    let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
    binds
        .flat_map(|bind| bind.ssl.iter().map(move |ssl| (bind, ssl)))
        .flat_map(|(bind, ssl)| ssl.crt.iter().map(move |path| (bind, path)))
        .filter(|(_, path)| seen.insert(path))
        .map(|(bind, path)| NamedFile {
            path: path.clone(),
            kind: FileKind::Certificate,
            origin: bind.origin.clone(),
        })
        .collect()
}
