//! `lanai check` over real files: certificates made by OpenSSL, and the clock of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LANAI: &str = env!("CARGO_BIN_EXE_lanai");

/// What OpenSSL signs certificates with, in the directory it works in.
const AUTHORITY: &str = "\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
[names]
commonName = supplied
";

fn openssl(directory: &Path, words: &str) {
    let mut command = Command::new("openssl");
    let output = command
        .args(words.split(' '))
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl {words}: {output:?}");
}

/// `NAME.pem` with key and certificate, valid between two times as OpenSSL writes them.
fn certificate(directory: &Path, name: &str, between: Option<(&str, &str)>) {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let made = format!("-subj /CN={name}.example -keyout {name}.key");
    match between {
        // Of no more than five days: soon over.
        None => openssl(
            directory,
            &format!("req -x509 {new} {made} -days 5 -out {name}.crt"),
        ),
        Some((start, end)) => {
            fs::write(directory.join("ca.cnf"), AUTHORITY).unwrap();
            fs::write(directory.join("index.txt"), "").unwrap();
            fs::write(directory.join("serial"), "01\n").unwrap();
            openssl(directory, &format!("req -new {new} {made} -out {name}.req"));
            openssl(
                directory,
                &format!(
                    "ca -batch -selfsign -config ca.cnf -notext -keyfile {name}.key -in {name}.req \
                     -startdate {start} -enddate {end} -out {name}.crt"
                ),
            );
        }
    }
    let part = |end: &str| fs::read(directory.join(format!("{name}.{end}"))).unwrap();
    let whole = [part("crt"), part("key")].concat();
    fs::write(directory.join(format!("{name}.pem")), whole).unwrap();
}

fn lanai(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(LANAI);
    command.args(words).current_dir(directory).output().unwrap()
}

/// The warnings of `lanai check --json`, each with its code and its line.
fn warnings(output: &Output) -> Vec<(String, u64, String)> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let report: serde_json::Value = serde_json::from_str(text).unwrap();
    let all = report["diagnostics"].as_array().unwrap();
    all.iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("code"), one["line"].as_u64().unwrap(), text("message"))
        })
        .collect()
}

#[test]
fn certificates_that_are_over_or_soon_will_be_are_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let ssl = root.join("ssl");
    fs::create_dir(&ssl).unwrap();
    certificate(&ssl, "old", Some(("20200101000000Z", "20210101000000Z")));
    certificate(&ssl, "good", Some(("20200101000000Z", "20991231235959Z")));
    certificate(&ssl, "early", Some(("20980101000000Z", "20991231235959Z")));
    certificate(&ssl, "soon", None);
    let text = "\
frontend f
    timeout client 1s
    bind 127.0.0.1:1 ssl crt ssl/old.pem
    bind 127.0.0.1:2 ssl crt ssl/good.pem
    bind 127.0.0.1:3 ssl crt ssl/early.pem
    bind 127.0.0.1:4 ssl crt ssl/soon.pem
    bind 127.0.0.1:5 ssl crt ./ssl/old.pem # lanai: allow L017
";
    fs::write(root.join("haproxy.cfg"), text).unwrap();
    fs::write(root.join("services.cfg"), "").unwrap();
    for words in [
        &["check", "--json", "--config", "."][..],
        &["check", "--json", "-f", "haproxy.cfg"],
    ] {
        let output = lanai(root, words);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let found = warnings(&output);
        let about = |code: &str, line: u64, start: &str| {
            let is_it = |(other, at, message): &(String, u64, String)| {
                other == code && *at == line && message.starts_with(start)
            };
            assert!(found.iter().any(is_it), "{code} {line} {start}\n{found:#?}");
        };
        about(
            "L017",
            3,
            "the certificate of 'old.example' in 'ssl/old.pem' expired ",
        );
        about(
            "L017",
            5,
            "the certificate of 'early.example' in 'ssl/early.pem' is not valid yet, in ",
        );
        about(
            "L017",
            6,
            "the certificate of 'soon.example' in 'ssl/soon.pem' expires in ",
        );
        assert_eq!(found.len(), 3, "{found:#?}");
    }
}

/// HAProxy says nothing of what is only a lint here, so that a run with `-dW` starts.
#[test]
fn lints_are_no_warnings_to_whoever_drives_haproxy() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\
defaults
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend f
    bind 127.0.0.1:1
    default_backend used
backend used
    server a 127.0.0.1:2
backend unused
    server a 127.0.0.1:2
";
    fs::write(folder.path().join("h.cfg"), text).unwrap();
    let said = warnings(&lanai(folder.path(), &["check", "--json", "-f", "h.cfg"]));
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((said[0].0.as_str(), said[0].1), ("L022", 10));
    let output = lanai(folder.path(), &["proxy", "-dW", "-c", "-f", "h.cfg"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let notice = "nothing sends requests to backend 'unused'";
    assert!(told.contains("[NOTICE]") && told.contains(notice), "{told}");
    assert!(!told.contains("[WARNING]"), "{told}");
}
