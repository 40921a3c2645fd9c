use super::*;

fn ask(text: &str) -> Result<bool, String> {
    let environment: Environment = [("SET", "1"), ("EMPTY", ""), ("TWO", "a b")]
        .into_iter()
        .collect();
    evaluate(text, &environment, &Facts::default()).map_err(|error| error.message)
}

#[test]
fn true_and_false() {
    for (text, expected) in [
        ("", false),
        ("0", false),
        ("1", true),
        ("-1", true),
        ("0x0", false),
        ("0x10", true),
        ("!1", false),
        ("! ! 1", true),
        ("1 && 0", false),
        ("1&&1", true),
        ("0 || 1", true),
        ("1 || 0 && 0", true),
        ("(1 || 0) && 0", false),
        ("!(0 || 1)", false),
        ("defined(SET)", true),
        ("defined(EMPTY)", true),
        ("defined(UNSET)", false),
        ("defined( SET )", false),
        ("feature(OPENSSL)", true),
        ("openssl_version_atleast(3.0.0)", false),
        ("feature(THREAD) && !feature(QUIC)", true),
        ("streq(a,a)", true),
        ("streq(\"$SET\",1)", true),
        ("streq(\"$SET\",     1)", false),
        ("strneq(\"$UNSET\",yes)", true),
        ("strstr(abc,b)", true),
        ("strstr(abc,x)", false),
        ("streq(\\\"a,b\\\",'\"a,b\"')", true),
        ("version_atleast(2.4-dev19)", true),
        ("version_before(2.4)", false),
        ("openssl_version_atleast(1.1.1)", true),
        ("openssl_version_before(3.5.0)", true),
        ("ssllib_name_startswith(OpenSSL)", false),
        ("ssllib_name_startswith(AWS-LC)", true),
        ("ssllib_name_startswith(wolfSSL)", false),
        ("awslc_api_atleast(35)", true),
        ("awslc_api_before(35)", false),
        ("enabled(EPOLL)", true),
        ("enabled(SPLICE)", false),
        ("fips_mode", false),
        ("fips_mode()", false),
        ("\"${EMPTY}\"", false),
        ("\"${SET}\"", true),
        ("1 # a comment", true),
    ] {
        assert_eq!(ask(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_said_in_haproxys_words() {
    for (text, expected) in [
        ("foo", "unparsable conditional expression 'foo'"),
        ("!", "unparsable conditional expression '!'"),
        (
            "1 0",
            "unexpected character '0' at the end of conditional expression '1 0'",
        ),
        (
            "(1 && 0",
            "expected ')' after conditional expression '(1 && 0'",
        ),
        (
            "defined(FOO",
            "expected ')' in argument 1 of predicate 'defined' used in conditional expression",
        ),
        (
            "streq(a)",
            "missing arguments (got 1/2), type 'string' expected in argument 2 of predicate \
             'streq' used in conditional expression",
        ),
        (
            "version_atleast(x)",
            "invalid argument to conditional expression predicate 'version_atleast': 'x'",
        ),
        ("\"1", "unmatched quote"),
    ] {
        assert_eq!(ask(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn the_place_is_told() {
    let error = evaluate("1 && foo(2)", &Environment::new(), &Facts::default())
        .expect_err("no such predicate");
    assert_eq!(error.at, 5..11);
}

#[test]
fn depth_is_bounded() {
    let text = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(ask(&text).is_err());
    let text = format!("{}1{}", "(".repeat(50), ")".repeat(50));
    assert_eq!(ask(&text), Ok(true));
    let text = "!".repeat(100_000) + "1";
    assert_eq!(ask(&text), Ok(true));
}
