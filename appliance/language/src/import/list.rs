//! Lists of certificates (`crt-list`): each line names a certificate, then in brackets options, which may
//! name files too, then the names it is for.

use std::ops::Range;

use super::{Bases, Import, Word, take};

/// Finds the files that a list names. Its paths are relative to the same directories as those of lines.
pub(super) fn find(list: &[u8], bases: &Bases) -> Import {
    let mut import = Import::default();
    let mut start = 0;
    for (number, line) in (1..).zip(list.split_inclusive(|byte| *byte == b'\n')) {
        find_in_line(list, number, start..start + line.len(), bases, &mut import);
        start += line.len();
    }
    import
}

fn find_in_line(list: &[u8], line: u32, range: Range<usize>, bases: &Bases, import: &mut Import) {
    let words = words(list, range);
    let bytes = |word: &Range<usize>| list.get(word.clone()).unwrap_or_default();
    let Some((first, _)) = words
        .first()
        .filter(|(word, _)| !bytes(word).starts_with(b"#"))
    else {
        return;
    };
    let mut found = |keyword: &str, word: &Range<usize>, base| {
        let place = Word {
            line,
            bytes: bytes(word),
            start: word.start,
        };
        take(place, (keyword, "ssl"), base, import);
    };
    found("certificate", first, bases.crt.as_deref());
    for pair in words.windows(2) {
        let [(keyword, true), (value, true)] = pair else {
            continue;
        };
        if let Ok(keyword @ ("ca-file" | "ca-verify-file" | "crl-file")) =
            str::from_utf8(bytes(keyword))
        {
            found(keyword, value, bases.ca.as_deref());
        }
    }
}

/// The words of a line, and whether each stands in brackets, which are no part of it.
fn words(list: &[u8], range: Range<usize>) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let (mut inside, mut start) = (false, None);
    for at in range.start..=range.end {
        let byte = list.get(at).filter(|_| at < range.end);
        let ends = byte.is_none_or(|byte| b" \t\r\n[]".contains(byte));
        match (ends, start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                found.push((from..at, inside));
                start = None;
            }
            _ => {}
        }
        match byte {
            Some(b'[') => inside = true,
            Some(b']') => inside = false,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const LIST: &str = "\
# comment /not/this.pem

/srv/www.pem [alpn h2 ca-file own.pem verify optional] www.example !x.www.example
shop.pem\r
  rel/a.pem [crl-file /srv/r.pem] *.a.example # ca-file none.pem
plain.pem ca-file
@store/alias
last.pem [ca-file last-ca.pem]";

    #[test]
    fn files_of_a_list_are_found_with_their_bases() {
        let bases = Bases {
            crt: Some(PathBuf::from("/crt")),
            ca: Some(PathBuf::from("/ca")),
        };
        let found = find(LIST.as_bytes(), &bases);
        let files: Vec<_> = found
            .files
            .iter()
            .map(|file| (file.line, file.source.display().to_string()))
            .collect();
        let wanted = [
            (3, "/srv/www.pem"),
            (3, "/ca/own.pem"),
            (4, "/crt/shop.pem"),
            (5, "/crt/rel/a.pem"),
            (5, "/srv/r.pem"),
            (6, "/crt/plain.pem"),
            (8, "/crt/last.pem"),
            (8, "/ca/last-ca.pem"),
        ];
        assert_eq!(files, wanted.map(|(line, path)| (line, path.to_owned())));
        let names: Vec<_> = (0..files.len()).map(|at| vec![format!("n{at}")]).collect();
        let new = String::from_utf8(found.rewritten(LIST.as_bytes(), &names)).unwrap();
        let mut wanted = LIST.to_owned();
        for (at, old) in [
            "/srv/www.pem",
            "own.pem",
            "shop.pem",
            "rel/a.pem",
            "/srv/r.pem",
            "plain.pem",
            "last.pem",
            "last-ca.pem",
        ]
        .iter()
        .enumerate()
        {
            wanted = wanted.replacen(old, &format!("n{at}"), 1);
        }
        assert_eq!(new, wanted, "a base is 'ssl' in the new text");
        let found = find(LIST.as_bytes(), &Bases::default());
        let new = String::from_utf8(found.rewritten(LIST.as_bytes(), &names)).unwrap();
        assert!(
            new.contains("\nssl/n2\r\n") && new.contains("[ca-file ssl/n7]"),
            "{new}"
        );
    }

    #[test]
    fn any_bytes_are_a_list() {
        for bytes in [
            &b""[..],
            b"\n",
            b"[",
            b"]",
            b"[[ ca-file",
            b"\xff\xfe [ca-file \xff]",
            b"a[b]c",
        ] {
            find(bytes, &Bases::default());
        }
    }
}
