//! Random small configurations, and two ways to write them down.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A line: words, and the options behind them where it has such.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) words: Vec<String>,
    pub(crate) options: Vec<Vec<String>>,
}

/// Lines that have options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Server,
    Bind,
}

/// A section: the line that starts it, and those below.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) head: Vec<String>,
    pub(crate) lines: Vec<Line>,
}

/// What lines in a block that is not read start with.
pub(crate) const UNREAD: &str = "never-read";

const GLOBAL: &[&str] = &[
    "maxconn 10",
    "maxconn 20",
    "nbthread 2",
    "hard-stop-after 5s",
    "log 127.0.0.1 local0",
    "stats timeout 30s",
    "tune.bufsize 32768",
    "ssl-default-bind-options ssl-min-ver TLSv1.2",
];

const ANY: &[&str] = &[
    "mode http",
    "timeout client 1s",
    "timeout server 2s",
    "timeout connect 3s",
    "timeout queue 4s",
    "timeout http-request 5s",
    "retries 2",
    "option dontlognull",
    "option forwardfor",
    "no option forwardfor",
    "option http-server-close",
    "log global",
];

const FRONT: &[&str] = &[
    "maxconn 30",
    "backlog 10",
    "default_backend b0",
    "default_backend b1",
    "use_backend b0 if { path_beg /x }",
    "use_backend b1 if api !{ src 10.0.0.0/8 }",
    "acl own src 10.0.0.0/8 192.168.0.0/16",
    "http-request deny if api",
    "http-request set-header X-A one~two if { hdr(host) -i www.example }",
    "http-request set-var(txn.path) path",
    "http-request redirect location /y if api { path_end .php }",
    "http-response set-header X-B %[res.hdr(server),lower]",
    "tcp-request connection reject if { src 192.0.2.0/24 }",
    "capture request header Host len 10",
    "option httplog",
    "log-format %ci~%r",
    "unique-id-format %{+X}o%ci",
    "monitor-uri /up",
];

const BACK: &[&str] = &[
    "balance leastconn",
    "balance roundrobin",
    "balance hdr(X-Key)",
    "hash-type consistent",
    "fullconn 7",
    "cookie SRV insert indirect nocache",
    "source 192.0.2.1",
    "http-reuse always",
    "default-server inter 1s weight 7",
    "stick-table type ip size 1k expire 30s store conn_cur",
    "option httpchk GET /health",
    "http-check expect status 200",
    "http-request set-path /app%[path]",
    "http-request del-header X-A",
    "http-response del-header Server",
    "persist rdp-cookie",
    "retry-on conn-failure",
];

const SERVER_OPTIONS: &[&str] = &[
    "weight 0",
    "weight 5",
    "weight 200",
    "maxconn 10",
    "maxconn 20",
    "check",
    "inter 500ms",
    "fall 2",
    "rise 4",
    "port 8080",
    "cookie c1",
    "source 192.0.2.9",
    "backup",
    "disabled",
    "id 7",
    "send-proxy",
];

const BIND_OPTIONS: &[&str] = &[
    "name front",
    "interface eth0",
    "maxconn 9",
    "backlog 8",
    "accept-proxy",
    "ssl",
    "crt site.pem",
    "crt other.pem",
    "ssl-min-ver TLSv1.3",
];

/// Words between spaces; `~` is a space inside a word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let words = text.split(' ').map(|word| word.replace('~', " "));
    words.collect()
}

impl Line {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            words: words(text),
            options: Vec::new(),
        }
    }

    /// All words.
    pub(crate) fn all(&self) -> Vec<String> {
        let options = self.options.iter().flatten();
        self.words.iter().chain(options).cloned().collect()
    }

    /// Whether its options are known apart from its other words, and those of which of the two kinds it
    /// has: a server's or a bind's.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match (self.words[0].as_str(), self.words.len()) {
            ("server", 3) => Some(Kind::Server),
            ("bind", 2) => Some(Kind::Bind),
            _ => None,
        }
    }
}

fn option(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    select(of).prop_map(words)
}

/// An option, and the lines that have such.
pub(crate) fn any_option() -> impl Strategy<Value = (Kind, Vec<String>)> {
    prop_oneof![
        2 => option(SERVER_OPTIONS).prop_map(|option| (Kind::Server, option)),
        1 => option(BIND_OPTIONS).prop_map(|option| (Kind::Bind, option)),
    ]
}

fn with_options(
    words: impl Strategy<Value = String>,
    of: &'static [&'static str],
) -> impl Strategy<Value = Line> {
    (words, vec(option(of), 0..4)).prop_map(|(text, options)| Line {
        options,
        ..Line::new(&text)
    })
}

pub(crate) fn server() -> impl Strategy<Value = Line> {
    let address = (1..=254_u8).prop_map(|octet| format!("server s 10.0.0.{octet}:80"));
    with_options(address, SERVER_OPTIONS)
}

fn bind() -> impl Strategy<Value = Line> {
    let address = (1024..=65000_u16).prop_map(|port| format!("bind 127.0.0.1:{port}"));
    with_options(address, BIND_OPTIONS)
}

fn pool(of: &'static [&'static str]) -> impl Strategy<Value = Line> {
    select(of).prop_map(Line::new)
}

/// A line for a section of any kind; it may well be wrong there.
pub(crate) fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        4 => server(),
        1 => bind(),
        1 => pool(GLOBAL),
        2 => pool(ANY),
        3 => pool(FRONT),
        3 => pool(BACK),
    ]
}

