use std::collections::BTreeSet;
use std::time::Duration;

use lanai_diagnostics::SourceMap;
use lanai_model::layer7::{
    AclUse, Action, Balance, CheckPattern, CheckStep, Config, CookieMode, Figure, FormatItem,
    HashFunction, HeaderWay, Proxy, RedirectTarget, ReplyBody, Scope, StickKey, StickWay, Target,
};
use proptest::prelude::*;

use super::table::{ACTIONS, Sets, action};
use crate::layer7::understand;
use crate::{Environment, Facts, codes};

const DEFAULTS: &str = "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout \
                        server 1s\n";

fn config(text: &str) -> (Option<Config>, Vec<String>) {
    let mut sources = SourceMap::new();
    let id = sources.add("x.cfg", text.as_bytes().to_vec());
    let (config, found) = understand(&sources, &[id], &Environment::new(), &Facts::default());
    let messages = found
        .iter()
        .filter(|found| found.code != codes::NOT_SUPPORTED_YET)
        .map(|found| found.message.clone())
        .collect();
    (config, messages)
}

fn around(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!(" {line}\n")).collect();
    format!("{DEFAULTS}listen l\n bind :8000\n server s 127.0.0.1:80\n{lines}")
}

/// The proxy of these lines, which must be free of mistakes.
fn proxy(lines: &str) -> Proxy {
    let (config, messages) = config(&around(lines));
    assert!(messages.is_empty(), "{lines}: {messages:?}");
    config.expect("a model").proxies.remove(0)
}

fn action_of(line: &str) -> Action {
    let rules = proxy(line).rules;
    let mut all = [
        rules.quic_initial,
        rules.tcp_request_connection,
        rules.tcp_request_session,
        rules.tcp_request_content,
        rules.tcp_response_content,
        rules.http_request,
        rules.http_response,
        rules.http_after_response,
    ]
    .concat();
    all.pop().expect("a rule").action
}

fn refused(lines: &str) -> String {
    let (config, messages) = config(&around(lines));
    assert!(config.is_none(), "{lines} is taken");
    messages.into_iter().next().expect("a message")
}

const MANUAL: &str = include_str!("../../../tests/manual-3.2/actions.txt");

