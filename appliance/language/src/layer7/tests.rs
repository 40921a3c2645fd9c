use std::time::Duration;

use lanai_diagnostics::Severity;
use lanai_model::layer7::*;
use proptest::prelude::*;

use super::*;

fn read_all(texts: &[&[u8]]) -> (Outcome<Config>, SourceMap) {
    let mut sources = SourceMap::new();
    let files: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| sources.add(format!("{number}.cfg"), *text))
        .collect();
    let environment = [("PORT", "8080"), ("fe1", "7")].into_iter().collect();
    let outcome = read(&sources, &files, &environment, &Facts::default());
    (outcome, sources)
}

fn config(text: &str) -> Config {
    let (outcome, sources) = read_all(&[text.as_bytes()]);
    let shown: Vec<_> = outcome
        .diagnostics
        .iter()
        .map(|found| {
            use lanai_diagnostics::render::{Style, rich};
            rich(found, &sources, Style::Plain)
        })
        .collect();
    outcome
        .value
        .unwrap_or_else(|| panic!("{}", shown.join("\n")))
}

const DEFAULTS: &str =
    "defaults\n mode http\n timeout client 1s\n timeout server 2s\n timeout connect 3s\n";

#[test]
fn global_settings_arrive() {
    let config = config(
        "global\n nbthread 4\n maxconn 1000\n stats timeout 30s\n hard-stop-after 5m\n \
         tune.bufsize 32k\n tune.maxrewrite 2048\n tune.ssl.cachesize 0\n \
         stats socket \"fd@${fe1}\" level admin\nglobal\n stats socket /run/x.sock mode 600\n \
         log 127.0.0.1:515 len 200 format rfc5424 local2 info err\n",
    );
    let global = config.global;
    assert_eq!(global.nbthread.map(u16::from), Some(4));
    assert_eq!(global.maxconn, Some(1000));
    assert_eq!(global.stats_timeout, Some(Duration::from_secs(30)));
    assert_eq!(global.hard_stop_after, Some(Duration::from_secs(300)));
    assert_eq!(global.tune_bufsize, Some(32_768));
    assert_eq!(global.tune_maxrewrite, Some(2_048));
    assert_eq!(global.tune_ssl_cachesize, Some(0));
    let sockets: Vec<_> = global
        .stats_sockets
        .iter()
        .map(|s| (s.address.clone(), s.level, s.mode, s.origin.line))
        .collect();
    assert_eq!(
        sockets,
        [
            (ListenAddress::Fd(7), AccessLevel::Admin, None, 9),
            (
                ListenAddress::Unix("/run/x.sock".into()),
                AccessLevel::Operator,
                Some(0o600),
                11
            ),
        ]
    );
    assert_eq!(
        global.log,
        [LogTarget {
            address: LogAddress::Udp("127.0.0.1:515".parse().expect("an address")),
            len: 200,
            format: LogTransport::Rfc5424,
            facility: 18,
            max_level: 6,
            min_level: 3,
        }]
    );
}

#[test]
fn proxies_inherit_from_their_defaults() {
    let config = config(
        "global\n log 127.0.0.1 local0\ndefaults a\n mode http\n timeout client 1s\n maxconn 5\n \
         option http-server-close\n log global\n default_backend b\n default-server inter 4s check\n\
         defaults z from a\n maxconn 6\n no option http-server-close\n\
         frontend f from a\n bind :80\nfrontend g from z\n bind :81\n no log\n default_backend c\n\
         backend b from a\n server s 10.0.0.1:80\n server t 10.0.0.2:80 no-check weight 7\n\
         backend c from z\n mode http\n",
    );
    let proxy = |name: &str| {
        let found = config.proxies.iter().find(|proxy| &*proxy.name == name);
        found.expect("a proxy").clone()
    };
    let (f, g, b) = (proxy("f"), proxy("g"), proxy("b"));
    assert_eq!(f.kind, ProxyKind::Frontend);
    assert_eq!(f.mode, Mode::Http);
    assert_eq!((f.maxconn, g.maxconn), (Some(5), Some(6)));
    assert_eq!(f.http_connection_mode, HttpConnectionMode::ServerClose);
    assert_eq!(g.http_connection_mode, HttpConnectionMode::KeepAlive);
    assert_eq!((f.log.len(), g.log.len()), (1, 0));
    assert_eq!(f.default_backend.as_deref(), Some("b"));
    assert_eq!(g.default_backend.as_deref(), Some("c"));
    assert_eq!(
        b.default_backend, None,
        "only what takes connections has one"
    );
    let checks: Vec<_> = b.servers.iter().map(|s| s.check.map(|c| c.inter)).collect();
    assert_eq!(checks, [Some(Duration::from_secs(4)), None]);
    assert_eq!(b.servers[1].weight, 7);
    assert_eq!(f.origin.to_string(), "0.cfg:14");
}

