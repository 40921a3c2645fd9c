//! The change that is interrupted, and the judgement of what is there afterwards.

use std::path::PathBuf;
use std::time::Duration;

use lanai_tests::run;
use serde_json::Value;

use crate::rig::{Files, Rig, Site, put};

/// One of the two configurations, or both: the new one in effect, and the old one in all that a restart
/// of the box comes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Old,
    New,
    Trial,
}

/// The two configurations, and an appliance that has the old one and a history.
pub(crate) struct Change<'site> {
    pub(crate) start: Rig<'site>,
    /// Directory that holds the new files.
    pub(crate) draft: PathBuf,
    old: Files,
    new: Files,
}

impl<'site> Change<'site> {
    /// Two texts and a certificate change, one file comes, one goes, one stays. In the network an
    /// address comes and one goes; in the engine a listener moves and the server is another.
    #[track_caller]
    pub(crate) fn new(site: &'site Site) -> Change<'site> {
        let (old, new) = (files(site, Side::Old), files(site, Side::New));
        let draft = site.dir().join("draft");
        put(&draft, &new);
        let back = site.dir().join("back");
        put(&back, &old);
        let mut start = Rig::fresh(site, "start", &old);
        start.start();
        start.apply(&draft).ok();
        start.apply(&back).ok();
        let change = Change {
            start,
            draft,
            old,
            new,
        };
        assert_eq!(change.judge(&change.start), Ok(Side::Old));
        let mut change = change;
        change.start.stop();
        change
    }

    /// A copy of the appliance at its start.
    #[track_caller]
    pub(crate) fn again(&self, name: &str) -> Rig<'site> {
        Rig::like(&self.start, name)
    }

    /// What a running appliance has: files, history, network and traffic must agree.
    pub(crate) fn judge(&self, rig: &Rig<'_>) -> Result<Side, String> {
        let files = rig.files();
        let status = rig.try_json(&["status"])?;
        let on_trial = !status["trial"].is_null();
        // Whether somebody is editing, and it is still there.
        let edited = rig.root.join(EDITED).exists() && self.is_edit(&files);
        let side = match &files {
            files if *files == self.old && on_trial => Side::Trial,
            files if *files == self.old => Side::Old,
            files if *files == self.new && !on_trial => Side::New,
            _ if edited && on_trial => Side::Trial,
            _ if edited => Side::Old,
            files => return Err(format!("a mixture of files: {}", self.describe(files))),
        };
        judge_history(rig, &status, side, edited)?;
        self.judge_service(rig, side)?;
        Ok(side)
    }

