use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A foreign machine's files, in a directory that stands for its root.
fn foreign(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            path,
            text.replace("ROOT", &root.path().display().to_string()),
        )
        .unwrap();
    }
    root
}

fn arguments(root: &Path, files: &[&str], into: &Path) -> Arguments {
    Arguments {
        foreign: Named {
            files: files.iter().map(|name| root.join(name)).collect(),
        },
        into: Some(into.to_owned()),
        replace: false,
        confirm_within: None,
        reach: Reach {
            config: into.to_owned(),
            run: None,
        },
        form: Shape { json: true },
    }
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIG=\n-----END PRIVATE KEY-----\n";

#[test]
fn a_configuration_comes_with_its_files() {
    let root = foreign(&[
        (
            "etc/haproxy.cfg",
            "# ours\nglobal\n    crt-base ROOT/private\ndefaults\n    mode http   # web\n    errorfile 503 ROOT/errors/503.http\n\
             frontend www\n    bind :443 ssl crt www.pem crt ROOT/certs\n    use_backend %[req.hdr(host),map(hosts.map,bk)]\n",
        ),
        ("private/www.pem", KEY),
        ("certs/b.pem", "b"),
        ("certs/a.pem", "a"),
        ("certs/a.pem.ocsp", "x"),
        ("certs/www.pem", "another"),
        ("errors/503.http", "HTTP/1.0 503 No\r\n\r\n"),
        ("etc/hosts.map", "a b\n"),
    ]);
    let into = root.path().join("lanai");
    import(&arguments(root.path(), &["etc/haproxy.cfg"], &into)).unwrap();
    let text = fs::read_to_string(into.join("haproxy.cfg")).unwrap();
    assert_eq!(
        text,
        "# ours\nglobal\n    crt-base ssl\ndefaults\n    mode http   # web\n    errorfile 503 errors/503.http\n\
         frontend www\n    bind :443 ssl crt www.pem crt a.pem crt b.pem crt www-2.pem\n    \
         use_backend %[req.hdr(host),map(maps/hosts.map,bk)]\n"
    );
    let mode = |name: &str| fs::metadata(into.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(fs::read_to_string(into.join("ssl/www.pem")).unwrap(), KEY);
    assert_eq!(mode("ssl/www.pem"), 0o600);
    assert_eq!(mode("errors/503.http"), 0o640);
    assert!(into.join("maps/hosts.map").exists());

    // What is there is not lost by a second one.
    let again = import(&arguments(root.path(), &["etc/haproxy.cfg"], &into)).unwrap_err();
    assert!(matches!(again, ImportError::Occupied(_)), "{again}");
}

#[test]
fn nothing_is_written_if_a_file_is_missing() {
    let root = foreign(&[(
        "haproxy.cfg",
        "defaults\n    errorfile 503 ROOT/503.http\n    errorfile 500 opt@ROOT/none\n",
    )]);
    let into = root.path().join("lanai");
    import(&arguments(root.path(), &["haproxy.cfg"], &into)).unwrap();
    assert!(!into.exists());
    fs::write(root.path().join("503.http"), "x").unwrap();
    import(&arguments(root.path(), &["haproxy.cfg"], &into)).unwrap();
    assert!(into.join("errors/503.http").exists());
}

#[test]
fn several_files_become_one() {
    let root = foreign(&[
        ("conf/1.cfg", "global\n    maxconn 10"),
        ("conf/2.cfg", "frontend f\n    bind :80\n"),
        ("loose.cfg", "maxconn 5\n"),
    ]);
    let into = root.path().join("lanai");
    import(&arguments(root.path(), &["conf"], &into)).unwrap();
    let text = fs::read_to_string(into.join("haproxy.cfg")).unwrap();
    assert_eq!(text, "global\n    maxconn 10\nfrontend f\n    bind :80\n");
    // A second file must not slip into the last section of the first.
    let other = root.path().join("other");
    import(&arguments(root.path(), &["conf", "loose.cfg"], &other)).unwrap();
    assert!(!other.exists());
}
