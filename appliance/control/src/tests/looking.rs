//! Check, preview, diff, status: what people are shown, and what they must not be.

use lanai_language::codes;

use super::world::{World, ann, new, old, pem};
use crate::{FILE_LIMIT, FileDiffKind, FileSet, check_name};

#[tokio::test]
async fn a_preview_shows_diff_plan_and_effects_and_touches_nothing() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let before = world.snapshot(&control).await;
    let preview = control.preview(&new(), None).await.unwrap();
    assert_eq!(world.snapshot(&control).await, before);
    assert!(!preview.report.is_refused());
    let kinds: Vec<_> = preview
        .diff
        .iter()
        .map(|diff| (diff.name.as_str(), diff.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("errors/503.http", FileDiffKind::Removed),
            ("haproxy.cfg", FileDiffKind::Changed),
            ("maps/paths.map", FileDiffKind::Added),
            ("services.cfg", FileDiffKind::Changed),
            ("ssl/www.pem", FileDiffKind::Secret),
        ]
    );
    let lines: Vec<String> = preview.diff[1].hunks[0]
        .lines
        .iter()
        .map(|line| format!("{}{}", line.sign, line.text))
        .collect();
    assert_eq!(
        lines,
        [
            "     default_backend farm",
            " backend farm",
            "     server web1 10.1.0.11:80",
            "-    server web2 10.1.0.12:80",
            "+    server web2 10.3.0.12:80",
            "+    server web3 10.3.0.13:80",
        ]
    );
    assert_eq!(preview.diff[1].hunks[0].header, "@@ -9,4 +9,5 @@");
    let plan = preview.plan.unwrap();
    assert!(
        plan.steps().any(|step| step
            .origin
            .as_ref()
            .is_some_and(|it| it.to_string() == "services.cfg:5")),
        "{plan}"
    );
    assert_eq!(preview.effects.unwrap().network_steps, plan.steps().count());
}

#[tokio::test]
async fn a_preview_of_nonsense_has_a_diff_and_no_plan() {
    let world = World::new();
    let control = world.booted().await;
    let files = FileSet::from_iter([("haproxy.cfg", "frontnd x\n")]);
    let preview = control.preview(&files, None).await.unwrap();
    assert!(preview.report.is_refused() && preview.plan.is_none() && preview.effects.is_none());
    assert_eq!(preview.diff.len(), 1);
}

#[tokio::test]
async fn a_private_key_is_shown_nowhere() {
    let world = World::new();
    let control = world.booted().await;
    let (one, two) = (old(), new());
    let first = control.apply(one.clone(), ann(), "", None).await.unwrap();
    let preview = control.preview(&two, None).await.unwrap();
    let second = control.apply(two.clone(), ann(), "", None).await.unwrap();
    let diff = control
        .diff(first.revision, Some(second.revision))
        .await
        .unwrap();
    let removed = control.diff_files(&one, &FileSet::new());
    let all = format!(
        "{preview:?}{second:?}{diff:?}{removed:?}{:?}{:?}{:?}{one:?}{:?}{:?}",
        control.status().await.unwrap(),
        control.revisions(10, None).await.unwrap(),
        control.audit_log(10, None).await.unwrap(),
        control.inner.settings,
        control.inner.running(),
    );
    assert!(!all.contains("PRIVATE KEY"));
    for files in [&one, &two] {
        let text = files.text("ssl/www.pem").into_owned();
        let key = text.split("PRIVATE KEY-----").nth(1).unwrap();
        let line = key.lines().find(|line| line.len() > 20).unwrap();
        assert!(!all.contains(line));
        assert!(
            control
                .revision_files(first.revision)
                .await
                .unwrap()
                .is_secret("ssl/www.pem")
        );
    }
    let secret = diff
        .iter()
        .find(|diff| diff.kind == FileDiffKind::Secret)
        .unwrap();
    assert!(secret.hunks.is_empty());
    assert!(
        secret
            .before
            .as_ref()
            .unwrap()
            .starts_with("certificate SHA-256 ")
    );
    assert_ne!(secret.before, secret.after);
}

