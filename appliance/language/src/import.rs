//! A foreign configuration on its way into the appliance: the files it names, and the same text with
//! other paths.
//!
//! The appliance keeps the files that a configuration names beside it, in `ssl/`, `maps/` and
//! `errors/`, and reads nothing outside. So an import copies those files and changes their paths in the
//! text, and not one byte more. Reading files is for the caller; nothing is read here.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lanai_diagnostics::FileId;

use crate::edit::{Patch, Replacement};
use crate::lexer;
use crate::tree::{self, Line, Token, TokenKind, Tree};

mod list;

/// A file that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The line that names it.
    pub line: u32,
    /// The word before it, such as `crt`.
    pub keyword: String,
    /// Where it is, `crt-base` and `ca-base` applied. Relative paths are so to wherever HAProxy starts.
    pub source: PathBuf,
    /// The folder of the appliance that such files are in.
    pub folder: &'static str,
    /// Whether it need not be there (`opt@`).
    pub optional: bool,
    place: Place,
    /// Where the paths in it are, if it is a list of certificates.
    list: Option<Bases>,
}

impl Named {
    /// The files that its contents name, if it is a list of certificates.
    pub fn list(&self, contents: &[u8]) -> Option<Import> {
        let bases = self.list.as_ref()?;
        Some(list::find(contents, bases))
    }
}

/// What of a text is of interest to an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Files that are named, in the order of the text.
    pub files: Vec<Named>,
    /// Names that stay as they are: line, word, and why.
    pub left: Vec<(u32, String, &'static str)>,
    /// `crt-base` and `ca-base`, which become `ssl`.
    bases: Vec<Range<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    range: Range<usize>,
    /// The text has a base, to which the new path is relative.
    based: bool,
    /// The quote around it.
    quote: &'static str,
}

/// Words whose next word is a file, wherever they stand on a line of these keywords.
const AFTER: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "bind",
            "server",
            "default-server",
            "server-template",
            "load",
            "peer",
        ],
        &[
            "crt",
            "crt-list",
            "default-crt",
            "ca-file",
            "ca-verify-file",
            "ca-sign-file",
            "crl-file",
            "tls-ticket-keys",
        ],
        "ssl",
    ),
    (&["load"], &["key", "ocsp", "issuer", "sctl"], "ssl"),
    (
        &[
            "http-request",
            "http-error",
            "http-response",
            "http-after-response",
        ],
        &["errorfile", "file", "lf-file"],
        "errors",
    ),
    // Patterns from a file, in a named condition or one in braces.
    (
        &[
            "acl",
            "http-request",
            "http-response",
            "http-after-response",
            "tcp-request",
            "tcp-response",
            "use_backend",
            "use-server",
            "redirect",
            "stick",
            "stats",
            "monitor",
            "force-persist",
            "ignore-persist",
            "set-param",
            "pass-header",
            "block",
        ],
        &["-f"],
        "maps",
    ),
];

/// Keywords of a line whose word of this number is a file.
const AT: &[(&str, usize, &str)] = &[("errorfile", 2, "errors"), ("ssl-dh-param-file", 1, "ssl")];

/// Keywords that name files which are of no use here.
const LEFT: &[(&str, &str)] = &[
    (
        "lua-load",
        "Lua does not run here, and the file is not taken over",
    ),
    (
        "lua-load-per-thread",
        "Lua does not run here, and the file is not taken over",
    ),
    ("lua-prepend-path", "Lua does not run here"),
    (
        "server-state-file",
        "what was set at run time outlives a new engine here without a file",
    ),
    (
        "load-server-state-from-file",
        "what was set at run time outlives a new engine here without a file",
    ),
    (
        "issuers-chain-path",
        "put the chain into the file of the certificate",
    ),
];

/// Finds the files that a text names.
pub fn find(text: &[u8]) -> Import {
    let tree = tree::parse(text);
    let mut import = Import::default();
    let mut bases = Bases::default();
    for line in tree.all_lines() {
        find_in_line(&tree, line, &mut bases, &mut import);
    }
    import
}

/// Directories that relative paths are in, from the line that sets them on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bases {
    crt: Option<PathBuf>,
    ca: Option<PathBuf>,
}

