//! A file that a text names and that is not there: `lanai check` refuses what `haproxy -c` refuses, on the
//! same line, and neither does once the file is there.

use std::path::Path;
use std::time::Duration;

use lanai_tests::{lanai, project_root, run};
use serde_json::Value;

/// A line, where it stands, the file that it names, and what of `tests/config/files` is in it.
type Case = (Place, &'static str, &'static str, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Defaults,
    Front,
    /// Behind the address of a `bind`.
    Bind,
    /// Behind that of a `server`.
    Server,
    Back,
    Errors,
}

use Place::{Back, Bind, Defaults, Errors, Front, Server};

/// `FILE` is the path.
const CASES: &[Case] = &[
    (Defaults, "errorfile 503 FILE", "errors/e.http", "503.http"),
    (Front, "errorfile 503 FILE", "errors/e.http", "503.http"),
    (
        Front,
        "\"errorfile\" 503 \"FILE\"",
        "errors/e.http",
        "503.http",
    ),
    (Back, "errorfile 502 FILE", "errors/e.http", "503.http"),
    (Errors, "errorfile 404 FILE", "errors/e.http", "503.http"),
    (
        Front,
        "http-request return content-type text/plain file FILE",
        "errors/p.html",
        "sorry.html",
    ),
    (
        Front,
        "http-request return content-type text/plain lf-file FILE",
        "errors/p.html",
        "sorry.html",
    ),
    (
        Front,
        "http-request return errorfile FILE",
        "errors/e.http",
        "503.http",
    ),
    (
        Front,
        "http-request deny errorfile FILE if { path /x }",
        "errors/e.http",
        "503.http",
    ),
    (
        Back,
        "http-response return content-type text/plain file FILE",
        "errors/p.html",
        "sorry.html",
    ),
    (
        Back,
        "http-error status 503 content-type text/plain file FILE",
        "errors/p.html",
        "sorry.html",
    ),
    (
        Back,
        "stats http-request auth if { src -f FILE }",
        "maps/n.lst",
        "nets.acl",
    ),
    (
        Front,
        "stats http-request deny unless { path,map(FILE) -m found }",
        "maps/h.map",
        "hosts.map",
    ),
    (
        Front,
        "stats admin if { src -f FILE }",
        "maps/n.lst",
        "nets.acl",
    ),
    (Front, "acl a src \"-f\" FILE", "maps/n.lst", "nets.acl"),
    (Bind, "crt FILE", "ssl/c.pem", "site.pem"),
    (Bind, "ssl crt FILE", "ssl/c.pem", "site.pem"),
    (
        Bind,
        "ssl crt SITE ca-file FILE verify required",
        "ssl/ca.pem",
        "ca.pem",
    ),
    (
        Bind,
        "ssl crt SITE ca-file CA ca-verify-file FILE verify optional",
        "ssl/ca.pem",
        "ca.pem",
    ),
    (Bind, "ca-file FILE", "ssl/ca.pem", "ca.pem"),
    (
        Bind,
        "ssl crt SITE ca-file CA crl-file FILE verify required",
        "ssl/crl.pem",
        "ca.pem",
    ),
    (Bind, "ssl crt-list FILE", "ssl/list.crt", "list.crt"),
    (Bind, "crt-list FILE", "ssl/list.crt", "list.crt"),
    (Bind, "ssl crt SITE tls-ticket-keys FILE", "ssl/keys", ""),
    (Server, "ssl ca-file FILE", "ssl/ca.pem", "ca.pem"),
    (Server, "ca-file FILE", "ssl/ca.pem", "ca.pem"),
    (
        Server,
        "ssl ca-file CA crl-file FILE",
        "ssl/crl.pem",
        "ca.pem",
    ),
    (Server, "ssl verify none crt FILE", "ssl/c.pem", "site.pem"),
    (
        Server,
        "check check-ssl verify none crt FILE",
        "ssl/c.pem",
        "site.pem",
    ),
    (Back, "default-server ca-file FILE", "ssl/ca.pem", "ca.pem"),
];

/// Lines whose file HAProxy does not look for.
const NOT_LOOKED_FOR: &[(Place, &str)] = &[
    (Server, "crt FILE"),
    (Server, "ssl verify none crt FILE no-ssl"),
    (Back, "default-server crt FILE"),
    (Bind, "ssl crt SITE ca-file @system-ca verify optional"),
];

