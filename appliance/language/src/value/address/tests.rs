use super::*;

fn listens(text: &str) -> Result<Vec<String>, (String, Range<usize>)> {
    let options = ListenOptions {
        ranges: true,
        room: 100,
    };
    match listen_addresses(text.as_bytes(), options) {
        Ok(found) => Ok(found.into_iter().map(|(a, _)| shown(a)).collect()),
        Err(error) => Err((error.message, error.at)),
    }
}

fn shown(address: ListenAddress) -> String {
    match address {
        ListenAddress::Inet(address) => address.to_string(),
        ListenAddress::Fd(number) => format!("fd {number}"),
        ListenAddress::Unix(path) => format!("unix {}", path.display()),
    }
}

#[test]
fn listeners() {
    for (text, expected) in [
        (":80", vec!["0.0.0.0:80"]),
        ("*:80", vec!["0.0.0.0:80"]),
        ("10.0.0.1:80", vec!["10.0.0.1:80"]),
        ("[::]:80", vec!["[::]:80"]),
        (":::80", vec!["[::]:80"]),
        ("::1:80", vec!["[::1]:80"]),
        ("ipv4@:80", vec!["0.0.0.0:80"]),
        ("ipv6@:80", vec!["[::]:80"]),
        ("ipv6@*:80", vec!["[::]:80"]),
        ("tcp4@10.0.0.1:80", vec!["10.0.0.1:80"]),
        (":80-82", vec!["0.0.0.0:80", "0.0.0.0:81", "0.0.0.0:82"]),
        ("10.0.0.1:80,:81", vec!["10.0.0.1:80", "0.0.0.0:81"]),
        ("fd@7", vec!["fd 7"]),
        ("stream+fd@7", vec!["fd 7"]),
        ("/run/x.sock", vec!["unix /run/x.sock"]),
        ("unix@x.sock", vec!["unix x.sock"]),
        ("/run/x.sock,:80", vec!["unix /run/x.sock", "0.0.0.0:80"]),
    ] {
        let expected = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(listens(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_listen_is_pointed_at() {
    for (text, message, at) in [
        (
            "",
            "'' resolves to an empty address (environment variable missing?)",
            0..0,
        ),
        (
            ":80,,:81",
            "'' resolves to an empty address (environment variable missing?)",
            4..4,
        ),
        (":0", "invalid port '0'", 1..2),
        ("10.0.0.1:70000", "invalid port '70000'", 9..14),
        (":80x", "invalid port '80x'", 1..4),
        (":90-80", "invalid port range '90-80'", 1..6),
        ("10.0.0.1", "missing port specification in '10.0.0.1'", 0..8),
        (
            "10.0.0.1:",
            "missing port specification in '10.0.0.1:'",
            0..9,
        ),
        (
            ":80,10.0.0.300:80",
            "invalid address: '10.0.0.300' in '10.0.0.300:80'",
            4..14,
        ),
        (
            "fd@x",
            "file descriptor 'x' is not a valid integer in 'fd@x'",
            3..4,
        ),
        (
            "quic4@:443",
            "addresses with 'quic4@' cannot be run by this version",
            0..10,
        ),
        (":1-65535", "too many listeners", 0..8),
    ] {
        assert_eq!(listens(text), Err((message.to_owned(), at)), "{text}");
    }
    assert!(listens(&format!("/{}", "x".repeat(200))).is_err());
}

#[test]
fn servers() {
    let ip = |text: &str, port| ServerAddress::Ip(text.parse().expect("an address"), port);
    for (text, expected) in [
        ("10.0.0.1:80", ip("10.0.0.1", Some(80))),
        ("10.0.0.1", ip("10.0.0.1", None)),
        ("10.0.0.1:", ip("10.0.0.1", None)),
        ("10.0.0.1:0", ip("10.0.0.1", None)),
        ("[2001:db8::1]:80", ip("2001:db8::1", Some(80))),
        ("[2001:db8::1]", ip("2001:db8::1", None)),
        ("2001:db8::1:80", ip("2001:db8::1", Some(80))),
        (
            "web1.example.com:80",
            ServerAddress::Name("web1.example.com".into(), Some(80)),
        ),
        ("localhost", ServerAddress::Name("localhost".into(), None)),
        ("/run/s.sock", ServerAddress::Unix("/run/s.sock".into())),
    ] {
        assert_eq!(server_address(text.as_bytes()), Ok(expected), "{text}");
    }
    for text in [
        "",
        "*:80",
        "0.0.0.0:80",
        "[::]:80",
        "10.0.0.1:+5",
        "10.0.0.1:80-90",
        "ipv4@::1:80",
        "10.0.0.999",
        "fd@4",
        "a b:80",
        "-x:80",
    ] {
        assert!(server_address(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn log_targets() {
    let udp = |text: &str| LogAddress::Udp(text.parse().expect("an address"));
    for (text, expected) in [
        ("127.0.0.1", udp("127.0.0.1:514")),
        ("127.0.0.1:1514", udp("127.0.0.1:1514")),
        ("udp@127.0.0.1:1514", udp("127.0.0.1:1514")),
        ("[::1]", udp("[::1]:514")),
        ("/dev/log", LogAddress::Unix("/dev/log".into())),
        ("stdout", LogAddress::Fd(1)),
        ("stderr", LogAddress::Fd(2)),
        ("fd@7", LogAddress::Fd(7)),
    ] {
        assert_eq!(log_address(text.as_bytes()), Ok(expected), "{text}");
    }
    for text in [
        "",
        "global",
        "127.0.0.1:0",
        "127.0.0.1:x",
        "ring@x",
        "log.example.com",
    ] {
        assert!(log_address(text.as_bytes()).is_err(), "{text}");
    }
}