fn find_in_line(tree: &Tree, line: &Line, bases: &mut Bases, import: &mut Import) {
    let tokens = tree.tokens(line).iter();
    let words: Vec<&Token> = tokens
        .filter(|token| token.kind == TokenKind::Word)
        .collect();
    let word = |at: usize| Some(plain(tree.bytes(words.get(at)?.range.clone())));
    let Some(first) = word(0) else {
        return;
    };
    let first = first.as_ref();
    if let Some((keyword, why)) = LEFT.iter().find(|(keyword, _)| *keyword == first) {
        import.left.push((line.number, (*keyword).to_owned(), why));
        return;
    }
    if let ("crt-base" | "ca-base", Some(token)) = (first, words.get(1)) {
        let base = path_of(tree.bytes(token.range.clone()));
        match first {
            "crt-base" => bases.crt = base.map(|(_, path)| path),
            _ => bases.ca = base.map(|(_, path)| path),
        }
        import.bases.push(token.range.clone());
        return;
    }
    for (keyword, at, folder) in AT.iter().filter(|(keyword, ..)| *keyword == first) {
        if let Some(token) = words.get(*at) {
            let word = Word::of(line, token, tree);
            take(word, (keyword, folder), None, import);
        }
    }
    for (at, token) in words.iter().enumerate().skip(1) {
        let bytes = tree.bytes(token.range.clone());
        in_calls(line, token, bytes, import);
        let before = at.checked_sub(1).and_then(word).unwrap_or_default();
        let before = before.as_ref();
        if let Some((keyword, why)) = LEFT.iter().find(|(keyword, _)| *keyword == before) {
            import.left.push((line.number, (*keyword).to_owned(), why));
        }
        let row = AFTER
            .iter()
            .find(|(lines, names, _)| at > 1 && lines.contains(&first) && names.contains(&before));
        if let Some((_, _, folder)) = row {
            let base = match before {
                "crt" | "default-crt" => bases.crt.as_deref(),
                "ca-file" | "ca-verify-file" | "crl-file" => bases.ca.as_deref(),
                _ => None,
            };
            let known = import.files.len();
            take(Word::of(line, token, tree), (before, folder), base, import);
            if before == "crt-list"
                && let Some(list) = import.files.get_mut(known)
            {
                list.list = Some(bases.clone());
            }
        }
    }
}

/// What a word is, without its quotes and escapes.
fn plain(written: &[u8]) -> Cow<'_, str> {
    if !written
        .iter()
        .any(|byte| matches!(byte, b'"' | b'\'' | b'\\'))
    {
        return String::from_utf8_lossy(written);
    }
    let words = lexer::words(written, FileId::default(), 0, None).unwrap_or_default();
    let word = words.first().map(|word| word.text().into_owned());
    Cow::Owned(word.unwrap_or_default())
}

/// A word of a text.
struct Word<'a> {
    line: u32,
    bytes: &'a [u8],
    /// Where it is in the text.
    start: usize,
}

impl<'a> Word<'a> {
    fn of(line: &Line, token: &Token, tree: &'a Tree) -> Self {
        Self {
            line: line.number,
            bytes: tree.bytes(token.range.clone()),
            start: token.range.start,
        }
    }
}

