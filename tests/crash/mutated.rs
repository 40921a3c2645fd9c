//! Configurations that nobody would write: what the check accepts must start.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use lanai_tests::{lanai, project_root};

use crate::rig::{Files, Rig, Site, put};
use crate::setting;

/// Reasons that lie outside the configuration: the machine is not as it asks.
const SURROUNDINGS: [&str; 8] = [
    "Address already in use",
    "Cannot assign requested address",
    "No such device",
    "No such file or directory",
    "Permission denied",
    "could not resolve address",
    "is no listening socket of ours",
    "does not listen",
];

/// Words that mutations put in the place of others.
const WORDS: [&str; 24] = [
    "0",
    "1",
    "65535",
    "65536",
    "4294967295",
    "-1",
    "1ms",
    "24d",
    "*:18099",
    "127.0.0.1:0",
    ":0",
    "10.0.0.77:18001-18003",
    "[::1]:18098",
    "http",
    "tcp",
    "ssl",
    "check",
    "no",
    "default",
    "lo",
    "interface",
    "\"\"",
    "ssl/bench.pem",
    "name",
];

/// A generator of the same numbers in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// One to three changes to a text: of its lines, of their words, or of its bytes.
fn mutate(dice: &mut Dice, fixtures: &[Vec<u8>]) -> Vec<u8> {
    let mut text = dice.of(fixtures).clone();
    for _ in 0..=dice.below(3) {
        if dice.below(10) == 0 && !text.is_empty() {
            let at = dice.below(text.len());
            text[at] = u8::try_from(dice.below(256)).unwrap();
            continue;
        }
        let mut lines: Vec<Vec<u8>> = text
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let at = dice.below(lines.len());
        match dice.below(6) {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = dice.below(lines.len());
                lines.swap(at, other);
            }
            3 => {
                let other = dice.of(fixtures);
                let others: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
                lines.insert(at, dice.of(&others).to_vec());
            }
            _ => lines[at] = change_a_word(dice, &lines[at]),
        }
        text = lines.join(&b'\n');
    }
    text
}

fn change_a_word(dice: &mut Dice, line: &[u8]) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = line
        .split(|byte| *byte == b' ')
        .map(<[u8]>::to_vec)
        .collect();
    let at = dice.below(words.len());
    let other = dice.of(&WORDS).as_bytes().to_vec();
    match dice.below(3) {
        0 => words[at] = other,
        1 => words.insert(at, other),
        _ => {
            words.remove(at);
        }
    }
    words.join(&b' ')
}

/// What is running and listening: a refusal must change nothing of it.
#[track_caller]
fn running(rig: &Rig<'_>) -> (String, String) {
    let sockets = rig.run(&["sh", "-c", "ss -Htlnp; ss -Hxl | awk '{print $5}' | sort"]);
    let status = rig.json(&["status"]);
    (sockets.ok(), status["live"].to_string())
}

#[test]
fn slow_what_the_check_accepts_can_start() {
    let site = Site::new();
    let (count, began) = (setting("LANAI_CRASH_COUNT", 200), Instant::now());
    let pem = bench_certificate(&site);
    let draft = site.dir().join("mutation");
    let mut rig = Rig::fresh(&site, "mutated", &plain());
    make_room(&rig);
    rig.start();
    let fixtures = fixtures(&site, |text| {
        write(&draft, text, &pem);
        rig.run(&[lanai(), "check", "--config", draft.to_str().unwrap()])
            .code
            == 0
    });
    let mut dice = Dice(20_261_125);
    let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..count {
        let text = mutate(&mut dice, &fixtures);
        write(&draft, &text, &pem);
        let shown = || format!("mutation {number}:\n{}", show(&draft));
        let checked = rig.run(&[lanai(), "check", "--config", draft.to_str().unwrap()]);
        assert!([0, 1].contains(&checked.code), "{}{checked:?}", shown());
        if checked.code == 1 {
            *ended.entry("refused by the check").or_default() += 1;
            continue;
        }
        let before = running(&rig);
        let asked = rig.apply(&draft);
        match asked.code {
            0 => {
                *ended.entry("running").or_default() += 1;
                if ended["running"].is_multiple_of(20) {
                    rig.crash();
                    rig.start();
                    let status = rig.json(&["status"]);
                    assert_eq!(status["notices"].to_string(), "[]", "{}", shown());
                    *ended.entry("started again from disk").or_default() += 1;
                }
            }
            _ => {
                // Each reason is one sentence; all of them must be the machine's.
                let said = asked.stderr.replace("; everything is as it was", "");
                let alien = SURROUNDINGS.iter().any(|reason| said.contains(reason));
                assert!(alien && asked.code == 1, "{}{asked:?}", shown());
                assert_eq!(
                    running(&rig),
                    before,
                    "a refusal changed something: {asked:?} {}",
                    shown()
                );
                *ended.entry("refused by this machine").or_default() += 1;
            }
        }
        // Whatever came of it, the processes live.
        assert!(!rig.log().contains("has ended by itself"), "{}", shown());
    }
    println!(
        "mutated configurations: {count}; {ended:?}; {:.1} s",
        began.elapsed().as_secs_f32()
    );
}

#[track_caller]
fn write(draft: &Path, text: &[u8], pem: &[u8]) {
    let _ = std::fs::remove_dir_all(draft);
    let files = [
        ("haproxy.cfg", text),
        ("services.cfg", b""),
        ("ssl/bench.pem", pem),
    ];
    put(
        draft,
        &files
            .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
            .into(),
    );
}

fn show(draft: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(draft.join("haproxy.cfg")).unwrap()).into_owned()
}

/// What a configuration may name beside itself: addresses, interfaces, a folder for sockets.
fn make_room(rig: &Rig<'_>) {
    let lines = "ip route add local 10.0.0.0/8 dev lo; ip -6 route add local 2001:db8::/32 dev lo
        for name in eth0 eth1 eth2; do ip link add $name type veth peer name far-$name; ip link set $name up; done";
    rig.run(&["sh", "-ec", lines]).ok();
}

fn plain() -> Files {
    let text = "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n\
                frontend f\n    bind 127.0.0.1:18500\n    default_backend b\nbackend b\n    server s 127.0.0.1:9001\n";
    [("haproxy.cfg".to_owned(), text.as_bytes().to_vec())].into()
}

/// The fixtures that an appliance takes as they are; the paths in them lead to this test's own folder.
#[track_caller]
fn fixtures(site: &Site, takes: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let sockets = site.dir().join("sockets");
    std::fs::create_dir(&sockets).unwrap();
    std::fs::set_permissions(&sockets, PermissionsExt::from_mode(0o777)).unwrap();
    let folder = project_root().join("tests/config/ok");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|name| name == "cfg"));
    paths.sort();
    let texts = paths.iter().filter_map(|path| {
        let text = std::fs::read_to_string(path).ok()?;
        let text = text.replace("/etc/lanai/ssl/bench.pem", "ssl/bench.pem");
        let text = text.replace("/tmp/lanai-test", sockets.to_str().unwrap());
        Some(text.into_bytes())
    });
    let taken: Vec<_> = texts.filter(|text| takes(text)).collect();
    assert!(
        taken.len() > 5,
        "of {} fixtures only {} are taken",
        paths.len(),
        taken.len()
    );
    taken
}

fn bench_certificate(site: &Site) -> Vec<u8> {
    crate::change::certificate(site, "bench")
}
