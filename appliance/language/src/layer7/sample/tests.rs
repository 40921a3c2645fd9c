use std::collections::BTreeSet;

use lanai_model::layer7::SampleType;
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Parsed, String> {
    parse(text.as_bytes(), 0, Stop::End).map_err(|fault| fault.message)
}

fn gives(text: &str) -> SampleType {
    match read(text) {
        Ok(parsed) => parsed.expression.gives,
        Err(message) => panic!("{text}: {message}"),
    }
}

fn refused(text: &str) -> String {
    match read(text) {
        Ok(parsed) => panic!("{text} is taken: {parsed:?}"),
        Err(message) => message,
    }
}

fn listed(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// Names HAProxy 3.2's manual gives in sections 7.3.2 to 7.3.7, and those in 7.3.1.
const MANUAL_FETCHES: &str = include_str!("../../../tests/manual-3.2/fetches.txt");
const MANUAL_CONVERTERS: &str = include_str!("../../../tests/manual-3.2/converters.txt");

#[test]
fn every_fetch_of_the_manual_is_in_the_table() {
    let missing: Vec<_> = listed(MANUAL_FETCHES)
        .into_iter()
        .filter(|name| fetch(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(listed(MANUAL_FETCHES).len() > 500);
}

#[test]
fn every_converter_of_the_manual_is_in_the_table() {
    let missing: Vec<_> = listed(MANUAL_CONVERTERS)
        .into_iter()
        .filter(|name| converter(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(listed(MANUAL_CONVERTERS).len() > 150);
}

#[test]
fn rows_say_all_there_is_to_say() {
    let fetches = all_fetches().map(|row| {
        (
            row.name,
            row.signature,
            row.required,
            row.arguments,
            row.since,
            row.about,
        )
    });
    let converters = all_converters().map(|row| {
        (
            row.name,
            row.signature,
            row.required,
            row.arguments,
            row.since,
            row.about,
        )
    });
    for (name, signature, required, arguments, since, about) in fetches.chain(converters) {
        assert!(about.ends_with('.') && about.len() > 10, "{name}: {about}");
        let (major, minor) = since.split_once('.').expect("a version");
        assert!(
            matches!(major, "1" | "2" | "3") && minor.parse::<u8>().is_ok(),
            "{name}: {since}"
        );
        assert_eq!(
            signature.is_empty(),
            arguments.is_empty(),
            "{name}: {signature}"
        );
        assert!(required <= arguments.len(), "{name}");
    }
}

#[test]
fn names_are_given_once() {
    let mut seen = BTreeSet::new();
    for row in all_fetches() {
        assert!(seen.insert(row.name), "{}", row.name);
    }
    let mut seen = BTreeSet::new();
    for row in all_converters() {
        assert!(seen.insert(row.name), "{}", row.name);
    }
}

#[test]
fn types_pass_through_converters() {
    assert_eq!(gives("src"), SampleType::Addr);
    assert_eq!(gives("req.hdr(host),lower,length"), SampleType::Int);
    assert_eq!(gives("src,ipmask(24,64)"), SampleType::Addr);
    assert_eq!(gives("path,debug(x)"), SampleType::Str);
    assert_eq!(gives("var(txn.a),add(1)"), SampleType::Int);
    assert_eq!(gives("str('a,b)c'),map(/etc/m.map,x)"), SampleType::Str);
    assert_eq!(gives("hdr(host),,lower,"), SampleType::Str);
}

#[test]
fn mistakes_are_said_in_haproxys_words() {
    assert_eq!(refused(""), "missing fetch method");
    assert_eq!(refused("nosuch(1)"), "unknown fetch method 'nosuch'");
    assert_eq!(refused("path,nosuch"), "unknown converter 'nosuch'");
    assert_eq!(
        refused("src,lower,jwt_verify"),
        "invalid arg in converter 'jwt_verify' : missing arguments (got 1/2), type 'string' expected"
    );
    assert_eq!(
        refused("req.ssl_st_ext,sha1,add(1)"),
        "converter 'add' cannot be applied"
    );
    assert_eq!(refused("path lower"), "missing comma after fetch keyword");
    assert_eq!(
        refused("path,lower upper"),
        "missing comma after converter 'lower'"
    );
    assert_eq!(
        refused("var(x.y)"),
        "invalid args in fetch method 'var' : invalid variable name 'x.y'. A variable name must be \
         start by its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'"
    );
    assert_eq!(
        refused("rand(x)"),
        "fetch method 'rand' : failed to parse 'x' as type 'integer' at position 1"
    );
    assert_eq!(refused("hdr(a"), "fetch method 'hdr' : expected ')'");
}

#[test]
fn what_is_nearest_is_offered() {
    let fault = parse(b"req.hdrr(host)", 0, Stop::End).expect_err("no such fetch");
    assert_eq!(fault.near, Some("req.hdr"));
    let fault = parse(b"path,lowr", 0, Stop::End).expect_err("no such converter");
    assert_eq!((fault.near, fault.at), (Some("lower"), 5..9));
}

#[test]
fn references_are_left_to_be_looked_up() {
    let parsed = read("nbsrv(b1),add(1),in_table(t1)").expect("an expression");
    let wants: Vec<_> = parsed
        .references
        .into_iter()
        .map(|found| found.wants)
        .collect();
    assert_eq!(
        wants,
        [
            Wants::Backend(Some("b1".to_owned())),
            Wants::Table(Some("t1".to_owned()))
        ]
    );
    let parsed = read("srv_conn(b/s)").expect("an expression");
    assert_eq!(
        parsed.references[0].wants,
        Wants::Server(Some("b".to_owned()), "s".to_owned())
    );
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&text, 0, Stop::End);
        let _ = parse(&text, 0, Stop::Anywhere);
    }

    #[test]
    fn no_calls_are_too_much(
        fetch_at in 0..500usize,
        converter_at in 0..200usize,
        arguments in "[-a-z0-9.,'\"\\\\()/: ]{0,30}",
        more in "[-a-z0-9.,'\"\\\\()/: ]{0,30}",
    ) {
        let fetch = all_fetches().nth(fetch_at).map_or("src", |row| row.name);
        let converter = all_converters().nth(converter_at).map_or("lower", |row| row.name);
        let text = format!("{fetch}({arguments}),{converter}({more})");
        for stop in [Stop::End, Stop::Anywhere] {
            if let Err(fault) = parse(text.as_bytes(), 0, stop) {
                prop_assert!(fault.at.start <= fault.at.end && fault.at.end <= text.len() + 1, "{text}: {fault:?}");
            }
        }
    }
}