/// Takes a word for the path of a file.
fn take(
    word: Word<'_>,
    (keyword, folder): (&str, &'static str),
    base: Option<&Path>,
    import: &mut Import,
) {
    let bytes = word.bytes;
    let keep = |why| (word.line, keyword.to_owned(), why);
    // A name of HAProxy's own, or none of a file.
    if bytes.starts_with(b"@") || bytes.starts_with(b"virt@") {
        return;
    }
    let quote = match bytes.first() {
        Some(b'"') => "\"",
        Some(b'\'') => "'",
        _ => "",
    };
    let Some((inside, path)) = path_of(bytes) else {
        let why =
            "the path is written with a variable or an escape: give it as it is, and import again";
        import.left.push(keep(why));
        return;
    };
    let start = word.start + inside.start;
    let end = word.start + inside.end;
    import.files.push(Named {
        line: word.line,
        keyword: keyword.to_owned(),
        source: base.map_or_else(|| path.clone(), |base| base.join(&path)),
        folder,
        optional: bytes.starts_with(b"opt@"),
        place: Place {
            range: start..end,
            based: base.is_some(),
            quote,
        },
        list: None,
    });
}

/// The path that a word is, and where it stands in it; `None` if it is written so that its bytes are
/// not those of the path.
fn path_of(written: &[u8]) -> Option<(Range<usize>, PathBuf)> {
    let (start, end) = match written {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => (1, 1 + inner.len()),
        all => (0, all.len()),
    };
    let text = str::from_utf8(written.get(start..end)?).ok()?;
    let scheme = ["file@", "opt@"].into_iter();
    let skip = scheme
        .filter(|scheme| text.starts_with(scheme))
        .map(str::len)
        .sum::<usize>();
    let path = text.get(skip..)?;
    if path.is_empty() || path.contains(['"', '\'', '\\', '$']) {
        return None;
    }
    Some((start + skip..end, PathBuf::from(path)))
}

/// Files that converters such as `map_dom(FILE,default)` name.
fn in_calls(line: &Line, token: &Token, word: &[u8], import: &mut Import) {
    let Ok(text) = str::from_utf8(word) else {
        return;
    };
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("map")) {
        let start = from + found;
        from = start + 3;
        let boundary = text
            .get(..start)
            .and_then(|before| before.chars().next_back());
        let Some(rest) = text.get(start..) else { break };
        let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (Some(name_end), false) = (
            name_end.filter(|end| rest.get(*end..).is_some_and(|rest| rest.starts_with('('))),
            boundary.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'),
        ) else {
            continue;
        };
        let name = rest.get(..name_end).unwrap_or_default();
        if name != "map" && !name.starts_with("map_") {
            continue;
        }
        let inside = start + name_end + 1;
        let Some(argument) = text.get(inside..) else {
            break;
        };
        let end = argument.find([',', ')']).unwrap_or(argument.len());
        let argument = argument.get(..end).unwrap_or_default();
        if argument.starts_with("virt@") {
            continue;
        }
        match path_of(argument.as_bytes()) {
            Some((within, source)) => import.files.push(Named {
                line: line.number,
                keyword: name.to_owned(),
                source,
                folder: "maps",
                optional: argument.starts_with("opt@"),
                place: Place {
                    range: token.range.start + inside + within.start
                        ..token.range.start + inside + within.end,
                    based: false,
                    quote: "",
                },
                list: None,
            }),
            None => import.left.push((
                line.number,
                name.to_owned(),
                "the path is written with a variable or an escape: give it as it is, and import again",
            )),
        }
    }
}

