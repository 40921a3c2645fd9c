use super::*;

const CONFIG: &str = "\
# The site.
global
    maxconn 100

########## www
frontend www   # public
    bind :80
    bind :443 ssl crt ssl/a.pem  interface eth0
    default_backend farm

# The farm.
backend farm
  balance roundrobin
  server s1 10.0.0.1:80 weight 5   check inter 2s # first
  server s2 10.0.0.2:80\tinter weight check

  # spare:
  #server s3 10.0.0.3:80
backend other
    server o1 10.0.1.1:80
";

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split_whitespace()
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

/// The lines that differ, as a person would see them.
fn edited(text: &str, edit: &Edit) -> Result<Vec<String>, EditError> {
    let mut before = Text::new(text.as_bytes(), Dialect::Layer7);
    before.apply(edit)?;
    let after = String::from_utf8(before.bytes()).unwrap();
    let (mut old, mut new) = (text.lines().peekable(), after.lines().peekable());
    let mut changes = Vec::new();
    let left: Vec<&str> = text.lines().collect();
    let right: Vec<&str> = after.lines().collect();
    while old.peek().is_some() && old.peek() == new.peek() {
        old.next();
        new.next();
    }
    let (mut old, mut new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
    while !old.is_empty() && !new.is_empty() && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    assert!(left.len() >= old.len() && right.len() >= new.len());
    changes.extend(old.iter().map(|line| format!("-{line}")));
    changes.extend(new.iter().map(|line| format!("+{line}")));
    Ok(changes)
}

fn set(line: u32, option: &str, arguments: &str) -> Edit {
    Edit::SetOption {
        line,
        option: option.to_owned(),
        arguments: words(arguments),
    }
}

fn remove(line: u32, option: &str) -> Edit {
    Edit::RemoveOption {
        line,
        option: option.to_owned(),
    }
}

#[test]
fn options_are_set_added_and_removed() {
    let change = |edit: Edit| edited(CONFIG, &edit).unwrap().join("\n");
    let first = "-  server s1 10.0.0.1:80 weight 5   check inter 2s # first\n";
    assert_eq!(
        change(set(14, "weight", "10")),
        format!("{first}+  server s1 10.0.0.1:80 weight 10   check inter 2s # first")
    );
    assert_eq!(
        change(set(14, "maxconn", "30")),
        format!("{first}+  server s1 10.0.0.1:80 weight 5   check inter 2s maxconn 30 # first")
    );
    assert_eq!(
        change(remove(14, "check")),
        format!("{first}+  server s1 10.0.0.1:80 weight 5 inter 2s # first")
    );
    assert_eq!(change(remove(14, "maxconn")), "");
    assert_eq!(change(set(14, "weight", "5")), "");
    assert_eq!(change(set(14, "check", "")), "");
}

/// After `inter`, `weight` is a time, however bad a one.
#[test]
fn values_are_not_taken_for_options() {
    assert_eq!(
        edited(CONFIG, &set(15, "weight", "7")).unwrap(),
        [
            "-  server s2 10.0.0.2:80\tinter weight check",
            "+  server s2 10.0.0.2:80\tinter weight check weight 7"
        ]
    );
}

#[test]
fn options_are_of_lines_that_have_them() {
    assert_eq!(
        edited(CONFIG, &set(9, "weight", "1")),
        Err(EditError::UnknownOptions("default_backend".to_owned()))
    );
    assert_eq!(
        edited(CONFIG, &set(4, "weight", "1")),
        Err(EditError::NoWords(4))
    );
    assert_eq!(
        edited(CONFIG, &set(99, "weight", "1")),
        Err(EditError::NoSuchLine(99))
    );
    let bind = edited(CONFIG, &set(8, "interface", "eth1")).unwrap();
    assert_eq!(bind[1], "+    bind :443 ssl crt ssl/a.pem  interface eth1");
}

#[test]
fn lines_are_added_where_the_section_ends() {
    let add = |head: u32, text: &str| {
        let place = LinePlace::EndOf(head);
        let edit = Edit::AddLine {
            words: words(text),
            place,
        };
        edited(CONFIG, &edit)
    };
    // With the indentation of its neighbours, above the comments that follow.
    assert_eq!(
        add(12, "server s3 10.0.0.3:80").unwrap(),
        ["+  server s3 10.0.0.3:80"]
    );
    assert_eq!(add(2, "nbthread 2").unwrap(), ["+    nbthread 2"]);
    assert_eq!(add(1, "nbthread 2"), Err(EditError::NoSection(1)));
    assert_eq!(
        add(2, "backend x"),
        Err(EditError::Keyword("backend".to_owned()))
    );
    assert_eq!(
        add(2, ".if true"),
        Err(EditError::Keyword(".if".to_owned()))
    );
    assert_eq!(add(2, ""), Err(EditError::NoKeyword));
}

#[test]
fn words_that_need_it_are_quoted() {
    let edit = Edit::SetWord {
        line: 9,
        word: 1,
        value: b"my farm".to_vec(),
    };
    assert_eq!(
        edited(CONFIG, &edit).unwrap()[1],
        "+    default_backend \"my farm\""
    );
    for (value, written) in [
        ("plain", "plain"),
        ("", "\"\""),
        ("a b", "\"a b\""),
        ("a#b", "\"a#b\""),
        ("say \"hi\"", "'say \"hi\"'"),
        ("it's", "\"it's\""),
        ("it's \"$1\"", "\"it's \\\"\\$1\\\"\""),
        ("back\\slash", "'back\\slash'"),
        ("${HOME}", "${HOME}"),
        ("a\nb", "\"a\\nb\""),
    ] {
        assert_eq!(
            quote(value.as_bytes()).unwrap(),
            written.as_bytes(),
            "{value}"
        );
    }
    assert_eq!(quote(b"a\0"), Err(EditError::Nul));
}

#[test]
fn lines_keep_their_comment() {
    let edit = Edit::ChangeLine {
        line: 14,
        words: words("server s1 10.9.9.9:80"),
    };
    let found = edited(CONFIG, &edit).unwrap();
    assert_eq!(found[1], "+  server s1 10.9.9.9:80 # first");
    let section = Edit::ChangeLine {
        line: 6,
        words: words("frontend web"),
    };
    assert_eq!(
        edited(CONFIG, &section).unwrap()[1],
        "+frontend web   # public"
    );
    let no_section = Edit::ChangeLine {
        line: 6,
        words: words("bind :81"),
    };
    assert!(edited(CONFIG, &no_section).is_err());
    assert_eq!(
        edited(CONFIG, &Edit::RemoveLine { line: 6 }),
        Err(EditError::StartsSection(6))
    );
}

#[test]
fn sections_go_with_the_comment_above_them() {
    let removed = edited(CONFIG, &Edit::RemoveSection { line: 6 }).unwrap();
    assert_eq!(removed.len(), 6, "{removed:?}");
    assert_eq!(removed[0], "-########## www");
    // What follows the last line of a section is of the next.
    let removed = edited(CONFIG, &Edit::RemoveSection { line: 12 }).unwrap();
    assert_eq!(removed[0], "-# The farm.");
    assert!(
        !removed.iter().any(|line| line.contains("spare")),
        "{removed:?}"
    );
}

#[test]
fn sections_move_whole() {
    let mut text = Text::new(CONFIG.as_bytes(), Dialect::Layer7);
    let edit = Edit::MoveSection {
        line: text.section("backend", "farm").unwrap(),
        place: Place::Before(text.section("frontend", "www").unwrap()),
    };
    text.apply(&edit).unwrap();
    let after = String::from_utf8(text.bytes()).unwrap();
    let place = |words: &str| after.find(words).unwrap();
    assert!(place("maxconn 100\n\n# The farm.\nbackend farm\n") < place("\n\n########## www\n"));
    assert!(
        after.contains("default_backend farm\n\n  # spare:"),
        "{after}"
    );
    let (mut old, mut new): (Vec<_>, Vec<_>) = (CONFIG.lines().collect(), after.lines().collect());
    old.retain(|line| !line.is_empty());
    new.retain(|line| !line.is_empty());
    old.sort_unstable();
    new.sort_unstable();
    assert_eq!(old, new);
}

#[test]
fn a_line_after_half_a_line_end() {
    let mut text = Text::new(b"backend a\r\n  mode tcp\r", Dialect::Layer7);
    text.apply(&Edit::AddLine {
        words: words("balance source"),
        place: LinePlace::After(2),
    })
    .unwrap();
    let after = "backend a\r\n  mode tcp\r\n  balance source\r\n";
    assert_eq!(String::from_utf8(text.bytes()).unwrap(), after);
}

#[test]
fn a_section_at_the_end_of_an_unfinished_text() {
    let mut text = Text::new(b"backend a\r\n  mode tcp", Dialect::Layer7);
    text.apply(&Edit::AddSection {
        head: words("backend b"),
        lines: vec![
            words("mode http"),
            vec![b"log-format".to_vec(), b"%ci %cp".to_vec()],
        ],
        place: Place::End,
    })
    .unwrap();
    assert_eq!(
        String::from_utf8(text.bytes()).unwrap(),
        "backend a\r\n  mode tcp\r\n\r\nbackend b\r\n    mode http\r\n    log-format \"%ci %cp\"\r\n"
    );
}

#[test]
fn conditional_blocks_are_not_torn() {
    let text = "backend a\n  mode tcp\n.if defined(X)\n  retries 1\nbackend b\n  mode tcp\n.endif\n  retries 2\n";
    let cut = |line| edited(text, &Edit::RemoveSection { line });
    assert_eq!(cut(1), Err(EditError::Conditional(4)));
    assert_eq!(cut(5), Err(EditError::Conditional(7)));
    assert_eq!(
        edited(text, &Edit::RemoveLine { line: 3 }),
        Err(EditError::Conditional(3))
    );
    // A line for the section goes where it counts whatever the condition says.
    let edit = Edit::AddLine {
        words: words("retries 3"),
        place: LinePlace::EndOf(1),
    };
    let mut edited = Text::new(text.as_bytes(), Dialect::Layer7);
    edited.apply(&edit).unwrap();
    let after = String::from_utf8(edited.bytes()).unwrap();
    assert!(
        after.starts_with("backend a\n  mode tcp\n  retries 3\n.if"),
        "{after}"
    );
}

#[test]
fn a_section_whose_keyword_is_in_quotes_is_one() {
    let text = "'backend' a\n  mode tcp\nback\"end\" b\n  mode http\n";
    let sections = Text::new(text.as_bytes(), Dialect::Layer7);
    assert_eq!(sections.section("backend", "a"), Some(1));
    assert_eq!(sections.section("backend", "b"), Some(3));
    let edit = Edit::AddLine {
        words: words("retries 3"),
        place: LinePlace::EndOf(1),
    };
    assert_eq!(edited(text, &edit).unwrap(), ["+  retries 3"]);
    let removed = edited(text, &Edit::RemoveSection { line: 1 }).unwrap();
    assert_eq!(removed, ["-'backend' a", "-  mode tcp"]);
}

#[test]
fn the_services_language_is_edited_alike() {
    let text = "service network eth0\n    ip address 10.0.0.2/24\n    ip route default 10.0.0.1 metric 5 # up\n";
    let mut services = Text::new(text.as_bytes(), Dialect::Services);
    assert_eq!(services.section("service", "network"), Some(1));
    services
        .apply(&Edit::SetOption {
            line: 3,
            option: "metric".to_owned(),
            arguments: words("7"),
        })
        .unwrap();
    services
        .apply(&Edit::SetOption {
            line: 3,
            option: "table".to_owned(),
            arguments: words("10"),
        })
        .unwrap();
    let after = String::from_utf8(services.bytes()).unwrap();
    assert!(
        after.contains("ip route default 10.0.0.1 metric 7 table 10 # up\n"),
        "{after}"
    );
}

#[test]
fn an_unreadable_line_can_be_replaced_and_removed_only() {
    let text = "backend a\n  server s \"10.0.0.1:80\n";
    assert_eq!(
        edited(text, &set(2, "weight", "1")),
        Err(EditError::Unreadable(2))
    );
    let edit = Edit::ChangeLine {
        line: 2,
        words: words("server s 10.0.0.1:80"),
    };
    assert_eq!(edited(text, &edit).unwrap()[1], "+  server s 10.0.0.1:80");
    assert!(edited(text, &Edit::RemoveLine { line: 2 }).is_ok());
}

/// A backslash before a tab stands for itself, and one before a space does not.
#[test]
fn a_word_that_ends_with_a_backslash_stays_apart() {
    let text = "backend b\n  server s 10.0.0.1:80 weight 1\\\tcheck inter 2s\n  server t x\\\n";
    let words = |edit: Edit, line: u32| {
        let mut edited = Text::new(text.as_bytes(), Dialect::Layer7);
        edited.apply(&edit).unwrap();
        let words = edited.words(edited.line(line).unwrap()).unwrap();
        let words = words
            .into_iter()
            .map(|word| String::from_utf8(word.value).unwrap());
        words.collect::<Vec<_>>().join("|")
    };
    assert_eq!(
        words(remove(2, "check"), 2),
        "server|s|10.0.0.1:80|weight|1\\|inter|2s"
    );
    assert_eq!(words(set(3, "check", ""), 3), "server|t|x\\|check");
    let word = Edit::SetWord {
        line: 3,
        word: 3,
        value: b"check".to_vec(),
    };
    assert_eq!(words(word, 3), "server|t|x\\|check");
}