#[test]
fn binds_and_servers_arrive() {
    let config = config(&format!(
        "global\n crt-base /etc/ssl\n ssl-default-bind-options no-tls-tickets ssl-min-ver TLSv1.3\n\
         {DEFAULTS}listen l\n bind 127.0.0.1:80-81,[::]:443 name n interface eth2 backlog 9 \
         maxconn 8 ssl crt a.pem crt /b.pem ssl-min-ver TLSv1.2\n bind \"fd@${{fe1}}\" ssl crt a.pem\n \
         server s 10.0.0.1:80 check inter 1s fastinter 2s downinter 3s rise 4 fall 5 port 6 weight 256 maxconn 7\n \
         option forwardfor except 10.0.0.0/255.0.0.0 header X-Real if-none\n http-reuse always\n retries 2\n \
         timeout tunnel 1h\n timeout queue 0\n option dontlognull\n"
    ));
    let listen = &config.proxies[0];
    let addresses: Vec<_> = listen.binds.iter().map(|b| b.address.clone()).collect();
    assert_eq!(
        addresses,
        [
            ListenAddress::Inet("127.0.0.1:80".parse().expect("an address")),
            ListenAddress::Inet("127.0.0.1:81".parse().expect("an address")),
            ListenAddress::Inet("[::]:443".parse().expect("an address")),
            ListenAddress::Fd(7),
        ]
    );
    let bind = &listen.binds[0];
    assert_eq!(bind.name.as_deref(), Some("n"));
    assert_eq!(bind.interface.as_deref(), Some("eth2"));
    assert_eq!((bind.backlog, bind.maxconn), (Some(9), Some(8)));
    let ssl = bind.ssl.clone().expect("ssl");
    assert_eq!(
        ssl.crt,
        [std::path::Path::new("/etc/ssl/a.pem"), "/b.pem".as_ref()]
    );
    assert!(ssl.options.no_tls_tickets);
    assert_eq!(ssl.options.min_version, Some(TlsVersion::Tls12), "its own");
    let other = listen.binds[3].ssl.clone().expect("ssl");
    assert_eq!(
        other.options.min_version,
        Some(TlsVersion::Tls13),
        "the default"
    );

    let server = &listen.servers[0];
    assert_eq!((server.weight, server.maxconn), (256, Some(7)));
    let check = server.check.expect("a check");
    assert_eq!((check.rise, check.fall, check.port), (4, 5, Some(6)));
    assert_eq!(check.downinter, Some(Duration::from_secs(3)));
    let forwardfor = listen.forwardfor.clone().expect("forwardfor");
    assert_eq!(&*forwardfor.header, "x-real");
    assert_eq!(
        forwardfor.except.map(|n| n.to_string()).as_deref(),
        Some("10.0.0.0/8")
    );
    assert!(forwardfor.if_none);
    assert_eq!(listen.http_reuse, HttpReuse::Always);
    assert_eq!(listen.retries, Some(2));
    assert_eq!(listen.timeouts.tunnel, Some(Duration::from_secs(3600)));
    assert_eq!(listen.timeouts.queue, None, "0 is no limit");
    assert!(listen.dontlognull);

    let named = crate::files_named(&config);
    let paths: Vec<_> = named
        .iter()
        .map(|file| file.path.to_string_lossy())
        .collect();
    assert_eq!(paths, ["/etc/ssl/a.pem", "/b.pem"]);
    assert_eq!(named[0].origin.line, 10);
}

