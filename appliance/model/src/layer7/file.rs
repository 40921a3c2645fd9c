//! Files that a configuration names.

use std::path::PathBuf;

use crate::Origin;

/// What a file that a configuration names is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `crt`: a certificate, its chain and its private key in PEM.
    Certificate,
    /// What else TLS has files for: authorities, revoked certificates, lists of certificates, keys.
    Tls,
    /// Patterns of ACLs (`-f`), or a map.
    Patterns,
    /// An answer, or the body of one.
    Page,
}

/// A file that a configuration names, which must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path as written, `crt-base` and `ca-base` applied.
    pub path: PathBuf,
    /// What it is for.
    pub kind: FileKind,
    /// The first line that names it.
    pub origin: Origin,
}
