use super::*;

fn read(line: &str) -> Result<Request, Misuse> {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    parse(&words)
}

fn run(line: &str) -> Arguments {
    match read(line) {
        Ok(Request::Run(arguments)) => *arguments,
        other => panic!("'{line}' gave {other:?}"),
    }
}

#[test]
fn what_the_regression_tests_pass() {
    let got = run("-d -dM -dI -dW -L here -m 64 -f /tmp/h1/cfg");
    assert!(got.debug && got.zero_warning && !got.check && !got.daemonise);
    assert_eq!(got.local_peer.as_deref(), Some("here"));
    assert_eq!(got.files, [PathBuf::from("/tmp/h1/cfg")]);

    let got = run("-Ws -S fd@5 -dM -f cfg -p pid");
    assert_eq!(got.master, Master::Notify);
    assert_eq!(got.pid_file, Some(PathBuf::from("pid")));
}

#[test]
fn a_value_is_the_next_word_whatever_it_looks_like() {
    // HAProxy reads `-n10 -c` as "-n with the value -c": nothing is checked then.
    let got = run("-n10 -c -f a");
    assert!(!got.check);
    assert_eq!(got.max_connections, None);
    assert_eq!(run("-n 10 -f a").max_connections, Some(10));
    assert_eq!(run("-f -c").files, [PathBuf::from("-c")]);
}

#[test]
fn files_come_in_order_and_the_rest_after_two_dashes() {
    let got = run("-f a -q -f b -- c -d");
    let names: Vec<PathBuf> = ["a", "b", "c", "-d"].iter().map(PathBuf::from).collect();
    assert_eq!(got.files, names);
    assert!(got.quiet && !got.debug);
}

#[test]
fn lists_of_processes_end_at_the_next_flag() {
    let got = run("-sf 12 13 -c -f a");
    assert_eq!(
        (got.previous.as_slice(), got.previous_at_once),
        ([12, 13].as_slice(), false)
    );
    let got = run("-st -f a");
    assert_eq!(
        (got.previous.as_slice(), got.previous_at_once),
        ([].as_slice(), true)
    );
    assert_eq!(
        read("-f a -sf abc"),
        Err(Misuse::NotAProcess {
            flag: "-sf",
            word: "abc".to_owned()
        })
    );
}

#[test]
fn versions_and_conditions_end_the_reading() {
    assert_eq!(read("-v --junk"), Ok(Request::Version { detailed: false }));
    assert_eq!(read("-dzz -vv"), Ok(Request::Version { detailed: true }));
    assert_eq!(
        read("-q -cc feature(THREAD) junk"),
        Ok(Request::Condition {
            text: "feature(THREAD)".to_owned(),
            quiet: true
        })
    );
    assert!(matches!(read("-cc"), Err(Misuse::Unknown(_))));
    assert!(matches!(read("-cc1 x"), Err(Misuse::Unknown(_))));
}

#[test]
fn misuse_is_told_apart() {
    assert_eq!(read("-c"), Err(Misuse::NoFile));
    assert_eq!(read(""), Err(Misuse::NoFile));
    assert_eq!(read("-f"), Err(Misuse::NeedsValue("-f")));
    assert_eq!(read("-f a -x"), Err(Misuse::NeedsSocket));
    assert_eq!(read("-f a foo"), Err(Misuse::Unknown("foo".to_owned())));
    assert_eq!(read("-f a -t"), Err(Misuse::Unknown("-t".to_owned())));
}

proptest::proptest! {
    #[test]
    fn any_words_are_read_without_a_panic(words in proptest::collection::vec("-?[a-zA-Z0-9-]{0,4}", 0..8)) {
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let _ = parse(&words);
    }
}
