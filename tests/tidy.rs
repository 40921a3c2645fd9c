//! Rules of the house that no compiler checks: who may depend on whom, what pure crates may not
//! touch, how long files are, which licences come in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use lanai_tests::project_root;

/// Crates without effects: text and values in, values out.
const PURE: [&str; 5] = ["diagnostics", "model", "language", "network", "traffic"];

/// The design's table: each room, and what it may depend on. The engine also names the model,
/// whose types are in the traffic crate's own signatures.
const ROOMS: [(&str, &[&str]); 12] = [
    ("diagnostics", &[]),
    ("model", &[]),
    ("language", &["diagnostics", "model"]),
    ("network", &["model"]),
    ("kernel", &["network"]),
    ("traffic", &["model"]),
    ("engine", &["traffic", "model"]),
    ("store", &[]),
    (
        "control",
        &[
            "diagnostics",
            "model",
            "language",
            "network",
            "traffic",
            "store",
        ],
    ),
    ("webui", &["control", "model", "diagnostics"]),
    (
        "daemon",
        &[
            "diagnostics",
            "model",
            "language",
            "network",
            "kernel",
            "traffic",
            "engine",
            "store",
            "control",
            "webui",
        ],
    ),
    ("tests", &[]),
];

/// Libraries that give a crate effects.
const EFFECTS: [&str; 14] = [
    "tokio",
    "nix",
    "libc",
    "rustix",
    "socket2",
    "sqlx",
    "hyper",
    "axum",
    "netlink-sys",
    "rand",
    "tempfile",
    "async-trait",
    "tracing",
    "futures-util",
];

/// Words of the standard library that reach outside. `std::net` itself is fine: addresses are values.
const OUTSIDE: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::os::fd",
    "unix::net",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "Instant::now",
    "SystemTime",
    "File::open",
    "println!",
];

/// Longest product file, tests not counted.
const HARD_STOP: usize = 700;