/// Whatever reads one: ACLs, conditions, maps in expressions and formats, steps of checks, `defaults`.
#[test]
fn files_of_patterns_are_named() {
    let text = "defaults d\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n \
         acl inherited src -f inherited.lst\n http-request deny if inherited\n\
         frontend f from d\n bind :80\n acl a src -f one.lst -f file@two.lst\n acl b src -f one.lst\n \
         acl c path -m beg -M -f opt@three.map -f virt@four.map\n http-request deny if a or b or c\n \
         http-request deny if { src -f five.lst }\n \
         http-request set-header x %[src,map_ip(six.map,none)]\n \
         http-request set-var(txn.x) path,map_beg(seven.map)\n \
         http-request add-acl(eight.lst) a if { src 10.0.0.0/8 }\n log-format %[src,map(nine.map)]\n \
         use_backend %[path,map(ten.map,b)]\n \
         http-request deny if { path,map(eleven.map) -m str x }\n\
         defaults\n mode http\n timeout connect 1s\n timeout server 1s\n\
         backend b\n server s 10.0.0.1:80 check\n stick-table type string size 10\n \
         stick on src,map(twelve.map)\n option httpchk\n \
         http-check send uri-lf /%[srv_name,map(thirteen.map)]\n \
         http-check expect status 200 on-error %[srv_name,map(one.lst)]\n";
    let mut sources = SourceMap::new();
    let id = sources.add("x.cfg", text.as_bytes().to_vec());
    let (config, found) = understand(&sources, &[id], &Environment::new(), &Facts::default());
    let config = config.unwrap_or_else(|| panic!("{found:?}"));
    let named: Vec<_> = crate::files_named(&config)
        .into_iter()
        .map(|file| {
            assert_eq!(file.kind, FileKind::Patterns);
            (file.path.display().to_string(), file.origin.line)
        })
        .collect();
    let expected = [
        ("inherited.lst", 6),
        ("one.lst", 10),
        ("two.lst", 10),
        ("five.lst", 14),
        ("six.map", 15),
        ("seven.map", 16),
        ("nine.map", 18),
        ("ten.map", 19),
        ("eleven.map", 20),
        ("twelve.map", 28),
        ("thirteen.map", 30),
    ];
    let expected = expected.map(|(name, line)| (name.to_owned(), line));
    assert_eq!(named, expected);
}

#[test]
fn tcp_proxies_log_as_such() {
    let config = config(
        "defaults\n timeout client 1s\n log 127.0.0.1 local0\n option httplog\n\
         frontend f\n bind :80\nfrontend g\n mode http\n bind :81\n",
    );
    assert_eq!(config.proxies[0].log_format, LogFormat::Tcp);
    assert_eq!(config.proxies[1].log_format, LogFormat::Http);
}

#[test]
fn several_files_are_one_configuration() {
    let (outcome, _) = read_all(&[
        DEFAULTS.as_bytes(),
        b"frontend f\n bind :80\n default_backend b\n",
        b"backend b\n server s 10.0.0.1:80\n",
    ]);
    let config = outcome.value.expect("a configuration");
    assert_eq!(config.proxies.len(), 2);
    assert_eq!(
        config.proxies[1].timeouts.connect,
        Some(Duration::from_secs(3))
    );

    let (outcome, sources) = read_all(&[b"global\n", b" maxconn 5\n.if 1\n", b"\n.endif\n"]);
    assert!(outcome.value.is_none());
    let messages: Vec<_> = outcome
        .diagnostics
        .iter()
        .map(|found| (sources.name(found.span.file), found.message.as_str()))
        .collect();
    assert_eq!(
        messages,
        [
            ("1.cfg".into(), "unknown keyword 'maxconn' out of section."),
            ("1.cfg".into(), "non-terminated '.if' block."),
            ("2.cfg".into(), "lone '.endif' with no matching '.if'."),
        ]
    );
}

#[test]
fn what_the_text_sets_the_text_sees() {
    let config = config(
        "global\n setenv MODE tcp\n presetenv PORT 1\n presetenv NEW 81\n unsetenv fe1\n\
         .if !defined(fe1) && streq(\"$MODE\",tcp)\ndefaults\n mode \"$MODE\"\n timeout client 1s\n.endif\n\
         frontend f\n bind \":${PORT}\",\":${NEW}\"\nfrontend \"at-${.LINE}\"\n bind :82 name \"${.SECTION}\"\n",
    );
    assert_eq!(config.proxies[0].mode, Mode::Tcp);
    let ports: Vec<_> = config.proxies[0]
        .binds
        .iter()
        .map(|b| b.address.clone())
        .collect();
    assert_eq!(
        ports,
        [
            ListenAddress::Inet("0.0.0.0:8080".parse().expect("an address")),
            ListenAddress::Inet("0.0.0.0:81".parse().expect("an address")),
        ]
    );
    assert_eq!(&*config.proxies[1].name, "at-13");
    assert_eq!(config.proxies[1].binds[0].name.as_deref(), Some("at-13"));
}

