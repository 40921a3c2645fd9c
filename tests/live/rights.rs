//! What each process may do, as the kernel says, and what happens when one tries more.

use lanai_tests::Lab;
use nix::errno::Errno;

use crate::intruder::execute_inside;
use crate::site::BOX;
use crate::stage::{CLIENTS, Stage};

/// Capabilities by their numbers in `linux/capability.h`.
const KILL: u64 = 1 << 5;
const SETGID: u64 = 1 << 6;
const SETUID: u64 = 1 << 7;
const SETPCAP: u64 = 1 << 8;
const NET_BIND_SERVICE: u64 = 1 << 10;
const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;

/// The users of the example's lanai.toml.
const CONTROL: u32 = 61_001;
const ENGINE: u32 = 61_002;

#[test]
fn each_process_has_its_rights_and_no_more() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    let parent = i32::try_from(stage.appliance.daemon().id()).unwrap();
    let network = NET_ADMIN | NET_RAW | NET_BIND_SERVICE;
    holds(parent, 0, network | SETUID | SETGID | SETPCAP | KILL);
    holds(stage.engine(), ENGINE, NET_BIND_SERVICE | NET_RAW);
    holds(stage.one("lanai-control"), CONTROL, 0);
    for pid in [stage.engine(), stage.one("lanai-control")] {
        assert_eq!(status(pid, "NoNewPrivs"), "1", "{pid}");
        // 2 is a filter.
        assert_eq!(status(pid, "Seccomp"), "2", "{pid}");
        assert_eq!(status(pid, "Groups"), "", "{pid}");
    }
}

/// Every thread of the process has this user and exactly these capabilities.
#[track_caller]
fn holds(pid: i32, uid: u32, capabilities: u64) {
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let task = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            let held = u64::from_str_radix(&status(task, set), 16).unwrap();
            assert_eq!(
                held, capabilities,
                "{set} of {task}: {held:x}, not {capabilities:x}"
            );
        }
        for set in ["CapInh", "CapAmb"] {
            let held = u64::from_str_radix(&status(task, set), 16).unwrap();
            assert_eq!(held, 0, "{set} of {task}");
        }
        let ids = format!("{uid}\t{uid}\t{uid}\t{uid}");
        assert_eq!(status(task, "Uid"), ids, "user of {task}");
        assert_eq!(status(task, "Gid"), ids, "group of {task}");
    }
}

/// A line of `/proc/PID/status`.
#[track_caller]
fn status(pid: i32, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let line = line.unwrap_or_else(|| panic!("no {key} in {text}"));
    line.trim().to_owned()
}

#[test]
fn engine_and_control_cannot_start_a_program() {
    let lab = Lab::new();
    let mut stage = Stage::lanai(&lab);
    for name in ["lanai-engine", "lanai-control"] {
        let pid = stage.one(name);
        assert_eq!(execute_inside(pid), Err(Errno::EPERM), "{name}");
        assert_eq!(stage.one(name), pid, "{name} did not survive");
    }
    let answer = lab.client(CLIENTS).get(&format!("http://{BOX}/item/1"));
    assert_eq!(answer.status, 200, "{answer:?}");
    stage.appliance.lanai(&["status"]).ok();
    // The same attempt in a process that may: the parent's rights are not ours to try, a shell's are.
    let shell = lab.start("web1", &["sleep", "60"]);
    let outcome = execute_inside(i32::try_from(shell.id()).unwrap());
    assert_eq!(outcome, Ok(()), "the intruder proves nothing");
    assert!(stage.appliance.daemon().alive());
}
