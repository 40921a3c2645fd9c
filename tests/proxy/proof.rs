//! That the tests can fail, and that intended differences are documented.

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::case;
use crate::compare;
use crate::engine::Kind;
use crate::run;

/// The tests of the tests.
pub(crate) fn trials(here: &Path) -> Vec<Trial> {
    let (cases, document) = (here.join("cases"), here.join("../../docs/differences.md"));
    let noticed = |name: &str, from: &'static str, to: &'static str, place: &'static str| {
        Trial::test(format!("harness::a_changed_{name}_is_noticed"), move || {
            noticed(from, to, place)
        })
    };
    vec![
        noticed(
            "request",
            "GET /",
            "GET /x",
            "server s1, connection 1 received",
        ),
        noticed(
            "response",
            "\\r\\n\\r\\nok",
            "\\r\\n\\r\\nno",
            "client a received",
        ),
        noticed(
            "close",
            "[defaults]",
            "[defaults]\noption httpclose",
            "client a ended",
        ),
        noticed(
            "log_line",
            "[defaults]",
            "[defaults]\noption tcplog",
            "log line 1",
        ),
        noticed("counter", "GET /", "BAD", "stat 1"),
        Trial::test("harness::every_difference_is_documented", move || {
            documented(&cases, &document)
        }),
    ]
}

const PLAIN: &str = "[defaults]
[server s1]
message
send HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok
[client a]
send GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n
message
[stat]
fe FRONTEND hrsp_2xx
";

/// HAProxy three times: twice the same, and once changed, which must be reported at `place`.
fn noticed(from: &str, to: &str, place: &str) -> Result<(), Failed> {
    let plain = case::parse("plain", PLAIN)?;
    let changed = case::parse("changed", &PLAIN.replacen(from, to, 1))?;
    let left = run::run(&plain, Kind::Haproxy, Some(1))?;
    let right = run::run(&changed, Kind::Haproxy, Some(1))?;
    let same = run::run(&plain, Kind::Haproxy, Some(1))?;
    let differences = compare::differences(&plain, &left, &right);
    let none = compare::differences(&plain, &left, &same);
    if !none.is_empty() {
        return Err(format!("differences between two equal runs: {none:#?}").into());
    }
    match differences.iter().any(|text| text.starts_with(place)) {
        true => Ok(()),
        false => Err(format!("nothing about '{place}' in {differences:#?}").into()),
    }
}

/// Every case with `[differs]` is named in the document, and the document names no other.
fn documented(cases: &Path, document: &Path) -> Result<(), Failed> {
    let text =
        fs::read_to_string(document).map_err(|error| format!("{}: {error}", document.display()))?;
    let intended: Vec<String> = case::read_all(cases)
        .into_iter()
        .filter(|c| c.differs.is_some())
        .map(|c| c.name)
        .collect();
    let missing: Vec<_> = intended
        .iter()
        .filter(|name| !text.contains(&format!("`{name}`")))
        .collect();
    let table = text
        .split("\n## ")
        .find(|part| part.starts_with("The proxy"));
    let named = table
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let stale: Vec<_> = named
        .filter(|name| !intended.iter().any(|i| i == name))
        .collect();
    if missing.is_empty() && stale.is_empty() {
        return Ok(());
    }
    Err(format!("not in docs/differences.md: {missing:?}; there without a case: {stale:?}").into())
}