#[test]
fn rooms_depend_only_on_what_the_design_allows() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let room = room_of(package);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room}: a room that the design does not have"));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(other) = dependency
                .path
                .as_ref()
                .map(|path| path.file_name().unwrap())
            else {
                continue;
            };
            // A test inside a crate may use what stands beside or below, never the two rooms on top.
            let tests_only = dependency.kind == DependencyKind::Development;
            let fine =
                allowed.contains(&other) || tests_only && !["daemon", "webui"].contains(&other);
            if !fine {
                wrong.push(format!("{room} depends on {other}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "edges outside the design's table:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn pure_crates_depend_on_nothing_with_effects() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let mut wrong = Vec::new();
    for room in PURE {
        let package = packages.iter().find(|package| room_of(package) == room);
        let package = package.unwrap_or_else(|| panic!("no crate {room}"));
        for dependency in &package.dependencies {
            let product = dependency.kind != DependencyKind::Development;
            if product && EFFECTS.contains(&dependency.name.as_str()) {
                wrong.push(format!("{room} depends on {}", dependency.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "pure crates with effects:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn pure_crates_do_not_reach_outside() {
    let mut wrong = Vec::new();
    for room in PURE {
        for path in product_files(&project_root().join("appliance").join(room).join("src")) {
            for (number, line) in product_lines(&path).iter().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in OUTSIDE.iter().filter(|word| code.contains(**word)) {
                    wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "pure crates take time, files and sockets as arguments:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_are_short_enough_to_read() {
    let mut sizes: Vec<(usize, PathBuf)> = ["appliance", "daemon", "webui"]
        .iter()
        .flat_map(|folder| product_files(&project_root().join(folder)))
        .map(|path| (product_lines(&path).len(), path))
        .collect();
    sizes.sort();
    assert!(sizes.len() > 20, "only {} product files found", sizes.len());
    let at = |percent: usize| sizes[(sizes.len() - 1) * percent / 100].0;
    let (largest, path) = sizes.last().unwrap();
    println!(
        "{} product files: median {} lines, p90 {}, largest {largest} ({})",
        sizes.len(),
        at(50),
        at(90),
        shown(path),
    );
    let long: Vec<String> = sizes
        .iter()
        .filter(|(lines, _)| *lines > HARD_STOP)
        .map(|(lines, path)| format!("{lines} lines: {}", shown(path)))
        .collect();
    assert!(
        long.is_empty(),
        "split these by what their parts are for:\n{}",
        long.join("\n")
    );
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    // Put together here, so that this file names none of them either.
    let directories = ["work", "root", "home", "farm"].map(|name| format!("/{name}/"));
    let registries = [
        ("deb", "debian.org"),
        ("static", "crates.io"),
        ("index", "crates.io"),
        ("registry", "npmjs.org"),
        ("files", "pythonhosted.org"),
    ];
    let hosts = registries.map(|(host, domain)| format!("{host}.{domain}"));
    let resolved = format!("{:?}: \"http", "resolved");
    let words: Vec<String> = directories
        .into_iter()
        .chain(hosts)
        .chain([resolved])
        .collect();
    let mut wrong = Vec::new();
    for path in tracked_files() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(*word)) {
                wrong.push(format!("{}:{}: {word}", shown(&path), number + 1));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "only this machine knows these:\n{}",
        wrong.join("\n")
    );
}

/// Those of the image among them, which no test of this machine runs.
#[test]
fn shell_scripts_are_sound() {
    let mut scripts = Vec::new();
    for path in tracked_files() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let first = text.lines().next().unwrap_or_default();
        if first.starts_with("#!") && first.ends_with("sh") {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o111, 0o111, "{} cannot be run", shown(&path));
            scripts.push(path);
        } else if text.starts_with("# Sourced by ") {
            scripts.push(path);
        }
    }
    assert!(scripts.len() > 20, "only {scripts:?}");
    let checked = Command::new("shellcheck")
        .args(["-x", "-P"])
        .arg(project_root())
        .args(&scripts)
        .output()
        .expect("the package shellcheck");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let rules = std::fs::read_to_string(project_root().join("deny.toml")).unwrap();
    let rules: toml::Table = toml::from_str(&rules).unwrap();
    let words = |table: &str, key: &str| -> BTreeSet<String> {
        let list = rules[table][key].as_array().unwrap();
        list.iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let allowed = words("licenses", "allow");
    let banned: BTreeSet<String> = rules["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["crate"].as_str().unwrap().to_owned())
        .collect();
    let mut wrong = Vec::new();
    for package in &metadata().packages {
        let name = package.name.to_string();
        let licence = package.license.clone().unwrap_or_default();
        if !licence_allowed(&licence, &allowed) {
            wrong.push(format!("{name}: licence {licence:?}"));
        }
        if banned.contains(&name) {
            wrong.push(format!("{name}: banned"));
        }
        let from_registry = package
            .source
            .as_ref()
            .is_none_or(|source| source.is_crates_io());
        if !from_registry {
            wrong.push(format!("{name}: from {:?}", package.source));
        }
    }
    assert!(
        wrong.is_empty(),
        "deny.toml does not allow:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_licence_expression_is_read_with_its_operators() {
    let allowed: BTreeSet<String> = ["MIT", "BSD-3-Clause"].map(str::to_owned).into();
    for fine in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-2.0 OR MIT",
        "MIT AND (BSD-3-Clause OR X)",
        "(MIT)",
    ] {
        assert!(licence_allowed(fine, &allowed), "{fine}");
    }
    for wrong in [
        "",
        "GPL-2.0",
        "MIT AND X",
        "X OR Y",
        "(MIT OR X) AND Y",
        "(X) AND MIT",
    ] {
        assert!(!licence_allowed(wrong, &allowed), "{wrong}");
    }
}

/// Whether an SPDX expression can be met with the allowed licences: `OR` binds weaker than `AND`.
fn licence_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words, allowed)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut fine = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        fine |= all_of(words, allowed);
    }
    fine
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut fine = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        fine &= one(words, allowed);
    }
    fine
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    match words.next() {
        Some("(") => {
            let fine = any_of(words, allowed);
            words.next() == Some(")") && fine
        }
        // `Apache-2.0 WITH LLVM-exception`: an exception only gives rights.
        Some(name) => {
            if words.next_if_eq(&"WITH").is_some() {
                words.next();
            }
            allowed.contains(name)
        }
        None => false,
    }
}

fn metadata() -> Metadata {
    let manifest = project_root().join("Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .unwrap()
}

/// The folder a crate lives in.
fn room_of(package: &Package) -> String {
    package
        .manifest_path
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_owned()
}

/// `.rs` files below a folder that are part of the product: not `tests.rs`, not below `tests/`.
fn product_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["tests", "node_modules", "target"].contains(&name) {
                found.extend(product_files(&path));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

/// The lines of a file before its own tests, which stand last.
fn product_lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .map(str::to_owned)
        .collect()
}

fn tracked_files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*"])
        .args(["ls-files", "-z"])
        .current_dir(project_root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git ls-files: {listed:?}");
    let names = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<PathBuf> = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| project_root().join(name))
        .collect();
    assert!(files.len() > 50, "git lists only {} files", files.len());
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(project_root())
        .unwrap_or(path)
        .display()
        .to_string()
}
