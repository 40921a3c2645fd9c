use lanai_model::layer7::SampleType;
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Format {
    match parse(text.as_bytes(), Places::ALL, true) {
        Ok(read) => read.format,
        Err(fault) => panic!("{text}: {fault:?}"),
    }
}

fn refused(text: &str) -> String {
    parse(text.as_bytes(), Places::LOG, true)
        .expect_err(text)
        .message
}

fn values(format: &Format) -> Vec<&FormatValue> {
    let items = format.items.iter();
    items
        .filter_map(|item| match item {
            FormatItem::Value(value) => Some(value),
            _ => None,
        })
        .collect()
}

const MANUAL: &str = include_str!("../../../tests/manual-3.2/aliases.txt");

#[test]
fn every_alias_of_the_manual_is_in_the_table() {
    let missing: Vec<_> = MANUAL
        .lines()
        .filter(|name| alias(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(MANUAL.lines().count() > 60);
}

#[test]
fn haproxys_own_formats_are_read() {
    let http = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
                %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";
    let format = read(http);
    let values = values(&format);
    assert_eq!(values.len(), 26);
    assert!(
        values
            .iter()
            .all(|value| value.flags.quote == (value.source == FormatSource::Alias("r")))
    );
}

#[test]
fn flags_of_o_hold_for_what_follows() {
    let format = read("%{+Q,+json}o %(a)ci %{-Q}cp%%");
    let values = values(&format);
    assert!(values[0].flags.quote && !values[1].flags.quote);
    assert_eq!(values[0].name.as_deref(), Some("a"));
    assert_eq!(values[1].flags.encoding, Some(FormatEncoding::Json));
    assert!(format.flags.quote);
    assert_eq!(format.items.last(), Some(&FormatItem::Text((*b"%").into())));
}

#[test]
fn expressions_stand_in_brackets() {
    let format = read("a %(x:sint)[req.hdr(a),length] b");
    let values = values(&format);
    assert_eq!(values[0].cast, Some(FormatCast::Int));
    let FormatSource::Sample(expression) = &values[0].source else {
        panic!("{values:?}");
    };
    assert_eq!(expression.gives, SampleType::Int);
}

#[test]
fn mistakes_are_said_in_haproxys_words() {
    assert_eq!(refused("%"), "truncated line after '%'");
    assert_eq!(refused("%{+Q"), "truncated line after '+Q'");
    assert_eq!(
        refused("%{+Q} a"),
        "parse argument modifier without alias name near '%{+Q}'"
    );
    assert_eq!(refused("%[src"), "missing ']' after 'src'");
    assert_eq!(
        refused("%[src,lower x]"),
        "expected ']' after 'src,lower', but found ' '"
    );
    assert_eq!(
        refused("%[req.hdr(x)]"),
        "sample fetch <req.hdr(x)]> may not be reliably used here because it needs 'HTTP request \
         headers' which is not available here"
    );
    assert!(refused("%cibar").starts_with("no such format alias 'cibar'."));
    assert!(refused("% a").starts_with("unexpected alias name near ' ' at position 1"));
    assert!(refused("%(a:foo)ci").starts_with("unexpected output type 'foo'"));
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(text in prop::collection::vec(any::<u8>(), 0..200), merge: bool) {
        let _ = parse(&text, Places::LOG, merge);
    }

    #[test]
    fn no_items_are_too_much(text in "[%a-zA-Z{}\\[\\](),+: ]{0,60}", merge: bool) {
        if let Err(fault) = parse(text.as_bytes(), Places::ALL, merge) {
            prop_assert!(fault.at.end <= text.len() + 1, "{text}: {fault:?}");
        }
    }
}
