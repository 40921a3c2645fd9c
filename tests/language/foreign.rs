//! Foreign machines: the folders of `tests/config/import`, each copied below a directory that stands for
//! the machine's root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanai_tests::{Finished, lanai, project_root, run};

/// Files and their bytes, by path below a directory.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A machine with HAProxy on it, whose configuration is taken over.
pub(crate) struct Machine {
    root: tempfile::TempDir,
    arguments: Vec<String>,
}

impl Machine {
    /// The folder of this name. `ROOT` in its texts is where it is now; a `.pem` that says so is made.
    #[track_caller]
    pub(crate) fn new(name: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut arguments = vec!["haproxy.cfg".to_owned()];
        for (path, bytes) in files(&folder().join(name)) {
            if path == Path::new("arguments") {
                let text = String::from_utf8(bytes).unwrap();
                arguments = text.split_whitespace().map(str::to_owned).collect();
                continue;
            }
            if path.ends_with("etc/haproxy/haproxy.cfg") {
                arguments = vec![path.display().to_string()];
            }
            let place = root.path().join(&path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            match String::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.replace("ROOT", root.path().to_str().unwrap());
                    match text.strip_prefix("make ").and_then(|it| it.split_once(' ')) {
                        Some((kind, name)) => make(kind, name.trim(), &place),
                        None => std::fs::write(&place, text).unwrap(),
                    }
                }
                Err(error) => std::fs::write(&place, error.into_bytes()).unwrap(),
            }
        }
        Self { root, arguments }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where the tests have it imported to.
    pub(crate) fn target(&self) -> PathBuf {
        self.root().join("lanai")
    }

    /// The configuration's files as the command line names them, with their places.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let path = |word: &String| match word.starts_with('-') {
            true => word.clone(),
            false => self.root().join(word).display().to_string(),
        };
        self.arguments.iter().map(path).collect()
    }

    /// `lanai import` of it.
    #[track_caller]
    pub(crate) fn import(&self, more: &[&str]) -> Finished {
        let mut argv = vec![lanai().to_owned(), "import".to_owned()];
        argv.extend(self.arguments());
        argv.extend(["--into".to_owned(), self.target().display().to_string()]);
        argv.extend(more.iter().map(|&word| word.to_owned()));
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        run(&argv, Duration::from_secs(20))
    }

    /// A text without the place that this machine is at.
    pub(crate) fn anywhere(&self, text: &str) -> String {
        text.replace(self.root().to_str().unwrap(), "ROOT")
    }
}

pub(crate) fn folder() -> PathBuf {
    project_root().join("tests/config/import")
}

/// All files below a directory; none if it is not there.
#[track_caller]
pub(crate) fn files(directory: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// A certificate with its key in one file, or one without.
#[track_caller]
fn make(kind: &str, name: &str, place: &Path) {
    let key = place.with_extension("made");
    let subject = format!("/CN={name}");
    let words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        &subject,
        "-keyout",
        key.to_str().unwrap(),
        "-out",
        place.to_str().unwrap(),
    ];
    run(&words, Duration::from_secs(20)).ok();
    if kind == "certificate" {
        let mut both = std::fs::read(place).unwrap();
        both.extend(std::fs::read(&key).unwrap());
        std::fs::write(place, both).unwrap();
    }
    std::fs::remove_file(key).unwrap();
}