/// The manual's matrix of actions, section 4.3: a name and the letters of its sets.
#[test]
fn every_action_of_the_manual_is_in_the_table() {
    let mut wrong = Vec::new();
    for line in MANUAL.lines() {
        let (name, letters) = line.split_once(' ').expect("a name and letters");
        let sets: BTreeSet<_> = letters.chars().collect();
        let Some(row) = action(name) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        let ours: BTreeSet<_> = Sets::EACH
            .iter()
            .zip("ICSTRqra".chars())
            .filter(|((set, _), _)| row.sets.contains(*set))
            .map(|(_, letter)| letter)
            .collect();
        if !sets.is_subset(&ours) {
            wrong.push(format!("{name}: {sets:?}, here {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(MANUAL.lines().count() > 60);
}

#[test]
fn conditions_are_groups_of_terms() {
    let text = "acl a path /a\nacl b src 10.0.0.0/8\nhttp-request deny unless a !b || { path_beg /x } TRUE";
    let rules = proxy(text).rules;
    assert_eq!(rules.acls.len(), 2);
    let condition = rules.http_request[0]
        .condition
        .as_ref()
        .expect("a condition");
    assert!(condition.unless);
    assert_eq!(condition.any.len(), 2);
    assert_eq!(condition.any[0][0].acl, AclUse::Named(0));
    assert!(condition.any[0][1].negated);
    assert!(matches!(condition.any[1][0].acl, AclUse::Inline(_)));
    assert_eq!(condition.any[1].len(), 2);
}

#[test]
fn an_acl_of_several_lines_is_one() {
    let rules = proxy("acl a path /a\nhttp-request deny if a\nacl a path /b").rules;
    assert_eq!(rules.acls.len(), 1);
    assert_eq!(rules.acls[0].tests.len(), 2);
}

#[test]
fn rules_of_defaults_come_first_with_their_acls() {
    let text = "defaults d\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server \
                1s\n acl a path /a\n http-request deny if a\nfrontend f from d\n bind :80\n acl b \
                path /b\n http-request return status 200 if b\n";
    let (config, messages) = config(text);
    assert!(messages.is_empty(), "{messages:?}");
    let rules = &config.expect("a model").proxies[0].rules;
    assert_eq!(rules.acls.len(), 2);
    let used: Vec<_> = rules
        .http_request
        .iter()
        .filter_map(|rule| Some(&rule.condition.as_ref()?.any[0][0].acl))
        .collect();
    assert_eq!(used, [&AclUse::Named(0), &AclUse::Named(1)]);
}

#[test]
fn actions_have_their_arguments() {
    let Action::Header { way, name, value } = action_of("http-request set-header X-A \"%[src] b\"")
    else {
        panic!("a header");
    };
    assert_eq!(
        (way, name.items.len(), value.items.len()),
        (HeaderWay::Set, 1, 2)
    );
    assert!(matches!(value.items[0], FormatItem::Value(_)));
    let Action::SetVar {
        variable,
        conditions,
        value,
    } = action_of("http-request set-var(txn.a,ifempty) path,lower")
    else {
        panic!("a variable");
    };
    assert_eq!((variable.scope, &*variable.name), (Scope::Txn, "a"));
    assert_eq!((conditions.len(), value.converters.len()), (1, 1));
    let Action::Return(reply) =
        action_of("http-request return status 404 content-type text/plain string no hdr x y")
    else {
        panic!("an answer");
    };
    assert_eq!(reply.status, Some(404));
    assert_eq!(reply.body, ReplyBody::Text((*b"no").into()));
    assert_eq!(reply.headers.len(), 1);
    let Action::Redirect(redirect) = action_of("http-request redirect scheme https code 301")
    else {
        panic!("a redirection");
    };
    assert!(matches!(redirect.to, RedirectTarget::Scheme(_)));
    assert_eq!(redirect.code, 301);
    let counter = action_of("tcp-request content sc-add-gpc(2,1) 5");
    assert!(matches!(
        counter,
        Action::AddCounter {
            counter: 1,
            index: 2,
            by: Figure::Constant(5)
        }
    ));
}

#[test]
fn every_action_can_be_read() {
    let lines = [
        "http-request add-acl(a.lst) %[src]",
        "http-request auth realm x",
        "http-request capture req.hdr(a) len 5",
        "http-request del-header x -m beg",
        "http-request del-map(a.map) %[src]",
        "http-request deny deny_status 429",
        "http-request disable-l7-retry",
        "http-request do-log",
        "http-request early-hint link x",
        "http-request normalize-uri path-strip-dotdot full",
        "http-request pause 10ms",
        "http-request replace-header a b c",
        "http-request replace-pathq ^/a(.*) /b\\1",
        "http-request set-bandwidth-limit l limit 10k period 1s",
        "http-request set-bc-tos 0x10",
        "http-request set-dst hdr_ip(x)",
        "http-request set-log-level silent",
        "http-request set-map(a.map) %[src] 1",
        "http-request set-nice 5",
        "http-request set-priority-class int(1)",
        "http-request set-query %[query]",
        "http-request set-timeout server 5s",
        "http-request silent-drop rst-ttl 1",
        "http-request strict-mode on",
        "http-request tarpit",
        "http-request unset-var(txn.a)",
        "http-request use-service prometheus-exporter",
        "http-request wait-for-body time 1s at-least 1k",
        "http-request wait-for-handshake",
        "http-request lua.auth a b",
        "http-response set-status 503 reason busy",
        "http-response replace-value a b c",
        "http-after-response set-header x y",
        "tcp-request connection expect-proxy layer4",
        "tcp-request session attach-srv s name str(x)",
        "tcp-request content switch-mode http proto h2",
        "tcp-response content close",
        "quic-initial send-retry",
    ];
    for line in lines {
        action_of(line);
    }
}

#[test]
fn mistakes_are_said_in_haproxys_words() {
    let said = [
        (
            "http-request deny if nosuch",
            "error detected while parsing an 'http-request deny' condition : no such ACL : 'nosuch'.",
        ),
        (
            "http-request deny when",
            "'http-request deny' expects either 'if' or 'unless' followed by a condition but found \
             'when'.",
        ),
        (
            "http-request set-header A",
            "error detected in proxy 'l' while parsing 'http-request set-header' rule : expects \
             exactly 2 arguments.",
        ),
        (
            "http-request set-header A %[foo]",
            "error detected in proxy 'l' while parsing 'http-request set-header' rule : failed to \
             parse sample expression <foo]> : unknown fetch method 'foo'.",
        ),
        (
            "http-request deny status 999",
            "error detected in proxy 'l' while parsing 'http-request deny' rule : Unexpected status \
             code '999'.",
        ),
        (
            "acl b nosuch /x",
            "error detected while parsing ACL 'b' : unknown fetch method 'nosuch' in ACL expression \
             'nosuch'.",
        ),
        (
            "http-request deny if { path /x",
            "error detected while parsing an 'http-request deny' condition : missing closing '}' in \
             condition.",
        ),
        (
            "http-request set-header X-a %[nbsrv(nosuch)]",
            "unable to find backend 'nosuch' referenced in arg 1 of sample fetch keyword 'nbsrv' in \
             http-request expression in proxy 'l'.",
        ),
        (
            "http-request set-header X-a %[srv_conn(nosuch)]",
            "unable to find server 'nosuch' in proxy 'l', referenced in arg 1 of sample fetch \
             keyword 'srv_conn' in http-request expression in proxy 'l'.",
        ),
        (
            "http-request set-header X-a %[table_cnt]",
            "unable to find table 'l' referenced in arg 1 of sample fetch keyword 'table_cnt' in \
             http-request expression in proxy 'l'.",
        ),
        (
            "use_backend nosuch if TRUE",
            "Proxy 'l': unable to find required use_backend: 'nosuch'.",
        ),
        (
            "use-server nosuch if TRUE",
            "proxy 'l' : unable to find server 'nosuch' referenced in a 'use-server' rule.",
        ),
    ];
    for (line, message) in said {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn mistakes_in_other_lines_are_said_in_haproxys_words() {
    let said = [
        ("stick-table type ip", "stick-table: missing size."),
        (
            "stick-table type ip size 1k store foo",
            "stick-table: unknown store option 'foo'.",
        ),
        (
            "stick on src table nosuch",
            "unable to find table 'nosuch' referenced by a 'stick' rule in proxy 'l'.",
        ),
        (
            "stick match src,nosuch",
            "'stick' : unknown converter 'nosuch'.",
        ),
        (
            "log-format %foo",
            "failed to parse log-format : no such format alias 'foo'. If you wanted to emit the '%' \
             character verbatim, you need to use '%%'.",
        ),
        (
            "balance random(0)",
            "balance random : number of draws must be at least 1.",
        ),
        (
            "cookie S rewrite insert",
            "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible.",
        ),
        (
            "errorfile 999 x",
            "errorfile : status code '999' not handled.",
        ),
        (
            "http-request capture src id 5",
            "Proxy 'l': unable to find capture id '5' referenced by http-request capture rule.",
        ),
        (
            "http-after-response deny",
            "'http-after-response' does not support the action 'deny'",
        ),
    ];
    for (line, message) in said {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn what_can_never_match_is_a_warning() {
    let (config, messages) = config(&around("http-response deny if { path /x }"));
    assert!(config.is_some());
    assert_eq!(
        messages,
        [
            "anonymous acl will never match because it uses keyword 'path' which is incompatible with \
          'backend http-response header rule'"
        ]
    );
}

#[test]
fn a_backend_may_be_named_by_a_format() {
    let rules = proxy("use_backend %[path,lower] if TRUE").rules;
    assert!(matches!(rules.use_backend[0].target, Target::Format(_)));
}

#[test]
fn tables_keep_what_they_are_told() {
    let text = "stick-table type string len 64 size 100k expire 30m nopurge store \
                conn_cnt,http_req_rate(10s),gpc(5)\nstick on src table l if { path / }\nstick \
                store-response res.cook(a)\nhttp-request track-sc1 src\nhttp-request deny if { \
                sc1_http_req_rate gt 10 }";
    let rules = proxy(text).rules;
    let table = rules.stick_table.expect("a table");
    assert_eq!(table.key, StickKey::String { len: 64 });
    assert_eq!((table.size, table.nopurge), (102_400, true));
    let stored: Vec<_> = table.store.iter().map(|data| data.name).collect();
    assert_eq!(stored, ["conn_cnt", "http_req_rate", "gpc"]);
    assert_eq!(table.store[1].period, Some(Duration::from_secs(10)));
    assert_eq!(table.store[2].elements, Some(5));
    assert_eq!(rules.stick.len(), 2);
    assert_eq!(rules.stick[0].table.as_deref(), Some("l"));
    assert_eq!(rules.stick[1].way, StickWay::StoreResponse);
}

#[test]
fn servers_are_chosen_in_every_way() {
    let ways = [
        ("leastconn", Balance::LeastConnections),
        (
            "uri len 10 whole",
            Balance::Uri {
                len: Some(10),
                depth: None,
                path_only: false,
                whole: true,
            },
        ),
        (
            "hdr(host) use_domain_only",
            Balance::Header {
                name: "host".into(),
                domain_only: true,
            },
        ),
        (
            "url_param id check_post",
            Balance::UrlParam {
                name: "id".into(),
                check_post: Some(48),
            },
        ),
        ("random(3)", Balance::Random { draws: 3 }),
        (
            "rdp-cookie",
            Balance::RdpCookie {
                name: "msts".into(),
            },
        ),
    ];
    for (words, balance) in ways {
        assert_eq!(
            proxy(&format!("balance {words}")).balance,
            balance,
            "{words}"
        );
    }
    let hash = proxy("balance hash req.hdr(a),lower").balance;
    assert!(matches!(hash, Balance::Hash(expression) if expression.converters.len() == 1));
    let rules = proxy(
        "hash-type consistent djb2 avalanche\ncookie S insert indirect maxidle 30 attr \
                       SameSite=None",
    )
    .rules;
    let hash = rules.hash_type.expect("a hash");
    assert!(hash.consistent && hash.avalanche && hash.function == HashFunction::Djb2);
    let cookie = rules.cookie.expect("a cookie");
    assert_eq!((cookie.mode, cookie.indirect), (CookieMode::Insert, true));
    assert_eq!(cookie.maxidle, Some(Duration::from_secs(30)));
}

#[test]
fn captures_are_slots() {
    let rules = proxy(
        "capture request header Host len 20\ndeclare capture response len 5\n\
                       capture cookie S= len 8\nhttp-request capture src len 15\nhttp-response \
                       capture res.hdr(a) id 0",
    )
    .rules;
    assert_eq!(rules.request_captures.len(), 2);
    assert_eq!(rules.request_captures[0].header.as_deref(), Some("Host"));
    assert!(matches!(
        rules.http_request[0].action,
        Action::Capture { slot: 1, .. }
    ));
    assert_eq!(rules.capture_cookie.expect("a cookie").len, 8);
}

#[test]
fn formats_of_lines_are_kept() {
    let rules = proxy(
        "log 127.0.0.1 local0\nlog-format \"%ci %[src]\"\nunique-id-format %{+X}o%rt:%pid\n\
                       unique-id-header X-Id\nhttp-error status 503 content-type text/plain string \
                       busy\nerrorloc303 404 /missing",
    )
    .rules;
    assert_eq!(rules.log_format.expect("a format").items.len(), 3);
    assert!(rules.unique_id_format.expect("a format").flags.hexadecimal);
    assert_eq!(rules.unique_id_header.as_deref(), Some("X-Id"));
    assert_eq!(rules.http_errors.len(), 2);
}

#[test]
fn checks_are_steps() {
    let rules = proxy("option httpchk\ndefault-server check\nhttp-check connect port 8080 ssl sni a.example\nhttp-check send meth GET uri \
                       /health hdr Host a.example\nhttp-check expect ! rstatus ^5\nhttp-check expect \
                       status 200-299,304 comment fine\nhttp-check set-var(check.a) res.hdr(x)\n\
                       http-check disable-on-404\nstats admin if LOCALHOST").rules;
    assert_eq!(rules.http_check.len(), 5);
    assert!(rules.disable_on_404 && rules.stats_admin.len() == 1);
    let CheckStep::Expect(expect) = &rules.http_check[3] else {
        panic!("{:?}", rules.http_check[3]);
    };
    assert_eq!(
        expect.pattern,
        CheckPattern::Status(vec![(200, 299), (304, 304)])
    );
    assert!(matches!(&rules.http_check[2], CheckStep::Expect(expect) if expect.negated));
    assert!(
        matches!(&rules.http_check[4], CheckStep::SetVar(variable, _) if &*variable.name == "a")
    );
    let rules =
        proxy("option tcp-check\ndefault-server check\ntcp-check connect\ntcp-check send-binary 0a0b\ntcp-check expect binary ff").rules;
    assert_eq!(rules.tcp_check[1], CheckStep::Send(vec![10, 11].into()));
}

#[test]
fn own_steps_take_the_place_of_inherited_ones() {
    let text = "defaults d\n mode http\n timeout connect 1s\n timeout server 1s\n option httpchk\n \
                http-check send uri /\n http-check expect status 200\n tcp-check send x\n\
                backend own from d\n server s 127.0.0.1:80\n http-check expect status 201\n\
                backend afresh from d\n server s 127.0.0.1:80\n option httpchk\n\
                backend same from d\n server s 127.0.0.1:80\n\
                backend tcp from d\n server s 127.0.0.1:80\n option tcp-check\n";
    let (config, messages) = config(text);
    let lints = messages
        .iter()
        .filter(|text| !text.contains("sends requests") && !text.contains("'check'"));
    assert_eq!(lints.count(), 0, "{messages:?}");
    let config = config.expect("a model");
    let steps: Vec<_> = config
        .proxies
        .iter()
        .map(|proxy| proxy.rules.http_check.len())
        .collect();
    assert_eq!(steps, [1, 0, 2, 2]);
    let tcp = config
        .proxies
        .last()
        .map(|proxy| proxy.rules.tcp_check.len());
    assert_eq!(tcp, Some(0), "steps without their option are not handed on");
}

#[test]
fn mistakes_in_checks_are_said_in_haproxys_words() {
    let said = [
        (
            "http-check expect status abc",
            "'http-check expect' : invalid character 'a' in the list of status codes.",
        ),
        (
            "http-check expect string",
            "'http-check expect' : 'string' expects a <pattern> as argument.",
        ),
        (
            "http-check send uri-lf %[foo]",
            "'http-check send' : '%[foo]' invalid log-format string (failed to parse sample \
             expression <foo]> : unknown fetch method 'foo').",
        ),
        (
            "tcp-check send-binary 0",
            "'tcp-check send-binary' : '0' invalid binary string (an even number of hex digit is \
             expected).",
        ),
        (
            "tcp-check send abc foo",
            "'tcp-check send' : expects 'comment' but got 'foo' as argument.",
        ),
        (
            "stats admin if nosuch",
            "error detected while parsing a 'stats admin' rule : no such ACL : 'nosuch'.",
        ),
    ];
    for (line, message) in said {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn each_row_of_actions_says_where() {
    for row in ACTIONS {
        assert!(row.sets.names().next().is_some(), "{}", row.name);
        assert_eq!(action(row.name).map(|row| row.name), Some(row.name));
    }
    assert!(action("track-sc2").is_some());
    assert!(action("nosuch").is_none());
}

proptest! {
    #[test]
    fn no_rule_is_too_much(
        line in "(http-request|tcp-request content|http-response|acl x|use_backend|redirect)",
        at in 0..90usize,
        rest in "[-a-z0-9%{}()!|,./:\"' ]{0,60}",
    ) {
        let name = ACTIONS.get(at).map_or("", |row| row.name);
        let _ = config(&around(&format!("{line} {name}{rest}")));
        let _ = config(&around(&format!("{line} {rest}")));
    }
}
