use std::collections::BTreeSet;
use std::path::Path;

use super::*;

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<&str> = ALL.iter().map(|code| code.0).collect();
    assert_eq!(codes.len(), ALL.len(), "a code is given twice");
    let pages: BTreeSet<&str> = PAGES.keys().copied().collect();
    assert_eq!(pages, codes);
    let headings = CHAPTERS.iter().flat_map(|chapter| pages_of(chapter));
    assert_eq!(headings.count(), codes.len(), "a page is given twice");
}

#[test]
fn pages_say_something_and_stand_in_order() {
    for chapter in CHAPTERS {
        let codes: Vec<_> = pages_of(chapter).map(|(code, _)| code).collect();
        assert!(codes.is_sorted(), "{codes:?}");
    }
    for (code, page) in PAGES.iter() {
        let (heading, text) = page.split_once('\n').unwrap_or((page, ""));
        assert!(heading.len() > code.len() + 1, "{code} has no title");
        assert!(text.trim().len() > 80, "{code} explains nothing");
    }
}

#[test]
fn a_page_is_found_by_its_code() {
    let page = explanation("t001").expect("a page");
    assert!(page.starts_with("T001 "), "{page}");
    assert_eq!(explanation("T999"), None);
    assert_eq!(explanation(""), None);
}

/// `UPDATE_EXPECT=1` writes the document.
#[test]
fn the_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, document()).expect("the document can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == document(),
        "docs/diagnostics.md is not what the pages say (UPDATE_EXPECT=1 rewrites it)"
    );
}
