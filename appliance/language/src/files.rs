use std::collections::HashSet;
use std::path::{Path, PathBuf};

use lanai_diagnostics::{SourceMap, Span};
use lanai_model::Origin;
use lanai_model::layer7::{Config, FileKind, NamedFile};

/// The directory that a relative path is in, where one is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    None,
    /// `crt-base`
    Certificates,
    /// `ca-base`
    Authorities,
}

/// A file that a word names, which must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileWord {
    pub(crate) kind: FileKind,
    pub(crate) base: Base,
    pub(crate) path: PathBuf,
    pub(crate) span: Span,
}

impl FileWord {
    /// The file; nothing where HAProxy means something of its own by the name.
    pub(crate) fn named(
        self,
        crt_base: Option<&Path>,
        ca_base: Option<&Path>,
        sources: &SourceMap,
    ) -> Option<NamedFile> {
        if self.path.as_os_str().as_encoded_bytes().starts_with(b"@") {
            return None;
        }
        let base = match self.base {
            Base::None => None,
            Base::Certificates => crt_base,
            Base::Authorities => ca_base,
        };
        Some(NamedFile {
            path: base.map_or(self.path.clone(), |base| base.join(&self.path)),
            kind: self.kind,
            origin: Origin {
                file: sources.name(self.span.file),
                line: sources.position(self.span.file, self.span.start).line,
            },
        })
    }
}

/// The files a configuration names, each once for what it is for: those of words in the order first
/// named, then patterns and maps.
pub fn files_named(config: &Config) -> Vec<NamedFile> {
    let patterns = config
        .proxies
        .iter()
        .flat_map(|proxy| &proxy.rules.pattern_files)
        .map(|named| NamedFile {
            path: named.file.as_ref().into(),
            kind: FileKind::Patterns,
            origin: named.origin.clone(),
        });
    let mut seen: HashSet<(PathBuf, FileKind)> = HashSet::new();
    let all = config.files.iter().cloned().chain(patterns);
    all.filter(|named| seen.insert((named.path.clone(), named.kind)))
        .collect()
}