#[test]
fn what_may_hold_a_key_is_secret() {
    let both = pem();
    let certificate = both
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap()
        .to_owned();
    let files = FileSet::from_iter([
        ("ssl/both.pem", both.as_str()),
        ("ssl/ca.pem", certificate.as_str()),
        ("ssl/key.der", "\u{1}\u{2}"),
        ("ssl/note", ""),
        ("maps/odd.map", both.as_str()),
        ("maps/hosts.map", "a b"),
        ("haproxy.cfg", "# PRIVATE KEY"),
    ]);
    let secret: Vec<&str> = files.names().filter(|name| files.is_secret(name)).collect();
    assert_eq!(
        secret,
        ["maps/odd.map", "ssl/both.pem", "ssl/key.der", "ssl/note"]
    );
}

#[tokio::test]
async fn files_that_are_named_must_be_there_and_fit() {
    let world = World::new();
    let control = world.booted().await;
    let found = |bytes: Option<String>| {
        let mut files = old();
        files.remove("ssl/www.pem");
        files.insert("ssl/other.pem", "x");
        if let Some(bytes) = bytes {
            files.insert("ssl/www.pem", bytes);
        }
        let report = control.check(&files);
        let found = report.diagnostics.first().cloned();
        found.map(|found| {
            let at = report.sources.position(found.span.file, found.span.start);
            let word = String::from_utf8_lossy(report.sources.slice(found.span)).into_owned();
            assert_eq!(
                (
                    &*report.sources.name(found.span.file),
                    at.line,
                    word.as_str()
                ),
                ("haproxy.cfg", 8, "www.pem")
            );
            assert!(found.help.is_some());
            found.message
        })
    };
    let both = pem();
    let (certificate, key) = both.split_at(both.find("-----BEGIN PRIVATE").unwrap());
    assert_eq!(found(Some(both.clone())), None);
    assert_eq!(
        found(Some(format!("{key}{certificate}"))),
        None,
        "in any order"
    );
    assert_eq!(
        found(None).unwrap(),
        "there is no file 'www.pem' in this configuration"
    );
    assert_eq!(
        found(Some(certificate.to_owned())).unwrap(),
        "'www.pem' holds no private key"
    );
    assert_eq!(
        found(Some(key.to_owned())).unwrap(),
        "'www.pem' holds no certificate"
    );
    assert_eq!(
        found(Some(String::new())).unwrap(),
        "'www.pem' holds no certificate"
    );
    let locked = format!(
        "{certificate}{}",
        key.replace("PRIVATE", "ENCRYPTED PRIVATE")
    );
    assert!(
        found(Some(locked))
            .unwrap()
            .contains("locked with a password")
    );
    let broken = both.replace("-----END CERTIFICATE-----", "");
    assert!(found(Some(broken)).is_some());
}

#[tokio::test]
async fn files_of_patterns_and_maps_must_be_there_too() {
    let world = World::new();
    let control = world.booted().await;
    let mut files = old();
    files.insert("maps/own.lst", "10.0.0.0/8\n");
    let lines = "frontend www\n    acl own src -f own.lst -f /elsewhere/other.lst\n    acl late src -f opt@may-be.lst\n    \
                 http-request set-header x %[path,map(hosts.map)]\n    http-request deny if { \
                 req.hdr(host),map(hots.map) -m found }\n    http-request set-map(filled.map) a b if own \
                 or late\n";
    let text = files.text("haproxy.cfg").replace("frontend www\n", lines);
    files.insert("haproxy.cfg", text);
    let report = control.check(&files);
    let missing: Vec<_> = report
        .diagnostics
        .iter()
        .filter(|found| found.code == codes::FILE_MISSING)
        .map(|found| {
            let at = report.sources.position(found.span.file, found.span.start);
            let word = String::from_utf8_lossy(report.sources.slice(found.span)).into_owned();
            (at.line, word, found.help.clone().unwrap())
        })
        .collect();
    let help = "put the file into maps/ of the configuration directory; there are: maps/hosts.map, \
                maps/own.lst";
    assert_eq!(
        missing,
        [
            (7, "/elsewhere/other.lst".to_owned(), help.to_owned()),
            (10, "hots.map".to_owned(), help.to_owned()),
        ]
    );
}

