use lanai_diagnostics::{FileId, SourceMap};
use proptest::prelude::*;

use super::*;
use crate::Environment;

fn environment() -> Environment {
    [
        ("A", "one"),
        ("EMPTY", ""),
        ("LIST", "  x y\tz "),
        ("QUOTES", "'\"# \\"),
    ]
    .into_iter()
    .collect()
}

fn cook(line: &str) -> Result<Vec<String>, LexErrorKind> {
    let environment = environment();
    let variables = Variables {
        environment: &environment,
        file: "x.cfg",
        line: 7,
        section: "www",
    };
    match words(line.as_bytes(), FileId(0), 0, Some(variables)) {
        Ok(words) => Ok(words.iter().map(|word| word.text().into_owned()).collect()),
        Err(error) => Err(error.kind),
    }
}

#[test]
fn words_have_values() {
    for (line, expected) in [
        ("", vec![]),
        ("  # only a comment", vec![]),
        ("a b\tc\x0bd\x0ce", vec!["a", "b", "c", "d", "e"]),
        ("a#b c", vec!["a"]),
        (r"a\#b c\ d \\ \' \q", vec!["a#b", "c d", "\\", "'", "\\q"]),
        (r#"\"a b\""#, vec!["\"a", "b\""]),
        (r"\n\r\t\x41\x7a", vec!["\n\r\tAz"]),
        (r#""a b" 'c d' e"f"'g'"#, vec!["a b", "c d", "efg"]),
        (r#"'$A \n "x"' "it's #1""#, vec![r#"$A \n "x""#, "it's #1"]),
        (r#"$A "$A" "${A}b" "\$A" "#, vec!["$A", "one", "oneb", "$A"]),
        (
            r#""${NONE-a b}" "${A-x}" "${EMPTY-x}""#,
            vec!["a b", "one", ""],
        ),
        (r#""${NONE}" """#, vec!["", ""]),
        (r#""${.FILE}:${.LINE}" "$.SECTION""#, vec!["x.cfg:7", "www"]),
        (r#""${LIST[*]}""#, vec!["x", "y", "z"]),
        (r#"a"${LIST[*]}"b"#, vec!["a", "x", "y", "z", "b"]),
        (r#""${NONE[*]}" a "${EMPTY[*]}""#, vec!["a"]),
        (r#""${NONE[*]-p q}""#, vec!["p", "q"]),
        (r#""$QUOTES""#, vec!["'\"# \\"]),
        (r#""${NONE-a"b}" c"#, vec!["a\"b", "c"]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(cook(line), Ok(expected), "{line}");
    }
}

#[test]
fn a_value_is_never_scanned_again() {
    assert_eq!(cook(r#"a "$QUOTES" b"#).map(|words| words.len()), Ok(3));
}

#[test]
fn broken_lines_say_how() {
    use LexErrorKind::*;
    for (line, expected) in [
        ("\"a", UnmatchedQuote),
        ("'a", UnmatchedQuote),
        ("a\\xg0", BadHex),
        ("a\\x4", BadHex),
        ("\"$\"", BadVariable),
        ("\"${1}\"", BadVariable),
        ("\"${.NOPE}\"", BadVariable),
        ("\"${A\"", UnmatchedBrace),
        ("\"${A-b\"", UnmatchedBrace),
        ("\"${A[1]}\"", BadExpansion),
        ("a\0b", StrayNul),
        ("a\rb", StrayCarriageReturn),
    ] {
        assert_eq!(cook(line), Err(expected), "{line}");
    }
}

#[test]
fn words_and_their_sum_are_bounded() {
    let line = |words| "w ".repeat(words);
    assert!(cook(&line(MAX_WORDS)).is_ok());
    assert_eq!(cook(&line(MAX_WORDS + 1)), Err(LexErrorKind::TooManyWords));

    let mut environment = Environment::new();
    environment.set("BIG", vec![b'x'; 100_000]);
    environment.set("MANY", "x ".repeat(100_000));
    let variables = Variables {
        environment: &environment,
        file: "",
        line: 1,
        section: "",
    };
    let kind = |line: &str| {
        words(line.as_bytes(), FileId(0), 0, Some(variables))
            .map(|words| words.len())
            .map_err(|error| error.kind)
    };
    assert_eq!(kind(&format!("\"{}\"", "$BIG ".repeat(10))), Ok(1));
    assert_eq!(
        kind(&format!("\"{}\"", "$BIG ".repeat(11))),
        Err(LexErrorKind::TooLong)
    );
    assert_eq!(kind(&"\"$BIG\" ".repeat(11)), Err(LexErrorKind::TooLong));
    assert_eq!(kind("\"${MANY[*]}\""), Err(LexErrorKind::TooManyWords));
}

#[test]
fn parts_of_values_lead_back_to_columns() {
    let mut sources = SourceMap::new();
    let text = br#"bind  "${ADDR}":7\x30000 :80,x:90 "a b":c"#;
    let file = sources.add("x.cfg", *text);
    let environment: Environment = [("ADDR", "10.0.0.1")].into_iter().collect();
    let variables = Variables {
        environment: &environment,
        file: "x.cfg",
        line: 1,
        section: "",
    };
    let words = words(text, file, 0, Some(variables)).expect("a good line");
    let part = |word: usize, from: usize, to: usize| {
        let slice = sources.slice(words[word].span_of(from..to));
        String::from_utf8_lossy(slice).into_owned()
    };
    assert_eq!(words[1].text(), "10.0.0.1:70000");
    assert_eq!(part(1, 0, 8), "${ADDR}");
    assert_eq!(part(1, 3, 4), "${ADDR}");
    assert_eq!(part(1, 9, 14), r"7\x30000");
    assert_eq!(part(1, 10, 11), r"\x30");
    assert_eq!(part(2, 4, 8), "x:90");
    assert_eq!(part(2, 4, 99), "x:90");
    assert_eq!(part(3, 0, 3), "a b");
    assert_eq!(part(3, 4, 5), "c");
}

#[test]
fn without_variables_a_dollar_is_a_dollar() {
    let words = words(br#"a "$x ${" "#, FileId(0), 0, None).expect("a good line");
    assert_eq!(words[1].text(), "$x ${");
}

proptest! {
    #[test]
    fn spans_stay_inside_the_line(line in "[ab$#{}\"'\\\\ \tx4.*\\[\\]A-]{0,40}", offset in 0usize..100) {
        let environment = environment();
        let variables = Variables { environment: &environment, file: "f", line: 1, section: "s" };
        let range = |start: u32, end: u32| {
            let (start, end) = (start as usize, end as usize);
            start <= end && offset <= start && end <= offset + line.len()
        };
        match words(line.as_bytes(), FileId(0), offset, Some(variables)) {
            Ok(words) => for word in words {
                prop_assert!(range(word.span.start, word.span.end));
                for at in 0..=word.value.len() {
                    let span = word.span_of(at..word.value.len());
                    prop_assert!(range(span.start, span.end));
                }
            },
            Err(error) => prop_assert!(error.at.start <= error.at.end && error.at.end <= line.len()),
        }
    }

    /// What is written in strong quotes is the value, whatever it is.
    #[test]
    fn strong_quotes_keep_everything(text in "[^'\\r\\n\\x00]{0,30}") {
        prop_assert_eq!(cook(&format!("a '{text}' b")), Ok(vec!["a".to_owned(), text, "b".to_owned()]));
    }
}
