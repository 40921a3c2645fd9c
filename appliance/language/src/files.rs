use std::collections::HashSet;
use std::path::PathBuf;

use lanai_model::Origin;
use lanai_model::layer7::Config;

/// What a file that a configuration names is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `crt`: a certificate, its chain and its private key in PEM.
    Certificate,
    /// Patterns of ACLs (`-f`), or a map.
    Patterns,
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

/// The files a configuration names, each once for what it is for: certificates, then patterns, in the
/// order first named.
pub fn files_named(config: &Config) -> Vec<NamedFile> {
    let proxies = config.proxies.iter();
    let binds = proxies.clone().flat_map(|proxy| &proxy.binds);
    let certificates = binds
        .flat_map(|bind| bind.ssl.iter().map(move |ssl| (bind, ssl)))
        .flat_map(|(bind, ssl)| ssl.crt.iter().map(move |path| (bind, path)))
        .map(|(bind, path)| (path.clone(), FileKind::Certificate, &bind.origin));
    let patterns = proxies
        .flat_map(|proxy| &proxy.rules.pattern_files)
        .map(|named| {
            (
                named.file.as_ref().into(),
                FileKind::Patterns,
                &named.origin,
            )
        });
    let mut seen: HashSet<(PathBuf, FileKind)> = HashSet::new();
    certificates
        .chain(patterns)
        .filter(|(path, kind, _)| seen.insert((path.clone(), *kind)))
        .map(|(path, kind, origin)| NamedFile {
            path,
            kind,
            origin: origin.clone(),
        })
        .collect()
}
