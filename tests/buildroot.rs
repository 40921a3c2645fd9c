//! The Buildroot tree of the image, as far as it can be judged without Buildroot: that it is whole,
//! that it repeats nothing of the image's parts, and that its scripts do what they say.
//! `scripts/image --buildroot DIR --check` asks a real Buildroot.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanai_tests::{Finished, project_root, run};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

fn tree() -> PathBuf {
    project_root().join("image/buildroot")
}

/// The tree's files, with their texts.
fn files() -> Vec<(PathBuf, String)> {
    let listed = run(&["find", tree().to_str().unwrap(), "-type", "f"], SOON).ok();
    let files: Vec<_> = listed
        .lines()
        .map(|path| (PathBuf::from(path), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(files.len() > 10, "{listed}");
    files
}

fn defconfigs() -> Vec<(PathBuf, String)> {
    let found: Vec<_> = files()
        .into_iter()
        .filter(|(path, _)| path.to_str().unwrap().ends_with("_defconfig"))
        .collect();
    assert_eq!(found.len(), 2, "reference and CI: {found:?}");
    found
}

/// The words of a text that begin with `prefix` and go on with what names are made of.
fn names<'a>(text: &'a str, prefix: &str, more: fn(char) -> bool) -> Vec<&'a str> {
    text.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest[prefix.len()..].find(|c| !more(c));
            &rest[..end.map_or(rest.len(), |end| end + prefix.len())]
        })
        .collect()
}

#[test]
fn every_file_that_the_tree_names_is_there() {
    let mut count = 0;
    for (path, text) in files() {
        for variable in ["$(BR2_EXTERNAL_LANAI_PATH)", "$BR2_EXTERNAL_LANAI_PATH"] {
            for name in names(&text, variable, |c| {
                c.is_alphanumeric() || "/._-*".contains(c)
            }) {
                let named = &name[variable.len()..];
                count += 1;
                let there = if named.contains('*') {
                    named == "/package/*/*.mk" && tree().join("package/lanai/lanai.mk").exists()
                } else {
                    tree().join(named.trim_start_matches('/')).exists()
                };
                assert!(there, "{} names {name}", path.display());
            }
        }
    }
    assert!(count >= 9, "only {count} names were found");
}

