//! The image itself: where it is, what it weighs, and that the same parts give the same bytes.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lanai_tests::{lanai, project_root, run};

/// An image with the binary that the tests were built with. `scripts/test` has made it; else the
/// first who asks does, and again when the binary or the image's sources have changed.
pub(crate) fn image() -> PathBuf {
    if let Some(path) = std::env::var_os("LANAI_TEST_ISO") {
        return path.into();
    }
    let path = build_directory().join("image/test.iso");
    let newest = newest(&project_root().join("image")).max(changed(Path::new(lanai())));
    if !path.exists() || changed(&path) < newest {
        build(&path, None);
    }
    path
}

/// Where cargo builds, which is where `scripts/image` builds too.
pub(crate) fn build_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project_root().join("target"), PathBuf::from)
}

fn newest(directory: &Path) -> SystemTime {
    let entries = std::fs::read_dir(directory).unwrap();
    let each = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            newest(&path)
        } else {
            changed(&path)
        }
    });
    each.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn changed(path: &Path) -> SystemTime {
    let metadata = std::fs::symlink_metadata(path);
    metadata.and_then(|found| found.modified()).unwrap()
}

/// With the files' times as of the commit, or as `epoch` says.
fn build(output: &Path, epoch: Option<&str>) {
    let script = project_root().join("scripts/image");
    let (script, output) = (script.to_str().unwrap(), output.to_str().unwrap());
    let epoch = epoch.map(|epoch| format!("SOURCE_DATE_EPOCH={epoch}"));
    let mut argv = vec!["env"];
    argv.extend(epoch.as_deref());
    argv.extend([script, "--binary", lanai(), "--output", output]);
    run(&argv, Duration::from_secs(400)).ok();
}

/// The time that the files in an image bear, as it says itself (ECMA-119, 8.4.27: the volume's
/// modification, in the first descriptor).
fn epoch_of(image: &Path) -> String {
    let mut digits = [0; 14];
    let mut file = std::fs::File::open(image).unwrap();
    file.seek(SeekFrom::Start(16 * 2048 + 830)).unwrap();
    file.read_exact(&mut digits).unwrap();
    let digits = std::str::from_utf8(&digits).unwrap();
    let (day, time) = digits.split_at(8);
    let time = format!("{day} {}:{}:{}", &time[..2], &time[2..4], &time[4..]);
    let seconds = run(&["date", "-u", "-d", &time, "+%s"], Duration::from_secs(10)).ok();
    seconds.trim().to_owned()
}

fn digest(path: &Path) -> String {
    let path = path.to_str().unwrap();
    let sum = run(&["sha256sum", path], Duration::from_secs(60)).ok();
    sum.split(' ').next().unwrap().to_owned()
}

#[test]
fn slow_the_same_parts_give_the_same_bytes() {
    let image = image();
    let megabytes = std::fs::metadata(&image).unwrap().len() / 1_000_000;
    assert!(megabytes <= 60, "{megabytes} MB");
    let place = tempfile::tempdir().unwrap();
    // Later, elsewhere, and from files with other times.
    let again = place.path().join("again.iso");
    build(&again, Some(&epoch_of(&image)));
    assert_eq!(digest(&image), digest(&again));
}