/// A line that cannot be run yet is refused, and all else is looked at: files, dates, addresses.
#[tokio::test]
async fn what_cannot_run_yet_hides_nothing_else() {
    let world = World::new();
    let control = world.booted().await;
    let mut files = old();
    let text = files
        .text("haproxy.cfg")
        .replace("192.0.2.1:80", "203.0.113.9:80\n    compression algo gzip");
    files.insert("haproxy.cfg", text);
    let said = |files: &FileSet| -> Vec<&'static str> {
        let report = control.check(files);
        assert!(report.is_refused());
        report
            .diagnostics
            .iter()
            .map(|found| found.code.0)
            .collect()
    };
    assert_eq!(
        said(&files),
        [codes::NOT_SUPPORTED_YET.0, codes::ADDRESS_NOT_CONFIGURED.0]
    );
    files.remove("ssl/www.pem");
    assert_eq!(
        said(&files),
        [
            codes::NOT_SUPPORTED_YET.0,
            codes::ADDRESS_NOT_CONFIGURED.0,
            codes::FILE_MISSING.0
        ]
    );
    let preview = control.preview(&files, None).await.unwrap();
    assert!(preview.plan.is_none());
    assert!(control.apply(files, ann(), "", None).await.is_err());
}

#[test]
fn names_and_sizes_are_bounded() {
    for good in [
        "services.cfg",
        "haproxy.cfg",
        "ssl/www.pem",
        "ssl/*.example.com_ecc@2.pem",
        "maps/a",
        "errors/503.http",
    ] {
        assert_eq!(check_name(good), Ok(()), "{good}");
    }
    let long = format!("ssl/{}", "a".repeat(201));
    for bad in [
        "",
        "lanai.toml",
        "ssl",
        "ssl/",
        "ssl/..",
        "ssl/.",
        "../ssl/x",
        "/etc/passwd",
        "ssl/../haproxy.cfg",
        "ssl/a/b",
        "etc/x",
        "ssl/.hidden",
        "ssl/-rf",
        "ssl/a b",
        "ssl/a\nb",
        "ssl/ä",
        "ssl/a\0",
        "SSL/x",
        &long,
    ] {
        assert!(check_name(bad).is_err(), "{bad:?}");
    }
    let large = FileSet::from_iter([("maps/large", vec![b'x'; FILE_LIMIT + 1])]);
    assert_eq!(large.problems().len(), 1);
    let full: FileSet = (0..17)
        .map(|it| (format!("maps/{it}"), vec![b'x'; FILE_LIMIT]))
        .collect();
    assert_eq!(full.problems().len(), 1);
    let many: FileSet = (0..1001).map(|it| (format!("maps/{it}"), "")).collect();
    assert_eq!(many.problems().len(), 1);
    assert_eq!(
        FileSet::from_iter([("ssl/../x", ""), ("\u{1b}[31m", "")])
            .problems()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_bad_set_is_refused_before_anything_is_written() {
    let world = World::new();
    let control = world.booted().await;
    let mut files = old();
    files.insert("../escape", "x");
    let refused = control.apply(files, ann(), "", None).await;
    assert!(
        matches!(refused, Err(crate::ApplyError::Refused(_))),
        "{refused:?}"
    );
    assert!(!world.directory.path().join("escape").exists());
}

#[tokio::test]
async fn status_tells_of_drift() {
    let world = World::new();
    let control = world.booted().await;
    control.apply(old(), ann(), "", None).await.unwrap();
    let status = control.status().await.unwrap();
    assert!(status.drift.is_empty() && status.notices.is_empty());
    assert_eq!(status.live.map(|live| live.id.0), Some(1));
    assert_eq!(status.engine.unwrap().version, "fake");
    world
        .box_
        .kernel
        .lock()
        .unwrap()
        .addresses
        .retain(|it| &*it.address.interface != "eth1");
    assert!(!control.status().await.unwrap().drift.is_empty());
}
