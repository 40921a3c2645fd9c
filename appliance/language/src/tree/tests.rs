use proptest::prelude::*;

use super::*;

fn shape(text: &str) -> Vec<String> {
    let tree = parse(text.as_bytes());
    let mut out = Vec::new();
    for section in tree.sections() {
        out.push(match &section.keyword {
            Some(range) => String::from_utf8_lossy(tree.bytes(range.clone())).into_owned(),
            None => "-".to_owned(),
        });
        for line in tree.lines(section) {
            let tokens: Vec<_> = tree
                .tokens(line)
                .iter()
                .map(|token| {
                    let text = String::from_utf8_lossy(tree.bytes(token.range.clone()));
                    format!("{:?}{:?}", token.kind, text)
                })
                .collect();
            out.push(format!("{}: {}", line.number, tokens.join(" ")));
        }
    }
    out
}

#[test]
fn sections_hold_lines_hold_tokens() {
    assert_eq!(
        shape("# top\nglobal#x\n  daemon \r\nfrontend  'a b'\n\n bind \"unclosed"),
        [
            "-",
            r##"1: Comment"# top" LineEnd"\n""##,
            "global",
            r##"2: Word"global" Comment"#x" LineEnd"\n""##,
            r#"3: Blank"  " Word"daemon" Blank" " LineEnd"\r\n""#,
            "frontend",
            r#"4: Word"frontend" Blank"  " Word"'a b'" LineEnd"\n""#,
            r#"5: LineEnd"\n""#,
            r#"6: Blank" " Word"bind" Blank" " Junk"\"unclosed""#,
        ]
    );
}

#[test]
fn services_have_their_own_sections_and_no_variables() {
    let tree = parse_as(b"service network eth0\nglobal \"$\"\n", Dialect::Services);
    assert_eq!(tree.sections().len(), 2);
    let line = &tree.all_lines()[1];
    assert!(tree.tokens(line).iter().all(|t| t.kind != TokenKind::Junk));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(parse(&bytes).to_bytes(), bytes.clone());
        prop_assert_eq!(parse_as(&bytes, Dialect::Services).to_bytes(), bytes);
    }

    #[test]
    fn config_like_text_comes_back(text in "([a-z$#{}\"'\\\\ \t\r.*\\[\\]-]{0,12}(\n|\r\n| )){0,40}") {
        prop_assert_eq!(parse(text.as_bytes()).to_bytes(), text.as_bytes());
    }
}
