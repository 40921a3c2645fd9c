//! What a power failure may take: nothing that was acknowledged. No signal shows that, so the order of
//! the calls does, as strace sees them.

use lanai_tests::{Process, until, within};
use nix::sys::signal::Signal;

use crate::change::Change;
use crate::rig::Site;

#[test]
fn what_is_acknowledged_is_on_the_disk() {
    let site = Site::new();
    let change = Change::new(&site);
    let mut rig = change.again("watched");
    rig.start();
    let (control, output) = (rig.control().to_string(), rig.root.join("calls"));
    let calls = "trace=openat,pwrite64,fsync,fdatasync,rename,unlink,mkdir";
    let argv = ["strace", "-f", "-y", "-s", "0", "-e", calls, "-o"];
    let argv = [&argv[..], &[output.to_str().unwrap(), "-p", &control]].concat();
    let mut strace = Process::start(&argv, &rig.root.join("strace.log"));
    until("strace to attach", within(), || {
        strace.log().contains("attached").then_some(())
    });
    rig.apply(&change.draft).ok();
    strace.signal(Signal::SIGINT);
    strace.ended(within());

    let text = std::fs::read_to_string(&output).unwrap();
    // After the thread's number; a call that another thread's interrupts begins where it is printed.
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim_start()))
        .collect();
    let etc = rig.config().to_str().unwrap().to_owned();
    let synced = |from: usize, to: usize, path: &str| {
        let named = format!("<{path}>");
        lines[from..to].iter().any(|line| {
            (line.starts_with("fsync(") || line.starts_with("fdatasync(")) && line.contains(&named)
        })
    };
    let mut places = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(renamed) = line.strip_prefix("rename(\"") {
            let from = renamed.split('"').next().unwrap();
            assert!(
                synced(0, at, from),
                "{from} is renamed before it is on disk:\n{text}"
            );
            places.push((at, from.rsplit_once('/').unwrap().0.to_owned()));
        }
        if let Some(removed) = line.strip_prefix("unlink(\"")
            && removed.starts_with(&etc)
        {
            let path = removed.split('"').next().unwrap();
            places.push((at, path.rsplit_once('/').unwrap().0.to_owned()));
        }
    }
    assert!(places.len() >= 5, "four files come and one goes:\n{text}");
    let log = format!("{}-wal", rig.database().display());
    let writes: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("pwrite64(") && lines[*at].contains(&log))
        .collect();
    let last_place = places.iter().map(|(at, _)| *at).max().unwrap();
    let noted = writes.iter().copied().find(|at| *at > last_place).unwrap();
    for (at, directory) in &places {
        assert!(
            synced(*at, noted, directory),
            "{directory} is not on disk when the history says so:\n{text}"
        );
    }
    // The revision is live before the first file is in place, and the answer comes after the last word.
    let first_place = places.iter().map(|(at, _)| *at).min().unwrap();
    let live = writes
        .iter()
        .copied()
        .rfind(|at| *at < first_place)
        .unwrap();
    assert!(
        synced(live, first_place, &log),
        "renamed before the history is on disk:\n{text}"
    );
    let last = *writes.last().unwrap();
    assert!(
        synced(last, lines.len(), &log),
        "answered before the history is on disk:\n{text}"
    );
}