/// The text, and the number of the line in question.
fn text(place: Place, line: &str) -> (String, u64) {
    let at = |wanted: Place| match place == wanted {
        true => format!("    {line}\n"),
        false => String::new(),
    };
    let behind = |wanted: Place| match place == wanted {
        true => format!(" {line}"),
        false => String::new(),
    };
    let text = format!(
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n{}\
         http-errors e\n{}frontend www\n    bind 127.0.0.1:18080{}\n{}    default_backend app\n\
         backend app\n{}    server a 192.0.2.10:8080{}\n",
        at(Defaults),
        at(Errors),
        behind(Bind),
        at(Front),
        at(Back),
        behind(Server),
    );
    let number = text.lines().position(|one| one.contains(line)).unwrap() + 1;
    (text, u64::try_from(number).unwrap())
}

/// Whether `haproxy -c` takes it.
fn haproxy_takes(directory: &Path) -> bool {
    let path = directory.join("haproxy.cfg");
    let argv = ["/usr/sbin/haproxy", "-c", "-f", path.to_str().unwrap()];
    run(&argv, Duration::from_secs(20)).code == 0
}

/// The missing files that `lanai check` tells of: line, message, next step.
fn missing(directory: &Path) -> Vec<(u64, String, String)> {
    let argv = [
        lanai(),
        "check",
        "--json",
        "--config",
        directory.to_str().unwrap(),
    ];
    let ended = run(&argv, Duration::from_secs(20));
    let value: Value = serde_json::from_str(&ended.stdout).unwrap();
    let all = value["diagnostics"].as_array().unwrap().iter();
    all.filter(|found| found["code"] == "F002")
        .map(|found| {
            let word = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
            (
                found["line"].as_u64().unwrap(),
                word("message"),
                word("help"),
            )
        })
        .collect()
}

fn directory() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for folder in ["ssl", "maps", "errors"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    std::fs::write(root.path().join("services.cfg"), "").unwrap();
    let own = project_root().join("tests/config/files");
    std::fs::copy(own.join("site.pem"), root.path().join("ssl/site.pem")).unwrap();
    std::fs::copy(own.join("ca.pem"), root.path().join("ssl/authority.pem")).unwrap();
    root
}

/// The line with its paths, in a directory of its own.
fn written(root: &Path, place: Place, line: &str, file: &str) -> u64 {
    let path = |name: &str| root.join(name).display().to_string();
    let line = line
        .replace("FILE", &path(file))
        .replace("SITE", &path("ssl/site.pem"))
        .replace("CA ", &format!("{} ", path("ssl/authority.pem")));
    let (text, number) = text(place, &line);
    std::fs::write(root.join("haproxy.cfg"), text).unwrap();
    number
}

#[test]
fn a_file_that_is_not_there_is_refused_where_haproxy_refuses_it() {
    let mut wrong = Vec::new();
    for (place, line, file, contents) in CASES {
        let root = directory();
        let root = root.path();
        let number = written(root, *place, line, file);
        let shown = root.join(file).display().to_string();
        let found = missing(root);
        let right = matches!(&found[..], [(at, message, help)]
            if *at == number && message.contains(&shown) && help.contains("put the file into"));
        if !right || haproxy_takes(root) {
            wrong.push(format!("{line}, without: {number}: {found:?}"));
        }
        if contents.is_empty() {
            continue;
        }
        let own = project_root().join("tests/config/files").join(contents);
        let bytes = std::fs::read_to_string(own).unwrap();
        let bytes = bytes.replace(
            "files/site.pem",
            &root.join("ssl/site.pem").display().to_string(),
        );
        std::fs::write(root.join(file), bytes).unwrap();
        let found = missing(root);
        if !found.is_empty() || !haproxy_takes(root) {
            wrong.push(format!("{line}, with: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_haproxy_does_not_look_for_need_not_be_there() {
    for (place, line) in NOT_LOOKED_FOR {
        let root = directory();
        written(root.path(), *place, line, "ssl/none.pem");
        assert_eq!(missing(root.path()), [], "{line}");
        assert!(haproxy_takes(root.path()), "{line}");
    }
}
