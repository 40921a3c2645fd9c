use std::process::{Child, Command, Stdio};

use lanai_network::{Key, LogServer, TimeServer};
use tempfile::TempDir;

use super::*;

fn system() -> (TempDir, System) {
    let directory = tempfile::tempdir().unwrap();
    let system = System::at(directory.path());
    (directory, system)
}

fn resolver(servers: &[&str]) -> Setting {
    Setting::Resolver {
        domain: Some("example.org".to_owned()),
        servers: servers.iter().map(|one| one.parse().unwrap()).collect(),
    }
}

fn time(host: &str) -> Setting {
    Setting::Time(vec![TimeServer {
        host: host.to_owned(),
        prefer: true,
    }])
}

fn of_name(observed: &ObservedSystem) -> ObservedSystem {
    // What the machine of the test is called is nothing that it sets.
    let mut observed = observed.clone();
    observed.altered.retain(|part| *part != Part::Name);
    observed
}

#[test]
fn what_is_set_is_read_back_and_what_is_changed_is_noticed() {
    let (directory, system) = system();
    let all = [
        resolver(&["192.0.2.1", "2001:db8::1"]),
        time("ntp.example.org"),
        Setting::Log(vec![LogServer {
            host: "192.0.2.9".to_owned(),
            port: 1514,
            tcp: true,
            level: 4,
            facilities: vec![4, 16],
        }]),
        Setting::Shell {
            listen: vec!["[2001:db8::2]:22".parse().unwrap()],
            keys: vec![Key {
                kind: "ssh-ed25519".to_owned(),
                key: "AAAA".to_owned(),
                comment: "Ann's \"key\" # 1".to_owned(),
            }],
        },
    ];
    for setting in &all {
        system.set(setting.part(), Some(setting)).unwrap();
    }
    let observed = of_name(&system.observe());
    assert_eq!(observed.settings, all);
    assert_eq!(observed.altered, []);
    for (file, part) in [
        ("system/chrony.conf", Part::Time),
        ("system/sshd", Part::Shell),
        ("resolv.conf", Part::Resolver),
    ] {
        let path = directory.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}# by hand\n")).unwrap();
        assert_eq!(of_name(&system.observe()).altered, [part], "{file}");
        let setting = all.iter().find(|setting| setting.part() == part);
        system.set(part, setting).unwrap();
        assert_eq!(of_name(&system.observe()).altered, []);
    }
    for setting in &all {
        system.set(setting.part(), None).unwrap();
    }
    assert_eq!(of_name(&system.observe()), ObservedSystem::default());
}

#[test]
fn names_are_asked_of_whom_the_text_says_then_of_whom_dhcp_says() {
    let (directory, system) = system();
    let now = || fs::read_to_string(directory.path().join("resolv.conf")).unwrap();
    system
        .lease_resolvers(&["10.0.2.3".parse().unwrap()])
        .unwrap();
    assert_eq!(now(), "nameserver 10.0.2.3\n");
    let both = resolver(&["192.0.2.1", "2001:db8::1"]);
    system.set(Part::Resolver, Some(&both)).unwrap();
    let text = "search example.org\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n";
    assert_eq!(now(), text);
    system
        .lease_resolvers(&["10.0.2.4".parse().unwrap()])
        .unwrap();
    assert_eq!(now(), text);
    system.set(Part::Resolver, Some(&resolver(&[]))).unwrap();
    assert_eq!(now(), "search example.org\nnameserver 10.0.2.4\n");
    system.set(Part::Resolver, None).unwrap();
    assert_eq!(now(), "nameserver 10.0.2.4\n");
}

#[test]
fn what_would_be_another_line_is_refused() {
    let (directory, system) = system();
    for host in ["a\ncmdallow all", "", "-x", "a b"] {
        let error = system.set(Part::Time, Some(&time(host))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{host:?}");
    }
    let error = system.set(Part::Name, Some(&time("a"))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(!directory.path().join("system").exists());
}

#[test]
fn a_program_is_ended_when_its_file_changes_and_nobody_else_is() {
    let (directory, system) = system();
    let sleep = fs::canonicalize("/bin/sleep").unwrap();
    let notes = directory.path().join("running");
    fs::create_dir(&notes).unwrap();
    // A copy, so that the process is called so.
    for (program, ends) in [("chronyd", true), ("somebody", false)] {
        let path = directory.path().join(program);
        fs::copy(&sleep, &path).unwrap();
        let mut child = Command::new(&path)
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        fs::write(notes.join("chrony.conf"), child.id().to_string()).unwrap();
        system.set(Part::Time, Some(&time(program))).unwrap();
        if ends {
            assert!(!child.wait().unwrap().success());
        } else {
            assert_eq!(child.try_wait().unwrap(), None);
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// A process that outlives no test, also not one that fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever plans again right after a change finds nothing left to do, also when the old program takes its
/// time, or does not want to end, and whether or not init has heard of it.
#[test]
fn a_change_is_done_when_it_says_so() {
    for end in ["sleep 0.5; exit", ""] {
        let (directory, system) = system();
        system.set(Part::Time, Some(&time("a"))).unwrap();
        let path = directory.path().join("chronyd");
        fs::copy(fs::canonicalize("/bin/bash").unwrap(), &path).unwrap();
        let child = Command::new(&path)
            .args([
                "-c",
                &format!("trap '{end}' TERM; echo; while :; do sleep 0.1; done"),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = Ended(child);
        let notes = directory.path().join("running");
        fs::create_dir(&notes).unwrap();
        fs::write(notes.join("chrony.conf"), child.0.id().to_string()).unwrap();
        // It says a word once it has its trap.
        let mut word = [0];
        child
            .0
            .stdout
            .take()
            .unwrap()
            .read_exact(&mut word)
            .unwrap();
        system.set(Part::Time, Some(&time("b"))).unwrap();
        assert_eq!(of_name(&system.observe()).altered, []);
        assert!(child.0.try_wait().unwrap().is_some());
    }
}

/// The programs themselves say whether they understand their files.
#[test]
fn the_programs_understand_their_files() {
    let (directory, system) = system();
    system.set(Part::Time, Some(&time("127.0.0.1"))).unwrap();
    let log = |tcp| LogServer {
        host: "127.0.0.1".to_owned(),
        port: 514,
        tcp,
        level: 7,
        facilities: vec![0, 23],
    };
    let log = Setting::Log(vec![log(false), log(true)]);
    system.set(Part::Log, Some(&log)).unwrap();
    let file = |name: &str| directory.path().join("system").join(name);
    // With the users that the image has.
    let users = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../image/overlay/etc");
    let as_there =
        "for file in passwd group; do mount --bind \"$0/$file\" /etc/$file; done; exec \"$@\"";
    let ask = |program: &str, arguments: &[&str], file: &Path| {
        // They are in a directory that is not in everybody's path.
        let program = Path::new("/usr/sbin").join(program);
        assert!(
            program.exists(),
            "{} is not there: install chrony and rsyslog, as scripts/test does",
            program.display()
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", as_there]).arg(&users);
        let answer = command.arg(program).args(arguments).arg(file).output();
        answer.expect("the package util-linux")
    };
    for (program, arguments, file) in [
        ("chronyd", &["-p", "-f"][..], file("chrony.conf")),
        ("rsyslogd", &["-N1", "-f"], file("rsyslog.conf")),
    ] {
        let answer = ask(program, arguments, &file);
        let said = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "{program}: {said}");
        // And it would say if it did not.
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}nonsense 1\n")).unwrap();
        let answer = ask(program, arguments, &file);
        assert!(!answer.status.success(), "{program} takes anything");
    }
}