fn section(
    head: String,
    first: &'static [&'static str],
    lines: impl Strategy<Value = Line>,
) -> impl Strategy<Value = Section> {
    vec(lines, 0..6).prop_map(move |lines| Section {
        head: words(&head),
        lines: first.iter().copied().map(Line::new).chain(lines).collect(),
    })
}

pub(crate) fn front(name: &str) -> BoxedStrategy<Section> {
    let lines = prop_oneof![2 => bind(), 1 => pool(ANY), 4 => pool(FRONT)];
    section(
        format!("frontend {name}"),
        &["acl api path_beg /api /rest", "timeout client 9s"],
        lines,
    )
    .boxed()
}

pub(crate) fn back(name: &str) -> BoxedStrategy<Section> {
    let lines = prop_oneof![3 => server(), 1 => pool(ANY), 2 => pool(BACK)];
    section(
        format!("backend {name}"),
        &["timeout connect 8s", "timeout server 8s"],
        lines,
    )
    .boxed()
}

/// A configuration. Two backends that frontends may name are always there.
pub(crate) fn configuration() -> BoxedStrategy<Vec<Section>> {
    let global = section("global".to_owned(), &[], pool(GLOBAL));
    let defaults = section("defaults".to_owned(), &["mode http"], pool(ANY));
    let named = section("defaults own from d".to_owned(), &["mode http"], pool(ANY));
    let first = vec![
        global.boxed(),
        section("defaults d".to_owned(), &["mode http"], pool(ANY)).boxed(),
    ];
    let some = (
        first,
        defaults,
        prop::option::of(named),
        vec(front("f0"), 0..2),
        back("b0"),
        back("b1"),
        any::<bool>(),
    );
    some.prop_map(|(mut all, defaults, own, fronts, b0, mut b1, heir)| {
        // Most of these may be said once.
        let mut said = HashSet::new();
        all[0]
            .lines
            .retain(|line| said.insert(line.words[0].clone()));
        let has_own = own.is_some();
        all.extend(own);
        all.push(defaults);
        if heir && has_own {
            b1.head.extend(words("from own"));
        }
        all.extend(fronts.into_iter().chain([b0, b1]));
        name_servers(&mut all);
        all
    })
    .boxed()
}

/// Gives the servers of each section names of their own.
pub(crate) fn name_servers(sections: &mut [Section]) {
    for section in sections {
        let servers = section.lines.iter_mut();
        let servers = servers.filter(|line| line.words[0] == "server");
        for (number, server) in servers.enumerate() {
            server.words[1] = format!("s{number}");
        }
    }
}

/// As a program would write it: one space between words, each in quotes.
pub(crate) fn plain(sections: &[Section]) -> Vec<u8> {
    let mut out = String::new();
    let mut put = |words: &[String]| {
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    };
    for section in sections {
        put(&section.head);
        section.lines.iter().for_each(|line| put(&line.all()));
    }
    out.into_bytes()
}

fn quoted(word: &str) -> String {
    if word.contains('\'') {
        let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{}\"", escaped.replace('$', "\\$"));
    }
    format!("'{word}'")
}

/// As people write it. What stands around words is decided by `hands`, in turn.
pub(crate) fn written(sections: &[Section], hands: &[u8]) -> Vec<u8> {
    let mut turn = hands.iter().copied().cycle();
    let mut hand = |most: u8| turn.next().unwrap_or_default() % most;
    let mut out = String::new();
    for section in sections {
        match hand(4) {
            0 => out.push_str("\n# What is below.\n"),
            1 => out.push_str("   # indented\n\n"),
            _ => {}
        }
        put(&mut out, &section.head, "", &mut hand);
        for line in &section.lines {
            let block = hand(12);
            match block {
                0 => out.push_str(".if 1\n"),
                1 => out.push_str(".if 0\n  never-read \"x\" # y\n.else\n"),
                2 => out.push_str(".if 0\nnever-read\n.endif\n\n"),
                3 => out.push_str("  # server s9 10.9.9.9:80\n\r\n"),
                _ => {}
            }
            let indentation = ["    ", "\t", "  ", ""][usize::from(hand(4))];
            put(&mut out, &line.all(), indentation, &mut hand);
            if block < 2 {
                out.push_str("  .endif # of it\n");
            }
        }
    }
    out.into_bytes()
}

fn put(out: &mut String, words: &[String], indentation: &str, hand: &mut impl FnMut(u8) -> u8) {
    out.push_str(indentation);
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push_str([" ", "  ", "\t", " \t "][usize::from(hand(4))]);
        }
        let plain = !word.is_empty() && word.bytes().all(is_plain);
        match hand(6) {
            0 => out.push_str(&quoted(word)),
            1 if !word.contains(['"', '\\', '$']) => out.push_str(&format!("\"{word}\"")),
            2 if plain && word.len() > 2 => {
                // Half of it in quotes.
                let (left, right) = word.split_at(word.len() / 2);
                out.push_str(&format!("{left}'{right}'"));
            }
            _ if plain => out.push_str(word),
            _ => out.push_str(&quoted(word)),
        }
    }
    out.push_str(["", "", " # why", "\t#", "   "][usize::from(hand(5))]);
    out.push_str(if hand(5) == 0 { "\r\n" } else { "\n" });
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\"'\\".contains(&byte)
}