#[test]
fn everything_is_bounded() {
    let many = "x\n".repeat(100_000);
    let (outcome, _) = read_all(&[format!("global\n{many}").as_bytes()]);
    assert_eq!(outcome.diagnostics.len(), crate::outcome::MAX_ALERTS + 1);

    let ranges = vec![":1-65535"; 64].join(",");
    let (outcome, _) = read_all(&[format!("frontend f\n bind {ranges}\n").as_bytes()]);
    assert!(
        outcome
            .diagnostics
            .iter()
            .any(|d| d.message.contains("too many listeners"))
    );
    let each = "frontend f\n bind :1-65535\n";
    let (outcome, _) = read_all(&[each.repeat(100).as_bytes()]);
    assert!(
        outcome
            .diagnostics
            .iter()
            .any(|d| d.message.contains("too many listeners"))
    );

    let nested = ".if 1\n".repeat(100_000);
    let (outcome, _) = read_all(&[nested.as_bytes()]);
    assert!(outcome.value.is_none());
    let grow = " setenv X \"x$X$X\"\n".repeat(20) + &" node \"$X\"\n".repeat(100_000);
    let (outcome, _) = read_all(&[format!("global\n{grow}").as_bytes()]);
    assert!(
        outcome
            .diagnostics
            .iter()
            .any(|d| d.message.contains("too long"))
    );

    let logs = format!("frontend f\n{}", " log 127.0.0.1 local0\n".repeat(1000));
    assert!(read_all(&[logs.as_bytes()]).0.value.is_none());
}

/// Texts that get past the lexer, so that handlers are reached.
fn config_like() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = keywords()
        .flat_map(|row| row.name.split(' '))
        .chain([
            "defaults",
            "frontend",
            "backend",
            "listen",
            "cache",
            "from",
            "no",
            "default",
            "a",
            "b",
            ":80",
            "10.0.0.1:80",
            "[::]:1-3",
            "fd@3",
            "/x",
            "5s",
            "0",
            "99999999999",
            "-1",
            "http",
            "tcp",
            "global",
            "local0",
            "level",
            "admin",
            "len",
            "format",
            "except",
            "header",
            "\"$PORT\"",
            "\"${PORT[*]}\"",
            "''",
            "#",
            ".if",
            ".elif",
            ".else",
            ".endif",
            "1",
            "!",
            "feature(THREAD)",
            "streq(a,b)",
            "&&",
            "||",
            "(",
            ")",
            "é",
            "TLSv1.2",
            "roundrobin",
        ])
        .collect();
    let word = proptest::sample::select(words);
    let line = proptest::collection::vec(word, 0..8).prop_map(|words| words.join(" "));
    proptest::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n") + "\n")
}

fn holds(texts: &[&[u8]]) -> Result<(), TestCaseError> {
    let (outcome, sources) = read_all(texts);
    let refused = outcome
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Alert);
    prop_assert_eq!(outcome.value.is_none(), refused);
    for found in &outcome.diagnostics {
        let length = sources.bytes(found.span.file).len();
        prop_assert!(found.span.start <= found.span.end && found.span.end as usize <= length);
        prop_assert!(
            !found.message.chars().any(char::is_control),
            "{}",
            found.message
        );
        lanai_diagnostics::render::rich(found, &sources, Default::default());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        holds(&[&bytes])?;
    }

    #[test]
    fn any_config_like_text_is_read(text in config_like(), other in config_like()) {
        holds(&[text.as_bytes(), other.as_bytes()])?;
        prop_assert_eq!(crate::tree::parse(text.as_bytes()).to_bytes(), text.as_bytes());
    }

    #[test]
    fn any_printable_text_is_read(text in "([ -~]{0,30}\n){0,20}") {
        holds(&[format!("defaults\n{text}").as_bytes()])?;
    }
}