impl Import {
    /// The text with the files' new names, in the order of [`files`](Self::files): names within their
    /// folders, none where the path stays as it is, several where it is a directory of certificates
    /// (each gets a `crt` of its own then).
    pub fn rewritten(&self, text: &[u8], names: &[Vec<String>]) -> Vec<u8> {
        let named = self
            .files
            .iter()
            .zip(names)
            .filter(|(_, names)| !names.is_empty());
        let named = named.map(|(file, names)| {
            // A base is `ssl` now, and the rest of the path begins there.
            let path = |name: &String| match file.place.based {
                true => name.clone(),
                false => format!("{}/{name}", file.folder),
            };
            let paths: Vec<String> = names.iter().map(path).collect();
            let quote = file.place.quote;
            Replacement {
                range: file.place.range.clone(),
                text: paths
                    .join(&format!("{quote} {} {quote}", file.keyword))
                    .into_bytes(),
            }
        });
        let bases = self.bases.iter().map(|range| Replacement {
            range: range.clone(),
            text: b"ssl".to_vec(),
        });
        Patch::of(named.chain(bases).collect()).applied(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREIGN: &str = "\
global
  ca-base /etc/ssl/certs
  crt-base /etc/ssl/private
  lua-load /etc/haproxy/x.lua
defaults
  errorfile 503 /etc/haproxy/errors/503.http # page
frontend f
  bind :443 ssl crt site.pem crt \"/srv/other.pem\" ca-file @system-ca
  acl inside src -f /etc/haproxy/inside.lst
  use_backend %[req.hdr(host),lower,map_dom(/etc/haproxy/hosts.map,bk)] if { src -f /etc/haproxy/inside.lst }
  http-request return status 200 content-type text/plain file /srv/robots.txt if { path /robots.txt }
  http-request set-header X %[src,map_ip(virt@nets,none)]
backend bk
  server s1 10.0.0.1:443 ssl ca-file internal.pem crt \"${HOME}/client.pem\"
";

    #[test]
    fn paths_are_found_with_their_bases() {
        let found = find(FOREIGN.as_bytes());
        let files: Vec<_> = found
            .files
            .iter()
            .map(|file| (file.line, file.folder, file.source.display().to_string()))
            .collect();
        let wanted = [
            (6, "errors", "/etc/haproxy/errors/503.http"),
            (8, "ssl", "/etc/ssl/private/site.pem"),
            (8, "ssl", "/srv/other.pem"),
            (9, "maps", "/etc/haproxy/inside.lst"),
            (10, "maps", "/etc/haproxy/hosts.map"),
            (10, "maps", "/etc/haproxy/inside.lst"),
            (11, "errors", "/srv/robots.txt"),
            (14, "ssl", "/etc/ssl/certs/internal.pem"),
        ];
        let wanted = wanted.map(|(line, folder, path)| (line, folder, path.to_owned()));
        assert_eq!(files, wanted);
        let left: Vec<_> = found
            .left
            .iter()
            .map(|(line, word, _)| (*line, word.as_str()))
            .collect();
        assert_eq!(left, [(4, "lua-load"), (14, "crt")]);
    }

    /// As HAProxy reads them: quotes and escapes are not part of a word.
    #[test]
    fn words_in_quotes_are_the_same_words() {
        let text = "\
\"global\"
  'crt-base' /etc/ssl
defaults
  \"errorfile\" 503 /errors/503.http
  http-request deny \"errorfile\" /errors/403.http if { src \"-f\" '/lists/a.lst' }
frontend f
  \"bind\" :443 ssl \"crt\" a.pem 'default'-crt b.pem c'r't c.pem
  \"acl\" a src '-f' \"/lists/b.lst\"
  stats http-request auth if !{ src -\"f\" /lists/c.lst }
  log-format \"-f\" # no -f /lists/d.lst
";
        let found = find(text.as_bytes());
        let files: Vec<_> = found
            .files
            .iter()
            .map(|file| (file.line, file.source.display().to_string()))
            .collect();
        let wanted = [
            (4, "/errors/503.http"),
            (5, "/errors/403.http"),
            (5, "/lists/a.lst"),
            (7, "/etc/ssl/a.pem"),
            (7, "/etc/ssl/b.pem"),
            (7, "/etc/ssl/c.pem"),
            (8, "/lists/b.lst"),
            (9, "/lists/c.lst"),
        ];
        assert_eq!(files, wanted.map(|(line, path)| (line, path.to_owned())));
        let names: Vec<_> = (0..files.len()).map(|at| vec![format!("n{at}")]).collect();
        let new = String::from_utf8(found.rewritten(text.as_bytes(), &names)).unwrap();
        let mut wanted = text.replace("/etc/ssl", "ssl");
        for (at, old) in ["/errors/503.http", "/errors/403.http"].iter().enumerate() {
            wanted = wanted.replace(old, &format!("errors/n{at}"));
        }
        for (at, old) in [(2, "a"), (6, "b"), (7, "c")] {
            wanted = wanted.replace(&format!("/lists/{old}.lst"), &format!("maps/n{at}"));
        }
        for (at, old) in [(3, "a"), (4, "b"), (5, "c")] {
            wanted = wanted.replace(&format!(" {old}.pem"), &format!(" n{at}"));
        }
        assert_eq!(new, wanted);
    }

    #[test]
    fn nothing_but_paths_changes() {
        let found = find(FOREIGN.as_bytes());
        let mut names: Vec<_> = (0..found.files.len())
            .map(|at| vec![format!("n{at}")])
            .collect();
        names[2].push("more".to_owned());
        let text = String::from_utf8(found.rewritten(FOREIGN.as_bytes(), &names)).unwrap();
        assert!(text.contains("  ca-base ssl\n  crt-base ssl\n"), "{text}");
        assert!(
            text.contains("crt n1 crt \"n2\" crt \"more\" ca-file @system-ca\n"),
            "{text}"
        );
        assert!(text.contains("errorfile 503 errors/n0 # page\n"), "{text}");
        assert!(
            text.contains("map_dom(maps/n4,bk)] if { src -f maps/n5 }\n"),
            "{text}"
        );
        let lines = |text: &str| -> Vec<String> {
            let words = text
                .lines()
                .map(|line| line.split(' ').next_back().unwrap_or("").to_owned());
            words.collect()
        };
        assert_eq!(lines(&text).len(), lines(FOREIGN).len());
        let none = vec![Vec::new(); found.files.len()];
        let kept = String::from_utf8(found.rewritten(FOREIGN.as_bytes(), &none)).unwrap();
        let bases = kept.replace("ca-base ssl", "ca-base /etc/ssl/certs");
        assert_eq!(
            bases.replace("crt-base ssl", "crt-base /etc/ssl/private"),
            FOREIGN
        );
    }
}
