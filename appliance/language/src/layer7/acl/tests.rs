use lanai_model::Origin;
use lanai_model::layer7::{AddressPattern, IntRange, Matching, TextMatch};
use proptest::prelude::*;

use super::*;
use crate::lexer;

fn words(text: &str) -> Vec<Word> {
    lexer::words(
        text.as_bytes(),
        lanai_diagnostics::FileId::default(),
        0,
        None,
    )
    .unwrap_or_default()
}

fn origin() -> Origin {
    Origin {
        file: "x.cfg".into(),
        line: 1,
    }
}

fn read(text: &str) -> Result<Arc<Test>, String> {
    let read = test::test(
        &words(text),
        Span::default(),
        &origin(),
        &mut Sink::default(),
    );
    read.map(|read| read.test).map_err(|fault| fault.message)
}

fn matching(text: &str) -> Matching {
    match read(text) {
        Ok(test) => test.matching.clone(),
        Err(message) => panic!("{text}: {message}"),
    }
}

fn refused(text: &str) -> String {
    read(text).expect_err(text)
}

const fn range(least: Option<i64>, most: Option<i64>) -> IntRange {
    IntRange { least, most }
}

#[test]
fn numbers_are_ranges() {
    let ranges = vec![
        range(Some(80), Some(80)),
        range(Some(1), Some(5)),
        range(Some(1024), None),
        range(None, Some(7)),
    ];
    assert_eq!(matching("dst_port 80 1:5 1024: :7"), Matching::Int(ranges));
    let compared = vec![range(Some(11), None), range(None, Some(4))];
    assert_eq!(matching("dst_port gt 10 lt 5"), Matching::Int(compared));
    let versions = vec![range(Some(3 << 16 | 1), None)];
    assert_eq!(matching("req.ssl_ver ge 3.1"), Matching::Version(versions));
}

#[test]
fn criteria_say_how_to_compare() {
    let patterns = vec![Arc::from(*b"/a"), Arc::from(*b"/b")];
    let begins = Matching::Text(TextMatch::Begins, patterns);
    assert_eq!(matching("path_beg /a /b"), begins);
    assert_eq!(matching("path -m beg /a /b"), begins);
    assert_eq!(matching("path,lower -m found"), Matching::Found);
    let converted = matching("path_beg,lower /a");
    assert!(
        matches!(converted, Matching::Text(TextMatch::Exact, _)),
        "{converted:?}"
    );
    assert!(matches!(matching("method GET"), Matching::Method(_)));
}

#[test]
fn addresses_have_masks() {
    let Matching::Address(found) = matching("src 10.0.0.0/8 ::1 10.0.0.0/255.0.255.0 example.org")
    else {
        panic!("addresses");
    };
    assert_eq!(
        found[0],
        AddressPattern::V4 {
            address: [10, 0, 0, 0].into(),
            mask: [255, 0, 0, 0].into()
        }
    );
    assert!(matches!(found[1], AddressPattern::V6 { bits: 128, .. }));
    assert!(matches!(found[3], AddressPattern::Name { .. }));
}

#[test]
fn flags_stand_before_patterns() {
    let test = read("hdr(host) -i -f a.lst -M -n -u 7 -- -x").expect("a test");
    assert!(test.ignore_case && test.files_are_maps);
    assert_eq!(test.id, Some(7));
    assert_eq!(&*test.files[0].name, "a.lst");
    let text = Matching::Text(TextMatch::Exact, vec![Arc::from(*b"-x")]);
    assert_eq!(test.matching, text);
}

#[test]
fn mistakes_are_said_in_haproxys_words() {
    let unspecified = "matching method must be specified first (using '-m') when using a sample \
                       fetch of this type ('req.body')";
    assert_eq!(refused("req.body abc"), unspecified);
    assert_eq!(
        refused("nosuch /x"),
        "unknown fetch method 'nosuch' in ACL expression 'nosuch'"
    );
    assert_eq!(
        refused("path -m foo /x"),
        "unknown matching method 'foo' when parsing ACL expression"
    );
    assert_eq!(refused("dst_port 80 :"), "':' is not a valid number range");
    assert_eq!(refused("dst_port 5-1"), "'5-1' is not a valid number range");
    assert_eq!(
        refused("src 10.0.0.0/99"),
        "'10.0.0.0/99' is not a valid IPv4 or IPv6 address"
    );
    assert_eq!(
        refused("path_reg (abc"),
        "regex '(abc' is invalid (error=missing closing parenthesis, erroffset=4)"
    );
    assert_eq!(
        refused("path_reg [[:alpha:"),
        "regex '[[:alpha:' is invalid (error=missing terminating ] for character class, \
         erroffset=9)"
    );
    assert_eq!(
        refused("path -z"),
        "'-z' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'"
    );
}

#[test]
fn regular_expressions_are_not_refused_in_vain() {
    for text in [
        "^/(a|b)[]x]$",
        r"\(",
        r"[\]]",
        r"\Q(\E",
        "(?#x)a",
        "a{2,3}+",
        "[^]]",
        "x(?=y)",
    ] {
        assert_eq!(regex::check(text.as_bytes()), Ok(()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(text in prop::collection::vec(any::<u8>(), 0..120)) {
        let words = lexer::words(&text, lanai_diagnostics::FileId::default(), 0, None);
        let words = words.unwrap_or_default();
        let _ = test::test(&words, Span::default(), &origin(), &mut Sink::default());
    }

    #[test]
    fn no_patterns_are_too_much(
        criterion in "(path_reg|dst_port|req.ssl_ver|src|path -m bin|path_len|method|hdr(a) -m dom)",
        patterns in "[-a-z0-9:./!(){}\\[\\] ]{0,40}",
    ) {
        let _ = read(&format!("{criterion} {patterns}"));
    }
}
