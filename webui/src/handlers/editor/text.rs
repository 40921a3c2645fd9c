//! A text on its way through a browser, which knows only its own idea of line ends.

use crate::page::Notice;

/// The text of a form as it is saved: the browser's line ends become those of the file that is
/// live, so that an edit of one line changes one line.
pub(super) fn from_form(sent: &str, live: &[u8]) -> String {
    let text = sent.replace("\r\n", "\n");
    if has_dos_ends(live) {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// A warning if a browser cannot carry the file unchanged.
pub(super) fn uncarriable(live: &[u8]) -> Option<Notice> {
    let text = std::str::from_utf8(live);
    let lone_return = |text: &str| text.replace("\r\n", "").contains('\r');
    let mixed = has_dos_ends(live) && live.split(|b| *b == b'\n').any(is_unix_line);
    let good = !mixed && text.is_ok_and(|text| !text.contains('\0') && !lone_return(text));
    (!good).then(|| {
        Notice::warn(
            "This file was not written here",
            "It has bytes that a browser cannot carry, such as broken UTF-8 or mixed line ends. \
             Applying it from here would change them; the Preview shows which lines.",
        )
    })
}

fn has_dos_ends(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\r\n")
}

/// Of a line without its `\n`; what follows the last `\n` is no line.
fn is_unix_line(line: &[u8]) -> bool {
    !line.is_empty() && !line.ends_with(b"\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_stay_those_of_the_file() {
        assert_eq!(from_form("a\r\nb\r\n", b"x\ny\n"), "a\nb\n");
        assert_eq!(from_form("a\r\nb", b"x\r\ny\r\n"), "a\r\nb");
        assert_eq!(from_form("a\nb", b""), "a\nb");
    }

    #[test]
    fn what_a_browser_would_change_is_said() {
        assert!(uncarriable(b"").is_none());
        assert!(uncarriable("# é\nb\n".as_bytes()).is_none());
        assert!(uncarriable(b"a\r\nb\r\n").is_none());
        for bad in [&b"a\xff"[..], b"a\0", b"a\rb", b"a\r\nb\nc\r\n"] {
            assert!(uncarriable(bad).is_some(), "{bad:?}");
        }
    }
}
