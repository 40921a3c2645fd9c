use lanai_diagnostics::{Diagnostic, SourceMap};

use super::*;
use crate::{Environment, Facts, codes, layer7};

/// Codes of the lints of a text, with the words each is about.
fn lints(text: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::new();
    let file = sources.add("haproxy.cfg", text.as_bytes());
    let outcome = layer7::read(&sources, &[file], &Environment::new(), &Facts::default());
    let shown = |found: &Diagnostic| {
        let words = String::from_utf8_lossy(sources.slice(found.span)).into_owned();
        (found.code.to_string(), words)
    };
    let told = outcome.diagnostics.iter();
    told.filter(|found| found.code != codes::NOT_SUPPORTED_YET)
        .map(shown)
        .collect()
}

const START: &str = "\
defaults
 mode http
 timeout connect 1s
 timeout client 1s
 timeout server 1s
frontend f
 bind :80
 default_backend b
backend b
 server s 10.0.0.1:80
";

#[test]
fn a_plain_text_is_quiet() {
    assert_eq!(lints(START), []);
}

#[test]
fn a_comment_silences_the_warnings_it_names() {
    let text = |line: &str, comment: &str| {
        START.replace(
            " server s 10.0.0.1:80\n",
            &format!("{line} server s 10.0.0.1:80 cookie s {comment}\n"),
        )
    };
    let found = [("L013".to_owned(), "cookie s".to_owned())];
    assert_eq!(lints(&text("", "")), found);
    for comment in [
        "# lanai: allow L013",
        "# lanai: allow l013 nobody needs it yet",
        "# lanai: allow L001, L013",
        "# known # lanai: allow L013",
    ] {
        assert_eq!(lints(&text("", comment)), [], "{comment}");
    }
    assert_eq!(lints(&text(" # lanai: allow L013\n", "")), []);
    assert_eq!(lints(&text("", "# lanai: allow L012")), found);
    assert_eq!(lints(&text("", "# allow L013")), found);
    // One on the line before belongs to that line, unless it stands alone there.
    let before = text(" balance roundrobin # lanai: allow L013\n", "");
    assert_eq!(lints(&before), found);
}

#[test]
fn a_comment_that_allows_nothing_is_told_of() {
    let text = START.replace("mode http", "mode http # lanai: allow L999 L001");
    assert_eq!(lints(&text), [("L026".to_owned(), "L999".to_owned())]);
}

#[test]
fn an_alert_is_not_silenced() {
    let text = START.replace(
        " default_backend b\n",
        " default_backend x # lanai: allow X002\n",
    );
    assert_eq!(lints(&text), [("X002".to_owned(), "x".to_owned())]);
}

#[test]
fn a_fix_makes_the_text_good() {
    let rules = " acl a path /a\n acl b src 10.0.0.1\n http-request deny if ! a !b\n";
    let text = START.replace(
        " default_backend b\n",
        &format!("{rules} default_backend b\n"),
    );
    let mut sources = SourceMap::new();
    let file = sources.add("haproxy.cfg", text.as_bytes());
    let outcome = layer7::read(&sources, &[file], &Environment::new(), &Facts::default());
    let mut told = outcome.diagnostics.iter();
    let found = told
        .find(|found| found.code == codes::ALL_MUST_FAIL)
        .expect("the lint");
    let mended = found.fix.as_ref().expect("a fix").apply(text.as_bytes());
    let mended = String::from_utf8(mended).expect("text");
    assert!(
        mended.contains(" http-request deny unless a b\n"),
        "{mended}"
    );
    assert_eq!(lints(&mended), []);
}

#[test]
fn certificates_are_judged_by_the_clock_that_is_given() {
    let dates = |not_before, not_after| CertificateDates {
        file: "ssl/www.pem".to_owned(),
        place: lanai_diagnostics::Span::default(),
        subject: "www.example".to_owned(),
        not_before,
        not_after,
    };
    const DAY: i64 = 86_400;
    let now = 1_000 * DAY;
    let said = |not_before, not_after| {
        let sources = SourceMap::new();
        let found = certificates(&[dates(not_before, not_after)], now, &sources);
        found
            .into_iter()
            .map(|found| found.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(0, now + 15 * DAY), Vec::<String>::new());
    for (not_before, not_after, when) in [
        (0, now - 1, "expired today"),
        (0, now - 3 * DAY, "expired 3 days ago"),
        (0, now + 1, "expires within a day"),
        (0, now + 13 * DAY, "expires in 13 days"),
        (now + DAY, now + 90 * DAY, "is not valid yet, tomorrow"),
    ] {
        let message = format!("the certificate of 'www.example' in 'ssl/www.pem' {when}");
        assert_eq!(said(not_before, not_after), [message]);
    }
    assert_eq!(said(i64::MIN, i64::MIN).len(), 1);
    assert_eq!(said(i64::MAX, i64::MAX).len(), 1);
}