#[test]
fn options_of_our_own_are_declared() {
    let mut declared = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (path, text) in files() {
        if path.ends_with("Config.in") {
            let options = text.lines().filter_map(|line| line.strip_prefix("config "));
            declared.extend(options.map(str::to_owned));
        }
        let option = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        used.extend(
            names(&text, "BR2_PACKAGE_LANAI", option)
                .into_iter()
                .map(str::to_owned),
        );
    }
    assert_eq!(declared, used);
    for (path, text) in defconfigs() {
        assert!(
            text.contains("\nBR2_PACKAGE_LANAI=y\n"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn what_is_downloaded_or_licensed_has_its_hash() {
    for (path, text) in defconfigs() {
        assert!(
            text.contains("\nBR2_DOWNLOAD_FORCE_CHECK_HASHES=y\n"),
            "{}",
            path.display()
        );
    }
    let package = fs::read_to_string(tree().join("package/lanai/lanai.mk")).unwrap();
    let licences = package
        .lines()
        .find_map(|line| line.strip_prefix("LANAI_LICENSE_FILES = "))
        .unwrap();
    let hashes = fs::read_to_string(tree().join("package/lanai/lanai.hash")).unwrap();
    for licence in licences.split_whitespace() {
        let file = project_root().join(licence);
        let sum = run(&["sha256sum", file.to_str().unwrap()], SOON).ok();
        let sum = sum.split_whitespace().next().unwrap();
        let line = format!("sha256  {sum}  {licence}");
        assert!(hashes.lines().any(|had| had == line), "no line {line}");
    }
    let workspace = fs::read_to_string(project_root().join("Cargo.toml")).unwrap();
    let workspace: toml::Table = workspace.parse().unwrap();
    let version = workspace["workspace"]["package"]["version"]
        .as_str()
        .unwrap();
    assert!(
        package.contains(&format!("\nLANAI_VERSION = {version}\n")),
        "lanai.mk has another version than {version}"
    );
}

#[test]
fn parts_of_both_images_are_used_and_not_repeated() {
    let image = project_root().join("image");
    let fragment = fs::read_to_string(image.join("linux.fragment")).unwrap();
    let kernel: BTreeSet<_> = fragment
        .lines()
        .filter(|l| l.starts_with("CONFIG_"))
        .collect();
    for (path, text) in files() {
        for line in text.lines() {
            assert!(!kernel.contains(line), "{}: {line}", path.display());
            assert!(!line.contains("_USERS"), "{}: {line}", path.display());
        }
    }
    let reference = fs::read_to_string(tree().join("configs/lanai_reference_defconfig")).unwrap();
    let line = reference
        .lines()
        .find_map(|line| line.strip_prefix("BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES="))
        .unwrap();
    let named = line
        .trim_matches('"')
        .replace("$(BR2_EXTERNAL_LANAI_PATH)", "");
    let named = tree().join(named.trim_start_matches('/'));
    assert_eq!(
        named.canonicalize().unwrap(),
        image.join("linux.fragment").canonicalize().unwrap()
    );
}

/// What Buildroot has made when it calls post-build.sh: a busybox that was configured with `options`,
/// and a root file system with Buildroot's own users and links.
struct Built {
    dir: TempDir,
}

impl Built {
    fn new(options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let busybox = dir.path().join("build/busybox-1.38.0");
        fs::create_dir_all(&busybox).unwrap();
        fs::write(busybox.join(".config"), options).unwrap();
        let target = dir.path().join("target");
        for place in ["etc/init.d", "var", "tmp"] {
            fs::create_dir_all(target.join(place)).unwrap();
        }
        fs::write(target.join("etc/passwd"), "root::0:0:root:/root:/bin/sh\n").unwrap();
        fs::write(target.join("etc/init.d/S01syslogd"), "").unwrap();
        symlink("../tmp", target.join("var/log")).unwrap();
        symlink("../tmp/resolv.conf", target.join("etc/resolv.conf")).unwrap();
        Self { dir }
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn post_build(&self) -> Finished {
        run(
            &[
                "env",
                "SOURCE_DATE_EPOCH=1700000000",
                &format!("BUILD_DIR={}/build", self.dir.path().display()),
                tree().join("board/lanai/post-build.sh").to_str().unwrap(),
                self.target().to_str().unwrap(),
            ],
            SOON,
        )
    }
}

fn busybox_fragment() -> String {
    fs::read_to_string(tree().join("board/lanai/busybox.fragment")).unwrap()
}

#[test]
fn users_and_places_are_those_of_the_image() {
    let built = Built::new(&busybox_fragment());
    built.post_build().ok();
    let target = built.target();
    let overlay = project_root().join("image/overlay");
    let same = run(
        &[
            "diff",
            "--recursive",
            "--no-dereference",
            overlay.to_str().unwrap(),
            target.to_str().unwrap(),
        ],
        SOON,
    );
    // The target has more; nothing of the overlay is missing in it or differs.
    let ours = format!("Only in {}", target.display());
    assert!(same.code <= 1, "{same:?}");
    for line in same.stdout.lines() {
        assert!(line.starts_with(&ours), "{line}");
    }
    for file in ["passwd", "group", "inittab"] {
        assert!(overlay.join("etc").join(file).exists(), "{file}");
    }
    let shadow = fs::metadata(target.join("etc/shadow")).unwrap();
    assert_eq!(shadow.permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::read_to_string(target.join("etc/built")).unwrap(),
        "1700000000\n"
    );
    assert!(
        fs::symlink_metadata(target.join("var/log"))
            .unwrap()
            .is_dir()
    );
    assert!(!target.join("etc/init.d").exists());
    // A build that goes on finds its own work.
    built.post_build().ok();
}

#[test]
fn a_busybox_that_lost_an_option_is_refused() {
    let lost = "CONFIG_FINDFS=y";
    let options = busybox_fragment().replace(lost, "# CONFIG_FINDFS is not set");
    let refused = Built::new(&options).post_build();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains(lost), "{refused:?}");
}

/// `image/buildroot/build load`, with nothing to run but what the script itself needs.
fn load(buildroot: &Path, profile: &str) -> Finished {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bin");
    fs::create_dir(&path).unwrap();
    for tool in ["bash", "dirname", "readlink", "find", "sed", "mkdir"] {
        let found = run(&["which", tool], SOON).ok();
        symlink(found.trim(), path.join(tool)).unwrap();
    }
    run(
        &[
            "env",
            &format!("PATH={}", path.display()),
            &format!("HOME={}", dir.path().display()),
            tree().join("build").to_str().unwrap(),
            "load",
            buildroot.to_str().unwrap(),
            profile,
            dir.path().join("out").to_str().unwrap(),
        ],
        SOON,
    )
}

#[test]
fn what_the_machine_lacks_is_said_first_and_how_to_get_it() {
    let dir = tempfile::tempdir().unwrap();
    let none = load(dir.path(), "ci");
    assert_eq!(none.code, 1, "{none:?}");
    assert!(
        none.stderr.contains("is no Buildroot source tree"),
        "{none:?}"
    );

    fs::create_dir(dir.path().join("package")).unwrap();
    fs::write(dir.path().join("package/pkg-cargo.mk"), "").unwrap();
    let unknown = load(dir.path(), "nobody");
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("ci reference"), "{unknown:?}");

    for (profile, more) in [("reference", false), ("ci", true)] {
        let bare = load(dir.path(), profile);
        assert_eq!(bare.code, 1, "{bare:?}");
        let (lacks, remedy) = bare.stderr.split_once('\n').unwrap();
        for (command, package) in [("rsync", "rsync"), ("xz", "xz-utils"), ("bc", "bc")] {
            assert!(lacks.contains(&format!(" {command} ")), "{bare:?}");
            assert!(remedy.contains(&format!(" {package} ")), "{bare:?}");
        }
        assert_eq!(remedy.contains(" patchelf "), more, "{bare:?}");
    }
}