    /// An address that the box has on this side only.
    pub(crate) fn own(&self, side: Side) -> &'static str {
        match side {
            Side::Old => "10.1.2.5",
            Side::New | Side::Trial => "10.1.2.4",
        }
    }

    /// Edits a text by hand, which nobody applies.
    pub(crate) fn edit(&self, rig: &Rig<'_>) {
        std::fs::write(rig.config().join(TEXT), edit(&self.old)).unwrap();
        std::fs::write(rig.root.join(EDITED), "").unwrap();
    }

    fn is_edit(&self, files: &Files) -> bool {
        let mut expected = self.old.clone();
        expected.insert(TEXT.to_owned(), edit(&self.old));
        *files == expected
    }

    /// The network and the traffic.
    fn judge_service(&self, rig: &Rig<'_>, side: Side) -> Result<(), String> {
        let (word, open, closed, comes, goes) = match side {
            Side::Old => ("old", 80, 81, "10.1.2.5", "10.1.2.4"),
            Side::New | Side::Trial => ("new", 81, 80, "10.1.2.4", "10.1.2.5"),
        };
        let addresses = rig.run(&["ip", "-o", "-4", "address"]).ok();
        if !addresses.contains(comes) || addresses.contains(goes) {
            return Err(format!(
                "the addresses are not the {word} ones: {addresses}"
            ));
        }
        let plain = format!("http://10.1.2.3:{open}/");
        let seen = rig.run(&["curl", "-sS", "--max-time", "5", &plain]);
        if seen.stdout != word {
            return Err(format!("{plain} is not answered with '{word}': {seen:?}"));
        }
        for closed in [closed, 82] {
            let shut = format!("http://10.1.2.3:{closed}/");
            let seen = rig.run(&["curl", "-sS", "--max-time", "5", &shut]);
            if seen.code != 7 {
                return Err(format!("{shut} is not closed: {seen:?}"));
            }
        }
        // The certificate is its own authority: curl accepts this one and no other.
        let authority = self.draft.with_file_name(format!("{word}.pem"));
        let (authority, site) = (authority.to_str().unwrap(), "box.example:443:10.1.2.3");
        let secure = ["curl", "-sS", "--max-time", "5", "--cacert", authority];
        let target = ["--resolve", site, "https://box.example/"];
        let seen = rig.run(&[&secure[..], &target[..]].concat());
        if seen.stdout != word {
            return Err(format!("https is not answered as '{word}': {seen:?}"));
        }
        Ok(())
    }

    fn describe(&self, files: &Files) -> String {
        let mut names: Vec<&String> = files
            .keys()
            .chain(self.old.keys())
            .chain(self.new.keys())
            .collect();
        names.sort();
        names.dedup();
        let each = names.into_iter().map(|name| {
            let found = files.get(name);
            let like = |set: &Files| set.get(name) == found;
            let side = match (like(&self.old), like(&self.new)) {
                (true, true) => "as in both",
                (true, false) => "old",
                (false, true) => "new",
                (false, false) => "of neither",
            };
            format!("{name} {side}")
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

/// The history: sound, one revision is live and is what is on disk, none is half way, and nobody
/// complains.
fn judge_history(rig: &Rig<'_>, status: &Value, side: Side, edited: bool) -> Result<(), String> {
    let differs = |notice: &Value| {
        let text = notice.as_str().unwrap_or_default();
        text.contains("the files on disk are not what is running")
    };
    let notices = status["notices"].as_array().cloned().unwrap_or_default();
    let over = |notice: &Value| {
        let text = notice.as_str().unwrap_or_default();
        side == Side::Old
            && text.ends_with("not confirmed within 10s: the previous revision is back")
    };
    // What somebody is editing is said, what nobody confirmed, and nothing else.
    let (said, others): (Vec<_>, Vec<_>) = notices
        .into_iter()
        .filter(|notice| !over(notice))
        .partition(differs);
    if said.is_empty() == edited || !others.is_empty() {
        return Err(format!("wrong notices: {said:?} {others:?}"));
    }
    for (what, seen) in [
        ("steps to do", &status["drift"]["add"]),
        ("steps to do", &status["drift"]["remove"]),
    ] {
        if seen.as_array().is_none_or(|list| !list.is_empty()) {
            return Err(format!("there are {what}: {seen}"));
        }
    }
    let revisions = rig.try_json(&["revisions"])?;
    let states = revisions.as_array().unwrap();
    let live: Vec<_> = states.iter().filter(|one| one["state"] == "live").collect();
    if live.len() != 1 || live[0]["id"] != status["live"]["id"] {
        return Err(format!("not one revision is live: {revisions}"));
    }
    if states.iter().any(|one| one["state"] == "pending") {
        return Err(format!("a revision is half way: {revisions}"));
    }
    let on_trial = states.iter().filter(|one| one["state"] == "trial").count();
    if on_trial != usize::from(side == Side::Trial) {
        return Err(format!("{on_trial} revisions are on trial: {revisions}"));
    }
    let difference = rig.lanai(&["diff"]);
    if (difference.stdout.trim() != "no difference") != edited {
        return Err(format!("the live revision is not on disk: {difference:?}"));
    }
    let database = rig.database();
    let sound = run(
        &[
            "sqlite3",
            database.to_str().unwrap(),
            "PRAGMA integrity_check",
        ],
        Duration::from_secs(20),
    );
    match sound.stdout.trim() {
        "ok" => Ok(()),
        _ => Err(format!("the database is damaged: {sound:?}")),
    }
}

/// What is edited by hand.
const TEXT: &str = "haproxy.cfg";
/// Beside the directories of an appliance whose text is being edited.
const EDITED: &str = "edited";

/// The old text with another port, which must never be open.
fn edit(old: &Files) -> Vec<u8> {
    let text = String::from_utf8_lossy(&old[TEXT]).replace(":80\n", ":82\n");
    assert_ne!(text.as_bytes(), old[TEXT]);
    text.into_bytes()
}

fn files(site: &Site, side: Side) -> Files {
    let (word, plain, server, address) = match side {
        Side::Old => ("old", 80, 9001, "10.1.2.5"),
        Side::New | Side::Trial => ("new", 81, 9002, "10.1.2.4"),
    };
    let services =
        format!("service network lo\n    ip address 10.1.2.3/32\n    ip address {address}/32\n");
    let proxies = format!(
        "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n\
         frontend f\n    bind 10.1.2.3:{plain}\n    bind 10.1.2.3:443 ssl crt ssl/box.pem\n    \
         default_backend b\nbackend b\n    server s 127.0.0.1:{server}\n"
    );
    let mut files = Files::new();
    let mut add = |name: &str, bytes: Vec<u8>| files.insert(name.to_owned(), bytes);
    add("services.cfg", services.into());
    add("haproxy.cfg", proxies.into());
    add("ssl/box.pem", certificate(site, word));
    add("errors/503.http", b"HTTP/1.0 503 Sorry\r\n\r\n".to_vec());
    add(&format!("maps/{word}.map"), format!("/ {word}\n").into());
    files
}

/// A certificate with its key; the certificate alone stays beside it, for curl.
pub(crate) fn certificate(site: &Site, word: &str) -> Vec<u8> {
    let at = |name: &str| site.dir().join(name).to_str().unwrap().to_owned();
    let (key, public) = (at(&format!("{word}.key")), at(&format!("{word}.pem")));
    let subject = format!("/CN={word}");
    let argv = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-subj",
        &subject,
        "-addext",
        "subjectAltName=DNS:box.example",
        "-keyout",
        &key,
        "-out",
        &public,
    ];
    run(&argv, Duration::from_secs(30)).ok();
    let mut bytes = std::fs::read(&public).unwrap();
    bytes.extend(std::fs::read(&key).unwrap());
    bytes
}
